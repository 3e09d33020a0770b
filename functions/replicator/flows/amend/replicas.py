"""A version whose replicas must be looked for: both histories -> the version and all its replicas -> their states.

A version may have several replicas: one that was put back on top is a second one, and one that the other direction put
back is in the version's own bucket. All of them follow, because each may be the one that people see.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from replicator.core.aspects.merge import Powers
from replicator.core.aspects.state import TAGS, digest
from replicator.core.deciding.actions import Need
from replicator.core.deciding.facts import Facts, Ref
from replicator.core.deciding.journal import SETTLED_IN_ORDER, Memory
from replicator.core.deciding.standing import Standing, Unread
from replicator.core.outcomes.outcome import Permanent, Reason, Side
from replicator.core.rules.rule import Rule
from replicator.core.versions.change import Aspect, ChangeKind
from replicator.core.versions.origin import MARK, Origin
from replicator.core.versions.version import Entry, Head
from replicator.flows.amend.bases import Bases
from replicator.flows.amend.ending import Done, Ending, Looked, Scene, Skipped, not_carried
from replicator.flows.amend.places import Place
from replicator.flows.amend.simple import FIELDS
from replicator.flows.amend.sync import Step, Sync
from replicator.flows.reading import unlisted

T = TypeVar("T")

OLD_SECONDS = 14 * 24 * 3600
"""A message is kept for so long. An older version that was not copied by now will not be by its own event."""


@dataclass(slots=True)
class Look:
    """One look at one version at one destination. check: raises Temporary if nothing may be written any more."""

    scene: Scene
    memory: Memory
    check: Callable[[], None]
    standing: Standing

    def at(self, version_id: str) -> Done:
        """Look at a version, and write what must be written. Raises Temporary or Permanent.

        A HEAD comes before everything else: a replica needs no more, and most echoes are of replicas.
        """
        if (ending := self.of_replica(version_id)) is not None:
            return Done(ending)
        facts = self.standing.facts
        mark = facts.marks[Ref(self.scene.pair.source, version_id)]
        histories = self.scene.reader.histories(self.scene.pair.key)
        facts = replace(facts, histories=histories)
        self.standing = Standing(facts, histories.source, histories.destination)
        entry = self._entry(version_id, mark)
        if entry is None:
            return Done(self._missing(version_id, mark))
        return self._synchronise(entry, at_twin=mark is not None)._replace(version_id=entry.version_id)

    def of_replica(self, version_id: str) -> Ending | None:
        """Return the ending if it is a replica of another bucket's version, whose owner is asked; None otherwise."""
        ref = Ref(self.scene.pair.source, version_id)
        facts = self.scene.reader.read(self.standing.facts, Need(marks=frozenset({ref})))
        self.standing = replace(self.standing, facts=facts)
        mark = facts.marks[ref]
        return self._forward(mark) if mark and mark.bucket != self.scene.pair.source else None

    def _entry(self, version_id: str, mark: Origin | None) -> Entry | None:
        """Return the native version: the one that was named, or that of its replica in the same bucket."""
        versions = [entry for entry in self.standing.source if entry.is_version]
        if mark:
            return next((entry for entry in versions if self.standing.origin(entry) == mark), None)
        return next((entry for entry in versions if entry.version_id == version_id), None)

    def _missing(self, version_id: str, mark: Origin | None) -> Ending:
        if mark:
            return Skipped(Reason.REPLICA, f"a replica of {mark}, which does not exist any more")
        if isinstance(self.scene.source.head(self.scene.pair.key, version_id), Head):
            raise unlisted("source", version_id)
        return Skipped(Reason.SRC_VERSION_NOT_FOUND, "the version was deleted")

    def _ask(self, question: Callable[[Standing], T]) -> T:
        """Ask what depends on marks, and read those that are missing."""
        while True:
            try:
                return question(self.standing)
            except Unread as unread:
                facts = self.scene.reader.read(self.standing.facts, unread.need)
                self.standing = replace(self.standing, facts=facts)

    # A replica: its version's owner is asked

    def _forward(self, mark: Origin) -> Ending:
        scene, change = self.scene, self.scene.attempt.change
        rule = next((rule for rule in scene.candidate.rules if rule.replica_modifications), None)
        if mark.is_by_s3 or mark.bucket != scene.pair.destination or rule is None or change.seen_at:
            return Skipped(Reason.REPLICA, f"a replica of {mark}")
        queue = scene.forwarding.queue_of(scene.pair.source, mark.bucket)
        if queue is None and scene.serves(mark.bucket):
            queue = ""
        if queue is None:
            raise Permanent(Reason.NO_OWNER, f"no queue is known of the stack that replicates {mark.bucket}")
        asked = replace(change, bucket=mark.bucket, version_id=mark.version_id, seen_at=scene.pair.source, other_key="")
        scene.forwarding.send(queue, asked)
        return Skipped(Reason.REPLICA, f"a replica of {mark}: sent to the stack that replicates {mark.bucket}")

    # A native version

    def examine(self, version_id: str) -> tuple[Step, ...]:
        """Return what each aspect of a native version has here and there, and what would be written. Writes nothing.

        Empty if it has no replica. Raises Temporary or Permanent.
        """
        histories = self.scene.reader.histories(self.scene.pair.key)
        facts = replace(self.standing.facts, histories=histories)
        self.standing = Standing(facts, histories.source, histories.destination)
        entry = self._entry(version_id, None)
        sync = self._begin(entry, at_twin=False) if entry else None
        return tuple(sync.examine(aspect) for aspect in sync.aspects) if isinstance(sync, Sync) else ()

    def _synchronise(self, entry: Entry, *, at_twin: bool = False) -> Done:
        sync = self._begin(entry, at_twin=at_twin)
        if isinstance(sync, Done):
            return sync
        if Aspect.LOCK in sync.aspects:
            self._check_lockable(sync.source)
        steps = [sync.run(aspect) for aspect in sync.aspects]
        given = self._given(steps) if len(sync.replicas) == 1 else None
        return Done(Looked.WROTE if any(step.rewrites for step in steps) else Looked.EQUAL, given)

    def _begin(self, entry: Entry, *, at_twin: bool) -> Sync | Done:
        """Return the version with all its replicas; an ending if nothing is to be compared."""
        scene, key = self.scene, self.scene.pair.key
        replicas = self._ask(lambda standing: standing.replicas_of(entry))
        if not replicas:
            return Done(self._without_replica(entry))
        twins = self._ask(lambda standing: standing.twins_of(entry))
        rule = scene.rule(scene.source.tags(key, entry.version_id) if scene.candidate.needs_tags else {})
        if scene.attempt.change.seen_at and not rule.replica_modifications:
            return Done(Skipped(Reason.REPLICA, "the rule to it does not replicate modifications of replicas"))
        if not scene.aspects(rule):
            return Done(not_carried())
        there = [Place(scene.replicas, Side.DESTINATION, key, each.version_id) for each in replicas]
        here = [Place(scene.source, Side.SOURCE, key, each.version_id) for each in twins]
        source = Place(scene.source, Side.SOURCE, key, entry.version_id)
        return self._sync(source, there, here, rule, at_twin=at_twin)

    def _sync(self, source: Place, there: list[Place], here: list[Place], rule: Rule, *, at_twin: bool) -> Sync:
        scene, change = self.scene, self.scene.attempt.change
        bases = Bases(scene.journal, scene.pair, source.version_id, rule.replica_modifications)
        if any(bases.keeps(aspect) for aspect in change.amends):
            placed = scene.reader.side_by_side([place.with_born for place in (*there, *here)])
            there, here = placed[: len(there)], placed[len(there) :]
            bases.take_born(there[-1].born)
        powers = Powers(
            from_replica=at_twin or ((change.wish.restores or bool(change.seen_at)) and rule.replica_modifications),
            restores=change.wish.restores and not at_twin,
            removes=rule.annotation_deletions,
            deletion=change.is_deletion,
            now=scene.now() // 1000,
            names_side=change.kind is not ChangeKind.STATE,
        )
        replicas = (*here, *there) if at_twin else (*there, *here)
        side_by_side, aspects = scene.reader.side_by_side, tuple(scene.aspects(rule))
        return Sync(source, replicas, bases, powers, rule.replica_tag, self.check, scene.warn, side_by_side, aspects)

    def _check_lockable(self, source: Place) -> None:
        lock = source.head().lock.in_force(self.scene.now() // 1000)
        if lock and not self.scene.attempt.target.capabilities.lock:
            why = "the version is locked, the bucket has no Object Lock"
            raise Permanent(Reason.DST_NO_OBJECT_LOCK, why, Side.DESTINATION)

    def _given(self, steps: list[Step]) -> dict[str, str] | None:
        """Return what the only replica has now, if it is on top, and its mark is no tag."""
        top = self.memory.top
        if top is None or any(MARK in each.tags for step in steps for each in step.replicas):
            return None
        fields = {FIELDS[step.aspect]: step for step in steps if step.aspect in FIELDS and step.replicas}
        on_top = {
            name: digest(step.settled[name].source)
            for name, step in fields.items()
            if step.replicas[0].place.version_id == top.version_id
        }
        return {**self.memory.given, **on_top} if on_top and self._has_metadata_mark(fields) else None

    def _has_metadata_mark(self, fields: dict[str, Step]) -> bool:
        """Return whether the tags of the replica were read, so that it is known that its mark is none of them."""
        return TAGS in fields or TAGS in self.memory.given

    def _without_replica(self, entry: Entry) -> Ending:
        """Decide about a version without a replica: it is copied now, unless it had arrived, or is too old for that.

        It may be copied a moment later by its own event, with tags that were read before this change; or its tags match
        a rule only now.
        """
        if self._had_arrived(entry):
            why = "its replica was deleted for good at the destination, and does not come back by itself"
            raise Permanent(Reason.DST_VERSION_NOT_FOUND, why, Side.DESTINATION)
        is_old = entry.modified < self.scene.now() // 1000 - OLD_SECONDS
        if is_old and not self.scene.candidate.needs_tags:
            return Skipped(Reason.NOT_COPIED, "it was never copied, and a later change does not copy existing objects")
        return Looked.NOT_COPIED

    def _had_arrived(self, entry: Entry) -> bool:
        """Return whether the memory knows that it had arrived. What is older than all that it remembers had, too."""
        settled = set(self.memory.settled)
        if entry.version_id in settled:
            return True
        known = [number for number, each in enumerate(self.standing.source) if each.version_id in settled]
        forgot = len(settled) >= SETTLED_IN_ORDER and bool(known)
        return forgot and self.standing.source.index(entry) < known[0]


def make_look(scene: Scene, memory: Memory, check: Callable[[], None]) -> Look:
    """Return a look that has read nothing yet."""
    return Look(scene, memory, check, Standing(Facts(scene.attempt, memory), (), ()))
