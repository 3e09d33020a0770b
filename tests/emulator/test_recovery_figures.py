"""What the monitor publishes in each destination's Region, on the emulator: where it is seen, and who may do it."""

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator import watched

RULES = [
    {**watched.RULE, "ID": name, "Priority": number, "DeleteMarkerReplication": {"Status": "Disabled"}}
    | {"Destination": {"Bucket": f"arn:aws:s3:::{name}"}}
    for number, name in enumerate(("west", "dublin"), 1)
]
WORLD: dict[str, Any] = {
    "buckets": [
        {"name": "east", "region": "us-east-1"},
        {"name": "west", "region": "us-west-2"},
        {"name": "dublin", "region": "eu-west-1"},
    ],
    "stacks": [{"name": watched.STACK, "region": "us-east-1", "rules": {"east": {"Rules": RULES}}}],
}


@pytest.fixture
def aws() -> Iterator[Running]:
    with running(WORLD) as emulator:
        assert emulator.idle()  # S3 tests each notification with a message
        yield emulator


def published(aws: Running, region: str) -> set[tuple[str, str]]:
    """Return (metric, destination) of what was put in a Region."""
    found = [each for each in aws.get("/metrics") if each["region"] == region and set(each["dimensions"]) == BUCKETS]
    return {(each["metric"], each["dimensions"]["DestinationBucket"]) for each in found}


BUCKETS = {"SourceBucket", "DestinationBucket"}
ALWAYS = (
    *("OperationsPendingReplication", "BytesPendingReplication", "OperationsFailedNow", "DestinationUnverified"),
    "RecoveryPoint",
)


def test_figures_are_published_in_the_region_of_each_destination_and_nowhere_else(aws: Running) -> None:
    watched.look(aws)
    assert published(aws, "us-west-2") == {(metric, "west") for metric in ALWAYS}
    assert published(aws, "eu-west-1") == {(metric, "dublin") for metric in ALWAYS}
    assert published(aws, "us-east-1") == set()


def test_a_region_that_does_not_answer_keeps_no_other_waiting(aws: Running) -> None:
    aws.post("/faults", [{"service": "cloudwatch", "operation": "PutMetricData", "region": "us-west-2",
                          "then": {"status": 503, "code": "ServiceUnavailable"}}])  # fmt: skip
    watched.look(aws)
    assert published(aws, "us-west-2") == set()
    assert published(aws, "eu-west-1") == {(metric, "dublin") for metric in ALWAYS}


def test_the_monitor_may_publish_in_its_own_namespace_only(aws: Running) -> None:
    watched.look(aws)
    [checked] = {
        (each["allowed"], each["conditions"]["cloudwatch:namespace"])
        for each in aws.get("/authorizations")
        if each["action"] == "cloudwatch:PutMetricData"
    }
    assert checked == (True, "S3Replicator")
