"""Threads: tasks side by side, and tasks that nobody waits for longer than a given time.

Separate from the runtime, which connects it with the flows. Threads are kept for the next task: starting one costs more
than most of what an object takes beside its requests. A thread that is left behind never keeps its process alive.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")

THREADS = 16
"""Tasks that run at the same time. They mostly wait for S3; more threads would only wait for connections."""


def side_by_side(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Run tasks at the same time, a single one in this thread. What a task raises is raised once all have ended."""
    if len(tasks) < 2:
        return [task() for task in tasks]
    with ThreadPoolExecutor(min(THREADS, len(tasks))) as pool:
        futures = [pool.submit(task) for task in tasks]
    return [future.result() for future in futures]


class _Task(Generic[T]):
    """A task in a thread, as flows see it. A bare lock says that it has ended: it is the cheapest thing to wait for."""

    __slots__ = ("_ended", "_error", "_result", "_work", "running")

    def __init__(self, work: Callable[[], T]) -> None:
        self._work: Callable[[], T] | None = work
        self._result: T | None = None
        self._error: BaseException | None = None
        self._ended = False
        self.running = threading.Lock()
        self.running.acquire()

    def done(self) -> bool:
        return self._ended

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return cast(T, self._result)

    def run(self) -> None:
        """Do the work. Nobody learns that it has ended before `end`."""
        work, self._work = self._work, None
        try:
            self._result = work() if work else None
        except BaseException as error:
            self._error = error

    def end(self) -> None:
        self._ended = True
        self.running.release()


class FreeThreads:
    """The port `Threads`. now: epoch milliseconds, by the wall clock, which goes on while a container is frozen."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._idle: list[SimpleQueue[_Task[Any]]] = []

    def start(self, task: Callable[[], T]) -> _Task[T]:
        """Start a task in a thread that runs nothing else meanwhile, a new one if none is idle."""
        started = _Task(task)
        try:
            idle = self._idle.pop()
        except IndexError:
            idle = SimpleQueue()
            threading.Thread(target=self._run, args=(idle,), name="replicator", daemon=True).start()
        idle.put(started)
        return started

    def wait(self, running: Sequence[Any], until: int) -> None:
        """Return when all have ended, or at that time."""
        for each in running:
            if each.running.acquire(timeout=max(0, until - self._now()) / 1000):
                each.running.release()

    def _run(self, tasks: "SimpleQueue[_Task[Any]]") -> None:
        """Run tasks for ever, in one thread: it is idle before its task has ended, for whoever waited to use again."""
        while True:
            task = tasks.get()
            task.run()
            self._idle.append(tasks)
            task.end()
            del task  # or what it holds would live until the next one
