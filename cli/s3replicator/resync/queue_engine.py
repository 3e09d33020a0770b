"""The engine "queue": this command lists both sides and sends what is missing to the stack's own functions.

It ends when all is delivered or has failed, whoever sent it. Any number of commands may be started for one job: one
drives, the others look on, and take over if it stops.
"""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from threading import Event
from types import FrameType

from replicator.aws.journal_index import JournalIndex
from replicator.core.outcomes.outcome import Status
from replicator.core.verifying.listed import Span

from s3replicator.jobs.backfill_queue import BackfillQueue, Interrupted
from s3replicator.jobs.completion_report import Named
from s3replicator.jobs.driving import Cancelled, Driver, Lost
from s3replicator.jobs.job import Job, State, Totals
from s3replicator.jobs.job_store import Conflict, Stored
from s3replicator.jobs.progress import Progress, progress_of
from s3replicator.jobs.selection import FAILED, NEVER, Selection
from s3replicator.jobs.tools import Tools, now
from s3replicator.resync.selecting import Selector
from s3replicator.resync.sending import Sender

FOLLOW_SECONDS = 2.0
Show = Callable[[Progress], None]


Drive = Callable[[Driver], Job]
"""Drives a job until it has ended, or as far as was asked for. Raises Cancelled or Lost."""


@dataclass(slots=True)
class QueueEngine:
    """Drives jobs of one stack. index: of the journal, for what has failed."""

    tools: Tools
    index: JournalIndex
    show: Show = lambda _: None

    def drive(self, driver: Driver, *, detach: bool) -> Job:
        """Send what is missing, and wait until it is delivered unless `detach`."""
        with handing_back(driver) as stopping:
            if not driver.job.is_sent:
                self._send(driver, self.tools.queue, stopping)
            if detach:
                return driver.job
            return self.tools.waiting(driver, partial(self._show_waiting, driver, (0, now()))).finish()

    def note(self, driver: Driver) -> None:
        """Note what is missing, and send nothing."""
        if not driver.job.is_sent:
            self._send(driver, None, Event())

    def _show_waiting(self, driver: Driver, since: tuple[int, int], held: int | None) -> None:
        self.show(progress_of(driver.job, now(), held, since))

    def _send(self, driver: Driver, queue: BackfillQueue | None, stopping: Event) -> None:
        job = driver.job
        sender = Sender(
            job.bucket,
            Selector(job.selection, failed_versions(job.bucket, job.selection, self.index)),
            self._destinations(job),
            queue,
            _Showing(driver, self.show),
            now,
            stopping,
        )
        try:
            self.tools.survey(job, sender, everything=job.selection.is_complete).run(job.left)
        except Interrupted:
            raise sender.trouble or KeyboardInterrupt from None
        driver.keep((), Totals(), ())
        driver.checkpoint()

    def _destinations(self, job: Job) -> Sequence[str]:
        """Return the destinations that messages must name: none if they are for all."""
        chosen = {each.destination.bucket for each in self.tools.rules(job.bucket, job.selection).rules if each.enabled}
        if job.selection.destinations:
            chosen &= set(job.selection.destinations)
        every = {each.destination.bucket for each in self.tools.services.rules(job.bucket).rules if each.enabled}
        return () if chosen == every else sorted(chosen)


def run(stored: Stored, tools: Tools, drive: Drive, show: Show, *, detach: bool) -> Job:
    """Drive a job, or look on while somebody else does, and take over if that ends.

    Raises KeyboardInterrupt after what was done is written down, and whatever its requests raise.
    """
    while True:
        driver = tools.driver(stored)
        try:
            driver.take()
            return drive(driver)
        except Cancelled:
            if not driver.job.state.is_final:
                driver.save(driver.job.ended_as(State.CANCELLED, now(), "by an operator"))
            return driver.job
        except Lost:
            stored = _follow(stored, tools, show)
            if stored.job.state.is_final or (detach and stored.job.is_sent):
                return stored.job


def _follow(stored: Stored, tools: Tools, show: Show) -> Stored:
    """Look on until the job has ended or nobody drives it. Raises Lost if it is gone."""
    while True:
        found = tools.store.read(stored.job.id)
        if found is None:
            raise Lost
        show(progress_of(found.job, now()))
        if found.job.state.is_final or not tools.driver(found).job.is_driven(now()):
            return found
        time.sleep(FOLLOW_SECONDS)


def failed_versions(bucket: str, selection: Selection, index: JournalIndex) -> frozenset[tuple[str, str]]:
    """Return the (key, version id) of what has failed; none if a selection does not tell it from what is missing."""
    if selection.asks_for(FAILED) and selection.asks_for(NEVER):
        return frozenset()
    entries = (each for shard in index.shards(Status.FAILED) for each in shard() if each.bucket == bucket)
    return frozenset((each.key, each.version_id) for each in entries)


@contextmanager
def handing_back(driver: Driver) -> Iterator[Event]:
    """Write down what was done when the command is interrupted or fails, so that others can go on at once.

    Yields an event that is set by Ctrl-C: threads that wait for room on a queue end then.
    """
    stopping = Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopping
    except (Lost, Cancelled):
        raise
    except BaseException:
        _release(driver)
        raise
    else:
        if not driver.job.state.is_final:
            _release(driver)
    finally:
        signal.signal(signal.SIGINT, before)


def _release(driver: Driver) -> None:
    with suppress(Lost, Cancelled, Conflict):
        driver.release()


@dataclass(slots=True)
class _Showing:
    """Keeps what was sent with the driver, and shows how far it is."""

    driver: Driver
    show: Show

    def keep(self, named: Sequence[Named], added: Totals, left: Sequence[Span]) -> None:
        self.driver.keep(named, added, left)
        self.show(progress_of(self.driver.job, now()))
