"""What is recorded of versions that are older than the events: read, and never taken for more than it says."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from replicator.aws.coverage_store import CoverageRecords
from replicator.core.rules.coverage import Coverage, read_record

NOON = "2026-11-01T12:00:00+00:00"
NOON_MS = 1_793_534_400_000


def stored(**entry: Any) -> bytes:
    given = {"since": NOON, "had_versions": False, "verified": None} | entry
    return json.dumps({"destinations": {"west": given}}).encode()


def test_a_source_without_versions_made_its_destination_complete() -> None:
    assert read_record(stored()) == {"west": Coverage(NOON, had_versions=False)}
    assert read_record(stored())["west"].is_complete
    assert read_record(stored())["west"].since_ms == NOON_MS


def test_a_source_with_versions_must_be_verified() -> None:
    assert not read_record(stored(had_versions=True))["west"].is_complete
    assert read_record(stored(had_versions=True, verified=NOON))["west"].is_complete


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{}", b'{"destinations": []}', b'{"destinations": {"west": 1}}', b'{"destinations": {"west": {}}}',
     stored(since="yesterday"), stored(since=None)],
    ids=["nothing", "a list", "no destinations", "a list of them", "a number", "no fields", "no time", "null"],
)  # fmt: skip
def test_a_record_that_cannot_be_read_proves_nothing(text: bytes) -> None:
    assert read_record(text) == {}


@pytest.mark.parametrize("value", [None, "no", 0], ids=str)
def test_what_is_not_plainly_false_counts_as_versions(value: Any) -> None:
    assert not read_record(stored(had_versions=value))["west"].is_complete


class ControlBucket:
    """Has one record, or an error."""

    def __init__(self, text: bytes | None = None, code: str = "NoSuchKey") -> None:
        self.text = text
        self.code = code
        self.asked: list[str] = []

    def get_object(self, **arguments: Any) -> Any:
        self.asked.append(arguments["Key"])
        if self.text is None:
            raise ClientError({"Error": {"Code": self.code}}, "GetObject")
        return {"Body": type("Body", (), {"read": lambda _: self.text})()}


def records(bucket: ControlBucket, clock: list[float] | None = None, **settings: Any) -> CoverageRecords:
    client: Any = bucket
    return CoverageRecords(client, "control", clock=lambda: (clock or [1000.0])[0], **settings)


def test_a_record_says_since_when_a_destination_lacks_nothing() -> None:
    bucket = ControlBucket(stored())
    assert records(bucket).covered_since("east", "west") == NOON_MS
    assert records(bucket).covered_since("east", "north") is None
    assert bucket.asked == ["coverage/east.json"] * 2


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied", "SlowDown"])
def test_without_a_record_nothing_is_proven(code: str) -> None:
    assert records(ControlBucket(code=code)).covered_since("east", "west") is None


def test_a_bucket_that_the_stack_created_lacks_nothing_at_its_default_destination() -> None:
    made = records(ControlBucket(), created="east", defaults=("east", "west"))
    assert made.covered_since("east", "west") == 0
    assert made.covered_since("east", "north") is None
    named = records(ControlBucket(), defaults=("east", "west"))
    assert named.covered_since("east", "west") is None


def test_a_record_is_read_once_in_each_run_of_the_monitor() -> None:
    bucket, clock = ControlBucket(stored()), [1000.0]
    kept = records(bucket, clock)
    for _ in range(3):
        kept.covered_since("east", "west")
    assert len(bucket.asked) == 1
    clock[0] += 60
    bucket.text = stored(had_versions=True)
    assert kept.covered_since("east", "west") is None
