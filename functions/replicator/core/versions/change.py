"""What one event says happened to one key.

Separate from the event formats (events.py): S3's notifications, EventBridge, Batch Operations and the operator's own
commands all speak of the same change, and everything behind this value is the same for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from replicator.core.versions.origin import NULL_VERSION


class ChangeKind(StrEnum):
    """What happened, as events distinguish it."""

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


class Aspect(StrEnum):
    """What of an entry a change concerns. CONTENT and MARKER make the entry, the others change it later."""

    CONTENT = "content"
    MARKER = "marker"
    TAGS = "tags"
    ACL = "acl"
    LOCK = "lock"
    ANNOTATIONS = "annotations"


ASPECTS: Mapping[ChangeKind, Aspect] = {
    ChangeKind.CREATED: Aspect.CONTENT,
    ChangeKind.RESTORED: Aspect.CONTENT,
    ChangeKind.REMOVED: Aspect.CONTENT,
    ChangeKind.MARKED_DELETED: Aspect.MARKER,
    ChangeKind.EXPIRED: Aspect.MARKER,
    ChangeKind.TAGS: Aspect.TAGS,
    ChangeKind.ACL: Aspect.ACL,
    ChangeKind.RETENTION: Aspect.LOCK,
    ChangeKind.ANNOTATIONS: Aspect.ANNOTATIONS,
}
"""An event that nobody here knows (UNKNOWN) has none."""

MAKES_ENTRY = frozenset({Aspect.CONTENT, Aspect.MARKER})

REPLICATED = frozenset({ChangeKind.CREATED, ChangeKind.RESTORED, ChangeKind.MARKED_DELETED})
"""Permanent deletions and lifecycle's delete markers never are; what is changed afterwards is not yet."""


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
    def aspect(self) -> Aspect | None:
        """What it concerns; None for an event that nobody here knows."""
        return ASPECTS.get(self.kind)

    @property
    def is_known(self) -> bool:
        """Return whether an event named it; False for what stands for a message that could not be read."""
        return bool(self.bucket)

    @property
    def is_replicated(self) -> bool:
        """Return whether changes of this kind are replicated at all."""
        return self.kind in REPLICATED

    @property
    def is_upload(self) -> bool:
        """Return whether the version was uploaded in parts. S3's name of the event says so, in either of its shapes."""
        return "CompleteMultipartUpload" in self.name

    @property
    def item_id(self) -> str:
        """Name its version and aspect in the journal.

        A null version is named by its time too, since the next one takes over its id; the aspect is left out where the
        change made the entry, so that an entry of the history and the item about it have one name.
        """
        version = f"{NULL_VERSION}@{self.time}" if self.version_id == NULL_VERSION else self.version_id
        return version if self.aspect in MAKES_ENTRY or self.aspect is None else f"{version}#{self.aspect}"


UNREADABLE = Change(ChangeKind.UNKNOWN, "", "")
"""Stands for the change of a message that could not be read."""


def comes_after(sequencer: str, other: str) -> bool:
    """Return whether the event of `sequencer` happened after that of `other`; False where that cannot be known.

    S3's rule (user guide, "Event message structure"): pad the shorter one with zeros on the right, compare as text.
    """
    if not sequencer or not other:
        return False
    width = max(len(sequencer), len(other))
    return sequencer.ljust(width, "0").upper() > other.ljust(width, "0").upper()


def version_of(item_id: str) -> str:
    """Return the version id that an item id names."""
    return item_id.partition("#")[0].partition("@")[0]


def later_aspect_of(item_id: str) -> Aspect | None:
    """Return the aspect that an item id names; None for the change that made the entry, whichever of the two it is."""
    name = item_id.partition("#")[2]
    return Aspect(name) if name else None
