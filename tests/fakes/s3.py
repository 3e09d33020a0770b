"""S3 in memory: several buckets with their histories, as users see them.

What it knows is what the product rests on: versions, delete markers, null versions, guards, whole-second times by each
bucket's own clock, sequencers, events. The contract suite holds it and the emulator to the same promises.
"""

import itertools
import secrets
from bisect import insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from replicator.core.deciding.copy import Guard
from replicator.core.deciding.target import Capabilities, Target
from replicator.core.outcomes.outcome import Conflict
from replicator.core.versions.change import Aspect
from replicator.core.versions.version import EntryKind, Grant, Lock

from tests.fakes.checksums import etag
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
    blocks_public_grants: bool = False
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
    names_version: bool = True


@dataclass(frozen=True, slots=True)
class Amendment:
    """One write to what a version has beside its bytes, after it was written, whether it changed anything or not.

    name: of an annotation. before, after: the tags, the grants, the lock, or the payload, which is None if there is
    none. number: counts all amendments.
    """

    number: int
    bucket: str
    key: str
    stored: Stored
    aspect: Aspect
    name: str
    before: object
    after: object
    author: str


class Refused(Exception):
    """S3 refuses a later change. Its text begins with the error code."""


Listener = Callable[[Happening], None]
Witness = Callable[[Amendment], None]
Named = tuple[str, str, str]
"""A bucket, a key, and the id of a version."""


def _token() -> str:
    return secrets.token_urlsafe(24)


