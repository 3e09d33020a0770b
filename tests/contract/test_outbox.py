"""The way back to the queues of what was parked: in the fake, and in the adapter to SQS."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Protocol

import pytest
from replicator.aws.outbox import SqsOutbox
from replicator.aws.sqs_event import read_messages
from replicator.core.outcomes.threshold import Pending
from replicator.core.versions.change import Change, ChangeKind, Wish
from replicator.core.versions.events import write
from replicator.flows.change.consume import Message
from replicator.flows.release import Outbox, ParkedEntry

from tests.fakes.parking import MemoryOutbox
from tests.fakes.queue import MemoryQueue
from tests.fakes.s3 import MemoryS3

NOON = 1_700_000_000_000
_numbers = count(1)


class Queues(Protocol):
    """The change queue and the part queue, as what releases them and as what consumes them."""

    outbox: Outbox

    def received(self) -> Sequence[Message]:
        """Take what is visible on both queues, as a handler reads it: changes first."""


@dataclass(slots=True)
class QueuesInMemory:
    changes: MemoryQueue = field(default_factory=lambda: MemoryQueue(MemoryS3().clock))
    parts: MemoryQueue = field(default_factory=lambda: MemoryQueue(MemoryS3().clock, name="parts"))
    backfill: MemoryQueue = field(default_factory=lambda: MemoryQueue(MemoryS3().clock, name="backfill"))
    outbox: Outbox = field(init=False)

    def __post_init__(self) -> None:
        self.outbox = MemoryOutbox(self.changes, self.parts, backfill=self.backfill)

    def received(self) -> Sequence[Message]:
        return [queue.receive(each) for queue in (self.changes, self.parts, self.backfill) for each in queue.visible()]


@dataclass(slots=True)
class QueuesOnEmulator:
    sqs: Any
    urls: Sequence[str]
    outbox: Outbox = field(init=False)

    def __post_init__(self) -> None:
        self.outbox = SqsOutbox(self.sqs, *self.urls)

    def received(self) -> Sequence[Message]:
        return [message for url in self.urls for message in read_messages({"Records": self._records(url)})]

    def _records(self, url: str) -> list[dict[str, Any]]:
        """Return messages as Lambda's event has them."""
        got = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        return [
            {
                "messageId": each["MessageId"],
                "receiptHandle": each["ReceiptHandle"],
                "body": each["Body"],
                "messageAttributes": {
                    name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
                    for name, value in each.get("MessageAttributes", {}).items()
                },
            }
            for each in got.get("Messages", ())
        ]


@pytest.fixture(params=["memory", "emulator"])
def queues(request: pytest.FixtureRequest) -> Queues:
    if request.param == "memory":
        return QueuesInMemory()
    plain, _ = request.getfixturevalue("server")
    sqs, number = plain.client("sqs"), next(_numbers)
    return QueuesOnEmulator(
        sqs, [sqs.create_queue(QueueName=f"{name}-{number}")["QueueUrl"] for name in ("c", "p", "b")]
    )


def entry(destination: str = "west", *, tried: bool = True) -> ParkedEntry:
    item = ("east/key ü/#", f"{destination}#v1")
    return ParkedEntry(
        item, destination, NOON, 1, '{"Records": []}', tried, Pending("east", "key ü/#", "v1", destination)
    )


@pytest.mark.parametrize("probe", [False, True], ids=["released", "a probe"])
@pytest.mark.parametrize("tried", [False, True], ids=["untried", "tried"])
def test_a_message_that_was_parked_says_for_which_destination_and_how_often(
    queues: Queues, *, tried: bool, probe: bool
) -> None:
    change = entry(tried=tried)
    assert queues.outbox.send([(change, 0)], probe=probe) == [change]
    [message] = queues.received()
    assert (message.body, message.only, message.parked) == (change.body, "west", 1)
    assert (message.tried, message.probe, message.redriven) == (tried, probe, False)


def test_a_message_that_was_parked_before_its_destinations_were_known_goes_to_all_of_them(queues: Queues) -> None:
    queues.outbox.send([(entry(""), 0)], probe=False)
    [message] = queues.received()
    assert (message.only, message.parked) == ("", 1)


def test_messages_of_parts_go_to_their_own_queue(queues: Queues) -> None:
    change, parts = entry(), ParkedEntry(("east/key", "west#parts#upload/1"), "west", NOON, 1, "parts")
    assert set(map(id, queues.outbox.send([(parts, 0), (change, 0)], probe=False))) == {id(parts), id(change)}
    assert [message.body for message in queues.received()] == [change.body, "parts"]


def test_what_an_operator_asked_for_goes_behind_no_new_change(queues: Queues) -> None:
    change = Change(ChangeKind.CREATED, "east", "k", "v1", time=NOON, wish=Wish.EXISTING)
    existing = replace(entry(), body=write(change))
    assert queues.outbox.send([(existing, 0), (entry(), 0)], probe=False) == [existing, entry()]
    assert [message.body for message in queues.received()] == [entry().body, existing.body]


def test_a_message_that_is_sent_with_a_delay_is_not_there_at_once(queues: Queues) -> None:
    queues.outbox.send([(entry(), 55)], probe=False)
    assert queues.received() == []
