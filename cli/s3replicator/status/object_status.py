"""Where the versions of one key stand at each destination, and what each bucket shows.

Pure, so that the command and its JSON mean the same by one word.
"""

from dataclasses import dataclass

from replicator.core.outcomes.replication_status import ReplicationStatus, roll_up
from replicator.core.versions.origin import Origin

from s3replicator.status.progress import Progress


@dataclass(frozen=True, slots=True)
class AtDestination:
    """One version at one destination. `completed`: epoch milliseconds, 0 if that is not remembered.

    `progress`: how far its parts have come, if it is copied in parts.
    """

    destination: str
    rule_id: str
    standing: ReplicationStatus
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
    def standing(self) -> ReplicationStatus:
        """Where it stands, as S3 would say it in `x-amz-replication-status`."""
        if self.origin:
            return ReplicationStatus.REPLICA
        return roll_up(each.standing for each in self.destinations)


@dataclass(frozen=True, slots=True)
class KeyInBucket:
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
    sides: tuple[KeyInBucket, ...]

    @property
    def agree(self) -> bool:
        """Return whether all buckets show the same."""
        return len({side.shows for side in self.sides if not side.trouble}) <= 1
