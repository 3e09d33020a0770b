"""Play histories: one of them as a story, or very many on all cores with a table at the end.

python -m tests.simulation.run --seeds 100000
python -m tests.simulation.run --world two-way --seed 3717
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests.simulation.campaign import Tally, campaign, cores, of_seed, shares, shrunk
from tests.simulation.scheduler import play
from tests.simulation.setting import Setting
from tests.simulation.settings import BY_NAME, SETTINGS

STORIES = 3
LINES = 50
"""How many lines of progress a run prints into a file; a terminal gets a bar."""

console = Console(highlight=False, soft_wrap=True)


def tell(setting: Setting, seed: int, *, whole: bool) -> bool:
    """Print one history, made small if it went wrong and `whole` is not asked for; return whether it went well."""
    ended = play(setting, of_seed(setting, seed), told=True)
    if ended.violations and not whole:
        decisions, small = shrunk(setting, ended)
        console.print(f"{setting.name}, seed {seed}: {len(ended.choices)} decisions, made small: {len(decisions)}")
        ended = small
    console.print("\n".join(ended.lines), markup=False)
    console.print("\n".join(ended.violations or ("Nothing went wrong.",)), markup=False)
    return not ended.violations


def play_many(settings: Sequence[Setting], histories: int, first: int, jobs: int) -> bool:
    """Play histories of these worlds and print their results; return whether all were played and went well."""
    tallies = {setting.name: Tally(setting) for setting in settings}
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    total = sum(shares(settings, histories).values())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("histories", total=total)

        def played(tally: Tally) -> None:
            tallies[tally.setting.name].add(tally)
            for seed, violation in () if tally.setting.known_limit else tally.wrong:
                console.print(f"{tally.setting.name}, seed {seed}: {violation}", markup=False)
            done = progress.tasks[bar].completed
            progress.advance(bar, tally.histories)
            if not console.is_terminal and done * LINES // total < progress.tasks[bar].completed * LINES // total:
                console.print(f"{progress.tasks[bar].completed:,.0f} of {total:,} histories")

        with suppress(KeyboardInterrupt):
            campaign(settings, histories, first, jobs, played)
    console.print(_table(list(tallies.values())))
    unexpected = [tally for tally in tallies.values() if tally.wrong and not tally.setting.known_limit]
    for tally in unexpected[:STORIES]:
        tell(tally.setting, tally.wrong[0][0], whole=False)
    return not unexpected and sum(tally.histories for tally in tallies.values()) == total


def _table(tallies: Sequence[Tally]) -> Table:
    table = Table("world", box=None, pad_edge=False)
    for column in ("histories", "requests", "violations"):
        table.add_column(column, justify="right")
    table.add_column("")
    for tally in tallies:
        seeds = ", ".join(str(seed) for seed, _ in tally.wrong[:5])
        remark = f"known limit: {tally.setting.known_limit}" if tally.setting.known_limit else ""
        remark += f" seeds {seeds}" if seeds else ""
        table.add_row(
            tally.setting.name, f"{tally.histories:,}", f"{tally.calls:,}", f"{len(tally.wrong):,}", remark.strip()
        )
    counted = [tally for tally in tallies if not tally.setting.known_limit]
    table.add_row(
        "all but known limits",
        *(
            f"{sum(numbers):,}"
            for numbers in zip(*((one.histories, one.calls, len(one.wrong)) for one in counted), strict=True)
        ),
        style="bold",
    )
    return table


def main() -> int:
    """Read the command line; exit with 1 if something went wrong that is no known limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.run", description=__doc__.partition("\n")[0])
    parser.add_argument("--world", choices=sorted(BY_NAME), metavar="NAME", help=f"one of: {', '.join(BY_NAME)}")
    parser.add_argument("--seed", type=int, help="print this history of --world")
    parser.add_argument("--whole", action="store_true", help="print it as it was, not made small")
    parser.add_argument("--seeds", type=int, default=10_000, help="how many histories, spread over the worlds")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=cores(), help="processes; default: one for each core")
    options = parser.parse_args()
    if options.seed is not None:
        if options.world is None:
            parser.error("--seed needs --world")
        return int(not tell(BY_NAME[options.world], options.seed, whole=options.whole))
    settings = [BY_NAME[options.world]] if options.world else SETTINGS
    return int(not play_many(settings, options.seeds, options.first, options.jobs))


if __name__ == "__main__":
    sys.exit(main())
