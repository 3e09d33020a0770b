"""Events and the threshold: what is told of a version, when, and that each object counts once."""

import random
from dataclasses import dataclass, replace

import pytest
from replicator.core.deciding.result import Result
from replicator.core.outcomes.metrics import Metric
from replicator.core.outcomes.notices import NoticeKind
from replicator.core.outcomes.outcome import Outcome, Permanent, Reason, Status, Temporary

from tests.fakes.rules import rule
from tests.flows.stage import EAST, WEST, Killed, Stage
from tests.flows.watching import Watched, last_receive

SLOW = Temporary(Reason.THROTTLED, "SlowDown")
DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")
FAILED, MISSED, AFTER = NoticeKind.FAILED, NoticeKind.MISSED, NoticeKind.AFTER


def counted(on: Stage) -> list[bool]:
    """Return how objects were counted for the threshold by the functions, in order."""
    return [done.score.within for done in on.results if done.score.within is not None]


def last(on: Stage) -> Result:
    return on.results[-1]


def final(on: Stage) -> Outcome:
    return last(on).outcome


# In time


def test_what_arrives_at_once_is_counted_and_nothing_is_told_or_noted() -> None:
    watched = Watched()
    watched.on.put()
    watched.on.rest()
    assert counted(watched.on) == [True]
    assert watched.kinds() == []
    assert watched.on.calls("WAIT", "CLOSE", "MISS", "TELL", "EARLIER?") == []


def test_what_waits_and_still_arrives_in_time_is_no_miss() -> None:
    watched = Watched()
    watched.on.fail("COPY", SLOW, 3)
    watched.on.put()
    watched.on.rest()
    watched.look()
    assert counted(watched.on) == [True]
    assert watched.kinds() == []
    assert watched.on.waiting() == {}


# Late


def test_who_waits_over_the_threshold_is_told_of_when_it_passes_and_again_on_arrival() -> None:
    watched = Watched()
    watched.on.fail("COPY", SLOW, 1)
    watched.on.put()
    watched.on.deliver()
    watched.wait(14.9)
    watched.look()
    assert watched.kinds() == []
    watched.wait(0.2)
    watched.look()
    assert watched.kinds() == [MISSED]
    watched.on.rest()
    assert watched.kinds() == [MISSED, AFTER]
    assert watched.gauges.of(Metric.WITHIN, Stack="stack") == [0]
    assert counted(watched.on) == [], "the monitor counted it"


def test_what_waited_unseen_on_the_queue_is_told_of_on_arrival() -> None:
    watched = Watched()
    watched.on.put()
    watched.wait(16)
    watched.look()
    assert watched.kinds() == [], "nobody knows of it yet"
    watched.on.rest()
    assert watched.kinds() == [MISSED, AFTER]
    assert counted(watched.on) == [False]
    assert last(watched.on).score.missed
    assert final(watched.on).reason is Reason.WAITED
    assert 16 * 60_000 <= final(watched.on).latency_ms < 17 * 60_000


def test_a_late_arrival_keeps_the_reason_that_it_waited_for() -> None:
    watched = Watched()
    watched.on.fail("COPY", SLOW, 1)
    watched.on.put()
    watched.on.deliver()
    watched.wait(20)
    watched.on.rest()
    assert (final(watched.on).reason, last(watched.on).score.missed) == (Reason.THROTTLED, True)


def test_duplicates_and_redeliveries_of_a_late_arrival_tell_nothing_more() -> None:
    watched = Watched()
    watched.on.put()
    [letter] = watched.on.queue.visible()
    watched.wait(16)
    watched.on.rest()
    watched.on.queue.send(letter.body)
    watched.on.rest()
    again = watched.on.queue.send(letter.body)
    again.receives = 3
    watched.on.rest()
    assert watched.kinds() == [MISSED, AFTER]
    assert counted(watched.on) == [False]


def test_the_rules_own_threshold_counts() -> None:
    hasty = replace(rule(WEST, rule_id="hasty"), threshold_minutes=2)
    watched = Watched(Stage([hasty]))
    watched.on.fail("COPY", SLOW, 1)
    watched.on.put()
    watched.on.deliver()
    watched.wait(2.1)
    watched.look()
    [notice] = watched.on.notices.published
    assert (notice.kind, notice.threshold_ms, notice.rule_id) == (MISSED, 120_000, "hasty")


def test_a_version_that_is_copied_along_with_a_newer_one_counts_by_itself() -> None:
    watched = Watched()
    watched.on.put(body=b"1"), watched.on.put(body=b"22")
    older, newer = watched.on.queue.visible()
    watched.on.deliver(newer)
    watched.on.deliver(older)
    assert counted(watched.on) == [True, True]
    assert sorted(outcome.size for outcome in watched.on.outcomes) == [1, 2]


