"""What is promised of tags, ACLs, locks and annotations, checked at every change of them and at rest.

docs/consistency.md says it in words. A *family* is a version with all its replicas, wherever they are, those that were
put back in its own bucket included. What really happened counts, never the product's own marks.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from greenlet import getcurrent
from replicator.core.aspects.state import (
    EVENT_HOLD,
    GRANTS,
    LEGAL_HOLD,
    NO_HOLD,
    RETENTION,
    TAGS,
    grant_state,
    lock_state,
    tag_state,
)
from replicator.core.versions.change import Aspect
from replicator.core.versions.origin import born_of, mark_text
from replicator.core.versions.version import Lock

from tests.fakes.notifications import LATER
from tests.fakes.s3 import USER, Amendment, Happening, MemoryS3
from tests.fakes.stored import Stored
from tests.simulation.setting import Route, Setting
from tests.simulation.truth import is_native, natives, root
from tests.simulation.turns import Task

Field = tuple[Aspect, str]
HOLD = (Aspect.LOCK, LEGAL_HOLD)
FOR_EVENT = (Aspect.LOCK, EVENT_HOLD)
KEPT_UNTIL = (Aspect.LOCK, RETENTION)
UNIQUE = frozenset({Aspect.TAGS, Aspect.ACL, Aspect.ANNOTATIONS})
"""Aspects of which no two users write the same value."""


@dataclass(slots=True)
class Entry:
    """What is known of one entry. first: what it was written with. shown: all that it had, by field.

    by_user: fields that users changed. held: the amendment in which a user set its hold; 0 if none did. lifted: what
    `held` was before a user last lifted the hold, and how often replicators had written locks of the family by then.
    carried: annotations that it was given where versions are copied in parts.
    """

    stored: Stored
    first: Mapping[Field, object]
    shown: dict[Field, set[object]] = field(default_factory=lambda: defaultdict(set))
    by_user: set[Field] = field(default_factory=set)
    held: int = 0
    lifted: tuple[int, int] = (0, -1)
    carried: set[tuple[Field, object]] = field(default_factory=set)

    def hold(self, number: int, writes: int) -> None:
        """Take down that a user set a hold in an amendment, or lifted it (0).

        A hold that is set again before any replicator acted on its removal is as it was: a state has no memory.
        """
        if not number:
            self.lifted = self.held, writes
        self.held = self.lifted[0] if number and self.lifted[1] == writes else number


@dataclass(slots=True)
class Family:
    """A version and its replicas. known: what the author of a value could know of, by field and value.

    changes, writes: how often users and replicators changed an aspect. lifted: when a user last lifted a hold, as the
    number of the amendment, and the handlers that ran then, by entry. removed: annotations that a user removed. copies:
    how many replicas were written.
    """

    known: dict[tuple[Field, object], set[object]] = field(default_factory=dict)
    changes: Counter[Aspect] = field(default_factory=Counter)
    writes: Counter[Aspect] = field(default_factory=Counter)
    lifted: dict[int, tuple[int, frozenset[int]]] = field(default_factory=dict)
    removed: set[Field] = field(default_factory=set)
    released: set[object] = field(default_factory=set)
    copies: int = 0

    def postpone_lifts(self, number: int, running: frozenset[int]) -> None:
        """Take a hold that was lifted while a handler ran that still does as lifted now.

        It may have read that side before, and read the other one after this: two holds. A documented limit.
        """
        for serial, (_, ran) in self.lifted.items():
            if ran & running:
                self.lifted[serial] = (number, ran)


@dataclass(slots=True)
class AspectWatch:
    """Sees every later change of one history. running: returns the numbers of the handlers that run now."""

    setting: Setting
    s3: MemoryS3
    violations: list[str]
    entries: dict[int, Entry] = field(default_factory=dict)
    families: dict[int, Family] = field(default_factory=lambda: defaultdict(Family))
    running: Callable[[], frozenset[int]] = frozenset

    def happened(self, happening: Happening) -> None:
        """Look at a version that was written: what it has is shown from now on."""
        stored = happening.stored
        if happening.name.startswith(LATER) or not stored.is_version or happening.name == "ObjectRemoved:Delete":
            return
        entry = self.entries[stored.serial] = Entry(stored, self.state(stored))
        for name, value in entry.first.items():
            entry.shown[name].add(value)
        if not is_native(stored):
            self.families[root(stored).serial].copies += 1

    def state(self, stored: Stored) -> Mapping[Field, object]:
        """Return what a version has, by field: values that must be equal in a family."""
        content = stored.content
        lock = content.lock.in_force(int(self.s3.clock.now))
        key = next(key for key in self.setting.keys if stored in self.s3.buckets[stored.bucket].history(key))
        notes = self.s3.annotations.get((stored.bucket, key, stored.version_id), {})
        return {
            (Aspect.TAGS, TAGS): tag_state(content.tags)[TAGS],
            (Aspect.ACL, GRANTS): grant_state(content.grants)[GRANTS],
            KEPT_UNTIL: (lock.mode, lock.until),
            HOLD: lock.legal_hold,
            FOR_EVENT: lock_state(lock)[EVENT_HOLD],
            **{(Aspect.ANNOTATIONS, name): payload for name, payload in notes.items()},
        }

    def amended(self, amendment: Amendment) -> None:
        """Look at a later change of a version."""
        entry = self.entries[amendment.stored.serial]
        family = self.families[root(amendment.stored).serial]
        changed = list(self._changed(amendment, entry))
        if amendment.author == USER:
            self._by_user(amendment, entry, family, changed)
        else:
            self.violations += self._by_replicator(amendment, entry, family, changed)
        for name, value in changed:
            entry.shown[name].add(value)

    def _changed(self, amendment: Amendment, entry: Entry) -> Iterator[tuple[Field, object]]:
        """Return the fields that are written, with their values."""
        if amendment.aspect is Aspect.ANNOTATIONS:
            yield (Aspect.ANNOTATIONS, amendment.name), amendment.after
            return
        for name, value in self.state(entry.stored).items():
            if name[0] is amendment.aspect and (amendment.aspect is not Aspect.LOCK or _is_changed(amendment, name)):
                yield name, value

    def _by_user(self, amendment: Amendment, entry: Entry, family: Family, changed: list[tuple[Field, object]]) -> None:
        family.changes[amendment.aspect] += 1
        for name, value in changed:
            entry.by_user.add(name)
            if value is None:
                family.removed.add(name)
            seen = set(entry.shown[name])
            family.known[name, value] = seen.union(*(family.known.get((name, each), set()) for each in seen))
            if (name, value) == (FOR_EVENT, NO_HOLD) and isinstance(amendment.before, Lock):
                family.released.add(lock_state(amendment.before)[EVENT_HOLD])
            if name == HOLD:
                entry.hold(amendment.number if value else 0, family.writes[Aspect.LOCK])
                if not value:
                    family.lifted[entry.stored.serial] = (amendment.number, self.running())
                else:
                    family.postpone_lifts(amendment.number, self.running())

    def _by_replicator(
        self, amendment: Amendment, entry: Entry, family: Family, changed: list[tuple[Field, object]]
    ) -> Iterator[str]:
        if self.setting.large and amendment.aspect is Aspect.ANNOTATIONS:
            entry.carried.update(changed)
            return  # whoever copies in parts copies annotations one by one
        family.writes[amendment.aspect] += 1
        stored, task = amendment.stored, getcurrent()
        what = f"{amendment.aspect} of {stored.version_id} in {stored.bucket}"
        if isinstance(task, Task) and not self._may_write(task.handler.stack, root(stored)):
            yield f"{what} were written by the stack of {task.handler.stack}, which does not own the version"
        if stored.bucket == root(stored).bucket and not self._comes_back(root(stored).bucket):
            yield f"{what} were written at the source, though no two rules replicate modifications back"
        before, after = amendment.before, amendment.after
        if isinstance(before, Lock) and isinstance(after, Lock):
            releases = before.event_hold and not after.event_hold
            if releases and lock_state(before)[EVENT_HOLD] not in family.released:
                yield f"the event hold of {what} was released, which no user did"
            if _end(after) < _end(before) and not releases:
                yield f"the retention of {what} was shortened"
            lifted = [number for serial, (number, _) in family.lifted.items() if serial != stored.serial]
            if before.legal_hold and not after.legal_hold and max(lifted, default=0) < entry.held:
                yield f"{what}: a hold was lifted that a user had set there"

    def _may_write(self, stack: str, version: Stored) -> bool:
        """Return whether a stack owns a version, or cannot know that it does not."""
        return self.setting.one_stack or stack == version.bucket or self._seems_native(stack, version)

    def _seems_native(self, bucket: str, version: Stored) -> bool:
        """Return whether a replica looks like the version itself: it is of the same second, and a user took its mark.

        A documented limit: nothing tells which of the two came first.
        """
        replicas = [each.stored for each in self._replicas(version)]
        return any((each.bucket, each.modified) == (bucket, version.modified) and not _mark(each) for each in replicas)

    def _comes_back(self, bucket: str) -> bool:
        """Return whether replicas' modifications come back to a bucket from anywhere, or its versions' own twins do."""
        return any(self.setting.sends_back(bucket, other) for other in self.setting.buckets) or any(
            (route.destination, route.source) == (bucket, other)
            for other in self.setting.buckets
            for route in self.setting.routes
        )

    # At rest

    def at_rest(self) -> Iterator[str]:
        """Return what is wrong once nothing moves any more."""
        for key in self.setting.keys:
            for route in self.setting.routes:
                for version in natives(self.s3.buckets[route.source], key):
                    if version.is_version:
                        yield from self._of_version(version, route, key)

    def _of_version(self, version: Stored, route: Route, key: str) -> Iterator[str]:
        there = self.s3.buckets[route.destination].history(key)
        replicas = [each for each in there if each.is_version and not is_native(each) and root(each) is version]
        if not replicas and self._must_be_there(version, route):
            yield f"{version.version_id} matches the rule to {route.destination} now, and is not there"
        twins = [each for each in self.s3.buckets[route.source].history(key) if each.is_version]
        twins = [each for each in twins if each is not version and not is_native(each) and root(each) is version]
        for replica in (*replicas, *(twins if replicas else ())):
            yield from self._equal(version, replica, route)
        yield from self._causal(version)
        yield from self._bounded(version)

    def _must_be_there(self, version: Stored, route: Route) -> bool:
        """Return whether a version matches a tag filter now, and never was at the destination."""
        copied = any(
            entry.stored.bucket == route.destination and root(entry.stored) is version and not is_native(entry.stored)
            for entry in self.entries.values()
        )
        return bool(route.tags) and route.selects(version.content) and not copied

    def _equal(self, version: Stored, replica: Stored, route: Route) -> Iterator[str]:
        """Compare a replica with its version; what users change there stays, if it does not go back."""
        back = self.setting.sends_back(route.source, route.destination)
        mine, theirs = self.state(version), self.state(replica)
        removed = set() if self.setting.removals else self.families[version.serial].removed
        for name in dict.fromkeys((*mine, *theirs)):
            kept = not back and self._changed_by_user(replica, version, name)
            kept = kept or (name == KEPT_UNTIL and self._released_later(replica, version, back=back))
            kept = kept or self._put_back_out_of_date(replica, version, name)
            kept = kept or (name[0] is Aspect.TAGS and self._seems_native(replica.bucket, version))
            if mine.get(name) != theirs.get(name) and not kept and name not in removed:
                yield (
                    f"{name[1]} of {replica.version_id} in {replica.bucket} is {theirs.get(name)}, "
                    f"that of {version.version_id} in {version.bucket} is {mine.get(name)}"
                )

    def _put_back_out_of_date(self, replica: Stored, version: Stored, name: Field) -> bool:
        """Return whether one of several replicas still has what it was written with, which its mark has no room for.

        A documented limit: it looks like a user's change.
        """
        unsaid = born_of(_mark(replica)) is None and self.families[version.serial].copies > 1
        return unsaid and self.state(replica).get(name) == self.entries[replica.serial].first.get(name)

    def _released_later(self, replica: Stored, version: Stored, *, back: bool) -> bool:
        """Return whether a replica is retained for longer because each bucket counts from when it released a hold.

        Or because its version's end, which may be shortened or taken away beside an event hold, was extended only.
        """
        mine, theirs = version.content.lock, replica.content.lock
        if mine.event_hold and theirs.event_hold and mine.mode == theirs.mode and _end(theirs) >= _end(mine):
            return True
        shown = [value for each in (version, replica) for value in self.entries[each.serial].shown[FOR_EVENT]]
        held = any(not isinstance(value, tuple) or value[0] for value in shown)
        return held and not theirs.event_hold and (back or _end(theirs) >= _end(mine))

    def _changed_by_user(self, replica: Stored, version: Stored, name: Field) -> bool:
        """Return whether a user changed a replica, or one that it was put back from."""
        each: Stored | None = replica
        while each is not None and each is not version:
            if name in self.entries[each.serial].by_user:
                return True
            each = each.parent
        return False

    def _causal(self, version: Stored) -> Iterator[str]:
        """Check that what stands was written by a user, and that nobody overwrote it knowingly."""
        family = self.families[version.serial]
        if not all(self.setting.sends_back(version.bucket, other) for other in self._others(version)):
            return
        if any(root(stored) is version for _, _, stored, _ in self.s3.destroyed):
            return  # what a user changed may be gone with the replica that it was changed at
        for name, value in self.state(version).items():
            if name[0] not in UNIQUE or name in family.removed:
                continue
            written = {each for (its, each) in family.known if its == name}
            if value not in written | {self.entries[version.serial].first.get(name)}:
                yield f"{name[1]} of {version.version_id} is {value}, which no user wrote"
            # A documented limit: CopyObject says nothing of the annotations that it copies.
            if name[0] is Aspect.ANNOTATIONS and value in self._carried(version, name):
                continue
            # Another: nothing says what a replica was written with whose mark was a tag that a user took away.
            if name[0] is Aspect.TAGS and any(not _mark(each.stored) for each in self._replicas(version)):
                continue
            over = sorted(str(each) for each in written - {value} if value in family.known[name, each])
            if over:
                yield f"{name[1]} of {version.version_id} is {value}, though {', '.join(over)} came after it was seen"

    def _carried(self, version: Stored, name: Field) -> set[object]:
        """Return what replicas were written with."""
        replicas = self._replicas(version)
        given = {value for each in replicas for its, value in each.carried if its == name}
        return given | {each.first.get(name) for each in replicas}

    def _replicas(self, version: Stored) -> list[Entry]:
        return [each for each in self.entries.values() if each.stored is not version and root(each.stored) is version]

    def _others(self, version: Stored) -> list[str]:
        return [route.destination for route in self.setting.routes if route.source == version.bucket]

    def _bounded(self, version: Stored) -> Iterator[str]:
        """Check that replicators write an aspect once for each change of a user and each replica."""
        family = self.families[version.serial]
        for aspect, writes in family.writes.items():
            bound = (family.changes[aspect] + family.copies) * max(1, family.copies)
            if writes > bound:
                yield f"{aspect} of {version.version_id} was written {writes} times, more than {bound}"


def _mark(stored: Stored) -> str:
    return mark_text(stored.content.metadata, stored.content.tags)


def _is_changed(amendment: Amendment, name: Field) -> bool:
    before, after = amendment.before, amendment.after
    if not (isinstance(before, Lock) and isinstance(after, Lock)):
        return True
    if name == HOLD:
        return before.legal_hold != after.legal_hold
    if name == FOR_EVENT:
        return lock_state(before)[EVENT_HOLD] != lock_state(after)[EVENT_HOLD]
    return (before.mode, before.until) != (after.mode, after.until)


def _end(lock: Lock) -> str:
    """Return until when a version is retained: nobody knows it while an event hold is on."""
    return "9" if lock.event_hold else lock.until
