"""The consumer of a survey that names what differs: examine doubts -> count -> look once more at what may be passing.

Whatever differs may be on its way: an event that was sent a second ago, a copy that has just begun. So what differs is
looked at again after a moment. Where very much differs, that is no traffic: if nothing has changed of those written
last, and the queues are empty, the rest is taken as it was found. The memory for all this is bounded.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from replicator.core.rules.matching import Candidate, RuleSet
from replicator.core.verifying.differences import OF_STATE, Difference, Kind
from replicator.core.verifying.listed import Span
from replicator.core.verifying.totals import Totals
from replicator.flows.ports import SideBySide
from replicator.flows.verify.examine import Examined, Examiner
from replicator.flows.verify.survey import Batch, Doubt

MOST_SUSPECTS = 10_000
"""Keys that are looked at again."""
SAMPLE = 200
"""Keys whose versions were written last, and which are looked at again in any case."""
MOMENT_MS = 5_000
"""Between two looks at the same key."""
EVENT_MS = 30_000
"""How long S3 may take to send an event, usually: no version counts as missing before that."""
AT_ONCE = 4
"""Keys that a worker examines side by side: eight workers have as many requests under way as there are connections."""

Suspects = dict[str, dict[str, Examined | None]]
"""Keys that are looked at again, with what was found at each destination; None after an interruption."""


_Asked = tuple[str, tuple[Candidate, ...], Doubt | None]
"""A key, the candidates to examine it for, and its entries, if they were just listed."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a batch of the survey came to. suspects: differ at the first look."""

    keys: int
    equal: Mapping[str, int]
    only_there: Mapping[str, int]
    examined: list[tuple[str, Examined]]


@dataclass(slots=True)
class Verifier:
    """Verifies one source bucket, as far as the survey brings its keys. Its methods run as the survey calls them.

    record: takes differences that are certain. kept: is called with what is left, whenever that has changed. totals: by
    destination. settled_at: when all suspects may be looked at again, epoch milliseconds. at_once: keys that are
    examined side by side.
    """

    rules: RuleSet
    examiner: Examiner
    side_by_side: SideBySide
    now: Callable[[], int]
    record: Callable[[Sequence[Difference]], None] = lambda _: None
    kept: Callable[[Sequence[Span]], None] = lambda _: None
    totals: dict[str, Totals] = field(default_factory=dict)
    suspects: Suspects = field(default_factory=dict)
    keys: int = 0
    settled_at: int = 0
    at_once: int = AT_ONCE

    def examine(self, batch: Batch) -> Found:
        """Examine the doubts of a batch, some side by side."""
        doubts = [(doubt.key, doubt.candidates, doubt) for doubt in batch.doubts]
        return Found(batch.keys, batch.equal, batch.only_there, list(self._examine(doubts)))

    def keep(self, found: Found, left: Sequence[Span]) -> None:
        """Count what was found; what differs is a suspect until it is looked at again."""
        self.keys += found.keys
        for name, count in found.equal.items():
            totals = self._of(name)
            totals.checked += count
            totals.equal += count
        for name, count in found.only_there.items():
            self._of(name).only_there += count
        for key, examined in found.examined:
            if (examined.differences or examined.pending) and len(self.suspects) < MOST_SUSPECTS:
                self.suspects.setdefault(key, {})[examined.destination] = examined
                self.settled_at = max(self.settled_at, self._settles(examined))
            else:
                self._count(examined)
        self.kept(left)

    def look_again(self, wait: Callable[[int], None]) -> None:
        """Look once more at suspects, and count what they are now. wait: returns after some milliseconds."""
        if not self.suspects:
            return
        wait(max(0, self.settled_at - self.now()))
        certain, sample = self._divided()
        changed = self._settle(certain) | self._settle(sample)
        if changed or self.examiner.is_busy():
            self._settle(list(self.suspects))
        for found in self.suspects.values():
            for examined in found.values():
                if examined:
                    self._count(examined)
        self.suspects.clear()
        self.kept(())

    def _divided(self) -> tuple[list[str], list[str]]:
        """Return the suspects that must be looked at again, and a sample of the others: those written last.

        The time of a version says nothing of changes after the write, and what was pending may have arrived.
        """
        by_time = sorted(self.suspects, key=lambda key: -max(map(_youngest, self.suspects[key].values())))
        certain = [key for key in by_time if any(map(_is_passing, self.suspects[key].values()))]
        known = set(certain)
        return certain, [key for key in by_time if key not in known][:SAMPLE]

    def _settle(self, keys: Sequence[str]) -> bool:
        """Look again at some suspects, and count them; return whether anything has changed about them."""
        changed = False
        for first in range(0, len(keys), 40 * self.at_once):
            some = keys[first : first + 40 * self.at_once]
            for key, examined in self.examine_again((key, list(self.suspects[key])) for key in some):
                before = self.suspects[key][examined.destination]
                changed |= before is not None and before.differences != examined.differences
                self._count(examined)
            for key in some:
                del self.suspects[key]
            self.kept(())
        return changed

    def examine_again(self, keys: Iterator[tuple[str, Sequence[str]]]) -> list[tuple[str, Examined]]:
        """Examine keys at some destinations. Rules are those of the survey."""
        named = [
            (key, tuple(each for each in self.rules.candidates(key) if each.destination in names), None)
            for key, names in keys
        ]
        return list(self._examine(named))

    def _examine(self, keys: Sequence[_Asked]) -> Iterator[tuple[str, Examined]]:
        for first in range(0, len(keys), self.at_once):
            some = keys[first : first + self.at_once]
            tasks = [partial(self.examiner.examine, self.rules.bucket, *asked) for asked in some]
            for (key, *_), each in zip(some, self.side_by_side(tasks), strict=True):
                yield from ((key, examined) for examined in each)

    def _settles(self, examined: Examined) -> int:
        """Return when another look is worth while: the event of a version that is missing may take a moment."""
        kinds = {each.kind for each in (*examined.differences, *examined.pending)}
        late = kinds & {Kind.MISSING, Kind.MARKER_MISSING, Kind.WRONG_CURRENT}
        event = examined.youngest * 1000 + EVENT_MS if late else 0
        return max(self.now() + MOMENT_MS, event)

    def _count(self, examined: Examined) -> None:
        totals = self._of(examined.destination)
        totals.checked += examined.checked
        totals.equal += examined.equal
        totals.add_pending(len({each.version_id for each in examined.pending}), examined.pending_since)
        totals.left_out.update(examined.left_out)
        totals.add_differences(examined.differences)
        if examined.differences:
            self.record(examined.differences)

    def _of(self, destination: str) -> Totals:
        return self.totals.setdefault(destination, Totals())


def _youngest(examined: Examined | None) -> int:
    return examined.youngest if examined else 0


def _is_passing(examined: Examined | None) -> bool:
    """Return whether what was found may have nothing to do with when a version was written."""
    return examined is None or bool(examined.pending) or any(each.kind in OF_STATE for each in examined.differences)


def differing(totals: Mapping[str, Totals]) -> Counter[str]:
    """Return the differences of all destinations together, by kind."""
    return sum((each.differences for each in totals.values()), Counter[str]())
