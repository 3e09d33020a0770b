"""What an attempt came to, with what deliveries left behind and how it counts: three values, one for each question.

Separate from the outcome, which is the answer that people and metrics see: what is in here decides what is still to be
written down, cleared away and counted.
"""

from dataclasses import dataclass, replace
from typing import Any

from replicator.core.deciding.attempt import Attempt
from replicator.core.outcomes.outcome import Outcome, Reason, Status, Temporary, Trouble


@dataclass(frozen=True, slots=True)
class Trail:
    """What this delivery and earlier ones left behind.

    reported: another delivery recorded and counted it already. dead_lettered: an earlier delivery put it into the
    dead-letter queue. in_parts: there may be uploads to clear away. midway: it failed after it had written something,
    so what stands on top must be looked at again even if another handler completed the change. untidy: something is
    left of its uploads, and its message should come back for that.
    """

    reported: bool = False
    dead_lettered: bool = False
    in_parts: bool = False
    midway: bool = False
    untidy: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """How a result counts. within: for or against the threshold; None if it was counted before, or is not final.

    missed: it is counted here as having missed the threshold.
    """

    within: bool | None = None
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt came to. companions: older versions that were copied along with it, completed as well."""

    attempt: Attempt
    outcome: Outcome
    trail: Trail = Trail()
    score: Score = Score()
    companions: tuple["Result", ...] = ()

    @property
    def is_done(self) -> bool:
        """Return whether its message may go."""
        return self.outcome.is_final and not self.trail.untidy

    def but(self, **changes: Any) -> "Result":
        """Return it with other fields in its outcome."""
        return replace(self, outcome=replace(self.outcome, **changes))

    def leaving(self, **changes: bool) -> "Result":
        """Return it with another trail."""
        return replace(self, trail=replace(self.trail, **changes))

    def counting(self, *, within: bool | None, missed: bool = False) -> "Result":
        """Return it with its score."""
        return replace(self, score=Score(within, missed))


def ended(attempt: Attempt, status: Status, reason: Reason | None = None, detail: str = "") -> Result:
    """Return the result of an attempt that ended before anything was known beyond its event."""
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
    """Return the result of an attempt that met trouble: it waits if that is temporary, else it failed."""
    status = Status.PENDING if isinstance(trouble, Temporary) else Status.FAILED
    return ended(attempt, status, trouble.reason, trouble.detail)
