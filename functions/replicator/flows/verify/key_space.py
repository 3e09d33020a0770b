"""The keys that are left to survey, divided into parts that workers take, cut in two, and shorten as they go on.

Separate from the survey because it is about threads: whoever has nothing to do takes half of what another one has left.
What is left at any moment is a list of spans, which is all that must be stored to go on later.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from replicator.core.verifying.cutting import after_all, between, in_common
from replicator.core.verifying.listed import Span

MOST_PROBES = 256
"""Requests for one cut. Keys with a long common beginning take some for each of its characters, the first time."""


@dataclass(slots=True, eq=False)
class Part:
    """Keys of one worker. done: the last key that is finished. claimed: the last one that is being worked on.

    until: None for no end. first: the first key that it was found to have; empty until then. high: no key is known
    after it. whole: it cannot be cut any further.
    """

    done: str
    until: str | None
    claimed: str = ""
    high: str | None = None
    whole: bool = False
    first: str = ""

    @property
    def span(self) -> Span:
        """What is left of it."""
        return Span(self.done, self.until)


@dataclass(slots=True)
class KeySpace:
    """All parts. first_key: returns the first key of a span. Thread-safe."""

    spans: Iterable[Span]
    first_key: Callable[[Span], str | None]
    _waiting: list[Part] = field(init=False)
    _taken: list[Part] = field(default_factory=list)
    _stopped: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self._waiting = [Part(span.after, span.until, claimed=span.after) for span in self.spans]
        self._waiting.reverse()

    def take(self) -> Part | None:
        """Return a part to work on, cut off from another if need be; None if nothing is left, or it was stopped."""
        while True:
            with self._changed:
                while not (self._stopped or self._waiting or self._divisible() or not self._taken):
                    self._changed.wait()
                if self._stopped or not (self._waiting or self._taken):
                    return None
                if self._waiting:
                    return self._begin(self._waiting.pop())
                part = self._divisible()
                assert part  # noqa: S101 - what was waited for
                part.whole = True  # nobody else cuts it meanwhile
            self._cut(part)

    def stop(self) -> None:
        """Let all workers end after what they are working on."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    @property
    def is_stopped(self) -> bool:
        """Return whether workers are to end."""
        return self._stopped

    def claim(self, part: Part, keys: Sequence[str]) -> int:
        """Return how many of these keys, which are the next ones, still belong to the part."""
        with self._changed:
            until = part.until
            count = len(keys) if until is None else sum(key <= until for key in keys)
            if count:
                part.claimed = keys[count - 1]
                part.first = part.first or keys[0]
            self._changed.notify_all()
            return count

    def finish(self, part: Part, keep: Callable[[list[Span]], None], *, last: str = "", ended: bool = False) -> None:
        """Note that a part is done up to `last`, or altogether, and call `keep` with what is left of all.

        `keep` is called while no other part advances.
        """
        with self._changed:
            part.done = last or part.done
            if ended:
                self._taken.remove(part)
            keep(self.left())
            self._changed.notify_all()

    def left(self) -> list[Span]:
        """Return what is left, in order."""
        with self._changed:
            return sorted((part.span for part in (*self._waiting, *self._taken)), key=lambda span: span.after)

    def _begin(self, part: Part) -> Part:
        self._taken.append(part)
        return part

    def _divisible(self) -> Part | None:
        """Return a part that may be worth cutting: some of it was found, and it has not ended."""
        return next((part for part in self._taken if part.first and not part.whole), None)

    def _cut(self, part: Part) -> None:
        """Cut what is left of a part in two, if there are keys in the far half."""
        if part.high is None:
            part.high = self._end_of(part)
        low, high = part.claimed, part.high
        for _ in range(MOST_PROBES):
            cut = between(low, high)
            if cut is None or self._stopped:
                return  # it stays whole
            if self.first_key(Span(cut, high)) is not None:
                self._divide(part, cut, high)
                return
            high = part.high = cut
            low = max(low, part.claimed)

    def _end_of(self, part: Part) -> str | None:
        """Return what no key of a part comes after, not far from its last key; None for no end.

        Keys mostly begin alike, and where they stop to do so is where they can be cut. Of the beginnings of what the
        keys have in common so far, the longest is looked for that all others have as well.
        """
        common = in_common(part.first, part.claimed)
        shared, more = 0, len(common) + 1  # all keys have `shared` characters of it; not all have `more`
        while more - shared > 1:
            length = (shared + more) // 2
            end = after_all(common[:length])
            if end is not None and self.first_key(Span(end, part.until)) is not None:
                more = length
            else:
                shared = length
        end = after_all(common[:shared])
        return part.until if end is None or (part.until is not None and part.until < end) else end

    def _divide(self, part: Part, cut: str, high: str | None) -> None:
        with self._changed:
            part.whole = False
            if part in self._taken:  # whoever cuts next looks at another one first
                self._taken.remove(part)
                self._taken.append(part)
            if part in self._taken and part.claimed < cut and (part.until is None or cut < part.until):
                self._waiting.append(Part(cut, part.until, claimed=cut, high=high))
                part.until = part.high = cut
            self._changed.notify_all()
