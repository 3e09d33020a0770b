"""How long a large object takes over so many functions, against the ideal: a model that is run from the planner.

The layout, the messages and the start of functions are the product's own (replicator.core); what is added is chance: a
part that fails takes its time all the same, and its message comes back after a delay. Nothing here talks to AWS.

    .venv/bin/python -m benchmarks.fan_out                      the tables
    .venv/bin/python -m benchmarks.fan_out --plot docs/fan-out.svg
"""

import argparse
import heapq
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from replicator.core.outcomes.backoff import delay
from replicator.core.parts.cost import IN_TURN_SPREAD, TAKING_SECONDS, CostModel, function_start
from replicator.core.parts.layout import How, Layout, plan_parts
from replicator.core.parts.parts import LARGEST_OBJECT, SMALLEST_PART

from benchmarks._chart import Chart, Line

GB, TB = 10**9, 10**12
SIZES = {"1 GB": GB, "100 GB": 100 * GB, "5 TB": 5 * TB, "48.8 TiB": LARGEST_OBJECT}
FUNCTIONS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
RATES = (20e6, 50e6, 85e6)
FAILURES = (0.0, 0.01, 0.1)
STOPS_HELPING = 1.1
"""Once more functions make it no more than a tenth faster, they have stopped helping."""


@dataclass(frozen=True, slots=True)
class Run:
    """One object that was copied. Times are seconds."""

    functions: int
    layout: Layout
    seconds: float
    ideal: float

    @property
    def efficiency(self) -> float:
        """Return the share of the time that the ideal would have taken."""
        return self.ideal / self.seconds


def ideal_seconds(size: int, model: CostModel) -> float:
    """Return what copying takes if every lane is busy from the first moment to the last, and S3 allows any part."""
    lanes = min(model.functions * model.side_by_side, max(1, size // SMALLEST_PART))
    return model.request_seconds + size / (lanes * model.bytes_per_second)


def run(size: int, model: CostModel, failing: float = 0.0, seed: int = 1) -> Run:
    """Copy one object in the model. `failing`: the share of part copies that fail."""
    layout = plan_parts(size, model)
    seconds = layout.seconds
    if layout.how is How.MANY_FUNCTIONS:
        around = IN_TURN_SPREAD * model.request_seconds + model.start_seconds
        seconds = around + _spread(layout, model, failing, random.Random(seed))  # noqa: S311 - a model, not a secret
    return Run(model.functions, layout, seconds, ideal_seconds(size, model))


def _spread(layout: Layout, model: CostModel, failing: float, chance: random.Random) -> float:
    """Let functions take messages until all parts are there; return the time at which they are."""
    free = [function_start(number, model) for number in range(model.functions)]
    heapq.heapify(free)
    waiting = [(0.0, 1, parts) for parts in _messages(layout)]  # from when, which receive, parts
    heapq.heapify(waiting)
    copied_at = 0.0
    while waiting:
        ready, receives, parts = heapq.heappop(waiting)
        begun = max(ready, heapq.heappop(free))
        waves = -(-parts // model.side_by_side)
        copied = begun + waves * model.copy_seconds(layout.cut.largest)
        failed = sum(chance.random() < failing for _ in range(parts)) if failing else 0
        done = copied + model.request_seconds + TAKING_SECONDS
        if failed:
            heapq.heappush(waiting, (copied + delay(receives, chance.random()), receives + 1, failed))
        else:
            copied_at = max(copied_at, copied)
        heapq.heappush(free, done)
    return copied_at


def _messages(layout: Layout) -> Iterator[int]:
    whole, rest = divmod(layout.cut.count, layout.per_message)
    yield from [layout.per_message] * whole
    if rest:
        yield rest


def stops_helping(runs: Sequence[Run]) -> Run:
    """Return the run with the fewest functions that is hardly slower than the fastest."""
    best = min(each.seconds for each in runs)
    return next(each for each in runs if each.seconds <= STOPS_HELPING * best)


def by_functions(size: int, model: CostModel, failing: float = 0.0) -> list[Run]:
    """Copy one object over more and more functions."""
    return [run(size, replace(model, functions=count), failing) for count in FUNCTIONS]


def tables(model: CostModel) -> Iterator[str]:
    """Return the lines of a report."""
    names = ("size", "functions", "parts", "part MB", "messages", "seconds", "ideal", "efficient")
    yield "{:>9} {:>9} {:>6} {:>8} {:>8} {:>9} {:>9} {:>9}".format(*names)
    for name, size in SIZES.items():
        runs = by_functions(size, model)
        stop, efficient = (
            stops_helping(runs),
            max((each.functions for each in runs if each.efficiency >= 0.8), default=0),
        )
        for each in runs:
            layout = each.layout
            messages = -(-layout.cut.count // layout.per_message) if layout.per_message else 0
            mark = "  80 % up to here" if each.functions == efficient else ""
            mark += "  more stop helping" if each is stop else ""
            yield (
                f"{name:>9} {each.functions:>9} {layout.cut.count:>6} {layout.cut.largest / 1e6:>8.0f} {messages:>8} "
                f"{each.seconds:>9.1f} {each.ideal:>9.1f} {each.efficiency:>9.0%}{mark}"
            )
        yield ""
    yield "seconds with 100 functions, by what one request moves (MB/s) and by how many parts fail"
    yield f"{'size':>9} " + " ".join(f"{rate / 1e6:>4.0f}, {share:>3.0%}" for rate in RATES for share in FAILURES)
    for name, size in SIZES.items():
        taken = [run(size, replace(model, bytes_per_second=rate), share) for rate in RATES for share in FAILURES]
        yield f"{name:>9} " + " ".join(f"{each.seconds:>9.0f}" for each in taken)


def plot(model: CostModel) -> Chart:
    """Draw time over functions for each size, the ideal beside it."""
    chart = Chart(
        title="Time to copy one object, by the number of functions",
        across="functions (16 parts side by side in each, 50 MB/s a part)",
        up="seconds",
        marks={15 * 60: "15 minutes"},
    )
    for name, size in SIZES.items():
        runs = by_functions(size, model)
        stop = stops_helping(runs)
        points = [(each.functions, each.seconds) for each in runs]
        chart.add(Line(name, points, [(each.functions, each.ideal) for each in runs], (stop.functions, stop.seconds)))
    return chart


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fan_out", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--rate", type=float, default=CostModel().bytes_per_second, help="bytes per second of a request"
    )
    parser.add_argument("--plot", type=Path, help="write a picture (SVG) here")
    options = parser.parse_args()
    model = replace(CostModel(), bytes_per_second=options.rate)
    print("\n".join(tables(model)))
    if options.plot:
        options.plot.write_text(plot(model).svg(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
