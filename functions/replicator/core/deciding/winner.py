"""The winner: which of two native entries, one from each side, must be current in both buckets.

Both directions must reach the same result from their own facts, without communicating. So the rule is small and
symmetric, and has a module of its own. The simulation tests it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from replicator.core.versions.origin import Origin, identify
from replicator.core.versions.version import Entry, History

CLOCK_MARGIN = 900
"""Seconds by which the clocks of two Regions may differ: beyond that, S3 refuses every signed request
(RequestTimeTooSkewed). A replica is written after its native version, so entries older than that need not be read."""

MarksOf = Callable[[Sequence[Entry]], Sequence[Origin | None]]


@dataclass(frozen=True, slots=True)
class Native:
    """The last native entry of one side, with its history and a function that returns that history's marks."""

    entry: Entry
    bucket: str
    history: History
    marks_of: MarksOf

    @property
    def origin(self) -> Origin:
        """The identity of this entry in both buckets."""
        return identify(self.bucket, self.entry.version_id, self.entry.modified, self.entry.etag)


def choose(mine: Native | None, theirs: Native | None, *, two_way: bool) -> Native | None:
    """Return the winner of the last native entries of the source (mine) and the destination (theirs).

    The one whose author could see the other wins. Otherwise they are concurrent: one-way, the source wins; two-way, a
    write beats a delete marker, and of two writes the later LastModified wins, with the bucket name to break ties.
    """
    if mine is None or theirs is None:
        return mine or theirs
    if happened_before(mine, theirs):
        return theirs
    if not two_way:
        return mine
    if happened_before(theirs, mine):
        return mine
    if mine.entry.kind is not theirs.entry.kind:
        return mine if mine.entry.is_version else theirs
    return max(mine, theirs, key=lambda native: (native.entry.modified, native.bucket))


def happened_before(early: Native, late: Native) -> bool:
    """Return whether `early` was already there, as a replica, when `late` was written: its author could see it."""
    if not early.entry.is_version:
        return False  # a replicated delete marker has no mark, so this is unknown
    since = early.entry.modified - CLOCK_MARGIN
    below = late.history[: late.history.index(late.entry)]
    return early.origin in late.marks_of([entry for entry in below if entry.is_version and entry.modified >= since])
