"""Where versions stand, rolled up over their destinations as S3 does (user guide, "Getting replication status").

Pure, so that the command, the tag on the source and the tests mean the same by one word.
"""

from collections.abc import Iterable
from enum import StrEnum

from replicator.core.outcomes.outcome import Outcome
from replicator.core.outcomes.outcome import Status as Settled


class ReplicationStatus(StrEnum):
    """S3's words for where a version stands. NONE: no rule wants it. UNKNOWN: nothing is remembered of it (yet)."""

    FAILED = "FAILED"
    PENDING = "PENDING"
    UNKNOWN = "UNKNOWN"
    COMPLETED = "COMPLETED"
    REPLICA = "REPLICA"
    NONE = "NONE"


_WORST_FIRST = (
    ReplicationStatus.FAILED,
    ReplicationStatus.PENDING,
    ReplicationStatus.UNKNOWN,
    ReplicationStatus.COMPLETED,
)


def roll_up(standings: Iterable[ReplicationStatus]) -> ReplicationStatus:
    """Return one standing for all destinations: FAILED if any failed, else PENDING if any waits, else COMPLETED."""
    found = set(standings)
    return next((standing for standing in _WORST_FIRST if standing in found), ReplicationStatus.NONE)


def status_of_outcomes(outcomes: Iterable[Outcome]) -> ReplicationStatus:
    """Roll up what one delivery came to. What was skipped counts nowhere."""
    return roll_up(ReplicationStatus(outcome.status) for outcome in outcomes if outcome.status is not Settled.SKIPPED)
