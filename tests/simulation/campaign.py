"""Very many histories on all cores: the results of each world, and which seeds went wrong.

Separate from the command so that a test and the mutations can run one as well.
"""

import gc
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice

from tests.simulation.choices import Choices
from tests.simulation.scheduler import Ended, play
from tests.simulation.setting import Setting
from tests.simulation.settings import BY_NAME
from tests.simulation.shrink import Numbers, shrink

CHUNK = 25


@dataclass(slots=True)
class Tally:
    """The results of one world. `wrong`: seeds with the first violation of each."""

    setting: Setting
    histories: int = 0
    calls: int = 0
    wrong: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.histories += other.histories
        self.calls += other.calls
        self.wrong += other.wrong


def of_seed(setting: Setting, seed: int) -> Choices:
    """Return the decisions of one seed; each world has histories of its own."""
    return Choices(f"{setting.name}/{seed}")


def shrunk(setting: Setting, ended: Ended) -> tuple[Numbers, Ended]:
    """Make a history that went wrong small; return its decisions, and how it ends with its story."""
    decisions = shrink(ended.choices, lambda numbers: play(setting, Choices(replay=numbers)))
    return decisions, play(setting, Choices(replay=decisions), told=True)


def tally(name: str, seeds: Sequence[int]) -> Tally:
    """Play some seeds of one world. Between them nothing is thrown away: a bunch is small."""
    result = Tally(BY_NAME[name])
    gc.disable()
    for seed in seeds:
        ended = play(result.setting, of_seed(result.setting, seed))
        result.histories += 1
        result.calls += ended.calls
        result.wrong += [(seed, violation) for violation in ended.violations[:1]]
    gc.enable()
    gc.collect()
    return result


def shares(settings: Sequence[Setting], histories: int) -> dict[str, int]:
    """Spread histories over worlds; those whose histories take long get fewer."""
    whole = sum(setting.share for setting in settings)
    return {setting.name: max(1, round(histories * setting.share / whole)) for setting in settings}


def campaign(
    settings: Sequence[Setting], histories: int, first: int, jobs: int, played: Callable[[Tally], None]
) -> None:
    """Play so many histories, from seed `first` on; `played` is called with each bunch that is done.

    Raises KeyboardInterrupt once the bunches under way are done.
    """
    bunches = _bunches(settings, shares(settings, histories), first)
    with ProcessPoolExecutor(jobs, initializer=_end_with_parent) as pool:
        running: set[Future[Tally]] = {pool.submit(tally, *bunch) for bunch in islice(bunches, jobs * 3)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(tally, *bunch) for bunch in islice(bunches, len(done))}
            for future in done:
                played(future.result())


def _end_with_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _bunches(settings: Sequence[Setting], of: dict[str, int], first: int) -> Iterator[tuple[str, range]]:
    """Return bunches of seeds, the worlds in turn, so that trouble in any of them shows early."""
    for start in range(0, max(of.values()), CHUNK):
        for setting in settings:
            end = min(start + CHUNK, of[setting.name])
            if start < end:
                yield setting.name, range(first + start, first + end)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
