"""A large upload is begun again only if it would end in the wrong place, and is shown as waiting meanwhile."""

from replicator.core.deciding.journal import Pair

from tests.fakes.rules import rule
from tests.fakes.stored import Content
from tests.flows.large_stage import SCALE, LargeStage
from tests.flows.stage import EAST, THRESHOLD_MS, WEST


def stage() -> LargeStage:
    return LargeStage([rule(WEST, delete_markers=True)])


def test_what_goes_below_is_not_begun_again_whatever_comes_on_top() -> None:
    on = stage()
    on.put_large(b"seven77")
    on.put(body=b"two")
    large, small = on.queue.visible()
    on.deliver(small)
    on.deliver(large)
    on.put(body=b"three")
    on.deliver()
    on.rest()
    assert len(on.calls("START")) == 1
    assert on.body() == b"three"
    assert on.leftovers() == []


def test_what_is_current_is_begun_again_if_something_came_on_top() -> None:
    """S3 puts it where its upload was begun: below what came since."""
    on = stage()
    on.put_large(b"seven77")
    on.deliver()
    on.s3.clock.advance(1)
    on.s3.put(WEST, "k", Content(b"theirs"))
    on.rest()
    assert len(on.calls("START")) == 2
    assert on.body() == b"seven77"
    assert on.leftovers() == []


def test_what_stood_there_before_is_no_reason_to_begin_again_though_it_came_within_the_same_second() -> None:
    on = stage()
    on.put(body=b"one")
    on.deliver()
    on.s3.put(EAST, "k", Content(b"seven77", scale=SCALE))
    on.rest()
    assert len(on.calls("START")) == 1
    assert on.body() == b"seven77"


def test_a_large_version_on_its_way_waits_with_the_threshold_of_its_stack() -> None:
    on = stage()
    version = on.put_large(b"seven77")
    on.deliver()
    assert on.journal.waiting[Pair(EAST, WEST, "k"), version.version_id].threshold_ms == THRESHOLD_MS
    on.rest()
