"""A key or a stack -> journal, queues and buckets -> where everything stands. It only reads.

Separate from explain, which says what would be done: this says what was done, from what the journal keeps.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from replicator.core.deciding.journal import Memory, Pair
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.outcomes.replication_status import ReplicationStatus
from replicator.core.outcomes.threshold import Count, Pending, Route, Tally
from replicator.core.rules.matching import Candidate
from replicator.core.versions.change import Change, ChangeKind
from replicator.core.versions.version import Entry, StoredVersion
from replicator.flows.change.reading import Versions
from replicator.flows.change.replicate import Services
from replicator.flows.ports import Earlier
from replicator.flows.watch.monitor import Depths, Index, Queues

from s3replicator.status.object_status import AtDestination, KeyInBucket, ObjectStatus, VersionStatus
from s3replicator.status.progress import Progress
from s3replicator.status.upload_progress import progress

NEWEST = 10
"""How many entries of a key's history are looked at."""


@dataclass(frozen=True, slots=True)
class StackStatus:
    """Everything that waits or has failed, and how much lies on the queues."""

    depths: Depths
    pending: Tally
    failed: dict[Route, Count] = field(default_factory=dict)

    @property
    def routes(self) -> list[Route]:
        """Rules and destinations for which something waits or has failed."""
        return sorted({*self.pending.by_route, *self.failed})

    @property
    def is_fine(self) -> bool:
        """Return whether nothing has failed and nothing is over its threshold."""
        return not self.failed and not self.depths.dead.all and not self.pending.late


def of_stack(index: Index, queues: Queues, now: int, bucket: str = "") -> StackStatus:
    """Look at a stack, or at one of its source buckets. Raises Temporary."""
    pending, failed = Tally(now), dict[Route, Count]()
    for each in _all(index, Status.PENDING, bucket):
        pending.add(each)
    for each in _all(index, Status.FAILED, bucket):
        failed.setdefault((each.bucket, each.destination, each.rule_id), Count()).add(each)
    return StackStatus(queues.depths(), pending, failed)


def _all(index: Index, status: Status, bucket: str) -> Iterator[Pending]:
    for shard in index.shards(status):
        yield from (each for each in shard() if bucket in {"", each.bucket})


def of_object(bucket: str, key: str, services: Services) -> ObjectStatus:
    """Look at one key at its source and at every destination that a rule names for it. Raises Temporary, Permanent."""
    candidates = services.rules(bucket).candidates(key)
    source = _versions(services, bucket, key)
    entries = source.objects.history(key)[-NEWEST:][::-1]
    memories = {c.destination: services.journal.read(Pair(bucket, c.destination, key)) for c in candidates}
    look = _Look(bucket, key, candidates, memories, source, services)
    versions = tuple(look.at(entry, is_current=number == 0) for number, entry in enumerate(entries))
    sides = [_side(source), *(_far_side(services, candidate, key) for candidate in candidates)]
    return ObjectStatus(bucket, key, versions, tuple(sides))


@dataclass(frozen=True, slots=True)
class _Look:
    """One key under its rules."""

    bucket: str
    key: str
    candidates: tuple[Candidate, ...]
    memories: dict[str, Memory]
    source: Versions
    services: Services

    def at(self, entry: Entry, *, is_current: bool) -> VersionStatus:
        origin = self.source.mark(entry.version_id) if entry.is_version else None
        destinations = () if origin else tuple(self._destinations(entry))
        return VersionStatus(entry.version_id, entry.modified, not entry.is_version, is_current, origin, destinations)

    def _destinations(self, entry: Entry) -> Iterator[AtDestination]:
        for candidate in self.candidates:
            found = self.source.get(entry.version_id) if entry.is_version and candidate.needs_tags else None
            rule = candidate.select(found.tags if isinstance(found, StoredVersion) else {})
            if rule is not None and (entry.is_version or rule.delete_markers):
                yield self._at_destination(entry, candidate.destination, rule.id)

    def _at_destination(self, entry: Entry, destination: str, rule_id: str) -> AtDestination:
        kind = ChangeKind.CREATED if entry.is_version else ChangeKind.MARKED_DELETED
        change = Change(kind, self.bucket, self.key, entry.version_id, time=entry.modified * 1000)
        memory = self.memories[destination]
        earlier = self.services.journal.earlier(Pair(self.bucket, destination, self.key), change.item_id)
        standing = _standing(earlier, settled=memory.has_settled(change))
        reason = str(earlier.reason or "") if earlier else ""
        missed = earlier is not None and earlier.missed
        progress = self._progress(change, destination) if reason == Reason.PARTS_UNDER_WAY else None
        return AtDestination(destination, rule_id, standing, reason, memory.completed_at(change), missed, progress)

    def _progress(self, change: Change, destination: str) -> Progress | None:
        """Say how far the parts have come; a destination that cannot be asked says nothing."""
        if self.services.multipart is None:
            return None
        pair = Pair(change.bucket, destination, change.key)
        with suppress(Temporary, Permanent):
            return progress(pair, change.item_id, self.services.multipart, self.services.now())
        return None


def _standing(earlier: Earlier | None, *, settled: bool) -> ReplicationStatus:
    """Say where a version stands: what waits or failed says so itself, even if a copy of it stands there."""
    if earlier and earlier.status is not Status.COMPLETED:
        return ReplicationStatus(earlier.status)
    return ReplicationStatus.COMPLETED if earlier or settled else ReplicationStatus.UNKNOWN


def _versions(services: Services, bucket: str, key: str) -> Versions:
    return Versions(services.buckets.source(bucket), bucket, key, lambda: False)


def _side(versions: Versions) -> KeyInBucket:
    """Say what a bucket shows under a key. Raises Temporary or Permanent."""
    history = versions.objects.history(versions.key)
    if not history:
        return KeyInBucket(versions.bucket, "", 0, is_marker=False, origin=None)
    top = history[-1]
    origin = versions.mark(top.version_id) if top.is_version else None
    return KeyInBucket(versions.bucket, top.version_id, top.modified, not top.is_version, origin)


def _far_side(services: Services, candidate: Candidate, key: str) -> KeyInBucket:
    """Say what a destination shows; that it cannot be asked is an answer too."""
    name = candidate.destination
    try:
        objects = services.buckets.replicas(Target(name, candidate.account))
        return _side(Versions(objects, name, key, lambda: False))
    except (Temporary, Permanent) as trouble:
        return KeyInBucket(name, "", 0, is_marker=False, origin=None, trouble=str(trouble))
