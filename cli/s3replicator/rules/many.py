"""The same work for many buckets, some at a time: trouble with one leaves the others, and Ctrl-C what is done.

Separate from the commands, so that what an interruption leaves behind has tests. Work that is under way when somebody
presses Ctrl-C is finished, because half of it could not be told from a crash; nothing new is begun.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Generic, TypeVar

AT_A_TIME = 8
"""Buckets. Each takes some fifteen requests, one after the other; S3 allows far more."""

T = TypeVar("T")
Show = Callable[[str, int, int], None]


@dataclass(slots=True)
class Work(Generic[T]):
    """What is done for many buckets. results: by bucket, in the order of their names; interrupted: not for all."""

    tasks: Mapping[str, Callable[[], T]]
    show: Show
    results: dict[str, T] = field(default_factory=dict)
    interrupted: bool = False

    def run(self) -> None:
        """Do it. Ctrl-C ends it early; whatever else a task raises is raised once those under way have ended."""
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            futures = {pool.submit(task): bucket for bucket, task in self.tasks.items()}
            try:
                for future in self._ended(futures):
                    self.results[futures[future]] = future.result()
            except KeyboardInterrupt:
                self.interrupted = True
                self._finish(pool, futures)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        self.results = dict(sorted(self.results.items()))

    def _ended(self, futures: Mapping[Future[T], str]) -> Iterator[Future[T]]:
        for done, future in enumerate(as_completed(futures), 1):
            yield future
            self.show(f"{done} of {len(futures)} buckets", done, len(futures))

    def _finish(self, pool: ThreadPoolExecutor, futures: Mapping[Future[T], str]) -> None:
        pool.shutdown(cancel_futures=True)
        ended = (future for future in futures if future.done() and not future.cancelled())
        self.results.update({futures[each]: each.result() for each in ended})
