"""A failing history, made small: moves are cut out, decisions made duller, as long as it still fails in the same way.

Whole moves are cut first, long runs of them before short ones (delta debugging); then single decisions are made
smaller. A cut changes what later decisions mean, and that is fine: whatever is played is a history.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Numbers = tuple[int, ...]

MOST_DECISIONS = 1_000_000
"""How many decisions are played at most: enough for thousands of short histories, and for some that hardly end."""


@dataclass(frozen=True, slots=True)
class Played:
    """One history: what went wrong, the decisions that it used, and where among them each move began."""

    violations: Sequence[str]
    choices: Sequence[int]
    moves: Sequence[int]


@dataclass(slots=True)
class Shrinker:
    """Holds the smallest history so far. `play` plays a list of decisions."""

    play: Callable[[Sequence[int]], Played]
    best: Played
    kinds: frozenset[str]
    played: int = 0

    def shrink(self) -> Numbers:
        """Make it as small as the number of decisions allows."""
        before = None
        while before != self.best and self.played < MOST_DECISIONS:
            before = self.best
            self._cut_moves()
            self._lower()
        return _trimmed(self.best.choices)

    def _cut_moves(self) -> None:
        width = max(1, len(self.best.moves) // 2)
        while width:
            index = len(self.best.moves) - width
            while index >= 0:
                if not self._try(self._without(index, width)):
                    index -= width
                index = min(index, len(self.best.moves) - width)
            width //= 2

    def _without(self, index: int, width: int) -> Numbers:
        moves = [*self.best.moves, len(self.best.choices)]
        return (*self.best.choices[: moves[index]], *self.best.choices[moves[index + width] :])

    def _lower(self) -> None:
        index = 0
        while index < len(_trimmed(self.best.choices)):
            for value in _smaller(self.best.choices[index]):
                if self._try((*self.best.choices[:index], value, *self.best.choices[index + 1 :])):
                    break
            index += 1

    def _try(self, choices: Numbers) -> bool:
        """Keep a list if it fails in the same way and is smaller."""
        if self.played >= MOST_DECISIONS:
            return False
        played = self.play(choices)
        self.played += len(played.choices)
        alike = bool(self.kinds & kinds_of(played.violations))
        if alike and _size(played.choices) < _size(self.best.choices):
            self.best = played
            return True
        return False


def shrink(made: Sequence[int], play: Callable[[Sequence[int]], Played]) -> Numbers:
    """Return the smallest list of decisions found that goes wrong like the first one."""
    first = play(made)
    return Shrinker(play, first, kinds_of(first.violations)).shrink()


def kinds_of(violations: Sequence[str]) -> frozenset[str]:
    """Return violations without names and numbers, so that two histories can fail in the same way."""
    return frozenset(re.sub(r"\w*\d+\w*|east|west|north|nothing", "*", violation) for violation in violations)


def _smaller(value: int) -> Iterator[int]:
    yield from sorted({0, value // 2, value - 1}) if value else ()


def _trimmed(made: Sequence[int]) -> Numbers:
    """Drop the zeros at the end: they are what a list that has ended gives anyway."""
    end = len(made)
    while end and not made[end - 1]:
        end -= 1
    return tuple(made[:end])


def _size(choices: Sequence[int]) -> tuple[int, int, int]:
    trimmed = _trimmed(choices)
    return len(choices), sum(1 for value in trimmed if value), sum(trimmed)
