"""A key -> rules, journal and buckets -> the status of its versions at every destination. It only reads.

Separate from explain, which shows what would be done now: this shows what was done, as the journal remembers it.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from replicator.core.deciding.facts import Absent, Top
from replicator.core.deciding.journal import Memory, Pair
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.outcomes.replication_status import ReplicationStatus
from replicator.core.rules.matching import Candidate
from replicator.core.versions.change import UNNAMED, Change, ChangeKind, later_item
from replicator.core.versions.version import Entry, Head, History, MarkerHead, StoredVersion
from replicator.flows.change.replicate import Services
from replicator.flows.ports import Earlier
from replicator.flows.reading import Versions, unlisted

from s3replicator.status.object_status import (
    CurrentInBucket,
    LaterStatus,
    ObjectStatus,
    StatusAtDestination,
    VersionStatus,
)
from s3replicator.status.upload_progress import UploadProgress, read_progress

NEWEST = 10
"""How many entries of a key's history are shown."""


def read_object_status(bucket: str, key: str, services: Services) -> ObjectStatus:
    """Read the status of a key at its source and at every destination that a rule names for it.

    Raises Temporary or Permanent if the source, its rules or the journal cannot be read.
    """
    candidates = services.rules(bucket).candidates(key)
    source = _versions(services, bucket, key)
    top = source.objects.top(key)
    history = _history(source, top, "source")
    entries = history[-NEWEST:][::-1]
    memories = {c.destination: services.journal.read(Pair(bucket, c.destination, key)) for c in candidates}
    reader = _VersionReader(bucket, key, candidates, memories, source, services)
    versions = tuple(reader.read(entry, is_current=number == 0) for number, entry in enumerate(entries))
    sides = [
        _current(source, top, history),
        *(_current_at_destination(services, candidate, key) for candidate in candidates),
    ]
    unnamed = [each for name in memories for each in reader.later(name, reader.recorded(name, UNNAMED))]
    return ObjectStatus(bucket, key, versions, tuple(sides), tuple(unnamed))


@dataclass(frozen=True, slots=True)
class _VersionReader:
    """Reads the status of each version of one key."""

    bucket: str
    key: str
    candidates: tuple[Candidate, ...]
    memories: dict[str, Memory]
    source: Versions
    services: Services

    def read(self, entry: Entry, *, is_current: bool) -> VersionStatus:
        origin = self.source.mark(entry.version_id) if entry.is_version else None
        destinations = tuple(self._of_replica(entry) if origin else self._destinations(entry))
        return VersionStatus(entry.version_id, entry.modified, not entry.is_version, is_current, origin, destinations)

    def recorded(self, destination: str, version_id: str) -> Mapping[str, Earlier]:
        return self.services.journal.recorded(Pair(self.bucket, destination, self.key), version_id)

    def later(self, destination: str, recorded: Mapping[str, Earlier], written: int = 0) -> tuple[LaterStatus, ...]:
        """Return the later changes that are not completed. written: when the version was, epoch seconds.

        What is recorded of a null version may be about one that was overwritten since.
        """
        named = ((later_item(item_id), each) for item_id, each in recorded.items())
        return tuple(
            LaterStatus(
                destination,
                item,
                ReplicationStatus(each.status),
                str(each.reason or ""),
                each.missed_claimed,
                each.release_at,
            )
            for item, each in named
            if item and each.status is not Status.COMPLETED and item.time // 1000 >= written
        )

    def _of_replica(self, entry: Entry) -> Iterator[StatusAtDestination]:
        """Yield the destinations to which a change of a replica shall go, but did not yet."""
        for candidate in self.candidates:
            destination, recorded = candidate.destination, self.recorded(candidate.destination, entry.version_id)
            if later := self.later(destination, recorded, entry.modified):
                rule_id, status = candidate.rules[0].id, ReplicationStatus.REPLICA
                yield StatusAtDestination(destination, rule_id, status, later=later)

    def _destinations(self, entry: Entry) -> Iterator[StatusAtDestination]:
        """Yield the destinations that a rule names, and those whose replica follows although none does any more."""
        for candidate in self.candidates:
            found = self.source.get(entry.version_id) if entry.is_version and candidate.needs_tags else None
            rule = candidate.select(found.tags if isinstance(found, StoredVersion) else {})
            recorded = self.recorded(candidate.destination, entry.version_id)
            later = self.later(candidate.destination, recorded, entry.modified)
            if later or (rule is not None and (entry.is_version or rule.delete_markers)):
                rule_id = (rule or candidate.rules[0]).id
                yield self._at_destination(entry, candidate.destination, rule_id, recorded, later)

    def _at_destination(
        self,
        entry: Entry,
        destination: str,
        rule_id: str,
        recorded: Mapping[str, Earlier],
        later: tuple[LaterStatus, ...],
    ) -> StatusAtDestination:
        kind = ChangeKind.CREATED if entry.is_version else ChangeKind.MARKED_DELETED
        change = Change(kind, self.bucket, self.key, entry.version_id, time=entry.modified * 1000)
        memory, earlier = self.memories[destination], recorded.get(change.item_id)
        return StatusAtDestination(
            destination,
            rule_id,
            status=_status(earlier, settled=memory.has_settled(change)),
            reason=str(earlier.reason or "") if earlier else "",
            completed=memory.completed_at(change),
            missed=earlier is not None and earlier.missed_claimed,
            progress=self._progress(change, destination)
            if earlier and earlier.reason is Reason.PARTS_UNDER_WAY
            else None,
            release_at=earlier.release_at if earlier else 0,
            later=later,
        )

    def _progress(self, change: Change, destination: str) -> UploadProgress | None:
        """Read how far an upload has come; None if the destination cannot be read."""
        if self.services.multipart is None:
            return None
        pair = Pair(change.bucket, destination, change.key)
        with suppress(Temporary, Permanent):
            return read_progress(pair, change.item_id, self.services.multipart, self.services.now())
        return None


