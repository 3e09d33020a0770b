"""A batch of queue messages -> changes, side by side -> outcomes -> queue, journal, metrics.

Separate from replicating one change: here live the promises about messages. One bad record never fails its neighbours;
what failed for good lies in the dead-letter queue before its message goes; what may still succeed stays on the queue
and comes back after a growing delay. Changes of one key run one after the other, in S3's own order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cmp_to_key, partial
from typing import Protocol

from replicator.core.outcomes.backoff import delay
from replicator.core.outcomes.outcome import Outcome, Reason, Status, Temporary
from replicator.core.versions.change import Change, comes_after
from replicator.core.versions.events import Record, Unreadable, parse
from replicator.flows.change.record import Recorder, record_outcome
from replicator.flows.change.redelivery import Suspected
from replicator.flows.change.replicate import Services, note_completed, replicate
from replicator.flows.change.status_tag import StatusTags
from replicator.flows.delivery import Delivery, troubled
from replicator.flows.large.tidying import tidy
from replicator.flows.ports import Measures

TIME_FOR_SUSPECTS_MS = 10_000
"""What is worked on alone must begin this early in a batch, so that the function's own time-out is not its death."""
BACK_AFTER_DEATH = 150
"""Seconds after which a suspect comes back if it kills again: longer than the function may run, and no longer."""


@dataclass(frozen=True, slots=True)
class Message:
    """One SQS message. `redriven`: it comes from the dead-letter queue; `only`: for this destination, empty for all."""

    id: str
    receipt: str
    body: str
    receives: int
    redriven: bool = False
    only: str = ""


class Queue(Protocol):
    """The change queue."""

    def hide(self, receipt: str, seconds: int) -> None:
        """Let a message come back after so many seconds. Raises nothing: the queue's own time-out does it else."""


class Log(Protocol):
    """One line per outcome that is not COMPLETED."""

    def outcome(self, change: Change | None, outcome: Outcome) -> None:
        """Log one outcome."""

    def unexpected(self, change: Change | None, error: Exception) -> None:
        """Log an error that has no place in the error table, with its stack trace."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """What consuming needs beside the services of replication.

    `last_receive`: the receive after which SQS itself moves a message to the dead-letter queue, 0 if that is not known.
    `status_tags`: only where source versions are to be tagged.
    """

    services: Services
    queue: Queue
    recorder: Recorder
    measures: Measures
    log: Log
    jitter: Callable[[], float]
    last_receive: int = 0
    status_tags: StatusTags | None = None


@dataclass(slots=True)
class _Case:
    """One record of one message on its way through."""

    message: Message
    record: Record | Unreadable
    outcomes: list[Outcome] = field(default_factory=list)
    begun: int | None = None
    """How often it was tried alone; None unless it is suspected."""
    tidy: bool = True
    """Nothing is left of its uploads."""

    @property
    def change(self) -> Change | None:
        return self.record.change if isinstance(self.record, Record) else None


def consume(messages: Sequence[Message], consumer: Consumer) -> list[str]:
    """Work off a batch; return the ids of the messages that must come back."""
    started = consumer.services.now()
    cases = [_Case(message, record) for message in messages for record in parse(message.body)]
    consumer.services.side_by_side([partial(_process, group, consumer) for group in _by_key(cases)])
    suspects = [case for case in cases if case.begun is not None]
    _report([case for case in cases if case.begun is None], consumer)
    if suspects:
        _process_alone(suspects, started, consumer)
        _report(suspects, consumer)
    waiting = {case.message.id for case in cases if not case.tidy or not all(done.is_final for done in case.outcomes)}
    for message in messages:
        if message.id in waiting:
            consumer.queue.hide(message.receipt, delay(message.receives, consumer.jitter()))
    return [message.id for message in messages if message.id in waiting]


def _process_alone(suspects: Sequence[_Case], started: int, consumer: Consumer) -> None:
    """Work off one after the other what may kill the function, the likeliest last; what there is no time for waits."""
    for receipt in dict.fromkeys(case.message.receipt for case in suspects):
        consumer.queue.hide(receipt, BACK_AFTER_DEATH)
    for case in sorted(suspects, key=lambda case: case.begun or 0):
        if case.change and consumer.services.now() - started > TIME_FOR_SUSPECTS_MS:
            later = Temporary(Reason.FUNCTION_DIED, "it must be worked on alone, and the others of its batch took long")
            case.outcomes = [troubled(Status.PENDING, later, case.change, "")]
        else:
            _process_one(case, consumer, alone=True)


def _by_key(cases: Sequence[_Case]) -> list[list[_Case]]:
    """Group what concerns the same key, each group in S3's own order where that is known."""
    groups: dict[tuple[str, str], list[_Case]] = {}
    for case in cases:
        group = (case.change.bucket, case.change.key) if case.change else ("", "")
        groups.setdefault(group, []).append(case)
    return [sorted(group, key=cmp_to_key(_order)) for group in groups.values()]


