"""Threads that nobody waits for longer than a given time."""

import threading
import time
from functools import partial
from typing import Any

import pytest
from replicator.flows.change.deadline import LANES, run_until
from replicator.threads import FreeThreads

from tests.patience import PATIENCE


def now() -> int:
    return time.time_ns() // 1_000_000


def soon(milliseconds: int = 100) -> int:
    return now() + milliseconds


def late() -> int:
    return now() + round(PATIENCE * 1000)


@pytest.fixture
def threads() -> FreeThreads:
    return FreeThreads(now)


def test_what_does_not_end_in_time_has_no_result_and_keeps_no_other_from_having_one(threads: FreeThreads) -> None:
    never, ended = threading.Event(), threading.Event()

    def hang() -> str:
        assert never.wait(PATIENCE)
        ended.set()
        return "late"

    tasks: list[Any] = [hang, lambda: "well"]
    try:
        until = soon()
        assert run_until(until, tasks, threads, now) == [None, "well"]
        assert now() >= until
    finally:
        never.set()
    assert ended.wait(PATIENCE), "it goes on: nothing stops a thread"


def test_tasks_that_end_are_not_waited_for_any_longer(threads: FreeThreads) -> None:
    tasks = [partial(int, number) for number in range(3 * LANES)]
    assert run_until(late(), tasks, threads, now) == [*range(3 * LANES)]


def test_what_a_task_raises_is_raised(threads: FreeThreads) -> None:
    def fail() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        run_until(late(), [fail, fail], threads, now)


def test_a_thread_that_is_left_behind_keeps_no_process_alive(threads: FreeThreads) -> None:
    never = threading.Event()
    threads.start(lambda: never.wait(PATIENCE))
    try:
        kept = [thread.daemon for thread in threading.enumerate() if thread.name == "replicator"]
        assert kept
        assert all(kept)
    finally:
        never.set()


def test_threads_are_used_again_and_run_one_task_at_a_time(threads: FreeThreads) -> None:
    one_by_one = {run_until(late(), [threading.get_ident], threads, now)[0] for _ in range(20)}
    assert len(one_by_one) == 1
    all_here = threading.Barrier(5)

    def meet() -> int:
        all_here.wait(PATIENCE)
        return threading.get_ident()

    side_by_side = run_until(late(), [meet] * 5, threads, now)
    assert len(set(side_by_side)) == 5
    assert one_by_one < set(side_by_side)


def test_a_thread_that_was_left_behind_is_used_again_once_it_ends(threads: FreeThreads) -> None:
    held, ended = threading.Event(), threading.Event()

    def hang() -> int:
        assert held.wait(PATIENCE)
        ended.set()
        return threading.get_ident()

    left_behind = threads.start(hang)
    threads.wait([left_behind], soon())
    assert not left_behind.done()
    other = run_until(late(), [threading.get_ident], threads, now)[0]
    held.set()
    threads.wait([left_behind], late())
    assert left_behind.result() != other
    again = threads.start(threading.get_ident)
    threads.wait([again], late())
    assert again.result() == left_behind.result()
