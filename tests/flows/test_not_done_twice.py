"""What costs money or undoes somebody's work is not done again: reads that others share, done destinations, uploads."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.backoff import PARTS_OVERDUE_MS
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary

from tests.fakes.reporting import in_turn
from tests.fakes.rules import rule
from tests.flows.large_stage import LargeStage
from tests.flows.stage import EAST, NORTH, WEST, to_two

SLOW = Temporary(Reason.THROTTLED, "SlowDown")

T = TypeVar("T")


def large() -> LargeStage:
    return LargeStage([rule(WEST)])


def test_a_version_is_looked_at_once_before_its_destinations_part() -> None:
    on = to_two()
    looked: list[int] = []

    def spy(tasks: Sequence[Callable[[], T]]) -> list[T]:
        if len(tasks) == 2:
            looked.append(len(on.calls("HEAD")))
        return in_turn(tasks)

    on.change_services(side_by_side=spy)
    on.put()
    on.rest()
    assert looked == [1]
    assert len(on.calls("HEAD")) == 1


def test_a_destination_that_is_done_costs_nothing_when_the_message_comes_back_for_another() -> None:
    on = to_two()
    on.fail("COPY", SLOW, bucket=NORTH)
    on.put()
    on.deliver()
    on.points.calls.clear()
    on.rest()
    assert [str(call) for call in on.points.calls if "west" in str(call) and call.operation != "EARLIER?"] == []
    assert len(on.replicas(bucket=NORTH)) == 1


def test_a_duplicate_of_what_failed_in_parts_begins_no_other_upload() -> None:
    on = large()
    on.put_large()
    [letter] = on.queue.visible()
    on.fail("COPY PART", Permanent(Reason.DST_MULTIPART_UPLOAD_DENIED), times=1000)
    on.rest()
    on.orders.clear()
    on.queue.send(letter.body)
    on.rest()
    assert len(on.calls("START")) == 1
    assert len(on.queue.dead) == 1
    assert [outcome.status for outcome in on.outcomes] == [Status.FAILED]


def test_while_the_journal_does_not_answer_no_upload_is_taken_for_stale() -> None:
    on = large()
    on.put_large()
    on.deliver()
    on.fail("READ", SLOW)
    assert on.monitor() == 0
    on.fail("EARLIER?", SLOW)
    assert on.monitor() == 0
    on.rest()
    assert len(on.calls("START")) == 1


def test_parts_get_their_time_before_anybody_asks_what_became_of_them() -> None:
    on = large()
    version = on.put_large()
    on.deliver()
    waiting = on.journal.waiting[Pair(EAST, WEST, "k"), version.version_id]
    assert waiting.due == on.s3.clock.milliseconds() + PARTS_OVERDUE_MS
    on.rest()
