"""Work on many buckets: what trouble with one of them, and Ctrl-C, leave of the others."""

import threading
from collections.abc import Callable

import pytest
from s3replicator.rules.many import AT_A_TIME, Work


def silent(_text: str, _done: int, _total: int) -> None:
    """Show nothing."""


def interrupting(after: int) -> Callable[[str, int, int], None]:
    """Return what shows progress, and somebody presses Ctrl-C when so many buckets are done."""

    def show(_text: str, done: int, _total: int) -> None:
        if done == after:
            raise KeyboardInterrupt

    return show


def test_results_are_in_the_order_of_the_names_whichever_ends_first() -> None:
    second = threading.Event()

    def first() -> str:
        assert second.wait(60)
        return "first"

    def other() -> str:
        second.set()
        return "second"

    work = Work({"b": first, "c": other}, silent)
    work.run()
    assert list(work.results.items()) == [("b", "first"), ("c", "second")]
    assert not work.interrupted


def test_progress_counts_every_bucket() -> None:
    seen: list[tuple[str, int, int]] = []
    Work({str(each): lambda: None for each in range(3)}, lambda *told: seen.append(told)).run()
    assert seen == [(f"{done} of 3 buckets", done, 3) for done in (1, 2, 3)]


def test_ctrl_c_begins_nothing_new_and_finishes_what_is_under_way() -> None:
    """Each task but the first waits until somebody has pressed Ctrl-C."""
    begun: set[int] = set()
    pressed = threading.Event()

    def task(number: int) -> int:
        begun.add(number)
        assert number == 0 or pressed.wait(60)
        return number

    def show(_text: str, _done: int, _total: int) -> None:
        pressed.set()
        raise KeyboardInterrupt

    count = AT_A_TIME * 5
    work = Work({f"{each:03}": lambda each=each: task(each) for each in range(count)}, show)  # type: ignore[misc]
    work.run()
    assert work.interrupted
    assert set(work.results.values()) == begun
    assert len(begun) < count


def test_what_a_task_raises_ends_the_work() -> None:
    def broken() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        Work({"a": broken, "b": lambda: None}, silent).run()
    with pytest.raises(ValueError, match="a bug"):
        Work({"a": broken}, interrupting(1)).run()
