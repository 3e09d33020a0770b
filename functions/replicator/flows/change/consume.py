"""A batch of queue messages -> changes, side by side -> results -> queue, journal, metrics.

Separate from replicating one change: this module is about messages. One bad record never affects other records. A
change that failed permanently is in the dead-letter queue before its message is deleted. A change that may still
succeed stays on the queue and comes back after a growing delay. Changes of one key are processed one after the other,
in S3's own order. What does not end in time is left behind (deadline.py).
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.result import Result, ended, troubled
from replicator.core.deciding.target import NO_TARGET
from replicator.core.outcomes.backoff import delay
from replicator.core.outcomes.outcome import Reason, Status, Temporary
from replicator.core.versions.change import UNREADABLE, Change, Wish, order_of
from replicator.core.versions.events import Record, Unreadable, parse
from replicator.flows.change.ahead import read_ahead
from replicator.flows.change.conclude import Closing
from replicator.flows.change.deadline import ALONE_PATIENCE_MS, PATIENCE_MS, Running, TimeLimit, run_in_order
from replicator.flows.change.redelivery import Suspected
from replicator.flows.change.replicate import Services, drop
from replicator.flows.change.which_key import replicate_as_meant


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

    def hide_all(self, receipts: Sequence[str], seconds: int) -> None:
        """Set the visibility timeout of messages, without waiting for it: a later `hide` comes after it.

        Raises nothing: on failure, the queue's own timeout applies.
        """

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
    """One record of one message, with its results. tried_alone: how often; None if it is not suspected.

    It ends once: by its thread, or when it is left behind.
    """

    message: Message
    record: Record | Unreadable
    limit: TimeLimit
    results: list[Result] = field(default_factory=list)
    tried_alone: int | None = None
    is_counted: bool = False
    _ending: threading.Lock = field(default_factory=threading.Lock)

    def end(self, results: Sequence[Result]) -> None:
        """Take the results, unless it has ended."""
        with self._ending:
            self.results = self.results or list(results)

    @property
    def change(self) -> Change:
        return self.record.change if isinstance(self.record, Record) else UNREADABLE

    def delivery(self, *, alone: bool) -> Delivery:
        message = self.message
        wish = self.change.wish
        return Delivery(
            message.receive_count,
            message.redriven or bool(wish),
            message.id,
            alone,
            body=self.record.body,
            parked=message.parked,
            tried=message.tried,
            nowhere=message.parked > 0 and not message.only,
            probe=message.probe,
            needs_new_chain=message.needs_new_chain,
            until=self.limit.attempts,
            asked_for=wish is Wish.REPLICAS,
        )

    def without_target(self, *, alone: bool = False) -> Attempt:
        """Return the attempt of a record that ended before its destinations were known."""
        return Attempt(self.change, self.delivery(alone=alone), NO_TARGET)


def consume(messages: Sequence[Message], consumer: Consumer, limit: TimeLimit) -> list[str]:
    """Process a batch; return the ids of the messages that must come back."""
    gatekeeper = consumer.services.gatekeeper
    consumer.queue.hide_all([message.receipt for message in messages], limit.hidden)
    received = [_Received(message, record, limit) for message in messages for record in parse(message.body)]
    if gatekeeper and any(not drop(each.change, consumer.services) for each in received):
        gatekeeper.look()
    new = [(each.change, each.message.only) for each in received if each.message.receive_count < 2]
    ahead = read_ahead(new, consumer.services)
    _process_all(received, replace(consumer, services=replace(consumer.services, read_before=ahead.take)), limit)
    for each in received:
        if not each.results:
            each.end([_left_behind(each)])
    _count(received, consumer)
    if gatekeeper:
        gatekeeper.close_batch()
    waiting = {each.message.id for each in received if not all(result.is_done for result in each.results)}
    for message in messages:
        if message.id in waiting:
            consumer.queue.hide(message.receipt, delay(message.receive_count, consumer.jitter()))
    return [message.id for message in messages if message.id in waiting]


def _process_all(received: Sequence[_Received], consumer: Consumer, limit: TimeLimit) -> None:
    """Process records, those of different keys side by side; then suspects. Return in time, whatever does not end."""
    threads = consumer.services.threads
    running: list[Running[object]] = [
        threads.start(partial(_process, group, consumer, limit)) for group in _by_key(received)
    ]
    threads.wait(running, limit.rest)
    if suspects := [each for each in received if each.tried_alone is not None]:
        _count(received, consumer)
        running += _process_alone(suspects, consumer, limit)
    threads.wait(running, limit.records)


def _process_alone(suspects: Sequence[_Received], consumer: Consumer, limit: TimeLimit) -> list[Running[object]]:
    """Process suspected records one by one, the most often tried last. If time runs out, the others wait."""
    ordered = sorted(suspects, key=lambda suspect: suspect.tried_alone or 0)
    tasks = [partial(_process_one, each, consumer, alone=True) for each in ordered]
    return run_in_order(tasks, ALONE_PATIENCE_MS, limit.alone, consumer.services.threads, consumer.services.now)


def _left_behind(each: _Received) -> Result:
    """Return the trouble of a record that has not ended. It has left no trace, so that it is suspected next time."""
    if each.tried_alone is None:
        return troubled(each.without_target(), Temporary(Reason.TIMED_OUT, "it did not end in time"))
    later = "it must be processed alone, and there was no time left for that"
    return troubled(each.without_target(), Temporary(Reason.FUNCTION_DIED, later))


def _by_key(received: Sequence[_Received]) -> list[list[_Received]]:
    """Group records by key, each group in S3's own order as far as that is known."""
    groups: dict[tuple[str, str], list[_Received]] = {}
    for each in received:
        groups.setdefault((each.change.bucket, each.change.key), []).append(each)
    return [sorted(group, key=lambda each: order_of(each.change)) for group in groups.values()]


def _process(group: Sequence[_Received], consumer: Consumer, limit: TimeLimit) -> None:
    """Process records of one key in order. One that does not end keeps the next one waiting for a while only."""
    if len(group) == 1:
        _process_beside_others(group[0], consumer)
        return
    tasks = [partial(_process_beside_others, each, consumer) for each in group]
    running = run_in_order(tasks, PATIENCE_MS, limit.attempts, consumer.services.threads, consumer.services.now)
    consumer.services.threads.wait(running, limit.records)


def _process_beside_others(received: _Received, consumer: Consumer) -> None:
    try:
        _process_one(received, consumer, alone=False)
    except Suspected as suspected:
        received.tried_alone = suspected.tried_alone


def _process_one(received: _Received, consumer: Consumer, *, alone: bool) -> None:
    """Process one record. An unexpected error, even while its results are recorded, never affects other records."""
    try:
        results = _replicate(received, consumer, alone=alone)
        if consumer.services.now() < received.limit.records:  # else it was left behind: the next delivery records it
            received.end(consumer.closing.conclude(results))
    except Suspected:
        raise
    except Exception as error:
        consumer.closing.log.unexpected(received.change, error)
        received.end([_unexpected(received, error)])


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
    """Count and log the results of records that have ended, each once, and publish the metrics."""
    for each in received:
        if each.results and not each.is_counted:
            each.is_counted = True
            consumer.closing.count(each.results)
    consumer.closing.measures.flush()
