"""How long many functions take to copy a large object, compared with the ideal. A model; it makes no AWS call.

The layout of parts, the messages and the start of functions are computed by the product itself (replicator.core). The
model adds failures: a part that fails takes as long as any other, and its message becomes visible again after a delay.

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
from replicator.core.parts.cost import IN_TURN_SPREAD, NEXT_MESSAGE_SECONDS, CostModel, function_start
from replicator.core.parts.layout import CopyMethod, Layout, plan_parts
from replicator.core.parts.parts import LARGEST_OBJECT, SMALLEST_PART

from benchmarks._chart import Chart, Line

GB, TB = 10**9, 10**12
SIZES = {"1 GB": GB, "100 GB": 100 * GB, "5 TB": 5 * TB, "48.8 TiB": LARGEST_OBJECT}
FUNCTIONS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
RATES = (20e6, 50e6, 85e6)
FAILURES = (0.0, 0.01, 0.1)
STOPS_HELPING = 1.1
"""More functions have stopped helping when they save no more than a tenth of the time."""


@dataclass(frozen=True, slots=True)
class Run:
    """One object copied in the model. Times are in seconds."""

    functions: int
    layout: Layout
    seconds: float
    ideal: float

    @property
    def efficiency(self) -> float:
        """Return the ideal time as a share of the actual time."""
        return self.ideal / self.seconds


def ideal_seconds(size: int, model: CostModel) -> float:
    """Return the time if every lane copies without a pause, with parts as small as S3 allows."""
    lanes = min(model.functions * model.side_by_side, max(1, size // SMALLEST_PART))
    return model.request_seconds + size / (lanes * model.bytes_per_second)


def run(size: int, model: CostModel, failing: float = 0.0, seed: int = 1) -> Run:
    """Copy one object in the model. `failing` is the share of part copies that fail."""
    layout = plan_parts(size, model)
    seconds = layout.seconds
    if layout.method is CopyMethod.MANY_FUNCTIONS:
        around = IN_TURN_SPREAD * model.request_seconds + model.start_seconds
        seconds = around + _spread(layout, model, failing, random.Random(seed))  # noqa: S311 - not for secrets
    return Run(model.functions, layout, seconds, ideal_seconds(size, model))


def _spread(layout: Layout, model: CostModel, failing: float, chance: random.Random) -> float:
    """Let functions process messages until all parts are copied; return the time of the last part."""
    free = [function_start(number, model) for number in range(model.functions)]
    heapq.heapify(free)
    waiting = [(0.0, 1, parts) for parts in _messages(layout)]  # visible from, receive count, parts
    heapq.heapify(waiting)
    copied_at = 0.0
    while waiting:
        ready, receives, parts = heapq.heappop(waiting)
        begun = max(ready, heapq.heappop(free))
        waves = -(-parts // model.side_by_side)
        copied = begun + waves * model.copy_seconds(layout.cut.largest)
        failed = sum(chance.random() < failing for _ in range(parts)) if failing else 0
        done = copied + model.request_seconds + NEXT_MESSAGE_SECONDS
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
    """Return the run with the fewest functions that is at most a tenth slower than the fastest."""
    best = min(each.seconds for each in runs)
    return next(each for each in runs if each.seconds <= STOPS_HELPING * best)


def by_functions(size: int, model: CostModel, failing: float = 0.0) -> list[Run]:
    """Copy one object with each number of functions."""
    return [run(size, replace(model, functions=count), failing) for count in FUNCTIONS]


def tables(model: CostModel) -> Iterator[str]:
    """Yield the lines of the report."""
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
    yield "seconds with 100 functions, by MB/s per copy request and share of parts that fail"
    yield f"{'size':>9} " + " ".join(f"{rate / 1e6:>4.0f}, {share:>3.0%}" for rate in RATES for share in FAILURES)
    for name, size in SIZES.items():
        taken = [run(size, replace(model, bytes_per_second=rate), share) for rate in RATES for share in FAILURES]
        yield f"{name:>9} " + " ".join(f"{each.seconds:>9.0f}" for each in taken)


def plot(model: CostModel) -> Chart:
    """Return a chart of time by functions for each size, with the ideal."""
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
    """Print the tables, and write the chart if requested."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fan_out", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--rate", type=float, default=CostModel().bytes_per_second, help="bytes per second that one copy request moves"
    )
    parser.add_argument("--plot", type=Path, help="write the chart to this SVG file")
    options = parser.parse_args()
    model = replace(CostModel(), bytes_per_second=options.rate)
    print("\n".join(tables(model)))
    if options.plot:
        options.plot.write_text(plot(model).svg(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
