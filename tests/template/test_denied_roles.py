"""sts:AssumeRole is taken from each role in turn; what comes of it is what docs/operate.md promises to the operator.

Separate from the other actions, which are about buckets and keys: this one is about roles of another account, and each
function has a destination with a role of its own, because containers keep their sessions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.accounts import THEIRS
from tests.emulator.failures import take_failures
from tests.emulator.granted import printed, put_in_place
from tests.emulator.reasons import STACK, reasons, redrive, run_task
from tests.emulator.worlds import rule
from tests.template import stacks
from tests.template.denials import promised

MIB = 1024**2
FUNCTIONS = {"ReplicateRole": "one", "CopyPartsRole": "parts", "BatchRole": "task", "MonitorRole": "watched"}
"""The role of a function, and the destination that it is denied the role of."""


def arn(destination: str) -> str:
    return f"arn:aws:iam::{THEIRS}:role/for-{destination}"


def to(number: int, name: str) -> dict[str, Any]:
    return rule("east", name, ID=name, Priority=number, Filter={"Prefix": f"{name}/"}, Destination={"Account": THEIRS})


WORLD: dict[str, Any] = {
    "buckets": [
        {"name": "east", "region": "us-east-1"},
        *({"name": name, "region": "us-west-2", "account": THEIRS} for name in FUNCTIONS.values()),
    ],
    "stacks": [
        {
            "name": STACK,
            "region": "us-east-1",
            "rules": {"east": {"Rules": [to(number, name) for number, name in enumerate(FUNCTIONS.values(), 1)]}},
            "parameters": {
                "DestinationRoles": ",".join(f"{name}={arn(name)}" for name in FUNCTIONS.values()),
                "MultipartThreshold": 5 * MIB,
                "PartSize": 5 * MIB,
                "SpreadThreshold": 10 * MIB,
            },
        }
    ],
}


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    with running(WORLD) as emulator:
        put_in_place(emulator, printed(emulator, "east"))
        yield emulator


@contextmanager
def denied(aws: Running, role: str) -> Iterator[str]:
    """Deny a role the role of its destination; yield the name of the destination."""
    resource = aws.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=role)
    named = {"RoleName": resource["StackResourceDetail"]["PhysicalResourceId"], "PolicyName": "deny"}
    statement = {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": arn(FUNCTIONS[role])}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").put_role_policy(**named, PolicyDocument=document)
    yield FUNCTIONS[role]
    aws.client("iam").delete_role_policy(**named)


@pytest.mark.parametrize(("role", "size"), [("ReplicateRole", 1), ("CopyPartsRole", 12 * MIB)])
def test_a_function_without_the_action_fails_its_changes_until_it_has_it(aws: Running, role: str, size: int) -> None:
    with denied(aws, role) as name:
        aws.client("s3").put_object(Bucket="east", Key=f"{name}/k", Body=bytes(size))
        assert aws.idle()
        failures = take_failures(aws)
    assert reasons(failures) == {f"{name}/k": "AssumeRoleNotPermitted"}
    assert arn(name) in failures[0].attributes["Detail"]
    assert redrive(aws, failures) == {}
    assert aws.client("s3", "us-west-2", THEIRS).head_object(Bucket=name, Key=f"{name}/k")["ContentLength"] == size


def test_a_task_without_the_action_fails(aws: Running) -> None:
    version = aws.client("s3").put_object(Bucket="east", Key="task/k", Body=b"1")["VersionId"]
    assert aws.idle()
    with denied(aws, "BatchRole"):
        assert "FAILED AssumeRoleNotPermitted" in run_task(aws, "east", "task/k", version)
    assert "AssumeRole" not in run_task(aws, "east", "task/k", version)


def test_a_monitor_without_the_action_publishes_no_recovery_points(aws: Running) -> None:
    with denied(aws, "MonitorRole"):
        aws.post("/fire", {"stack": STACK, "function": "MonitorFunction"})
        lines = [line for line in aws.logs(STACK, "MonitorFunction") if "not published" in line]
    assert any("AssumeRoleNotPermitted" in line or "AssumeRole" in line for line in lines)


def test_the_page_promises_this() -> None:
    text = promised()["sts:AssumeRole", "roles of destinations"]
    assert "FAILED `AssumeRoleNotPermitted`" in text
    assert "`not published`" in text
    stack = stacks.stack(**stacks.EVERYTHING)
    assuming = {role for role in stacks.ROLES.values() if "sts:AssumeRole" in dict(stacks.allowed(stack, role))}
    assert assuming == {*FUNCTIONS, "VerifyRole"}
