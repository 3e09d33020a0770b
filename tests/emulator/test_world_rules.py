"""What a world puts in place for its rules: the events that buckets send, and the queues of those who own versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.worlds import bucket, rule

REGIONS = {"rep-east": "us-east-1", "rep-west": "us-west-2"}
WORLD: dict[str, Any] = {
    "buckets": [bucket("east"), bucket("other-east"), bucket("west"), bucket("archive-west")],
    "stacks": [
        {
            "name": "rep-east",
            "region": "us-east-1",
            "rules": {
                "east": {"Rules": [rule("east", "west"), rule("east", "archive-west", Priority=2)]},
                "other-east": {"Rules": [rule("other-east", "east")]},
            },
        },
        {"name": "rep-west", "region": "us-west-2", "rules": {"west": {"Rules": [rule("west", "east")]}}},
    ],
}


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    with running(WORLD) as up:
        yield up


def recorded(aws: Running, stack: str, source: str) -> Any:
    control = aws.outputs(stack)["ControlBucket"]
    stored = aws.client("s3", REGIONS[stack]).get_object(Bucket=control, Key=f"peers/{source}.json")
    return json.loads(stored["Body"].read())


@pytest.mark.parametrize(
    ("stack", "source", "owners"),
    [
        ("rep-east", "east", {"west": "rep-west"}),
        ("rep-west", "west", {"east": "rep-east"}),
        ("rep-east", "other-east", {}),
    ],
    ids=["a destination is another stack's source", "the way back", "a source of the same stack"],
)
def test_the_queues_of_other_stacks_that_own_versions_are_recorded(
    aws: Running, stack: str, source: str, owners: dict[str, str]
) -> None:
    assert recorded(aws, stack, source) == {
        "queues": {name: aws.outputs(owner)["ChangeQueueArn"] for name, owner in owners.items()}
    }


def test_a_source_sends_the_events_of_later_changes_and_of_permanent_deletions(aws: Running) -> None:
    found = aws.client("s3", "us-east-1").get_bucket_notification_configuration(Bucket="east")
    [entry] = found["QueueConfigurations"]
    assert set(entry["Events"]) == {
        "s3:ObjectCreated:*",
        "s3:ObjectRemoved:*",
        "s3:ObjectRestore:Completed",
        "s3:ObjectTagging:*",
        "s3:ObjectAcl:Put",
        "s3:ObjectRetention:Put",
        "s3:ObjectAnnotation:*",
    }
