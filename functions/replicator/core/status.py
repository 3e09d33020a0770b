"""Where versions stand, rolled up over their destinations as S3 does (user guide, "Getting replication status").

Pure, so that the command, the tag on the source and the tests mean the same by one word.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from replicator.core.origin import Origin
from replicator.core.outcome import Outcome
from replicator.core.outcome import Status as Settled
from replicator.core.progress import Progress


class Standing(StrEnum):
    """S3's words for where a version stands. NONE: no rule wants it. UNKNOWN: nothing is remembered of it (yet)."""

    FAILED = "FAILED"
    PENDING = "PENDING"
    UNKNOWN = "UNKNOWN"
    COMPLETED = "COMPLETED"
    REPLICA = "REPLICA"
    NONE = "NONE"


_WORST_FIRST = (Standing.FAILED, Standing.PENDING, Standing.UNKNOWN, Standing.COMPLETED)


def roll_up(standings: Iterable[Standing]) -> Standing:
    """Give one standing for all destinations: FAILED if any failed, else PENDING if any waits, else COMPLETED."""
    found = set(standings)
    return next((standing for standing in _WORST_FIRST if standing in found), Standing.NONE)


def standing_of(outcomes: Iterable[Outcome]) -> Standing:
    """Roll up what one delivery came to. What was skipped counts nowhere."""
    return roll_up(Standing(outcome.status) for outcome in outcomes if outcome.status is not Settled.SKIPPED)


@dataclass(frozen=True, slots=True)
class AtDestination:
    """One version at one destination. `completed`: epoch milliseconds, 0 if that is not remembered.

    `progress`: how far its parts have come, if it is copied in parts.
    """

    destination: str
    rule_id: str
    standing: Standing
    reason: str = ""
    completed: int = 0
    missed: bool = False
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class VersionStatus:
    """One entry of a key's history at its source. `modified`: epoch seconds; `origin`: what a replica stands for."""

    version_id: str
    modified: int
    is_marker: bool
    is_current: bool
    origin: Origin | None = None
    destinations: tuple[AtDestination, ...] = ()

    @property
    def standing(self) -> Standing:
        """Where it stands, as S3 would say it in `x-amz-replication-status`."""
        if self.origin:
            return Standing.REPLICA
        return roll_up(each.standing for each in self.destinations)


@dataclass(frozen=True, slots=True)
class Side:
    """What one bucket shows under a key now. `shows`: the native version that is visible, None for nothing."""

    bucket: str
    version_id: str
    modified: int
    is_marker: bool
    origin: Origin | None
    trouble: str = ""

    @property
    def shows(self) -> tuple[str, str] | None:
        """Name what is visible by bucket and version id of the native version."""
        if self.is_marker or not self.version_id:
            return None
        return (self.origin.bucket, self.origin.version_id) if self.origin else (self.bucket, self.version_id)


@dataclass(frozen=True, slots=True)
class ObjectStatus:
    """One key: its newest versions at the source, and what each bucket shows."""

    bucket: str
    key: str
    versions: tuple[VersionStatus, ...]
    sides: tuple[Side, ...]

    @property
    def agree(self) -> bool:
        """Whether all buckets show the same."""
        return len({side.shows for side in self.sides if not side.trouble}) <= 1
