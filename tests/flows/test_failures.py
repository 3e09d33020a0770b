"""Listing and redriving dead letters: nothing is lost, doubled or left in two places, whoever is interrupted where."""

import json
import random
from dataclasses import dataclass, field

import pytest
from replicator.core.outcomes.outcome import Permanent, Reason, Status
from s3replicator.failures.failed_messages import FailedMessage, Selection
from s3replicator.failures.redrive import HOLD_SECONDS, LEEWAY_SECONDS, Redrive, Sweep, look, redrive

from tests.fakes.dead_letter_queue import MemoryBox
from tests.fakes.rules import rule
from tests.flows.stage import WEST, Killed, Stage

DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")
ALL = Selection()


@dataclass(slots=True)
class Operator:
    """A stage with dead letters, and an operator beside it."""

    on: Stage = field(default_factory=lambda: Stage([rule(WEST, rule_id="all")]))
    box: MemoryBox = field(init=False)

    def __post_init__(self) -> None:
        self.box = MemoryBox(self.on.s3.clock, self._send, self.on.points)

    def _send(self, letter: FailedMessage) -> None:
        self.on.queue.send(letter.body, redriven=True)

    def fail(self, *keys: str) -> None:
        """Let objects fail and their letters lie in the box."""
        self.on.fail("COPY", DENIED, len(keys))
        for key in keys:
            self.on.put(key)
        self.on.rest()
        self.dead_letter()
        self.on.s3.clock.advance(2)

    def dead_letter(self) -> None:
        self.box.take(self.on.queue.dead)
        self.on.queue.dead.clear()

    def sweep(self) -> Sweep:
        return Sweep(self.box, lambda: self.on.s3.clock.now)

    def redrive(self, selection: Selection = ALL) -> Redrive:
        return redrive(selection, self.sweep(), lambda done: None)

    def look(self, selection: Selection = ALL) -> list[str]:
        return sorted(letter.changes[0].key for letter in look(selection, self.sweep()))


def named(count: int) -> list[str]:
    return [f"{number:03}" for number in range(count)]


# Looking


def test_every_letter_is_seen_once_and_stays_where_it_is() -> None:
    operator = Operator()
    operator.fail(*named(34))
    assert operator.look() == named(34)
    assert operator.look() == named(34), "put back at once"
    assert len(operator.box.box) == 34


def test_only_what_is_meant_is_seen() -> None:
    operator = Operator()
    operator.fail("photos/1", "photos/2", "videos/1")
    assert operator.look(Selection(key_prefix="photos/")) == ["photos/1", "photos/2"]


def test_what_somebody_else_holds_is_waited_for() -> None:
    operator = Operator()
    operator.fail("a", "b")
    [*_] = operator.box.receive(HOLD_SECONDS)
    began = operator.on.s3.clock.now
    assert operator.look() == ["a", "b"]
    assert operator.on.s3.clock.now - began <= HOLD_SECONDS + LEEWAY_SECONDS


def test_what_somebody_holds_for_long_is_told_of() -> None:
    operator = Operator()
    operator.fail("a", "b")
    operator.box.receive(3600)
    sweep = operator.sweep()
    assert list(look(ALL, sweep)) == []
    assert sweep.elsewhere == 2


def test_a_big_box_is_held_for_longer() -> None:
    """Else its first letters would be back before the last ones were seen."""
    operator = Operator()
    for number in range(2000):
        operator.box.put(json.dumps({"Records": []}), rule=str(number))
    seen = [letter.id for letter in look(ALL, operator.sweep())]
    assert len(seen) == len(set(seen)) == 2000


# Redriving


def test_what_is_redriven_completes_and_the_box_is_empty() -> None:
    operator = Operator()
    operator.fail(*named(25))
    done = operator.redrive()
    assert (len(done.sent), done.left, done.refused) == (25, 0, 0)
    operator.on.rest()
    assert all(len(operator.on.replicas(key)) == 1 for key in named(25))
    assert operator.box.box == {}
    assert operator.on.waiting() == {}


def test_what_is_not_meant_stays_and_can_be_seen_at_once() -> None:
    operator = Operator()
    operator.fail("photos/1", "videos/1")
    done = operator.redrive(Selection(key_prefix="photos/"))
    assert (len(done.sent), done.left) == (1, 1)
    assert operator.look() == ["videos/1"]


def test_what_fails_again_is_left_alone_by_the_same_redrive() -> None:
    operator = Operator()
    operator.fail(*named(15))
    operator.on.fail("COPY", DENIED, 15)
    sent: list[int] = []

    def work(done: Redrive) -> None:
        sent.append(len(done.sent))
        operator.on.rest()
        operator.on.s3.clock.advance(2)
        operator.dead_letter()

    done = redrive(ALL, operator.sweep(), work)
    assert len(done.sent) == 15
    assert operator.look() == named(15)


