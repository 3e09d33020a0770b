"""The consumer of a survey that names what differs: examine doubts -> count -> look once more at what may be passing.

Whatever differs may be on its way: an event that was sent a second ago, a copy that has just begun. So nothing counts
as different that does not differ twice, with a moment in between. That needs memory for what is looked at again, which
is bounded: beyond that, so much differs that traffic does not explain it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from replicator.core.rules.matching import Candidate, RuleSet
from replicator.core.verifying.differences import Difference, Kind
from replicator.core.verifying.listed import Span
from replicator.core.verifying.totals import Totals
from replicator.flows.ports import SideBySide
from replicator.flows.verify.examine import Examined, Examiner
from replicator.flows.verify.survey import Batch

MOST_SUSPECTS = 10_000
"""Keys that are looked at again."""
MOMENT_MS = 5_000
"""Between two looks at the same key."""
EVENT_MS = 30_000
"""How long S3 may take to send an event, usually: no version counts as missing before that."""
AT_ONCE = 4
"""Keys that a worker examines side by side: eight workers have as many requests under way as there are connections."""

Suspects = dict[str, tuple[str, ...]]
"""Keys that are looked at again, with the destinations concerned."""


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
        doubts = [(doubt.key, doubt.candidates) for doubt in batch.doubts]
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
                self.suspects[key] = (*self.suspects.get(key, ()), examined.destination)
                self.settled_at = max(self.settled_at, self._settles(examined))
            else:
                self._count(examined)
        self.kept(left)

    def look_again(self, wait: Callable[[int], None]) -> None:
        """Look once more at all suspects, and count what they are now. wait: returns after some milliseconds."""
        if not self.suspects:
            return
        wait(max(0, self.settled_at - self.now()))
        while self.suspects:
            some = list(self.suspects)[: 40 * self.at_once]
            for _, examined in self.examine_again((key, self.suspects[key]) for key in some):
                self._count(examined)
            for key in some:
                del self.suspects[key]
            self.kept(())

    def examine_again(self, keys: Iterator[tuple[str, Sequence[str]]]) -> list[tuple[str, Examined]]:
        """Examine keys at some destinations. Rules are those of the survey."""
        named = [
            (key, tuple(each for each in self.rules.candidates(key) if each.destination in names))
            for key, names in keys
        ]
        return list(self._examine(named))

    def _examine(self, keys: Sequence[tuple[str, tuple[Candidate, ...]]]) -> Iterator[tuple[str, Examined]]:
        for first in range(0, len(keys), self.at_once):
            some = keys[first : first + self.at_once]
            tasks = [partial(self.examiner.examine, self.rules.bucket, key, candidates) for key, candidates in some]
            for (key, _), each in zip(some, self.side_by_side(tasks), strict=True):
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
        totals.pending += len({each.version_id for each in examined.pending})
        totals.left_out.update(examined.left_out)
        totals.add_differences(examined.differences)
        if examined.differences:
            self.record(examined.differences)

    def _of(self, destination: str) -> Totals:
        return self.totals.setdefault(destination, Totals())


def differing(totals: Mapping[str, Totals]) -> Counter[str]:
    """Return the differences of all destinations together, by kind."""
    return sum((each.differences for each in totals.values()), Counter[str]())
