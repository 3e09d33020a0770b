"""Versions, delete markers and histories, as HeadObject and ListObjectVersions return them.

HEAD returns everything about one version, LIST a little about all of them. Both are values of the core, so that the
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
    """One entry of a key's history, as ListObjectVersions returns it. `modified` is in whole epoch seconds."""

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
        """Return whether it was uploaded in parts. Then `modified` is when that began: entries below may be newer."""
        return "-" in self.etag


History = tuple[Entry, ...]
"""All entries of one key in one bucket, oldest to newest."""


@dataclass(frozen=True, slots=True)
class Encryption:
    """Server-side encryption by S3's own names (`AES256`, `aws:kms`, `aws:kms:dsse`); empty if S3 returned none."""

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

    A retention under an event hold has no end yet: it lasts for that many days or years after the hold is lifted.
    """

    mode: str = ""
    until: str = ""
    legal_hold: bool = False
    event_hold: bool = False
    event_hold_days: int = 0
    event_hold_years: int = 0

    def __bool__(self) -> bool:
        """Return whether the version is locked in any way."""
        return bool(self.mode or self.legal_hold or self.event_hold)

    def in_force(self, now: int) -> "Lock":
        """Return it without a retention that ended before `now` (epoch seconds): S3 refuses one for a new version."""
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
    """The state of an archived version's temporary copy, as HEAD returns it."""

    NONE = "none"
    ONGOING = "ongoing"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Head:
    """Everything that one HEAD returns about one version.

    headers: S3's system-defined metadata under boto3's argument names. unseen_metadata: how many metadata entries HEAD
    left out because HTTP headers cannot carry them (`x-amz-missing-meta`). tag_count: None if HEAD leaves it open.
    key_denied, key_invalid: its bytes cannot be read, because the role may not use its KMS key, or the key is in no
    state to be used. made_by_s3: S3's own replication wrote it (`x-amz-replication-status: REPLICA`). The header's
    values for sources mean nothing here.
    """

    version_id: str
    etag: str
    size: int
    modified: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    unseen_metadata: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    tag_count: int | None = 0
    storage_class: str = "STANDARD"
    archive_status: str = ""
    restore: Restore = Restore.NONE
    encryption: Encryption = Encryption()
    lock: Lock = Lock()
    checksum: Checksum | None = None
    key_denied: bool = False
    key_invalid: bool = False
    made_by_s3: bool = False

    @property
    def is_archived(self) -> bool:
        """Return whether its bytes cannot be read until it is restored."""
        return (
            self.storage_class in ARCHIVED_CLASSES or bool(self.archive_status)
        ) and self.restore is not Restore.DONE


@dataclass(frozen=True, slots=True)
class MarkerHead:
    """What HEAD returns about a delete marker."""

    version_id: str


PUBLIC = frozenset(
    f'uri="http://acs.amazonaws.com/groups/global/{group}"' for group in ("AllUsers", "AuthenticatedUsers")
)


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant of an ACL: permission, and the grantee as the grant headers write it (`id="..."`, `uri="..."`)."""

    permission: str
    grantee: str

    @property
    def is_public(self) -> bool:
        """Return whether it is for everybody, or everybody with an AWS account: Block Public Access refuses both."""
        return self.grantee in PUBLIC


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version, with what HEAD does not return: its tags, and the grants of its ACL beyond the owner's own."""

    head: Head
    tags: Mapping[str, str] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class Replica:
    """The version on top of a destination: its origin, and the ETag that a guard compares.

    A native version there is its own origin.
    """

    version_id: str
    etag: str
    origin: Origin
