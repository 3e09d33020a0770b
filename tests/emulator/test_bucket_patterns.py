"""A stack whose parameters name buckets by patterns serves those that match, old and new, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.worlds import bucket, rule
from tests.patience import until

WORLD: dict[str, Any] = {
    "buckets": [bucket("team-a-east"), bucket("bridged-east"), bucket("alone-east"), bucket("copy-1-west")],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {
                "SourceBuckets": "team-*,bridged-*st",
                "DestinationBuckets": "copy-*",
                "UseEventBridge": "true",
                "CloudTrailEvents": "true",
            },
            "rules": {
                "team-a-east": {"Rules": [rule("team-a-east", "copy-1-west")]},
            },
        }
    ],
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


def put(emulator: Running, bucket: str, key: str) -> None:
    emulator.client("s3").put_object(Bucket=bucket, Key=key, Body=b"content")


def arrived(emulator: Running) -> set[str]:
    listed = emulator.client("s3", "us-west-2").list_objects_v2(Bucket="copy-1-west")
    return {each["Key"] for each in listed.get("Contents", ())}


def test_a_bucket_that_matches_is_replicated_to_one_that_matches(emulator: Running) -> None:
    put(emulator, "team-a-east", "by-notification")
    until(lambda: "by-notification" in arrived(emulator))


def test_events_of_a_bucket_that_matches_arrive_through_event_bridge(emulator: Running) -> None:
    s3 = emulator.client("s3")
    for name in ("bridged-east", "alone-east"):
        bridge: Any = {"EventBridgeConfiguration": {}}
        s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=bridge)
        document = str({"Rules": [rule(name, "copy-1-west")], "Role": ""}).replace("'", '"')
        control = emulator.outputs("prod")["ControlBucket"]
        s3.put_object(Bucket=control, Key=f"rules/{name}.json", Body=document.encode())
    put(emulator, "alone-east", "of-another")
    put(emulator, "bridged-east", "by-bridge")
    until(lambda: "by-bridge" in arrived(emulator))
    assert emulator.idle()
    assert "of-another" not in arrived(emulator), "its events must not arrive, nor may the functions read it"
