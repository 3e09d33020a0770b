"""Each action is taken from each role in turn; what comes of it is what docs/operate.md promises to the operator.

S3 answers as it does another account's caller, so that the functions have no message to rely on. Which scenario needs
an action is found out by a first run. Actions on whole buckets are denied for buckets of their own, because containers
remember what they have read of one.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from emulator.running import Running, running
from tests.template import stacks
from tests.template.denials import Case, Permission, by_key, failures, play, promised, take_away
from tests.template.every_kind import MIB, RULE, SETTINGS, STACK, WORLD
from tests.template.scenarios import EVENTS, RESTORED, TASKS, put_small, run_task

SIDES = {"source objects": "east", "destination objects": "west", "source key": "east", "replica key": "west"}
ORDER = (*(name for name in EVENTS if name != "delete_spread"), "delete", "delete_spread", *TASKS, *RESTORED)
FUNCTIONS = {role: function for function, role in stacks.ROLES.items()}
SOURCE_ACTIONS = (
    *("s3:ListBucket", "s3:GetBucketOwnershipControls", "s3:GetObjectTagging", "s3:GetObjectVersionTagging"),
    *("s3:GetObjectRetention", "s3:GetObjectLegalHold"),
)
DESTINATION_ACTIONS = (
    *(
        "s3:ListBucket",
        "s3:GetBucketVersioning",
        "s3:GetBucketOwnershipControls",
        "s3:GetBucketObjectLockConfiguration",
    ),
    *("s3:GetBucketNotification", "s3:GetObjectTagging", "s3:GetObjectVersionTagging", "s3:GetObjectRetention"),
    "s3:GetObjectLegalHold",
)
SOURCES = {f"src{number}": action for number, action in enumerate(SOURCE_ACTIONS)}
DESTINATIONS = {f"dst{number}": action for number, action in enumerate(DESTINATION_ACTIONS)}
PLAIN: Mapping[str, dict[str, Any]] = {"s3:GetBucketOwnershipControls": {}, "s3:GetBucketObjectLockConfiguration": {}}
"""What buckets have that need neither ACLs nor Object Lock."""


PROMISED = promised()


def codes(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def world() -> dict[str, Any]:
    """Return the world of every kind, with a bucket for each action on whole buckets."""
    buckets: list[dict[str, Any]] = [
        {"name": name, "region": "us-east-1", **PLAIN.get(action, SETTINGS)} for name, action in SOURCES.items()
    ]
    for name, action in DESTINATIONS.items():
        buckets.append({"name": name, "region": "us-west-2", **PLAIN.get(action, SETTINGS)})
    stack: dict[str, Any] = WORLD["stacks"][0]
    to: dict[str, Any] = dict(RULE["Destination"])  # type: ignore[call-overload]
    here = [
        {**RULE, "ID": name, "Priority": number, "Filter": {"Prefix": f"{name}/"}}
        | {"Destination": {**to, "Bucket": f"arn:aws:s3:::{name}"}}
        for number, name in enumerate(DESTINATIONS, 2)
    ]
    parameters = stack["parameters"] | {
        "SourceBuckets": ",".join(["east", "fleeting", "ruleless", *SOURCES]),
        "DestinationBuckets": ",".join(["west", *DESTINATIONS]),
        "ThresholdMinutes": "15",
    }
    rules = {name: {"Rules": [RULE]} for name in ("fleeting", *SOURCES)} | {"east": {"Rules": [RULE, *here]}}
    return {"buckets": [*WORLD["buckets"], *buckets], "stacks": [{**stack, "parameters": parameters, "rules": rules}]}


@dataclass
class Played:
    """What came of the cases: reasons of failures, what tasks said, and all that was logged."""

    cases: list[Case]
    needed: set[Permission]
    reasons: dict[str, set[str]] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    log: str = ""

    def seen(self, key: str) -> set[str]:
        """Return the reasons with which a key failed."""
        task = re.findall(r"(?:FAILED|PENDING) (\w+)", self.said.get(key, ""))
        return self.reasons.get(key, set()) | set(task)

    def problem(self, permission: Permission) -> str:
        """Return what was seen without a permission if that is not what the page promises, else nothing."""
        cases = [case for case in self.cases if case.permission == permission]
        place = _place(permission)
        text = PROMISED.get((permission.action, place), "not on the page")
        seen = {reason for case in cases for reason in self.seen(case.key)}
        lines = [line for line in self.log.splitlines() for case in cases if case.key in line]
        warned = {code for code in codes(text) for line in lines if code in line and not code.endswith("Permitted")}
        by_bucket = permission.action in DESTINATION_ACTIONS + SOURCE_ACTIONS and place.endswith("objects")
        if cases and seen <= codes(text) and (seen or warned or by_bucket):
            return ""
        return f"{[case.scenario for case in cases]}: {seen or warned}, promised: {text}"


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    with running(world()) as emulator:
        emulator.emulator.explains_denials = False
        yield emulator


def role_names(aws: Running) -> dict[str, str]:
    found = aws.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in found
        if each["LogicalResourceId"] in FUNCTIONS
    }


def logged(aws: Running) -> str:
    return "\n".join(line for function in stacks.ROLES for line in aws.logs(STACK, function))


@pytest.fixture(scope="module")
def played(aws: Running) -> Played:
    """Play every scenario, then those that need an action again, without it, until it is missed."""
    names, iam = role_names(aws), aws.client("iam")
    arns = {iam.get_role(RoleName=name)["Role"]["Arn"]: role for role, name in names.items()}
    put_small(aws, ["base-delete"])
    assert aws.idle()
    play(aws, {name: [f"base-{name}"] for name in ORDER})
    assert aws.idle()
    assert failures(aws) == {}
    checked = by_key(aws.get("/authorizations"), arns)
    done = Played([], set(checked))
    needed = {permission: _scenarios(keys) for permission, keys in checked.items() if _scenarios(keys)}
    for chosen in (0, -1, 1, 2):  # most permissions fail in the first scenario that needs them
        left = {each: needed[each] for each in sorted(needed) if done.problem(each)}
        again = {each: found[chosen] for each, found in left.items() if chosen < len(found)}
        _play_without(aws, again, names, done)
        done.log = logged(aws)
    return done


def _scenarios(keys: list[str]) -> list[str]:
    return sorted((key.removeprefix("base-") for key in keys if key.startswith("base-")), key=ORDER.index)


def _play_without(aws: Running, chosen: Mapping[Permission, str], names: Mapping[str, str], done: Played) -> None:
    first, scenarios = len(done.cases), defaultdict(list)
    for permission, scenario in chosen.items():
        case = Case(permission, scenario, f"{len(done.cases):03}-{permission.action.partition(':')[2]}")
        done.cases.append(case)
        scenarios[scenario].append(case.key)
    put_small(aws, scenarios["delete"])
    assert aws.idle()
    aws.delete("/requests")
    take_away(aws, done.cases[first:], names)
    done.said |= play(aws, scenarios)
    assert aws.idle()
    for key, reasons in failures(aws).items():
        done.reasons.setdefault(key, set()).update(reasons)


def test_a_missing_action_on_objects_or_keys_is_seen_as_promised(played: Played) -> None:
    permissions = sorted({case.permission for case in played.cases})
    wrong = {permission: problem for permission in permissions if (problem := played.problem(permission))}
    assert wrong == {}


def _place(permission: Permission) -> str:
    if permission.action.startswith("kms:"):
        return "source key" if permission.side.endswith("/source") else "replica key"
    side = "source" if permission.side == "east" else "destination"
    return f"{side} bucket" if permission.action.startswith("s3:ListBucket") else f"{side} objects"


def test_every_action_that_a_role_has_on_objects_is_taken_away(played: Played) -> None:
    granted = {
        (role, action)
        for role in ("ReplicateRole", "CopyPartsRole", "BatchRole")
        for action, _ in stacks.allowed(stacks.stack(**stacks.EVERYTHING, SourceStatusTag="true"), role)
        if action.startswith(("s3:", "kms:")) and not action.startswith("s3:GetBucket") and action != "s3:ListBucket"
    }
    assert granted - {(case.permission.role, case.permission.action) for case in played.cases} == set()


def test_every_action_of_a_role_has_its_row_on_the_page() -> None:
    stack = stacks.stack(**stacks.EVERYTHING | stacks.AFTER_THE_WRITE, SourceStatusTag="true")
    granted = {action for role in FUNCTIONS for action, _ in stacks.allowed(stack, role)}
    assert granted - {action for action, _ in PROMISED} == set()
    assert {action for action, _ in PROMISED} - granted == set()


# Whole buckets


def deny(aws: Running, role: str, *statements: tuple[str, str]) -> None:
    """Deny a role actions on resources, in place of what it was denied before."""
    denied = [{"Effect": "Deny", "Action": action, "Resource": on} for action, on in statements]
    document = json.dumps({"Version": "2012-10-17", "Statement": denied})
    aws.client("iam").put_role_policy(RoleName=role_names(aws)[role], PolicyName="deny", PolicyDocument=document)


def allow(aws: Running, *roles: str) -> None:
    for role in roles:
        aws.client("iam").delete_role_policy(RoleName=role_names(aws)[role], PolicyName="deny")


def on_buckets() -> list[tuple[str, str]]:
    """Return the action that is denied on each bucket, and on its objects."""
    return [(action, f"arn:aws:s3:::{name}*") for name, action in (SOURCES | DESTINATIONS).items()]


def write(aws: Running, name: str, action: str, suffix: str, size: int) -> tuple[str, str, str]:
    """Write what needs an action on a bucket; return bucket, key and version."""
    bucket, key = (name, f"{name}-{suffix}") if name in SOURCES else ("east", f"{name}/{suffix}")
    if name in DESTINATIONS:
        aws.client("s3", "us-west-2").put_object(Bucket=name, Key=key, Body=b"a user's own")
    fields: dict[str, Any] = {}
    if action == "s3:GetBucketOwnershipControls" and name in DESTINATIONS:
        fields = {"ACL": "public-read"}
    if action == "s3:GetBucketObjectLockConfiguration":
        fields = {"ObjectLockLegalHoldStatus": "ON"}
    version = aws.client("s3").put_object(Bucket=bucket, Key=key, Body=bytes(size), **fields)["VersionId"]
    return bucket, key, str(version)


def bucket_outcomes(aws: Running, role: str) -> dict[str, set[str]]:
    """Return with which reasons a role fails without the action on each bucket, by the bucket's name."""
    suffix, size = role.lower(), 12 * MIB if role == "CopyPartsRole" else 1
    written = {}
    deny(aws, role, *on_buckets())
    try:
        if role == "BatchRole":
            with detached(aws, *SOURCES, "east"):
                written = {
                    name: write(aws, name, action, suffix, size) for name, action in (SOURCES | DESTINATIONS).items()
                }
            said = {name: run_task(aws, key, version, bucket) for name, (bucket, key, version) in written.items()}
            return {name: set(re.findall(r"FAILED (\w+)", text)) for name, text in said.items()}
        written = {name: write(aws, name, action, suffix, size) for name, action in (SOURCES | DESTINATIONS).items()}
        assert aws.idle()
        reasons = failures(aws)
        return {name: reasons.get(key, set()) for name, (_, key, _) in written.items()}
    finally:
        allow(aws, role)


