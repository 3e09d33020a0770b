"""An outcome -> dead-letter queue, journal, events: all that must be true before its message goes.

Separate from consuming because the order of the steps is the point: a failure lies in the dead-letter queue before the
journal says so, the journal says so before an event tells of it, and each step is repeated by the message's next
delivery until the one after it is done. So whoever dies in between costs an event twice at worst, and never one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.notices import Notice, NoticeKind, notice_of
from replicator.core.outcomes.outcome import Outcome, Permanent, Reason, Status, Temporary
from replicator.core.versions.change import Change, ChangeKind
from replicator.flows.delivery import Delivery, waiting
from replicator.flows.ports import Earlier, Journal, Reported, Waiting


@dataclass(frozen=True, slots=True)
class FailedChange:
    """A change that failed for good, as the dead-letter queue keeps it. `first_seen` is epoch milliseconds."""

    body: str
    outcome: Outcome
    first_seen: int
    attempts: int


class DeadLetters(Protocol):
    """Where failures lie."""

    def dead_letter(self, letter: FailedChange) -> None:
        """Put a failure into the dead-letter queue. Raises Temporary or Permanent if that does not work."""


class Notices(Protocol):
    """Where events go."""

    def publish(self, notices: Sequence[Notice]) -> None:
        """Send events. Raises Temporary if they may go out later; what never can is logged and given up."""


@dataclass(frozen=True, slots=True)
class Recorder:
    """Where outcomes are written down. `threshold_ms` is the stack's own, for rules that say nothing."""

    journal: Journal
    letters: DeadLetters
    notices: Notices
    now: Callable[[], int]
    threshold_ms: int


@dataclass(frozen=True, slots=True)
class _Case:
    """One change at one destination, with what came of it."""

    change: Change
    outcome: Outcome
    delivery: Delivery
    body: str
    recorder: Recorder

    @property
    def pair(self) -> Pair:
        return Pair(self.change.bucket, self.outcome.destination, self.change.key)


def record_outcome(
    change: Change | None, body: str, outcome: Outcome, delivery: Delivery, recorder: Recorder
) -> Outcome:
    """Write an outcome down, and say how it counts; if that does not work, the change itself must wait.

    `change` is None for a message that could not be read.
    """
    outcome = replace(outcome, threshold_ms=outcome.threshold_ms or recorder.threshold_ms)
    try:
        if change is None:
            recorder.letters.dead_letter(FailedChange(body, outcome, 0, delivery.attempts))
            return outcome
        along = tuple(_record_companion(change, companion, recorder) for companion in outcome.along)
        return replace(_STEPS[outcome.status](_Case(change, outcome, delivery, body, recorder)), along=along)
    except (Temporary, Permanent) as trouble:
        return replace(outcome, status=Status.PENDING, reason=trouble.reason, detail=trouble.detail)


def _record_companion(change: Change, outcome: Outcome, recorder: Recorder) -> Outcome:
    """Write down a version that was copied along; its own event finds it done, and says nothing more of it."""
    if outcome.origin is None:
        return outcome
    kind, time = ChangeKind.CREATED, outcome.origin.modified * 1000
    own = replace(change, kind=kind, version_id=outcome.origin.version_id, time=time, size=outcome.size)
    outcome = replace(outcome, threshold_ms=outcome.threshold_ms or recorder.threshold_ms)
    return _complete(_Case(own, outcome, Delivery(), "", recorder))


def _wait(case: _Case) -> Outcome:
    if case.outcome.destination and not case.outcome.told:
        case.recorder.journal.wait(case.pair, _waiting(case))
    return case.outcome


def _skip(case: _Case) -> Outcome:
    """Close what waited. Of all the workers that find the version of their parts gone, the first one tells."""
    if (case.delivery.repeated or case.outcome.in_parts) and case.outcome.destination:
        return replace(case.outcome, told=_close(case) is None and case.delivery.carried)
    return case.outcome


