"""Events and the threshold: what is reported of a change, when, and that each change counts once."""

from dataclasses import replace

import pytest
from replicator.core.deciding.result import Result
from replicator.core.outcomes.metrics import Metric
from replicator.core.outcomes.notices import NoticeKind
from replicator.core.outcomes.outcome import Outcome, Permanent, Reason, Status, Temporary

from tests.fakes.rules import rule
from tests.flows.monitored_stage import MonitoredStage
from tests.flows.stage import EAST, WEST, Killed, Stage

SLOW = Temporary(Reason.THROTTLED, "SlowDown")
DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")
FAILED, MISSED, AFTER = NoticeKind.FAILED, NoticeKind.MISSED, NoticeKind.AFTER


def last(stage: Stage) -> Result:
    return stage.results[-1]


def final(stage: Stage) -> Outcome:
    return last(stage).outcome


# Within the threshold


def test_a_change_that_completes_at_once_counts_as_within_without_an_event_or_an_entry() -> None:
    monitored = MonitoredStage()
    monitored.stage.put()
    monitored.stage.deliver_all()
    assert monitored.within == [True]
    assert monitored.event_kinds() == []
    assert monitored.stage.calls("WAIT", "CLOSE", "CLAIM MISSED", "NOTE REPORTED", "READ EARLIER") == []


def test_a_change_that_waits_and_completes_in_time_misses_no_threshold() -> None:
    monitored = MonitoredStage()
    monitored.stage.fail("COPY", SLOW, 3)
    monitored.stage.put()
    monitored.stage.deliver_all()
    monitored.run_monitor()
    assert monitored.within == [True]
    assert monitored.event_kinds() == []
    assert monitored.stage.waiting() == {}


# Late


def test_a_waiting_change_is_reported_when_its_threshold_passes_and_again_when_it_completes() -> None:
    monitored = MonitoredStage()
    monitored.stage.fail("COPY", SLOW, 1)
    monitored.stage.put()
    monitored.stage.deliver()
    monitored.pass_minutes(14.9)
    monitored.run_monitor()
    assert monitored.event_kinds() == []
    monitored.pass_minutes(0.2)
    monitored.run_monitor()
    assert monitored.event_kinds() == [MISSED]
    monitored.stage.deliver_all()
    assert monitored.event_kinds() == [MISSED, AFTER]
    assert monitored.gauges.of(Metric.WITHIN, Stack="stack") == [0]
    assert monitored.within == [], "the monitor counted it"


def test_a_late_change_that_waited_unseen_on_the_queue_is_reported_when_it_completes() -> None:
    monitored = MonitoredStage()
    monitored.stage.put()
    monitored.pass_minutes(16)
    monitored.run_monitor()
    assert monitored.event_kinds() == [], "the journal has no entry of it yet"
    monitored.stage.deliver_all()
    assert monitored.event_kinds() == [MISSED, AFTER]
    assert monitored.within == [False]
    assert last(monitored.stage).score.missed
    assert final(monitored.stage).reason is Reason.WAITED
    assert 16 * 60_000 <= final(monitored.stage).latency_ms < 17 * 60_000


def test_a_late_completion_keeps_the_reason_for_which_it_waited() -> None:
    monitored = MonitoredStage()
    monitored.stage.fail("COPY", SLOW, 1)
    monitored.stage.put()
    monitored.stage.deliver()
    monitored.pass_minutes(20)
    monitored.stage.deliver_all()
    assert (final(monitored.stage).reason, last(monitored.stage).score.missed) == (Reason.THROTTLED, True)


def test_duplicates_and_redeliveries_of_a_late_completion_are_not_reported() -> None:
    monitored = MonitoredStage()
    monitored.stage.put()
    [message] = monitored.stage.queue.visible()
    monitored.pass_minutes(16)
    monitored.stage.deliver_all()
    monitored.stage.queue.send(message.body)
    monitored.stage.deliver_all()
    again = monitored.stage.queue.send(message.body)
    again.receives = 3
    monitored.stage.deliver_all()
    assert monitored.event_kinds() == [MISSED, AFTER]
    assert monitored.within == [False]


def test_the_threshold_of_the_rule_counts_where_it_names_one() -> None:
    hasty = replace(rule(WEST, rule_id="hasty"), threshold_minutes=2)
    monitored = MonitoredStage(Stage([hasty]))
    monitored.stage.fail("COPY", SLOW, 1)
    monitored.stage.put()
    monitored.stage.deliver()
    monitored.pass_minutes(2.1)
    monitored.run_monitor()
    [notice] = monitored.stage.notices.published
    assert (notice.kind, notice.threshold_ms, notice.rule_id) == (MISSED, 120_000, "hasty")


