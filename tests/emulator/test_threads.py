"""Threads of the emulator end whenever they are asked to: while they run, while they start, or never begun."""

import threading

import pytest

from emulator.threads import Worker


def test_work_ends_when_it_is_told_to() -> None:
    stop, ended = threading.Event(), threading.Event()

    def work() -> None:
        stop.wait()
        ended.set()

    worker = Worker(work, "test")
    worker.start()
    worker.end(stop.set)
    assert ended.is_set()


def test_a_worker_whose_start_was_interrupted_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal handler may raise inside `Thread.start`, when the thread is created but has not said that it runs."""
    stop, ended = threading.Event(), threading.Event()

    def work() -> None:
        stop.wait()
        ended.set()

    worker = Worker(work, "test")

    def interrupted(_: float | None = None) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(worker._thread._started, "wait", interrupted)  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        worker.start()
    worker.end(stop.set)
    assert ended.is_set()


def test_a_worker_that_never_started_is_not_waited_for() -> None:
    asked: list[str] = []
    Worker(lambda: None, "test").end(lambda: asked.append("stop"))
    assert asked == []
