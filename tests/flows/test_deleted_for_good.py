"""Versions that a user deletes for good at the source while they are being replicated."""

import pytest
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary

from tests.fakes.rules import rule
from tests.flows.large_stage import LargeStage
from tests.flows.stage import EAST, WEST, Killed, Stage

SKIPPED = (Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND)


def left_on_top(stage: Stage) -> str:
    """Let a handler die after it copied an older version on top of a newer one; return the older one's id."""
    first, _ = stage.put(body=b"one"), stage.put(body=b"two")
    early, later = stage.queue.visible()
    stage.deliver(later)
    stage.fail("COPY", Killed(), after=True)
    stage.deliver(early)
    return first.version_id


@pytest.fixture
def stage() -> LargeStage:
    return LargeStage([rule(WEST, delete_markers=True)])


def test_when_a_late_version_is_gone_the_version_below_it_is_put_back_on_top(stage: LargeStage) -> None:
    version_id = left_on_top(stage)
    assert stage.body() == b"one"
    stage.s3.destroy(EAST, "k", version_id)
    stage.deliver_all()
    assert stage.body() == b"two"
    assert stage.counted[-1] == SKIPPED
    assert stage.waiting() == {}


def test_the_version_below_one_that_is_gone_is_put_back_even_if_a_handler_dies_at_that(stage: LargeStage) -> None:
    stage.s3.destroy(EAST, "k", left_on_top(stage))
    stage.fail("COPY", Killed())
    stage.deliver_all()
    assert stage.body() == b"two"


def test_a_newer_version_that_arrives_while_one_is_put_back_stays_on_top(stage: LargeStage) -> None:
    stage.s3.destroy(EAST, "k", left_on_top(stage))
    third = stage.put(body=b"three")
    early, *_, latest = stage.queue.messages.values()
    stage.just_before("COPY", lambda: stage.deliver(latest))
    stage.s3.clock.advance(early.visible - stage.s3.clock.now)
    stage.deliver(early)
    stage.deliver_all()
    assert stage.body() == b"three"
    assert stage.replicas()[-1] == third.version_id


def test_a_delete_marker_that_a_large_version_was_written_over_is_put_back_when_that_is_gone(stage: LargeStage) -> None:
    large = stage.put_large(b"seven77")
    stage.deliver()
    stage.s3.clock.advance(1)
    stage.s3.delete(EAST, "k")
    stage.deliver()
    stage.just_before("COMPLETE", lambda: stage.s3.destroy(EAST, "k", large.version_id))
    stage.deliver_all()
    assert large.version_id in stage.replicas()
    assert stage.body() is None
    assert stage.leftovers() == []


def test_a_version_that_is_gone_before_anybody_began_costs_one_head(stage: LargeStage) -> None:
    version = stage.put()
    stage.s3.destroy(EAST, "k", version.version_id)
    stage.deliver_all()
    assert stage.counted[0] == SKIPPED
    assert stage.calls("HEAD", "LIST") == [f"HEAD {EAST}/k {version.version_id}"]


def test_a_large_version_that_is_gone_is_counted_once_however_many_workers_find_that(stage: LargeStage) -> None:
    version = stage.put_large(b"seven77")
    stage.deliver()
    stage.s3.destroy(EAST, "k", version.version_id)
    stage.deliver_all()
    assert stage.counted.count(SKIPPED) == 1
    assert len(stage.calls("CLOSE")) > 1


def test_a_worker_whose_parts_are_denied_reports_nothing_once_the_version_is_gone(stage: LargeStage) -> None:
    """Another worker found the version gone, recorded that, and died before it aborted its upload."""
    version = stage.put_large(b"seven77")
    stage.deliver()
    stage.s3.destroy(EAST, "k", version.version_id)
    stage.fail("FIND UPLOADS", Killed())
    first, second, *_ = stage.part_queue.visible()
    stage.run_worker(first)
    stage.fail("HEAD", Temporary(Reason.THROTTLED, "503 SlowDown"))
    stage.run_worker(second)
    stage.fail("COPY PART", Permanent(Reason.DST_MULTIPART_UPLOAD_DENIED), times=2)
    stage.run_worker(second)
    assert stage.run_worker(second) == []
    stage.deliver_all()
    assert stage.queue.dead == []
    assert stage.leftovers() == []


@pytest.mark.parametrize("what", ["a version", "a delete marker"])
def test_what_only_a_listing_lacks_is_never_called_gone(stage: LargeStage, what: str) -> None:
    """It fails after a few attempts, with a reason: no time would make the listing right."""
    stage.s3.buckets[EAST].lists_all = False
    if what == "a version":
        stage.put()
        stage.fail("COPY", Temporary(Reason.THROTTLED))  # the next delivery takes nothing on trust
    else:
        stage.s3.delete(EAST, "k")
    stage.deliver_all()
    assert stage.counted[-1] == (Status.FAILED, Reason.UNREADABLE)
    assert (Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND) not in stage.counted
    assert len(stage.counted) <= 6


def test_a_delete_marker_that_a_head_does_not_find_either_is_gone(stage: LargeStage) -> None:
    stage.put()
    stage.deliver()
    marker = stage.s3.delete(EAST, "k")
    assert marker
    stage.s3.destroy(EAST, "k", marker.version_id)
    stage.deliver_all()
    assert SKIPPED in stage.counted
