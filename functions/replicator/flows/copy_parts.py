"""A part message -> copy its parts, side by side -> once all parts are there, decide their change again.

Workers know nothing about order, winners or guards: the worker that finds all parts has their change decided like any
other, and the step that started the upload then completes it. Temporary trouble repeats only the parts that met it.
Permanent trouble fails the change, and one worker reports that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.journal import Pair
from replicator.core.deciding.result import Result, ended, troubled
from replicator.core.deciding.target import NO_TARGET, Target
from replicator.core.outcomes.backoff import delay
from replicator.core.outcomes.outcome import Outcome, Permanent, Reason, Status, Temporary
from replicator.core.outcomes.parking import Parked, due_at, is_parked_now
from replicator.core.parts.parts import PartRange
from replicator.core.parts.uploads import (
    Failure,
    Part,
    PartsMessage,
    SourceGone,
    UploadGone,
    UploadRef,
    decode,
)
from replicator.core.versions.change import UNREADABLE, Change
from replicator.core.versions.events import Unreadable, write
from replicator.flows.change.consume import Consumer, Message
from replicator.flows.change.replicate import replicate
from replicator.flows.change.whose_key import name_side
from replicator.flows.large.cleanup import abort_unrecorded
from replicator.flows.large.parts import all_there, in_lanes
from replicator.flows.large.ports import PAGE, Multipart, Uploads

SOON = 1
"""Seconds after which a message that ran out of time comes back, possibly to another worker."""


@dataclass(frozen=True, slots=True)
class TimeBudget:
    """The time of one invocation. may_begin: whether another part may still be started.

    hidden: seconds after which a message comes back if its worker crashes; much less than the queue's own timeout.
    """

    may_begin: Callable[[], bool]
    hidden: int


class _OutOfTime(Exception):
    """Some parts were not started."""


def copy_parts(messages: Sequence[Message], consumer: Consumer, budget: TimeBudget) -> list[str]:
    """Process part messages; return the ids of those that must come back. Raises LookupError without `multipart`."""
    multipart = consumer.services.multipart
    if multipart is None:
        raise LookupError("the services have no multipart")
    gatekeeper = consumer.services.gatekeeper
    if gatekeeper:
        gatekeeper.look()
    waiting = [message.id for message in messages if not _process(message, consumer, multipart, budget)]
    if gatekeeper:
        gatekeeper.close_batch()
    consumer.closing.measures.flush()
    return waiting


def _process(message: Message, consumer: Consumer, multipart: Multipart, budget: TimeBudget) -> bool:
    """Process one message. Return False if it must come back."""
    parts, delivery = decode(message.body), _delivery(message)
    if isinstance(parts, Unreadable):
        attempt = Attempt(UNREADABLE, replace(delivery, body=message.body), NO_TARGET)
        [malformed] = consumer.closing.conclude([ended(attempt, Status.FAILED, Reason.MALFORMED, parts.why)])
        consumer.closing.count([malformed])
        return malformed.is_done
    attempt = Attempt(parts.change, delivery, Target(parts.destination, parts.account), consumer.services.threshold_ms)
    worker = _Worker(message, parts, attempt, consumer, multipart, budget)
    gatekeeper = consumer.services.gatekeeper
    if gatekeeper and gatekeeper.hold(attempt):
        return worker.park(parts.change.time) or _come_back(message, consumer)
    consumer.queue.hide(message.receipt, budget.hidden)
    try:
        worker.run()
    except _OutOfTime:
        consumer.queue.hide(message.receipt, SOON)
        return False
    except Temporary as trouble:
        worker.saw(troubled(attempt, trouble))
        consumer.closing.log.outcome(parts.change, troubled(attempt, trouble).outcome)
    except Exception as error:
        consumer.closing.log.unexpected(parts.change, error)
    else:
        worker.saw(Result(attempt, Outcome(Status.COMPLETED, destination=parts.destination)))
        return True
    if is_parked_now(message.receive_count, message.parked):
        return worker.park() or _come_back(message, consumer)
    return _come_back(message, consumer)


def _come_back(message: Message, consumer: Consumer) -> bool:
    """Let a message come back after a growing delay; return that it is not done."""
    consumer.queue.hide(message.receipt, delay(message.receive_count, consumer.jitter()))
    return False


def _delivery(message: Message) -> Delivery:
    return Delivery(
        message.receive_count, message=message.id, from_part_queue=True, parked=message.parked, probe=message.probe
    )


@dataclass(frozen=True, slots=True)
class _Worker:
    """Processes one message."""

    message: Message
    parts: PartsMessage
    attempt: Attempt
    consumer: Consumer
    multipart: Multipart
    budget: TimeBudget

    @property
    def change(self) -> Change:
        return self.attempt.change

    @property
    def pair(self) -> Pair:
        return self.attempt.pair

    @property
    def uploads(self) -> Uploads:
        return self.multipart.uploads(self.attempt.target)

    def run(self) -> None:
        """Copy the parts, and decide the change if all are there. Raises Temporary or _OutOfTime to try again."""
        try:
            self._copy_and_check()
        except Permanent as trouble:
            self._fail(self._troubled(trouble), self.parts.ref)
        except Temporary as trouble:
            given_up = self.consumer.closing.give_up(self._troubled(trouble))
            if not given_up.outcome.is_final:
                raise
            self._fail(given_up, self.parts.ref)

    def _troubled(self, trouble: Permanent | Temporary) -> Result:
        return troubled(self.attempt, trouble).with_outcome(rule_id=self.parts.rule_id)

    def _copy_and_check(self) -> None:
        if self.message.receive_count > 1 and not self._is_unfinished():
            return
        try:
            self._copy(self._missing())
            if not all_there(self.uploads, self.change.key, self.parts.upload_id, self.parts.parts):
                return
        except (UploadGone, SourceGone):
            pass  # the decision handles that: even if the change is done, something may have to be put back on top
        self._decide_again()

    def _is_unfinished(self) -> bool:
        """Return whether there are parts left to copy, for a message that was received before."""
        upload = self.multipart.journal.find(self.pair, self.parts.source, self.change.item_id)
        if upload is None or upload.id != self.parts.upload_id:
            self._decide_again()  # its handler may have crashed, or aborted it without knowing this change
            abort_unrecorded(self.pair, self.uploads, self.multipart)  # this message may have started one
            return False
        if upload.failure and upload.failure.message == self.message.id:
            if self._is_completed():
                self._decide_again()  # it failed here, another handler completed it: check what is on top
            else:
                self._fail(self._troubled(Permanent(upload.failure.reason, upload.failure.detail)), upload.ref)
        return upload.failure is None

    def _is_completed(self) -> bool:
        """Return whether a handler completed the change, or skipped it because its version was deleted."""
        earlier = self.consumer.services.journal.earlier(self.pair, self.change.item_id)
        return earlier is not None and earlier.status is Status.COMPLETED

    # The gate

    def saw(self, result: Result) -> None:
        """Take what came of the parts as evidence about the destination."""
        if self.consumer.services.gatekeeper:
            self.consumer.services.gatekeeper.saw(result)

    def park(self, came: int = 0) -> bool:
        """Park the message, due when its turn is (`came`, epoch ms) or after a delay. Return False if that failed."""
        services, message = self.consumer.services, self.message
        now = services.now()
        came = came or (self.change.time if message.probe else 0)
        due = due_at(now, came, message.parked, self.consumer.jitter())
        try:
            services.enlist(self.pair.destination)
            first = self.parts.ranges[0].number
            self.multipart.journal.park(self.pair, self.parts.upload_id, first, Parked(due, message.body))
        except Temporary as trouble:
            self.consumer.closing.log.incomplete(f"parts of {self.change.key} could not be parked: {trouble}")
            return False
        return True

    # Parts

    def _missing(self) -> Sequence[PartRange]:
        """Return the parts to copy. Those of a message that was received before may exist already."""
        if self.message.receive_count == 1:
            return self.parts.ranges
        first, last = self.parts.ranges[0].number, self.parts.ranges[-1].number
        there: dict[int, int] = {}
        for after in range(first - 1, last, PAGE):
            parts = self.uploads.parts(self.change.key, self.parts.upload_id, after)
            there |= {part.number: part.size for part in parts}
        return [part for part in self.parts.ranges if there.get(part.number) != part.size]

    def _copy(self, parts: Sequence[PartRange]) -> None:
        """Copy parts side by side. An error of one part does not stop the others, and is raised at the end."""
        lanes = in_lanes(parts, self.multipart.model.side_by_side)
        copied = self.consumer.services.side_by_side([partial(self._copy_lane, lane) for lane in lanes])
        results = [result for lane in copied for result in lane]
        for kind in (Permanent, SourceGone, UploadGone, Temporary):
            for result in results:
                if isinstance(result, kind):
                    raise self._of_its_side(result) if isinstance(result, Permanent) else result
        if None in results:
            raise _OutOfTime

    def _of_its_side(self, trouble: Permanent) -> Permanent:
        """Return the trouble of copying parts with the reason of the side that causes it."""
        copied = self.parts.source
        if copied.bucket != self.pair.source:
            return trouble
        return name_side(trouble, self.consumer.services.buckets.source(copied.bucket), copied.key, copied.version_id)

    def _copy_lane(self, parts: Sequence[PartRange]) -> list[Part | Exception | None]:
        return [self._copy_one(part) for part in parts]

    def _copy_one(self, part: PartRange) -> Part | Exception | None:
        if not self.budget.may_begin():
            return None
        try:
            return self.uploads.copy_part(self.parts.upload_id, self.parts.source, part, whole=self.parts.parts == 1)
        except (Permanent, SourceGone, UploadGone, Temporary) as trouble:
            return trouble

    # The change

    def _decide_again(self) -> None:
        delivery = replace(self.attempt.delivery, receive_count=1, part_receives=self.message.receive_count)
        for result in replicate(self.change, delivery, self.consumer.services, only=self.parts.destination):
            outcome = result.outcome
            if outcome.status is Status.PENDING and not outcome.is_final:
                raise Temporary(outcome.reason or Reason.UNKNOWN, outcome.detail, outcome.side)
            if outcome.status is Status.FAILED:
                upload = self.multipart.journal.find(self.pair, self.parts.source, self.change.item_id)
                self._fail(result, upload.ref if upload else None)
            elif outcome.status is not Status.PENDING:
                self._conclude(result)

    def _fail(self, result: Result, upload: UploadRef | None) -> None:
        """Report a failure, unless another worker of the same upload does, or the upload was completed."""
        outcome = result.outcome
        failure = Failure(outcome.reason or Reason.UNKNOWN, outcome.detail, self.message.id)
        if not result.trail.reported and (upload is None or self.multipart.journal.fail(self.pair, upload, failure)):
            self._conclude(result)

    def _conclude(self, result: Result) -> None:
        """Conclude the change. Raises Temporary if that could not be finished."""
        delivery = replace(self.attempt.delivery, body=write(self.change))
        mine = replace(result, attempt=replace(result.attempt, delivery=delivery)).with_trail(in_parts=True)
        [done] = self.consumer.closing.conclude([mine])
        if not done.outcome.is_final:
            raise Temporary(done.outcome.reason or Reason.UNKNOWN, done.outcome.detail)
        self.consumer.closing.count([done])
        if not done.is_done:
            raise Temporary(Reason.SERVICE, f"{done.outcome.status}, but its upload could not be removed")
