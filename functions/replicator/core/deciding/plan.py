"""The plan: what the two histories of a key demand, when the next copy cannot simply go on top.

    copy what is missing, oldest first -> find the winner -> put it on top

S3 adds to a history only at its top, and tells of an entry's origin only by HEAD. So the plan works with as few marks
as possible: entries within CLOCK_MARGIN of the change, and further back only where the winner hangs on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from replicator.core.deciding.actions import CopyVersion, Decision, Finish, MarkDeleted, Need, Plan, PutBack, Step
from replicator.core.deciding.copy import Guard
from replicator.core.deciding.facts import Facts, Ref
from replicator.core.deciding.winner import CLOCK_MARGIN, Native, choose
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.rules.rule import Rule
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Entry, EntryKind, History, Replica


class _Unread(Exception):
    """A fact is missing; carries the wish for it."""

    def __init__(self, need: Need) -> None:
        super().__init__(need)
        self.need = need


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
    try:
        return _Planner(facts, facts.histories.source, facts.histories.destination, event).plan()
    except _Unread as unread:
        return unread.need


def _since(history: History, time: int) -> History:
    """Cut off what was there before `time` (epoch seconds).

    By place: S3 puts an upload in parts where it was begun, other stores where it was completed, with an older time.
    """
    first = next((index for index, entry in enumerate(history) if entry.modified >= time), len(history))
    return history[first:]


@dataclass(frozen=True, slots=True)
class _Planner:
    """One change's view of two histories."""

    facts: Facts
    source: History
    destination: History
    event: Entry

    def plan(self) -> Plan:
        window = self._natives_since(self.event.modified - CLOCK_MARGIN)
        there = self._replicas_since(self.event.modified - 2 * CLOCK_MARGIN)
        arrived = [entry for entry in window if self._has_arrived(entry, there)]
        absent = [entry for entry in window if entry not in arrived and self._is_ours_to_bring(entry)]
        missing = self._selected(absent if self._is_there else [])
        wanted = [entry for entry in window if entry in arrived or entry in missing]
        standing = [entry for entry in wanted if entry in missing or self._origin(entry) in there]
        steps: list[Step] = [self._copy(entry, "missing at the destination") for entry in missing]
        steps += self._put_winner_on_top(standing, missing[-1] if missing else None, there)
        return Plan(
            steps=tuple(steps),
            guard=self._guard(),
            top=self._top(),
            present=tuple(entry.version_id for entry in wanted),
            over=self.destination[-1] if self.destination else None,
            arrived=there[self._origin(self.event)].version_id if self._origin(self.event) in there else "",
            gone=not self._is_there,
        )

    @property
    def _is_there(self) -> bool:
        """Return whether the change's own version still exists. If not, others are left to their own changes."""
        return self.event in self.source

    # What stands where

    def _natives_since(self, time: int) -> list[Entry]:
        """Native versions of the source, oldest first, from `time` (epoch seconds) on."""
        recent = [entry for entry in _since(self.source, time) if entry.is_version]
        return [entry for entry, mark in zip(recent, self._source_marks(recent), strict=True) if mark is None]

    def _replicas_since(self, time: int) -> dict[Origin, Entry]:
        recent = [entry for entry in _since(self.destination, time) if entry.is_version]
        return {mark: entry for entry, mark in zip(recent, self._destination_marks(recent), strict=True) if mark}

    def _has_arrived(self, entry: Entry, there: Mapping[Origin, Entry]) -> bool:
        """Return whether it stands at the destination, or stood there before somebody deleted it for good."""
        return self._origin(entry) in there or entry.version_id in self.facts.memory.settled

    def _is_ours_to_bring(self, entry: Entry) -> bool:
        """Return whether this change copies it along. A large version is copied by its own change, which comes late.

        Then it puts the winner back on top, if the large one is not it.
        """
        return entry is self.event or self.facts.large is None or entry.size <= self.facts.large

    def _selected(self, entries: Sequence[Entry]) -> list[Entry]:
        """Leave out the versions that no rule wants or that cannot be copied: their own changes say so."""
        if unread := frozenset(entry.version_id for entry in entries) - self.facts.verdicts.keys():
            raise _Unread(Need(verdicts=unread))
        return [entry for entry in entries if isinstance(self.facts.verdicts[entry.version_id], Rule)]

    def _origin(self, entry: Entry) -> Origin:
        return Origin(self.facts.pair.source, entry.version_id, entry.modified)

    def _source_marks(self, entries: Sequence[Entry]) -> list[Origin | None]:
        return self._marks([self.facts.source(entry) for entry in entries])

    def _destination_marks(self, entries: Sequence[Entry]) -> list[Origin | None]:
        return self._marks([self.facts.destination(entry) for entry in entries])

    def _marks(self, refs: Sequence[Ref]) -> list[Origin | None]:
        marks = self.facts.marks
        if unread := frozenset(ref for ref in refs if ref not in marks):
            raise _Unread(Need(marks=unread))
        return [marks[ref] for ref in refs]

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
            shown = copied is not None or (bool(self.destination) and self.destination[-1].is_version)
            return [MarkDeleted(f"{best.origin} deleted the key")] if shown else []
        if best.origin == (self._origin(copied) if copied else self._standing()):
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
        recent = _since(self.source, self.event.modified - CLOCK_MARGIN)
        last_marker = next((entry for entry in reversed(recent) if not entry.is_version), None)
        if last_marker and self._is_on_its_way(last_marker):
            last_marker = None
        last_version = standing[-1] if standing else None
        last = max((entry for entry in (last_version, last_marker) if entry), key=self.source.index, default=None)
        best = self._choose(last)
        if best is None or best.entry.is_version or self._may_mark(best):
            return best
        return self._choose(last_version)

    def _is_on_its_way(self, marker: Entry) -> bool:
        """Return whether a large version came after a delete marker, and will be current once its own change copied it.

        Its upload may have been begun already: a marker that was written now would stay above it.
        """
        later = self.source[self.source.index(marker) + 1 :]
        large = [entry for entry in later if not self._is_ours_to_bring(entry)]
        natives = [entry for entry, mark in zip(large, self._source_marks(large), strict=True) if mark is None]
        return bool(self._selected(natives))

    def _choose(self, entry: Entry | None) -> Native | None:
        mine = Native(entry, self.facts.pair.source, self.source, self._source_marks) if entry else None
        return choose(mine, self._theirs(entry), two_way=self.facts.two_way)

    def _theirs(self, mine: Entry | None) -> Native | None:
        """Find the last native entry of the destination, unless it is too old to matter."""
        bound = self._too_old(mine)
        for entry in reversed(self.destination):
            if entry.modified < bound and not entry.is_multipart:
                return None
            if not entry.is_version or self._destination_marks([entry]) == [None]:
                return Native(entry, self.facts.pair.destination, self.destination, self._destination_marks)
        return None

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

        A marker of the source goes over only once its own event came: those of lifecycle have none. From then on it
        must come back on top of late copies; and so must one of the destination.
        """
        return best.bucket == self.facts.pair.destination or self._is_told(best.entry)

    def _is_told(self, marker: Entry) -> bool:
        """Return whether an event told of this marker, or of one below it with no native version in between.

        A marker can carry nothing: the one on top may be our own, put back over a late copy.
        """
        for entry in reversed(self.source[: self.source.index(marker) + 1]):
            if entry.is_version:
                if self._source_marks([entry]) == [None]:
                    return False
            elif entry.version_id == self.facts.change.version_id or entry.version_id in self.facts.memory.settled:
                return True
        return False

    def _copy(self, entry: Entry, why: str) -> CopyVersion:
        rule = self.facts.verdicts[entry.version_id]
        assert isinstance(rule, Rule)  # noqa: S101 - _selected gave it
        return CopyVersion(entry.version_id, rule, why)

    # The top of the destination

    def _standing(self) -> Origin | None:
        """Return what the top of the destination stands for; None for a delete marker or nothing."""
        top = self.destination[-1] if self.destination else None
        if top is None or not top.is_version:
            return None
        native = Origin(self.facts.pair.destination, top.version_id, top.modified)
        return self._destination_marks([top])[0] or native

    def _guard(self) -> Guard:
        top = self.destination[-1] if self.destination else None
        return Guard(top.etag if top and top.is_version else "")

    def _top(self) -> Replica | None:
        origin = self._standing()
        return Replica(self.destination[-1].version_id, self.destination[-1].etag, origin) if origin else None
