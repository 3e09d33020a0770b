"""How every attempt ends: record -> tidy -> tag -> count -> log, in all four flows, also when a step fails.

Each step is a call at the stage's points, counting and logging included, so that one list shows their order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.result import Result, Trail, ended
from replicator.core.deciding.target import Target
from replicator.core.outcomes.batch import Task
from replicator.core.outcomes.outcome import Outcome, Permanent, Reason, Status, Temporary
from replicator.core.versions.change import Change, ChangeKind
from replicator.core.versions.origin import STATUS_TAG
from replicator.flows.batch import process_tasks
from replicator.flows.change.conclude import Closing
from replicator.flows.change.status_tag import StatusTags

from tests.fakes.monitoring import MemoryGauges
from tests.fakes.points import Call, Points
from tests.fakes.reporting import MemoryLog, MemoryMeasures
from tests.fakes.rules import rule
from tests.flows.large_stage import LargeStage
from tests.flows.monitored_stage import MonitoredStage
from tests.flows.stage import EAST, NORTH, WEST

SLOW = Temporary(Reason.THROTTLED, "SlowDown")
DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")
RECORD_FAILURE = ["CLAIM FAILURE", "DEAD-LETTER", "WAIT", "PUBLISH", "NOTE REPORTED"]
TIDY, TAG, COUNT, LOG = "FIND UPLOADS", "GET STATUS TAG", "COUNT", "LOG"


@dataclass(slots=True)
class Counting(MemoryMeasures):
    """Measures whose counts are calls."""

    points: Points = field(kw_only=True)

    def record(self, result: Result) -> None:
        self.points.call(Call(COUNT, "metrics", "", ""), lambda: self.recorded.append(result))


@dataclass(slots=True)
class CountingGauges(MemoryGauges):
    """Gauges whose counts are calls."""

    points: Points = field(kw_only=True)

    def record(self, result: Result) -> None:
        self.points.call(Call(COUNT, "metrics", "", ""), lambda: self.recorded.append(result))


@dataclass(slots=True)
class Logging(MemoryLog):
    """A log whose lines are calls."""

    points: Points = field(kw_only=True)

    def outcome(self, change: Change, outcome: Outcome) -> None:
        self.points.call(Call(LOG, "log", change.bucket, change.key), lambda: self.outcomes.append((change, outcome)))


@dataclass(slots=True)
class Tags:
    """The tags of source versions."""

    points: Points
    written: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def tags(self, bucket: str, key: str, version_id: str) -> Mapping[str, str]:
        return self.points.call(Call(TAG, "source", bucket, key), lambda: self.written.get(version_id, {}))

    def put_tags(self, bucket: str, key: str, version_id: str, tags: Mapping[str, str]) -> None:
        call = Call("PUT STATUS TAG", "source", bucket, key)
        self.points.call(call, lambda: self.written.update({version_id: tags}))


@dataclass(slots=True)
class ClosingStage(LargeStage):
    """A stage whose versions are tagged with their status, and on which counting and logging are calls too."""

    status_tags: Tags = field(init=False)

    def __post_init__(self) -> None:
        LargeStage.__post_init__(self)
        self.status_tags = Tags(self.points)
        self.log, self.measures = Logging(points=self.points), Counting(points=self.points)
        self.change_closing(
            status_tags=StatusTags(self.status_tags, self.services, self.log.incomplete),
            measures=self.measures,
            log=self.log,
        )
        self.part_consumer = replace(self.consumer, queue=self.part_queue)

    @property
    def closing(self) -> Closing:
        return self.consumer.closing

    def steps(self) -> list[str]:
        """Return the steps of the closing sequence that were taken, in order."""
        steps = {*RECORD_FAILURE, "CLOSE", "NOTE COMPLETED", TIDY, TAG, "PUT STATUS TAG", COUNT, LOG}
        return [call.operation for call in self.points.calls if call.operation in steps]


@pytest.fixture
def stage() -> ClosingStage:
    return ClosingStage([rule(WEST, rule_id="all")])


# The four flows


def test_a_failure_of_the_change_queue_is_closed_in_order(stage: ClosingStage) -> None:
    stage.fail("START", DENIED)
    stage.put_large(b"fives")
    assert stage.deliver() == []
    assert stage.steps() == [*RECORD_FAILURE, TIDY, TAG, "PUT STATUS TAG", COUNT, LOG]


def test_a_failure_of_the_part_queue_is_closed_in_order(stage: ClosingStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver()
    stage.points.calls.clear()
    stage.fail("COPY PART", DENIED, times=99)
    assert stage.run_worker() == []
    assert stage.steps() == [*RECORD_FAILURE, TIDY, TAG, "PUT STATUS TAG", COUNT, LOG]


def test_a_failure_that_the_monitor_finds_is_closed_in_order() -> None:
    """It has neither uploads, which the monitor aborts by itself, nor a status tag."""
    monitored = MonitoredStage()
    stage = monitored.stage
    monitored.log = Logging(points=stage.points)
    monitored.gauges = CountingGauges(points=stage.points)
    stage.put()
    monitored.queues.given_up_bodies += [message.body for message in stage.queue.messages.values()]
    monitored.run_monitor()
    steps = {*RECORD_FAILURE, COUNT, LOG}
    taken = [call.operation for call in stage.points.calls if call.operation in steps]
    assert taken == ["WAIT", "PUBLISH", "NOTE REPORTED", COUNT, LOG]


def test_a_task_of_batch_operations_is_closed_in_order(stage: ClosingStage) -> None:
    """It is not counted, and its failure is in the job's report only."""
    version = stage.put_large(b"fives")
    stage.points.calls.clear()
    stage.fail("START", DENIED)
    process_tasks([Task("t", EAST, "k", version.version_id)], stage.services, stage.log)
    assert stage.steps() == [TIDY, LOG]


