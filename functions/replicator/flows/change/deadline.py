"""The time of one invocation: how long a batch waits for what does not end, and what is then left behind.

Lambda ends a function at its timeout, with the whole batch. So what has not ended some seconds earlier is left behind:
its change waits like one in temporary trouble, its message comes back soon, and all others are concluded. Its thread
goes on, or freezes with the container and goes on with a later invocation, minutes or hours later.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html

By then others have processed its message, perhaps long ago, and nobody will look at what it leaves. So a thread that is
past its time begins no write to a bucket (`Delivery.is_over`) and records no result. What it had begun may still take
effect: a request that was sent is guarded, an answer that comes late settles the journal only if nobody else has, and
the next delivery, which looks at both histories, finds what was written. That is what a slow duplicate does, too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

SHARE = 30
"""One part in so many, four seconds of 120, is for recording all results: a few requests to the journal each. Another
one is for the answer to Lambda: metrics, and one request for each message that comes back."""
PATIENCE_MS = 10_000
"""After which the next change of a key is begun though the one before it has not ended, and suspects likewise, though
the rest of their batch has not: as long as a read may take to be answered."""
ALONE_PATIENCE_MS = 5_000
"""The same for the next suspect. Ten of them are begun within half of the function's time."""
CRASHED_AFTER_SECONDS = 15
"""After the timeout, when a message of a function that crashed is visible again: it has surely ended by then."""
LANES = 16
"""Attempts of one change that run at the same time. Lambda allows a container about a thousand threads."""


class Running(Protocol[T_co]):
    """A task that was started."""

    def done(self) -> bool:
        """Return whether it has ended."""

    def result(self) -> T_co:
        """Return its result, or raise what it raised, once it has ended."""


class Threads(Protocol):
    """Runs tasks concurrently, and waits for them no longer than it should."""

    def start(self, task: Callable[[], T], /) -> Running[T]:
        """Start a task in a thread of its own. Nothing stops it."""

    def wait(self, running: Sequence[Running[Any]], until: int, /) -> None:
        """Return when all have ended, or at that time in epoch milliseconds."""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """When an invocation began, and when Lambda ends it: epoch milliseconds, as all times here."""

    began: int
    ends: int

    @classmethod
    def after(cls, began: int, left_ms: int) -> "TimeLimit":
        """Return the limit of an invocation that has so many milliseconds left."""
        return cls(began, began + left_ms)

    @property
    def records(self) -> int:
        """Until when the records of the batch are waited for."""
        return self.ends - (self.ends - self.began) // SHARE

    @property
    def attempts(self) -> int:
        """Until when a destination is waited for, and may be written to."""
        return self.ends - 2 * ((self.ends - self.began) // SHARE)

    @property
    def rest(self) -> int:
        """Until when suspects wait for the rest of the batch."""
        return min(self.began + PATIENCE_MS, self.records)

    @property
    def alone(self) -> int:
        """Until when a suspect may be begun."""
        return (self.began + self.ends) // 2

    @property
    def hidden(self) -> int:
        """Seconds for which the messages of the batch are hidden, in case the function crashes."""
        return (self.ends - self.began) // 1000 + CRASHED_AFTER_SECONDS


def run_until(until: int, tasks: Sequence[Callable[[], T]], threads: Threads, now: Callable[[], int]) -> list[T | None]:
    """Run tasks side by side. Return their results in order, None for each that has not ended by then."""
    results: list[T | None] = [None] * len(tasks)

    def run(lane: int) -> None:
        for number in range(lane, len(tasks), LANES):
            result = tasks[number]()
            results[number] = result if now() < until else None

    running = [threads.start(partial(run, lane)) for lane in range(min(LANES, len(tasks)))]
    threads.wait(running, until)
    for each in running:
        if each.done():
            each.result()  # raises what a task raised
    return list(results)


def run_in_order(
    tasks: Sequence[Callable[[], object]], patience_ms: int, until: int, threads: Threads, now: Callable[[], int]
) -> list[Running[object]]:
    """Start tasks one after the other. The next one begins when the one before it has ended, or took too long.

    Return all that were started: some may still run. None is started after `until`.
    """
    running: list[Running[object]] = []
    for task in tasks:
        if now() >= until:
            break
        running.append(threads.start(task))
        threads.wait(running[-1:], min(now() + patience_ms, until))
    return running
