"""Sorted listings -> keys with all their entries -> one row for each key that any side has. Constant memory.

A listing that is out of order, or lacks the current entry of a key, proves nothing: Unsorted is raised, so that it is
never taken for one that lacks keys.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from replicator.core.verifying.listed import Listed

Group = tuple[str, list[Listed]]
"""A key with all its entries, newest first."""


class Unsorted(Exception):
    """A listing is not in S3's order. side: the name of its bucket. The message says what was found, without keys."""

    def __init__(self, side: str, what: str) -> None:
        super().__init__(what)
        self.side = side


class Row(NamedTuple):
    """One key: its entries at the source, and at each destination that has any, newest first."""

    key: str
    source: tuple[Listed, ...]
    destinations: Mapping[str, tuple[Listed, ...]]


def grouped(side: str, pages: Iterable[Sequence[Listed]]) -> Iterator[Group]:
    """Group the entries of one bucket by key. Raises Unsorted."""
    key, group = "", list[Listed]()
    for page in pages:
        for listed in page:
            if listed.key == key:
                if listed.is_latest:
                    raise Unsorted(side, "a key has two current entries, or one below others")
                group.append(listed)
                continue
            if listed.key < key:
                raise Unsorted(side, "keys are not in the order of their UTF-8 bytes")
            if not listed.is_latest:
                raise Unsorted(side, "the first entry of a key is not its current one")
            if group:
                yield key, group
            key, group = listed.key, [listed]
    if group:
        yield key, group


def merged(source: Iterator[Group], destinations: Mapping[str, Iterator[Group]]) -> Iterator[Row]:
    """Merge the keys of a source with those of its destinations, in their order. Raises Unsorted."""
    here = next(source, None)
    there = {name: group for name, groups in destinations.items() if (group := next(groups, None))}
    while here or there:
        key = min(group[0] for group in (here, *there.values()) if group)
        entries: tuple[Listed, ...] = ()
        if here and here[0] == key:
            entries, here = tuple(here[1]), next(source, None)
        found = {name: tuple(group[1]) for name, group in there.items() if group[0] == key}
        yield Row(key, entries, found)
        for name in found:
            following = next(destinations[name], None)
            if following:
                there[name] = following
            else:
                del there[name]
