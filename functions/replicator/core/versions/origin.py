"""The origin mark: which native version a replica stands for.

S3 gives every replica a version id of its own. So the mark identifies a version in every bucket: it prevents loops,
shows what is missing, and survives the loss of the journal. It has a module of its own because its text is a stored
format: replicas written today must still be readable in ten years.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

NULL_VERSION = "null"
MARK = "replication-origin"  # a user metadata key, or a tag key when the metadata is full
STATUS_TAG = "replication-status"
STATUS_TAG_VALUE = "REPLICA"
SOURCE_STATUSES = frozenset({"PENDING", "COMPLETED", "FAILED"})
"""Values of the status tag on source versions, where a stack enables it."""

METADATA_LIMIT = 2048  # bytes of UTF-8, keys and values together (S3 user guide, "Working with object metadata")
MARK_SECONDS = 1800
"""How far a mark's time may be from its replica's LastModified, in seconds. The writer's clock is off by 15 minutes at
most, or S3 refuses its signature (RequestTimeTooSkewed), and a copy takes minutes. In a user's later copy of a replica
the mark is older than that."""
TAG_LIMIT = 10  # tags of an object (S3 user guide, "Categorizing your objects")
TAG_VALUE_LIMIT = 256  # characters of a tag's value (the same page)

_MARK = re.compile(
    r"(?P<bucket>[^/]+)/(?P<version_id>.+)/(?P<modified>\d{1,12})/(?P<written>\d{1,12})/(?P<digest>[0-9a-f]{8})"
    r"(?:/(?P<tags>[0-9a-f]{8})(?P<grants>[0-9a-f]{8})(?P<hold>[01])(?P<metadata>[0-9a-f]{8})(?P<event_hold>[0-9a-f]{8})?)?"
    r"(?P<undoes>/undelete)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A native version: its bucket, its version id, and its LastModified in whole epoch seconds.

    The time is part of the identity because a `null` version in a bucket with suspended versioning is overwritten in
    place; for all others the version id alone is enough. Two such writes may come within a second, so a `null` version
    is told apart by its ETag too (`identify`); `etag` is empty for all others, and in marks of older releases. `bucket`
    is empty for a replica by S3's own replication: it has its source's version id, and nothing names the source.
    undoes: this replica undoes what was done on top of an older one of its version: delete markers, because they were
    removed on the other side, and what a user did at a one-way destination, because somebody asked to restore it; no
    part of the identity.
    """

    bucket: str
    version_id: str
    modified: int
    etag: str = ""
    undoes: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        """Return it as bucket/version id."""
        return f"{self.version_id} (S3's own replication)" if self.is_by_s3 else f"{self.bucket}/{self.version_id}"

    @property
    def is_by_s3(self) -> bool:
        """Return whether it is that of a replica by S3's own replication, and its bucket is not known yet."""
        return not self.bucket


def of_s3_replica(version_id: str, modified: int) -> Origin:
    """Return the origin of a replica by S3's own replication, which keeps version ids and creation times."""
    return Origin("", version_id, modified)


def identify(bucket: str, version_id: str, modified: int, etag: str) -> Origin:
    """Return the identity of a native version from what HEAD and LIST answer."""
    return Origin(bucket, version_id, modified, etag.strip('"') if version_id == NULL_VERSION else "")


@dataclass(frozen=True, slots=True)
class Site:
    """Where a replica is, and when it was written: epoch seconds, by its LastModified or, before that, by our clock."""

    bucket: str
    key: str
    time: int


@dataclass(frozen=True, slots=True)
class Born:
    """What a version had when it was copied, as the mark of its replica keeps it: digests, and the legal hold.

    Later changes are compared with it. metadata: of the user metadata without the mark. A user who copies a replica
    onto itself with other metadata copies its mark along, and writes a native version. event_hold: empty if there was
    none, so that few marks are longer for it.
    """

    tags: str
    grants: str
    hold: bool
    metadata: str
    event_hold: str = ""

    def __str__(self) -> str:
        """Return the end of a mark."""
        return f"{self.tags}{self.grants}{self.hold:d}{self.metadata}{self.event_hold}"