def test_a_version_that_is_copied_along_with_a_newer_one_counts_by_itself() -> None:
    monitored = MonitoredStage()
    monitored.stage.put(body=b"1"), monitored.stage.put(body=b"22")
    older, newer = monitored.stage.queue.visible()
    monitored.stage.deliver(newer)
    monitored.stage.deliver(older)
    assert monitored.within == [True, True]
    assert sorted(outcome.size for outcome in monitored.stage.outcomes) == [1, 2]


def test_a_version_that_is_copied_along_late_is_reported_once() -> None:
    monitored = MonitoredStage()
    first, second = monitored.stage.put(body=b"1"), monitored.stage.put(body=b"22")
    older, newer = monitored.stage.queue.visible()
    monitored.pass_minutes(16)
    monitored.stage.deliver(newer)
    monitored.stage.deliver(older)
    sent = [(notice.kind, notice.version_id) for notice in monitored.stage.notices.published]
    assert sorted(sent) == sorted((kind, one.version_id) for kind in (MISSED, AFTER) for one in (first, second))
    assert monitored.within == [False, False]


# Failed


def test_a_failure_is_reported_with_its_reason() -> None:
    monitored = MonitoredStage()
    monitored.stage.fail("COPY", DENIED)
    source = monitored.stage.put()
    monitored.stage.deliver_all()
    [notice] = monitored.stage.notices.published
    assert (notice.kind, notice.reason) == (FAILED, "DstPutObjectNotPermitted")
    assert (notice.bucket, notice.key, notice.version_id) == (EAST, "k", source.version_id)
    assert monitored.within == [False]
    assert not last(monitored.stage).score.missed, "it failed in time"


def test_a_failure_after_the_threshold_is_reported_as_missed_too() -> None:
    monitored = MonitoredStage()
    monitored.stage.fail("COPY", DENIED)
    monitored.stage.put()
    monitored.pass_minutes(16)
    monitored.stage.deliver_all()
    assert monitored.event_kinds() == [MISSED, FAILED]
    assert monitored.within == [False]
    assert last(monitored.stage).score.missed


def test_a_change_that_was_reported_as_late_and_then_fails_counts_once() -> None:
    monitored = MonitoredStage()
    monitored.stage.fail("COPY", SLOW, 1)
    monitored.stage.put()
    monitored.stage.deliver()
    monitored.pass_minutes(16)
    monitored.run_monitor()
    monitored.stage.fail("COPY", DENIED)
    monitored.stage.deliver_all()
    assert monitored.event_kinds() == [MISSED, FAILED]
    assert monitored.gauges.of(Metric.WITHIN, Stack="stack") == [0]
    assert monitored.within == []


def test_a_redriven_change_is_not_counted_again_but_its_late_completion_is_reported() -> None:
    monitored = MonitoredStage()
    monitored.stage.fail("COPY", DENIED)
    monitored.stage.put()
    monitored.stage.deliver_all()
    monitored.pass_minutes(60)
    monitored.stage.queue.redrive()
    monitored.stage.deliver_all()
    assert monitored.event_kinds() == [FAILED, AFTER]
    assert monitored.within == [False]
    assert final(monitored.stage).status is Status.COMPLETED


def test_a_redriven_change_that_fails_again_is_reported_again_but_not_counted_again() -> None:
    monitored = MonitoredStage()
    monitored.stage.fail("COPY", DENIED, 2)
    monitored.stage.put()
    monitored.stage.deliver_all()
    monitored.stage.queue.redrive()
    monitored.stage.deliver_all()
    assert monitored.event_kinds() == [FAILED, FAILED]
    assert monitored.within == [False]
    assert len(monitored.stage.queue.dead) == 1


def test_the_event_of_a_failure_that_cannot_be_sent_is_sent_when_the_message_comes_back() -> None:
    monitored = MonitoredStage()
    monitored.stage.fail("COPY", DENIED)
    monitored.stage.fail("PUBLISH", SLOW, 2)
    monitored.stage.put()
    monitored.stage.deliver_all()
    assert monitored.event_kinds() == [FAILED]
    assert len(monitored.stage.queue.dead) == 1


