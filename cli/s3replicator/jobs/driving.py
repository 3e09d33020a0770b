"""Driving a job: take its lease, keep what was done, hand it back. A driver that was killed loses seconds of work.

Checkpoints write first the names of what was sent, then the job's document: a crash in between sends a few versions
twice, which does no harm, and the next driver writes the same file again.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from replicator.core.verifying.listed import Span

from s3replicator.jobs.completion_report import Named, write_named
from s3replicator.jobs.job import Job, State, Totals
from s3replicator.jobs.job_store import Conflict, Stored

CHECKPOINT_MS = 2_000
"""How often what was done is written down."""
MOST_NAMES = 20_000
"""Versions of one file: what is held in memory between two checkpoints at most."""


class Store(Protocol):
    """Where jobs are kept. Every method raises CallFailed."""

    def write(self, job: Job, before: Stored) -> Stored:
        """Store the next state of a job. Raises Conflict unless the stored one is what was read before."""
        ...

    def read(self, job_id: str) -> Stored | None:
        """Return a job, or None."""
        ...

    def put_file(self, job_id: str, name: str, body: bytes) -> str:
        """Store a file beside a job's document; return its ETag."""
        ...


class Lost(Exception):
    """Somebody else drives the job by now, or has removed it."""


class Cancelled(Exception):
    """Somebody has cancelled the job."""


@dataclass(slots=True)
class Driver:
    """Drives one job. name: whose lease it is. now: returns epoch milliseconds. Thread-safe."""

    store: Store
    stored: Stored
    name: str
    now: Callable[[], int]
    _named: list[Named] = field(default_factory=list)
    _added: Totals = field(default_factory=Totals)
    _left: tuple[Span, ...] | None = None
    _written_at: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def job(self) -> Job:
        """Return the job with what was not written down yet."""
        job = self.stored.job
        return replace(job, totals=_sum(job.totals, self._added), left=job.left if self._left is None else self._left)

    def take(self) -> None:
        """Take the lease. Raises Lost if somebody else has it, Cancelled if the job was cancelled."""
        if self.job.is_driven(self.now(), self.name):
            raise Lost
        self.save(self.job)

    def keep(self, named: Sequence[Named], added: Totals, left: Sequence[Span]) -> None:
        """Note what was sent, and what is left; write it down if it is time. Raises Lost or Cancelled."""
        with self._lock:
            self._named += named
            self._added, self._left = _sum(self._added, added), tuple(left)
            if self.now() - self._written_at >= CHECKPOINT_MS or len(self._named) >= MOST_NAMES:
                self.checkpoint()

    def checkpoint(self) -> None:
        """Write down what was noted, and renew the lease. Raises Lost or Cancelled."""
        with self._lock:
            job = self.job
            if self._named:
                self.store.put_file(job.id, segment(job.segments), write_named(self._named))
                job = replace(job, segments=job.segments + 1)
            self.save(job)
            self._named, self._added, self._left = [], Totals(), None

    def renew(self) -> None:
        """Renew the lease if it is time. Raises Lost or Cancelled."""
        with self._lock:
            if self.now() - self._written_at >= CHECKPOINT_MS:
                self.checkpoint()

    def save(self, job: Job) -> None:
        """Store the job's next state, driven by this driver unless it is final. Raises Lost or Cancelled."""
        with self._lock:
            driven = job if job.state.is_final else job.driven_by(self.name, self.now())
            try:
                self.stored = self.store.write(driven, self.stored)
            except Conflict:
                self._yield_to(self.store.read(job.id))
            self._written_at = self.now()

    def release(self) -> None:
        """Write down what was noted, and let others drive at once."""
        with self._lock:
            self.checkpoint()
            self.stored = self.store.write(replace(self.job, driver=None), self.stored)

    def _yield_to(self, stored: Stored | None) -> None:
        """Take in what somebody else has written: only that the job is cancelled may come from outside."""
        if stored and stored.job.state in {State.CANCELLING, State.CANCELLED}:
            self.stored = stored
            raise Cancelled
        raise Lost


def segment(number: int) -> str:
    """Return the name of a file that names what was sent."""
    return f"sent/{number:06}.csv"


def _sum(one: Totals, other: Totals) -> Totals:
    return one.plus(**{name: getattr(other, name) for name in Totals.__dataclass_fields__})
