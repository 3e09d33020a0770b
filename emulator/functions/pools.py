"""The processes of one function: taken for an invocation, given back after it, stopped when the function changes."""

from __future__ import annotations

import threading
from collections.abc import Callable

from emulator.functions.deployed import FunctionSpec
from emulator.functions.processes import FunctionProcess


class Pool:
    """The processes of one function. Thread-safe."""

    def __init__(self, spec: FunctionSpec, start: Callable[[], FunctionProcess]) -> None:
        self.spec = spec
        self._start = start
        self._idle: list[FunctionProcess] = []
        self._count = 0
        self._retired = False
        self._changed = threading.Condition()

    @property
    def full(self) -> bool:
        """Whether every process that the function may have is busy."""
        with self._changed:
            return not self._idle and self._count >= self.spec.limit

    def take(self, *, start_another: bool) -> FunctionProcess | None:
        """Return an idle process, or a new one if there is none at all or `start_another` is set; None at the limit."""
        with self._changed:
            if self._idle:
                return self._idle.pop()
            if self._retired or self._count >= self.spec.limit or not (start_another or self._count == 0):
                return None
            self._count += 1
        return self._started()

    def wait_for_one(self, seconds: float) -> FunctionProcess:
        """Return a process, waiting up to `seconds` for a free one. Raises TimeoutError, at once if none may run."""
        seconds = seconds if self.spec.limit else 0.0
        with self._changed:
            free = self._changed.wait_for(lambda: self._idle or self._count < self.spec.limit, seconds)
            if not free:
                raise TimeoutError(f"all {self.spec.limit} processes of {self.spec.name} are busy")
            if self._idle:
                return self._idle.pop()
            self._count += 1
        return self._started()

    def _started(self) -> FunctionProcess:
        try:
            return self._start()
        except BaseException:
            self._gone()
            raise

    def give_back(self, process: FunctionProcess, *, usable: bool) -> None:
        """Take a process back after an invocation; one that is not usable any more is stopped."""
        with self._changed:
            kept = usable and process.alive and not self._retired
            if kept:
                self._idle.append(process)
                self._changed.notify()
        if not kept:
            process.stop()
            self._gone()

    def _gone(self) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify()

    def retire(self) -> None:
        """Stop idle processes now, and busy ones when they are given back."""
        with self._changed:
            self._retired = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.stop()
            self._gone()
