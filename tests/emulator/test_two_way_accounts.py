"""Two stacks in different accounts, in opposite directions, each by a role of the other's account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.accounts import OURS, THEIRS
from tests.emulator.failures import take_failures
from tests.emulator.granted import printed, put_in_place
from tests.emulator.reasons import reasons
from tests.emulator.worlds import rule

REGIONS = {"prod": "us-east-1", "back": "us-west-2"}
ACCOUNTS = {"prod": OURS, "back": THEIRS}
WRITERS = {"prod": f"arn:aws:iam::{THEIRS}:role/from-prod", "back": f"arn:aws:iam::{OURS}:role/from-back"}
WAYS = {"prod": ("east", "west"), "back": ("west", "east")}


def stack(name: str, other: str) -> dict[str, Any]:
    source, destination = WAYS[name]
    to = rule(
        source,
        destination,
        DeleteMarkerReplication={"Status": "Enabled"},
        Destination={"Account": ACCOUNTS[other]},
    )
    return {
        "name": name,
        "region": REGIONS[name],
        "account": ACCOUNTS[name],
        "parameters": {"DestinationRoles": f"{ACCOUNTS[other]}={WRITERS[name]}"},
        "rules": {source: {"Rules": [to]}},
    }


WORLD: dict[str, Any] = {
    "buckets": [
        {"name": "east", "region": "us-east-1", "account": OURS},
        {"name": "west", "region": "us-west-2", "account": THEIRS},
    ],
    "stacks": [stack("prod", "back"), stack("back", "prod")],
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        for name, (source, _) in WAYS.items():
            put_in_place(emulator, printed(emulator, source, name, ACCOUNTS[name]))
        yield emulator


def introduce(emulator: Running, name: str, other: str) -> None:
    """Give a stack the writers of the other, by the id of the role that the other assumes here."""
    role = emulator.client("iam", account=ACCOUNTS[name]).get_role(RoleName=WRITERS[other].rpartition("/")[2])["Role"]
    writers = ",".join(f"{role['RoleId']}:{other}-{function}" for function in ("replicate", "copy-parts", "batch"))
    cloudformation = emulator.client("cloudformation", REGIONS[name], ACCOUNTS[name])
    [known] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    names = [each["ParameterKey"] for each in known["Parameters"] if each["ParameterKey"] != "PeerPrincipals"]
    changed = {"ParameterKey": "PeerPrincipals", "ParameterValue": writers}
    kept = [{"ParameterKey": each, "UsePreviousValue": True} for each in names]
    cloudformation.update_stack(StackName=name, UsePreviousTemplate=True, Parameters=[*kept, changed])


def current(emulator: Running, side: str, key: str) -> bytes:
    s3 = emulator.client("s3", REGIONS[side], ACCOUNTS[side])
    body: bytes = s3.get_object(Bucket=WAYS[side][0], Key=key)["Body"].read()
    return body


def test_both_sides_converge_and_no_echo_is_copied(emulator: Running) -> None:
    for side, (source, _) in WAYS.items():
        emulator.client("s3", REGIONS[side], ACCOUNTS[side]).put_object(Bucket=source, Key=side, Body=side.encode())
    assert emulator.idle()
    assert {name: reasons(take_failures(emulator, name)) for name in WAYS} == {"prod": {}, "back": {}}
    for key in WAYS:
        assert {side: current(emulator, side, key) for side in WAYS} == dict.fromkeys(WAYS, key.encode())
    for side, (source, _) in WAYS.items():
        listed = emulator.client("s3", REGIONS[side], ACCOUNTS[side]).list_object_versions(Bucket=source)
        assert sorted(each["Key"] for each in listed["Versions"]) == sorted(WAYS)


def test_echoes_invoke_nothing_once_each_stack_knows_the_role_that_the_other_writes_by(emulator: Running) -> None:
    introduce(emulator, "prod", "back")
    introduce(emulator, "back", "prod")
    before = Counter(emulator.host.functions.invocations)
    emulator.client("s3").put_object(Bucket="east", Key="again", Body=b"1")
    assert emulator.idle()
    assert current(emulator, "back", "again") == b"1"
    assert Counter(emulator.host.functions.invocations) - before == {"prod-replicate": 1}
