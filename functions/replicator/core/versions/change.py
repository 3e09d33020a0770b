"""What one event says happened to one key.

Separate from the event formats (events.py): S3's notifications, EventBridge, Batch Operations and the operator's own
commands all lead to the same value, and everything after it treats them alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from replicator.core.versions.origin import NULL_VERSION


class ChangeKind(StrEnum):
    """What happened, as far as events distinguish it."""

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
    """What a change of a history entry concerns. CONTENT and MARKER create the entry, the others change it later."""

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
"""The aspect of each kind; UNKNOWN has none."""

CREATES_ENTRY = frozenset({Aspect.CONTENT, Aspect.MARKER})

REPLICATED = frozenset({ChangeKind.CREATED, ChangeKind.RESTORED, ChangeKind.MARKED_DELETED})
"""Never permanent deletions, nor delete markers that lifecycle created. Later changes of a version: not yet."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one key.

    time: the event's own time in epoch milliseconds. Latency counts from it; order never depends on it. sequencer: S3's
    hexadecimal order of PUT and DELETE events of one key; empty when the event has none. name: the event's name.
    other_key: what the key may be instead, where it is not certain how its sender encodes keys.
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
    other_key: str = ""

    @property
    def aspect(self) -> Aspect | None:
        """The aspect that it concerns; None for an unknown event."""
        return ASPECTS.get(self.kind)

    @property
    def creates_entry(self) -> bool:
        """Return whether it adds an entry to the history; other changes concern one that is there."""
        return self.aspect in CREATES_ENTRY

    @property
    def is_known(self) -> bool:
        """Return whether an event reported it; False for UNREADABLE."""
        return bool(self.bucket)

    @property
    def is_replicated(self) -> bool:
        """Return whether changes of this kind are replicated at all."""
        return self.kind in REPLICATED

    @property
    def by_s3(self) -> bool:
        """Return whether S3's own replication caused it, as far as the event says who did.

        It writes in a session of that name of its configuration's role, as logs of users show; AWS's pages do not say.
        """
        return self.principal.endswith(":s3-replication")

    @property
    def is_multipart(self) -> bool:
        """Return whether the version was uploaded in parts, by the event's name, which says so in either format."""
        return "CompleteMultipartUpload" in self.name

    @property
    def item_id(self) -> str:
        """The id of its version and aspect in the journal.

        The id of a null version includes the time, because the next null version has the same version id. The aspect
        is left out where the change created the entry: then the item has the entry's own version id.
        """
        version = f"{NULL_VERSION}@{self.time}" if self.version_id == NULL_VERSION else self.version_id
        return version if self.creates_entry or self.aspect is None else f"{version}#{self.aspect}"


UNREADABLE = Change(ChangeKind.UNKNOWN, "", "")
"""The placeholder for the change of a message that could not be read."""


def comes_after(sequencer: str, other: str) -> bool:
    """Return whether the event of `sequencer` happened after that of `other`; False if that is unknown.

    S3's rule (user guide, "Event message structure"): pad the shorter one with zeros, compare as text. The guide has
    named either side for the zeros, so the order of two of unequal length is unknown.
    """
    return len(sequencer) == len(other) and sequencer.upper() > other.upper()


def order_of(change: Change) -> tuple[int, str]:
    """Return what sorts changes of one key: in S3's own order where that is known, else in any one order."""
    return len(change.sequencer), change.sequencer.upper()


def version_of(item_id: str) -> str:
    """Return the version id that an item id contains."""
    return item_id.partition("#")[0].partition("@")[0]


def later_aspect_of(item_id: str) -> Aspect | None:
    """Return the aspect that an item id contains; None for CONTENT and MARKER, which an item id leaves out."""
    name = item_id.partition("#")[2]
    return Aspect(name) if name else None
