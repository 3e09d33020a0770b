"""What need not be done again: reads that destinations share, destinations that are done, uploads."""

from collections.abc import Callable
from typing import TypeVar

from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.backoff import PARTS_OVERDUE_MS
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary

from tests.fakes.rules import rule
from tests.fakes.threads import MemoryRunning, MemoryThreads
from tests.flows.large_stage import LargeStage
from tests.flows.stage import EAST, NORTH, WEST, to_two

SLOW = Temporary(Reason.THROTTLED, "SlowDown")

T = TypeVar("T")


def large_stage() -> LargeStage:
    return LargeStage([rule(WEST)])


def test_a_version_is_read_once_for_all_its_destinations() -> None:
    stage = to_two()
    looked: list[int] = []

    class Spy(MemoryThreads):
        def start(self, task: Callable[[], T], /) -> MemoryRunning[T]:
            looked.append(len(stage.calls("HEAD")))
            return MemoryThreads.start(self, task)

    stage.change_services(threads=Spy(stage.s3.clock))
    stage.put()
    stage.deliver_all()
    assert looked == [0, 1, 1], "its record, and then its destinations"
    assert len(stage.calls("HEAD")) == 1


def test_a_destination_that_is_done_costs_no_request_when_the_message_comes_back_for_another() -> None:
    stage = to_two()
    stage.fail("COPY", SLOW, bucket=NORTH)
    stage.put()
    stage.deliver()
    stage.points.calls.clear()
    stage.deliver_all()
    assert [str(call) for call in stage.points.calls if "west" in str(call) and call.operation != "READ EARLIER"] == []
    assert len(stage.replicas(bucket=NORTH)) == 1


def test_a_duplicate_of_a_change_that_failed_in_parts_starts_no_other_upload() -> None:
    stage = large_stage()
    stage.put_large()
    [message] = stage.queue.visible()
    stage.fail("COPY PART", Permanent(Reason.DST_MULTIPART_UPLOAD_DENIED), times=1000)
    stage.deliver_all()
    stage.faults.clear()
    stage.queue.send(message.body)
    stage.deliver_all()
    assert len(stage.calls("START")) == 1
    assert len(stage.queue.dead) == 1
    assert [outcome.status for outcome in stage.outcomes] == [Status.FAILED]


def test_no_upload_counts_as_stale_while_the_journal_does_not_answer() -> None:
    stage = large_stage()
    stage.put_large()
    stage.deliver()
    stage.fail("READ", SLOW)
    assert stage.abort_stale_uploads() == 0
    stage.fail("READ EARLIER", SLOW)
    assert stage.abort_stale_uploads() == 0
    stage.deliver_all()
    assert len(stage.calls("START")) == 1


def test_a_change_that_is_copied_in_parts_is_overdue_later_than_others() -> None:
    stage = large_stage()
    version = stage.put_large()
    stage.deliver()
    waiting = stage.journal.waiting[Pair(EAST, WEST, "k"), version.version_id]
    assert waiting.due == stage.s3.clock.milliseconds() + PARTS_OVERDUE_MS
    stage.deliver_all()
