"""What one event says happened to one key.

Separate from the event formats (events.py): S3's notifications, EventBridge, Batch Operations and the operator's own
commands all lead to the same value, and everything after it treats them alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from replicator.core.versions.origin import NULL_VERSION

UNNAMED = ""
"""The version id of a later change whose event names none. Any version of its key may be the one."""


DELETION = "deletion"
"""What the item id of a deleted annotation says."""


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
    LEGAL_HOLD = "legal hold"
    ANNOTATIONS = "annotations"
    STATE = "state"
    UNKNOWN = "unknown"


class Wish(StrEnum):
    """Why a version is named that no event named: an operator asks for it. NONE: an event did.

    EXISTING: it may be missing at a destination. REPLICAS: it is copied even if it is a replica itself. RESTORE: the
    destination must have what the source has, whatever was deleted or written there since. REWRITE: likewise, and its
    replica is damaged: it is written once more, unless one was written after the change's time.
    """

    NONE = ""
    EXISTING = "existing"
    REPLICAS = "replicas"
    RESTORE = "restore"
    REWRITE = "rewrite"

    @property
    def restores(self) -> bool:
        """Return whether the source's state wins over what was done at a one-way destination."""
        return self in {Wish.RESTORE, Wish.REWRITE}


class Aspect(StrEnum):
    """What a change of a history entry concerns.

    CONTENT and MARKER create the entry, REMOVAL ends it, the others change it in between; STATE is all of these.
    """

    CONTENT = "content"
    MARKER = "marker"
    REMOVAL = "removal"
    TAGS = "tags"
    ACL = "acl"
    LOCK = "lock"
    ANNOTATIONS = "annotations"
    STATE = "state"


ASPECTS: Mapping[ChangeKind, Aspect] = {
    ChangeKind.CREATED: Aspect.CONTENT,
    ChangeKind.RESTORED: Aspect.CONTENT,
    ChangeKind.REMOVED: Aspect.REMOVAL,
    ChangeKind.MARKED_DELETED: Aspect.MARKER,
    ChangeKind.EXPIRED: Aspect.MARKER,
    ChangeKind.TAGS: Aspect.TAGS,
    ChangeKind.ACL: Aspect.ACL,
    ChangeKind.RETENTION: Aspect.LOCK,
    ChangeKind.LEGAL_HOLD: Aspect.LOCK,
    ChangeKind.ANNOTATIONS: Aspect.ANNOTATIONS,
    ChangeKind.STATE: Aspect.STATE,
}
"""The aspect of each kind; UNKNOWN has none."""

CREATES_ENTRY = frozenset({Aspect.CONTENT, Aspect.MARKER})

AMENDED = (Aspect.TAGS, Aspect.ACL, Aspect.ANNOTATIONS, Aspect.LOCK)
"""The aspects of a version that may change after it was written. The lock is last: S3 annotates nothing locked."""

NOT_REPLICATED = frozenset({ChangeKind.EXPIRED, ChangeKind.UNKNOWN})
"""Delete markers that lifecycle created. Permanent deletions are not replicated either, but a delete marker that is
removed is undone."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one key.

    time: the event's own time in epoch milliseconds. Latency counts from it; order never depends on it. sequencer: S3's
    hexadecimal order of PUT and DELETE events of one key; empty when the event has none. name: the event's name.
    other_key: what the key may be instead, where it is not certain how its sender encodes keys. seen_at: the
    destination at whose replica somebody made a later change; empty if it was made at the version itself. wish: what an
    operator asks for; then `time` is when that was asked, and nothing of the change counts as late. lone: whoever asks
    saw in listings that nothing else of its key is at the source, and nothing at the destinations.
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
    seen_at: str = ""
    wish: Wish = Wish.NONE
    lone: bool = False

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
        return self.kind not in NOT_REPLICATED

    @property
    def amends(self) -> tuple[Aspect, ...]:
        """The aspects to look at again; empty if it is no later change."""
        if self.aspect is Aspect.STATE:
            return AMENDED
        return (self.aspect,) if self.aspect in AMENDED else ()

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

        The id of a null version includes the time, because the next null version has the same version id; so does that
        of a later change, because the next one is another change, and what decides what it may do: where it was seen,
        and whether an annotation was deleted. So does one that restores: the entry may have been completed before. The
        aspect is left out where the change created the entry: then the item has the entry's own version id.
        """
        if self.wish.restores and self.creates_entry:
            return f"{self.version_id}@{self.time}/{self.wish}"
        if self.creates_entry or self.aspect is None:
            return f"{NULL_VERSION}@{self.time}" if self.version_id == NULL_VERSION else self.version_id
        seen_at = f"/{self.seen_at}" if self.seen_at else ""
        deletion = f"/{DELETION}" if self.is_deletion else ""
        return f"{self.version_id}@{self.time}{seen_at}{deletion}#{self.aspect}"

    @property
    def is_deletion(self) -> bool:
        """Return whether an annotation was deleted."""
        return self.aspect is Aspect.ANNOTATIONS and self.name.endswith("Delete")


UNREADABLE = Change(ChangeKind.UNKNOWN, "", "")
"""The placeholder for the change of a message that could not be read."""


def comes_after(sequencer: str, other: str) -> bool:
    """Return whether the event of `sequencer` happened after that of `other`; False if that is unknown.

    S3's rule (user guide, "Event message structure"): pad the shorter one with zeros, compare as text. The guide has
    named either side for the zeros, so the order of two of unequal length is unknown.
    """
    return len(sequencer) == len(other) and sequencer.upper() > other.upper()


def order_of(change: Change) -> tuple[bool, int, str]:
    """Return what sorts changes of one key: in S3's own order where that is known, else in any one order.

    Later changes come last: a version is copied with what it has by then.
    """
    return not change.creates_entry, len(change.sequencer), change.sequencer.upper()


def version_of(item_id: str) -> str:
    """Return the version id that an item id contains."""
    return item_id.partition("#")[0].partition("@")[0]


def later_aspect_of(item_id: str) -> Aspect | None:
    """Return the aspect that an item id contains; None for CONTENT and MARKER, which an item id leaves out."""
    name = item_id.partition("#")[2]
    return Aspect(name) if name else None


class LaterItem(NamedTuple):
    """What the item id of a later change says of it: see `Change.item_id`. time: epoch milliseconds."""

    version_id: str
    aspect: Aspect
    time: int
    seen_at: str = ""
    is_deletion: bool = False


def later_item(item_id: str) -> LaterItem | None:
    """Return what an item id says of a later change; None if it is that of an entry of the history itself."""
    aspect = later_aspect_of(item_id)
    if aspect is None:
        return None
    version_id, _, rest = item_id.partition("#")[0].partition("@")
    time, *qualifiers = rest.split("/")
    is_deletion = qualifiers[-1:] == [DELETION]
    seen_at = "".join(qualifiers[:-1] if is_deletion else qualifiers)
    return LaterItem(version_id, aspect, int(time), seen_at, is_deletion)
