"""Threads that can be ended at any moment, also while they are being started.

Separate because a signal handler that raises may interrupt `Thread.start` when the thread is created but not known to
run yet; `Thread.join` then refuses to wait for it, and whoever wants to end it must wait for its beginning first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

PATIENCE_SECONDS = 5.0
"""How long a thread may take to begin on a busy machine."""


class Worker:
    """One daemon thread that runs `work` once."""

    def __init__(self, work: Callable[[], None], name: str) -> None:
        self._work = work
        self._asked = False
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._asked = True
        self._thread.start()

    def end(self, stop: Callable[[], None]) -> None:
        """Call what makes the work end, and wait until it has; do nothing if it never began."""
        if self._asked and self._begun.wait(PATIENCE_SECONDS):
            stop()
            self._thread.join()

    def _run(self) -> None:
        self._begun.set()
        self._work()
