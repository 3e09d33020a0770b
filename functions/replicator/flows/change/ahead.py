"""The journal's entries of a whole batch, read by one request before its changes are processed.

Separate from consuming, because it is no more than a shortcut: a change whose entry is not here, or was used, reads it
for itself. Each entry is used once, by the first change of its pair: what comes after may find it settled by then.

An entry that is older than it could be changes nothing that is promised. Memory is read before any other fact either
way, every write to a bucket is guarded by what the facts say is on top, and the journal is settled only if its entry
still is the one that was read. What is overtaken is decided again from what is read then.
"""

from collections.abc import Iterable, Sequence

from replicator.core.deciding.journal import Memory, Pair
from replicator.core.outcomes.outcome import Permanent, Temporary
from replicator.core.versions.change import Change
from replicator.flows.change.replicate import Services, candidates_of, drop


class ReadAhead:
    """Entries of the journal by pair, each until it is taken. Thread-safe: one pop takes it."""

    def __init__(self, memories: Iterable[tuple[Pair, Memory]] = ()) -> None:
        self._memories = dict(memories)

    def take(self, pair: Pair) -> Memory | None:
        """Return the entry of a pair, and keep it no longer; None if it is not here."""
        return self._memories.pop(pair, None)


def read_ahead(changes: Sequence[tuple[Change, str]], services: Services) -> ReadAhead:
    """Read the entries that new changes of a batch will need, each with its one destination (empty: all that match).

    What was delivered before may need none: what the journal recorded of it is read first. Raises nothing: in trouble,
    each change asks for itself and says what became of it.
    """
    try:
        pairs = dict.fromkeys(pair for change, only in changes for pair in _pairs(change, only, services))
        return ReadAhead(services.journal.read_all([*pairs]).items() if len(pairs) > 1 else ())
    except (Temporary, Permanent) as trouble:
        services.warn(f"the journal's entries of a batch were not read together: {trouble}")
        return ReadAhead()


def _pairs(change: Change, only: str, services: Services) -> Iterable[Pair]:
    """Return the pairs whose entries a change will need; later changes take a lease, which returns the entry."""
    if change.amends or drop(change, services):
        return ()
    candidates = candidates_of(change, services.rules(change.bucket), only)
    return (Pair(change.bucket, candidate.destination, change.key) for candidate in candidates)
