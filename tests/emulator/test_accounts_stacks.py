"""Stacks in several accounts: one that backs up into another account, and one that collects from other accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.accounts import OTHERS, OURS, THEIRS, on_bucket, policy
from tests.emulator.plain import refused
from tests.emulator.worlds import rule

REPLICATE = ("*Object*", "GetBucket*", "ListBucket*")
WORLD: dict[str, Any] = {
    "buckets": [
        {"name": "prod", "region": "us-east-1", "account": THEIRS},
        {
            "name": "backup",
            "region": "us-west-2",
            "policy": {"Statement": [on_bucket("backup", *REPLICATE, Principal={"AWS": [THEIRS, OTHERS]})]},
        },
        {
            "name": "logs",
            "region": "us-east-1",
            "account": OTHERS,
            "policy": {"Statement": [on_bucket("logs", *REPLICATE, Principal={"AWS": OURS})]},
        },
    ],
    "stacks": [
        {
            "name": "theirs",
            "region": "us-east-1",
            "account": THEIRS,
            "rules": {"prod": {"Rules": [rule("prod", "backup")]}},
        },
        {"name": "ours", "region": "us-east-1", "rules": {"logs": {"Rules": [rule("logs", "backup")]}}},
    ],
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as up:
        yield up


def body(emulator: Running, key: str) -> bytes:
    return bytes(emulator.client("s3", "us-west-2").get_object(Bucket="backup", Key=key)["Body"].read())


def test_everything_of_a_stack_is_in_its_account(emulator: Running) -> None:
    for name, account in (("theirs", THEIRS), ("ours", OURS)):
        outputs = emulator.outputs(name)
        assert outputs["ChangeQueueArn"].split(":")[4] == account
        listed = emulator.client("s3", account=account).list_buckets()["Buckets"]
        assert outputs["ControlBucket"] in [each["Name"] for each in listed]
        stacks = emulator.client("cloudformation", account=account).describe_stacks()["Stacks"]
        assert [each["StackName"] for each in stacks] == [name]


def test_a_stack_replicates_to_a_bucket_of_another_account(emulator: Running) -> None:
    emulator.client("s3", account=THEIRS).put_object(Bucket="prod", Key="from-prod", Body=b"prod")
    assert emulator.idle()
    assert body(emulator, "from-prod") == b"prod"


def test_a_stack_collects_from_a_bucket_of_another_account(emulator: Running) -> None:
    """Its queue is in its own account: the bucket's account sends the events there."""
    emulator.client("s3", account=OTHERS).put_object(Bucket="logs", Key="from-logs", Body=b"logs")
    assert emulator.idle()
    assert body(emulator, "from-logs") == b"logs"


def test_without_the_policy_of_the_bucket_nothing_arrives(emulator: Running) -> None:
    owner = emulator.client("s3", "us-west-2")
    before = owner.get_bucket_policy(Bucket="backup")["Policy"]
    owner.put_bucket_policy(Bucket="backup", Policy=policy(on_bucket("backup", *REPLICATE, Principal={"AWS": OTHERS})))
    emulator.client("s3", account=THEIRS).put_object(Bucket="prod", Key="denied", Body=b"prod")
    assert emulator.idle()
    with refused("NoSuchKey", 404):
        body(emulator, "denied")
    owner.put_bucket_policy(Bucket="backup", Policy=before)
