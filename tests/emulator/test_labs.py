"""The labs of docs/accounts.md: each block of commands is run, on the worlds that the page names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.plain import refused
from tests.emulator.shell import Shell, blocks

DOCS = Path(__file__).parents[2] / "docs"
PRODUCTION, BACKUP, APP, WEB = "123456789012", "222222222222", "333333333333", "444444444444"
PROFILES = {"production": PRODUCTION, "backup": BACKUP, "partner": BACKUP, "logs": BACKUP, "app": APP, "web": WEB}
LABS = ("backup", "two-way", "logs")


def worlds() -> dict[str, Any]:
    """Return the worlds of all labs as one."""
    found = [json.loads((DOCS / "labs" / f"{name}.json").read_text()) for name in LABS]
    return {part: [each for world in found for each in world[part]] for part in ("buckets", "stacks")}


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    with running(worlds()) as emulator:
        yield emulator


@pytest.fixture
def shell(aws: Running, tmp_path: Path) -> Shell:
    for name in ("summer.jpg", "order.json", "today.log"):
        (tmp_path / name).write_text(name)
    return Shell(aws, tmp_path, PROFILES)


def run(shell: Shell, heading: str) -> None:
    for block in blocks(DOCS / "accounts.md", heading):
        shell.run(block)
    assert shell.aws.idle()


def bodies(aws: Running, account: str, region: str, bucket: str) -> dict[str, str]:
    """Return what readers get."""
    s3 = aws.client("s3", region, account)
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys}


def nothing_arrives_yet(aws: Running, account: str, bucket: str, key: str, stack: str) -> None:
    """Write before anything was put in place: default deny."""
    aws.client("s3", "us-east-1", account).put_object(Bucket=bucket, Key=key, Body=b"too early")
    assert aws.idle()
    owner = next(each.account for each in aws.world.stacks if each.name == stack)
    sqs, url = aws.client("sqs", "us-east-1", owner), aws.outputs(stack)["DeadLetterQueue"]
    found = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", [])
    assert {each["MessageAttributes"]["Reason"]["StringValue"] for each in found} <= {
        *("SrcBucketNotPermitted", "DstBucketNotPermitted"),
    }
    assert found


def test_a_backup_account_that_production_cannot_touch(aws: Running, shell: Shell) -> None:
    nothing_arrives_yet(aws, PRODUCTION, "photos", "early", "backup")
    run(shell, "A backup account that production cannot touch")
    assert bodies(aws, BACKUP, "us-west-2", "photos-backup")["summer.jpg"] == "summer.jpg"
    owner, production = (aws.client("s3", "us-west-2", account) for account in (BACKUP, PRODUCTION))
    [version] = owner.list_object_versions(Bucket="photos-backup", Prefix="summer.jpg")["Versions"]
    named = {"Bucket": "photos-backup", "Key": "summer.jpg", "VersionId": version["VersionId"]}
    sooner = {"Mode": "COMPLIANCE", "RetainUntilDate": "2026-12-01T00:00:00Z"}
    with refused("AccessDenied", 403):
        production.delete_object(**named)
    with refused("AccessDenied", 403):
        production.put_object_retention(**named, Retention=sooner)
    with refused("AccessDenied", 403):
        owner.put_object_retention(**named, Retention=sooner)
    with refused("AccessDenied", 403):
        owner.delete_object(**named)
    aws.client("s3", "us-east-1", PRODUCTION).delete_object(Bucket="photos", Key="summer.jpg")
    assert aws.idle()
    assert owner.get_object(**named)["Body"].read() == b"summer.jpg"


def test_two_way_between_accounts(aws: Running, shell: Shell) -> None:
    nothing_arrives_yet(aws, PRODUCTION, "orders-east", "early", "east")
    run(shell, "Two-way between accounts")
    east, west = aws.client("s3", "us-east-1", PRODUCTION), aws.client("s3", "us-west-2", BACKUP)
    for number in range(3):
        east.put_object(Bucket="orders-east", Key="both", Body=f"east {number}".encode())
        west.put_object(Bucket="orders-west", Key="both", Body=f"west {number}".encode())
    assert aws.idle()
    there = bodies(aws, BACKUP, "us-west-2", "orders-west")
    here = bodies(aws, PRODUCTION, "us-east-1", "orders-east")
    assert here.pop("early") == "too early"
    assert here == there
    assert set(here) == {"from-east", "from-west", "both"}


def test_logs_of_many_accounts_in_one_bucket(aws: Running, shell: Shell) -> None:
    run(shell, "Logs of many accounts in one bucket")
    assert set(bodies(aws, BACKUP, "us-west-2", "logs-central")) == {"app/today.log", "web/today.log"}
    policy = json.loads(aws.client("s3", "us-west-2", BACKUP).get_bucket_policy(Bucket="logs-central")["Policy"])
    sids = [each["Sid"] for each in policy["Statement"]]
    assert {"WriteReplicas", "WriteReplicas2"} <= set(sids)
    assert len(sids) == len(set(sids))
    with refused("AccessDenied", 403):
        aws.client("s3", "us-west-2", APP).get_object(Bucket="logs-central", Key="web/today.log")
