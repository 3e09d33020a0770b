"""What the journal remembers of one key at one destination, and how that memory grows.

The journal only remembers and speeds up: the buckets are the truth. So its values live here, beside the decision that
trusts them no further than it must, and its storage lives in an adapter.
"""

from dataclasses import dataclass, field

from replicator.core.versions.change import Change, comes_after
from replicator.core.versions.origin import NULL_VERSION
from replicator.core.versions.version import Replica

SETTLED_IN_ORDER = 16
"""Remembered version ids of a key whose changes arrive in order: the entry stays below one write unit (1 KB)."""
SETTLED_OUT_OF_ORDER = 200
"""Remembered version ids once a history had to be read: enough for a burst on one key, and below 8 KB."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One key of one source bucket, and one of its destination buckets: what one journal entry is about."""

    source: str
    destination: str
    key: str


@dataclass(frozen=True, slots=True)
class Memory:
    """The journal's entry for one pair.

    generation: grows by one with each settled change; nobody may settle on facts older than it. 0: no entry.
    top: what stands at the top of the destination, as far as we wrote it; None for a delete marker or nothing.
    sequencer: of the event that the top came from; empty if the top came from a listing.
    settled: version ids (of versions and delete markers) at the source that are done for good, newest last.
    completed: when the newest of them was settled, epoch milliseconds; it only tells, and decides nothing.
    """

    generation: int = 0
    top: Replica | None = None
    sequencer: str = ""
    settled: tuple[str, ...] = ()
    completed: int = field(default=0, compare=False)

    def has_settled(self, change: Change) -> bool:
        """Return whether this very change was completed before: a duplicate, or a message whose answer was lost."""
        return change.version_id in self.settled  # never a null version: it may be another one by now

    def completed_at(self, change: Change) -> int:
        """When this change was completed, epoch milliseconds; 0 if that is not remembered."""
        return self.completed if self.settled[-1:] == (change.version_id,) else 0

    def is_in_order(self, change: Change) -> bool:
        """Return whether the change is known to be newer than everything that was settled."""
        return self.generation == 0 or comes_after(change.sequencer, self.sequencer)


def after_fast_copy(memory: Memory, change: Change, top: Replica) -> Memory:
    """Remember a copy that was made in order, on top of what the memory said was there."""
    settled = _with(memory, change.version_id)[-SETTLED_IN_ORDER:]
    return Memory(memory.generation + 1, top, change.sequencer, settled)


def after_plan(memory: Memory, change: Change, top: Replica | None, present: tuple[str, ...]) -> Memory:
    """Remember a plan that was carried out: `present` are the source versions seen or put at the destination."""
    is_top = top is not None and top.origin.bucket == change.bucket and top.origin.version_id == change.version_id
    sequencer = change.sequencer if is_top else ""
    settled = _with(memory, *present, change.version_id)[-SETTLED_OUT_OF_ORDER:]
    return Memory(memory.generation + 1, top, sequencer, settled)


def _with(memory: Memory, *version_ids: str) -> tuple[str, ...]:
    """Add version ids, each once; not that of a null version, which another one may take over at any time."""
    known = dict.fromkeys((*memory.settled, *version_ids))
    known.pop(NULL_VERSION, None)
    return tuple(known)
