"""Which side's state stands, field by field: the source's, the replica's, or neither is written.

    source       replicas     then
    equal        equal        nothing
    changed      as base      the source's goes to the replicas
    as base      changed      the replica's goes to the source if the change was seen there and both rules allow it;
                              otherwise it stays
    changed      changed      the source's goes to the replicas, unless a replica was written with it and changed since
    as base      as base      what was intended last goes to the other side: a handler crashed before it wrote that
    no base                   the side that the event names counts as changed; if it names none, the source's goes to
                              all replicas that were not certainly changed
    anything else             the source's goes to the replicas, if an operator asks for that

Pure, so that live changes and `explain` decide alike. The source is the version itself, in the bucket that it was
written in. A replica that somebody changed keeps its value as long as the source does not change.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from replicator.core.aspects.base import Base
from replicator.core.aspects.state import EVENT_HOLD, LEGAL_HOLD, NO_HOLD, RETENTION, State, Value, digest, end_of
from replicator.core.versions.change import Aspect

NO_BASE = Base()
"""Nothing is known."""
NOTHING = ""
"""The digest of no value."""


@dataclass(frozen=True, slots=True)
class Sides:
    """One field at the version and at its replicas, the one on top first, with what is known of it.

    born: digests of what each replica may have been written with; empty where that is not known. A replica that still
    has that was not changed, though it may have been written from what was out of date. NOTHING of one that certainly
    was changed.
    """

    source: Value
    replicas: tuple[Value, ...]
    base: Base = NO_BASE
    born: tuple[tuple[str, ...], ...] = ()

    def changed(self) -> list[bool]:
        """Return for each replica whether it has what it can only have from a user, or is a copy of one that has.

        If the source was changed as well, only what was written with the source's value: its user could see that.
        """
        values = [
            replica
            for replica, its in self.with_born()
            if self.base.is_replica_changed(replica) and digest(replica) not in its
            if self.source_as_base or digest(self.source) in its
        ]
        return [replica in values for replica in self.replicas]

    @property
    def source_as_base(self) -> bool:
        """Return whether the source has what it can have without a user."""
        return not self.base.is_source_changed(self.source)

    def with_born(self) -> list[tuple[Value, tuple[str, ...]]]:
        """Return each replica with the digests of what it may have been written with."""
        return list(zip(self.replicas, self.born or ((),) * len(self.replicas), strict=True))


@dataclass(frozen=True, slots=True)
class Powers:
    """What a change may do. from_replica: it was seen at the replica, and both rules replicate modifications back.

    removes: annotations that were deleted are deleted on the other side, too. deletion: its event says that one was.
    now: epoch seconds. restores: what a user changed at a replica stands only where it is replicated back and the base
    shows that nothing else changed; elsewhere the source's goes to all replicas. names_side: it is an event of one
    side, rather than a look at both.
    """

    from_replica: bool = False
    restores: bool = False
    removes: bool = False
    deletion: bool = False
    now: int = 0
    names_side: bool = True


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of one field. source, replicas: what each shall have; a value that it has already is not written."""

    source: Value
    replicas: tuple[Value, ...]

    def writes(self, sides: Sides) -> bool:
        """Return whether anything must be written."""
        return self.source != sides.source or self.replicas != sides.replicas


def fields_of(source: State, replicas: Sequence[State]) -> list[str]:
    """Return the names of all fields that some side has, those of the source first."""
    return list(dict.fromkeys(name for state in (source, *replicas) for name in state))


def settle(aspect: Aspect, field: str, sides: Sides, powers: Powers) -> Settled:
    """Return what each side of a field shall have."""
    if aspect is Aspect.ANNOTATIONS:
        return _settle_annotation(sides, powers)
    special = SPECIAL.get(field)
    return special(sides, powers) if special else _settle(sides, powers)


def _settle(sides: Sides, powers: Powers) -> Settled:
    base, source, replicas = sides.base, sides.source, sides.replicas
    if all(replica == source for replica in replicas):
        return Settled(source, replicas)
    if not base:
        differing = next(replica for replica in replicas if replica != source)
        named = powers.from_replica and not powers.restores
        return _everywhere(differing, sides) if named else _from_source(sides, powers)
    changed = [replica for replica, is_changed in zip(replicas, sides.changed(), strict=True) if is_changed]
    if changed and powers.from_replica:
        return _everywhere(changed[0], sides)
    if powers.restores:
        return _everywhere(source, sides)
    if changed or not sides.source_as_base or digest(source) == base.wanted:
        return _to_unchanged(sides)
    return _finish_intent(sides, powers)


