"""S3 in memory: several buckets with their histories, as users see them.

What it knows is what the product rests on: versions, delete markers, null versions, guards, whole-second times by each
bucket's own clock, sequencers, events. The contract suite holds it and the emulator to the same promises.
"""

import itertools
import secrets
from bisect import insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from replicator.core.deciding.copy import Guard
from replicator.core.deciding.target import Capabilities, Target
from replicator.core.outcomes.outcome import Conflict
from replicator.core.versions.version import EntryKind

from tests.fakes.clock import Clock
from tests.fakes.stored import MARKER, Content, Stored

USER = "AWS:USER"
LIFECYCLE = "s3.amazonaws.com"
S3_REPLICATION = "AWS:ROLE:s3-replication"


@dataclass(slots=True)
class Bucket:
    """One bucket. `versioning`: Enabled, Suspended or Off. `skew`: how far its clock is ahead, in seconds.

    counts_tags: a HEAD tells how many tags there are. S3's does; that of other servers, or of a role that may not read
    tags, does not. lists_all: if not, lists lack the oldest entry of each key.
    """

    name: str
    region: str = "us-east-1"
    versioning: str = "Enabled"
    acls_enabled: bool = False
    object_lock: bool = False
    listens: bool = False
    counts_tags: bool = True
    lists_all: bool = True
    skew: float = 0.0
    histories: dict[str, list[Stored]] = field(default_factory=dict)

    def history(self, key: str) -> list[Stored]:
        """Return all entries of a key, oldest to newest."""
        return self.histories.setdefault(key, [])

    def listed(self, key: str) -> list[Stored]:
        """Return the entries of a key that a list shows, oldest to newest."""
        return self.history(key)[0 if self.lists_all else 1 :]

    def current(self, key: str) -> Stored | None:
        history = self.histories.get(key)
        return history[-1] if history else None

    def find(self, key: str, version_id: str) -> Stored | None:
        return next((stored for stored in self.histories.get(key, ()) if stored.version_id == version_id), None)

    def described(self, account: str = "") -> Target:
        can = Capabilities(self.versioning == "Enabled", self.acls_enabled, self.object_lock)
        return Target(self.name, account, self.region, can, self.listens)


@dataclass(frozen=True, slots=True)
class Happening:
    """One change that an event will report."""

    name: str
    bucket: str
    key: str
    stored: Stored
    principal: str
    time: float


Listener = Callable[[Happening], None]


def _token() -> str:
    return secrets.token_urlsafe(24)


