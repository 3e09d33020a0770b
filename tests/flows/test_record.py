"""Recording a result: which steps are taken, in which order, and how the result counts afterwards."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.result import Result, Score, ended
from replicator.core.deciding.target import Target
from replicator.core.outcomes.notices import NoticeKind
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.versions.change import UNREADABLE, Change, ChangeKind
from replicator.flows.change.record import Recorder
from replicator.flows.ports import Reported, Waiting

from tests.fakes.clock import Clock
from tests.fakes.journal import MemoryJournal
from tests.fakes.points import Call, Mishap, Scripted
from tests.fakes.queue import MemoryQueue
from tests.fakes.reporting import MemoryNotices
from tests.flows.stage import EAST, THRESHOLD_MS, WEST

SLOW = Temporary(Reason.THROTTLED, "SlowDown")
FIRST, OTHER = "message 1", "message 2"


@dataclass(slots=True)
class RecorderStage:
    """A recorder on its own, and the calls that it makes. `trouble`: what calls of some kinds raise."""

    clock: Clock = field(default_factory=Clock)
    trouble: dict[str, Exception] = field(default_factory=dict)
    points: Scripted = field(init=False)
    journal: MemoryJournal = field(init=False)
    queue: MemoryQueue = field(init=False)
    notices: MemoryNotices = field(init=False)
    recorder: Recorder = field(init=False)
    change: Change = field(init=False)

    def __post_init__(self) -> None:
        self.points = Scripted(self._mishap)
        self.journal = MemoryJournal(self.points)
        self.queue = MemoryQueue(self.clock, self.points)
        self.notices = MemoryNotices(self.points)
        self.recorder = Recorder(self.journal, self.queue, self.notices, self.clock.milliseconds)
        self.change = Change(ChangeKind.CREATED, EAST, "k", "v1", time=self.clock.milliseconds(), size=5)

    def _mishap(self, call: Call) -> Mishap | None:
        return Mishap(self.trouble[call.operation]) if call.operation in self.trouble else None

    def result(self, status: Status, reason: Reason | None = None, **delivery: Any) -> Result:
        """Return a result of the change at west; `delivery`: fields of its delivery."""
        fields: dict[str, Any] = {"message": FIRST, "body": "{}"}
        attempt = Attempt(self.change, Delivery(**(fields | delivery)), Target(WEST), THRESHOLD_MS)
        return ended(attempt, status, reason, "why")

    def record(self, result: Result) -> Result:
        self.points.calls.clear()
        return self.recorder.record(result)

    def steps(self) -> list[str]:
        return [call.operation for call in self.points.calls]

    def events(self) -> list[NoticeKind]:
        return [notice.kind for notice in self.notices.published]

    def wait_past_the_threshold(self) -> None:
        self.clock.advance(THRESHOLD_MS / 1000 + 1)

    def late(self, **delivery: Any) -> Result:
        """Return a completed result that took longer than its threshold."""
        self.wait_past_the_threshold()
        return self.result(Status.COMPLETED, **delivery).with_outcome(latency_ms=THRESHOLD_MS + 1)

    def note_waiting(self) -> None:
        """Let an earlier delivery have noted that the change waits."""
        self.recorder.record(self.result(Status.PENDING, Reason.THROTTLED))

    def monitor_reports(self) -> None:
        """Let the monitor have reported that the change is late."""
        pair, now = self.result(Status.PENDING).attempt.pair, self.clock.milliseconds()
        assert self.journal.claim_missed(pair, "v1", now, "monitor")
        self.journal.note_reported(pair, "v1", Reported.MISSED)


@pytest.fixture
def stage() -> RecorderStage:
    return RecorderStage()


# A change that waits


def test_a_change_that_waits_is_noted_in_the_journal(stage: RecorderStage) -> None:
    result = stage.result(Status.PENDING, Reason.THROTTLED)
    assert stage.record(result) == result
    assert stage.steps() == ["WAIT"]
    [noted] = stage.journal.waiting.values()
    assert noted == Waiting.of(result.attempt, result.outcome, stage.clock.milliseconds())


def test_a_change_that_waits_without_a_destination_is_noted_nowhere(stage: RecorderStage) -> None:
    stage.record(stage.result(Status.PENDING, Reason.RULES_UNREADABLE).with_outcome(destination=""))
    assert stage.steps() == []


def test_a_change_that_waits_and_was_reported_is_not_noted_again(stage: RecorderStage) -> None:
    stage.record(stage.result(Status.PENDING, Reason.THROTTLED).with_trail(reported=True))
    assert stage.steps() == []


# A skipped change


def test_a_skipped_change_leaves_nothing_at_its_first_delivery(stage: RecorderStage) -> None:
    stage.record(stage.result(Status.SKIPPED, Reason.NO_RULE))
    assert stage.steps() == []


def test_a_skipped_change_closes_what_an_earlier_delivery_noted(stage: RecorderStage) -> None:
    stage.note_waiting()
    stage.record(stage.result(Status.SKIPPED, Reason.NO_RULE, receive_count=2))
    assert stage.steps() == ["CLOSE"]
    assert stage.journal.waiting == {}


def test_a_skipped_change_that_comes_again_is_counted_though_it_never_waited(stage: RecorderStage) -> None:
    assert not stage.record(stage.result(Status.SKIPPED, Reason.NO_RULE, receive_count=2)).trail.reported


def test_of_the_workers_that_find_their_version_gone_the_first_one_reports_it(stage: RecorderStage) -> None:
    stage.note_waiting()
    gone = stage.result(Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND, from_part_queue=True)
    assert [stage.record(gone).trail.reported for _ in range(2)] == [False, True]


# A failure


def test_a_failure_is_claimed_then_dead_lettered_then_noted_then_published(stage: RecorderStage) -> None:
    failed = stage.record(stage.result(Status.FAILED, Reason.DST_PUT_DENIED))
    assert stage.steps() == ["CLAIM FAILURE", "DEAD-LETTER", "WAIT", "PUBLISH", "NOTE REPORTED"]
    assert stage.events() == [NoticeKind.FAILED]
    assert failed.score == Score(within=False)


def test_a_dead_letter_has_the_message_of_the_change_and_all_that_explains_it(stage: RecorderStage) -> None:
    result = stage.result(Status.FAILED, Reason.DST_PUT_DENIED, receive_count=3, body="the message")
    stage.record(result)
    [dead] = stage.queue.dead
    assert (dead.body, dead.outcome, dead.first_seen, dead.attempts) == (
        "the message",
        result.outcome,
        stage.change.time,
        3,
    )


def test_a_failure_that_an_earlier_delivery_dead_lettered_is_only_reported(stage: RecorderStage) -> None:
    stage.record(stage.result(Status.FAILED, Reason.DST_PUT_DENIED, receive_count=2).with_trail(dead_lettered=True))
    assert stage.steps() == ["WAIT", "PUBLISH", "NOTE REPORTED"]


def test_a_failure_that_was_reported_is_left_alone(stage: RecorderStage) -> None:
    result = stage.result(Status.FAILED, Reason.DST_PUT_DENIED).with_trail(reported=True)
    assert stage.record(result) == result
    assert stage.steps() == []


def test_a_failure_without_a_destination_is_dead_lettered_and_counted(stage: RecorderStage) -> None:
    failed = stage.record(stage.result(Status.FAILED, Reason.RULES_UNREADABLE).with_outcome(destination=""))
    assert stage.steps() == ["DEAD-LETTER"]
    assert failed.score == Score(within=False)


def test_a_message_that_cannot_be_read_is_dead_lettered_and_counts_for_no_threshold(stage: RecorderStage) -> None:
    nowhere = Attempt(UNREADABLE, Delivery(body="?"), Target(""))
    failed = stage.record(ended(nowhere, Status.FAILED, Reason.MALFORMED))
    assert stage.steps() == ["DEAD-LETTER"]
    assert failed.score == Score(within=None)


def test_a_redriven_failure_needs_no_claim(stage: RecorderStage) -> None:
    stage.record(stage.result(Status.FAILED, Reason.DST_PUT_DENIED, redriven=True))
    assert stage.steps() == ["DEAD-LETTER", "WAIT", "PUBLISH", "NOTE REPORTED"]


def test_a_failure_that_another_message_is_recording_is_left_to_it(stage: RecorderStage) -> None:
    failed = stage.result(Status.FAILED, Reason.DST_PUT_DENIED)
    assert stage.journal.claim_failure(failed.attempt.pair, "v1", stage.clock.milliseconds(), OTHER) is None
    assert stage.record(failed).trail.reported
    assert stage.steps() == ["CLAIM FAILURE"]


def test_a_failure_that_another_message_completed_is_none(stage: RecorderStage) -> None:
    failed = stage.result(Status.FAILED, Reason.DST_PUT_DENIED)
    stage.journal.note_completed(failed.attempt.pair, "v1", OTHER, 0)
    recorded = stage.record(failed)
    assert (recorded.outcome.status, recorded.outcome.reason) == (Status.COMPLETED, None)
    assert recorded.trail.reported
    assert stage.queue.dead == []


@pytest.mark.parametrize(
    ("delivery", "trail"),
    [({}, {"midway": True}), ({"receive_count": 2}, {})],
    ids=["in this delivery", "in an earlier one"],
)
def test_a_failure_that_another_message_completed_comes_back_if_a_plan_may_be_half_done(
    stage: RecorderStage, delivery: dict[str, Any], trail: dict[str, bool]
) -> None:
    failed = stage.result(Status.FAILED, Reason.DST_PUT_DENIED, **delivery).with_trail(**trail)
    stage.journal.note_completed(failed.attempt.pair, "v1", OTHER, 0)
    recorded = stage.record(failed)
    assert (recorded.outcome.status, recorded.trail.reported) == (Status.PENDING, False)
    assert stage.queue.dead == []


def test_a_redriven_failure_that_another_message_completed_is_not_reported(stage: RecorderStage) -> None:
    failed = stage.result(Status.FAILED, Reason.DST_PUT_DENIED, redriven=True)
    stage.journal.note_completed(failed.attempt.pair, "v1", OTHER, 0)
    assert stage.record(failed).outcome.status is Status.PENDING
    assert stage.events() == []


def test_a_failure_after_the_threshold_is_reported_as_missed_too(stage: RecorderStage) -> None:
    stage.wait_past_the_threshold()
    failed = stage.record(stage.result(Status.FAILED, Reason.DST_PUT_DENIED))
    assert stage.events() == [NoticeKind.MISSED, NoticeKind.FAILED]
    assert failed.score == Score(within=False, missed=True)


def test_a_failure_that_the_monitor_reported_as_late_is_not_counted_again(stage: RecorderStage) -> None:
    stage.note_waiting()
    stage.wait_past_the_threshold()
    stage.monitor_reports()
    failed = stage.record(stage.result(Status.FAILED, Reason.DST_PUT_DENIED, receive_count=2))
    assert stage.events() == [NoticeKind.FAILED]
    assert failed.score == Score(within=None)


def test_a_failure_whose_handler_died_before_its_event_is_counted(stage: RecorderStage) -> None:
    stage.trouble["PUBLISH"] = SLOW
    stage.record(stage.result(Status.FAILED, Reason.DST_PUT_DENIED))
    stage.trouble.clear()
    again = stage.result(Status.FAILED, Reason.DST_PUT_DENIED, receive_count=2).with_trail(dead_lettered=True)
    assert stage.record(again).score == Score(within=False)


# A completed change


def test_a_change_that_completes_in_time_at_its_first_delivery_makes_no_request(stage: RecorderStage) -> None:
    assert stage.record(stage.result(Status.COMPLETED)).score == Score(within=True)
    assert stage.steps() == []


def test_a_change_that_completes_in_time_closes_what_an_earlier_delivery_noted(stage: RecorderStage) -> None:
    stage.note_waiting()
    assert stage.record(stage.result(Status.COMPLETED, receive_count=2)).score == Score(within=True)
    assert stage.steps() == ["CLOSE"]


def test_a_change_that_was_copied_in_parts_closes_what_was_noted(stage: RecorderStage) -> None:
    stage.record(stage.result(Status.COMPLETED).with_trail(in_parts=True))
    assert stage.steps() == ["CLOSE"]


def test_a_late_change_is_claimed_then_published_then_closed(stage: RecorderStage) -> None:
    late = stage.record(stage.late())
    assert stage.steps() == ["CLAIM MISSED", "PUBLISH", "CLOSE"]
    assert stage.events() == [NoticeKind.MISSED, NoticeKind.AFTER]
    assert (late.outcome.reason, late.score) == (Reason.WAITED, Score(within=False, missed=True))


def test_a_late_change_keeps_the_reason_for_which_it_waited(stage: RecorderStage) -> None:
    stage.note_waiting()
    assert stage.record(stage.late(receive_count=2)).outcome.reason is Reason.THROTTLED


def test_a_late_change_that_the_monitor_reported_is_not_counted_again(stage: RecorderStage) -> None:
    stage.note_waiting()
    stage.wait_past_the_threshold()
    stage.monitor_reports()
    late = stage.record(stage.late(receive_count=2))
    assert stage.events() == [NoticeKind.AFTER]
    assert late.score == Score(within=None)


def test_a_completed_change_that_failed_before_is_not_counted_again(stage: RecorderStage) -> None:
    stage.record(stage.result(Status.FAILED, Reason.DST_PUT_DENIED))
    assert stage.record(stage.result(Status.COMPLETED, redriven=True)).score == Score(within=None)


def test_a_change_that_another_delivery_completed_makes_no_request(stage: RecorderStage) -> None:
    result = stage.result(Status.COMPLETED).with_trail(reported=True)
    assert stage.record(result) == result
    assert stage.steps() == []


def test_a_change_that_another_delivery_completed_closes_what_still_waits(stage: RecorderStage) -> None:
    stage.note_waiting()
    again = stage.result(Status.COMPLETED, receive_count=2).with_trail(reported=True)
    assert stage.record(again) == again
    assert stage.steps() == ["READ EARLIER", "CLOSE"]


def test_a_late_change_whose_handler_died_before_it_was_closed_is_reported_and_counted(stage: RecorderStage) -> None:
    stage.note_waiting()
    late = stage.record(stage.late(receive_count=2).with_trail(reported=True))
    assert stage.steps() == ["READ EARLIER", "CLAIM MISSED", "PUBLISH", "CLOSE"]
    assert (late.trail.reported, late.score) == (False, Score(within=False, missed=True))


def test_a_late_change_that_was_closed_is_not_reported_again(stage: RecorderStage) -> None:
    late = stage.late()
    stage.record(late)
    again = replace(late, attempt=stage.result(Status.COMPLETED, receive_count=2).attempt).with_trail(reported=True)
    assert stage.record(again) == again
    assert stage.steps() == ["READ EARLIER"]


def test_versions_that_were_copied_along_are_completed_each(stage: RecorderStage) -> None:
    older = stage.late()
    recorded = stage.record(
        replace(stage.result(Status.COMPLETED), companions=(older, older.with_trail(reported=True)))
    )
    assert [each.score for each in (recorded, *recorded.companions)] == [
        Score(within=True),
        Score(within=False, missed=True),
        Score(within=None),
    ]


# Trouble


@pytest.mark.parametrize("step", ["CLAIM FAILURE", "DEAD-LETTER", "WAIT", "PUBLISH", "NOTE REPORTED"])
@pytest.mark.parametrize("trouble", [SLOW, Permanent(Reason.JOURNAL_DENIED, "denied")], ids=["temporary", "permanent"])
def test_a_failure_that_cannot_be_recorded_comes_back_with_that_reason(
    stage: RecorderStage, step: str, trouble: Temporary | Permanent
) -> None:
    stage.trouble[step] = trouble
    recorded = stage.record(stage.result(Status.FAILED, Reason.DST_PUT_DENIED))
    assert (recorded.outcome.status, recorded.outcome.reason) == (Status.PENDING, trouble.reason)
    assert not recorded.is_done
    assert stage.steps()[-1] == step, "nothing is done after the step that failed"


def test_a_failure_that_could_not_be_recorded_is_recorded_by_the_next_delivery(stage: RecorderStage) -> None:
    stage.trouble["NOTE REPORTED"] = SLOW
    stage.record(stage.result(Status.FAILED, Reason.DST_PUT_DENIED))
    stage.trouble.clear()
    again = stage.result(Status.FAILED, Reason.DST_PUT_DENIED, receive_count=2).with_trail(dead_lettered=True)
    assert stage.record(again).is_done
    assert len(stage.queue.dead) == 1


# What other destinations make come back


def test_completed_results_are_noted_for_a_message_that_comes_back(stage: RecorderStage) -> None:
    done = stage.result(Status.COMPLETED)
    others = [
        stage.result(Status.COMPLETED).with_trail(reported=True),
        stage.result(Status.FAILED, Reason.DST_PUT_DENIED),
        stage.result(Status.PENDING, Reason.THROTTLED),
    ]
    stage.recorder.note_completed([*others, done])
    assert stage.steps() == ["NOTE COMPLETED"]
    earlier = stage.journal.earlier(done.attempt.pair, "v1")
    assert earlier
    assert (earlier.status, earlier.message) == (Status.COMPLETED, FIRST)


def test_trouble_with_noting_what_is_completed_affects_nothing(stage: RecorderStage) -> None:
    stage.trouble["NOTE COMPLETED"] = SLOW
    stage.recorder.note_completed([stage.result(Status.COMPLETED)])
    assert stage.steps() == ["NOTE COMPLETED"]
