"""Every decision of a history comes from here: drawn from a seed, or replayed from a list.

Separate so that a history *is* its list of decisions: the list can be cut and made smaller, and what is left is still a
history. 0 is the dullest decision everywhere, and all that is left once a list has ended.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """A source of decisions that remembers them."""

    def __init__(self, seed: int | str = 0, replay: Sequence[int] | None = None) -> None:
        self.made: list[int] = []
        self.moves: list[int] = []
        self._replay = replay
        self._random = random.Random(seed).random  # noqa: S311 - a history, not a secret

    def below(self, bound: int) -> int:
        """Return a number from 0 to bound - 1."""
        if self._replay is None:
            value = int(self._random() * bound)
        else:
            value = self._replay[len(self.made)] if len(self.made) < len(self._replay) else 0
            value = min(value, bound - 1)
        self.made.append(value)
        return value

    def begin_move(self) -> None:
        """Note where a move begins: a shrinker cuts whole moves."""
        self.moves.append(len(self.made))

    def chance(self, percent: int) -> bool:
        """Return yes in that many percent of cases."""
        return self.below(100) >= 100 - percent

    def one_of(self, options: Sequence[T]) -> T:
        """Return one of the options, the first being the dullest."""
        return options[self.below(len(options))] if len(options) > 1 else options[0]