def _status(earlier: Earlier | None, *, settled: bool) -> ReplicationStatus:
    """Return a version's status. PENDING and FAILED count even if a copy of the version is at the destination."""
    if earlier and earlier.status is not Status.COMPLETED:
        return ReplicationStatus(earlier.status)
    return ReplicationStatus.COMPLETED if earlier or settled else ReplicationStatus.UNKNOWN


def _versions(services: Services, bucket: str, key: str) -> Versions:
    return Versions(services.buckets.source(bucket), bucket, key, lambda: False)


def _current(versions: Versions, top: Top, history: History) -> CurrentInBucket:
    """Describe what a HEAD found to be current; the list adds when a delete marker was written."""
    name = versions.bucket
    match top:
        case Head():
            origin = versions.mark_of(top)
            return CurrentInBucket(name, top.version_id, top.modified, is_marker=False, origin=origin)
        case MarkerHead(version_id=version_id):
            modified = next((entry.modified for entry in history if entry.version_id == version_id), 0)
            return CurrentInBucket(name, version_id, modified, is_marker=True, origin=None)
    return CurrentInBucket(name, "", 0, is_marker=False, origin=None)


def _history(versions: Versions, top: Top, side: str) -> History:
    """List a key's entries. Raises Temporary if the list lacks the current one, and a HEAD still finds it."""
    history = versions.objects.history(versions.key)
    if isinstance(top, Absent) or any(entry.version_id == top.version_id for entry in history):
        return history
    if versions.still_has(top.version_id):
        raise unlisted(side, top.version_id)
    return history


def _current_at_destination(services: Services, candidate: Candidate, key: str) -> CurrentInBucket:
    """Read what is current at a destination. If it cannot be read, the result says why."""
    name = candidate.destination
    try:
        objects = services.buckets.replicas(Target(name, candidate.account))
        versions = Versions(objects, name, key, lambda: False)
        top = objects.top(key)
        history = _history(versions, top, "destination") if isinstance(top, MarkerHead) else ()
        return _current(versions, top, history)
    except (Temporary, Permanent) as trouble:
        return CurrentInBucket(name, "", 0, is_marker=False, origin=None, trouble=str(trouble))
