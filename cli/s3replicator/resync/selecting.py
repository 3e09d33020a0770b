"""A key in doubt -> which of its versions and delete markers are asked for, oldest first -> messages of changes.

Pure, so that a dry run counts exactly what would be sent. A listing cannot prove that a version is missing: what is
sent without need finds its replica, and nothing is written.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from replicator.core.verifying.equality import replicates_markers
from replicator.core.verifying.listed import Listed
from replicator.core.versions.change import Change, ChangeKind, Wish
from replicator.core.versions.events import write
from replicator.flows.verify.survey import Doubt

from s3replicator.jobs.selection import REPLICAS, Selection

EVENT_NAME = "resync"
MOST_RECORDS = 20
"""Records of one message: a function's time is enough for the copies of so many versions."""
Identity = tuple[bool, str, int]
"""What a listing tells of an entry: whether it is a version, its ETag and its size."""


@dataclass(frozen=True, slots=True)
class Selector:
    """Selects entries of keys in doubt. failed: (key, version id) of what has failed."""

    selection: Selection
    failed: Collection[tuple[str, str]] = ()

    @property
    def wish(self) -> Wish:
        """Return what the functions are asked to do."""
        return Wish.REPLICAS if self.selection.asks_for(REPLICAS) else Wish.EXISTING

    def entries(self, doubt: Doubt) -> list[Listed]:
        """Return what is asked for of one key, in the order of its history."""
        markers = any(map(replicates_markers, doubt.candidates))
        taken = [each for each in doubt.source if self.selection.takes(each) and (markers or each.entry.is_version)]
        if not self.selection.is_complete:
            missing = self._missing(doubt)
            taken = [each for each in taken if each.entry.version_id in missing and self._is_asked_for(each)]
        return taken[::-1]

    def _missing(self, doubt: Doubt) -> set[str]:
        """Return the version ids that some destination does not list, and always the newest: it must be on top."""
        there = [Counter(map(_identity, doubt.destinations.get(each.destination, ()))) for each in doubt.candidates]
        here = Counter(map(_identity, doubt.source))
        absent = {each.entry.version_id for each in doubt.source if _is_absent(each, here, there)}
        return absent | {doubt.source[0].entry.version_id}

    def _is_asked_for(self, listed: Listed) -> bool:
        return self.selection.takes_by_status((listed.key, listed.entry.version_id), self.failed)


def _identity(listed: Listed) -> Identity:
    return listed.entry.is_version, listed.entry.etag, listed.entry.size


def _is_absent(listed: Listed, here: Counter[Identity], there: Sequence[Counter[Identity]]) -> bool:
    return any(at[_identity(listed)] < here[_identity(listed)] for at in there)


def is_lone(doubt: Doubt) -> bool:
    """Return whether the listings show one version of a key, and nothing else, at the source or anywhere."""
    return len(doubt.source) == 1 and doubt.source[0].entry.is_version and not any(doubt.destinations.values())


def messages(bucket: str, entries: Sequence[Listed], wish: Wish, now: int, *, lone: bool = False) -> Iterator[str]:
    """Yield the bodies of messages for entries of one key, oldest first. now: epoch milliseconds."""
    changes = [_change(bucket, each, wish, now, lone) for each in entries]
    for start in range(0, len(changes), MOST_RECORDS):
        yield write(*changes[start : start + MOST_RECORDS])


def _change(bucket: str, listed: Listed, wish: Wish, now: int, lone: bool) -> Change:  # noqa: FBT001
    entry = listed.entry
    kind = ChangeKind.CREATED if entry.is_version else ChangeKind.MARKED_DELETED
    return Change(kind, bucket, listed.key, entry.version_id, time=now, size=entry.size, wish=wish, lone=lone)
