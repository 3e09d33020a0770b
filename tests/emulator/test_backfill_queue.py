"""Existing objects have a queue of their own: however long it is, a new change does not wait behind it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.worlds import bucket, fault, rule
from tests.patience import until

EXISTING = 1500
WORLD: dict[str, Any] = {
    "buckets": [bucket("east"), bucket("west")],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "rules": {"east": {"Rules": [rule("east", "west")]}},
        }
    ],
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


def send_existing(emulator: Running, count: int) -> None:
    """Send changes of versions that are gone to the backfill queue: each takes a function a while all the same."""
    sqs, url = emulator.client("sqs"), emulator.outputs("prod")["BackfillQueue"]
    for first in range(0, count, 10):
        entries = [
            {"Id": str(number), "MessageBody": json.dumps({"Records": [_record(f"existing/{number}")]})}
            for number in range(first, first + 10)
        ]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)


def _record(key: str) -> dict[str, Any]:
    return {
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "s3": {"bucket": {"name": "east"}, "object": {"key": key, "versionId": "gone", "size": 1}},
    }


def waiting(emulator: Running) -> int:
    names = ["ApproximateNumberOfMessages"]
    url = emulator.outputs("prod")["BackfillQueue"]
    found = emulator.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return int(found["Attributes"][names[0]])


def is_there(emulator: Running, key: str) -> bool:
    return "Contents" in emulator.client("s3", "us-west-2").list_objects_v2(Bucket="west", Prefix=key)


def test_a_new_change_is_replicated_while_more_than_a_thousand_existing_objects_wait(emulator: Running) -> None:
    send_existing(emulator, EXISTING)
    emulator.client("s3").put_object(Bucket="east", Key="live/fresh", Body=b"content")
    until(lambda: is_there(emulator, "live/fresh"))
    assert waiting(emulator) > EXISTING / 10, "the new change was replicated when the others were done"
    assert emulator.idle(timeout=300)
    assert waiting(emulator) == 0


def test_a_message_is_hidden_on_the_queue_that_it_came_from(emulator: Running) -> None:
    """Hidden on another queue, what met trouble would come back after this queue's own timeout of twelve minutes."""
    emulator.post("faults", [fault("HeadObject", {"status": 503, "code": "SlowDown"}, key="existing/1", times=8)])
    send_existing(emulator, 10)
    assert emulator.idle(timeout=60)
    heads = [
        row["status"]
        for row in emulator.get("requests")
        if row["operation"] == "HeadObject" and row["key"] == "existing/1"
    ]
    assert 503 in heads
    assert waiting(emulator) == 0
