"""All keys that rules concern, at the source and at every destination: proved equal by their listings, or in doubt.

The survey does not examine a doubt: a consumer does, be it to name the difference (verify) or to send the versions to
the pipeline (resync). Workers list parts of the key space side by side, each in constant memory.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from typing import Generic, NamedTuple, Protocol, TypeVar

from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Reason, Side, Temporary
from replicator.core.rules.matching import Candidate, RuleSet
from replicator.core.verifying.equality import is_proved_equal
from replicator.core.verifying.listed import Listed, Span, covering
from replicator.core.verifying.merging import Row, Unsorted, grouped, merged
from replicator.flows.verify.key_space import KeySpace, Part
from replicator.flows.verify.ports import Listing

MOST_ROWS = 250
MOST_DOUBTS = 40
"""Keys, and keys in doubt, that a consumer gets at once at most: little is done twice after a crash, it can be stopped
soon, and parts can be cut soon."""

F = TypeVar("F")


class Doubt(NamedTuple):
    """One key whose listings leave something open. candidates: for the destinations concerned.

    source, destinations: its entries, newest first, as they were listed: examine it with fresh facts.
    """

    key: str
    source: tuple[Listed, ...]
    destinations: Mapping[str, tuple[Listed, ...]]
    candidates: tuple[Candidate, ...]


class Batch(NamedTuple):
    """Some keys in their order. equal: entries of the source that are proved equal, by destination.

    only_there: entries of keys that the source does not have at all, by destination.
    """

    doubts: tuple[Doubt, ...]
    equal: Mapping[str, int]
    only_there: Mapping[str, int]
    keys: int


class Consumer(Protocol[F]):
    """What is done about what a survey finds."""

    def examine(self, batch: Batch) -> F:
        """Return what was found out. Called by several threads at once. What it raises ends the survey."""

    def keep(self, found: F, left: Sequence[Span]) -> None:
        """Keep what was found, with what is left to survey. Called by one thread at a time."""


@dataclass(slots=True)
class Survey(Generic[F]):
    """A survey of one source bucket. rules: all through the survey the same.

    destinations: those to look at; all of the rules if empty. prefix: of the keys to look at. everything: every key is
    in doubt. workers: threads.
    """

    rules: RuleSet
    listing: Listing
    consumer: Consumer[F]
    destinations: frozenset[str] = frozenset()
    prefix: str = ""
    everything: bool = False
    workers: int = 8
    _space: KeySpace = field(init=False)
    _trouble: list[BaseException] = field(default_factory=list)

    def run(self, spans: Sequence[Span] = (Span(),)) -> None:
        """Survey these spans, what an earlier run has left, or all keys.

        Raises the first trouble, after all workers have ended. Then, and after KeyboardInterrupt, what is left is what
        the consumer was told last.
        """
        sides = _sides(self.rules, self.destinations, self.prefix)
        self._space = KeySpace(spans, lambda span: self._first_key(sides[self.rules.bucket], span))
        threads = [threading.Thread(target=self._work, args=(sides,), daemon=True) for _ in range(self.workers)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            self._space.stop()
            for thread in threads:
                thread.join()
        if self._trouble:
            raise self._trouble[0]

    def _work(self, sides: "Mapping[str, _ListedSide]") -> None:
        try:
            while part := self._space.take():
                self._survey(part, sides)
        except BaseException as trouble:
            self._trouble.append(trouble)
            self._space.stop()

    def _survey(self, part: Part, sides: "Mapping[str, _ListedSide]") -> None:
        rows = self._rows(part.span, sides)
        while chunk := list(self._chunk(rows)):
            count = self._space.claim(part, [compared.row.key for compared in chunk])
            if count:
                found = self.consumer.examine(_sorted_out(chunk[:count]))
                self._space.finish(part, partial(self.consumer.keep, found), last=chunk[count - 1].row.key)
            if self._space.is_stopped:
                return
            if count < len(chunk):
                break  # the rest belongs to another part by now
        self._space.finish(part, lambda _: None, ended=True)

    def _rows(self, span: Span, sides: "Mapping[str, _ListedSide]") -> Iterator[Row]:
        groups = {name: grouped(name, self._pages(side, span)) for name, side in sides.items()}
        source = groups.pop(self.rules.bucket)
        try:
            yield from merged(source, groups)
        except Unsorted as trouble:
            side = sides[trouble.side].side
            raise Temporary(Reason.UNREADABLE, f"ListObjectVersions ({side}): {trouble}", side) from trouble

    def _pages(self, side: "_ListedSide", span: Span) -> Iterator[Sequence[Listed]]:
        spans = (under for prefix in side.prefixes if (under := span.under(prefix)))
        return chain.from_iterable(self.listing.pages(side.target, side.side, under) for under in spans)

    def _first_key(self, side: "_ListedSide", span: Span) -> str | None:
        spans = (under for prefix in side.prefixes if (under := span.under(prefix)))
        firsts = (self.listing.first_key(side.target, side.side, under) for under in spans)
        return next((key for key in firsts if key is not None), None)

    def _chunk(self, rows: Iterator[Row]) -> "Iterator[_Compared]":
        """Yield the next rows, as many as a consumer gets at once."""
        doubts = 0
        for row in islice(rows, MOST_ROWS):
            compared = self._compare(row)
            yield compared
            doubts += bool(compared.doubtful)
            if doubts >= MOST_DOUBTS:
                return

    def _compare(self, row: Row) -> "_Compared":
        equal, doubtful = [], []
        for candidate in self.rules.candidates(row.key) if row.source else ():
            name = candidate.destination
            if self.destinations and name not in self.destinations:
                continue
            if not self.everything and is_proved_equal(row.source, row.destinations.get(name, ()), candidate):
                equal.append(name)
            else:
                doubtful.append(candidate)
        return _Compared(row, equal, tuple(doubtful))


class _Compared(NamedTuple):
    """One row, the destinations that are proved equal, and candidates for those that are not."""

    row: Row
    equal: Sequence[str]
    doubtful: tuple[Candidate, ...]


def _sorted_out(chunk: Sequence[_Compared]) -> Batch:
    equal, only_there = Counter[str](), Counter[str]()
    for row, names, _ in chunk:
        for name in names:
            equal[name] += len(row.source)
        if not row.source:
            only_there.update({name: len(entries) for name, entries in row.destinations.items()})
    doubts = (Doubt(row.key, row.source, row.destinations, doubtful) for row, _, doubtful in chunk if doubtful)
    return Batch(tuple(doubts), equal, only_there, len(chunk))


class _ListedSide(NamedTuple):
    """One bucket, and the prefixes under which it is listed."""

    target: Target
    side: Side
    prefixes: tuple[str, ...]


def _sides(rules: RuleSet, destinations: frozenset[str], prefix: str) -> dict[str, _ListedSide]:
    """Return the source and all destinations by name, each with the prefixes of its own enabled rules only."""
    prefixes: dict[str, list[str]] = {rules.bucket: []}
    accounts: dict[str, str] = {}
    for rule in rules.rules:
        name = rule.destination.bucket
        under = Span(prefix=prefix).under(rule.prefix)
        if rule.enabled and under and (not destinations or name in destinations):
            prefixes.setdefault(name, []).append(under.prefix)
            prefixes[rules.bucket].append(under.prefix)
            accounts[name] = rule.destination.account or ""
    return {
        name: _ListedSide(
            Target(name, accounts.get(name, "")),
            Side.SOURCE if name == rules.bucket else Side.DESTINATION,
            tuple(covering(each)),
        )
        for name, each in prefixes.items()
    }
