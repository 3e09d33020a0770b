"""The change queue and its dead-letter queue: what comes back and when, and what the message of a failure carries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

import pytest
from replicator.aws.queue import SqsQueue
from replicator.core.outcomes.outcome import Outcome, Reason, Status
from replicator.flows.change.record import FailedChange

from tests.fakes.clock import Clock
from tests.fakes.queue import MemoryQueue

FAILURE = FailedChange(
    '{"Records": []}',
    Outcome(Status.FAILED, Reason.DST_PUT_DENIED, "CopyObject: 403", rule_id="r", destination="west"),
    first_seen=1_700_000_000_000,
    attempts=3,
)
_numbers = count(1)


class Queues(Protocol):
    """A queue and its dead-letter queue, with what SQS and Lambda do to them."""

    @property
    def port(self) -> MemoryQueue | SqsQueue:
        """Return the product's view of it."""

    def send(self, body: str) -> None:
        """Put a message on the queue."""

    def receive(self) -> Sequence[tuple[str, str, int]]:
        """Take what is visible: receipt, body and receive count."""

    def pass_time(self, seconds: float) -> None:
        """Let time pass in memory. On the emulator nothing happens: what is hidden there stays so for real minutes."""

    def dead_letters(self) -> Sequence[str]:
        """Return the bodies of the messages in the dead-letter queue."""


@dataclass(slots=True)
class InMemory:
    clock: Clock = field(default_factory=Clock)
    port: MemoryQueue = field(init=False)

    def __post_init__(self) -> None:
        self.port = MemoryQueue(self.clock)

    def send(self, body: str) -> None:
        self.port.send(body)

    def receive(self) -> Sequence[tuple[str, str, int]]:
        messages = [self.port.receive(letter) for letter in self.port.visible()]
        return [(message.receipt, message.body, message.receive_count) for message in messages]

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def dead_letters(self) -> Sequence[str]:
        return [letter.body for letter in self.port.dead]


@dataclass(slots=True)
class OnEmulator:
    sqs: Any
    url: str
    dead: str
    port: SqsQueue = field(init=False)

    def __post_init__(self) -> None:
        self.port = SqsQueue(self.sqs, self.url, self.dead)

    def send(self, body: str) -> None:
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def receive(self) -> Sequence[tuple[str, str, int]]:
        names = ["ApproximateReceiveCount"]
        got = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, AttributeNames=names)
        return [
            (message["ReceiptHandle"], message["Body"], int(message["Attributes"]["ApproximateReceiveCount"]))
            for message in got.get("Messages", ())
        ]

    def pass_time(self, seconds: float) -> None: ...

    def dead_letters(self) -> Sequence[str]:
        got = self.sqs.receive_message(QueueUrl=self.dead, MaxNumberOfMessages=10)
        return [message["Body"] for message in got.get("Messages", ())]


@pytest.fixture(params=["memory", "emulator"])
def queues(request: pytest.FixtureRequest) -> Queues:
    if request.param == "memory":
        return InMemory()
    plain, _ = request.getfixturevalue("server")
    sqs = plain.client("sqs")
    number = next(_numbers)
    urls = (sqs.create_queue(QueueName=f"{name}-{number}")["QueueUrl"] for name in ("changes", "dead"))
    return OnEmulator(sqs, *urls)


def test_a_message_that_was_received_is_hidden(queues: Queues) -> None:
    queues.send("body")
    assert [body for _, body, _ in queues.receive()] == ["body"]
    assert not queues.receive()


def test_a_message_hidden_for_no_time_comes_back_with_a_higher_receive_count(queues: Queues) -> None:
    queues.send("body")
    ((receipt, _, first),) = queues.receive()
    queues.port.hide(receipt, 0)
    ((_, body, second),) = queues.receive()
    assert (body, first, second) == ("body", 1, 2)


def test_a_message_hidden_for_long_stays_hidden(queues: Queues) -> None:
    queues.send("body")
    ((receipt, _, _),) = queues.receive()
    queues.port.hide(receipt, 900)
    queues.pass_time(899)
    assert not queues.receive()


def test_messages_that_are_hidden_together_stay_hidden_but_one_that_is_hidden_for_no_time_afterwards(
    queues: Queues,
) -> None:
    for body in ("one", "other"):
        queues.send(body)
    received: dict[str, str] = {}
    while len(received) < 2:
        received |= {body: receipt for receipt, body, _ in queues.receive()}
    queues.port.hide_all([*received.values(), "no such receipt"], 135)
    queues.port.hide(received["other"], 0)
    queues.pass_time(134)
    assert [body for _, body, _ in queues.receive()] == ["other"]


def test_hiding_a_message_that_is_gone_raises_nothing(queues: Queues) -> None:
    queues.port.hide("no such receipt", 5)


def test_the_message_of_a_failure_is_in_the_dead_letter_queue_with_its_own_event(queues: Queues) -> None:
    queues.port.dead_letter(FAILURE)
    assert queues.dead_letters() == [FAILURE.body]
    assert not queues.receive()