def test_a_version_that_is_copied_along_late_is_told_of_once() -> None:
    watched = Watched()
    first, second = watched.on.put(body=b"1"), watched.on.put(body=b"22")
    older, newer = watched.on.queue.visible()
    watched.wait(16)
    watched.on.deliver(newer)
    watched.on.deliver(older)
    told = [(notice.kind, notice.version_id) for notice in watched.on.notices.published]
    assert sorted(told) == sorted((kind, one.version_id) for kind in (MISSED, AFTER) for one in (first, second))
    assert counted(watched.on) == [False, False]


# Failed


def test_a_failure_is_told_with_its_reason() -> None:
    watched = Watched()
    watched.on.fail("COPY", DENIED)
    source = watched.on.put()
    watched.on.rest()
    [notice] = watched.on.notices.published
    assert (notice.kind, notice.reason) == (FAILED, "DstPutObjectNotPermitted")
    assert (notice.bucket, notice.key, notice.version_id) == (EAST, "k", source.version_id)
    assert counted(watched.on) == [False]
    assert not last(watched.on).score.missed, "it failed in time"


def test_a_failure_after_the_threshold_missed_it_too() -> None:
    watched = Watched()
    watched.on.fail("COPY", DENIED)
    watched.on.put()
    watched.wait(16)
    watched.on.rest()
    assert watched.kinds() == [MISSED, FAILED]
    assert counted(watched.on) == [False]
    assert last(watched.on).score.missed


def test_what_was_told_as_late_and_then_fails_counts_once() -> None:
    watched = Watched()
    watched.on.fail("COPY", SLOW, 1)
    watched.on.put()
    watched.on.deliver()
    watched.wait(16)
    watched.look()
    watched.on.fail("COPY", DENIED)
    watched.on.rest()
    assert watched.kinds() == [MISSED, FAILED]
    assert watched.gauges.of(Metric.WITHIN, Stack="stack") == [0]
    assert counted(watched.on) == []


def test_what_is_redriven_counts_no_more_but_its_late_arrival_is_told() -> None:
    watched = Watched()
    watched.on.fail("COPY", DENIED)
    watched.on.put()
    watched.on.rest()
    watched.wait(60)
    watched.on.queue.redrive()
    watched.on.rest()
    assert watched.kinds() == [FAILED, AFTER]
    assert counted(watched.on) == [False]
    assert final(watched.on).status is Status.COMPLETED


def test_what_fails_again_after_a_redrive_is_told_again_and_counts_no_more() -> None:
    watched = Watched()
    watched.on.fail("COPY", DENIED, 2)
    watched.on.put()
    watched.on.rest()
    watched.on.queue.redrive()
    watched.on.rest()
    assert watched.kinds() == [FAILED, FAILED]
    assert counted(watched.on) == [False]
    assert len(watched.on.queue.dead) == 1


def test_a_day_of_trouble_fails_with_its_own_reason_before_the_queue_gives_up() -> None:
    watched = Watched()
    last_receive(watched.on, 5)
    watched.on.fail("COPY", SLOW, 99)
    watched.on.put()
    watched.on.rest()
    [letter] = watched.on.queue.dead
    assert (letter.outcome.reason, letter.attempts) == (Reason.THROTTLED, 5)
    assert "given up after 5 attempts" in letter.outcome.detail
    assert FAILED in watched.kinds()


def test_what_gets_through_at_the_last_receive_is_no_failure() -> None:
    watched = Watched()
    last_receive(watched.on, 2)
    watched.on.fail("COPY", SLOW, 1)
    watched.on.put()
    watched.on.rest()
    assert final(watched.on).status is Status.COMPLETED
    assert watched.on.queue.dead == []


def test_events_that_cannot_be_sent_now_are_sent_when_the_message_comes_back() -> None:
    watched = Watched()
    watched.on.fail("COPY", DENIED)
    watched.on.fail("PUBLISH", SLOW, 2)
    watched.on.put()
    watched.on.rest()
    assert watched.kinds() == [FAILED]
    assert len(watched.on.queue.dead) == 1


def test_the_events_of_a_late_arrival_that_cannot_be_sent_now_are_sent_too() -> None:
    watched = Watched()
    watched.on.fail("PUBLISH", SLOW, 2)
    watched.on.put()
    watched.wait(16)
    watched.on.rest()
    assert watched.kinds() == [MISSED, AFTER]
    assert watched.on.waiting() == {}


def test_of_duplicates_that_fail_at_once_one_lies_in_the_dead_letter_queue() -> None:
    """The other leaves it to the one that began, whose message comes back until it is done, even if it dies."""
    watched = Watched()
    watched.on.fail("COPY", DENIED, 99)
    watched.on.put()
    [first] = watched.on.queue.visible()
    second = watched.on.queue.send(first.body)
    watched.on.fail("CLAIM", Killed(), 1, after=True)
    watched.on.deliver(first)
    watched.on.deliver(second)
    assert watched.on.queue.dead == []
    assert second.id not in watched.on.queue.letters
    watched.on.rest()
    assert len(watched.on.queue.dead) == 1
    assert watched.kinds() == [FAILED]
    assert counted(watched.on) == [False]