def _everywhere(value: Value, sides: Sides) -> Settled:
    return Settled(value, tuple(value for _ in sides.replicas))


def _from_source(sides: Sides, powers: Powers) -> Settled:
    """Let the source's go to the replicas. A look leaves those that users certainly changed: their events are to come.

    That a replica has not what it was written with does not show it: what it was given since is in no base.
    """
    if powers.names_side or powers.restores:
        return _everywhere(sides.source, sides)
    kept = (replica if its == (NOTHING,) else sides.source for replica, its in sides.with_born())
    return Settled(sides.source, tuple(kept))


def _to_unchanged(sides: Sides) -> Settled:
    """Leave replicas that somebody changed; all others follow the source."""
    kept = zip(sides.replicas, sides.changed(), strict=True)
    return Settled(sides.source, tuple(each if is_changed else sides.source for each, is_changed in kept))


def _finish_intent(sides: Sides, powers: Powers) -> Settled:
    """Write to the source what a crashed handler intended to, if the change was seen at the replica; else wait."""
    wanted = next((each for each in sides.replicas if digest(each) == sides.base.wanted), sides.source)
    return _everywhere(wanted, sides) if powers.from_replica else Settled(sides.source, sides.replicas)


# Object Lock: never weaker than it is


def _settle_retention(sides: Sides, powers: Powers) -> Settled:
    """Extend what is shorter. A later end needs no base: of two, it is the one that both shall have."""
    longest = sides.source
    if powers.from_replica:
        for replica in sides.replicas:
            longest = _longer(longest, replica)
    source = longest if _extends(sides.source, longest, powers.now) else sides.source
    return Settled(source, tuple(source if _extends(each, source, powers.now) else each for each in sides.replicas))


def _longer(one: Value, other: Value) -> Value:
    return other if _end(other) > _end(one) else one


def _end(retention: Value) -> float:
    _, until = retention if isinstance(retention, tuple) else ("", "")
    return end_of(until)


def _extends(old: Value, new: Value, now: int) -> bool:
    """Return whether a retention may replace another: it ends later, and has not ended yet; or it is stricter."""
    if _end(new) <= now or _end(new) < _end(old):
        return False
    return _end(new) > _end(old) or (_mode(new) == "COMPLIANCE" and _mode(old) != "COMPLIANCE")


def _mode(retention: Value) -> str:
    return str(retention[0]) if isinstance(retention, tuple) else ""


def _settle_hold(sides: Sides, powers: Powers, none: Value) -> Settled:
    """Settle a hold. It is lifted only where the base shows that it came from the other side."""
    settled = _settle(sides, powers)
    source = sides.source if _lifts(sides.source, settled.source, sides.base.source, none) else settled.source
    known = (*sides.base.replica, *chain.from_iterable(sides.born))
    replicas = tuple(
        old if _lifts(old, new, known, none) else new for old, new in zip(sides.replicas, settled.replicas, strict=True)
    )
    return Settled(source, replicas)


def _lifts(old: Value, new: Value, known: Sequence[str], none: Value) -> bool:
    """Return whether this would lift a hold that nobody is known to have replicated."""
    return new == none and old != none and digest(old) not in known


def _settle_legal_hold(sides: Sides, powers: Powers) -> Settled:
    return _settle_hold(sides, powers, none=False)


def _settle_event_hold(sides: Sides, powers: Powers) -> Settled:
    return _settle_hold(sides, powers, none=NO_HOLD)


SPECIAL: Mapping[str, Callable[[Sides, Powers], Settled]] = {
    RETENTION: _settle_retention,
    LEGAL_HOLD: _settle_legal_hold,
    EVENT_HOLD: _settle_event_hold,
}


# Annotations


def _settle_annotation(sides: Sides, powers: Powers) -> Settled:
    """Settle one annotation. What one side lacks removes it on the other only if deletions are replicated.

    And only if the base knows what is removed, now or of before, as a replica has it that was put back late; or the
    event is that of a deletion: events name no annotation.
    """
    settled = _settle(sides, powers)
    base = sides.base
    known = (*base.replica, *base.past) if base else ()
    source = sides.source if _keeps(sides.source, settled.source, base.source, powers) else settled.source
    replicas = tuple(
        old if _keeps(old, new, known, powers) else new
        for old, new in zip(sides.replicas, settled.replicas, strict=True)
    )
    return Settled(source, replicas)


def _keeps(old: Value, new: Value, known: Sequence[str], powers: Powers) -> bool:
    may_remove = powers.removes and (digest(old) in known if known else powers.deletion)
    return new is None and old is not None and not may_remove
