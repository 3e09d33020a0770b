"""What an outage of one destination takes and costs, and how its backlog is drained. A model; it makes no AWS call.

By default: away for 24 hours at 1,000 changes a second. The policies are the product's own (benchmarks/_outage.py).
Rates are a second; time is counted from when the destination is back, waits from when a change was due.

    .venv/bin/python -m benchmarks.outage               the tables
    .venv/bin/python -m benchmarks.outage --arrivals 200 --hours 72 --capacity 1500 --json
    .venv/bin/python -m benchmarks.outage --plot docs/outage.svg
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from replicator.aws.table import SHARDS
from replicator.core.outcomes.gate import GateState
from replicator.core.outcomes.parking import EQUAL
from replicator.core.outcomes.release import orders
from replicator.flows.watch.parked import READ_MOST

from benchmarks._chart import Chart, Line
from benchmarks._outage import IN_FLIGHT, PARTITION_WRITES, Run, Scenario, play
from benchmarks._outage_costs import (
    ARRIVE,
    ENTRY_BYTES,
    PARK,
    Counted,
    dollars,
    gb_months,
    retrying,
)
from benchmarks.costs import GB

READING_SECONDS = 8.4
"""Of the monitor's run, for READ_MOST entries (benchmarks.parked)."""
RELEASES = (500, 1_000, 2_000, 2_500, 4_000)
FAILING = (0.1, 3, 10, 60)
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Report:
    """What one run has shown, as figures by name. Rates are a second."""

    run: Run

    @property
    def parked(self) -> float:
        """Return how many changes were parked in all, some of them more than once."""
        return sum(minute.released for minute in self.run.minutes) * 60

    def figures(self) -> dict[str, Any]:
        """Return all figures of the run."""
        run, given, after = self.run, self.run.scenario, self.run.after
        opened = next(m.number for m in after if m.state is GateState.OPEN) - run.away
        costs = dollars(self.counted())
        before = retrying(given.arrivals, round(given.hours * 3600))
        return {
            "parked at most, million": round(max(m.parked for m in run.minutes) / MILLION, 1),
            "bytes of the journal and its index, GB": round(max(m.parked for m in run.minutes) * 2 * ENTRY_BYTES / GB),
            "seconds until the gate is shut": run.began.shut_after,
            "messages hidden at most": round(run.began.hidden),
            "messages hidden while it is shut": 0,
            "probes": run.probes,
            "minutes until the gate is open": opened,
            "requests a second in those minutes": [round(m.requests) for m in after[1 : opened + 1]],
            "requests a second at most": round(max(m.requests for m in after)),
            "throttled a second at most": round(max(m.throttled for m in after)),
            "minutes to drain": run.drained,
            "ideal": round(given.ideal_minutes),
            "hours that a change waited at most": round(run.worst_wait / 60, 1),
            "seconds that another destination waits: until the gate is known": run.began.waits,
            "seconds that another destination waits: after that": round(max(m.waits for m in run.minutes)),
            **self.writes(),
            "monitor's seconds a run": READING_SECONDS,
            "orders a minute": len(orders("west", given.releases * 60, 1)),
            "dollars": {name: round(price, 2) for name, price in costs.items()},
            "dollars in all": round(sum(costs.values())),
            "retrying: attempts, million": round(before.attempts / MILLION),
            "retrying: requests a second when it is back": round(before.at_the_end),
            "retrying: dollars": round(before.dollars),
            "retrying: seconds until SQS delivers no more": round(IN_FLIGHT / given.arrivals),
        }

    def writes(self) -> dict[str, Any]:
        """Return write units a second at most: of the table, and of one partition of each index."""
        given, run = self.run.scenario, self.run
        released, waits = max(m.released for m in run.after), sum(step.by_age for step in ARRIVE)
        parked = given.arrivals * PARK.by_release
        settled = given.arrivals + released  # each replica writes the memory of its pair
        return {
            "writes a second: table": round(settled + released * sum(step.table for step in ARRIVE)),
            "writes a second: partition of ByRelease": round(max(parked, released) / EQUAL),
            "writes a second: partition of ByAge": round(max(released * waits / SHARDS, run.began.writes_by_age)),
        }

    def counted(self) -> Counted:
        """Return what costs money."""
        run = self.run
        entry_seconds = sum(minute.parked for minute in run.minutes) * 60
        reads = sum(min(READ_MOST, minute.parked) for minute in run.minutes)
        throttled = sum(minute.throttled for minute in run.after) * 60
        return Counted(
            parked=self.parked,
            failed_attempts=run.began.attempts + run.probes + throttled,
            entries_read=reads + self.parked * 1.1,
            monitor_seconds=reads / READ_MOST * READING_SECONDS,
            gb_months=gb_months(entry_seconds),
        )