def test_what_fails_again_within_the_same_second_is_left_alone_too() -> None:
    operator = Operator()
    operator.fail("a", "b")
    operator.on.s3.clock.now = int(operator.on.s3.clock.now) + 0.2
    operator.on.fail("COPY", DENIED, 2)

    def work(done: Redrive) -> None:
        operator.on.rest()
        operator.dead_letter()

    assert len(redrive(ALL, operator.sweep(), work).sent) == 2
    operator.on.s3.clock.advance(1)
    assert operator.look() == ["a", "b"]


def test_what_sqs_does_not_take_stays() -> None:
    operator = Operator()
    operator.fail("a", "b", "c")
    operator.box.refuses = {"2"}
    done = operator.redrive()
    assert (len(done.sent), done.refused) == (2, 1)
    assert list(operator.box.box) == ["2"]


def test_what_cannot_be_read_is_left_unless_it_is_asked_for() -> None:
    operator = Operator()
    operator.box.put("garbage", Reason.MALFORMED, "", "")
    operator.on.s3.clock.advance(2)
    assert operator.redrive().left == 1
    assert len(operator.redrive(Selection(reason="MalformedEvent")).sent) == 1


def test_two_letters_about_one_failure_are_one() -> None:
    """As two functions leave them that die while they write down what duplicates of an event met."""
    operator = Operator()
    operator.fail(*named(15))
    for held in list(operator.box.box.values())[:12]:
        letter = held.letter
        operator.box.put(letter.body, letter.reason, letter.rule_id, letter.destination)
    operator.box.put(letter.body, letter.reason, letter.rule_id, "north")
    operator.on.s3.clock.advance(2)
    assert operator.look(Selection(rule="all")) == sorted([*named(15), "011"]), "one destination each"
    done = operator.redrive()
    assert (len(done.sent), done.doubled, done.left, done.seen) == (16, 12, 0, 28)
    operator.on.rest()
    assert operator.box.box == {}
    assert all(len(operator.on.replicas(key)) == 1 for key in named(15))


def test_the_second_letter_of_what_sqs_did_not_take_stays_too() -> None:
    operator = Operator()
    operator.fail("a")
    [held] = operator.box.box.values()
    operator.box.put(held.letter.body)
    operator.box.refuses = {"1", "2"}
    operator.on.s3.clock.advance(2)
    done = operator.redrive()
    assert (done.sent, done.doubled, done.refused) == ([], 0, 2)
    assert list(operator.box.box) == ["1", "2"]


def test_nothing_to_do_is_fine() -> None:
    assert Operator().redrive() == Redrive()


@pytest.mark.parametrize("step", ["RECEIVE", "SEND BACK", "REMOVE", "PUT BACK", "DEPTH", "NOW"])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", [1, 2])
def test_interrupted_anywhere_and_repeated_every_object_completes_once(step: str, after: bool, number: int) -> None:
    operator = Operator()
    operator.fail(*named(25))

    def die() -> None:
        operator.on.fail(step, Killed(), 1, after=after)

    if number == 1:
        die()
    else:
        operator.on.meanwhile(step, lambda: operator.on.meanwhile(step, die))
    try:
        operator.redrive()
    except Killed:
        operator.on.rest()
        operator.redrive()
    operator.on.rest()
    assert operator.box.box == {}
    assert all(len(operator.on.replicas(key)) == 1 for key in named(25))
    assert operator.on.waiting() == {}
    completed = [outcome for outcome in operator.on.outcomes if outcome.status is Status.COMPLETED]
    assert len(completed) == 25


@pytest.mark.parametrize("seed", range(40))
def test_interrupted_again_and_again_at_random_every_object_completes_once(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a story, not a secret
    operator = Operator()
    operator.fail(*named(23))
    for _ in range(4):
        operator.on.fail(
            draw.choice(["RECEIVE", "SEND BACK", "REMOVE", "DEPTH"]), Killed(), 1, after=draw.random() < 0.5
        )
        try:
            operator.redrive()
        except Killed:
            if draw.random() < 0.5:
                operator.on.rest()
    operator.on.orders.clear()
    operator.redrive()
    operator.on.rest()
    assert operator.box.box == {}
    completed = [outcome for outcome in operator.on.outcomes if outcome.status is Status.COMPLETED]
    assert len(completed) == 23
    assert operator.on.waiting() == {}
