"""A large upload is started again only if its replica would end below what must be below it."""

from replicator.core.deciding.journal import Pair

from tests.fakes.rules import rule
from tests.fakes.stored import Content
from tests.flows.large_stage import SCALE, LargeStage
from tests.flows.stage import EAST, THRESHOLD_MS, WEST


def new_stage() -> LargeStage:
    return LargeStage([rule(WEST, delete_markers=True)])


def test_an_upload_that_belongs_below_is_not_started_again_whatever_is_written_on_top() -> None:
    stage = new_stage()
    stage.put_large(b"seven77")
    stage.put(body=b"two")
    large, small = stage.queue.visible()
    stage.deliver(small)
    stage.deliver(large)
    stage.put(body=b"three")
    stage.deliver()
    stage.deliver_all()
    assert len(stage.calls("START")) == 1
    assert stage.body() == b"three"
    assert stage.leftovers() == []


def test_an_upload_that_must_be_current_is_started_again_if_something_was_written_on_top() -> None:
    """S3 puts an object where its upload was begun: below what came since."""
    stage = new_stage()
    stage.put_large(b"seven77")
    stage.deliver()
    stage.s3.clock.advance(1)
    stage.s3.put(WEST, "k", Content(b"theirs"))
    stage.deliver_all()
    assert len(stage.calls("START")) == 2
    assert stage.body() == b"seven77"
    assert stage.leftovers() == []


def test_an_upload_is_not_started_again_for_what_was_there_before_it_within_the_same_second() -> None:
    stage = new_stage()
    stage.put(body=b"one")
    stage.deliver()
    stage.s3.put(EAST, "k", Content(b"seven77", scale=SCALE))
    stage.deliver_all()
    assert len(stage.calls("START")) == 1
    assert stage.body() == b"seven77"


def test_a_large_version_that_is_being_copied_waits_with_the_threshold_of_its_stack() -> None:
    stage = new_stage()
    version = stage.put_large(b"seven77")
    stage.deliver()
    assert stage.journal.waiting[Pair(EAST, WEST, "k"), version.version_id].threshold_ms == THRESHOLD_MS
    stage.deliver_all()
