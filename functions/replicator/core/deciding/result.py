"""The result of an attempt: its outcome, the trail that deliveries left behind, and the score, how it counts.

Separate from the outcome, which is what people and metrics see: trail and score say what must still be recorded,
cleaned up and counted.
"""

from dataclasses import dataclass, replace
from typing import Any

from replicator.core.deciding.attempt import Attempt
from replicator.core.outcomes.outcome import Outcome, Reason, Status, Temporary, Trouble


@dataclass(frozen=True, slots=True)
class Trail:
    """What this delivery and earlier ones left behind.

    reported: another delivery recorded and counted it already. dead_lettered: an earlier delivery put it into the
    dead-letter queue. in_parts: there may be uploads to clean up. midway: it failed after it had written something, so
    the top of the destination must be checked even if another handler completes the change. needs_cleanup: something
    could not be removed, and its message should come back for that. held: nothing was asked, because the gate of the
    destination is not open. parked: it waits in the journal, and its message may go. unrecorded: it
    waits, but the journal does not say so.
    """

    reported: bool = False
    dead_lettered: bool = False
    in_parts: bool = False
    midway: bool = False
    needs_cleanup: bool = False
    held: bool = False
    parked: bool = False
    unrecorded: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """How a result counts.

    within: whether it counts as within its threshold; None if it was counted before, or is not final. missed: it is
    counted in OperationsMissedThreshold.
    """

    within: bool | None = None
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one attempt. companions: results of other versions that the same plan copied, all COMPLETED."""

    attempt: Attempt
    outcome: Outcome
    trail: Trail = Trail()
    score: Score = Score()
    companions: tuple["Result", ...] = ()

    @property
    def is_done(self) -> bool:
        """Return whether its message may be deleted."""
        return self.leaves_queue and not self.trail.needs_cleanup

    @property
    def leaves_queue(self) -> bool:
        """Return whether the change no longer waits for this message to come back."""
        return self.outcome.is_final or self.trail.parked

    def with_outcome(self, **changes: Any) -> "Result":
        """Return it with changes to its outcome."""
        return replace(self, outcome=replace(self.outcome, **changes))

    def with_trail(self, **changes: bool) -> "Result":
        """Return it with changes to its trail."""
        return replace(self, trail=replace(self.trail, **changes))

    def with_score(self, *, within: bool | None, missed: bool = False) -> "Result":
        """Return it with this score."""
        return replace(self, score=Score(within, missed))


def ended(attempt: Attempt, status: Status, reason: Reason | None = None, detail: str = "") -> Result:
    """Return the result of an attempt that ended when nothing but its event was known."""
    outcome = Outcome(
        status,
        reason,
        detail,
        destination=attempt.target.bucket,
        origin=attempt.origin if attempt.change.is_known else None,
        size=attempt.change.size,
        threshold_ms=attempt.threshold_ms,
    )
    return Result(attempt, outcome)


def troubled(attempt: Attempt, trouble: Trouble) -> Result:
    """Return the result of an attempt that ended in trouble: PENDING if temporary, else FAILED."""
    status = Status.PENDING if isinstance(trouble, Temporary) else Status.FAILED
    return ended(attempt, status, trouble.reason, trouble.detail).with_outcome(side=trouble.side)
