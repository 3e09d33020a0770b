"""The port Threads on a clock that tests set: a task that takes long does so beside the others, in no time of its own.

Each task runs when it is started, from then on its own clock; the time at which it ended is kept. Who waits sees it end
at that time, or not, if it has to leave earlier. So what a task does "later" has happened already: a test must not look
at it as if it had not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tests.fakes.clock import Clock

T = TypeVar("T")


@dataclass(slots=True)
class MemoryRunning(Generic[T]):
    """A task that has run, and that will have ended at a time."""

    clock: Clock
    ends: float = 0.0
    value: T | None = None
    error: Exception | None = None

    def done(self) -> bool:
        return self.ends <= self.clock.now

    def result(self) -> T:
        if self.error:
            raise self.error
        return self.value  # type: ignore[return-value]


@dataclass(slots=True)
class MemoryThreads:
    """Runs tasks one after the other, as if side by side."""

    clock: Clock

    def start(self, task: Callable[[], T], /) -> MemoryRunning[T]:
        began, running = self.clock.now, MemoryRunning[T](self.clock)
        try:
            running.value = task()
        except Exception as error:
            running.error = error
        running.ends, self.clock.now = self.clock.now, began
        return running

    def wait(self, running: Sequence[Any], until: int, /) -> None:
        ends = max((each.ends for each in running), default=0.0)
        self.clock.now = max(self.clock.now, min(ends, until / 1000))
