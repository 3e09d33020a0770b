"""Listing and redriving failures: nothing is lost, duplicated or left in two queues, wherever a run is interrupted."""

import json
import random
from dataclasses import dataclass, field

import pytest
from replicator.core.outcomes.outcome import Permanent, Reason, Status
from s3replicator.failures.failed_messages import FailedMessage, Selection
from s3replicator.failures.queue_scan import HOLD_SECONDS, LEEWAY_SECONDS, QueueScan
from s3replicator.failures.redrive import RedriveResult, list_failures, redrive

from tests.fakes.dead_letter_queue import MemoryDeadLetterQueue
from tests.fakes.rules import rule
from tests.flows.stage import WEST, Killed, Stage

DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")
ALL = Selection()


@dataclass(slots=True)
class Operator:
    """A stage with failures, and an operator beside it."""

    on: Stage = field(default_factory=lambda: Stage([rule(WEST, rule_id="all")]))
    queue: MemoryDeadLetterQueue = field(init=False)

    def __post_init__(self) -> None:
        self.queue = MemoryDeadLetterQueue(self.on.s3.clock, self._send, self.on.points)

    def _send(self, message: FailedMessage) -> None:
        self.on.queue.send(message.body, redriven=True)

    def fail(self, *keys: str) -> None:
        """Let objects fail, so that their messages are in the dead-letter queue."""
        self.on.fail("COPY", DENIED, len(keys))
        for key in keys:
            self.on.put(key)
        self.on.deliver_all()
        self.dead_letter()
        self.on.s3.clock.advance(2)

    def dead_letter(self) -> None:
        self.queue.take(self.on.queue.dead)
        self.on.queue.dead.clear()

    def scan(self) -> QueueScan:
        return QueueScan(self.queue, lambda: self.on.s3.clock.now)

    def redrive(self, selection: Selection = ALL) -> RedriveResult:
        return redrive(selection, self.scan(), lambda done: None)

    def keys(self, selection: Selection = ALL) -> list[str]:
        return sorted(each.changes[0].key for each in list_failures(selection, self.scan()))


def named(count: int) -> list[str]:
    return [f"{number:03}" for number in range(count)]


# Listing


def test_every_message_is_seen_once_and_stays_where_it_is() -> None:
    operator = Operator()
    operator.fail(*named(34))
    assert operator.keys() == named(34)
    assert operator.keys() == named(34), "put back at once"
    assert len(operator.queue.stored) == 34


def test_only_what_is_meant_is_seen() -> None:
    operator = Operator()
    operator.fail("photos/1", "photos/2", "videos/1")
    assert operator.keys(Selection(key_prefix="photos/")) == ["photos/1", "photos/2"]


def test_what_somebody_else_holds_is_waited_for() -> None:
    operator = Operator()
    operator.fail("a", "b")
    [*_] = operator.queue.receive(HOLD_SECONDS)
    began = operator.on.s3.clock.now
    assert operator.keys() == ["a", "b"]
    assert operator.on.s3.clock.now - began <= HOLD_SECONDS + LEEWAY_SECONDS


def test_what_somebody_holds_for_long_is_told_of() -> None:
    operator = Operator()
    operator.fail("a", "b")
    operator.queue.receive(3600)
    scan = operator.scan()
    assert list(list_failures(ALL, scan)) == []
    assert scan.elsewhere == 2


def test_a_long_queue_is_held_for_longer() -> None:
    """Else its first messages would be back before the last ones were received."""
    operator = Operator()
    for number in range(2000):
        operator.queue.put(json.dumps({"Records": []}), rule=str(number))
    seen = [each.id for each in list_failures(ALL, operator.scan())]
    assert len(seen) == len(set(seen)) == 2000


# Redriving


def test_what_is_redriven_completes_and_the_queue_is_empty() -> None:
    operator = Operator()
    operator.fail(*named(25))
    done = operator.redrive()
    assert (len(done.sent), done.left, done.refused) == (25, 0, 0)
    operator.on.deliver_all()
    assert all(len(operator.on.replicas(key)) == 1 for key in named(25))
    assert operator.queue.stored == {}
    assert operator.on.waiting() == {}


