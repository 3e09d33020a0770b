"""Threads: tasks side by side, and tasks that nobody waits for longer than a given time.

Separate from the runtime, which connects it with the flows. A thread that is left behind never keeps its process alive.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

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


class FreeThreads:
    """The port `Threads`. now: epoch milliseconds, by the wall clock, which goes on while a container is frozen."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now

    def start(self, task: Callable[[], T]) -> Future[T]:
        """Start a task in a thread of its own."""
        future: Future[T] = Future()
        threading.Thread(target=_run, args=(task, future), daemon=True).start()
        return future

    def wait(self, running: Sequence[Any], until: int) -> None:
        """Return when all have ended, or at that time."""
        wait(running, timeout=max(0, until - self._now()) / 1000)


def _run(task: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(task())
    except BaseException as error:
        future.set_exception(error)
