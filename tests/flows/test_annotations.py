"""Annotations of large objects: a replica that stands is COMPLETED whatever becomes of its annotations.

What is left out is in the log, once for each attempt. docs/limits.md names the cases.
"""

import pytest
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary

from tests.fakes.rules import rule
from tests.flows.large_stage import LargeStage
from tests.flows.stage import EAST, WEST

COMPLETED = (Status.COMPLETED, None)


@pytest.fixture(params=["seven77", "fives"], ids=["over many functions", "in one function"])
def stage(request: pytest.FixtureRequest) -> LargeStage:
    """Return a stage on which one annotated version waits to be copied."""
    stage = LargeStage([rule(WEST)])
    version = stage.put_large(request.param.encode())
    stage.uploads.annotations[EAST, "k", version.version_id] = {"note": b"1"}
    return stage


def reasons(stage: LargeStage) -> list[str]:
    """Return why annotations were left out, as the log has it."""
    return [remark.rpartition(": ")[2] for remark in stage.log.remarks if remark.startswith("annotations left out")]


def annotations(stage: LargeStage) -> dict[str, bytes]:
    """Return the annotations of the replica."""
    replica = stage.s3.buckets[WEST].current("k")
    assert replica
    return stage.uploads.annotations.get((WEST, "k", replica.version_id), {})


@pytest.mark.parametrize("operation", ["LIST ANNOTATIONS", "GET ANNOTATION", "ANNOTATE"])
@pytest.mark.parametrize("bucket", [EAST, WEST])
def test_a_replica_whose_annotations_are_denied_is_completed_with_one_warning(
    stage: LargeStage, operation: str, bucket: str
) -> None:
    stage.fail(operation, Permanent(Reason.DST_PUT_DENIED, "403 AccessDenied"), times=99, bucket=bucket)
    stage.deliver_all()
    assert stage.counted == [COMPLETED]
    happens = (operation, bucket) not in {("GET ANNOTATION", WEST), ("ANNOTATE", EAST)}
    assert reasons(stage) == ["403 AccessDenied"] * happens
    assert stage.queue.dead == []
    assert stage.leftovers() == []


def test_annotations_that_cannot_be_had_for_half_a_day_are_left_out(stage: LargeStage) -> None:
    began = stage.s3.clock.now
    stage.fail("ANNOTATE", Temporary(Reason.SERVICE, "500 InternalError"), times=999)
    stage.deliver_all()
    assert [status for status, _ in stage.counted if status is not Status.PENDING] == [Status.COMPLETED]
    assert reasons(stage) == ["500 InternalError"]
    assert stage.s3.clock.now - began > 43_200


def test_annotations_whose_answers_cannot_be_read_are_left_out(stage: LargeStage) -> None:
    """Any other change with such answers fails after so many receives, but here the replica stands."""
    stage.fail("LIST ANNOTATIONS", Temporary(Reason.UNREADABLE, "no XML"), times=999, bucket=WEST)
    stage.deliver_all()
    assert [status for status, _ in stage.counted if status is not Status.PENDING] == [Status.COMPLETED]
    assert reasons(stage) == ["no XML"]
    assert stage.queue.dead == []


def test_annotations_that_are_refused_for_a_while_arrive(stage: LargeStage) -> None:
    stage.fail("ANNOTATE", Temporary(Reason.THROTTLED, "503 SlowDown"), times=5)
    stage.deliver_all()
    assert annotations(stage) == {"note": b"1"}
    assert reasons(stage) == []


def test_nothing_is_annotated_where_annotations_were_not_seen_to_work(stage: LargeStage) -> None:
    stage.uploads.without_annotations.add(WEST)
    stage.deliver_all()
    assert stage.counted == [COMPLETED]
    assert stage.calls("ANNOTATE") == []
    assert reasons(stage) == ["the destination has no annotations"]


def test_a_source_without_annotations_has_nothing_to_lose(stage: LargeStage) -> None:
    stage.uploads.without_annotations.add(EAST)
    stage.deliver_all()
    assert stage.counted == [COMPLETED]
    assert stage.calls("GET ANNOTATION", "ANNOTATE") == []
    assert reasons(stage) == []
