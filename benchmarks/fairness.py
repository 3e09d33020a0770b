"""How long an object of a quiet bucket waits while another bucket of the stack has very many, with and without shares.

A model, second by second: the change queue delivers the oldest first, functions have `MaximumConcurrency` invocations,
and copy or park what they receive as long as `sizing` says. Which changes step aside, and what the monitor sends for
again, are decided as in the product: by age, by share, and as much as fits into a minute while the queue is short.

    .venv/bin/python -m benchmarks.fairness --after 60 --minutes 30 --json FILE
"""

import argparse
import json
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from replicator.core.outcomes.shares import WINDOW, exceeds_share

from benchmarks._invocation import Handler, batch_seconds
from benchmarks.sizing import CONCURRENCY, best_memory

NOISY, QUIET = "noisy", "quiet"
BATCH = 10
PARKING = Handler(cpu=0.0025, waits=(0.005,))
"""What it takes to park a change: one request instead of four, and about as much less CPU."""
RATES = (500, 1_000, 2_000, 3_000, 5_000, 8_000, 12_000)
RELEASES = 60_000
"""Changes a minute that are sent for at most, and on the queue above which none are: ReleasesPerSecond by default."""
MINUTE = 60
LONGEST = 24 * 3600
"""Seconds after which a run ends in any case."""


@dataclass(frozen=True, slots=True)
class Load:
    """noisy, quiet: objects a second. minutes: how long the noisy bucket has them. after: FairAfterSeconds; 0 never."""

    noisy: int
    quiet: int = 1
    minutes: int = 30
    after: int = 60


@dataclass(slots=True)
class Cohort:
    """What arrived in one second. came_back: it was parked before."""

    second: int
    noisy: float
    quiet: float
    came_back: bool = False


@dataclass(frozen=True, slots=True)
class Waits:
    """How long objects of the quiet bucket waited at most and typically, and until all was done; seconds.

    parked: changes of the noisy bucket that stepped aside.
    """

    longest: int
    median: int
    done: int
    parked: int


def throughput() -> tuple[float, float]:
    """Return how many changes a second all functions copy, and how many they park, with the template's defaults."""
    handler = Handler()
    mb = best_memory(handler).mb
    return tuple(CONCURRENCY * BATCH / batch_seconds(each, mb, BATCH) for each in (handler, PARKING))  # type: ignore[return-value]


class Queue:
    """The change queue and what is parked behind it."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.waits: Counter[int] = Counter()
        self.parked = self.waiting = self.length = 0.0
        self._cohorts: deque[Cohort] = deque()
        self._copies, self._parkings = throughput()
        noisy_share = round(WINDOW * load.noisy / (load.noisy + load.quiet))
        received = Counter({NOISY: noisy_share, QUIET: max(1, WINDOW - noisy_share)})
        self._steps_aside = bool(load.after) and exceeds_share(NOISY, received)

    def arrive(self, second: int, *, noisy: bool) -> None:
        """Let the changes of a second arrive."""
        self._add(Cohort(second, self.load.noisy if noisy else 0, self.load.quiet))

    def release(self, second: int) -> None:
        """Send for what is parked, as much as fits into a minute."""
        if self.length <= RELEASES and self.waiting:
            most = min(self.waiting, RELEASES)
            self.waiting -= most
            self._add(Cohort(second, most, 0, came_back=True))

    def serve(self, second: int) -> None:
        """Let the functions work for a second, on the oldest first."""
        left = 1.0
        while left > 1e-9 and self._cohorts:
            cohort = self._cohorts[0]
            aside = self._steps_aside and not cohort.came_back and second - cohort.second > self.load.after
            rate = self._parkings if aside else self._copies
            wanted = cohort.noisy / rate + cohort.quiet / self._copies
            share = min(1.0, left / wanted) if wanted else 1.0
            self.waits[second - cohort.second] += round(1000 * cohort.quiet * share)
            self.parked += cohort.noisy * share * aside
            self.waiting += cohort.noisy * share * aside
            self.length -= (cohort.noisy + cohort.quiet) * share
            cohort.noisy, cohort.quiet = cohort.noisy * (1 - share), cohort.quiet * (1 - share)
            left -= wanted * share
            if share == 1.0:
                self._cohorts.popleft()

    def _add(self, cohort: Cohort) -> None:
        self._cohorts.append(cohort)
        self.length += cohort.noisy + cohort.quiet


def run(load: Load) -> Waits:
    """Let the noisy bucket write for its time, and the quiet one until all is done."""
    queue, second = Queue(load), 0
    while second < LONGEST:
        noisy = second < load.minutes * MINUTE
        if not noisy and queue.waiting < 1 and queue.length <= load.quiet:
            break
        queue.arrive(second, noisy=noisy)
        if second % MINUTE == 0:
            queue.release(second)
        queue.serve(second)
        second += 1
    total, seen, median = queue.waits.total(), 0, 0
    for wait in sorted(queue.waits):
        seen += queue.waits[wait]
        median = wait
        if 2 * seen >= total:
            break
    return Waits(max(wait for wait, count in queue.waits.items() if count), median, second, round(queue.parked))


def table(rates: Sequence[int], minutes: int, after: int) -> Iterator[str]:
    """Yield the lines of the report, as Markdown."""
    copies, parkings = throughput()
    yield f"Functions copy {copies:,.0f} changes a second, and park {parkings:,.0f}."
    yield ""
    yield f"| objects/s of a noisy bucket, {minutes} minutes | a quiet one waits at most, s | with shares, s | parked |"
    yield "| ---: | ---: | ---: | ---: |"
    for rate in rates:
        without, fair = (run(Load(rate, minutes=minutes, after=each)) for each in (0, after))
        yield f"| {rate:,} | {without.longest:,} | {fair.longest:,} | {fair.parked:,} |"


def main() -> int:
    """Run the model, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fairness", description=__doc__.partition("\n")[0])
    parser.add_argument("--rates", type=int, nargs="+", default=RATES, help="objects a second of the noisy bucket")
    parser.add_argument("--minutes", type=int, default=30, help="how long it has so many")
    parser.add_argument("--after", type=int, default=60, help="FairAfterSeconds")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options: Any = parser.parse_args()
    if options.json:
        found = {
            rate: {each: asdict(run(Load(rate, minutes=options.minutes, after=each))) for each in (0, options.after)}
            for rate in options.rates
        }
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print("\n".join(table(options.rates, options.minutes, options.after)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
