"""Reads facts: the histories, marks and verdicts that the decision asks for, each at most once per change.

Separate from the flow that acts: this module only reads. What it reads about a version never changes, so it is shared
by all destinations of a change, and marks are remembered across changes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from itertools import takewhile
from typing import TypeVar

from replicator.core.deciding.actions import Need
from replicator.core.deciding.eligibility import Limits, ProposedCopy, judge
from replicator.core.deciding.facts import ABSENT, Absent, Facts, Histories, Ref, Verdict
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.rules.matching import Candidate
from replicator.core.rules.rule import Rule
from replicator.core.versions.change import Change
from replicator.core.versions.origin import (
    MARK,
    MARK_SECONDS,
    NULL_VERSION,
    Origin,
    Site,
    find_mark,
    has_metadata_room,
    identify,
    is_edited,
    mark_text,
    of_s3_replica,
)
from replicator.core.versions.version import Head, StoredVersion
from replicator.flows.ports import Objects, SideBySide

MARKS_REMEMBERED = 20_000
GONE = frozenset({Reason.SRC_VERSION_NOT_FOUND, Reason.DST_VERSION_NOT_FOUND})
T = TypeVar("T")


def unlisted(side: str, version_id: str) -> Temporary:
    """Return the trouble of a list that lacks what a HEAD finds: nothing is concluded from such a list."""
    return Temporary(Reason.UNREADABLE, f"ListObjectVersions ({side}): lacks {version_id}, which HEAD finds")


class NotSeen(Enum):
    """A version that was not seen before; None means a native one."""

    NOT_SEEN = "not seen"


NOT_SEEN = NotSeen.NOT_SEEN


class Marks:
    """Origins of versions that were seen before. They never change, except that a `null` version may be overwritten."""

    def __init__(self) -> None:
        self._known: dict[tuple[Ref, str], Origin | None] = {}

    def known(self, ref: Ref, key: str) -> Origin | NotSeen | None:
        """Return the origin of a version, None for a native one, or NOT_SEEN."""
        return self._known.get((ref, key), NOT_SEEN)

    def learn(self, ref: Ref, key: str, mark: Origin | None) -> None:
        """Remember the origin of a version that was read or written."""
        if ref.version_id == NULL_VERSION:
            return
        if len(self._known) >= MARKS_REMEMBERED:
            self._known.clear()
        self._known[ref, key] = mark


@dataclass(slots=True)
class Versions:
    """The versions of one key in one bucket, each read once for one change.

    with_grants: whether ACLs are needed; destinations share what is read, and an ACL is read for the first that needs
    it. natives_only: replicas here are never copied, so that no more is read of them than a HEAD says. asked_for: the
    id of a version that is copied even if it is a replica, unless one of the other side's; empty if there is none.
    across: the key in the bucket of the other side, for versions that lost their marks.
    """

    objects: Objects
    bucket: str
    key: str
    with_grants: Callable[[], bool]
    natives_only: bool = False
    asked_for: str = ""
    across: "Versions | None" = None
    _found: dict[str, StoredVersion | Absent] = field(default_factory=dict)
    _edited: dict[str, bool] = field(default_factory=dict)
    _granted: set[str] = field(default_factory=set)

    def get(self, version_id: str) -> StoredVersion | Absent:
        """Return a version with everything that is copied."""
        found = self._found.get(version_id)
        if found is None:
            found = self._found[version_id] = self._read(version_id)
        if isinstance(found, StoredVersion) and self._lacks_grants(found.head, version_id):
            found = self._found[version_id] = replace(found, grants=self._still(self.objects.grants, version_id))
            self._granted.add(version_id)
        return found

    def has_read(self, version_id: str) -> bool:
        """Return whether a version was read already, existing or not."""
        return version_id in self._found

    def still_has(self, version_id: str) -> bool:
        """Return whether a HEAD finds a version or delete marker that a listing lacks; once absent, always absent."""
        return self._found.get(version_id) is not ABSENT and self.objects.exists(self.key, version_id)

    def known(self, version_id: str) -> StoredVersion | None:
        """Return a version if it was read already and exists."""
        found = self._found.get(version_id)
        return found if isinstance(found, StoredVersion) else None

    def mark(self, version_id: str) -> Origin | None:
        """Return the origin of a version, reading no more than that; None if it is native or does not exist."""
        found = self._found.get(version_id)
        if isinstance(found, StoredVersion):
            mark = self._origin_by_s3(found.head) or self._find_mark(found.head, found.tags)
            return mark or self._origin_by_likeness(found.head)
        head = self.objects.head(self.key, version_id) if found is None else found
        return self.mark_of(head) if isinstance(head, Head) else None

    def _site(self, head: Head) -> Site:
        return Site(self.bucket, self.key, head.modified)

    def mark_of(self, head: Head) -> Origin | None:
        """Return the origin of a version that was read; it costs a request only if a tag may be the mark."""
        mark = self._origin_by_s3(head) or self._find_mark(head, {})
        if mark or has_metadata_room(head.metadata, head.unseen_metadata):
            return mark
        tags = self._tags(head)
        return self._find_mark(head, tags) or self._origin_by_likeness(head)

    def _origin_by_likeness(self, head: Head) -> Origin | None:
        """Return the version of the other bucket that one without a mark is a replica of; None if there is none.

        Where the metadata is full, the mark is a tag, and a user who replaces all tags of a replica removes it. It has
        the metadata of its version, all two kilobytes, and its bytes, and is not older. Of two of the same second, that
        of the source is native: then nothing is copied in either direction.
        """
        if self.across is None or has_metadata_room(head.metadata, head.unseen_metadata):
            return None
        for entry in self.across.objects.history(self.key):
            alike = entry.is_version and (entry.etag, entry.size) == (head.etag, head.size)
            if alike and entry.modified < head.modified + (not self.natives_only):
                other = self.across.objects.head(self.key, entry.version_id)
                if isinstance(other, Head) and other.metadata == head.metadata and not self.across.is_marked(other):
                    return identify(self.across.bucket, other.version_id, other.modified, other.etag)
        return None

    def is_marked(self, head: Head) -> bool:
        """Return whether a version without room in its metadata is known to be a replica: by a tag, or by S3."""
        if head.made_by_s3:
            return True
        tags = self._tags(head)
        return find_mark({}, tags, self._site(head)) is not None

    def _find_mark(self, head: Head, tags: Mapping[str, str]) -> Origin | None:
        mark, text = find_mark(head.metadata, tags, self._site(head)), mark_text(head.metadata, tags)
        if mark and head.version_id == self.asked_for and not (self.across and mark.bucket == self.across.bucket):
            return None
        return None if mark and is_edited(text, head.metadata) and self._is_copy_of_replica(head, text) else mark

    def _is_copy_of_replica(self, head: Head, mark: str) -> bool:
        """Return whether a user copied a replica onto itself with other metadata: an older version has the same mark.

        Metadata that differs from its mark does not show it alone: some servers change what they store.
        """
        if head.version_id not in self._edited:
            self._edited[head.version_id] = any(
                isinstance(older, Head) and self._mark_text(older) == mark for older in self._older(head)
            )
        return self._edited[head.version_id]

    def _mark_text(self, head: Head) -> str:
        return mark_text(head.metadata, {} if MARK in head.metadata else self._tags(head))

    def _older(self, head: Head) -> Iterator[Head | Absent]:
        """Read the versions below one, the newest first, as far back as their mark could be the same."""
        below = list(takewhile(lambda entry: entry.version_id != head.version_id, self.objects.history(self.key)))
        recent = [each for each in reversed(below) if each.is_version and each.modified >= head.modified - MARK_SECONDS]
        return (self.objects.head(self.key, entry.version_id) for entry in recent)

    def _read(self, version_id: str) -> StoredVersion | Absent:
        head = self.objects.head(self.key, version_id)
        if not isinstance(head, Head):
            return ABSENT
        if self._is_never_copied(head):
            return StoredVersion(head)  # nothing else of it is needed
        return StoredVersion(head, self._tags(head))

    def _tags(self, head: Head) -> Mapping[str, str]:
        return self._still(self.objects.tags, head.version_id) if head.tag_count != 0 else {}

    def _still(self, read: Callable[[str, str], T], version_id: str) -> T:
        """Read more of a version that a HEAD found. If it was deleted since, the next attempt finds that out."""
        try:
            return read(self.key, version_id)
        except Permanent as trouble:
            if trouble.reason not in GONE:
                raise
            raise Temporary(Reason.UNKNOWN, trouble.detail, trouble.side) from trouble

    def _lacks_grants(self, head: Head, version_id: str) -> bool:
        return version_id not in self._granted and self.with_grants() and not self._is_never_copied(head)

    def _is_never_copied(self, head: Head) -> bool:
        return self.natives_only and bool(self._origin_by_s3(head) or self._find_mark(head, {}))

    def _origin_by_s3(self, head: Head) -> Origin | None:
        """Return the origin of a replica by S3's own replication, unless that version is asked for."""
        left = head.made_by_s3 and head.version_id != self.asked_for
        return of_s3_replica(head.version_id, head.modified) if left else None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads what a decision needs about one key, at its source and at one destination."""

    source: Versions
    destination: Versions
    target: Target
    candidate: Candidate
    limits: Limits
    marks: Marks
    side_by_side: SideBySide
    now: Callable[[], int]

    def read(self, facts: Facts, need: Need) -> Facts:
        """Return the facts with those that are needed. Raises Temporary or Permanent."""
        key = facts.pair.key
        if need.histories:
            facts = replace(facts, histories=self._histories(facts.change))
        if need.top:
            facts = replace(facts, top=self.destination.objects.top(key))
        unread = [version_id for version_id in sorted(need.verdicts) if not self.source.has_read(version_id)]
        self.side_by_side([partial(self.source.get, version_id) for version_id in unread])
        verdicts = {version_id: self._verdict(version_id) for version_id in need.verdicts}
        marks = self._marks(need.marks | {Ref(self.source.bucket, version_id) for version_id in need.verdicts})
        return replace(facts, verdicts={**facts.verdicts, **verdicts}, marks={**facts.marks, **marks})

    def _histories(self, change: Change) -> Histories:
        """List both sides. Raises Temporary if the list lacks the change's own version, and a HEAD finds it."""
        histories, version_id = self.histories(self.source.key), change.version_id
        listed = not change.creates_entry or any(entry.version_id == version_id for entry in histories.source)
        if not listed and self.source.still_has(version_id):
            raise unlisted("source", version_id)
        return histories

    def histories(self, key: str) -> Histories:
        """List both sides: the destination before the source, see Histories."""
        destination = self.destination.objects.history(key)
        return Histories(destination, self.source.objects.history(key))

    def propose(self, stored: StoredVersion, rule: Rule) -> ProposedCopy:
        """Return a version of the source as a proposed copy under a rule."""
        origin = identify(self.source.bucket, stored.head.version_id, stored.head.modified, stored.head.etag)
        return ProposedCopy(
            self.source.key, stored.head, rule, stored.tags, origin, self.target, self.limits, self.now() // 1000
        )

    def read_native(self, origin: Origin) -> tuple[StoredVersion, Rule] | None:
        """Read a native version of the source with the rule that copies it; None if none does, or it is gone."""
        if origin.bucket != self.source.bucket:
            return None
        found, verdict = self.source.get(origin.version_id), self._verdict(origin.version_id)
        if not isinstance(found, StoredVersion) or not isinstance(verdict, Rule):
            return None
        there = identify(origin.bucket, origin.version_id, found.head.modified, found.head.etag)
        return (found, verdict) if there == origin else None

    def _verdict(self, version_id: str) -> Verdict:
        found = self.source.get(version_id)
        if not isinstance(found, StoredVersion):
            return found
        return judge(self.candidate, found.tags, partial(self.propose, found))

    def _marks(self, refs: frozenset[Ref]) -> dict[Ref, Origin | None]:
        """Return the marks of versions; those that take a request are read side by side."""
        marks, unread = dict[Ref, Origin | None](), list[Ref]()
        for ref in sorted(refs):
            known = NOT_SEEN if self._is_asked_for(ref) else self.marks.known(ref, self.source.key)
            if not isinstance(known, NotSeen):
                marks[ref] = known
            elif self._side(ref).has_read(ref.version_id):
                marks[ref] = self._mark(ref)
            else:
                unread.append(ref)
        read = self.side_by_side([partial(self._mark, ref) for ref in unread])
        return marks | dict(zip(unread, read, strict=True))

    def _side(self, ref: Ref) -> Versions:
        return self.source if ref.bucket == self.source.bucket else self.destination

    def _mark(self, ref: Ref) -> Origin | None:
        mark = self._side(ref).mark(ref.version_id)
        if not self._is_asked_for(ref):
            self.marks.learn(ref, self.source.key, mark)
        return mark

    def _is_asked_for(self, ref: Ref) -> bool:
        return ref == Ref(self.source.bucket, self.source.asked_for)
