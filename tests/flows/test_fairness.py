"""A source bucket with very many changes: those of other buckets do not wait behind them, and none is lost."""

from collections import Counter
from dataclasses import replace

import pytest
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.outcomes.shares import LEAST, WINDOW
from replicator.core.versions.change import Wish
from replicator.core.versions.events import Record, parse, write
from replicator.flows.change.shares import Shares

from tests.fakes.notifications import notification
from tests.fakes.rules import rule
from tests.fakes.s3 import Happening
from tests.fakes.stored import Content
from tests.flows.monitored_stage import MonitoredStage
from tests.flows.stage import EAST, NORTH, WEST, Stage

AFTER_MS = 60_000
WAITED = AFTER_MS / 1000 + 1
MANY = 2 * WINDOW


@pytest.fixture
def stage() -> Stage:
    """Two source buckets, east and north, whose objects go to west."""
    stage = Stage([rule(WEST, rule_id="all")])
    stage.rule_sets.put(NORTH, rule(WEST, rule_id="north"))

    def send(happening: Happening) -> None:
        if happening.bucket == NORTH:
            stage.queue.send(notification(happening))

    stage.s3.listeners.append(send)
    stage.change_services(shares=Shares(AFTER_MS, stage.s3.clock.milliseconds))
    return stage


def flood(stage: Stage, seconds: float = WAITED) -> None:
    """Write very many objects to east, then one to north, and let so many seconds pass."""
    for number in range(MANY):
        stage.s3.put(EAST, f"noisy/{number}", Content(b"bytes"))
    stage.s3.put(NORTH, "quiet", Content(b"bytes"))
    stage.s3.clock.advance(seconds)


def deliver(stage: Stage) -> None:
    """Deliver what is on the queue, the oldest first, ten at a time."""
    while stage.queue.visible():
        stage.deliver(*stage.queue.visible()[:10])


def copies(stage: Stage) -> list[str]:
    return [call.key for call in stage.points.calls if call.operation == "COPY"]


def test_changes_of_a_quiet_bucket_overtake_those_that_have_waited(stage: Stage) -> None:
    flood(stage)
    deliver(stage)
    assert "quiet" in copies(stage)
    assert len(copies(stage)) <= LEAST + 1, "the others have stepped aside, but for those before anything was known"
    assert len(stage.parked()) == MANY + 1 - len(copies(stage))


def test_a_change_that_steps_aside_costs_one_request_of_its_own(stage: Stage) -> None:
    """Its batch reads the journal ahead, for all of them at once."""
    flood(stage)
    deliver(stage)
    aside = {pair.key for (pair, _), each in stage.journal.waiting.items() if each.parked}
    made = Counter(call.operation for call in stage.points.calls if call.key in aside)
    assert made == {"READ AHEAD": len(aside), "WAIT": len(aside)}


def test_what_stepped_aside_follows_and_is_copied_once(stage: Stage) -> None:
    flood(stage)
    deliver(stage)
    stage.deliver_all()
    assert sorted(copies(stage)) == sorted([f"noisy/{number}" for number in range(MANY)] + ["quiet"])
    assert stage.parked() == {}


def test_nothing_steps_aside_while_the_queue_is_short(stage: Stage) -> None:
    flood(stage, seconds=AFTER_MS / 1000 - 1)
    deliver(stage)
    assert (len(copies(stage)), stage.parked()) == (MANY + 1, {})


def test_nothing_steps_aside_where_buckets_are_equally_busy(stage: Stage) -> None:
    for number in range(MANY):
        stage.s3.put((EAST, NORTH)[number % 2], f"{number}", Content(b"bytes"))
    stage.s3.clock.advance(WAITED)
    deliver(stage)
    assert (len(copies(stage)), stage.parked()) == (MANY, {})


def test_without_the_parameter_nothing_steps_aside(stage: Stage) -> None:
    stage.change_services(shares=None)
    flood(stage)
    deliver(stage)
    assert (len(copies(stage)), stage.parked()) == (MANY + 1, {})


def test_what_stepped_aside_counts_as_pending_with_its_own_age(stage: Stage) -> None:
    """Its age is that of the write: on the queue, and parked."""
    watched = MonitoredStage(stage)
    flood(stage)
    deliver(stage)
    assert {each.reason for each in stage.journal.waiting.values()} == {Reason.OVER_SHARE}
    assert {each.status for each in stage.journal.waiting.values()} == {Status.PENDING}
    tally = watched.run_monitor()
    assert tally.by_reason == {Reason.OVER_SHARE: len(stage.parked())}
    assert tally.all.age_seconds(stage.s3.clock.milliseconds()) >= WAITED


def test_what_is_asked_for_has_a_queue_of_its_own_and_never_steps_aside(stage: Stage) -> None:
    flood(stage)
    for message in list(stage.queue.visible()):
        records = [each for each in parse(message.body) if isinstance(each, Record)]
        message.body = write(*(replace(each.change, wish=Wish.EXISTING) for each in records))
    deliver(stage)
    assert stage.parked() == {}


def test_a_redriven_change_never_steps_aside(stage: Stage) -> None:
    flood(stage)
    for message in stage.queue.visible():
        message.redriven = True
    deliver(stage)
    assert stage.parked() == {}


def write_alike(stage: Stage, label: str, seconds: float = WAITED) -> None:
    """Write as many objects to either bucket, and let so many seconds pass."""
    for number in range(WINDOW):
        stage.s3.put((EAST, NORTH)[number % 2], f"{label}/{number}", Content(b"bytes"))
    stage.s3.clock.advance(seconds)


def test_a_bucket_that_was_busy_long_ago_is_like_any_other(stage: Stage) -> None:
    flood(stage, seconds=0)
    deliver(stage)
    write_alike(stage, "forgetting", seconds=0)
    deliver(stage)
    write_alike(stage, "alike")
    deliver(stage)
    assert stage.parked() == {}


def test_what_is_asked_for_takes_no_share(stage: Stage) -> None:
    flood(stage, seconds=0)
    for message in stage.queue.visible():
        records = [each for each in parse(message.body) if isinstance(each, Record)]
        message.body = write(*(replace(each.change, wish=Wish.EXISTING) for each in records))
    deliver(stage)
    write_alike(stage, "alike")
    deliver(stage)
    assert stage.parked() == {}
