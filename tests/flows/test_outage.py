"""A destination that is unavailable for a day, or denies everything: what waits, what fails, and how it recovers."""

import random
from dataclasses import replace

from replicator.core.outcomes.notices import NoticeKind
from replicator.core.outcomes.outcome import Permanent, Reason

from tests.flows.monitored_stage import SLOW, MonitoredStage

DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")


def test_a_destination_that_is_unavailable_for_a_day_causes_no_failure_and_its_backlog_is_spread_out() -> None:
    monitored = MonitoredStage()
    stage = monitored.stage
    draw = random.Random(7)  # noqa: S311 - a test's choice, not a secret
    stage.consumer = replace(stage.consumer, jitter=draw.random)
    stage.change_closing(last_receive=210)
    stage.fail("COPY", SLOW, 10**9)
    for number in range(40):
        stage.put(str(number))
    back = stage.s3.clock.now + 24 * 3600
    arrivals: list[float] = []
    while stage.queue.messages:
        soonest = min(message.visible for message in stage.queue.messages.values())
        stage.s3.clock.advance(max(0.0, soonest - stage.s3.clock.now))
        if stage.s3.clock.now >= back and stage.faults:
            stage.faults.clear()
            assert monitored.run_monitor().all.operations == 40
        before = len(stage.queue.messages)
        stage.deliver(*stage.queue.visible()[:10])
        arrivals += [stage.s3.clock.now] * (before - len(stage.queue.messages))
    assert stage.queue.dead == []
    assert monitored.run_monitor().all.operations == 0
    attempts = len(stage.calls("COPY")) / 40
    assert attempts < 200
    assert arrivals[-1] - back < 15 * 60, "drained within the longest delay"
    busiest = max(sum(at <= other < at + 30 for other in arrivals) for at in arrivals)
    assert busiest <= 10, "no storm: at most a quarter in any half a minute"


def test_a_destination_that_denies_everything_fails_each_change_once_and_a_redrive_completes_them() -> None:
    monitored = MonitoredStage()
    stage = monitored.stage
    stage.fail("COPY", DENIED, 30)
    for number in range(30):
        stage.put(str(number))
    stage.deliver_all()
    assert monitored.event_counts == {(NoticeKind.FAILED, str(number)): 1 for number in range(30)}
    assert {failed.outcome.reason for failed in stage.queue.dead} == {Reason.DST_PUT_DENIED}
    stage.queue.redrive()
    stage.deliver_all()
    assert all(len(stage.replicas(str(number))) == 1 for number in range(30))
    assert stage.waiting() == {}
    assert stage.queue.dead == []