def test_a_completed_task_of_batch_operations_is_closed_in_order(stage: ClosingStage) -> None:
    version = stage.put_large(b"fives")
    stage.points.calls.clear()
    process_tasks([Task("t", EAST, "k", version.version_id)], stage.services, stage.log)
    assert stage.steps() == ["CLOSE", TIDY]


# A step that fails


@pytest.mark.parametrize("step", RECORD_FAILURE)
def test_a_failure_that_cannot_be_recorded_keeps_its_uploads_and_comes_back(stage: ClosingStage, step: str) -> None:
    stage.fail("COPY PART", DENIED, times=99)
    stage.fail(step, SLOW)
    version = stage.put_large(b"fives")
    assert len(stage.deliver()) == 1
    assert TIDY not in stage.steps()
    assert stage.status_tags.written[version.version_id] == {STATUS_TAG: "PENDING"}
    assert stage.steps()[-2:] == [COUNT, LOG]


def test_a_result_whose_uploads_cannot_be_removed_comes_back_after_all_other_steps(stage: ClosingStage) -> None:
    stage.fail("COPY PART", DENIED, times=99)
    stage.fail(TIDY, SLOW)
    stage.put_large(b"fives")
    assert len(stage.deliver()) == 1
    assert stage.steps() == [*RECORD_FAILURE, TIDY, TAG, "PUT STATUS TAG", COUNT, LOG]
    assert stage.results[0].trail.needs_cleanup


def test_a_completed_change_that_comes_back_for_its_uploads_is_neither_counted_nor_tagged_again(
    stage: ClosingStage,
) -> None:
    stage.fail(TIDY, SLOW)
    stage.put_large(b"fives")
    assert len(stage.deliver()) == 1
    stage.points.calls.clear()
    stage.deliver_all()
    assert not {COUNT, LOG, "PUT STATUS TAG"} & {*stage.steps()}
    assert stage.counted == [(Status.COMPLETED, None)]
    assert stage.leftovers() == []


def test_a_failure_that_comes_back_is_neither_counted_nor_tagged_again_and_leaves_its_uploads_to_the_monitor(
    stage: ClosingStage,
) -> None:
    stage.fail("COPY PART", DENIED, times=99)
    stage.fail(TIDY, SLOW)
    stage.put_large(b"fives")
    assert len(stage.deliver()) == 1
    stage.points.calls.clear()
    stage.deliver_all()
    assert stage.steps() == [TAG, LOG]
    assert stage.counted == [(Status.FAILED, DENIED.reason)]
    assert len(stage.queue.dead) == 1
    assert stage.abort_stale_uploads() == 1


def test_trouble_with_the_status_tag_is_logged_and_affects_nothing(stage: ClosingStage) -> None:
    stage.fail(TAG, SLOW)
    stage.put()
    assert stage.deliver() == []
    assert stage.counted == [(Status.COMPLETED, None)]
    [remark] = stage.log.remarks
    assert "not updated" in remark


@pytest.mark.parametrize("step", ["DEAD-LETTER", TIDY, TAG])
def test_an_unexpected_error_in_a_step_is_logged_and_the_next_delivery_ends_the_attempt(
    stage: ClosingStage, step: str
) -> None:
    stage.fail("COPY PART", DENIED, times=99)
    stage.fail(step, RuntimeError("a bug"))
    version = stage.put_large(b"fives")
    assert len(stage.deliver()) == 1
    assert [type(error) for error in stage.log.errors] == [RuntimeError]
    stage.deliver_all()
    assert len(stage.queue.dead) == 1
    assert stage.waiting() == {version.version_id: (Status.FAILED, DENIED.reason)}
    assert stage.status_tags.written == {version.version_id: {STATUS_TAG: "FAILED"}}


