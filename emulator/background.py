"""Work that goes on after a request was answered, each piece in a thread of its own.

Separate from the delivery of events, which is one thread: a job of S3 Batch Operations may run for minutes, and others
run beside it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Background:
    """Pieces of work that run now. `done`: how many have ended."""

    def __init__(self) -> None:
        self.done = 0
        self.stopped = False
        self._running = 0
        self._lock = threading.Lock()

    def send(self, work: Callable[[], None]) -> None:
        """Call `work` in a new thread. Errors are logged, never raised."""
        with self._lock:
            self._running += 1
        threading.Thread(target=self._run, args=(work,), name="emulator-background", daemon=True).start()

    def idle(self) -> bool:
        """Return whether nothing runs."""
        with self._lock:
            return not self._running

    def stop(self) -> None:
        """Ask what runs to end soon: it looks at `stopped`."""
        self.stopped = True

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            _log.exception("Work in the background failed")
        with self._lock:
            self.done += 1
            self._running -= 1
