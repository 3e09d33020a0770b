"""The versions that would be lost: what waits or has failed for one destination of one bucket, oldest first.

Reads the journal's index up to a bound: after a long outage there may be millions, and whoever fails over has no time.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from replicator.core.outcomes.outcome import Status
from replicator.core.outcomes.recovery import NOWHERE, Buckets
from replicator.core.outcomes.threshold import Pending

MOST_KEYS = 1000
"""Keys that are listed at most."""
MOST_READ = 50_000
"""Entries of the index that are read at most, those of other buckets included."""


class Index(Protocol):
    """The journal's index by age."""

    def shards(self, status: Status) -> list[Callable[[], Iterator[Pending]]]:
        """Return a function for each partition that yields its entries, oldest first, or raises Temporary."""


@dataclass(frozen=True, slots=True)
class LostKey:
    """One version that is missing. written: epoch milliseconds."""

    status: Status
    key: str
    version_id: str
    written: int
    size: int
    reason: str


@dataclass(frozen=True, slots=True)
class LostKeys:
    """The versions that are missing, oldest first. complete: there are no more than these."""

    keys: tuple[LostKey, ...] = ()
    complete: bool = True


def read_lost_keys(index: Index, buckets: Buckets, parked: Iterable[Pending] = ()) -> LostKeys:
    """Read what is missing for a pair of buckets. Raises Temporary or Permanent.

    parked: what is parked for the destination, in any order. If that is more than can be read, the oldest of those
    that were read come first.
    """
    entries = [
        _with_status(status, shard()) for status in (Status.PENDING, Status.FAILED) for shard in index.shards(status)
    ]
    read_parked = list(islice(parked, MOST_READ + 1))
    entries.append(_with_status(Status.PENDING, sorted(read_parked, key=lambda each: each.first_seen)))
    oldest_first = heapq.merge(*entries, key=lambda each: each[1].first_seen)
    found: list[LostKey] = []
    read = 0
    for status, each in islice(oldest_first, MOST_READ):
        read += 1
        if each.bucket == buckets[0] and each.destination in {buckets[1], NOWHERE}:
            if len(found) == MOST_KEYS:
                return LostKeys(tuple(found), complete=False)
            found.append(LostKey(status, each.key, each.version_id, each.first_seen, each.size, each.reason))
    return LostKeys(tuple(found), complete=read < MOST_READ)


def _with_status(status: Status, entries: Iterable[Pending]) -> Iterator[tuple[Status, Pending]]:
    return ((status, each) for each in entries)