@dataclass(slots=True)
class MemoryS3:
    """All buckets, their clock and whoever listens to their events.

    `by_completion`: an upload stands where it was completed, as in stores that only speak S3's language.
    `sequencer_digits`: how long sequencers are, in turn. Those in AWS's documentation have 18 digits.
    `names_versions`: events of later changes name their version, which AWS documents nowhere.
    `without_annotations`: buckets in Regions that do not have them. `witnesses` see every later change.
    """

    clock: Clock = field(default_factory=Clock)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    listeners: list[Listener] = field(default_factory=list)
    destroyed: list[tuple[str, str, Stored, str]] = field(default_factory=list)
    new_id: Callable[[], str] = _token
    by_completion: bool = False
    sequencer_digits: tuple[int, ...] = (18,)
    names_versions: bool = True
    annotations: dict[Named, dict[str, bytes]] = field(default_factory=dict)
    without_annotations: set[str] = field(default_factory=set)
    amendments: list[Amendment] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
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
        annotations: Mapping[str, bytes] | None = None,
    ) -> Stored:
        """Write a version, with annotations if it is a copy of one that has them.

        begun: true time at which a multipart upload began; its object has that time, and its place in the history
        (user guide, "Multipart upload and concurrent operations").
        """
        time = self.clock.now if begun is None else begun
        stored = self._store(self.buckets[bucket], key, self._entry(bucket, author, time, content, parent))
        if annotations:
            self.annotations[bucket, key, stored.version_id] = dict(annotations)
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
        if stored := self._version(bucket, key, version_id):
            before, stored.content = stored.content.tags, replace(stored.content, tags=dict(tags))
            self._amended(key, stored, Aspect.TAGS, (before, dict(tags)), author)
            self._tell_later("ObjectTagging:Put" if tags else "ObjectTagging:Delete", bucket, key, stored, author)

    def grant(self, bucket: str, key: str, version_id: str, grants: tuple[Grant, ...], author: str = USER) -> None:
        """Replace the ACL of one version. An event is sent only if it changes."""
        if stored := self._version(bucket, key, version_id):
            if not self.buckets[bucket].acls_enabled:
                raise Refused("AccessControlListNotSupported 400")
            if self.buckets[bucket].blocks_public_grants and any(grant.is_public for grant in grants):
                raise Refused("AccessDenied 403: BlockPublicAcls")
            before, stored.content = stored.content.grants, replace(stored.content, grants=grants)
            self._amended(key, stored, Aspect.ACL, (before, grants), author)
            if set(before) != set(grants):
                self._tell_later("ObjectAcl:Put", bucket, key, stored, author)

    def retain(
        self, bucket: str, key: str, version_id: str, lock: Lock, author: str = USER, *, releases: bool = False
    ) -> None:
        """Set retention and event hold of one version. Without bypass, a retention in force can only be extended.

        A lock without event hold leaves one that is on, unless that is released: then its duration begins.
        """
        if stored := self._version(bucket, key, version_id):
            old = stored.content.lock
            wanted = replace(lock, legal_hold=old.legal_hold)
            if old.event_hold and releases:
                days = old.event_hold_days + 365 * old.event_hold_years
                until = datetime.fromtimestamp(int(self.clock.now), UTC) + timedelta(days=days)
                wanted = replace(wanted, until=max(until.isoformat(), lock.until))
            elif old.event_hold and not lock.event_hold:
                days, years = old.event_hold_days, old.event_hold_years
                wanted = replace(wanted, event_hold=True, event_hold_days=days, event_hold_years=years)
            releases = releases and old.event_hold
            if self.is_retained(stored) and not releases and not _is_no_shorter(old, wanted):
                raise Refused("AccessDenied 403: object protected by object lock")
            self._lock(key, stored, wanted, author)
            self._tell_later("ObjectRetention:Put", bucket, key, stored, author)

    def hold(self, bucket: str, key: str, version_id: str, *, on: bool, author: str = USER) -> None:
        """Set or lift the legal hold of one version, of which S3 sends no event."""
        if stored := self._version(bucket, key, version_id):
            self._lock(key, stored, replace(stored.content.lock, legal_hold=on), author)

    def annotate(
        self, bucket: str, key: str, version_id: str, name: str, payload: bytes | None, *, author: str = USER
    ) -> None:
        """Put an annotation on one version, or remove it. A version under retention takes none."""
        if stored := self._version(bucket, key, version_id):
            there = self.annotations.setdefault((bucket, key, version_id), {})
            if self.is_retained(stored):
                raise Refused("AccessDenied 403: object protected by object lock")
            before = there.pop(name, None)
            if payload is not None:
                there[name] = payload
            self._amended(key, stored, Aspect.ANNOTATIONS, (before, payload), author, name=name)
            if payload is not None or before is not None:
                event = "ObjectAnnotation:Delete" if payload is None else "ObjectAnnotation:Put"
                self._tell_later(event, bucket, key, stored, author)

    def annotation(self, version: Named, name: str, tag: str) -> bytes | None:
        """Return an annotation if it has this ETag."""
        payload = self.annotations.get(version, {}).get(name)
        return payload if payload is not None and etag(payload) == tag else None

    def is_retained(self, stored: Stored) -> bool:
        """Return whether a version is under retention now, by the clock of its bucket."""
        lock, now = stored.content.lock, int(self.clock.now + self.buckets[stored.bucket].skew)
        return lock.event_hold or bool(lock.in_force(now).mode)

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
        self.annotations.pop((bucket.name, key, stored.version_id), None)

    def _version(self, bucket: str, key: str, version_id: str) -> Stored | None:
        stored = self.buckets[bucket].find(key, version_id)
        return stored if stored and stored.is_version else None

    def _lock(self, key: str, stored: Stored, lock: Lock, author: str) -> None:
        if not self.buckets[stored.bucket].object_lock:
            raise Refused("InvalidRequest 400: Bucket is missing Object Lock Configuration")
        before, stored.content = stored.content.lock, replace(stored.content, lock=lock)
        self._amended(key, stored, Aspect.LOCK, (before, lock), author)

    def _amended(
        self, key: str, stored: Stored, aspect: Aspect, values: tuple[object, object], author: str, *, name: str = ""
    ) -> None:
        number = len(self.amendments) + 1
        self.amendments.append(Amendment(number, stored.bucket, key, stored, aspect, name, *values, author))
        for witness in self.witnesses:
            witness(self.amendments[-1])

    def _tell_later(self, name: str, bucket: str, key: str, stored: Stored, author: str) -> None:
        self._tell(name, bucket, key, stored, author, names_version=self.names_versions)

    def _tell(
        self, name: str, bucket: str, key: str, stored: Stored, author: str, *, names_version: bool = True
    ) -> None:
        happening = Happening(name, bucket, key, stored, author, self.clock.now, names_version)
        for listener in self.listeners:
            listener(happening)


def _is_no_shorter(old: Lock, new: Lock) -> bool:
    """Return whether a retention that is in force may be replaced by another without bypass (PutObjectRetention)."""
    if new.mode != old.mode or old.event_hold:
        return new.mode == old.mode and new.event_hold
    return new.event_hold or _end(new) >= _end(old)


def _end(lock: Lock) -> float:
    return datetime.fromisoformat(lock.until).timestamp() if lock.until else 0.0
