"""After all was sent: wait until the queues are empty -> look again -> report. Whoever runs it may be interrupted.

Separate from sending: any operator may do this for any job, `jobs report` included.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol

from replicator.core.outcomes.batch import TaskResult
from replicator.core.verifying.listed import Span
from replicator.flows.verify.survey import Survey

from s3replicator.jobs.completion_report import FAILED, SUCCEEDED, Named, ReportWriter, read_named
from s3replicator.jobs.delivery import Undelivered, Version
from s3replicator.jobs.driving import Driver, segment
from s3replicator.jobs.job import Job, State
from s3replicator.jobs.job_store import FOLDER

POLL_SECONDS = 1.0
LONGEST_POLL_SECONDS = 60.0
QUIET_LOOKS = 2
"""Looks at an empty queue in a row: SQS counts approximately."""
REPORT = "report"


class Queue(Protocol):
    """The queues that a job waits for."""

    def held(self) -> int:
        """Return how many messages they hold, about. Raises CallFailed."""
        ...


class Files(Protocol):
    """The files beside a job's document. Both methods raise CallFailed."""

    def get_file(self, job_id: str, name: str) -> bytes | None:
        """Return a file, or None."""
        ...

    def put_file(self, job_id: str, name: str, body: bytes) -> str:
        """Store a file; return its ETag."""
        ...


@dataclass(slots=True)
class Waiting:
    """Waits for one job. show: is told how many messages wait, None while versions are looked at. sleep: seconds."""

    driver: Driver
    queue: Queue
    files: Files
    bucket: str
    undelivered: Undelivered
    survey: Survey[dict[Version, TaskResult]]
    sleep: Callable[[float], None]
    show: Callable[[int | None], None] = lambda _: None
    named: Callable[[], Iterable[Named]] = field(default=tuple)

    def finish(self) -> Job:
        """Wait until all is delivered or has failed, write the report, and end the job. Raises what these raise."""
        self._wait_for_the_queues()
        self.survey.run((Span(),))
        pause = POLL_SECONDS
        while waiting := self.undelivered.waiting(self.named()):
            self._note_waiting(len(waiting))
            self._pause(pause)
            pause = min(2 * pause, LONGEST_POLL_SECONDS)
            self._wait_for_the_queues()
            self._look_again(waiting)
        return self._end()

    def _look_again(self, waiting: list[Version]) -> None:
        remaining = iter(waiting)
        while some := list(islice(remaining, 100)):
            self.undelivered.look_again(self.driver.job.selection.destinations, some)
            self.driver.renew()

    def _wait_for_the_queues(self) -> None:
        quiet = 0
        while quiet < QUIET_LOOKS:
            held = self.queue.held()
            quiet = 0 if held else quiet + 1
            self.show(held)
            self.driver.renew()
            if quiet < QUIET_LOOKS:
                self.sleep(POLL_SECONDS if held else POLL_SECONDS / 10)
        self.show(None)

    def _pause(self, seconds: float) -> None:
        while seconds > 0:
            self.sleep(min(seconds, POLL_SECONDS))
            self.driver.renew()
            seconds -= POLL_SECONDS

    def _note_waiting(self, count: int) -> None:
        job = self.driver.job
        self.driver.save(replace(job, totals=replace(job.totals, waiting=count)))
        self.show(count)

    def _end(self) -> Job:
        job, now = self.driver.job, self.driver.now()
        folder = f"{REPORT}/job-{job.id}"
        writer = ReportWriter(
            self.bucket,
            f"{FOLDER}{job.id}/{folder}",
            lambda name, body: self.files.put_file(job.id, f"{folder}/{name}", body),
        )
        counts = writer.write(self.undelivered.rows(self.named()), now)
        totals = replace(job.totals, waiting=0, succeeded=counts[SUCCEEDED], failed=counts[FAILED])
        self.driver.save(replace(job, totals=totals).ended_as(State.COMPLETE, now))
        return self.driver.job


def named_in_segments(job: Job, files: Files) -> Iterator[Named]:
    """Yield all versions that a job has sent."""
    for number in range(job.segments):
        yield from read_named(files.get_file(job.id, segment(number)) or b"")
