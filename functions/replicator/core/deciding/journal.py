"""What the journal remembers about one key at one destination, and how that memory grows.

The journal mostly saves requests: the buckets are the truth. The values are here, because the decision uses them; the
adapter aws/journal.py stores them, and docs/architecture.md describes the items.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from replicator.core.versions.change import Change, comes_after
from replicator.core.versions.origin import NULL_VERSION
from replicator.core.versions.version import Replica

SETTLED_IN_ORDER = 16
"""Version ids that are remembered while changes arrive in order: the entry stays below one write unit (1 KB)."""
SETTLED_OUT_OF_ORDER = 200
"""Version ids that are remembered once histories had to be read: enough for a burst on one key, and below 8 KB."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One key of a source bucket and one of its destination buckets: what a journal entry is about."""

    source: str
    destination: str
    key: str


@dataclass(frozen=True, slots=True)
class Memory:
    """The journal's entry for one pair.

    generation: grows by one with each settled change; a change decided on an older generation cannot be settled. 0: no
        entry.
    top: the version that we last saw or wrote on top of the destination; None for a delete marker or nothing.
    sequencer: of the event for which the top was written; empty if the top comes from a listing.
    settled: ids of source versions and delete markers that are done for good, newest last.
    completed: when the newest of them was settled, epoch milliseconds; for display, no decision depends on it.
    given: digests of the tags and the ACL that the top was last given, by field; empty unless it is the only replica of
        its version and has its mark in its metadata. Then a later change needs no more facts.
    marker: the id of the delete marker on top of the destination that stands for one of the source; empty if none does.
    """

    generation: int = 0
    top: Replica | None = None
    sequencer: str = ""
    settled: tuple[str, ...] = ()
    completed: int = field(default=0, compare=False)
    given: Mapping[str, str] = field(default_factory=dict, compare=False)
    marker: str = ""

    def has_settled(self, change: Change) -> bool:
        """Return whether this change was completed before: it is a duplicate, or its message was not deleted.

        What is settled are entries of the history: a later change of a settled version's tags is another change.
        """
        return change.creates_entry and change.version_id in self.settled  # never a null version: see _with

    def completed_at(self, change: Change) -> int:
        """Return when this change was completed, epoch milliseconds; 0 if that is not remembered."""
        return self.completed if self.settled[-1:] == (change.version_id,) else 0

    def is_in_order(self, change: Change) -> bool:
        """Return whether the change is known to be newer than all settled ones."""
        return self.generation == 0 or comes_after(change.sequencer, self.sequencer)


NOTHING_GIVEN: Mapping[str, str] = {}


def after_fast_copy(memory: Memory, change: Change, top: Replica, given: Mapping[str, str] = NOTHING_GIVEN) -> Memory:
    """Return the memory after a copy in order, on top of what the memory said was there."""
    settled = _with(memory, change.version_id)[-SETTLED_IN_ORDER:]
    return Memory(memory.generation + 1, top, change.sequencer, settled, given=given)


def after_plan(
    memory: Memory, change: Change, top: Replica | None, present: tuple[str, ...], marker: str = ""
) -> Memory:
    """Return the memory after a plan. present: source versions that are at the destination now, or were before."""
    is_top = top is not None and top.origin.bucket == change.bucket and top.origin.version_id == change.version_id
    sequencer = change.sequencer if is_top else ""
    done = (change.version_id,) if change.creates_entry else ()
    settled = _with(memory, *present, *done)[-SETTLED_OUT_OF_ORDER:]
    return Memory(memory.generation + 1, top, sequencer, settled, marker="" if top else marker)


def after_unsettled(memory: Memory) -> Memory:
    """Return the memory after something was written, perhaps by an earlier delivery, for a change that is not settled.

    What is on top is not known any more, and whoever decided before that must decide again.
    """
    return replace(memory, generation=memory.generation + 1, top=None, sequencer="", given=NOTHING_GIVEN)


def _with(memory: Memory, *version_ids: str) -> tuple[str, ...]:
    """Add version ids, each once. Never `null`: the next null version has the same id."""
    known = dict.fromkeys((*memory.settled, *version_ids))
    known.pop(NULL_VERSION, None)
    return tuple(known)
