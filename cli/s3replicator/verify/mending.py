"""A repair: differences -> messages for the stack's pipeline -> wait -> what of them still differs.

A thousand differences at a time, so that neither memory nor the queue fills up. What mends is the pipeline; here it is
only seen whether it did. Interrupted, it is run again: what is mended by then does not differ any more.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from replicator.core.verifying.differences import Difference
from replicator.core.verifying.totals import Totals
from replicator.flows.verify.examine import Examined
from replicator.flows.verify.verifying import Verifier

from s3replicator.verify.repair_messages import messages
from s3replicator.verify.verification import Progress, Runner, Traffic

AT_ONCE = 1_000
FIRST_WAIT_MS = 1_000
LONGEST_WAIT_MS = 10_000
PATIENCE_MS = 30_000
"""How long nothing may get better while no queue holds anything."""
BUSY_PATIENCE_MS = 15 * 60_000
"""Likewise, while a queue holds something, or the journal knows that it waits: a large object takes its time."""

SIDE_BY_SIDE = 16
"""Keys that are looked at side by side: nothing else is listed meanwhile."""

Place = tuple[str, str]
"""A key at a destination."""


@dataclass(slots=True)
class Repair:
    """One repair. report: is told of each difference whether it was mended. asked: messages that were sent."""

    verifier: Verifier
    traffic: Traffic
    runner: Runner
    report: Callable[[Difference, bool], None] = lambda _difference, _mended: None
    asked: int = 0
    _last: dict[Place, Examined] = field(default_factory=dict)

    def run(self, differences: Iterable[Difference]) -> None:
        """Mend differences, and bring the totals up to date. Raises CallFailed."""
        for totals in self.verifier.totals.values():
            totals.examples.clear()
        self.verifier.at_once = SIDE_BY_SIDE
        for some in _portions(differences):
            self._mend(some)

    def _mend(self, some: Sequence[Difference]) -> None:
        asked_at = self.runner.now()
        self.asked += self.traffic.send(list(messages(self.verifier.rules.bucket, some, asked_at)))
        self.verifier.examiner = replace(self.verifier.examiner, asked_at=asked_at)
        mendable = {(each.key, each.destination): None for each in some if each.can_be_mended}
        self._last = {}
        self._wait_for(list(mendable))
        for place, of_place in groupby(some, key=lambda each: (each.key, each.destination)):
            self._note(list(of_place), self._last.get(place))

    def _wait_for(self, open_ones: list[Place]) -> None:
        """Look at keys until none differs any more, or nothing gets better."""
        wait, better_at = FIRST_WAIT_MS, self.runner.now()
        while open_ones:
            self.runner.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT_MS)
            still = self._still_differing(open_ones)
            self.runner.show(Progress(self.verifier.keys, len(still), 0))
            if len(still) < len(open_ones):
                better_at = self.runner.now()
            open_ones = still
            patience = BUSY_PATIENCE_MS if self._is_under_way(still) else PATIENCE_MS
            if self.runner.now() >= better_at + patience:
                return

    def _is_under_way(self, open_ones: Sequence[Place]) -> bool:
        return any(self._last[place].pending for place in open_ones) or self.traffic.is_busy()

    def _still_differing(self, places: Sequence[Place]) -> list[Place]:
        again = self.verifier.examine_again((key, (destination,)) for key, destination in places)
        self._last |= {(key, examined.destination): examined for key, examined in again}
        return [place for place in places if self._last[place].differences or self._last[place].pending]

    def _note(self, before: Sequence[Difference], after: Examined | None) -> None:
        """Count what became of the differences of one key at one destination; None: nothing was asked for."""
        totals = self.verifier.totals.setdefault(before[0].destination, Totals())
        now_open = before if after is None else [*after.differences, *after.pending]
        named = {(each.kind, each.version_id) for each in now_open}
        mended = [each for each in before if (each.kind, each.version_id) not in named]
        totals.differences.subtract(Counter(each.kind for each in before))
        totals.repaired.update(each.kind for each in mended)
        totals.add_differences(before if after is None else after.differences)
        if after:
            totals.add_pending(len({each.version_id for each in after.pending}), after.pending_since)
        totals.equal += len({each.version_id for each in before}) - len({each.version_id for each in now_open})
        for each in before:
            self.report(each, each in mended)


def _portions(differences: Iterable[Difference]) -> Iterator[list[Difference]]:
    """Yield differences in portions, all of a key in the same one."""
    portion = list[Difference]()
    for _, of_key in groupby(differences, key=lambda each: each.key):
        portion += of_key
        if len(portion) >= AT_ONCE:
            yield portion
            portion = []
    if portion:
        yield portion
