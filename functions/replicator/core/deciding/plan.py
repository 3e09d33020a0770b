"""The plan: what the two histories of a key demand, when the next copy cannot simply go on top.

    copy what is missing, oldest first -> find the winner -> put it on top

S3 adds to a history only at its top. The plan looks at entries within CLOCK_MARGIN of the change, and further back only
where the winner depends on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from replicator.core.deciding.actions import CopyVersion, Decision, Finish, MarkDeleted, Need, Plan, PutBack, Step
from replicator.core.deciding.facts import Facts
from replicator.core.deciding.standing import Standing, Unread, since
from replicator.core.deciding.winner import CLOCK_MARGIN, Native, choose
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.rules.rule import Rule
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Entry, EntryKind


def make_plan(facts: Facts) -> Decision:
    """Plan from both histories; Need as long as facts are missing, Finish if the change's version is gone."""
    if facts.histories is None:
        return Need(histories=True)
    source = facts.histories.source
    event = next((entry for entry in source if entry.version_id == facts.change.version_id), None)
    return _plan(facts, event) if event else finish_gone(facts)


def finish_gone(facts: Facts) -> Decision:
    """Say what to do about a version that was deleted for good at the source: nothing, unless it may have been begun.

    An earlier delivery, an earlier attempt, or its upload in parts may have written over something newer, and not come
    to put that back. So a repeated change is planned once more, for the sake of what must be on top.
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
    assert facts.histories  # noqa: S101 - whoever has the event has read them
    standing = Standing(facts, facts.histories.source, facts.histories.destination)
    try:
        return _Planner(facts, standing, event).plan()
    except Unread as unread:
        return unread.need


@dataclass(frozen=True, slots=True)
class _Planner:
    """One change before what stands where. event: the change's own entry, gone or not."""

    facts: Facts
    standing: Standing
    event: Entry

    def plan(self) -> Plan:
        window = self.standing.natives_since(self.event.modified - CLOCK_MARGIN)
        there = self.standing.replicas_since(self.event.modified - 2 * CLOCK_MARGIN)
        arrived = [entry for entry in window if self.standing.has_arrived(entry, there)]
        absent = [entry for entry in window if entry not in arrived and self._is_ours_to_bring(entry)]
        missing = self.standing.selected(absent if self._is_there else [])
        wanted = [entry for entry in window if entry in arrived or entry in missing]
        standing = [entry for entry in wanted if entry in missing or self.standing.origin(entry) in there]
        steps: list[Step] = [self._copy(entry, "missing at the destination") for entry in missing]
        steps += self._put_winner_on_top(standing, missing[-1] if missing else None, there)
        origin = self.standing.origin(self.event)
        return Plan(
            steps=tuple(steps),
            guard=self.standing.guard(),
            top=self.standing.top_replica(),
            present=tuple(entry.version_id for entry in wanted),
            over=self.standing.top,
            arrived=there[origin].version_id if origin in there else "",
            gone=not self._is_there,
        )

    @property
    def _is_there(self) -> bool:
        """Return whether the change's own version still exists. If not, others are left to their own changes."""
        return self.event in self.standing.source

    def _is_ours_to_bring(self, entry: Entry) -> bool:
        """Return whether this change copies it along. A large version is copied by its own change, which comes late.

        Then it puts the winner back on top, if the large one is not it.
        """
        return entry is self.event or self.facts.large is None or entry.size <= self.facts.large

    def _copy(self, entry: Entry, why: str) -> CopyVersion:
        rule = self.facts.verdicts[entry.version_id]
        assert isinstance(rule, Rule)  # noqa: S101 - one of the selected
        return CopyVersion(entry.version_id, rule, why)

    # Who must be on top

    def _put_winner_on_top(
        self, standing: Sequence[Entry], copied: Entry | None, there: Mapping[Origin, Entry]
    ) -> list[Step]:
        """Return the step that puts the winner on top, if it is not there already.

        standing: versions that stand, or will stand, at the destination; one that was deleted there for good after it
        had arrived does not come back, even if it is current at the source. copied: the last missing one.
        """
        best = self._winner(standing)
        if best is None:
            return []
        if not best.entry.is_version:
            top = self.standing.top
            shown = copied is not None or (top is not None and top.is_version)
            return [MarkDeleted(f"{best.origin} deleted the key")] if shown else []
        if best.origin == (self.standing.origin(copied) if copied else self.standing.shown()):
            return []
        if best.bucket == self.facts.pair.destination:
            return [PutBack(best.entry.version_id, best.origin, "a later write of the destination")]
        return [PutBack(there[best.origin].version_id, best.origin, "current at the source")]

    def _winner(self, standing: Sequence[Entry]) -> Native | None:
        """Choose among the last native entries, delete markers included; without them if none may be written.

        The last native entry counts even if it is a marker that is not replicated now: leaving it out on one side
        only would make the two directions pick different winners. One from before all versions that were looked at
        says nothing: those that came after it are not among them, if the change's own was deleted for good.
        """
        recent = since(self.standing.source, self.event.modified - CLOCK_MARGIN)
        last_marker = next((entry for entry in reversed(recent) if not entry.is_version), None)
        if last_marker and self._is_on_its_way(last_marker):
            last_marker = None
        last_version = standing[-1] if standing else None
        entries = [entry for entry in (last_version, last_marker) if entry]
        best = self._choose(max(entries, key=self.standing.source.index, default=None))
        if best is None or best.entry.is_version or self._may_mark(best):
            return best
        return self._choose(last_version)

    def _is_on_its_way(self, marker: Entry) -> bool:
        """Return whether a large version came after a delete marker, and will be current once its own change copied it.

        Its upload may have been begun already: a marker that was written now would stay above it.
        """
        later = self.standing.source[self.standing.source.index(marker) + 1 :]
        large = [entry for entry in later if not self._is_ours_to_bring(entry)]
        return bool(self.standing.selected(self.standing.natives(large)))

    def _choose(self, entry: Entry | None) -> Native | None:
        standing, pair = self.standing, self.facts.pair
        mine = Native(entry, pair.source, standing.source, standing.source_marks) if entry else None
        return choose(mine, self._theirs(entry), two_way=self.facts.two_way)

    def _theirs(self, mine: Entry | None) -> Native | None:
        """Find the last native entry of the destination, unless it is too old to matter."""
        standing = self.standing
        entry = standing.last_native_of_destination(self._too_old(mine))
        if entry is None:
            return None
        return Native(entry, self.facts.pair.destination, standing.destination, standing.destination_marks)

    def _too_old(self, mine: Entry | None) -> int:
        """Return the time before which a native entry of the destination can neither win nor be disturbed.

        Against a version, an older write loses either way. Against a delete marker, any concurrent write wins two-way,
        however old it is; one-way, only what is younger than the change itself may have been disturbed by it.
        """
        if mine and mine.is_version:
            return mine.modified - CLOCK_MARGIN
        return 0 if self.facts.two_way else self.event.modified - CLOCK_MARGIN

    def _may_mark(self, best: Native) -> bool:
        """Return whether a delete marker may be written for this winner.

        A marker of the source is replicated only once its own event came: those of lifecycle have none. From then on
        it must come back on top of late copies; and so must one of the destination.
        """
        return best.bucket == self.facts.pair.destination or self.standing.is_reported(best.entry)
