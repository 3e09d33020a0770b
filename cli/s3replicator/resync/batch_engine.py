"""The engine "batch": S3 Batch Operations invokes BatchFunction for each version, and goes on whatever becomes of us.

The job of S3 is created once, whoever runs the command how often: its token is the id of ours. Its own report says what
the function answered; ours is written once all is delivered, large objects included.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from tempfile import TemporaryFile
from urllib.parse import urlsplit

from s3replicator.failed_calls import CallFailed
from s3replicator.jobs.batch_operations import BatchOperations, BatchRequest, BatchStatus
from s3replicator.jobs.completion_report import Named, read_manifest, read_rows
from s3replicator.jobs.driving import Cancelled, Driver
from s3replicator.jobs.job import Job, State
from s3replicator.jobs.job_store import file_key
from s3replicator.jobs.progress import progress_of
from s3replicator.jobs.tools import Tools, now
from s3replicator.jobs.waiting import named_in_segments
from s3replicator.resync import manifests
from s3replicator.resync.manifests import ManifestKind
from s3replicator.resync.queue_engine import Show, handing_back

POLL_SECONDS = 2.0
S3_REPORT = "s3-report"
MANIFEST = "manifest.csv"
SUSPENDED = "Suspended"
ENDED = {"Complete": State.COMPLETE, "Failed": State.FAILED, "Cancelled": State.CANCELLED}


@dataclass(slots=True)
class BatchEngine:
    """Drives jobs of S3 Batch Operations. send: surveys and notes what is missing, for a listing.

    confirm: asks whether a job of S3 may begin, by its count of tasks; None if nobody is to be asked.
    """

    tools: Tools
    batch: BatchOperations
    send: Callable[[Driver], None]
    show: Show = lambda _: None
    confirm: Callable[[int], bool] | None = None
    priority: int = 10

    def drive(self, driver: Driver, *, detach: bool) -> Job:
        """Create the job of S3 if there is none, follow it, and report. Raises Cancelled, Lost and CallFailed."""
        with handing_back(driver):
            if not driver.job.batch_id:
                self._create(driver)
            if detach or driver.job.state.is_final:
                return driver.job
            try:
                status = self._follow(driver)
            except Cancelled:
                with suppress(CallFailed):  # it may have ended meanwhile
                    self.batch.cancel(driver.job.batch_id)
                raise
            if status.state != State.COMPLETE:
                driver.save(driver.job.ended_as(ENDED[status.state], now(), status.why))
                return driver.job
            waiting = self.tools.waiting(driver, partial(self._show_waiting, driver))
            waiting.named = partial(self._named, driver)
            return waiting.finish()

    def _create(self, driver: Driver) -> None:
        source = self._source(driver)
        job = driver.job
        if source is None:
            driver.save(job.ended_as(State.COMPLETE, now(), "nothing is missing"))
            return
        request = BatchRequest(
            job.id,
            f"s3replicator resync {job.bucket}",
            source,
            manifests.arguments(job.selection),
            file_key(job.id, S3_REPORT),
            confirm=self.confirm is not None,
            priority=self.priority,
        )
        driver.save(replace(driver.job, batch_id=self.batch.create(request), left=(), state=State.READY))

    def _source(self, driver: Driver) -> dict[str, object] | None:
        """Return where S3 gets the versions from; None if a listing found none."""
        job = driver.job
        if job.manifest == ManifestKind.GENERATOR:
            return manifests.generator(self.batch.arn(job.bucket), job.selection)
        if job.manifest == ManifestKind.LISTING:
            self.send(driver)
            return self._upload(driver)
        where = urlsplit(job.manifest)
        bucket, key = where.netloc, where.path.lstrip("/")
        return manifests.inventory(self.batch.arn(bucket, key), self.tools.store.etag(bucket, key))

    def _upload(self, driver: Driver) -> dict[str, object] | None:
        job, store = driver.job, self.tools.store
        with TemporaryFile() as file:
            per_key = manifests.stands_for_history(job.selection)
            if not manifests.write_listing(job.bucket, named_in_segments(job, store), file, per_key=per_key):
                return None
            file.seek(0)
            etag = store.upload(job.id, MANIFEST, file)
        return manifests.listing(self.batch.arn(store.bucket, file_key(job.id, MANIFEST)), etag)

    def _follow(self, driver: Driver) -> BatchStatus:
        while True:
            status = self.batch.status(driver.job.batch_id)
            self._note(driver, status)
            if status.state in ENDED:
                return status
            if status.state == SUSPENDED and self.confirm:
                if not self.confirm(status.total):
                    self.batch.cancel(driver.job.batch_id)
                    continue
                self.batch.confirm(driver.job.batch_id)
            time.sleep(POLL_SECONDS)

    def _note(self, driver: Driver, status: BatchStatus) -> None:
        job, done = driver.job, status.succeeded + status.failed
        state = _OURS.get(status.state, State.ACTIVE)
        sent = job.totals.sent if job.segments else status.total
        totals = replace(job.totals, sent=sent, waiting=status.total - done)
        driver.save(replace(job, state=state, totals=totals))
        self.show(progress_of(driver.job, now(), status.total - done))

    def _show_waiting(self, driver: Driver, held: int | None) -> None:
        self.show(progress_of(driver.job, now(), held))

    def _named(self, driver: Driver) -> Iterator[Named]:
        """Yield what the job is about: what was listed, or else what S3's own report names."""
        job = driver.job
        if job.segments:
            return named_in_segments(job, self.tools.store)
        return self._in_report(job)

    def _in_report(self, job: Job) -> Iterator[Named]:
        manifest = self.tools.store.get_file(job.id, f"{S3_REPORT}/job-{job.batch_id}/manifest.json")
        for each in read_manifest(manifest) if manifest else ():
            yield from _rows(self.tools.store.get_object(each["Key"]))


def _rows(text: bytes | None) -> Iterable[Named]:
    return read_rows(text or b"")


_OURS = {"New": State.PREPARING, "Preparing": State.PREPARING, "Suspended": State.PREPARING, "Ready": State.READY}
"""States of S3's jobs that have not begun. All others that are not final count as active."""
