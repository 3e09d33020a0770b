"""Answers that are asked for once: who waits for whom, what is remembered, and for how long."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from replicator.aws.remembered import TROUBLE_SECONDS, Remembered
from replicator.core.outcomes.backoff import delay
from replicator.core.outcomes.outcome import Permanent, Reason, Side, Temporary, Trouble

from tests.patience import PATIENCE

TIMED_OUT = Temporary(Reason.SERVICE, "no answer")
DENIED = Permanent(Reason.DST_BUCKET_DENIED, "AccessDenied")


@dataclass
class Asked:
    """Counts how often it is asked; raises its trouble, if there is one."""

    trouble: Trouble | None = None
    times: int = 0

    def __call__(self) -> int:
        self.times += 1
        if self.trouble:
            raise self.trouble
        return self.times


@dataclass
class Blocked(Asked):
    """Does not answer before it is told to."""

    begun: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> int:
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        return super().__call__()


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> Remembered[str, int]:
    return Remembered(clock)


def ask(memory: Remembered[str, int], asked: Callable[[], int], keep: float = 300.0) -> int | Trouble:
    try:
        return memory.answer("west", asked, keep)
    except Trouble as trouble:
        return trouble


def waiting(memory: Remembered[str, int], pool: ThreadPoolExecutor, asked: Blocked) -> list[object]:
    """Let nine threads wait while a tenth asks; return what all ten get."""
    entered = threading.Semaphore(0)

    def enter() -> int | Trouble:
        entered.release()
        return ask(memory, asked)

    futures = [pool.submit(ask, memory, asked)]
    assert asked.begun.wait(PATIENCE)
    futures += [pool.submit(enter) for _ in range(9)]
    for _ in range(9):
        assert entered.acquire(timeout=PATIENCE)
    asked.go_on.set()
    return [future.result(PATIENCE) for future in futures]


def test_who_asks_about_another_bucket_does_not_wait_for_one_that_does_not_answer(
    memory: Remembered[str, int],
) -> None:
    asked = Blocked()
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(memory.answer, "black hole", asked)
        assert asked.begun.wait(PATIENCE)
        try:
            assert pool.submit(memory.answer, "west", Asked()).result(PATIENCE) == 1
            assert not slow.done()
        finally:
            asked.go_on.set()


def test_ten_who_need_the_same_answer_ask_once(memory: Remembered[str, int]) -> None:
    with ThreadPoolExecutor(10) as pool:
        assert waiting(memory, pool, Blocked()) == [1] * 10


def test_who_waited_for_an_answer_gets_the_trouble_that_came_of_it(memory: Remembered[str, int]) -> None:
    asked = Blocked(TIMED_OUT)
    with ThreadPoolExecutor(10) as pool:
        results = waiting(memory, pool, asked)
    assert [str(result) for result in results] == [str(TIMED_OUT)] * 10
    assert asked.times == 1


def test_a_time_out_is_remembered_for_those_who_come_right_after(memory: Remembered[str, int], clock: Clock) -> None:
    asked = Asked(TIMED_OUT)
    for _ in range(10):
        assert str(ask(memory, asked)) == str(TIMED_OUT)
        clock.now += TROUBLE_SECONDS / 20
    assert asked.times == 1


def test_the_first_retry_asks_anew(memory: Remembered[str, int], clock: Clock) -> None:
    ask(memory, Asked(TIMED_OUT))
    clock.now += delay(receives=1, jitter=0.0)
    assert ask(memory, Asked()) == 1


def test_a_denial_is_not_remembered(memory: Remembered[str, int]) -> None:
    ask(memory, Asked(DENIED))
    assert ask(memory, Asked()) == 1


def test_what_is_redriven_accepts_no_older_trouble_than_answers(memory: Remembered[str, int], clock: Clock) -> None:
    ask(memory, Asked(TIMED_OUT))
    clock.now += 0.5
    assert ask(memory, Asked(), keep=0.5) == 1


def test_trouble_keeps_its_cause_each_time_it_is_raised(memory: Remembered[str, int]) -> None:
    cause = ConnectionError("no route")

    def fail() -> int:
        raise TIMED_OUT from cause

    causes = [trouble.__cause__ for trouble in (ask(memory, fail), ask(memory, fail)) if isinstance(trouble, Trouble)]
    assert causes == [cause, cause]


def test_trouble_is_that_of_the_same_side_each_time_it_is_raised(memory: Remembered[str, int]) -> None:
    """A gate is shut for what its destination does, and for nothing else."""
    asked = Asked(Temporary(Reason.SERVICE, "no answer", Side.DESTINATION))
    for _ in range(2):
        with pytest.raises(Temporary) as raised:
            memory.answer("west", asked)
        assert raised.value.side is Side.DESTINATION


def test_an_error_that_nobody_expected_keeps_no_lock(memory: Remembered[str, int]) -> None:
    def fail() -> int:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        memory.answer("west", fail)
    assert memory.answer("west", Asked()) == 1


def test_an_answer_is_asked_for_again_when_it_is_too_old(memory: Remembered[str, int], clock: Clock) -> None:
    asked = Asked()
    found = []
    for seconds in (0.0, 299.0, 1.0):
        clock.now += seconds
        found.append(ask(memory, asked))
    assert found == [1, 1, 2]
