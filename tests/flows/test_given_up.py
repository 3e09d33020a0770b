"""Messages that SQS itself moved to the dead-letter queue: the monitor reports each failure once, with its reason."""

import pytest
from replicator.core.outcomes.notices import NoticeKind
from replicator.core.outcomes.outcome import Reason, Status

from tests.flows.monitored_stage import MonitoredStage, with_waiting
from tests.flows.stage import EAST, Killed


def give_up_all(monitored: MonitoredStage) -> None:
    """Let SQS move every message on the change queue to the dead-letter queue."""
    monitored.queues.given_up_bodies += [message.body for message in monitored.stage.queue.messages.values()]
    monitored.stage.queue.messages.clear()


def test_a_change_whose_message_sqs_gave_up_fails_with_the_reason_of_its_last_trouble() -> None:
    monitored = with_waiting("a")
    give_up_all(monitored)
    monitored.run_monitor()
    assert [reason for _, reason in monitored.stage.waiting().values()] == [Reason.THROTTLED]
    assert [status for status, _ in monitored.stage.waiting().values()] == [Status.FAILED]
    [notice] = monitored.stage.notices.published
    assert (notice.kind, notice.reason, notice.rule_id) == (NoticeKind.FAILED, "Throttled", "to west")
    [failed] = monitored.gauges.recorded
    assert (failed.attempt.change.bucket, failed.score.within) == (EAST, False)
    assert monitored.stage.queue.dead == [], "SQS put it there already"


def test_a_change_that_the_journal_does_not_know_failed_because_its_function_died() -> None:
    monitored = MonitoredStage()
    monitored.stage.put("a")
    give_up_all(monitored)
    monitored.run_monitor()
    [(_, outcome)] = monitored.log.outcomes
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.FUNCTION_DIED)


def test_a_message_that_sqs_gave_up_is_reported_once() -> None:
    monitored = with_waiting("a")
    give_up_all(monitored)
    for _ in range(3):
        monitored.run_monitor()
    assert monitored.event_kinds() == [NoticeKind.FAILED]
    assert len(monitored.gauges.recorded) == 1


@pytest.mark.parametrize("step", ["WAIT", "PUBLISH", "NOTE REPORTED"])
def test_a_message_that_sqs_gave_up_is_reported_even_if_the_monitor_dies_at_that(step: str) -> None:
    monitored = with_waiting("a")
    give_up_all(monitored)
    monitored.stage.fail(step, Killed(), 1)
    with pytest.raises(Killed):
        monitored.run_monitor()
    monitored.run_monitor()
    assert monitored.event_kinds()[-1] is NoticeKind.FAILED
    assert [status for status, _ in monitored.stage.waiting().values()] == [Status.FAILED]
    monitored.run_monitor()
    assert len(monitored.event_kinds()) <= 2


def test_a_message_that_sqs_gave_up_is_no_failure_if_its_change_was_completed() -> None:
    monitored = MonitoredStage()
    monitored.stage.put("a")
    [message] = monitored.stage.queue.visible()
    monitored.stage.deliver_all()
    monitored.queues.given_up_bodies.append(message.body)
    monitored.run_monitor()
    assert monitored.event_kinds() == []
    assert monitored.stage.waiting() == {}


@pytest.mark.parametrize("body", ["garbage", "{}"])
def test_a_message_that_cannot_be_read_is_left_in_the_dead_letter_queue(body: str) -> None:
    monitored = MonitoredStage()
    monitored.queues.given_up_bodies.append(body)
    monitored.run_monitor()
    assert monitored.event_kinds() == []


def test_a_message_that_sqs_gave_up_completes_when_it_is_redriven() -> None:
    monitored = with_waiting("a")
    give_up_all(monitored)
    monitored.run_monitor()
    monitored.stage.faults.clear()
    monitored.stage.queue.send(monitored.queues.given_up_bodies.pop(), redriven=True)
    monitored.stage.deliver_all()
    assert len(monitored.stage.replicas("a")) == 1
    assert monitored.stage.waiting() == {}
