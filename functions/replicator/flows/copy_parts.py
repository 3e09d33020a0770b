"""A message of parts -> the parts, side by side -> once all are there, the decision for their change, once more.

Workers know nothing of order, winners or guards: who finds the upload complete has its change decided like any other,
and the same step that began the upload now completes it. A part that met temporary trouble is repeated, and only that
part; permanent trouble fails the object, and one worker tells of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.backoff import delay
from replicator.core.outcomes.outcome import Outcome, Permanent, Reason, Status, Temporary
from replicator.core.parts.parts import PartRange
from replicator.core.parts.uploads import Failure, Part, PartsMessage, SourceGone, UploadGone, UploadRef, decode
from replicator.core.versions.change import Change
from replicator.core.versions.events import Unreadable, write
from replicator.flows.change.consume import Consumer, Message
from replicator.flows.change.record import record_outcome
from replicator.flows.change.replicate import replicate
from replicator.flows.delivery import Delivery, troubled
from replicator.flows.large.ports import PAGE, Multipart, Uploads, all_there, in_lanes
from replicator.flows.large.tidying import abort_forgotten, tidy

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
        raise LookupError("this services copies nothing in parts")
    waiting = [message.id for message in messages if not _process(message, consumer, multipart, budget)]
    consumer.measures.flush()
    return waiting


def _process(message: Message, consumer: Consumer, multipart: Multipart, budget: TimeBudget) -> bool:
    """Work off one message; False if it must come back."""
    told = decode(message.body)
    if isinstance(told, Unreadable):
        malformed = Outcome(Status.FAILED, Reason.MALFORMED, told.why)
        return record_outcome(None, message.body, malformed, Delivery(message.receives), consumer.recorder).is_final
    consumer.queue.hide(message.receipt, budget.hidden)
    worker = _Worker(message, told, consumer, multipart, budget)
    try:
        worker.run()
    except _TimeIsUp:
        consumer.queue.hide(message.receipt, SOON)
        return False
    except Temporary as trouble:
        consumer.log.outcome(told.change, troubled(Status.PENDING, trouble, told.change, told.destination))
    except Exception as error:
        consumer.log.unexpected(told.change, error)
    else:
        return True
    consumer.queue.hide(message.receipt, delay(message.receives, consumer.jitter()))
    return False


@dataclass(frozen=True, slots=True)
class _Worker:
    """One worker with one message."""

    message: Message
    told: PartsMessage
    consumer: Consumer
    multipart: Multipart
    budget: TimeBudget

    @property
    def change(self) -> Change:
        return self.told.change

    @property
    def pair(self) -> Pair:
        return Pair(self.change.bucket, self.told.destination, self.change.key)

    @property
    def uploads(self) -> Uploads:
        return self.multipart.uploads(self.told.destination, self.told.account)

    def run(self) -> None:
        """Copy, and carry the change on if all is there. Raises Temporary or _TimeIsUp: the message must come back."""
        try:
            self._copy_and_look()
        except Permanent as trouble:
            self._fail(self._troubled(trouble), self.told.ref)
        except Temporary as trouble:
            if not 0 < self.consumer.last_receive <= self.message.receives:
                raise
            given_up = Temporary(trouble.reason, f"{trouble.detail}; given up after {self.message.receives} attempts")
            self._fail(self._troubled(given_up), self.told.ref)

    def _troubled(self, trouble: Permanent | Temporary) -> Outcome:
        outcome = troubled(Status.FAILED, trouble, self.change, self.told.destination)
        return replace(outcome, rule_id=self.told.rule_id, in_parts=True)

    def _copy_and_look(self) -> None:
        if self.message.receives > 1 and not self._goes_on():
            return
        try:
            self._copy(self._missing())
            if not all_there(self.uploads, self.change.key, self.told.upload_id, self.told.parts):
                return
        except (UploadGone, SourceGone):
            pass  # the decision knows what that means: even of a change that is done, something may have to be put back
        self._decide_again()

    def _goes_on(self) -> bool:
        """Look at what became of the upload since the message was here; False if nothing is left to be copied."""
        upload = self.multipart.journal.find(self.pair, self.told.source, self.change.item_id)
        if upload is None or upload.id != self.told.upload_id:
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
        earlier = self.consumer.recorder.journal.earlier(self.pair, self.change.item_id)
        return earlier is not None and earlier.status is Status.COMPLETED

    # Parts

    def _missing(self) -> Sequence[PartRange]:
        """Return the parts to copy; those of a message that was here before are looked for."""
        if self.message.receives == 1:
            return self.told.ranges
        first, last = self.told.ranges[0].number, self.told.ranges[-1].number
        there: dict[int, int] = {}
        for after in range(first - 1, last, PAGE):
            parts = self.uploads.parts(self.change.key, self.told.upload_id, after)
            there |= {part.number: part.size for part in parts}
        return [part for part in self.told.ranges if there.get(part.number) != part.size]

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
            return self.uploads.copy_part(self.told.upload_id, self.told.source, part)
        except (Permanent, SourceGone, UploadGone, Temporary) as trouble:
            return trouble

    # The change

    def _decide_again(self) -> None:
        delivery = Delivery(message=self.message.id, carried=True)
        for outcome in replicate(self.change, delivery, self.consumer.services, only=self.told.destination):
            if outcome.status is Status.PENDING and not outcome.is_final:
                raise Temporary(outcome.reason or Reason.UNKNOWN, outcome.detail)
            if outcome.status is Status.FAILED:
                upload = self.multipart.journal.find(self.pair, self.told.source, self.change.item_id)
                self._fail(outcome, upload.ref if upload else None)
            elif outcome.status is not Status.PENDING:
                self._record(outcome)

    def _fail(self, outcome: Outcome, upload: UploadRef | None) -> None:
        """Tell of a failure, unless another worker of the same upload does, or the upload has ended well."""
        failure = Failure(outcome.reason or Reason.UNKNOWN, outcome.detail, self.message.id)
        if not outcome.told and (upload is None or self.multipart.journal.fail(self.pair, upload, failure)):
            self._record(outcome)

    def _record(self, outcome: Outcome) -> None:
        delivery = Delivery(self.message.receives, message=self.message.id, carried=True)
        done = record_outcome(self.change, write(self.change), outcome, delivery, self.consumer.recorder)
        if not done.is_final:
            raise Temporary(done.reason or Reason.UNKNOWN, done.detail)
        for counted in (done, *done.along):
            if not counted.told:
                self.consumer.measures.record(self.change.bucket, counted)
        if done.status is not Status.COMPLETED:
            self.consumer.log.outcome(self.change, done)
        if self.consumer.status_tags:
            self.consumer.status_tags.update(self.change, [done])
        if not tidy(self.change, replace(done, in_parts=True), delivery, self.multipart):
            raise Temporary(Reason.SERVICE, f"{done.status}, but something is left of its upload")