def _fail(case: _Case) -> Outcome:
    """Claim -> dead-letter queue -> journal -> event -> reported. `buried`: an earlier delivery came that far."""
    change, outcome, recorder = case.change, case.outcome, case.recorder
    if outcome.told:
        return outcome
    if not outcome.buried:
        if (done := _told_by_another(case)) is not None:
            return done
        recorder.letters.dead_letter(FailedChange(case.body, outcome, change.time, case.delivery.attempts))
    if not outcome.destination:
        return replace(outcome, within=False)  # nobody knows where it should have gone
    before = recorder.journal.wait(case.pair, _waiting(case))
    if before and before.status is Status.COMPLETED:
        return _got_through(case)
    counted = before is not None and before.against and not _died_before_telling(before)
    missed = not (before and before.against) and recorder.now() - change.time > outcome.threshold_ms
    kinds = (NoticeKind.MISSED, NoticeKind.FAILED) if missed else (NoticeKind.FAILED,)
    recorder.notices.publish([notice_of(kind, change, outcome) for kind in kinds])
    recorder.journal.note_reported(case.pair, change.item_id, Reported.FAILED)
    return replace(outcome, within=None if counted else False, missed=missed)


def _told_by_another(case: _Case) -> Outcome | None:
    """Claim the failure; return the outcome if a duplicate of the event told of it, or is at it, or got through.

    Who is at it comes back until it is done: its message stays on the queue. A redriven change tries anew.
    """
    if case.delivery.redriven or not case.outcome.destination:
        return None
    recorder, item_id = case.recorder, case.change.item_id
    before = recorder.journal.claim_failure(case.pair, item_id, recorder.now(), case.delivery.message)
    if before is None:
        return None
    return _got_through(case) if before.status is Status.COMPLETED else replace(case.outcome, told=True)


def _got_through(case: _Case) -> Outcome:
    """Return what a failure is worth once another delivery completed the change: nothing any more.

    Unless it, or an earlier delivery of its message, may have left a plan in the middle: then the message comes back
    until what was left on top has been looked at.
    """
    outcome = case.outcome
    if outcome.midway or case.delivery.came_back:
        return replace(outcome, status=Status.PENDING, detail=f"{outcome.detail}; its plan may be half done")
    return replace(outcome, status=Status.COMPLETED, reason=Reason.ALREADY_THERE, told=True)


def _complete(case: _Case) -> Outcome:
    """Tell of a late arrival, then close what waited. Only a late or repeated one touches the journal again.

    What is late keeps the reason that it waited for.
    """
    outcome, delivery = case.outcome, case.delivery
    if outcome.told:
        return _complete_again(case) if delivery.repeated or outcome.in_parts else outcome
    mine = outcome.is_late and _announce(case)
    before = _close(case) if outcome.is_late or delivery.repeated or outcome.in_parts else None
    if outcome.is_late:
        why = (before.reason if before else None) or Reason.WAITED
        return replace(outcome, reason=why, within=False if mine else None, missed=mine)
    return replace(outcome, within=None if before and before.against else True)


def _complete_again(case: _Case) -> Outcome:
    """Finish what a delivery left undone that died after the replica was there, or close what another message did."""
    outcome, item_id = case.outcome, case.change.item_id
    before = case.recorder.journal.earlier(case.pair, item_id)
    late = outcome.is_late or (before is not None and before.missed)
    if (before is None and not late) or (before is not None and before.status is Status.COMPLETED):
        return outcome
    mine = late and _announce(case)
    _close(case)
    if not late or not outcome.latency_ms:
        return outcome
    return replace(outcome, told=False, within=False if mine else None, missed=mine)


def _announce(case: _Case) -> bool:
    """Send the events of a late arrival; True if that it missed its threshold was told here, not by the monitor."""
    change, recorder = case.change, case.recorder
    mine = recorder.journal.claim_missed(case.pair, change.item_id, recorder.now(), case.delivery.message)
    kinds = (NoticeKind.MISSED, NoticeKind.AFTER) if mine else (NoticeKind.AFTER,)
    recorder.notices.publish([notice_of(kind, change, case.outcome) for kind in kinds])
    return mine


def _close(case: _Case) -> Earlier | None:
    return case.recorder.journal.close(case.pair, case.change.item_id, case.recorder.now())


def _waiting(case: _Case) -> Waiting:
    return waiting(case.change, case.outcome, case.delivery.attempts, case.recorder.now())


def _died_before_telling(before: Earlier) -> bool:
    return before.status is Status.FAILED and not before.failed and not before.missed


_STEPS = {Status.PENDING: _wait, Status.SKIPPED: _skip, Status.FAILED: _fail, Status.COMPLETED: _complete}
