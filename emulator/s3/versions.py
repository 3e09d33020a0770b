"""One entry of a key's history: an object version with everything that S3 stores about it, or a delete marker.

`sequence` is when an entry was written; `place` is its position in the history. For a multipart upload, `place` and
LastModified are those of the upload's start. The classes extend moto's, so that operations left to moto see them.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeGuard

from moto.s3.models import FakeAcl, FakeDeleteMarker, FakeKey, get_canned_acl

from emulator.s3 import etags, version_ids
from emulator.s3.version_ids import NULL

_sequence_lock = threading.Lock()
_last_sequence = 0


@dataclass(frozen=True)
class Checksum:
    """A stored checksum: of the whole object, or (type COMPOSITE) of the checksums of its parts."""

    algorithm: str
    value: str
    type: str = "FULL_OBJECT"


@dataclass(frozen=True)
class Encryption:
    """An object's encryption at rest. For SSE-C, `customer_key_md5` is all that is stored of the key."""

    algorithm: str = "AES256"
    kms_key_id: str | None = None
    bucket_key: bool = False
    customer_key_md5: str | None = None


@dataclass(frozen=True)
class EventHold:
    """A retention without an end: how long it lasts (unit `Days` or `Years`) once the hold is released."""

    unit: str
    number: int


@dataclass(frozen=True)
class Lock:
    """A version's Object Lock: retention mode and date (ISO 8601, as S3 returns it), legal hold, and event hold."""

    mode: str | None = None
    until: str | None = None
    legal_hold: str | None = None
    event_hold: EventHold | None = None


@dataclass(frozen=True)
class Annotation:
    """A named payload of a version."""

    payload: bytes
    etag: str
    last_modified: datetime
    checksum: Checksum


@dataclass(frozen=True)
class Attributes:
    """Everything that the writer of a version chooses, except the bytes.

    `owner` is the account that owns the version where the bucket's does not own all; empty for the bucket's.
    """

    metadata: dict[str, str] = field(default_factory=dict)
    system: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"
    encryption: Encryption = Encryption()
    lock: Lock = Lock()
    acl: FakeAcl = field(default_factory=lambda: get_canned_acl("private"))
    website_redirect: str | None = None
    owner: str = ""


@dataclass(frozen=True)
class Part:
    """One part of a completed multipart upload."""

    number: int
    size: int
    checksum: Checksum | None = None


@dataclass
class Restore:
    """A restored copy of an archived object: when it is ready and when it expires (aware datetimes)."""

    ready: datetime
    expires: datetime

    def is_ready(self) -> bool:
        """Return whether the copy can be read now."""
        return self.ready <= datetime.now(UTC) < self.expires


class Version(FakeKey):
    """An object version. Bytes, metadata and ETag never change; tags, ACL, lock and annotations may.

    `native_status`: the status of S3's own replication by destination bucket; of a replica made by it, only REPLICA.
    """

    def __init__(  # noqa: PLR0913 - a version has that many properties
        self,
        name: str,
        data: bytes,
        attributes: Attributes,
        *,
        bucket: Any,
        checksum: Checksum | None,
        etag: str | None = None,
        parts: tuple[Part, ...] = (),
        upload_id: str | None = None,
        begun: tuple[int, datetime] | None = None,
        version_id: str | None = None,
    ) -> None:
        super().__init__(
            name,
            data,
            account_id=bucket.account_id,
            region_name=bucket.region_name,
            bucket_name=bucket.name,
            storage=attributes.storage_class,
            etag=etag or etags.of_bytes(data, attributes.encryption),
            version_id=version_id or _new_version_id(bucket),
        )
        self.attributes = attributes
        self.checksum = checksum
        self.checksum_algorithm = checksum.algorithm if checksum else None
        self.parts = parts
        self.upload_id = upload_id
        self.annotations: dict[str, Annotation] = {}
        self.restored: Restore | None = None
        self.native_status: dict[str, str] = {}
        self.sequence = next_sequence()
        self.place, self.last_modified = begun or (self.sequence, now())
        self.acl = attributes.acl

    @property
    def value(self) -> bytes:
        """Return the bytes, without copying them."""
        return self._data

    @value.setter
    def value(self, new_value: bytes) -> None:
        self._data = new_value
        self.contentsize = len(new_value)

    @property
    def replication_status(self) -> str:
        """Return FAILED if any destination failed, else PENDING if any is pending, else what all of them say."""
        found = list(self.native_status.values())
        return next((status for status in ("FAILED", "PENDING") if status in found), (found or [""])[0])

    def change(self, **changes: Any) -> None:
        """Replace some of the attributes that may change: tags, lock, acl, encryption."""
        self.attributes = replace(self.attributes, **changes)
        self.acl = self.attributes.acl

    def set_metadata(self, metadata: Any, replace: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Set the metadata of a browser's POST form, as moto parsed it."""
        fields = {name.lower(): value for name, value in metadata.items()}
        mine = {name[11:]: value for name, value in fields.items() if name.startswith("x-amz-meta-")}
        system = {name.title(): value for name, value in fields.items() if not name.startswith("x-amz-")}
        self.change(metadata=mine, system=self.attributes.system | system)

    def dispose(self, garbage: bool = False) -> None:  # noqa: FBT001, FBT002 - moto's signature
        """Do nothing: a reader may still use the bytes after the version's deletion."""


class Marker(FakeDeleteMarker):
    """A delete marker: a key, an id, a time, and the account whose caller deleted; empty for the bucket's."""

    def __init__(
        self,
        name: str,
        bucket: Any,
        version_id: str | None = None,
        begun: tuple[int, datetime] | None = None,
        owner: str = "",
    ) -> None:
        self.owner = owner
        self.key = None  # type: ignore[assignment]
        self.name = name
        self._version_id = version_id or _new_version_id(bucket)
        self.sequence = next_sequence()
        self.place, self.last_modified = begun or (self.sequence, now())

    def dispose(self) -> None:
        """Do nothing; moto calls it on every entry."""


Entry = Version | Marker


def is_version(entry: object) -> TypeGuard[Version]:
    """Return whether the entry is an object version, rather than a delete marker or None."""
    return isinstance(entry, Version)


def _new_version_id(bucket: Any) -> str:
    """Return the version id of a new entry: "null" unless versioning is enabled."""
    return version_ids.new() if bucket.versioning_status == "Enabled" else NULL


def now() -> datetime:
    """Return the current time in whole seconds, as S3 stores it. Naive UTC, as moto's."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def next_sequence() -> int:
    """Return a number larger than every earlier one: the order of writes, and the sequencer of events."""
    global _last_sequence  # noqa: PLW0603
    with _sequence_lock:
        _last_sequence = max(_last_sequence + 1, time.time_ns())
        return _last_sequence
