"""How a change came here, and the outcomes and notes that need nothing else.

Separate so that what replicates a change, what writes outcomes down and what copies parts can all speak of a delivery
without knowing each other.
"""

from dataclasses import dataclass

from replicator.core.outcomes.backoff import OVERDUE_MS, PARTS_OVERDUE_MS
from replicator.core.outcomes.outcome import Outcome, Reason, Status, Trouble
from replicator.core.versions.change import Aspect, Change
from replicator.core.versions.origin import Origin
from replicator.flows.ports import Note, Waiting


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a change came here: by which message, the how-manieth time, and whether from the dead-letter queue.

    `alone`: nothing else is worked on at the same time. `carried`: by a message of its parts.
    """

    attempts: int = 1
    redriven: bool = False
    message: str = ""
    alone: bool = False
    carried: bool = False

    @property
    def repeated(self) -> bool:
        """Return whether it, or a part of its work, may have been done before."""
        return self.came_back or self.carried

    @property
    def came_back(self) -> bool:
        """Return whether its own message was worked on before, and may have been left in the middle of a plan."""
        return self.attempts > 1 or self.redriven


def troubled(status: Status, trouble: Trouble, change: Change, destination: str) -> Outcome:
    """Return the outcome of a change that met trouble before a destination was reached."""
    origin = Origin(change.bucket, change.version_id, change.time // 1000)
    return Outcome(status, trouble.reason, trouble.detail, destination=destination, origin=origin, size=change.size)


def waiting(change: Change, outcome: Outcome, attempts: int, now: int) -> Waiting:
    """Say what the journal keeps of a change that waits or failed. `now`: epoch milliseconds."""
    return Waiting(
        status=outcome.status,
        reason=outcome.reason or Reason.UNKNOWN,
        detail=outcome.detail,
        version_id=change.item_id,
        note=Note(outcome.rule_id, outcome.size, change.time, attempts),
        threshold_ms=outcome.threshold_ms,
        due=now + (PARTS_OVERDUE_MS if outcome.reason is Reason.PARTS_UNDER_WAY else OVERDUE_MS),
        aspect=change.aspect or Aspect.CONTENT,
    )
