"""One entry of a key's history: an object version or a delete marker, with everything that S3 keeps beside the bytes.

`sequence` is when an entry was written. `place` is where it stands in its history: for a multipart upload that is when
it was begun, and so is its LastModified (S3 user guide, "Multipart upload overview", concurrent uploads).

They are subclasses of moto's, so that the listings and the CloudFormation resources that moto answers still see them.
"""

from __future__ import annotations

import hashlib
import secrets
import string
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeGuard

from moto.s3.models import FakeAcl, FakeDeleteMarker, FakeKey, get_canned_acl

NULL = "null"
_VERSION_ID_ALPHABET = string.ascii_letters + string.digits + "._"
_sequence_lock = threading.Lock()
_last_sequence = 0


@dataclass(frozen=True)
class Checksum:
    """A checksum that S3 keeps: of the whole object, or (COMPOSITE) of the checksums of its parts."""

    algorithm: str
    value: str
    type: str = "FULL_OBJECT"


@dataclass(frozen=True)
class Encryption:
    """How an object is encrypted at rest. With SSE-C, `customer_key_md5` is all that S3 keeps of the key."""

    algorithm: str = "AES256"
    kms_key_id: str | None = None
    bucket_key: bool = False
    customer_key_md5: str | None = None


@dataclass(frozen=True)
class Lock:
    """Object Lock of one version: retention mode and date (ISO 8601, as S3 returns it), and legal hold."""

    mode: str | None = None
    until: str | None = None
    legal_hold: str | None = None


@dataclass(frozen=True)
class Annotation:
    """A named payload beside the object."""

    payload: bytes
    etag: str
    last_modified: datetime
    checksum: Checksum


@dataclass(frozen=True)
class Attributes:
    """Everything about a version that its writer chooses, except the bytes."""

    metadata: dict[str, str] = field(default_factory=dict)
    system: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"
    encryption: Encryption = Encryption()
    lock: Lock = Lock()
    acl: FakeAcl = field(default_factory=lambda: get_canned_acl("private"))
    website_redirect: str | None = None


@dataclass(frozen=True)
class Part:
    """One part of a finished multipart upload."""

    number: int
    size: int
    checksum: Checksum | None = None


@dataclass
class Restore:
    """A copy brought back from the archive: when it is there, and when it goes again (aware datetimes)."""

    ready: datetime
    expires: datetime

    def is_there(self) -> bool:
        """Return whether the copy can be read now."""
        return self.ready <= datetime.now(UTC) < self.expires


class Version(FakeKey):
    """An object version. Its bytes, metadata and ETag never change; tags, ACL, lock and annotations do."""

    def __init__(  # noqa: PLR0913 - they are what a version is made of
        self,
        name: str,
        data: bytes,
        attributes: Attributes,
        *,
        bucket: Any,
        version_id: str,
        checksum: Checksum,
        etag: str | None = None,
        parts: tuple[Part, ...] = (),
        upload_id: str | None = None,
        begun: tuple[int, datetime] | None = None,
    ) -> None:
        super().__init__(
            name,
            data,
            account_id=bucket.account_id,
            region_name=bucket.region_name,
            bucket_name=bucket.name,
            storage=attributes.storage_class,
            etag=etag or hashlib.md5(data, usedforsecurity=False).hexdigest(),
            version_id=version_id,
        )
        self.attributes = attributes
        self.checksum = checksum
        self.checksum_algorithm = checksum.algorithm
        self.parts = parts
        self.upload_id = upload_id
        self.annotations: dict[str, Annotation] = {}
        self.restored: Restore | None = None
        self.sequence = next_sequence()
        self.place, self.last_modified = begun or (self.sequence, now())
        self.acl = attributes.acl

    @property
    def value(self) -> bytes:
        """Return the bytes, without a copy."""
        return self._data

    @value.setter
    def value(self, new_value: bytes) -> None:
        self._data = new_value
        self.contentsize = len(new_value)

    def change(self, **changes: Any) -> None:
        """Replace some of the attributes that may change: tags, lock, acl, encryption."""
        self.attributes = replace(self.attributes, **changes)
        self.acl = self.attributes.acl

    def set_metadata(self, metadata: Any, replace: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Take the fields of a browser's form, as moto read them."""
        fields = {name.lower(): value for name, value in metadata.items()}
        mine = {name[11:]: value for name, value in fields.items() if name.startswith("x-amz-meta-")}
        system = {name.title(): value for name, value in fields.items() if not name.startswith("x-amz-")}
        self.change(metadata=mine, system=self.attributes.system | system)

    def dispose(self, garbage: bool = False) -> None:  # noqa: FBT001, FBT002 - moto's signature
        """Do nothing: the bytes go when nobody holds them, also a reader who got them before a deletion."""


class Marker(FakeDeleteMarker):
    """A delete marker: a name, an id and a time, and nothing else."""

    def __init__(self, name: str, version_id: str) -> None:
        self.key = None  # type: ignore[assignment]
        self.name = name
        self.last_modified = now()
        self._version_id = version_id
        self.sequence = self.place = next_sequence()

    def dispose(self) -> None:
        """Do nothing; moto's store calls it on every entry."""


Entry = Version | Marker


def is_version(entry: Entry | None) -> TypeGuard[Version]:
    """Return whether the entry is an object and not a delete marker or nothing."""
    return isinstance(entry, Version)


def new_version_id() -> str:
    """Return an id as S3 makes them: 32 characters that look like nothing in particular."""
    return "".join(secrets.choice(_VERSION_ID_ALPHABET) for _ in range(32))


def now() -> datetime:
    """Return the time as S3 keeps it for an object, in whole seconds. Naive UTC, as moto has it."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def next_sequence() -> int:
    """Return a number larger than every one before: the order of writes, and the events' sequencer."""
    global _last_sequence  # noqa: PLW0603
    with _sequence_lock:
        _last_sequence = max(_last_sequence + 1, time.time_ns())
        return _last_sequence
