"""A batch of queue messages -> changes, side by side -> results -> queue, journal, metrics.

Separate from replicating one change: this module is about messages. One bad record never affects other records. A
change that failed permanently is in the dead-letter queue before its message is deleted. A change that may still
succeed stays on the queue and comes back after a growing delay. Changes of one key are processed one after the other,
in S3's own order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.result import Result, ended, troubled
from replicator.core.deciding.target import NO_TARGET
from replicator.core.outcomes.backoff import delay
from replicator.core.outcomes.outcome import Reason, Status, Temporary
from replicator.core.versions.change import UNREADABLE, Change, order_of
from replicator.core.versions.events import Record, Unreadable, parse
from replicator.flows.change.conclude import Closing
from replicator.flows.change.redelivery import Suspected
from replicator.flows.change.replicate import Services, drop
from replicator.flows.change.which_key import replicate_as_meant

TIME_FOR_SUSPECTS_MS = 10_000
"""Until when, from the start of a batch, a suspect may be begun, so that it ends before the function's timeout."""
SUSPECT_VISIBILITY_SECONDS = 150
"""The visibility timeout of a suspected message that is processed alone: a little longer than the function may run."""


@dataclass(frozen=True, slots=True)
class Message:
    """One SQS message. redriven: it comes from the dead-letter queue. only: its one destination; empty for all.

    parked: how often its change was parked before it was sent. tried: the change was processed before that. probe: it
    tries a destination whose gate is shut. needs_new_chain: what it causes would inherit a long chain of
    invocations that is not its own.
    """

    id: str
    receipt: str
    body: str
    receive_count: int
    redriven: bool = False
    only: str = ""
    parked: int = 0
    tried: bool = False
    probe: bool = False
    needs_new_chain: bool = False


class Queue(Protocol):
    """The queue that the messages come from."""

    def hide(self, receipt: str, seconds: int) -> None:
        """Set a message's visibility timeout. Raises nothing: on failure, the queue's own timeout applies."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """What consuming a queue needs. `jitter` returns a number in [0, 1)."""

    services: Services
    queue: Queue
    closing: Closing
    jitter: Callable[[], float]


@dataclass(slots=True)
class _Received:
    """One record of one message, with its results. tried_alone: how often; None if it is not suspected."""

    message: Message
    record: Record | Unreadable
    results: list[Result] = field(default_factory=list)
    tried_alone: int | None = None

    @property
    def change(self) -> Change:
        return self.record.change if isinstance(self.record, Record) else UNREADABLE

    def delivery(self, *, alone: bool) -> Delivery:
        message = self.message
        return Delivery(
            message.receive_count,
            message.redriven,
            message.id,
            alone,
            body=self.record.body,
            parked=message.parked,
            tried=message.tried,
            nowhere=message.parked > 0 and not message.only,
            probe=message.probe,
            needs_new_chain=message.needs_new_chain,
        )

    def without_target(self, *, alone: bool = False) -> Attempt:
        """Return the attempt of a record that ended before its destinations were known."""
        return Attempt(self.change, self.delivery(alone=alone), NO_TARGET)


def consume(messages: Sequence[Message], consumer: Consumer) -> list[str]:
    """Process a batch; return the ids of the messages that must come back."""
    started, gatekeeper = consumer.services.now(), consumer.services.gatekeeper
    received = [_Received(message, record) for message in messages for record in parse(message.body)]
    if gatekeeper and any(not drop(each.change, consumer.services) for each in received):
        gatekeeper.look()
    consumer.services.side_by_side([partial(_process, group, consumer) for group in _by_key(received)])
    suspects = [each for each in received if each.tried_alone is not None]
    _count([each for each in received if each.tried_alone is None], consumer)
    if suspects:
        _process_alone(suspects, started, consumer)
        _count(suspects, consumer)
    if gatekeeper:
        gatekeeper.close_batch()
    waiting = {each.message.id for each in received if not all(result.is_done for result in each.results)}
    for message in messages:
        if message.id in waiting:
            consumer.queue.hide(message.receipt, delay(message.receive_count, consumer.jitter()))
    return [message.id for message in messages if message.id in waiting]


def _process_alone(suspects: Sequence[_Received], started: int, consumer: Consumer) -> None:
    """Process suspected records one by one, the most often tried last. If time runs out, the others wait."""
    for receipt in dict.fromkeys(each.message.receipt for each in suspects):
        consumer.queue.hide(receipt, SUSPECT_VISIBILITY_SECONDS)
    for each in sorted(suspects, key=lambda suspect: suspect.tried_alone or 0):
        if each.change.is_known and consumer.services.now() - started > TIME_FOR_SUSPECTS_MS:
            later = "it must be processed alone, and there was no time left for that"
            each.results = [troubled(each.without_target(), Temporary(Reason.FUNCTION_DIED, later))]
        else:
            _process_one(each, consumer, alone=True)


def _by_key(received: Sequence[_Received]) -> list[list[_Received]]:
    """Group records by key, each group in S3's own order as far as that is known."""
    groups: dict[tuple[str, str], list[_Received]] = {}
    for each in received:
        groups.setdefault((each.change.bucket, each.change.key), []).append(each)
    return [sorted(group, key=lambda each: order_of(each.change)) for group in groups.values()]


def _process(group: Sequence[_Received], consumer: Consumer) -> None:
    for each in group:
        try:
            _process_one(each, consumer, alone=False)
        except Suspected as suspected:
            each.tried_alone = suspected.tried_alone


def _process_one(received: _Received, consumer: Consumer, *, alone: bool) -> None:
    """Process one record. An unexpected error, even while its results are recorded, never affects other records."""
    try:
        received.results = consumer.closing.conclude(_replicate(received, consumer, alone=alone))
    except Suspected:
        raise
    except Exception as error:
        consumer.closing.log.unexpected(received.change, error)
        received.results = [_unexpected(received, error)]


def _replicate(received: _Received, consumer: Consumer, *, alone: bool) -> list[Result]:
    """Replicate one change. An unexpected error is logged with its stack trace, and is temporary trouble."""
    if isinstance(received.record, Unreadable):
        return [ended(received.without_target(alone=alone), Status.FAILED, Reason.MALFORMED, received.record.why)]
    try:
        delivery = received.delivery(alone=alone)
        return replicate_as_meant(received.change, delivery, consumer.services, received.message.only)
    except Suspected:
        raise
    except Exception as error:
        consumer.closing.log.unexpected(received.change, error)
        return [_unexpected(received, error)]


def _unexpected(received: _Received, error: Exception) -> Result:
    return troubled(received.without_target(), Temporary(Reason.UNKNOWN, type(error).__name__))


def _count(received: Sequence[_Received], consumer: Consumer) -> None:
    """Count and log the results of many records, and publish the metrics."""
    for each in received:
        consumer.closing.count(each.results)
    consumer.closing.measures.flush()
