"""The replication status of a version, rolled up over its destinations.

Rolled up as S3 does (user guide, "Getting replication status"). Separate from Status, which is about one destination,
and pure, so that the command and the tag on the source agree.
"""

from collections.abc import Iterable
from enum import StrEnum

from replicator.core.outcomes.outcome import Outcome, Status


class ReplicationStatus(StrEnum):
    """S3's words for the status of a version. NONE: no rule selects it. UNKNOWN: the journal has nothing about it."""

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


def roll_up(statuses: Iterable[ReplicationStatus]) -> ReplicationStatus:
    """Return the worst status of all destinations: FAILED, PENDING, UNKNOWN or COMPLETED; NONE without any of them."""
    found = set(statuses)
    return next((status for status in _WORST_FIRST if status in found), ReplicationStatus.NONE)


def status_of_outcomes(outcomes: Iterable[Outcome]) -> ReplicationStatus:
    """Roll up the outcomes of one delivery, those that were SKIPPED left out."""
    return roll_up(ReplicationStatus(outcome.status) for outcome in outcomes if outcome.status is not Status.SKIPPED)