# Results of one change at several destinations

CHANGE = Change(ChangeKind.CREATED, EAST, "k", "v1", size=5)


def result(status: Status, bucket: str = WEST, receive_count: int = 1, **trail: bool) -> Result:
    reason = None if status is Status.COMPLETED else Reason.THROTTLED
    attempt = Attempt(CHANGE, Delivery(receive_count, message="message 1", body="{}"), Target(bucket))
    return replace(ended(attempt, status, reason), trail=Trail(**trail))


def test_a_version_is_tagged_once_all_its_destinations_are_recorded(stage: ClosingStage) -> None:
    stage.closing.conclude([result(Status.FAILED, WEST), result(Status.FAILED, NORTH)])
    assert stage.steps() == [*RECORD_FAILURE, *RECORD_FAILURE, TAG, "PUT STATUS TAG"]


def test_what_is_completed_is_noted_if_the_message_comes_back_for_another_destination(stage: ClosingStage) -> None:
    stage.closing.conclude([result(Status.COMPLETED, WEST), result(Status.PENDING, NORTH)])
    assert stage.steps() == ["WAIT", "NOTE COMPLETED", TAG, "PUT STATUS TAG"]


def test_what_is_completed_is_not_noted_if_the_message_does_not_come_back(stage: ClosingStage) -> None:
    stage.closing.conclude([result(Status.COMPLETED, WEST), result(Status.COMPLETED, NORTH)])
    assert "NOTE COMPLETED" not in stage.steps()


def test_a_version_that_has_its_status_tag_is_not_tagged_again(stage: ClosingStage) -> None:
    stage.status_tags.written["v1"] = {STATUS_TAG: "COMPLETED"}
    stage.closing.conclude([result(Status.COMPLETED, reported=True)])
    assert stage.steps() == [TAG]


def test_without_results_nothing_is_tagged(stage: ClosingStage) -> None:
    assert stage.closing.conclude([]) == []
    assert stage.steps() == []


# Counting and logging

COUNTS: dict[str, tuple[Result, list[str]]] = {
    "a completed result is counted": (result(Status.COMPLETED), [COUNT]),
    "a failed result is counted and logged": (result(Status.FAILED), [COUNT, LOG]),
    "a completed result that was reported is neither": (result(Status.COMPLETED, reported=True), []),
    "a failed result that was reported is logged": (result(Status.FAILED, reported=True), [LOG]),
    "a version that was copied along is counted too": (
        replace(result(Status.COMPLETED), companions=(result(Status.COMPLETED),)),
        [COUNT, COUNT],
    ),
    "a version that was copied along and reported is not counted": (
        replace(result(Status.COMPLETED), companions=(result(Status.COMPLETED, reported=True),)),
        [COUNT],
    ),
}


@pytest.mark.parametrize(("given", "steps"), COUNTS.values(), ids=COUNTS)
def test_results_are_counted_once_and_logged_unless_completed(
    stage: ClosingStage, given: Result, steps: list[str]
) -> None:
    stage.closing.count([given])
    assert stage.steps() == steps


# What is given up


TRIED: dict[str, tuple[Reason, Delivery, Status]] = {
    "throttled at its thousandth receive": (Reason.THROTTLED, Delivery(1000), Status.PENDING),
    "throttled after its thousandth parking": (Reason.THROTTLED, Delivery(parked=1000), Status.PENDING),
    "unreadable at its fourth receive": (Reason.UNREADABLE, Delivery(4), Status.PENDING),
    "unreadable at its fifth receive": (Reason.UNREADABLE, Delivery(5), Status.FAILED),
    "unreadable after it was parked for something else": (Reason.UNREADABLE, Delivery(parked=1), Status.FAILED),
}


@pytest.mark.parametrize(("reason", "delivery", "status"), TRIED.values(), ids=TRIED)
def test_only_what_time_does_not_cure_is_given_up(
    stage: ClosingStage, reason: Reason, delivery: Delivery, status: Status
) -> None:
    waiting = result(Status.PENDING)
    waiting = replace(waiting, attempt=replace(waiting.attempt, delivery=delivery)).with_outcome(reason=reason)
    [concluded] = stage.closing.conclude([waiting])
    assert concluded.outcome.status is status
    if status is Status.FAILED:
        assert f"given up after {delivery.attempts} attempts" in concluded.outcome.detail
        assert [dead.outcome for dead in stage.queue.dead] == [concluded.outcome]