@dataclass(slots=True)
class MemoryS3:
    """All buckets, their clock and whoever listens to their events.

    `by_completion`: an upload stands where it was completed, as in stores that only speak S3's language.
    `sequencer_digits`: how long sequencers are, in turn. Those in AWS's documentation have 18 digits.
    """

    clock: Clock = field(default_factory=Clock)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    listeners: list[Listener] = field(default_factory=list)
    destroyed: list[tuple[str, str, Stored, str]] = field(default_factory=list)
    new_id: Callable[[], str] = _token
    by_completion: bool = False
    sequencer_digits: tuple[int, ...] = (18,)
    _serials: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def next_serial(self) -> int:
        return next(self._serials)

    def add(self, bucket: Bucket) -> Bucket:
        self.buckets[bucket.name] = bucket
        return bucket

    def put(
        self,
        bucket: str,
        key: str,
        content: Content,
        author: str = USER,
        *,
        name: str = "ObjectCreated:Put",
        begun: float | None = None,
        parent: Stored | None = None,
    ) -> Stored:
        """Write a version.

        begun: true time at which a multipart upload began; its object has that time, and its place in the history
        (user guide, "Multipart upload and concurrent operations").
        """
        time = self.clock.now if begun is None else begun
        stored = self._store(self.buckets[bucket], key, self._entry(bucket, author, time, content, parent))
        self._tell(name, bucket, key, stored, author)
        return stored

    def delete(
        self, bucket: str, key: str, author: str = USER, *, name: str = "ObjectRemoved:DeleteMarkerCreated"
    ) -> Stored | None:
        """Delete without a version id: a delete marker, or in a bucket that never had versions, the end."""
        place = self.buckets[bucket]
        if place.versioning == "Off":
            gone = place.current(key)
            if gone:
                self.destroy(bucket, key, gone.version_id, author)
            return None
        stored = self._store(place, key, self._entry(bucket, author, self.clock.now))
        self._tell(name, bucket, key, stored, author)
        return stored

    def replicate(self, stored: Stored, key: str, bucket: str) -> Stored:
        """Write an entry to another bucket as S3's own replication does: its id, its time and its place are kept."""
        there = replace(
            stored,
            bucket=bucket,
            sequencer=self._sequencer(next(self._serials)),
            author=S3_REPLICATION,
            parent=stored,
            made_by_s3=stored.is_version,
        )
        self._store(self.buckets[bucket], key, there)
        name = "ObjectCreated:Put" if stored.is_version else "ObjectRemoved:DeleteMarkerCreated"
        self._tell(name, bucket, key, there, S3_REPLICATION)
        return there

    def expire(self, bucket: str, key: str) -> Stored | None:
        """Let a lifecycle rule expire the current version."""
        return self.delete(bucket, key, LIFECYCLE, name="LifecycleExpiration:DeleteMarkerCreated")

    def destroy(self, bucket: str, key: str, version_id: str, author: str = USER) -> None:
        """Delete one entry for good."""
        stored = self.buckets[bucket].find(key, version_id)
        if stored is None:
            return
        self._drop(self.buckets[bucket], key, stored, author)
        self._tell("ObjectRemoved:Delete", bucket, key, stored, author)

    def tag(self, bucket: str, key: str, version_id: str, tags: Mapping[str, str], author: str = USER) -> None:
        """Replace the tags of one version; neither its ETag nor its time changes."""
        stored = self.buckets[bucket].find(key, version_id)
        if stored is None or not stored.is_version:
            return
        stored.content = replace(stored.content, tags=dict(tags))
        self._tell("ObjectTagging:Put" if tags else "ObjectTagging:Delete", bucket, key, stored, author)

    def require(self, bucket: str, key: str, guard: Guard) -> None:
        """Hold a write to its guard, raising Conflict; a delete marker counts as no object."""
        current = self.buckets[bucket].current(key)
        if (current.etag if current and current.is_version else "") != guard.etag:
            raise Conflict(f"412 PreconditionFailed: {bucket}/{key}")

    def _entry(
        self, bucket: str, author: str, time: float, content: Content | None = None, parent: Stored | None = None
    ) -> Stored:
        place, serial = self.buckets[bucket], next(self._serials)
        return Stored(
            bucket=bucket,
            version_id=self.new_id() if place.versioning == "Enabled" else "null",
            kind=EntryKind.MARKER if content is None else EntryKind.VERSION,
            modified=int(time + place.skew),
            sequencer=self._sequencer(serial),
            author=author,
            begun=self.clock.now if self.by_completion else time,
            serial=serial,
            content=content or MARKER,
            parent=parent,
        )

    def _sequencer(self, serial: int) -> str:
        """Write S3's order of events: hexadecimal. How one of another length compares is not known."""
        return f"{serial:0{self.sequencer_digits[serial % len(self.sequencer_digits)]}X}"

    def _store(self, bucket: Bucket, key: str, stored: Stored) -> Stored:
        """Put an entry where it belongs; where versions are not kept, it replaces the null version."""
        if stored.version_id == "null" and (old := bucket.find(key, "null")):
            self._drop(bucket, key, old, stored.author)
        insort(bucket.history(key), stored, key=lambda entry: entry.place)
        return stored

    def _drop(self, bucket: Bucket, key: str, stored: Stored, author: str) -> None:
        bucket.history(key).remove(stored)
        self.destroyed.append((bucket.name, key, stored, author))

    def _tell(self, name: str, bucket: str, key: str, stored: Stored, author: str) -> None:
        happening = Happening(name, bucket, key, stored, author, self.clock.now)
        for listener in self.listeners:
            listener(happening)
