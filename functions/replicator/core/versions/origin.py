"""The origin mark: which native version a replica stands for.

A replica gets a version id of its own, and S3 lets no copy choose one. The mark is therefore the identity of a
version everywhere: it ends loops, it tells what is missing, and it survives the loss of the journal. It is a module of
its own because its text is a format: replicas written today must still be understood in ten years.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

NULL_VERSION = "null"
MARK = "replication-origin"  # a user metadata key, or a tag key when the metadata has no room
STATUS_TAG = "replication-status"
STATUS_TAG_VALUE = "REPLICA"
SOURCE_STATUSES = frozenset({"PENDING", "COMPLETED", "FAILED"})
"""What a source version may be tagged with, where a stack wants that."""

METADATA_LIMIT = 2048  # bytes of UTF-8, keys and values together (S3 user guide, "Working with object metadata")
MARK_SECONDS = 1800
"""How far a mark's time may be from its replica's LastModified: the writer's clock can be 15 minutes off at most, or S3
would refuse its signature (RequestTimeTooSkewed), and a copy takes minutes. A replica of a replica is older."""
TAG_LIMIT = 10  # tags of an object (S3 user guide, "Categorizing your objects")

_MARK = re.compile(
    r"(?P<bucket>[^/]+)/(?P<version_id>.+)/(?P<modified>\d{1,12})/(?P<written>\d{1,12})/(?P<digest>[0-9a-f]{8})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A native version: its bucket, its version id, and its LastModified in whole epoch seconds.

    The time is part of the identity because a `null` version of a bucket with suspended versioning is overwritten
    in place; all others are told apart by their version id alone.
    """

    bucket: str
    version_id: str
    modified: int

    def __str__(self) -> str:
        """Read it as people write it: bucket/version id."""
        return f"{self.bucket}/{self.version_id}"


@dataclass(frozen=True, slots=True)
class Site:
    """Where a replica stands, and when it was written there: epoch seconds, of its LastModified or of the writer."""

    bucket: str
    key: str
    time: int


def encode_mark(origin: Origin, site: Site) -> str:
    """Write the mark of a replica that is about to stand at a site."""
    return f"{origin.bucket}/{origin.version_id}/{origin.modified}/{site.time}/{_digest(site)}"


def decode_mark(text: str | None, site: Site) -> Origin | None:
    """Read a mark; None if there is none, or if it was made for another place or another time.

    S3 copies user metadata along when a user copies a replica: elsewhere, or onto its own key to bring an old version
    back. That copy is a native version and must replicate, so a mark counts only where and when it was written.
    """
    match = _MARK.fullmatch(text or "")
    if match is None or match["digest"] != _digest(site) or abs(site.time - int(match["written"])) > MARK_SECONDS:
        return None
    return Origin(match["bucket"], match["version_id"], int(match["modified"]))


def _digest(site: Site) -> str:
    return sha256(f"{site.bucket}/{site.key}".encode()).hexdigest()[:8]


def metadata_bytes(metadata: Mapping[str, str]) -> int:
    """Count user metadata as S3 does: the UTF-8 bytes of all keys and values."""
    return sum(len(key.encode()) + len(value.encode()) for key, value in metadata.items())


def has_metadata_room(metadata: Mapping[str, str], unseen: int, mark: str | None = None) -> bool:
    """Return whether the mark fits into `metadata`, in place of any other; never if `unseen` entries would be lost.

    Without a mark, the longest that there can be is assumed: so a reader knows when it must look at the tags too.
    """
    longest = 63 + 1 + 128 + 1 + 12 + 1 + 12 + 1 + 8
    kept = {key: value for key, value in metadata.items() if key != MARK}
    return not unseen and metadata_bytes(kept) + len(MARK) + (len(mark) if mark else longest) <= METADATA_LIMIT


def find_mark(metadata: Mapping[str, str], tags: Mapping[str, str], site: Site) -> Origin | None:
    """Read the mark of a version from either carrier; None for a native version."""
    return decode_mark(metadata.get(MARK), site) or decode_mark(tags.get(MARK), site)
