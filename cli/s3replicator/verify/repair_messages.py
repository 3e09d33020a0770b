"""Differences -> the changes that mend them, for the stack's own pipeline.

Separate from whoever finds the differences. Nothing here writes to a bucket: the functions do, by the decision that
found the difference, and it is examined again afterwards.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from replicator.core.verifying.differences import OF_BYTES, OF_STATE, Difference
from replicator.core.versions.change import Change, ChangeKind, Wish
from replicator.core.versions.events import write

MOST_RECORDS = 20
"""Records of one message: a function's time is enough for copies of so many versions."""


def messages(bucket: str, differences: Iterable[Difference], now: int) -> Iterator[str]:
    """Yield the bodies of messages that mend differences: those of one key together, in the order of its history.

    differences: all of a key one after the other. now: epoch milliseconds.
    """
    for _, of_key in groupby(differences, key=lambda each: each.key):
        changes = list(dict.fromkeys(change_for(bucket, each, now) for each in of_key if each.can_be_mended))
        for first in range(0, len(changes), MOST_RECORDS):
            yield write(*changes[first : first + MOST_RECORDS])


def change_for(bucket: str, difference: Difference, now: int) -> Change:
    """Return the change that mends a difference. now: epoch milliseconds."""
    kind, wish = ChangeKind.CREATED, Wish.RESTORE
    if difference.kind in OF_STATE:
        kind = ChangeKind.STATE
    elif difference.kind in OF_BYTES:
        wish = Wish.REWRITE
    elif difference.is_marker:
        kind = ChangeKind.MARKED_DELETED
    return Change(kind, bucket, difference.key, difference.version_id, time=now, wish=wish)
