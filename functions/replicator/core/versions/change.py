"""What one event says happened to one key.

Separate from the event formats (events.py): S3's notifications, EventBridge, Batch Operations and the operator's own
commands all speak of the same change, and everything behind this value is the same for them.
"""

from dataclasses import dataclass
from enum import StrEnum

from replicator.core.versions.origin import NULL_VERSION


class ChangeKind(StrEnum):
    """What happened. Only CREATED and MARKED_DELETED are replicated as they come."""

    CREATED = "created"
    MARKED_DELETED = "marked deleted"
    RESTORED = "restored"
    EXPIRED = "expired by lifecycle"
    REMOVED = "removed permanently"
    TAGS = "tags"
    ACL = "acl"
    RETENTION = "retention"
    ANNOTATIONS = "annotations"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one key.

    `time` is the event's own time in epoch milliseconds; it feeds the latency and nothing else. `sequencer` is
    S3's hexadecimal order of PUT and DELETE events of one key; empty when the event carries none.
    """

    kind: ChangeKind
    bucket: str
    key: str
    version_id: str = NULL_VERSION
    time: int = 0
    size: int = 0
    sequencer: str = ""
    principal: str = ""
    name: str = ""

    @property
    def is_version(self) -> bool:
        """Return whether the change speaks of an object version, not of a delete marker."""
        return self.kind in (ChangeKind.CREATED, ChangeKind.RESTORED)

    @property
    def is_upload(self) -> bool:
        """Return whether the version was uploaded in parts. S3's name of the event says so, in either of its shapes."""
        return "CompleteMultipartUpload" in self.name

    @property
    def item_id(self) -> str:
        """Name its version in the journal: a null version by its time too, since the next one takes over its id."""
        return f"{NULL_VERSION}@{self.time}" if self.version_id == NULL_VERSION else self.version_id


def comes_after(sequencer: str, other: str) -> bool:
    """Return whether the event of `sequencer` happened after that of `other`; False where that cannot be known.

    S3's rule (user guide, "Event message structure"): pad the shorter one with zeros on the right, compare as text.
    """
    if not sequencer or not other:
        return False
    width = max(len(sequencer), len(other))
    return sequencer.ljust(width, "0").upper() > other.ljust(width, "0").upper()
