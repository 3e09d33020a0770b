"""The replication status of the versions of one key, and the current version in each bucket.

Values only, so that the text and the JSON of the command cannot disagree.
"""

from dataclasses import dataclass

from replicator.core.outcomes.replication_status import ReplicationStatus, roll_up
from replicator.core.versions.change import LaterItem
from replicator.core.versions.origin import NULL_VERSION, Origin

from s3replicator.status.upload_progress import UploadProgress


@dataclass(frozen=True, slots=True)
class LaterStatus:
    """A change after the write that waits for a destination, or failed there. `release_at`, `missed`: as below."""

    destination: str
    item: LaterItem
    status: ReplicationStatus
    reason: str = ""
    missed: bool = False
    release_at: int = 0


@dataclass(frozen=True, slots=True)
class StatusAtDestination:
    """One version at one destination. `completed`: epoch milliseconds, 0 if unknown.

    `status`: of its content; REPLICA if the version is a replica itself. `missed`: it missed its threshold. `progress`:
    of its upload, if it is being copied in parts. `release_at`: until when it is parked, epoch milliseconds; 0 if it is
    not. `later`: changes after the write that are not completed.
    """

    destination: str
    rule_id: str
    status: ReplicationStatus
    reason: str = ""
    completed: int = 0
    missed: bool = False
    progress: UploadProgress | None = None
    release_at: int = 0
    later: tuple[LaterStatus, ...] = ()

    @property
    def overall(self) -> ReplicationStatus:
        """The status of content and later changes together."""
        return roll_up([self.status, *(each.status for each in self.later)])


@dataclass(frozen=True, slots=True)
class VersionStatus:
    """One entry of a key's history at its source. `modified`: epoch seconds. `origin`: set if it is a replica."""

    version_id: str
    modified: int
    is_marker: bool
    is_current: bool
    origin: Origin | None = None
    destinations: tuple[StatusAtDestination, ...] = ()

    @property
    def status(self) -> ReplicationStatus:
        """Its status over all destinations, as S3 rolls it up in `x-amz-replication-status`.

        A replica is PENDING or FAILED while its own later change is, too (S3 user guide, "Getting replication status
        information", for replica modification sync).
        """
        found = roll_up(each.overall for each in self.destinations)
        return ReplicationStatus.REPLICA if self.origin and found is ReplicationStatus.NONE else found


@dataclass(frozen=True, slots=True)
class CurrentInBucket:
    """What is current under a key in one bucket. `version_id` is empty if there is nothing.

    `modified`: epoch seconds. `trouble`: why the bucket cannot be read, empty if it can.
    """

    bucket: str
    version_id: str
    modified: int
    is_marker: bool
    origin: Origin | None
    trouble: str = ""

    @property
    def native_version(self) -> tuple[str, str] | None:
        """The bucket and id of the native version that readers get here; None if they get nothing."""
        if self.is_marker or not self.version_id:
            return None
        return (self.origin.bucket, self.origin.version_id) if self.origin else (self.bucket, self.version_id)

    @property
    def same_everywhere(self) -> str:
        """The version id, by which S3's own replication makes replicas known; that of a null version names a bucket."""
        return self.version_id if self.version_id != NULL_VERSION else f"{self.version_id} of {self.bucket}"


@dataclass(frozen=True, slots=True)
class ObjectStatus:
    """One key: its newest versions at the source, and what is current in each bucket, the source first.

    `unnamed`: later changes that are not completed, and whose events named no version.
    """

    bucket: str
    key: str
    versions: tuple[VersionStatus, ...]
    sides: tuple[CurrentInBucket, ...]
    unnamed: tuple[LaterStatus, ...] = ()

    @property
    def status(self) -> ReplicationStatus:
        """The status of the newest entry; what named no version may be a change of it."""
        newest = self.versions[0].status if self.versions else ReplicationStatus.NONE
        if not self.versions or not self.unnamed:
            return newest
        return roll_up([newest, *(each.status for each in self.unnamed)])

    @property
    def later(self) -> list[LaterStatus]:
        """Later changes of all versions that are not completed."""
        return [each for version in self.versions for there in version.destinations for each in there.later]

    @property
    def agree(self) -> bool:
        """Return whether readers get the same in all buckets that can be read."""
        sides = [side for side in self.sides if not side.trouble]
        return len({side.native_version for side in sides}) <= 1 or len({side.same_everywhere for side in sides}) == 1