def test_the_events_of_a_late_completion_that_cannot_be_sent_are_sent_when_the_message_comes_back() -> None:
    monitored = MonitoredStage()
    monitored.stage.fail("PUBLISH", SLOW, 2)
    monitored.stage.put()
    monitored.pass_minutes(16)
    monitored.stage.deliver_all()
    assert monitored.event_kinds() == [MISSED, AFTER]
    assert monitored.stage.waiting() == {}


def test_of_duplicates_that_fail_at_the_same_time_one_is_dead_lettered() -> None:
    """The other leaves it to the message that claimed the failure first, which comes back until it is done."""
    monitored = MonitoredStage()
    monitored.stage.fail("COPY", DENIED, 99)
    monitored.stage.put()
    [first] = monitored.stage.queue.visible()
    second = monitored.stage.queue.send(first.body)
    monitored.stage.fail("CLAIM FAILURE", Killed(), 1, after=True)
    monitored.stage.deliver(first)
    monitored.stage.deliver(second)
    assert monitored.stage.queue.dead == []
    assert second.id not in monitored.stage.queue.messages
    monitored.stage.deliver_all()
    assert len(monitored.stage.queue.dead) == 1
    assert monitored.event_kinds() == [FAILED]
    assert monitored.within == [False]


def test_a_duplicate_that_fails_after_the_change_was_completed_is_no_failure() -> None:
    monitored = MonitoredStage()
    monitored.stage.put()
    [first] = monitored.stage.queue.visible()
    second = monitored.stage.queue.send(first.body)
    monitored.stage.fail("COPY", SLOW, 2)
    monitored.stage.deliver(first, second)
    monitored.stage.fail("COPY", DENIED, 1)
    monitored.stage.just_before("CLAIM FAILURE", lambda: monitored.stage.deliver(second))
    monitored.stage.deliver(first)
    assert monitored.stage.calls("CLAIM FAILURE")
    assert monitored.stage.queue.dead == []
    monitored.stage.deliver(first)  # checks what its first delivery may have left on top
    assert monitored.stage.queue.messages == {}
    assert monitored.event_kinds() == []
    assert monitored.within == [True]


# Crashes while something is recorded

FAILURE_STEPS = {
    f"{'after' if after else 'before'} {step}": (step, after)
    for step in ("CLAIM FAILURE", "DEAD-LETTER", "WAIT", "PUBLISH", "NOTE REPORTED")
    for after in (False, True)
}


@pytest.mark.parametrize(("step", "after"), FAILURE_STEPS.values(), ids=FAILURE_STEPS)
def test_a_crash_while_a_failure_is_recorded_loses_no_event(step: str, after: bool) -> None:
    """EventBridge has no id by which it drops duplicates: a crash between sending and noting that sends it twice."""
    monitored = MonitoredStage()
    monitored.stage.fail("COPY", DENIED, 99)
    monitored.stage.fail(step, Killed(), 1, after=after)
    monitored.stage.put()
    monitored.stage.deliver_all()
    twice = (step, after) in {("PUBLISH", True), ("NOTE REPORTED", False)}
    assert monitored.event_kinds().count(FAILED) == (2 if twice else 1)
    assert set(monitored.stage.waiting().values()) == {(Status.FAILED, Reason.DST_PUT_DENIED)}


LATE_STEPS = {
    f"{'after' if after else 'before'} {step}": (step, after)
    for step in ("SETTLE", "CLAIM MISSED", "PUBLISH", "CLOSE")
    for after in (False, True)
}


@pytest.mark.parametrize(("step", "after"), LATE_STEPS.values(), ids=LATE_STEPS)
@pytest.mark.parametrize("waited", [False, True], ids=["unseen on the queue", "after it waited"])
def test_a_crash_while_a_late_completion_is_recorded_loses_no_event(step: str, after: bool, waited: bool) -> None:
    monitored = MonitoredStage()
    monitored.stage.put()
    if waited:
        monitored.stage.fail("COPY", SLOW, 1)
        monitored.stage.deliver()
    monitored.pass_minutes(16)
    monitored.stage.fail(step, Killed(), 1, after=after)
    monitored.stage.deliver_all()
    twice = (step, after) in {("PUBLISH", True), ("CLOSE", False)}
    assert monitored.event_kinds().count(AFTER) == (2 if twice else 1)
    assert monitored.event_kinds().count(MISSED) in ((1, 2) if twice else (1,))
    assert monitored.stage.waiting() == {}
    closed = (step, after) == ("CLOSE", True)
    assert monitored.within == ([] if closed else [False]), "once its entry is closed, it is not counted any more"