def encode_mark(origin: Origin, site: Site, born: Born | None = None) -> str:
    """Return the text of the mark of a replica that is about to be written. Without `born`, it fits into a tag."""
    version = f"{origin.version_id}@{origin.etag}" if origin.etag else origin.version_id
    mark = f"{origin.bucket}/{version}/{origin.modified}/{site.time}/{_digest(site)}"
    return f"{mark}{f'/{born}' if born else ''}{'/undelete' if origin.undoes else ''}"


def mark_text(metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
    """Return the text of a mark, valid or not: that of the metadata, else that of the tags; empty if there is none."""
    return metadata.get(MARK) or tags.get(MARK, "")


def born_of(text: str) -> Born | None:
    """Return what a replica's mark says of its copying; None if it says nothing."""
    match = _MARK.fullmatch(text)
    if match is None or match["tags"] is None:
        return None
    held = match["hold"] == "1"
    return Born(match["tags"], match["grants"], held, match["metadata"], match["event_hold"] or "")


def metadata_digest(metadata: Mapping[str, str]) -> str:
    """Return a digest of user metadata without the mark."""
    rest = sorted((name, value) for name, value in metadata.items() if name != MARK)
    return sha256(repr(rest).encode()).hexdigest()[:8]


def is_edited(text: str, metadata: Mapping[str, str]) -> bool:
    """Return whether user metadata is not what a mark says. Nothing is edited if the mark does not say."""
    born = born_of(text)
    return born is not None and born.metadata != metadata_digest(metadata)


def decode_mark(text: str | None, site: Site) -> Origin | None:
    """Read a mark; None if there is none, or if it was written for another bucket, key or time.

    When a user copies a replica, S3 copies its user metadata too: to another key, or onto its own key to restore an
    old version. Such a copy is a native version and must be replicated, so a mark counts only where and when it was
    written.
    """
    match = _MARK.fullmatch(text or "")
    if match is None or match["digest"] != _digest(site) or abs(site.time - int(match["written"])) > MARK_SECONDS:
        return None
    bucket, version_id, modified = match["bucket"], match["version_id"], int(match["modified"])
    undoes = match["undoes"] is not None
    if version_id.startswith(f"{NULL_VERSION}@"):
        return Origin(bucket, NULL_VERSION, modified, version_id.removeprefix(f"{NULL_VERSION}@"), undoes)
    return Origin(bucket, version_id, modified, undoes=undoes)


def _digest(site: Site) -> str:
    return sha256(f"{site.bucket}/{site.key}".encode()).hexdigest()[:8]


def metadata_bytes(metadata: Mapping[str, str]) -> int:
    """Count user metadata as S3 does: the UTF-8 bytes of all keys and values."""
    return sum(len(key.encode()) + len(value.encode()) for key, value in metadata.items())


def has_metadata_room(metadata: Mapping[str, str], unseen: int, mark: str | None = None) -> bool:
    """Return whether the mark fits into `metadata` in place of an earlier mark; False if `unseen` ones would be lost.

    Without `mark`, the longest possible one is assumed. That is how a reader knows when to look at the tags as well.
    """
    longest = 63 + 1 + 128 + 1 + 12 + 1 + 12 + 1 + 8
    kept = {key: value for key, value in metadata.items() if key != MARK}
    return not unseen and metadata_bytes(kept) + len(MARK) + (len(mark) if mark else longest) <= METADATA_LIMIT


def find_mark(metadata: Mapping[str, str], tags: Mapping[str, str], site: Site) -> Origin | None:
    """Read the mark of a version from its metadata or its tags; None for a native version."""
    return decode_mark(metadata.get(MARK), site) or decode_mark(tags.get(MARK), site)