def test_what_is_not_meant_stays_and_can_be_seen_at_once() -> None:
    operator = Operator()
    operator.fail("photos/1", "videos/1")
    done = operator.redrive(Selection(key_prefix="photos/"))
    assert (len(done.sent), done.left) == (1, 1)
    assert operator.keys() == ["videos/1"]


def test_what_fails_again_is_left_alone_by_the_same_redrive() -> None:
    operator = Operator()
    operator.fail(*named(15))
    operator.on.fail("COPY", DENIED, 15)
    sent: list[int] = []

    def work(done: RedriveResult) -> None:
        sent.append(len(done.sent))
        operator.on.deliver_all()
        operator.on.s3.clock.advance(2)
        operator.dead_letter()

    done = redrive(ALL, operator.scan(), work)
    assert len(done.sent) == 15
    assert operator.keys() == named(15)


def test_what_fails_again_within_the_same_second_is_left_alone_too() -> None:
    operator = Operator()
    operator.fail("a", "b")
    operator.on.s3.clock.now = int(operator.on.s3.clock.now) + 0.2
    operator.on.fail("COPY", DENIED, 2)

    def work(done: RedriveResult) -> None:
        operator.on.deliver_all()
        operator.dead_letter()

    assert len(redrive(ALL, operator.scan(), work).sent) == 2
    operator.on.s3.clock.advance(1)
    assert operator.keys() == ["a", "b"]


def test_what_sqs_does_not_take_stays() -> None:
    operator = Operator()
    operator.fail("a", "b", "c")
    operator.queue.refuses = {"2"}
    done = operator.redrive()
    assert (len(done.sent), done.refused) == (2, 1)
    assert list(operator.queue.stored) == ["2"]


def test_what_cannot_be_read_is_left_unless_it_is_asked_for() -> None:
    operator = Operator()
    operator.queue.put("garbage", Reason.MALFORMED, "", "")
    operator.on.s3.clock.advance(2)
    assert operator.redrive().left == 1
    assert len(operator.redrive(Selection(reason="MalformedEvent")).sent) == 1


def test_two_messages_about_one_failure_are_one() -> None:
    """Two functions leave them if they stop while they handle duplicates of an event."""
    operator = Operator()
    operator.fail(*named(15))
    for stored in list(operator.queue.stored.values())[:12]:
        message = stored.message
        operator.queue.put(message.body, message.reason, message.rule_id, message.destination)
    operator.queue.put(message.body, message.reason, message.rule_id, "north")
    operator.on.s3.clock.advance(2)
    assert operator.keys(Selection(rule="all")) == sorted([*named(15), "011"]), "one destination each"
    done = operator.redrive()
    assert (len(done.sent), done.duplicates, done.left, done.seen) == (16, 12, 0, 28)
    operator.on.deliver_all()
    assert operator.queue.stored == {}
    assert all(len(operator.on.replicas(key)) == 1 for key in named(15))


def test_the_second_message_of_what_sqs_did_not_take_stays_too() -> None:
    operator = Operator()
    operator.fail("a")
    [stored] = operator.queue.stored.values()
    operator.queue.put(stored.message.body)
    operator.queue.refuses = {"1", "2"}
    operator.on.s3.clock.advance(2)
    done = operator.redrive()
    assert (done.sent, done.duplicates, done.refused) == ([], 0, 2)
    assert list(operator.queue.stored) == ["1", "2"]


def test_nothing_to_do_is_fine() -> None:
    assert Operator().redrive() == RedriveResult()


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
        operator.on.just_before(step, lambda: operator.on.just_before(step, die))
    try:
        operator.redrive()
    except Killed:
        operator.on.deliver_all()
        operator.redrive()
    operator.on.deliver_all()
    assert operator.queue.stored == {}
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
                operator.on.deliver_all()
    operator.on.faults.clear()
    operator.redrive()
    operator.on.deliver_all()
    assert operator.queue.stored == {}
    completed = [outcome for outcome in operator.on.outcomes if outcome.status is Status.COMPLETED]
    assert len(completed) == 23
    assert operator.on.waiting() == {}
