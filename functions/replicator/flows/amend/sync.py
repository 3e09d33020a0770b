"""One version and its replicas at one destination -> both sides' states -> what each shall have -> the writes.

Separate from the amender, which finds the version, its replicas and its lease: here only states matter. Every step can
be repeated, and what a crash leaves is finished by the next handler.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from replicator.core.aspects.merge import NOTHING, Powers, Settled, Sides, fields_of, settle
from replicator.core.aspects.state import Value, digest
from replicator.core.outcomes.outcome import Permanent, Reason
from replicator.core.versions.change import Aspect
from replicator.flows.amend.bases import Bases, digests_of
from replicator.flows.amend.places import Found, Place, Rewrite, read
from replicator.flows.ports import SideBySide

GONE = frozenset({Reason.SRC_VERSION_NOT_FOUND, Reason.DST_VERSION_NOT_FOUND})
ANNOTATIONS_AT_ONCE = 16
"""Each has 1 MiB at most, so that the memory they take is bounded."""


@dataclass(frozen=True, slots=True)
class Step:
    """One aspect: what both sides have, and what they shall have, by field."""

    aspect: Aspect
    source: Found
    replicas: tuple[Found, ...]
    sides: Mapping[str, Sides]
    settled: Mapping[str, Settled]

    @property
    def rewrites(self) -> dict[str, Settled]:
        """The fields that must be written somewhere."""
        return {name: each for name, each in self.settled.items() if each.writes(self.sides[name])}


@dataclass(frozen=True, slots=True)
class Sync:
    """The version and its replicas, the one on top first. status_tag: replicas carry it. aspects: those to look at.

    check: raises Temporary if nothing may be written any more. warn: takes a line for the log.
    """

    source: Place
    replicas: tuple[Place, ...]
    bases: Bases
    powers: Powers
    status_tag: bool
    check: Callable[[], None]
    warn: Callable[[str], None]
    side_by_side: SideBySide
    aspects: tuple[Aspect, ...]

    def examine(self, aspect: Aspect) -> Step:
        """Read both sides of an aspect and settle it. Writes nothing. Raises Temporary or Permanent.

        A bucket without annotations is left out: what it does not have, nobody has deleted.
        """
        places = (self.source, *self.replicas)
        source, *found = self.side_by_side([partial(read, place, aspect) for place in places])
        replicas = [each for each in found if each.supported and source.supported]
        states = [each.state for each in replicas]
        sides = {
            name: Sides(
                source.state.get(name),
                tuple(state.get(name) for state in states),
                self.bases.of(aspect, name),
                tuple(self._born(aspect, name, each.place) for each in replicas),
            )
            for name in fields_of(source.state, states)
        }
        settled = {name: settle(aspect, name, each, self.powers) for name, each in sides.items()}
        return Step(aspect, source, tuple(replicas), sides, settled)

    def _born(self, aspect: Aspect, name: str, place: Place) -> tuple[str, ...]:
        """Return the digests of what a replica may have been written with; none if it was compared before.

        An annotation that a replica lacks which was never compared was not put on it, rather than deleted; and it may
        have one that is out of date.
        """
        if self.bases.is_synced(aspect, place.version_id):
            return ()
        if aspect is Aspect.ANNOTATIONS:
            return (digest(None), *self.bases.of(aspect, name).past)
        if aspect is Aspect.TAGS and place.stripped:
            return (NOTHING,)
        born = digests_of(place.born).get(name)
        return (born,) if born else ()

    def run(self, aspect: Aspect) -> Step:
        """Settle an aspect, and write what must be written. Raises Temporary or Permanent.

        Annotations alone fail nothing: what is refused for good is left out, with a warning. A version that is gone is
        not one without annotations.
        """
        try:
            step, changed = self.examine(aspect), set[str]()
            if step.source.state and len(step.replicas) < len(self.replicas):
                self._leave_out("not supported there")
            if step.rewrites:
                self.check()
                self.bases.intend(aspect, step.rewrites, step.sides)
                changed = self._write(step)
            written = {name: each for name, each in step.settled.items() if name not in changed}
            self.bases.agree(aspect, written, [each.place.version_id for each in step.replicas])
        except Permanent as trouble:
            if aspect is not Aspect.ANNOTATIONS or trouble.reason in GONE:
                raise
            self._leave_out(str(trouble))
            return Step(aspect, Found(self.source, {}), (), {}, {})
        return step

    def _leave_out(self, why: str) -> None:
        self.warn(f"annotations left out of {self.source.key} {self.source.version_id} at its replicas: {why}")

    def _write(self, step: Step) -> set[str]:
        """Write to the replicas, then to the version itself. Return what was changed since it was read."""
        fields, changed = step.rewrites, set[str]()
        for number, replica in enumerate(step.replicas):
            changed |= self._rewrite(step, replica, {name: each.replicas[number] for name, each in fields.items()})
        return changed | self._rewrite(step, step.source, {name: each.source for name, each in fields.items()})

    def _rewrite(self, step: Step, found: Found, wanted: Mapping[str, Value]) -> set[str]:
        different = {name: value for name, value in wanted.items() if value != found.state.get(name)}
        changed = set[str]()
        for fields in _portions(different):
            self.check()
            rewrites = self._rewrites(step, found, fields)
            changed.update(*self.side_by_side([partial(each.run, step.aspect) for each in rewrites]))
        return changed

    def _rewrites(self, step: Step, found: Found, fields: Mapping[str, Value]) -> list[Rewrite]:
        """Return one rewrite of all fields, or of each annotation by itself."""
        if step.aspect is not Aspect.ANNOTATIONS:
            return [Rewrite(found, fields, self.source, self.status_tag, step.source.tags, self.powers.now)]
        return [Rewrite(found, {name: fields[name]}, _place_with(step, name, fields[name])) for name in fields]


def _place_with(step: Step, name: str, value: Value) -> Place:
    """Return a place that has this value of a field."""
    everywhere = (step.source, *step.replicas)
    return next((each.place for each in everywhere if each.state.get(name) == value), step.source.place)


def _portions(fields: Mapping[str, Value]) -> Sequence[Mapping[str, Value]]:
    names = list(fields)
    starts = range(0, len(names), ANNOTATIONS_AT_ONCE)
    return [{name: fields[name] for name in names[start : start + ANNOTATIONS_AT_ONCE]} for start in starts]
