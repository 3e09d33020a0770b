"""What a destination lacks or has otherwise than its rules promise: one value for each difference, with a name.

The names are words for people and machines alike: reports, JSON and CSV have them as they are.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from replicator.core.versions.change import Aspect


class Kind(StrEnum):
    """What differs. The order is that of reports."""

    MISSING = "missing"
    DELETED_THERE = "deleted-there"
    WRONG_CURRENT = "wrong-current"
    MARKER_MISSING = "delete-marker-missing"
    CONTENT = "content"
    METADATA = "metadata"
    TAGS = "tags"
    ACL = "acl"
    LOCK = "lock"
    ANNOTATIONS = "annotations"
    ENCRYPTION = "encryption"
    STORAGE_CLASS = "storage-class"
    FAILED = "failed"
    UNREADABLE = "unreadable"


BY_ASPECT = {
    Aspect.TAGS: Kind.TAGS,
    Aspect.ACL: Kind.ACL,
    Aspect.LOCK: Kind.LOCK,
    Aspect.ANNOTATIONS: Kind.ANNOTATIONS,
}
"""What may change after the write -> the kind of a difference of it."""
OF_STATE = frozenset(BY_ASPECT.values())
"""Kinds that are mended by writing to a replica, without another version."""
OF_BYTES = frozenset({Kind.CONTENT, Kind.METADATA, Kind.ENCRYPTION, Kind.STORAGE_CLASS})
"""Kinds that only another copy mends: nobody can change these of a version that is written."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. version_id: of the source; empty if it concerns the whole key. is_marker: it is a delete marker.

    detail: what was found, for people. can_be_mended: a repair may succeed; if not, somebody must remove the cause.
    """

    kind: Kind
    key: str
    destination: str
    version_id: str = ""
    detail: str = ""
    is_marker: bool = False
    can_be_mended: bool = True

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "kind": str(self.kind)}

    @classmethod
    def read(cls, document: dict[str, Any]) -> "Difference":
        """Read what `document` returned. Raises ValueError, TypeError or KeyError for anything else."""
        return cls(**{**document, "kind": Kind(document["kind"])})
