"""A result -> dead-letter queue, journal, events: all that must be recorded before its message is deleted.

Separate from the rest of the closing sequence because the order of the steps matters: a failure is in the dead-letter
queue before the journal has it, in the journal before an event reports it, and the message's next delivery repeats each
step until the one after it is done. So after a crash an event may be published twice, but is never lost.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from replicator.core.deciding.result import Result
from replicator.core.outcomes.notices import Notice, NoticeKind, notice_of
from replicator.core.outcomes.outcome import Outcome, Permanent, Reason, Status, Temporary
from replicator.core.outcomes.parking import Parked, due_at, is_parked_now
from replicator.flows.ports import Earlier, Journal, Reported, Waiting


@dataclass(frozen=True, slots=True)
class FailedChange:
    """A change that failed for good, as the dead-letter queue keeps it. first_seen: epoch milliseconds."""

    body: str
    outcome: Outcome
    first_seen: int
    attempts: int


class DeadLetters(Protocol):
    """The dead-letter queue."""

    def dead_letter(self, failed: FailedChange) -> None:
        """Send a failure to the dead-letter queue. Raises Temporary or Permanent."""


class Notices(Protocol):
    """The event bus."""

    def publish(self, notices: Sequence[Notice]) -> None:
        """Publish events. Raises Temporary if that may succeed later; what never can is logged and dropped."""


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records the results of messages. `now` returns epoch milliseconds, `jitter` a number in [0, 1).

    enlist: makes sure that what is parked for a destination is found; raises Temporary.
    """

    journal: Journal
    dead_letters: DeadLetters
    notices: Notices
    now: Callable[[], int]
    enlist: Callable[[str], None] = lambda _destination: None
    jitter: Callable[[], float] = lambda: 0.0

    def record(self, result: Result) -> Result:
        """Record a result and return it with how it counts; PENDING if recording fails."""
        steps = {
            Status.PENDING: self._wait,
            Status.SKIPPED: self._skip,
            Status.FAILED: self._fail,
            Status.COMPLETED: self._complete,
        }
        try:
            companions = tuple(self._complete(each) for each in result.companions)
            return replace(steps[result.outcome.status](result), companions=companions)
        except (Temporary, Permanent) as trouble:
            reason, detail, side = trouble.parts
            waiting = result.with_outcome(status=Status.PENDING, reason=reason, detail=detail, side=side)
            return waiting.with_trail(unrecorded=True)

    def note_completed(self, results: Sequence[Result]) -> None:
        """Note what is completed, so that it is not decided again when the message comes back for another destination.

        Only saves requests: trouble here is ignored.
        """
        with suppress(Temporary, Permanent):
            for result in results:
                if result.outcome.status is Status.COMPLETED and not result.trail.reported:
                    attempt = result.attempt
                    self.journal.note_completed(
                        attempt.pair, attempt.change.item_id, attempt.delivery.message, self.now()
                    )

    # A change that waits, and one that was skipped

    def _wait(self, result: Result) -> Result:
        """Record what waits, parked or on its queue.

        If another delivery has completed the change meanwhile, its message comes back: what this one left behind must
        be checked.
        """
        if result.trail.reported:
            return result
        parked = self._parked(result)
        if not parked and not result.outcome.destination:
            return result
        if parked:
            self.enlist(result.outcome.destination)
        before = self._note_waiting(result, parked)
        is_completed = before is not None and before.status is Status.COMPLETED
        return result.with_trail(parked=parked is not None and not is_completed)

    def _parked(self, result: Result) -> Parked | None:
        """Return how a change is parked, if it is. Held changes and failed probes keep their place in the order."""
        change, delivery = result.attempt.change, result.attempt.delivery
        in_order = result.trail.held or delivery.probe or result.outcome.reason is Reason.NEW_CHAIN
        if not change.is_known or not (in_order or is_parked_now(delivery.receive_count, delivery.parked)):
            return None
        now = self.now()
        due = due_at(now, (change.time or now) if in_order else 0, delivery.parked, self.jitter())
        return Parked(due, delivery.body, tried=not in_order or delivery.came_back or delivery.probe)

    def close_nowhere(self, results: Sequence[Result]) -> list[Result]:
        """Close what was parked before its destinations were known, unless they are still unknown."""
        attempt = results[0].attempt
        if not any(result.trail.parked and not result.outcome.destination for result in results):
            nowhere = replace(attempt.pair, destination="")
            try:
                self.journal.close(nowhere, attempt.change.item_id, self.now())
            except (Temporary, Permanent):
                return [result.with_trail(needs_cleanup=True) for result in results]
        return list(results)

    def _skip(self, result: Result) -> Result:
        """Close what waited. Of several workers that find the version of their parts deleted, only one reports it."""
        delivery = result.attempt.delivery
        if (delivery.has_entry or result.trail.in_parts) and result.outcome.destination:
            return result.with_trail(reported=self._close(result) is None and delivery.from_part_queue)
        return result

    # A failure

    def _fail(self, result: Result) -> Result:
        """Claim -> dead-letter queue -> journal -> events -> note. An earlier delivery may have done some of it."""
        change, outcome = result.attempt.change, result.outcome
        if result.trail.reported:
            return result
        if not result.trail.dead_lettered:
            if (done := self._reported_by_another(result)) is not None:
                return done
            delivery = result.attempt.delivery
            self.dead_letters.dead_letter(FailedChange(delivery.body, outcome, change.time, delivery.receive_count))
        if not outcome.destination:  # no rule is known, or not even a change: the journal has no place for it
            return result.with_score(within=False) if change.is_known else result
        before = self._note_waiting(result)
        if before and before.status is Status.COMPLETED:
            return self._completed_by_another(result)
        counted = before is not None and before.counted_against and not _crashed_before_reporting(before)
        missed = not (before and before.counted_against) and self.now() - change.time > outcome.threshold_ms
        self._publish(result, *((NoticeKind.MISSED,) if missed else ()), NoticeKind.FAILED)
        self.journal.note_reported(result.attempt.pair, change.item_id, Reported.FAILED)
        return result.with_score(within=None if counted else False, missed=missed)

    def _reported_by_another(self, result: Result) -> Result | None:
        """Claim the failure. Return a result if another message of the change reports it, did so, or completed it.

        A message that is reporting it stays on the queue until that is done. A redriven change claims nothing.
        """
        attempt = result.attempt
        if attempt.delivery.redriven or not result.outcome.destination:
            return None
        claimant = attempt.delivery.message
        before = self.journal.claim_failure(attempt.pair, attempt.change.item_id, self.now(), claimant)
        if before is None:
            return None
        return (
            self._completed_by_another(result)
            if before.status is Status.COMPLETED
            else result.with_trail(reported=True)
        )

    def _completed_by_another(self, result: Result) -> Result:
        """Return a failure as COMPLETED, because another delivery completed the change.

        But if this delivery, or an earlier one of its message, may have left a plan half done, the message comes back
        until the top of the destination has been checked; not where a later change found its replica deleted for good,
        because what it may have left was that replica.
        """
        is_gone = bool(result.attempt.change.amends) and result.outcome.reason is Reason.DST_VERSION_NOT_FOUND
        if not is_gone and (result.trail.midway or result.attempt.delivery.came_back):
            return result.with_outcome(
                status=Status.PENDING, detail=f"{result.outcome.detail}; its plan may be half done"
            )
        return result.with_outcome(status=Status.COMPLETED, reason=None).with_trail(reported=True)

    # A completed change

    def _complete(self, result: Result) -> Result:
        """Report it if it is late, then close what waited. Others that were not repeated need no request here.

        A late result keeps the reason why it waited.
        """
        outcome, repeated = result.outcome, result.attempt.delivery.has_entry or result.trail.in_parts
        if result.trail.reported:
            return self._complete_again(result) if repeated else result
        mine = outcome.is_late and self._report_late(result)
        before = self._close(result) if outcome.is_late or repeated else None
        if outcome.is_late:
            why = (before.reason if before else None) or Reason.WAITED
            return result.with_outcome(reason=why).with_score(within=False if mine else None, missed=mine)
        return result.with_score(within=None if before and before.counted_against else True)

    def _complete_again(self, result: Result) -> Result:
        """Finish the recording of a completed change, if the delivery that completed it crashed before that."""
        attempt, outcome = result.attempt, result.outcome
        before = self.journal.earlier(attempt.pair, attempt.change.item_id)
        late = outcome.is_late or (before is not None and before.missed_claimed)
        if (before is None and not late) or (before is not None and before.status is Status.COMPLETED):
            return result
        mine = late and self._report_late(result)
        self._close(result)
        if not late or not outcome.latency_ms:
            return result
        return result.with_trail(reported=False).with_score(within=False if mine else None, missed=mine)

    def _report_late(self, result: Result) -> bool:
        """Publish the events of a late replica. Return whether its missed threshold was among them."""
        attempt = result.attempt
        claimant = attempt.delivery.message
        mine = self.journal.claim_missed(attempt.pair, attempt.change.item_id, self.now(), claimant)
        self._publish(result, *((NoticeKind.MISSED,) if mine else ()), NoticeKind.AFTER)
        return mine

    # Requests

    def _publish(self, result: Result, *kinds: NoticeKind) -> None:
        self.notices.publish([notice_of(kind, result.attempt.change, result.outcome) for kind in kinds])

    def _close(self, result: Result) -> Earlier | None:
        return self.journal.close(result.attempt.pair, result.attempt.change.item_id, self.now())

    def _note_waiting(self, result: Result, parked: Parked | None = None) -> Earlier | None:
        pair = replace(result.attempt.pair, destination=result.outcome.destination)
        return self.journal.wait(pair, Waiting.of(result.attempt, result.outcome, self.now(), parked))


def _crashed_before_reporting(before: Earlier) -> bool:
    return before.status is Status.FAILED and not before.failure_reported and not before.missed_claimed
