"""Null versions are overwritten in place: what tells one from the next, and what cannot."""

from dataclasses import replace

import pytest
from replicator.core.outcomes.outcome import Status
from replicator.core.versions.origin import MARK
from replicator.flows.reading import Marks

from tests.fakes.rules import rule
from tests.fakes.stored import Content, Stored
from tests.flows.stage import EAST, WEST, Stage


def suspended() -> Stage:
    stage = Stage([rule(WEST, rule_id="all", delete_markers=True)])
    stage.s3.buckets[EAST].versioning = "Suspended"
    return stage


def overwrite(stage: Stage, body: bytes, **content: object) -> Stored:
    """Write once more within the same second."""
    return stage.s3.put(EAST, "k", Content(body, **content))  # type: ignore[arg-type]


def bodies(stage: Stage) -> list[bytes]:
    return [stored.content.body for stored in stage.s3.buckets[WEST].history("k")]


@pytest.mark.parametrize("second", [b"other", b"another size"], ids=["another ETag", "another ETag and size"])
def test_a_null_version_rewritten_within_the_second_is_copied_too(second: bytes) -> None:
    stage = suspended()
    stage.put(body=b"first")
    stage.deliver()
    overwrite(stage, second)
    stage.deliver_all()
    assert bodies(stage) == [b"first", second]
    assert {status for status, _ in stage.counted} == {Status.COMPLETED}


def test_events_of_writes_within_a_second_that_come_late_copy_what_is_there_once() -> None:
    stage = suspended()
    stage.put(body=b"first")
    overwrite(stage, b"other")
    overwrite(stage, b"third")
    stage.deliver_all()
    assert bodies(stage) == [b"third"]


def test_a_delivery_that_is_repeated_copies_a_null_version_once() -> None:
    stage = suspended()
    stage.put()
    letter = stage.queue.visible()[0]
    stage.deliver_all()
    stage.queue.send(letter.body)
    stage.deliver_all()
    assert bodies(stage) == [b"bytes"]


def test_a_null_version_that_was_written_in_parts_is_copied_once_though_its_replica_has_another_etag() -> None:
    stage = suspended()
    stage.put(parts=3)
    letter = stage.queue.visible()[0]
    stage.deliver_all()
    stage.queue.send(letter.body)
    stage.deliver_all()
    assert bodies(stage) == [b"bytes"]


@pytest.mark.parametrize("size", ["the same size", "another size"])
def test_a_replica_whose_mark_has_no_etag_stands_for_a_null_version_of_its_size(size: str) -> None:
    """Older releases wrote such marks; they are no reason to copy everything once more."""
    stage = suspended()
    stage.put(body=b"first")
    stage.deliver_all()
    [replica] = stage.s3.buckets[WEST].history("k")
    bucket, version, rest = replica.content.metadata[MARK].split("/", 2)
    replica.content = replace(replica.content, metadata={MARK: "/".join((bucket, version.partition("@")[0], rest))})
    stage.change_services(marks=Marks())
    overwrite(stage, b"other" if size == "the same size" else b"another")
    stage.deliver_all()
    assert bodies(stage) == ([b"first"] if size == "the same size" else [b"first", b"another"])


def test_a_null_version_rewritten_within_the_second_with_the_same_bytes_keeps_the_metadata_of_the_first() -> None:
    """A documented limit: nothing that a listing shows tells the two apart (docs/limits.md, Order and conflicts)."""
    stage = suspended()
    stage.put(metadata={"number": "1"})
    stage.deliver()
    overwrite(stage, b"bytes", metadata={"number": "2"})
    stage.deliver_all()
    [replica] = stage.s3.buckets[WEST].history("k")
    assert replica.content.metadata["number"] == "1"


def test_a_null_version_rewritten_in_the_next_second_with_the_same_bytes_is_copied() -> None:
    stage = suspended()
    stage.put(metadata={"number": "1"})
    stage.deliver()
    stage.put(metadata={"number": "2"})
    stage.deliver_all()
    assert stage.s3.buckets[WEST].history("k")[-1].content.metadata["number"] == "2"
