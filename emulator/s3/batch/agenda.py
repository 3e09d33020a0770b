"""The tasks of a job: side by side, those that failed temporarily again when all others have had their turn.

A job pauses while another one with a higher priority runs. It fails as soon as more than half of at least 1,000 tasks
have failed.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html#batch-ops-job-status-failure
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-priority.html
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from emulator.s3.batch.invocations import TEMPORARY, TaskResult
from emulator.s3.batch.jobs import Job, Line, jobs
from emulator.state import active

SIDE_BY_SIDE = 8
JUDGED_FROM, MOST_FAILED = 1000, 0.5
"""So many tasks must have run before S3 looks at the share of those that failed."""
_GLANCE_SECONDS = 1.0
_RUNNING = frozenset({"Active", "Pausing", "Paused"})


class Agenda:
    """What is left to do of a job that is Ready. Everything is guarded by `job.changed`."""

    def __init__(self, job: Job, lines: list[Line], perform: Callable[[Line], TaskResult]) -> None:
        self._job, self._lines, self._perform = job, lines, perform
        self._jobs, self._background, limits = jobs(), active().jobs, active().limits
        self._redrives, self._pause = limits.redrives, limits.redrive_seconds
        self._waiting = deque(range(len(lines)))
        self._again: list[int] = []
        self._results: dict[int, TaskResult] = {}
        self._in_flight = 0
        self._next_round: float | None = None

    def run(self) -> list[TaskResult]:
        """Run the job until it is Completing, Failing or Cancelling; return the results in the manifest's order."""
        with ThreadPoolExecutor(SIDE_BY_SIDE, "emulator-batch") as threads:
            for _ in range(SIDE_BY_SIDE):
                threads.submit(self._work)
            self._supervise()
        return [self._results[number] for number in sorted(self._results)]

    def _work(self) -> None:
        while (number := self._take()) is not None:
            self._note(number, self._perform(self._lines[number]))

    def _take(self) -> int | None:
        """Return the next task, as soon as the job may run it; None once it has ended."""
        with self._job.changed:
            while not self._waiting or self._job.status != "Active":
                if self._job.status not in _RUNNING | {"Ready"} or self._background.stopped:
                    return None
                self._job.changed.wait(_GLANCE_SECONDS)
            self._in_flight += 1
            return self._waiting.popleft()

    def _note(self, number: int, result: TaskResult) -> None:
        with self._job.changed:
            self._in_flight -= 1
            if result.code == TEMPORARY and self._redrives:
                self._again.append(number)
            else:
                self._results[number] = result
                self._count(result)
            self._job.changed.notify_all()

    def _count(self, result: TaskResult) -> None:
        job = self._job
        job.succeeded += result.succeeded
        job.failed += not result.succeeded
        ran = job.succeeded + job.failed
        if ran >= JUDGED_FROM and job.failed > ran * MOST_FAILED:
            job.fail("FailureThresholdExceeded", f"{job.failed} of {ran} tasks failed: more than 50 percent")

    def _supervise(self) -> None:
        with self._job.changed:
            while self._goes_on() and not self._background.stopped:
                until = self._next_round
                self._job.changed.wait(_GLANCE_SECONDS if until is None else max(0.0, until - time.monotonic()))

    def _goes_on(self) -> bool:
        """Move the job on if it is time; return whether there is more to come."""
        job, outranked = self._job, self._jobs.outranked(self._job)
        match job.status:
            case "Ready" | "Paused" if not outranked:
                job.move("Active")
            case "Active" if outranked:
                job.move("Pausing")
            case "Active" if not self._waiting and not self._in_flight:
                return self._redrive()
            case "Pausing" if not self._in_flight:
                job.move("Paused")
            case status if status not in _RUNNING | {"Ready"}:
                return self._in_flight > 0
        return True

    def _redrive(self) -> bool:
        """Begin another round of what failed temporarily, after a pause; complete the job if there is none."""
        if not self._again:
            self._job.move("Completing")
            return False
        now = time.monotonic()
        self._next_round = self._next_round or now + self._pause
        if now >= self._next_round:
            self._waiting, self._again, self._next_round = deque(self._again), [], None
            self._redrives -= 1
            self._job.changed.notify_all()
        return True