@contextmanager
def detached(aws: Running, *buckets: str) -> Iterator[None]:
    """Let buckets send no events meanwhile."""
    s3 = aws.client("s3")
    before = {each: s3.get_bucket_notification_configuration(Bucket=each) for each in buckets}
    for each in buckets:
        s3.put_bucket_notification_configuration(Bucket=each, NotificationConfiguration={})
    yield
    for each, found in before.items():
        del found["ResponseMetadata"]
        s3.put_bucket_notification_configuration(Bucket=each, NotificationConfiguration=found)


# A worker never starts the upload: ReplicateFunction leaves the ACL out, or refuses the lock, before it is asked.
NEVER_BY_WORKERS = {"s3:GetBucketOwnershipControls", "s3:GetBucketObjectLockConfiguration"}


@pytest.mark.parametrize("role", ["BatchRole", "ReplicateRole", "CopyPartsRole"])
def test_a_missing_action_on_a_bucket_is_seen_as_promised(aws: Running, role: str) -> None:
    """Run before any container of the role has read these buckets: it would remember what it has read."""
    aws.delete("/requests")
    seen, wrong = bucket_outcomes(aws, role), {}
    asked = {(each["bucket"], each["operation"]) for each in aws.get("/requests") if each.get("function", "")}
    for name, action in (SOURCES | DESTINATIONS).items():
        if role == "CopyPartsRole" and name in DESTINATIONS and action in NEVER_BY_WORKERS:
            continue
        what = "objects" if action.startswith("s3:GetObject") else "bucket"
        text = PROMISED[action, f"{'source' if name in SOURCES else 'destination'} {what}"]
        if not seen[name] <= codes(text) or not (seen[name] or any((name, code) in asked for code in codes(text))):
            wrong[f"{action} on {name}"] = f"{seen[name]}, promised: {text}"
    assert wrong == {}
