"""A real loop, of two stacks that do not recognise each other's replicas, is stopped, and the alarm sees it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from replicator.core.versions.origin import MARK

from emulator.calls.lineage import LIMIT
from emulator.running import Options, Running, running
from emulator.s3 import attributes
from tests.emulator.failures import take_failures
from tests.emulator.worlds import bucket, rule

STACKS = {"rep-east": "us-east-1", "rep-west": "us-west-2"}
STRANGERS = {"PeerPrincipals": "AROASTRANGERS:of-no-stack"}
WORLD: dict[str, Any] = {
    "buckets": [bucket("east"), bucket("west")],
    "stacks": [
        {"name": "rep-east", "region": "us-east-1", "rules": {"east": {"Rules": [rule("east", "west")]}}},
        {"name": "rep-west", "region": "us-west-2", "rules": {"west": {"Rules": [rule("west", "east")]}}},
    ],
}


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    """Run stacks that do not know each other. A batch that is refused comes back at once, and so is given up soon."""
    stacks = [{**each, "parameters": STRANGERS} for each in WORLD["stacks"]]
    with running({**WORLD, "stacks": stacks}, Options(crash_visibility=0.01)) as up:
        yield up


def dropped(aws: Running) -> dict[str, int]:
    """Return the sums of the metric that the alarm on dropped recursions watches."""
    now = datetime.now(UTC)
    found = {}
    for stack, region in STACKS.items():
        answer = aws.client("cloudwatch", region).get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="RecursiveInvocationsDropped",
            Dimensions=[{"Name": "FunctionName", "Value": f"{stack}-replicate"}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=7200,
            Statistics=["Sum"],
        )
        found[stack] = int(sum(each["Sum"] for each in answer["Datapoints"]))
    return found


def test_replicas_that_lose_their_marks_go_round_until_lambda_stops_them(
    aws: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = attributes._user_metadata

    def forget(request: Any) -> dict[str, str]:
        return {name: text for name, text in stored(request).items() if name != MARK}

    monkeypatch.setattr(attributes, "_user_metadata", forget)
    aws.client("s3", "us-east-1").put_object(Bucket="east", Key="round-and-round", Body=b"x")
    assert aws.idle()
    assert sum(dropped(aws).values()) > 0
    failed = [each for stack in STACKS for each in take_failures(aws, stack)]
    assert len(failed) == 1, "the message of the round that Lambda refused"
    assert min(aws.host.functions.invocations[f"{stack}-replicate"] for stack in STACKS) >= LIMIT


def test_replicas_that_keep_them_go_nowhere(aws: Running) -> None:
    before = dropped(aws)
    aws.client("s3", "us-east-1").put_object(Bucket="east", Key="there", Body=b"x")
    assert aws.idle()
    assert dropped(aws) == before
