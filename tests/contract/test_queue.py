"""The change queue and what lies behind it: what comes back and when, and what a failure takes along."""

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

LETTER = FailedChange(
    '{"Records": []}',
    Outcome(Status.FAILED, Reason.DST_PUT_DENIED, "CopyObject: 403", rule_id="r", destination="west"),
    first_seen=1_700_000_000_000,
    attempts=3,
)
_numbers = count(1)


class Office(Protocol):
    """A queue and its dead-letter queue, with what SQS and Lambda do to them."""

    @property
    def port(self) -> MemoryQueue | SqsQueue:
        """Return the product's view of it."""

    def send(self, body: str) -> None:
        """Put a message on the queue."""

    def receive(self) -> Sequence[tuple[str, str, int]]:
        """Take what is visible: receipt, body and receive count."""

    def pass_time(self, seconds: float) -> None:
        """Let time pass, if this office has any to spare; real ones hide nothing for so long."""

    def buried(self) -> Sequence[str]:
        """Return the bodies of the dead letters."""


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
        return [(message.receipt, message.body, message.receives) for message in messages]

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def buried(self) -> Sequence[str]:
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

    def buried(self) -> Sequence[str]:
        got = self.sqs.receive_message(QueueUrl=self.dead, MaxNumberOfMessages=10)
        return [message["Body"] for message in got.get("Messages", ())]


@pytest.fixture(params=["memory", "emulator"])
def office(request: pytest.FixtureRequest) -> Office:
    if request.param == "memory":
        return InMemory()
    plain, _ = request.getfixturevalue("server")
    sqs = plain.client("sqs")
    number = next(_numbers)
    urls = (sqs.create_queue(QueueName=f"{name}-{number}")["QueueUrl"] for name in ("changes", "dead"))
    return OnEmulator(sqs, *urls)


def test_what_was_received_is_hidden(office: Office) -> None:
    office.send("body")
    assert [body for _, body, _ in office.receive()] == ["body"]
    assert not office.receive()


def test_what_is_hidden_for_no_time_comes_back_and_counts(office: Office) -> None:
    office.send("body")
    ((receipt, _, first),) = office.receive()
    office.port.hide(receipt, 0)
    ((_, body, second),) = office.receive()
    assert (body, first, second) == ("body", 1, 2)


def test_what_is_hidden_for_long_stays_away(office: Office) -> None:
    office.send("body")
    ((receipt, _, _),) = office.receive()
    office.port.hide(receipt, 900)
    office.pass_time(899)
    assert not office.receive()


def test_hiding_what_is_gone_raises_nothing(office: Office) -> None:
    office.port.hide("no such receipt", 5)


def test_a_failure_lies_in_the_dead_letter_queue_with_its_own_event(office: Office) -> None:
    office.port.dead_letter(LETTER)
    assert office.buried() == [LETTER.body]
    assert not office.receive()