def _order(one: _Case, other: _Case) -> int:
    a, b = (case.change.sequencer if case.change else "" for case in (one, other))
    return comes_after(a, b) - comes_after(b, a)


def _process(group: Sequence[_Case], consumer: Consumer) -> None:
    for case in group:
        try:
            _process_one(case, consumer, alone=False)
        except Suspected as suspected:
            case.begun = suspected.begun


def _process_one(case: _Case, consumer: Consumer, *, alone: bool) -> None:
    """Work off one record. What nobody foresaw, even in writing down what came of it, fails no neighbour."""
    try:
        _replicate_and_record(case, consumer, alone=alone)
    except Suspected:
        raise
    except Exception as error:
        consumer.log.unexpected(case.change, error)
        case.outcomes = [Outcome(Status.PENDING, Reason.UNKNOWN, type(error).__name__)]


def _replicate_and_record(case: _Case, consumer: Consumer, *, alone: bool) -> None:
    change, message = case.change, case.message
    delivery = Delivery(message.receives, message.redriven, message.id, alone)
    outcomes = _replicate(change, delivery, message.only, consumer) if change else [_malformed(case.record)]
    case.outcomes = [_record(case, outcome, delivery, consumer) for outcome in outcomes]
    if change and not all(outcome.is_final for outcome in case.outcomes):
        note_completed(change, case.outcomes, delivery, consumer.services)
    if change and consumer.status_tags:
        consumer.status_tags.update(change, case.outcomes)


def _replicate(change: Change, delivery: Delivery, only: str, consumer: Consumer) -> list[Outcome]:
    """Replicate one change. What nobody foresaw is temporary trouble of this change alone, told with its trace."""
    try:
        return replicate(change, delivery, consumer.services, only)
    except Suspected:
        raise
    except Exception as error:
        consumer.log.unexpected(change, error)
        return [troubled(Status.PENDING, Temporary(Reason.UNKNOWN, type(error).__name__), change, "")]


def _malformed(record: Record | Unreadable) -> Outcome:
    return Outcome(Status.FAILED, Reason.MALFORMED, record.why if isinstance(record, Unreadable) else "")


def _record(case: _Case, outcome: Outcome, delivery: Delivery, consumer: Consumer) -> Outcome:
    """Write an outcome down. What the queue would give up at its next receive fails here, with all that explains it."""
    if not outcome.is_final and 0 < consumer.last_receive <= delivery.attempts:
        detail = f"{outcome.detail}; given up after {delivery.attempts} attempts"
        outcome = replace(outcome, status=Status.FAILED, detail=detail)
    done = record_outcome(case.change, case.record.body, outcome, delivery, consumer.recorder)
    if case.change:
        case.tidy &= tidy(case.change, done, delivery, consumer.services.multipart)
    return done


def _report(cases: Sequence[_Case], consumer: Consumer) -> None:
    """Count every outcome in one go, and log those that are not COMPLETED."""
    for case in cases:
        for outcome in case.outcomes:
            source = case.change.bucket if case.change else ""
            for told in (outcome, *outcome.along):
                if not told.told:
                    consumer.measures.record(source, told)
            if outcome.status is not Status.COMPLETED:
                consumer.log.outcome(case.change, outcome)
    consumer.measures.flush()
