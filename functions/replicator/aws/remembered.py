"""Answers that many changes need and that cost requests: one thread asks, and only those with the same question wait.

Separate from what is asked, because slow buckets make this hard: each question has a lock of its own, so that a bucket
that does not answer delays nobody who asks about another one. Who waited for an answer uses it, trouble included, and a
time-out is remembered for a moment, so that ten changes of a batch do not run into it one after the other.
"""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from replicator.core.outcomes.outcome import Permanent, Temporary, Trouble

TROUBLE_SECONDS = 1.0
"""How long temporary trouble is an answer: no longer than the shortest delay of a retry, so that a retry asks anew.
What follows in the same batch comes within milliseconds. A denial is never remembered: it is answered at once, and a
change must not fail for what was repaired a moment ago."""

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class _Answer(Generic[A]):
    value: A | None
    trouble: Trouble | None
    since: float

    def is_fresh(self, now: float, keep: float) -> bool:
        if isinstance(self.trouble, Permanent):
            return False
        return now < self.since + (min(keep, TROUBLE_SECONDS) if self.trouble else keep)


@dataclass(slots=True)
class _Memory(Generic[A]):
    lock: threading.Lock = field(default_factory=threading.Lock)
    answer: _Answer[A] | None = None


class Remembered(Generic[Q, A]):
    """The last answer to each question. Thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take a wall clock in seconds: a monotonic one may stand still while a container is frozen."""
        self._clock = clock
        self._memories: dict[Q, _Memory[A]] = {}

    def answer(self, question: Q, ask: Callable[[], A], keep: float = math.inf) -> A:
        """Return an answer that is less than `keep` seconds old, or one that another thread was waiting for.

        Raises what `ask` raises; Temporary also if that was raised a moment ago.
        """
        memory = self._memories.setdefault(question, _Memory())
        known = memory.answer
        if known is None or not known.is_fresh(self._clock(), keep):
            with memory.lock:
                if memory.answer is known or memory.answer is None:  # nobody has asked since
                    memory.answer = self._ask(ask)
                known = memory.answer
        if known.trouble:
            raise type(known.trouble)(*known.trouble.parts) from known.trouble.__cause__
        return known.value  # type: ignore[return-value]

    def _ask(self, ask: Callable[[], A]) -> _Answer[A]:
        try:
            return _Answer(ask(), None, self._clock())
        except (Temporary, Permanent) as trouble:
            return _Answer(None, trouble, self._clock())
