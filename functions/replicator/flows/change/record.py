"""A result -> dead-letter queue, journal, events: all that must be true before its message goes.

Separate from the rest of the closing sequence because the order of the steps is the point: a failure is in the
dead-letter queue before the journal says so, the journal says so before an event reports it, and each step is repeated
by the message's next delivery until the one after it is done. So a handler that dies in between costs an event twice at
worst, and never one.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from replicator.core.deciding.result import Result
from replicator.core.outcomes.notices import Notice, NoticeKind, notice_of
from replicator.core.outcomes.outcome import Outcome, Permanent, Reason, Status, Temporary
from replicator.flows.ports import Earlier, Journal, Reported, waiting


@dataclass(frozen=True, slots=True)
class FailedChange:
    """A change that failed for good, as the dead-letter queue keeps it. `first_seen` is epoch milliseconds."""

    body: str
    outcome: Outcome
    first_seen: int
    attempts: int


class DeadLetters(Protocol):
    """Where failures go."""

    def dead_letter(self, failed: FailedChange) -> None:
        """Put a failure into the dead-letter queue. Raises Temporary or Permanent if that does not work."""


class Notices(Protocol):
    """Where events go."""

    def publish(self, notices: Sequence[Notice]) -> None:
        """Send events. Raises Temporary if they may go out later; what never can is logged and given up."""


@dataclass(frozen=True, slots=True)
class Recorder:
    """Where the results of messages are written down. `now` returns epoch milliseconds."""

    journal: Journal
    dead_letters: DeadLetters
    notices: Notices
    now: Callable[[], int]

    def record(self, result: Result) -> Result:
        """Write a result down, and say how it counts; if that does not work, the change itself must wait."""
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
            return result.but(status=Status.PENDING, reason=trouble.reason, detail=trouble.detail)

    def note_completed(self, results: Sequence[Result]) -> None:
        """Spare what is completed a second look when the message comes back for the sake of another destination.

        Only saves requests: trouble here affects nothing.
        """
        with suppress(Temporary, Permanent):
            for result in results:
                if result.outcome.status is Status.COMPLETED and not result.trail.reported:
                    attempt = result.attempt
                    self.journal.note_completed(
                        attempt.pair, attempt.change.item_id, attempt.delivery.message, self.now()
                    )

    # A change that waits, and one that was left out

    def _wait(self, result: Result) -> Result:
        if result.outcome.destination and not result.trail.reported:
            self._note_waiting(result)
        return result

    def _skip(self, result: Result) -> Result:
        """Close what waited. Of all the workers that find the version of their parts gone, the first one reports it."""
        delivery = result.attempt.delivery
        if (delivery.repeated or result.trail.in_parts) and result.outcome.destination:
            return result.leaving(reported=self._close(result) is None and delivery.carried)
        return result

    # A failure

    def _fail(self, result: Result) -> Result:
        """Claim -> dead-letter queue -> journal -> event -> reported. An earlier delivery may have begun it."""
        change, outcome = result.attempt.change, result.outcome
        if result.trail.reported:
            return result
        if not result.trail.dead_lettered:
            if (done := self._reported_by_another(result)) is not None:
                return done
            delivery = result.attempt.delivery
            self.dead_letters.dead_letter(FailedChange(delivery.body, outcome, change.time, delivery.attempts))
        if not outcome.destination:  # nobody knows where it should have gone, or what it was
            return result.counting(within=False) if change.is_known else result
        before = self._note_waiting(result)
        if before and before.status is Status.COMPLETED:
            return self._got_through(result)
        counted = before is not None and before.against and not _died_before_reporting(before)
        missed = not (before and before.against) and self.now() - change.time > outcome.threshold_ms
        self._publish(result, *((NoticeKind.MISSED,) if missed else ()), NoticeKind.FAILED)
        self.journal.note_reported(result.attempt.pair, change.item_id, Reported.FAILED)
        return result.counting(within=None if counted else False, missed=missed)

    def _reported_by_another(self, result: Result) -> Result | None:
        """Claim the failure; return the result if a duplicate of the event reported it, or is at it, or got through.

        Who is at it comes back until it is done: its message stays on the queue. A redriven change tries anew.
        """
        attempt = result.attempt
        if attempt.delivery.redriven or not result.outcome.destination:
            return None
        claimant = attempt.delivery.message
        before = self.journal.claim_failure(attempt.pair, attempt.change.item_id, self.now(), claimant)
        if before is None:
            return None
        return self._got_through(result) if before.status is Status.COMPLETED else result.leaving(reported=True)

    def _got_through(self, result: Result) -> Result:
        """Return what a failure is worth once another delivery completed the change: nothing any more.

        Unless it, or an earlier delivery of its message, may have left a plan in the middle: then the message comes
        back until what was left on top has been looked at.
        """
        if result.trail.midway or result.attempt.delivery.came_back:
            return result.but(status=Status.PENDING, detail=f"{result.outcome.detail}; its plan may be half done")
        return result.but(status=Status.COMPLETED, reason=Reason.ALREADY_THERE).leaving(reported=True)

    # A completed change

    def _complete(self, result: Result) -> Result:
        """Report a late arrival, then close what waited. Only a late or repeated one touches the journal again.

        What is late keeps the reason that it waited for.
        """
        outcome, looked_at_again = result.outcome, result.attempt.delivery.repeated or result.trail.in_parts
        if result.trail.reported:
            return self._complete_again(result) if looked_at_again else result
        mine = outcome.is_late and self._report_late(result)
        before = self._close(result) if outcome.is_late or looked_at_again else None
        if outcome.is_late:
            why = (before.reason if before else None) or Reason.WAITED
            return result.but(reason=why).counting(within=False if mine else None, missed=mine)
        return result.counting(within=None if before and before.against else True)

    def _complete_again(self, result: Result) -> Result:
        """Finish what a delivery left undone that died after the replica was there, or close what another one did."""
        attempt, outcome = result.attempt, result.outcome
        before = self.journal.earlier(attempt.pair, attempt.change.item_id)
        late = outcome.is_late or (before is not None and before.missed)
        if (before is None and not late) or (before is not None and before.status is Status.COMPLETED):
            return result
        mine = late and self._report_late(result)
        self._close(result)
        if not late or not outcome.latency_ms:
            return result
        return result.leaving(reported=False).counting(within=False if mine else None, missed=mine)

    def _report_late(self, result: Result) -> bool:
        """Send the events of a late arrival; True if its missed threshold was reported here, not by the monitor."""
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

    def _note_waiting(self, result: Result) -> Earlier | None:
        return self.journal.wait(result.attempt.pair, waiting(result.attempt, result.outcome, self.now()))


def _died_before_reporting(before: Earlier) -> bool:
    return before.status is Status.FAILED and not before.failed and not before.missed