def tables(given: Scenario) -> Iterator[str]:
    """Yield the lines of the report."""
    yield f"{given}"
    for name, value in Report(play(given)).figures().items():
        yield f"{name:>64}: {value}"
    yield ""
    yield from _by_releases(given)
    yield ""
    yield from _by_failing(given)


def _by_releases(given: Scenario) -> Iterator[str]:
    names = ("releases/s", "hours to drain", "ideal", "requests/s", "throttled/s", "busy", "others wait s", "ByAge/s")
    yield "{:>10} {:>14} {:>6} {:>10} {:>11} {:>6} {:>13} {:>8}".format(*names)
    for number in RELEASES:
        run = play(replace(given, releases=number))
        after, by_age = run.after, Report(run).writes()["writes a second: partition of ByAge"]
        yield (
            f"{number:>10,} {run.drained / 60:>14.1f} {given.ideal_minutes / 60:>6.1f} "
            f"{max(m.requests for m in after):>10,.0f} {max(m.throttled for m in after):>11,.0f} "
            f"{max(m.busy for m in after):>6.0%} {max(m.waits for m in after):>13.0f} {by_age:>8,}"
            + ("  more than a partition takes" if by_age > PARTITION_WRITES else "")
        )


def _by_failing(given: Scenario) -> Iterator[str]:
    names = ("a request fails after", "gate shut after", "hidden at most", "others wait s", "quiet after")
    yield "{:>21} {:>15} {:>14} {:>13} {:>11}".format(*names)
    for seconds in FAILING:
        began = play(replace(given, failing_seconds=seconds, hours=0.1)).began
        yield (
            f"{seconds:>19} s {began.shut_after:>13} s {began.hidden:>14,.0f} {began.waits:>13} {began.seconds:>9} s"
        )


def plot(given: Scenario) -> Chart:
    """Return a chart of what is parked over time, by what is released a second, with the ideal."""
    chart = Chart(
        title=f"What is parked: a destination away for {given.hours:g} hours at {given.arrivals:,.0f} changes a second",
        across="hours since it went away",
        up="millions",
        dots="drained",
        is_linear=True,
    )
    for number in RELEASES[:3]:
        run = play(replace(given, releases=number))
        points = [(m.number / 60, m.parked / MILLION) for m in run.minutes[::15]]
        end = (run.minutes[-1].number / 60, 0.0)
        drain = given.hours + given.ideal_minutes / 60
        ideal = [(given.hours, given.arrivals * given.hours * 3600 / MILLION), (drain, 0.0)]
        chart.add(Line(f"{number:,}/s", [*points, end], ideal, end))
    return chart


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables or the figures as JSON, and write the chart if requested."""
    usual = Scenario()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outage", description=__doc__.partition("\n")[0])
    parser.add_argument("--arrivals", type=float, default=usual.arrivals, help="changes a second for the destination")
    parser.add_argument("--hours", type=float, default=usual.hours, help="that it is away")
    parser.add_argument("--capacity", type=float, default=usual.capacity, help="changes a second that it takes")
    parser.add_argument("--releases", type=int, default=usual.releases, help="the parameter ReleasesPerSecond")
    parser.add_argument("--functions", type=int, default=usual.functions, help="the parameter MaximumConcurrency")
    parser.add_argument("--failing-seconds", type=float, default=usual.failing_seconds, help="until a request fails")
    parser.add_argument("--json", action="store_true", help="print the figures of this outage as JSON")
    parser.add_argument("--plot", type=Path, help="write the chart to this SVG file")
    options = vars(parser.parse_args(arguments))
    path, as_json = options.pop("plot"), options.pop("json")
    given = Scenario(**options)
    print(json.dumps(Report(play(given)).figures(), indent=2) if as_json else "\n".join(tables(given)))
    if path:
        path.write_text(plot(given).svg(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
