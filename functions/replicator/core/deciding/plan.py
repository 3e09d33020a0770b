"""The plan: what both histories of a key require, when the version cannot simply be copied on top.

    copy what is missing, oldest first -> find the winner -> put it on top

S3 adds to a history only at its top. The plan looks at entries within CLOCK_MARGIN of the change, and at older ones
only where the winner depends on them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from replicator.core.deciding.actions import CopyVersion, Decision, Finish, MarkDeleted, Need, Plan, PutBack, Step
from replicator.core.deciding.facts import Facts
from replicator.core.deciding.standing import Standing, Unread, since
from replicator.core.deciding.winner import CLOCK_MARGIN, Native, choose
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.rules.rule import Rule
from replicator.core.versions.change import Aspect
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Entry, EntryKind


def make_plan(facts: Facts) -> Decision:
    """Return the plan for both histories; Need while facts are missing. If the version is gone, see finish_gone."""
    if facts.histories is None:
        return Need(histories=True)
    source = facts.histories.source
    event = next((entry for entry in source if entry.version_id == facts.change.version_id), None)
    return _plan(facts, event) if event else finish_gone(facts)


def finish_gone(facts: Facts) -> Decision:
    """Decide about a version that was permanently deleted at the source: nothing to do, unless work on it had begun.

    An earlier delivery, an earlier try, or its multipart upload may have written over something newer, without putting
    that back. So a repeated change is planned once more: the winner may have to be put on top.
    """
    gone = Finish(Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND, "the version was deleted before it was copied")
    if not facts.repeated:
        return gone
    if facts.histories is None:
        return Need(histories=True)
    event = Entry(facts.change.version_id, EntryKind.VERSION, facts.change.time // 1000)
    plan = _plan(facts, event)
    return plan if isinstance(plan, Need) or plan.steps else gone


def _plan(facts: Facts, event: Entry) -> Plan | Need:
    assert facts.histories  # noqa: S101 - both callers have read them
    standing = Standing(facts, facts.histories.source, facts.histories.destination)
    try:
        return _Planner(facts, _as_it_was(standing, event) if facts.change.wish else standing, event).plan()
    except Unread as unread:
        return unread.need


def _as_it_was(standing: Standing, event: Entry) -> Standing:
    """Return the source's history up to the change's own entry, or to the last later one that has arrived.

    An operator asks for the entries of a key one after the other, the oldest first. So each is put in its place: a
    delete marker between the versions that are older and those that are newer.
    """
    if event not in standing.source:
        return standing
    later = standing.source[standing.source.index(event) + 1 :]
    replicas = standing.replicas_since(event.modified - 2 * CLOCK_MARGIN) if later else {}
    arrived = [each for each in later if _has_arrived(standing, each, replicas)]
    last = arrived[-1] if arrived else event
    return replace(standing, source=standing.source[: standing.source.index(last) + 1])


def _has_arrived(standing: Standing, entry: Entry, replicas: Mapping[Origin, Entry]) -> bool:
    """Return whether a later entry is at the destination, or came from there to undo a delete marker below it."""
    if entry.is_version:
        [mark] = standing.source_marks([entry])
        return mark.undoes if mark else standing.has_arrived(entry, replicas)
    return entry.version_id in standing.facts.memory.settled


@dataclass(frozen=True, slots=True)
class _Planner:
    """Plans one change. event: the change's own entry, deleted or not."""

    facts: Facts
    standing: Standing
    event: Entry

    def plan(self) -> Plan:
        window = self.standing.natives_since(self.event.modified - CLOCK_MARGIN)
        replicas = self.standing.replicas_since(self.event.modified - 2 * CLOCK_MARGIN)
        window = self.standing.with_asked_for(window, replicas)
        arrived = [entry for entry in window if self.standing.has_arrived(entry, replicas)]
        absent = [entry for entry in window if entry not in arrived and self._is_copied_here(entry)]
        missing = self.standing.selected(absent if self._exists else [])
        present = [entry for entry in window if entry in arrived or entry in missing]
        shown = [entry for entry in present if entry in missing or self.standing.origin(entry) in replicas]
        steps: list[Step] = [self._copy(entry, "missing at the destination") for entry in missing]
        steps += self._put_winner_on_top(shown, missing[-1] if missing else None, replicas)
        origin = self.standing.origin(self.event)
        return Plan(
            steps=tuple(steps),
            guard=self.standing.guard(),
            top=self.standing.top_replica(),
            present=tuple(entry.version_id for entry in present),
            top_entry=self.standing.top,
            own_replica=replicas[origin].version_id if origin in replicas else "",
            gone=not self._exists,
            doubled=self._doubled(steps),
            marker=self._marker(),
        )

    def _doubled(self, steps: Sequence[Step]) -> tuple[Origin, ...]:
        """Return the origins of what was put back, or may have been by a handler that crashed after that."""
        again = [step.origin for step in steps if isinstance(step, PutBack)]
        if self._exists and len(self.standing.replicas_of(self.event)) > 1:
            again.append(self.standing.origin(self.event))
        if self.facts.repeated and not steps:
            # A marker is replicated after the versions below it, so it may be they that were copied twice.
            below = self.facts.change.aspect is Aspect.MARKER and not self.facts.change.wish
            shown = self.standing.newest() if below else self.standing.shown()
            again += [shown] if shown and shown != self.standing.origin(self.event) else []
        return tuple(dict.fromkeys(again))

    def _marker(self) -> str:
        """Return the id of the delete marker on top, if it stands for one of the source: by memory, or from now on."""
        top, is_marker = self.standing.top, self.facts.change.aspect is Aspect.MARKER
        if top is None or top.is_version or not (is_marker or top.version_id == self.facts.memory.marker):
            return ""
        return top.version_id

    @property
    def _exists(self) -> bool:
        """Return whether the change's own version still exists. If not, this plan copies no other versions either."""
        return self.event in self.standing.source

    @property
    def _restores(self) -> bool:
        """Return whether nothing that was done at the destination counts; two-way, that is the source of another."""
        return self.facts.change.wish.restores and not self.facts.two_way

    def _is_copied_here(self, entry: Entry) -> bool:
        """Return whether this plan copies a missing version; a large one is only copied by its own change.

        That may end late, and puts the winner back on top if the large version is not it.
        """
        return entry is self.event or self.facts.large is None or entry.size <= self.facts.large

    def _copy(self, entry: Entry, why: str) -> CopyVersion:
        rule = self.facts.verdicts[entry.version_id]
        assert isinstance(rule, Rule)  # noqa: S101 - one of the selected
        return CopyVersion(entry.version_id, rule, why, undoes=self._restores and entry is self.event)

    # Who must be on top

    def _put_winner_on_top(
        self, shown: Sequence[Entry], copied: Entry | None, replicas: Mapping[Origin, Entry]
    ) -> list[Step]:
        """Return the step that puts the winner on top, if it is not on top already.

        shown: versions that are, or will be, at the destination. A version that was permanently deleted there after it
        had arrived is not among them: it does not come back, even if it is current at the source. copied: the last
        missing one.
        """
        best = self._winner(shown)
        if best is None or (copied is None and self._is_left_to_others(best)):
            return []
        if not best.entry.is_version:
            top = self.standing.top
            is_visible = copied is not None or (top is not None and top.is_version)
            return [MarkDeleted(f"{best.origin} deleted the key")] if is_visible else []
        if best.origin == (self.standing.origin(copied) if copied else self.standing.shown()):
            return []
        if best.bucket == self.facts.pair.destination:
            return [PutBack(best.entry.version_id, best.origin, "a later write of the destination")]
        origin = replace(best.origin, undoes=self._restores)
        return [PutBack(replicas[best.origin].version_id, origin, "current at the source")]

    def _is_left_to_others(self, best: Native) -> bool:
        """Return whether a version of a third bucket is on top, and nothing that is new has to go above it.

        The change of an older version may come again long after it was replaced there. And if two buckets each put
        their own winner on top of the third one whenever a change came again, that would never end.
        """
        shown, pair = self.standing.shown(), self.facts.pair
        if shown is None or shown.bucket in {"", pair.source, pair.destination}:
            return False
        return best.entry.is_version or best.entry.version_id in self.facts.memory.settled

    def _winner(self, shown: Sequence[Entry]) -> Native | None:
        """Choose among the last native entries, delete markers included; without them if none may be written.

        The last native entry counts even if it is a marker that is not replicated now: if only one side left it out,
        the two directions would pick different winners. A marker older than the window does not count: versions that
        came after it may be missing from `shown`, if the change's own version was permanently deleted.
        """
        recent = since(self.standing.source, self.event.modified - CLOCK_MARGIN)
        last_marker = next((entry for entry in reversed(recent) if not entry.is_version), None)
        if last_marker and self.standing.is_undone_at_source(last_marker):
            last_marker = None
        if last_marker and self._large_follows(last_marker):
            last_marker = None
        last_version = shown[-1] if shown else None
        entries = [entry for entry in (last_version, last_marker) if entry]
        best = self._choose(max(entries, key=self.standing.source.index, default=None))
        if best is None or best.entry.is_version or self._may_mark(best):
            return best
        return self._choose(last_version)

    def _large_follows(self, marker: Entry) -> bool:
        """Return whether a large version was written after a delete marker, and will be copied by its own change.

        Its upload may have begun already: then a marker that is written now would stay on top of it.
        """
        later = self.standing.source[self.standing.source.index(marker) + 1 :]
        large = [entry for entry in later if not self._is_copied_here(entry)]
        return bool(self.standing.selected(self.standing.natives(large)))

    def _choose(self, entry: Entry | None) -> Native | None:
        standing, pair = self.standing, self.facts.pair
        mine = Native(entry, pair.source, standing.source, standing.source_marks) if entry else None
        return choose(mine, self._theirs(entry), two_way=self.facts.two_way)

    def _theirs(self, mine: Entry | None) -> Native | None:
        """Return the last native entry of the destination, unless it is too old to matter, or is to be undone."""
        if self._restores:
            return None
        standing = self.standing
        entry = standing.last_native_of_destination(self._too_old(mine))
        if entry is None:
            return None
        return Native(entry, self.facts.pair.destination, standing.destination, standing.destination_marks)

    def _too_old(self, mine: Entry | None) -> int:
        """Return the time (epoch seconds) before which a native entry of the destination does not matter.

        Against a version, an older write loses in any case. Against a delete marker, any concurrent write wins two-way,
        however old it is; one-way, only a write newer than the change can have been hidden by it.
        """
        if mine and mine.is_version:
            return mine.modified - CLOCK_MARGIN
        return 0 if self.facts.two_way else self.event.modified - CLOCK_MARGIN

    def _may_mark(self, best: Native) -> bool:
        """Return whether a delete marker may be written for this winner.

        A marker of the source is replicated only after its own event, because lifecycle's are never replicated. From
        then on it must be put back on top of late copies. So must a marker of the destination.
        """
        return best.bucket == self.facts.pair.destination or self.standing.is_reported(best.entry)
