"""Versions, delete markers and histories, as HEAD and LIST tell them.

HEAD tells everything about one version; LIST tells little about all of them. Both are values of the core, so that the
decision can be made, tested and explained without a bucket.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from replicator.core.versions.origin import Origin

ARCHIVED_CLASSES = frozenset({"GLACIER", "DEEP_ARCHIVE"})


class EntryKind(StrEnum):
    """The two kinds of entries that a history has."""

    VERSION = "version"
    MARKER = "delete marker"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a key's history, as ListObjectVersions tells it. `modified` is in whole epoch seconds."""

    version_id: str
    kind: EntryKind
    modified: int
    etag: str = ""
    size: int = 0

    @property
    def is_version(self) -> bool:
        """Return whether it is an object, not a delete marker."""
        return self.kind is EntryKind.VERSION

    @property
    def is_multipart(self) -> bool:
        """Return whether it was written in parts: then `modified` is when that began, whatever stands below."""
        return "-" in self.etag


History = tuple[Entry, ...]
"""All entries of one key in one bucket, oldest to newest."""


@dataclass(frozen=True, slots=True)
class Encryption:
    """Server-side encryption: S3's own words (`AES256`, `aws:kms`, `aws:kms:dsse`), empty if none was named."""

    algorithm: str = ""
    kms_key: str = ""
    bucket_key: bool | None = None

    @property
    def is_kms(self) -> bool:
        """Return whether a KMS key is needed to read it."""
        return self.algorithm.startswith("aws:kms")


@dataclass(frozen=True, slots=True)
class Lock:
    """Object Lock of one version: retention mode with its end (ISO 8601 text), legal hold, and event hold.

    A retention under an event hold has no end yet: it runs for so many days, or years, from when the hold is lifted.
    """

    mode: str = ""
    until: str = ""
    legal_hold: bool = False
    event_hold: bool = False
    event_hold_days: int = 0
    event_hold_years: int = 0

    def __bool__(self) -> bool:
        """Return whether anything is locked at all."""
        return bool(self.mode or self.legal_hold or self.event_hold)

    def in_force(self, now: int) -> "Lock":
        """Leave out a retention that has ended: S3 takes none for a new version that is not in the future."""
        if not self.until or datetime.fromisoformat(self.until).timestamp() > now:
            return self
        return replace(self, mode=self.mode if self.event_hold else "", until="")


@dataclass(frozen=True, slots=True)
class Checksum:
    """One checksum of a version: algorithm, value in base64, and whether it covers the whole object."""

    algorithm: str
    value: str
    full_object: bool


class Restore(StrEnum):
    """What a HEAD tells about an archived version's temporary copy."""

    NONE = "none"
    ONGOING = "ongoing"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Head:
    """Everything that one HEAD tells about one version.

    `headers` holds S3's system-defined metadata under boto3's argument names. `unseen_metadata` counts entries that
    HTTP headers cannot carry (`x-amz-missing-meta`).
    """

    version_id: str
    etag: str
    size: int
    modified: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    unseen_metadata: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    tag_count: int = 0
    storage_class: str = "STANDARD"
    archive_status: str = ""
    restore: Restore = Restore.NONE
    encryption: Encryption = Encryption()
    lock: Lock = Lock()
    checksum: Checksum | None = None
    parts: int = 0

    @property
    def is_archived(self) -> bool:
        """Return whether its bytes cannot be read before somebody restores them."""
        return (
            self.storage_class in ARCHIVED_CLASSES or bool(self.archive_status)
        ) and self.restore is not Restore.DONE


@dataclass(frozen=True, slots=True)
class MarkerHead:
    """What HEAD tells of a delete marker."""

    version_id: str


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant of an ACL: permission, and the grantee as the grant headers write it (`id="..."`, `uri="..."`)."""

    permission: str
    grantee: str


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version with what HEAD does not tell: its tags, and the grants of its ACL beyond the owner's own."""

    head: Head
    tags: Mapping[str, str] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class Replica:
    """An entry that stands at the top of a destination: what it stands for, and how a guard names it."""

    version_id: str
    etag: str
    origin: Origin
