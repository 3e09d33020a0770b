"""Standing: both histories of a key, and which native versions have a replica at the destination.

Separate from the plan, which decides what to do about it, so that others can ask the same questions. Only a HEAD shows
an entry's origin, so each question reads as few marks as possible. If a mark or a verdict is missing from the facts,
Unread is raised with the Need for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from replicator.core.deciding.actions import Need
from replicator.core.deciding.copy import Guard
from replicator.core.deciding.facts import Facts, Ref
from replicator.core.deciding.winner import CLOCK_MARGIN
from replicator.core.rules.rule import Rule
from replicator.core.versions.change import Aspect, Wish
from replicator.core.versions.origin import NULL_VERSION, Origin, identify
from replicator.core.versions.version import Entry, History, Replica


class Unread(Exception):
    """A fact has not been read yet; `need` asks for it."""

    def __init__(self, need: Need) -> None:
        super().__init__(need)
        self.need = need


def since(history: History, time: int) -> History:
    """Return the entries from the first one on that was written at `time` (epoch seconds) or later.

    By position, not by time: S3 inserts a multipart upload where it began; other stores insert it where it was
    completed, with the older time.
    """
    first = next((index for index, entry in enumerate(history) if entry.modified >= time), len(history))
    return history[first:]


@dataclass(frozen=True, slots=True)
class Standing:
    """Both histories of a key, as one attempt sees them. Every method may raise Unread."""

    facts: Facts
    source: History
    destination: History

    def origin(self, entry: Entry) -> Origin:
        """Return the identity of a native version of the source."""
        return identify(self.facts.change.bucket, entry.version_id, entry.modified, entry.etag)

    # Versions of the source

    def natives_since(self, time: int) -> list[Entry]:
        """Return the native versions of the source, oldest first, from `time` (epoch seconds) on."""
        return self.natives([entry for entry in since(self.source, time) if entry.is_version])

    def with_asked_for(self, natives: Sequence[Entry], replicas: Mapping[Origin, Entry]) -> list[Entry]:
        """Return native versions of the source with the later ones among them that have replicas without being native.

        S3's own replication wrote those, and somebody asked for their replicas.
        """
        if not natives:
            return []
        known, recent = set(natives), self.source[self.source.index(natives[0]) :]
        return [entry for entry in recent if entry in known or (entry.is_version and self.origin(entry) in replicas)]

    def natives(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return those versions of the source that are native."""
        return [entry for entry, mark in zip(entries, self.source_marks(entries), strict=True) if mark is None]

    def selected(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return those versions that a rule copies. Why the others are not copied is reported by their own changes."""
        if unread := frozenset(entry.version_id for entry in entries) - self.facts.verdicts.keys():
            raise Unread(Need(verdicts=unread))
        return [entry for entry in entries if isinstance(self.facts.verdicts[entry.version_id], Rule)]

    def has_arrived(self, entry: Entry, replicas: Mapping[Origin, Entry]) -> bool:
        """Return whether a version is at the destination, or was until it was permanently deleted there.

        One that must be restored has not arrived if it was deleted, or if its replica is damaged.
        """
        change, replica = self.facts.change, replicas.get(self.origin(entry))
        if not change.wish.restores or entry.version_id != change.version_id:
            return replica is not None or entry.version_id in self.facts.memory.settled
        asked_at = change.time // 1000 if change.wish is Wish.REWRITE else 0
        return replica is not None and replica.modified >= asked_at

    def is_reported(self, marker: Entry) -> bool:
        """Return whether an event reported this delete marker, or one below it with no native version in between.

        A marker has no mark of its origin, so the one on top may be ours, put back on top of a late copy. What names a
        marker and takes it for a version, such as a line of a manifest, reports nothing.
        """
        change = self.facts.change
        reported = {change.version_id} if change.aspect is Aspect.MARKER else set()
        for entry in reversed(self.source[: self.source.index(marker) + 1]):
            if entry.is_version:
                if self.source_marks([entry]) == [None]:
                    return False
            elif entry.version_id in reported or entry.version_id in self.facts.memory.settled:
                return True
        return False

    # Entries of the destination

    def replicas_since(self, time: int) -> dict[Origin, Entry]:
        """Return the replicas at the destination by their origins, from `time` (epoch seconds) on."""
        recent = [entry for entry in since(self.destination, time) if entry.is_version]
        return {mark: entry for entry, mark in zip(recent, self.destination_marks(recent), strict=True) if mark}

    def replicas_of(self, version: Entry) -> list[Entry]:
        """Return all replicas of a native version of the source at the destination, the one on top first.

        There are several if one was put back on top.
        """
        recent = [each for each in since(self.destination, version.modified - CLOCK_MARGIN) if each.is_version]
        origin, marks = self.origin(version), self.destination_marks(recent)
        return [entry for entry, mark in zip(recent, marks, strict=True) if mark == origin][::-1]

    def twins_of(self, version: Entry) -> list[Entry]:
        """Return the replicas of a native version in its own bucket: put back there by the other direction."""
        above = [each for each in self.source[self.source.index(version) + 1 :] if each.is_version]
        origin, marks = self.origin(version), self.source_marks(above)
        return [entry for entry, mark in zip(above, marks, strict=True) if mark == origin][::-1]

    def last_native_of_destination(self, bound: int) -> Entry | None:
        """Return the last native entry of the destination, unless it is older than `bound` (epoch seconds)."""
        for entry in reversed(self.destination):
            if entry.modified < bound and not entry.is_multipart:
                return None
            is_native = not entry.is_version or self.destination_marks([entry]) == [None]
            may_be_undone = not entry.is_version or not self.facts.two_way
            if is_native and not (may_be_undone and self._is_undone(entry, self.destination, self.destination_marks)):
                return entry
        return None

    def is_undone_at_source(self, marker: Entry) -> bool:
        """Return whether a replica above a delete marker of the source undoes it."""
        return self._is_undone(marker, self.source, self.source_marks)

    def _is_undone(
        self, entry: Entry, history: History, marks_of: Callable[[Sequence[Entry]], Sequence[Origin | None]]
    ) -> bool:
        """Return whether a replica above an entry undoes it: its mark says so. A late copy does not."""
        above = [each for each in history[history.index(entry) + 1 :] if each.is_version]
        return any(mark is not None and mark.undoes for mark in marks_of(above))

    def source_origins(self, entries: Sequence[Entry]) -> list[Origin]:
        """Return which native version each version of the source is or stands for."""
        return [mark or self.origin(entry) for entry, mark in zip(entries, self.source_marks(entries), strict=True)]

    def destination_origins(self, entries: Sequence[Entry]) -> list[Origin]:
        """Return which native version each version of the destination is or stands for."""
        bucket, marks = self.facts.attempt.target.bucket, self.destination_marks(entries)
        return [
            mark or identify(bucket, entry.version_id, entry.modified, entry.etag)
            for entry, mark in zip(entries, marks, strict=True)
        ]

    @property
    def top(self) -> Entry | None:
        """The entry on top of the destination, even if it is a delete marker."""
        return self.destination[-1] if self.destination else None

    def shown(self) -> Origin | None:
        """Return the origin of the version on top of the destination; None for a delete marker or nothing."""
        top = self.top
        return self._origin_there(top) if top and top.is_version else None

    def newest(self) -> Origin | None:
        """Return the origin of the newest version of the destination, whatever is above it; None if there is none."""
        versions = (entry for entry in reversed(self.destination) if entry.is_version)
        newest = next(versions, None)
        return self._origin_there(newest) if newest else None

    def _origin_there(self, entry: Entry) -> Origin:
        native = identify(self.facts.attempt.target.bucket, entry.version_id, entry.modified, entry.etag)
        return self.destination_marks([entry])[0] or native

    def guard(self) -> Guard:
        """Return the guard for a write on top of the destination."""
        return Guard(self.top.etag if self.top and self.top.is_version else "")

    def top_replica(self) -> Replica | None:
        """Return the version on top of the destination with its origin; None for a delete marker or nothing."""
        origin, top = self.shown(), self.top
        return Replica(top.version_id, top.etag, origin) if top and origin else None

    # Marks

    def source_marks(self, entries: Sequence[Entry]) -> list[Origin | None]:
        """Return the origin of each version of the source; None for a native one."""
        return self._completed(entries, self._marks([self.facts.source(entry) for entry in entries]))

    def destination_marks(self, entries: Sequence[Entry]) -> list[Origin | None]:
        """Return the origin of each version of the destination; None for a native one."""
        return self._completed(entries, self._marks([self.facts.destination(entry) for entry in entries]))

    def _marks(self, refs: Sequence[Ref]) -> list[Origin | None]:
        marks = self.facts.marks
        if unread := frozenset(ref for ref in refs if ref not in marks):
            raise Unread(Need(marks=unread))
        return self._followed(refs, [marks[ref] for ref in refs])

    def _followed(self, refs: Sequence[Ref], marks: Sequence[Origin | None]) -> list[Origin | None]:
        """Follow each replica by S3's own replication to the version of the same id in the other bucket.

        That may be a replica itself, with a mark of ours. If it is not there, its bucket is a third one.
        """
        twins = {ref: self._twin(ref) for ref, mark in zip(refs, marks, strict=True) if mark and mark.is_by_s3}
        if unread := frozenset(twin for twin, _ in filter(None, twins.values()) if twin not in self.facts.marks):
            raise Unread(Need(marks=unread))
        return [
            self._behind(twins[ref]) or mark if ref in twins else mark for ref, mark in zip(refs, marks, strict=True)
        ]

    def _twin(self, ref: Ref) -> tuple[Ref, Entry] | None:
        """Return the version of the same id in the other bucket."""
        pair = self.facts.pair
        at_source = ref.bucket == pair.source
        other, history = (pair.destination, self.destination) if at_source else (pair.source, self.source)
        entry = next((entry for entry in history if entry.version_id == ref.version_id), None)
        return (Ref(other, ref.version_id), entry) if entry else None

    def _behind(self, twin: tuple[Ref, Entry] | None) -> Origin | None:
        """Return the origin of a version that S3's own replication has replicated; None if it is not there."""
        if twin is None:
            return None
        ref, entry = twin
        mark = self.facts.marks[ref]
        return mark if mark and not mark.is_by_s3 else identify(ref.bucket, ref.version_id, entry.modified, entry.etag)

    def _completed(self, entries: Sequence[Entry], marks: Sequence[Origin | None]) -> list[Origin | None]:
        """Complete the marks of older releases, which tell of a null version no ETag."""
        pairs = zip(entries, marks, strict=True)
        return [self._complete(entry, mark) if mark and not mark.etag else mark for entry, mark in pairs]

    def _complete(self, replica: Entry, mark: Origin) -> Origin:
        """Take a null version for the one that is there, if it is of the same second and the same size."""
        if mark.version_id != NULL_VERSION:
            return mark
        history = self.source if mark.bucket == self.facts.change.bucket else self.destination
        null = next((entry for entry in history if entry.version_id == NULL_VERSION), None)
        if null is None or (null.modified, null.size) != (mark.modified, replica.size):
            return mark
        return replace(mark, etag=identify(mark.bucket, NULL_VERSION, mark.modified, null.etag).etag)
