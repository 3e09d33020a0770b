"""S3's own replication beside the product, end to end: nothing loops, and buckets that are joined show the same."""

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.failures import take_failures
from tests.emulator.worlds import bucket, rule

MARKERS = {"DeleteMarkerReplication": {"Status": "Enabled"}}
ROLE = "arn:aws:iam::123456789012:role/replication"


def ours(*ways: tuple[str, str]) -> dict[str, Any]:
    return {source: {"Rules": [rule(source, destination, **MARKERS)]} for source, destination in ways}


WORLD: dict[str, Any] = {
    "buckets": [bucket(f"{name}-{side}") for name in ("back", "same", "both", "chain") for side in ("east", "west")]
    + [bucket("chain-far-west")],
    "stacks": [
        {"name": "east", "region": "us-east-1", "rules": ours(
            ("back-east", "back-west"), ("same-east", "same-west"), ("both-east", "both-west"),
            ("chain-east", "chain-west"),
        )},
        {"name": "west", "region": "us-west-2", "rules": ours(
            ("both-west", "both-east"), ("chain-far-west", "chain-east"),
        )},
    ],
}  # fmt: skip
NATIVE = (
    ("back-west", "back-east"),
    ("same-east", "same-west"),
    ("both-east", "both-west"),
    ("both-west", "both-east"),
    ("chain-west", "chain-far-west"),
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        for source, destination in NATIVE:
            rules = [rule(source, destination, **MARKERS)]
            s3(emulator).put_bucket_replication(Bucket=source, ReplicationConfiguration={"Role": ROLE, "Rules": rules})
        yield emulator


@pytest.fixture(autouse=True)
def ends(emulator: Running) -> Iterator[None]:
    """Whatever a test does, it comes to an end, and nothing fails."""
    emulator.delete("requests")
    yield
    assert emulator.idle()
    assert take_failures(emulator, "east") == take_failures(emulator, "west") == []


def s3(emulator: Running) -> Any:
    return emulator.client("s3")


def put(emulator: Running, bucket: str, key: str, body: str = "1", **fields: Any) -> str:
    return str(s3(emulator).put_object(Bucket=bucket, Key=key, Body=body.encode(), **fields)["VersionId"])


def shown(emulator: Running, bucket: str, key: str) -> str | None:
    """Return what readers get; None after a delete."""
    listed = s3(emulator).list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
    if not listed:
        return None
    body: bytes = s3(emulator).get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode()


def entries(emulator: Running, bucket: str, key: str) -> int:
    found = s3(emulator).list_object_versions(Bucket=bucket, Prefix=key)
    return len(found.get("Versions", [])) + len(found.get("DeleteMarkers", []))


def copies(emulator: Running, bucket: str) -> int:
    """Return how many copies the functions wrote to a bucket."""
    rows = emulator.get("requests")
    return sum(row["operation"] == "CopyObject" and row["bucket"] == bucket for row in rows)


def test_what_s3_replicates_back_is_skipped_with_its_reason(emulator: Running) -> None:
    for number in range(3):
        put(emulator, "back-east", "k", str(number))
    put(emulator, "back-west", "k", "west")
    assert emulator.idle()
    put(emulator, "back-east", "k", "last")
    assert emulator.idle()
    assert shown(emulator, "back-east", "k") == shown(emulator, "back-west", "k") == "last"
    assert "SourceIsReplica" in "".join(emulator.logs("east", "ReplicateFunction"))
    mine = [row for row in emulator.get("requests") if row.get("function") and row["bucket"] == "back-east"]
    assert not {"CopyObject", "GetObjectAcl"} & {row["operation"] for row in mine}


def test_deletes_and_writes_in_turn_end_alike_where_s3_replicates_back(emulator: Running) -> None:
    for number in range(6):
        put(emulator, "back-east", "turns", str(number))
        s3(emulator).delete_object(Bucket="back-east", Key="turns")
    assert emulator.idle()
    assert shown(emulator, "back-east", "turns") is shown(emulator, "back-west", "turns") is None
    put(emulator, "back-east", "turns", "again")
    assert emulator.idle()
    assert shown(emulator, "back-east", "turns") == shown(emulator, "back-west", "turns") == "again"


def test_beside_s3_in_the_same_direction_what_it_replicated_first_is_not_copied_again(emulator: Running) -> None:
    fault = {"service": "s3", "operation": "CopyObject", "bucket": "same-west", "principal": "replicator", "times": 1}
    emulator.post("faults", {**fault, "then": {"status": 503, "code": "SlowDown"}})
    put(emulator, "same-east", "late")
    assert emulator.idle()
    assert entries(emulator, "same-west", "late") == 1
    for number in range(5):
        put(emulator, "same-east", "k", str(number))
    assert emulator.idle()
    assert shown(emulator, "same-west", "k") == "4"
    assert copies(emulator, "same-west") <= 8
    emulator.delete("faults")


def test_in_both_directions_beside_s3_in_both_directions_both_sides_show_the_same(emulator: Running) -> None:
    for number in range(6):
        put(emulator, ("both-east", "both-west")[number % 2], "k", str(number))
    assert emulator.idle()
    assert shown(emulator, "both-east", "k") == shown(emulator, "both-west", "k")
    assert entries(emulator, "both-east", "k") == entries(emulator, "both-west", "k") < 40
    s3(emulator).delete_object(Bucket="both-west", Key="k")
    assert emulator.idle()
    assert shown(emulator, "both-east", "k") is shown(emulator, "both-west", "k") is None


def test_s3_replicates_our_copies_on_and_ours_does_not_close_the_ring(emulator: Running) -> None:
    put(emulator, "chain-east", "k")
    assert emulator.idle()
    assert shown(emulator, "chain-far-west", "k") == "1"
    assert [entries(emulator, name, "k") for name in ("chain-east", "chain-west", "chain-far-west")] == [1, 1, 1]
    put(emulator, "chain-far-west", "home")
    assert emulator.idle()
    assert [entries(emulator, name, "home") for name in ("chain-east", "chain-west", "chain-far-west")] == [1, 0, 1]
