"""The bases of one version at one destination during one attempt: read, extended by intents, replaced by agreements.

Separate from the amender because the order of these writes is the promise: an intent is in the journal before the value
is written, an agreement after it. Rules that replicate no modifications back keep bases only of holds and annotations:
there, the version itself is the truth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from replicator.core.aspects.base import Agreement, Base, agreed, of_digest
from replicator.core.aspects.merge import Settled, Sides
from replicator.core.aspects.state import EVENT_HOLD, GRANTS, LEGAL_HOLD, NO_HOLD, RETENTION, TAGS, digest, field_key
from replicator.core.deciding.journal import Pair
from replicator.core.versions.change import Aspect
from replicator.core.versions.origin import Born
from replicator.flows.ports import Journal

ALWAYS_KEPT = frozenset({Aspect.LOCK, Aspect.ANNOTATIONS})


def digests_of(born: Born | None) -> Mapping[str, str]:
    """Return the digests that a replica's mark has, by field; none if it has none."""
    if born is None:
        return {}
    event_hold = born.event_hold or digest(NO_HOLD)
    return {TAGS: born.tags, GRANTS: born.grants, LEGAL_HOLD: digest(born.hold), EVENT_HOLD: event_hold}


@dataclass(slots=True)
class Bases:
    """Bases of one version at one destination. two_way: the rule replicates modifications back."""

    journal: Journal
    pair: Pair
    version_id: str
    two_way: bool
    _kept: Agreement | None = None
    _born: dict[str, Base] = field(default_factory=dict)

    def keeps(self, aspect: Aspect) -> bool:
        """Return whether bases of this aspect are kept."""
        return self.two_way or aspect in ALWAYS_KEPT

    def take_born(self, born: Born | None) -> None:
        """Take what a replica's mark says the version had when it was copied."""
        self._born = {name: of_digest(text) for name, text in digests_of(born).items()}

    def of(self, aspect: Aspect, name: str) -> Base:
        """Return the base of a field, an empty one if none is known. Raises Temporary."""
        if not self.keeps(aspect):
            return Base()
        return self._agreement().bases.get(field_key(aspect, name)) or self._born.get(name) or Base()

    def is_synced(self, aspect: Aspect, replica: str) -> bool:
        """Return whether a replica was compared with the version before. Raises Temporary."""
        return self.keeps(aspect) and replica in self._agreement().synced.get(aspect, ())

    def intend(self, aspect: Aspect, settled: Mapping[str, Settled], sides: Mapping[str, Sides]) -> None:
        """Record values before they are written. Raises Temporary."""
        if self.keeps(aspect):
            self._keep(aspect, {name: _intent(settled[name], sides[name]) for name in settled})

    def agree(self, aspect: Aspect, settled: Mapping[str, Settled], replicas: Sequence[str]) -> None:
        """Record what both sides have now. A replica that somebody changed, and that kept its value, is left out.

        Raises Temporary.
        """
        if self.keeps(aspect):
            self._keep(aspect, {name: self._agreed(aspect, name, each) for name, each in settled.items()}, replicas)

    def _agreed(self, aspect: Aspect, name: str, settled: Settled) -> Base:
        """Return the base of a field from now on. What the source has is known then, whatever replicas keep."""
        base, source = self.of(aspect, name), settled.source
        if set(settled.replicas) == {source}:
            return base.then_agreed(source) if aspect is Aspect.ANNOTATIONS else agreed(source)
        is_new = bool(base) and bool(settled.replicas) and base.is_source_changed(source)
        return base.with_intent(source, source, (), to_source=False) if is_new else base

    def _agreement(self) -> Agreement:
        if self._kept is None:
            self._kept = self.journal.agreement(self.pair, self.version_id)
        return self._kept

    def _keep(self, aspect: Aspect, bases: Mapping[str, Base], replicas: Sequence[str] = ()) -> None:
        """Write what is not known already. A retention needs no base: of two ends, the later one is right.

        That the only replica of a version was compared goes without saying: it was written with the first base.
        """
        kept = self._agreement()
        changed = {
            field_key(aspect, name): base
            for name, base in bases.items()
            if name != RETENTION and self.of(aspect, name) != base
        }
        synced = dict(kept.synced)
        if replicas and (changed or kept.bases or len(replicas) > 1):
            synced[aspect] = tuple(sorted(replicas))
        if changed or synced != kept.synced:
            self._kept = Agreement({**kept.bases, **changed}, synced)
            self.journal.keep_agreement(self.pair, self.version_id, self._kept)


def _intent(settled: Settled, sides: Sides) -> Base:
    to_source = settled.source != sides.source
    value = settled.source
    written = zip(sides.replicas, settled.replicas, strict=True)
    overwritten = tuple(old for old, new in written if old != new)  # what stays is a user's change
    return sides.base.with_intent(value, sides.source, overwritten, to_source=to_source)