def test_a_failure_of_a_duplicate_that_comes_after_the_arrival_is_none() -> None:
    watched = Watched()
    watched.on.put()
    [first] = watched.on.queue.visible()
    second = watched.on.queue.send(first.body)
    watched.on.fail("COPY", SLOW, 2)
    watched.on.deliver(first, second)
    watched.on.fail("COPY", DENIED, 1)
    watched.on.meanwhile("CLAIM", lambda: watched.on.deliver(second))
    watched.on.deliver(first)
    assert watched.on.calls("CLAIM")
    assert watched.on.queue.dead == []
    watched.on.deliver(first)  # looked again at what its first delivery may have left
    assert watched.on.queue.letters == {}
    assert watched.kinds() == []
    assert counted(watched.on) == [True]


# Death at any step

STEPS = [(step, after) for step in ("CLAIM", "BURY", "WAIT", "PUBLISH", "TELL") for after in (False, True)]


@pytest.mark.parametrize(
    ("step", "after"), STEPS, ids=[f"{'after' if late else 'before'} {step}" for step, late in STEPS]
)
def test_whoever_dies_while_a_failure_is_written_down_loses_no_event(step: str, after: bool) -> None:
    """EventBridge takes no identity for an event: between sending it and noting that, it can only be sent twice."""
    watched = Watched()
    watched.on.fail("COPY", DENIED, 99)
    watched.on.fail(step, Killed(), 1, after=after)
    watched.on.put()
    watched.on.rest()
    sent = watched.kinds().count(FAILED)
    assert sent == (2 if (step, after) in {("PUBLISH", True), ("TELL", False)} else 1)
    assert set(watched.on.waiting().values()) == {(Status.FAILED, Reason.DST_PUT_DENIED)}


LATE_STEPS = [(step, after) for step in ("SETTLE", "MISS", "PUBLISH", "CLOSE") for after in (False, True)]


@pytest.mark.parametrize(
    ("step", "after"), LATE_STEPS, ids=[f"{'after' if late else 'before'} {step}" for step, late in LATE_STEPS]
)
@pytest.mark.parametrize("waited", [False, True], ids=["unseen", "waited"])
def test_whoever_dies_while_a_late_arrival_is_written_down_loses_no_event(step: str, after: bool, waited: bool) -> None:
    watched = Watched()
    watched.on.put()
    if waited:
        watched.on.fail("COPY", SLOW, 1)
        watched.on.deliver()
    watched.wait(16)
    watched.on.fail(step, Killed(), 1, after=after)
    watched.on.rest()
    twice = (step, after) in {("PUBLISH", True), ("CLOSE", False)}
    assert watched.kinds().count(AFTER) == (2 if twice else 1)
    assert 1 <= watched.kinds().count(MISSED) <= 2
    assert twice or watched.kinds().count(MISSED) == 1
    assert watched.on.waiting() == {}
    assert counted(watched.on) == ([] if (step, after) == ("CLOSE", True) else [False]), "what is written down is told"


# Everything at once


KEYS = ("a", "b", "c")


@dataclass
class Tale:
    """A random history of three objects; nobody dies. `judged`: how many the monitor counted."""

    watched: Watched
    draw: random.Random
    judged: int = 0

    def tell(self) -> None:
        acts = [self.trouble, self.deliver, self.deliver, self.wait, self.look]
        if self.draw.random() < 0.5:
            acts += [self.deny, self.redrive]
        else:  # of duplicates, one may fail after the other arrived, and nobody asks at a first attempt
            self.watched.on.queue.send(self.draw.choice(self.watched.on.queue.visible()).body)
        for _ in range(25):
            self.draw.choice(acts)()

    def trouble(self) -> None:
        self.watched.on.fail("COPY", SLOW, self.draw.choice((1, 2)), key=self.draw.choice(KEYS))

    def deny(self) -> None:
        if self.draw.random() < 0.3:
            self.watched.on.fail("COPY", DENIED, 1, key=self.draw.choice(KEYS))

    def deliver(self) -> None:
        if self.watched.on.queue.visible():
            self.watched.on.deliver()

    def wait(self) -> None:
        self.watched.wait(self.draw.choice((0.1, 3, 8)))

    def look(self) -> None:
        self.watched.look()
        self.judged += len(self.watched.gauges.of(Metric.WITHIN, Stack="stack"))

    def redrive(self) -> None:
        if self.draw.random() < 0.3:
            self.watched.on.queue.redrive()


@pytest.mark.parametrize("seed", range(150))
def test_each_object_counts_once_and_each_event_is_told_once_whatever_happens(seed: int) -> None:
    watched = Watched()
    on = watched.on
    for key in KEYS:
        on.put(key)
    tale = Tale(watched, random.Random(seed))  # noqa: S311 - a story, not a secret
    tale.tell()
    on.orders.clear()
    on.queue.redrive()
    on.rest()
    assert len(counted(on)) + tale.judged == len(KEYS)
    for key in KEYS:
        assert len(on.replicas(key)) == 1
        assert watched.told[MISSED, key] <= 1
        assert watched.told[AFTER, key] <= 1
    assert on.waiting() == {}
    assert on.queue.dead == []
