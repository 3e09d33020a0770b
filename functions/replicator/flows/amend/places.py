"""Reads and writes the state of one aspect of one stored version: of the version itself, or of one of its replicas.

Separate from deciding what to write (amender.py), because each aspect has requests of its own, and because every copy
keeps what is its own: its status tag, and its mark if that is a tag.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from replicator.core.aspects.state import (
    EVENT_HOLD,
    GRANTS,
    LEGAL_HOLD,
    NO_HOLD,
    OURS,
    RETENTION,
    TAGS,
    State,
    Value,
    annotation_state,
    end_of,
    grant_state,
    lock_state,
    tag_state,
)
from replicator.core.deciding.replica_tags import replica_tags
from replicator.core.outcomes.outcome import Permanent, Reason, Side
from replicator.core.versions.change import Aspect
from replicator.core.versions.origin import (
    MARK,
    STATUS_TAG,
    STATUS_TAG_VALUE,
    TAG_LIMIT,
    Born,
    born_of,
    has_metadata_room,
    mark_text,
)
from replicator.core.versions.version import Grant, Head, Lock
from replicator.flows.ports import Amendable


@dataclass(frozen=True, slots=True)
class Place:
    """One version in one bucket. side: the side that the bucket is on in this attempt.

    born: what a replica was written with; None if its mark was not read, or does not say. stripped: its mark was a tag,
    which is gone, so that its tags are a user's.
    """

    objects: Amendable
    side: Side
    key: str
    version_id: str
    born: Born | None = None
    stripped: bool = False

    def with_born(self) -> "Place":
        """Read what a replica was written with. Raises Temporary or Permanent."""
        head = self.head()
        is_tag = MARK not in head.metadata and head.tag_count != 0
        tags = self.objects.tags(self.key, self.version_id) if is_tag else {}
        mark, room = mark_text(head.metadata, tags), has_metadata_room(head.metadata, head.unseen_metadata)
        return replace(self, born=born_of(mark), stripped=not (mark or room or head.made_by_s3))

    def head(self) -> Head:
        """Read it. Raises Permanent if it was deleted for good."""
        head = self.objects.head(self.key, self.version_id)
        if isinstance(head, Head):
            return head
        source = self.side is Side.SOURCE
        reason = Reason.SRC_VERSION_NOT_FOUND if source else Reason.DST_VERSION_NOT_FOUND
        raise Permanent(reason, f"HeadObject ({self.side}): {self.version_id} does not exist", self.side)


@dataclass(frozen=True, slots=True)
class Found:
    """The state of one aspect at a place. tags: all of them. supported: whether the bucket has annotations at all."""

    place: Place
    state: State
    tags: Mapping[str, str] = field(default_factory=dict)
    supported: bool = True


def read(place: Place, aspect: Aspect) -> Found:
    """Read the state of one aspect. Raises Temporary or Permanent."""
    return READERS[aspect](place)


def _read_tags(place: Place) -> Found:
    tags = place.objects.tags(place.key, place.version_id)
    return Found(place, tag_state(tags), tags)


def _read_grants(place: Place) -> Found:
    return Found(place, grant_state(place.objects.grants(place.key, place.version_id)))


def _read_lock(place: Place) -> Found:
    return Found(place, lock_state(place.head().lock))


def _read_annotations(place: Place) -> Found:
    etags = place.objects.annotations(place.key, place.version_id)
    return Found(place, annotation_state(etags or {}), supported=etags is not None)


READERS: Mapping[Aspect, Callable[[Place], Found]] = {
    Aspect.TAGS: _read_tags,
    Aspect.ACL: _read_grants,
    Aspect.LOCK: _read_lock,
    Aspect.ANNOTATIONS: _read_annotations,
}


@dataclass(frozen=True, slots=True)
class Rewrite:
    """New values of some fields of one aspect at one place. model: where annotations are copied from.

    status_tag: a replica carries the status tag. version_tags: all tags of the version itself. now: epoch seconds.
    """

    found: Found
    fields: Mapping[str, Value]
    model: Place
    status_tag: bool = False
    version_tags: Mapping[str, str] = field(default_factory=dict)
    now: int = 0

    def run(self, aspect: Aspect) -> list[str]:
        """Write them. Return the annotations that were changed since they were read, and are left to that change.

        Raises Temporary or Permanent.
        """
        return WRITERS[aspect](self) or []


def _pairs(value: Value) -> tuple[tuple[str, str], ...]:
    return value if isinstance(value, tuple) else ()


def _write_tags(rewrite: Rewrite) -> None:
    found, value = rewrite.found, rewrite.fields[TAGS]
    own = {name: text for name, text in found.tags.items() if name in OURS}
    if found.place.side is Side.DESTINATION or MARK in own or own.get(STATUS_TAG) == STATUS_TAG_VALUE:
        theirs = {name: text for name, text in rewrite.version_tags.items() if name == STATUS_TAG}
        wanted = {**dict(_pairs(value)), **theirs}
        tags = replica_tags(wanted, status_tag=rewrite.status_tag, mark=own.get(MARK, ""))
    else:
        kept = own if len(_pairs(value)) + len(own) <= TAG_LIMIT else {}
        tags = {**dict(_pairs(value)), **kept}
    found.place.objects.put_tags(found.place.key, found.place.version_id, tags)


def _write_grants(rewrite: Rewrite) -> None:
    place = rewrite.found.place
    grants = tuple(Grant(permission, grantee) for permission, grantee in _pairs(rewrite.fields[GRANTS]))
    place.objects.put_grants(place.key, place.version_id, grants)


def _write_lock(rewrite: Rewrite) -> None:
    place, fields = rewrite.found.place, rewrite.fields
    if RETENTION in fields or EVENT_HOLD in fields:
        wanted = {**rewrite.found.state, **fields}
        lock = _with_hold(wanted[RETENTION], wanted[EVENT_HOLD], rewrite.now)
        if fields.get(EVENT_HOLD) == NO_HOLD:
            _release(place, lock)
        else:
            place.objects.put_retention(place.key, place.version_id, lock)
    if LEGAL_HOLD in fields:
        place.objects.put_legal_hold(place.key, place.version_id, on=bool(fields[LEGAL_HOLD]))


def _release(place: Place, lock: Lock) -> None:
    """End an event hold. The bucket begins its duration, which may end before the version's retention does.

    If somebody ended it a moment earlier, S3 denies what looks like taking the retention away.
    """
    try:
        place.objects.put_retention(place.key, place.version_id, Lock(lock.mode), releases=True)
    except Permanent:
        if place.head().lock.event_hold:
            raise
    if end_of(lock.until) > end_of(place.head().lock.until):
        place.objects.put_retention(place.key, place.version_id, lock)


def _with_hold(retention: Value, hold: Value, now: int) -> Lock:
    """Return a lock without an end that has passed: S3 refuses that."""
    mode, end = retention if isinstance(retention, tuple) else ("", "")
    held, days, years = hold if isinstance(hold, tuple) else NO_HOLD
    until = end if end_of(end) > now else ""
    if not held:
        return Lock(mode, until)
    return Lock(held, until, event_hold=True, event_hold_days=days, event_hold_years=years)


def _write_annotations(rewrite: Rewrite) -> list[str]:
    place, model, changed = rewrite.found.place, rewrite.model, list[str]()
    for name, etag in rewrite.fields.items():
        if etag is None:
            place.objects.remove_annotation(place.key, place.version_id, name)
            continue
        payload = model.objects.annotation(model.key, model.version_id, name, str(etag))
        if payload is None:
            changed.append(name)
        else:
            place.objects.annotate(place.key, place.version_id, name, payload)
    return changed


WRITERS: Mapping[Aspect, Callable[[Rewrite], list[str] | None]] = {
    Aspect.TAGS: _write_tags,
    Aspect.ACL: _write_grants,
    Aspect.LOCK: _write_lock,
    Aspect.ANNOTATIONS: _write_annotations,
}
