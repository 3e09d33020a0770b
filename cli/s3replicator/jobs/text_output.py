"""Jobs as text for people, and as JSON documents for machines."""

from collections.abc import Sequence
from typing import Any

from s3replicator.formatting import count, duration, size, utc_iso, utc_second
from s3replicator.jobs.job import Job
from s3replicator.jobs.progress import Progress, state_in_words
from s3replicator.output import Output

WIDTH = 30


def print_jobs(jobs: Sequence[Job], now: int, output: Output) -> None:
    """Print a table of jobs. now: epoch milliseconds."""
    if not jobs:
        output.line("there are no jobs; s3replicator resync starts one")
        return
    columns = ("job", "bucket", "engine", "state", "sent", "succeeded", "failed", "started (UTC)")
    output.table(columns, [_row(job, now) for job in jobs])


def _row(job: Job, now: int) -> tuple[str, ...]:
    totals = job.totals
    state = f"{job.state}" if job.state.is_final or job.is_driven(now) else f"{job.state} (nobody drives it)"
    counts = (count(each) for each in (totals.sent, totals.succeeded, totals.failed))
    return job.id, job.bucket, str(job.engine), state, *counts, utc_second(job.created // 1000)


def print_job(job: Job, progress: Progress, now: int, output: Output) -> None:
    """Print one job with its progress."""
    output.line(f"job {job.id}: {state_in_words(job, now)}", style="bold")
    output.line(f"bucket {job.bucket}, engine {job.engine}, selected: {job.selection}")
    if job.batch_id:
        output.line(f"job of S3 Batch Operations: {job.batch_id}")
    output.line(f"started {utc_second(job.created // 1000)} UTC" + _ended(job))
    output.line(_bar(progress, output) + str(progress))
    totals = job.totals
    output.line(f"{count(totals.sent)} versions sent ({size(totals.bytes)}), {count(totals.equal)} needed nothing")
    if totals.succeeded or totals.failed:
        output.line(f"{count(totals.succeeded)} succeeded, {count(totals.failed)} failed; see s3replicator jobs report")


def _ended(job: Job) -> str:
    return f", ended after {duration((job.ended - job.created) / 1000)}" if job.ended else ""


def _bar(progress: Progress, output: Output) -> str:
    if not progress.total:
        return ""
    filled = round(WIDTH * progress.done / progress.total)
    full, empty = output.sign("\u2588", "#"), output.sign("\u2591", ".")
    return f"[{full * filled}{empty * (WIDTH - filled)}] {progress.done / progress.total:.0%}  "


def job_document(job: Job, progress: Progress, now: int) -> dict[str, Any]:
    """Return a job as JSON has it. now: epoch milliseconds."""
    totals = job.totals
    return {
        "id": job.id,
        "bucket": job.bucket,
        "engine": str(job.engine),
        "state": str(job.state),
        "why": job.why or None,
        "selection": job.selection.document(),
        "created": utc_iso(job.created // 1000),
        "ended": utc_iso(job.ended // 1000) if job.ended else None,
        "driver": job.driver.name if job.driver and job.driver.until > now else None,
        "batch_job": job.batch_id or None,
        "keys": totals.keys,
        "equal": totals.equal,
        "sent": totals.sent,
        "bytes": totals.bytes,
        "waiting": totals.waiting,
        "succeeded": totals.succeeded,
        "failed": totals.failed,
        "progress": {
            "done": progress.done,
            "total": progress.total or None,
            "per_second": round(progress.rate, 1),
            "seconds_left": progress.seconds_left,
        },
    }
