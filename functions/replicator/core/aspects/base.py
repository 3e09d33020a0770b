"""The base of a field: what its two sides had when they last agreed, so that it can be seen which one changed since.

S3 has no conditional requests for tags, ACLs, locks and annotations. So a value joins the base *before* it is written:
after a crash in between, neither the write that may have happened nor the value below it looks like a user's change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from replicator.core.aspects.state import Value, digest

MOST = 12
"""Digests kept for a side. More are only there after as many crashes in a row between an intent and its write."""

FEW = 4
"""Digests kept of what both sides had before. A replica that is put back was written within the last minutes."""


@dataclass(frozen=True, slots=True)
class Base:
    """What each side may have without a user's change, as digests, newest last. Empty if nothing is known.

    wanted: the digest of what both were to have. It is the last that was intended, or that they agreed on. past: what
    they had before, newest last, where nothing else says what a replica may have been written with: of annotations.
    """

    source: tuple[str, ...] = ()
    replica: tuple[str, ...] = ()
    wanted: str = ""
    past: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether anything is known."""
        return bool(self.source)

    def is_source_changed(self, value: Value) -> bool:
        """Return whether the source has what it can only have from a user."""
        return digest(value) not in self.source

    def is_replica_changed(self, value: Value) -> bool:
        """Return whether a replica has what it can only have from a user."""
        return digest(value) not in self.replica

    def with_intent(self, value: Value, source: Value, replicas: tuple[Value, ...], *, to_source: bool) -> "Base":
        """Return it before `value` is written to one side. source, replicas: what the sides have now.

        Only what a side was seen to have, or what is written to it, is no user's change: a value that a user sets again
        at the side that it came from is one.
        """
        wanted = digest(value)
        seen = (digest(source),) if not to_source else (*self.source, digest(source), wanted)
        there = (wanted,) if to_source else (*self.replica, *map(digest, replicas), wanted)
        return Base(_last(seen), _last(there), wanted, self.past)

    def then_agreed(self, value: Value) -> "Base":
        """Return the base of two sides that have the same now, and had what is in this one before."""
        had = (each for each in (*self.past, *self.source, *self.replica) if each != digest(value))
        return replace(agreed(value), past=_last(tuple(had))[-FEW:])


@dataclass(frozen=True, slots=True)
class Agreement:
    """What is kept of one version at one destination.

    bases: by the keys of their fields. synced: by aspect, the replicas that were compared with the version before. What
    another one was written with is no user's change, though it may be out of date; theirs is, if they have it again.
    """

    bases: Mapping[str, Base] = field(default_factory=dict)
    synced: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def agreed(value: Value) -> Base:
    """Return the base of two sides that have the same."""
    return of_digest(digest(value))


def of_digest(text: str) -> Base:
    """Return the base of two sides that had the same, by its digest; an empty one for no text."""
    return Base((text,), (text,), text) if text else Base()


def _last(digests: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reversed(digests)))[:MOST][::-1]
