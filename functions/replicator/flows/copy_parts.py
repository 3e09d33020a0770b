"""A message of parts -> the parts, side by side -> once all are there, the decision for their change, once more.

Workers know nothing of order, winners or guards: who finds the upload complete has its change decided like any other,
and the same step that began the upload now completes it. A part that met temporary trouble is repeated, and only that
part; permanent trouble fails the object, and one worker tells of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.journal import Pair
from replicator.core.deciding.result import Result, ended, troubled
from replicator.core.deciding.target import Target
from replicator.core.outcomes.backoff import delay
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
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
from replicator.flows.change.consume import NOWHERE, Consumer, Message
from replicator.flows.change.replicate import replicate
from replicator.flows.large.ports import PAGE, Multipart, Uploads, all_there, in_lanes
from replicator.flows.large.tidying import abort_forgotten

SOON = 1
"""Seconds until a message comes back that ran out of time: other workers may have a go."""


@dataclass(frozen=True, slots=True)
class TimeBudget:
    """What one invocation may take: `may_begin` another part, as long as half of its time is left.

    hidden: seconds after which a message comes back whose worker died, far less than the queue's own.
    """

    may_begin: Callable[[], bool]
    hidden: int


class _TimeIsUp(Exception):
    """Parts are left that nobody began."""


def copy_parts(messages: Sequence[Message], consumer: Consumer, budget: TimeBudget) -> list[str]:
    """Process messages of parts; return the ids of those that must come back. LookupError without `multipart`."""
    multipart = consumer.services.multipart
    if multipart is None:
        raise LookupError("these services copy nothing in parts")
    waiting = [message.id for message in messages if not _process(message, consumer, multipart, budget)]
    consumer.closing.measures.flush()
    return waiting


def _process(message: Message, consumer: Consumer, multipart: Multipart, budget: TimeBudget) -> bool:
    """Process one message; False if it must come back."""
    parts, delivery = decode(message.body), _delivery(message)
    if isinstance(parts, Unreadable):
        attempt = Attempt(UNREADABLE, replace(delivery, body=message.body), NOWHERE)
        [malformed] = consumer.closing.conclude([ended(attempt, Status.FAILED, Reason.MALFORMED, parts.why)])
        consumer.closing.count([malformed])
        return malformed.is_done
    consumer.queue.hide(message.receipt, budget.hidden)
    attempt = Attempt(parts.change, delivery, Target(parts.destination, parts.account), consumer.services.threshold_ms)
    worker = _Worker(message, parts, attempt, consumer, multipart, budget)
    try:
        worker.run()
    except _TimeIsUp:
        consumer.queue.hide(message.receipt, SOON)
        return False
    except Temporary as trouble:
        consumer.closing.log.outcome(parts.change, troubled(attempt, trouble).outcome)
    except Exception as error:
        consumer.closing.log.unexpected(parts.change, error)
    else:
        return True
    consumer.queue.hide(message.receipt, delay(message.receives, consumer.jitter()))
    return False


def _delivery(message: Message) -> Delivery:
    return Delivery(message.receives, message=message.id, carried=True)


@dataclass(frozen=True, slots=True)
class _Worker:
    """One worker with one message."""

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
        """Copy, and carry the change on if all is there. Raises Temporary or _TimeIsUp: the message must come back."""
        try:
            self._copy_and_look()
        except Permanent as trouble:
            self._fail(self._troubled(trouble), self.parts.ref)
        except Temporary as trouble:
            given_up = self.consumer.closing.give_up(self._troubled(trouble))
            if not given_up.outcome.is_final:
                raise
            self._fail(given_up, self.parts.ref)

    def _troubled(self, trouble: Permanent | Temporary) -> Result:
        return troubled(self.attempt, trouble).but(rule_id=self.parts.rule_id)

    def _copy_and_look(self) -> None:
        if self.message.receives > 1 and not self._goes_on():
            return
        try:
            self._copy(self._missing())
            if not all_there(self.uploads, self.change.key, self.parts.upload_id, self.parts.parts):
                return
        except (UploadGone, SourceGone):
            pass  # the decision knows what that means: even of a change that is done, something may have to be put back
        self._decide_again()

    def _goes_on(self) -> bool:
        """Look at what became of the upload since the message was here; False if nothing is left to be copied."""
        upload = self.multipart.journal.find(self.pair, self.parts.source, self.change.item_id)
        if upload is None or upload.id != self.parts.upload_id:
            self._decide_again()  # whoever saw to it may have died, or not known what it was for
            abort_forgotten(self.pair, self.uploads, self.multipart)  # this message may have begun one
            return False
        if upload.failure and upload.failure.message == self.message.id:
            if self._is_completed():
                self._decide_again()  # it failed here while another handler got through: is all as it should be?
            else:
                self._fail(self._troubled(Permanent(upload.failure.reason, upload.failure.detail)), upload.ref)
        return upload.failure is None

    def _is_completed(self) -> bool:
        """Return whether a handler ended the change without a failure: copied, or left out as a deleted version is."""
        earlier = self.consumer.services.journal.earlier(self.pair, self.change.item_id)
        return earlier is not None and earlier.status is Status.COMPLETED

    # Parts

    def _missing(self) -> Sequence[PartRange]:
        """Return the parts to copy; those of a message that was here before are looked for."""
        if self.message.receives == 1:
            return self.parts.ranges
        first, last = self.parts.ranges[0].number, self.parts.ranges[-1].number
        there: dict[int, int] = {}
        for after in range(first - 1, last, PAGE):
            parts = self.uploads.parts(self.change.key, self.parts.upload_id, after)
            there |= {part.number: part.size for part in parts}
        return [part for part in self.parts.ranges if there.get(part.number) != part.size]

    def _copy(self, parts: Sequence[PartRange]) -> None:
        """Copy parts side by side. What one of them met keeps no other from being copied."""
        lanes = in_lanes(parts, self.multipart.model.side_by_side)
        copied = self.consumer.services.side_by_side([partial(self._copy_lane, lane) for lane in lanes])
        results = [result for lane in copied for result in lane]
        for kind in (Permanent, SourceGone, UploadGone, Temporary):
            for result in results:
                if isinstance(result, kind):
                    raise result
        if None in results:
            raise _TimeIsUp

    def _copy_lane(self, parts: Sequence[PartRange]) -> list[Part | Exception | None]:
        return [self._copy_one(part) for part in parts]

    def _copy_one(self, part: PartRange) -> Part | Exception | None:
        if not self.budget.may_begin():
            return None
        try:
            return self.uploads.copy_part(self.parts.upload_id, self.parts.source, part)
        except (Permanent, SourceGone, UploadGone, Temporary) as trouble:
            return trouble

    # The change

    def _decide_again(self) -> None:
        delivery = Delivery(message=self.message.id, carried=True)
        for result in replicate(self.change, delivery, self.consumer.services, only=self.parts.destination):
            outcome = result.outcome
            if outcome.status is Status.PENDING and not outcome.is_final:
                raise Temporary(outcome.reason or Reason.UNKNOWN, outcome.detail)
            if outcome.status is Status.FAILED:
                upload = self.multipart.journal.find(self.pair, self.parts.source, self.change.item_id)
                self._fail(result, upload.ref if upload else None)
            elif outcome.status is not Status.PENDING:
                self._conclude(result)

    def _fail(self, result: Result, upload: UploadRef | None) -> None:
        """Report a failure, unless another worker of the same upload does, or the upload has ended well."""
        outcome = result.outcome
        failure = Failure(outcome.reason or Reason.UNKNOWN, outcome.detail, self.message.id)
        if not result.trail.reported and (upload is None or self.multipart.journal.fail(self.pair, upload, failure)):
            self._conclude(result)

    def _conclude(self, result: Result) -> None:
        """Close the change. Raises Temporary as long as something of that is left to do."""
        delivery = replace(self.attempt.delivery, body=write(self.change))
        mine = replace(result, attempt=replace(result.attempt, delivery=delivery)).leaving(in_parts=True)
        [done] = self.consumer.closing.conclude([mine])
        if not done.outcome.is_final:
            raise Temporary(done.outcome.reason or Reason.UNKNOWN, done.outcome.detail)
        self.consumer.closing.count([done])
        if not done.is_done:
            raise Temporary(Reason.SERVICE, f"{done.outcome.status}, but something is left of its upload")
