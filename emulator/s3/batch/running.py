"""A job from its creation to its end: manifest -> confirmation, if it wants one -> tasks -> completion report.

A job is Complete whatever became of its tasks, unless too many failed. It knows its manifest from when it is prepared,
and lives as long as the emulator.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html
"""

from __future__ import annotations

from functools import partial

from emulator.s3.batch import generating, inventories, invocations, manifests, permissions, reports
from emulator.s3.batch.agenda import Agenda
from emulator.s3.batch.jobs import Job, Line, Unusable
from emulator.state import active

_ENDS = {"Completing": "Complete", "Failing": "Failed", "Cancelling": "Cancelled"}


def start(job: Job) -> None:
    """Prepare a job in the background, and run it unless it must be confirmed."""
    active().jobs.send(partial(_prepare, job))


def confirm(job: Job) -> bool:
    """Run a job that waits for its confirmation; return False for any other."""
    if job.status != "Suspended" or not job.move("Ready"):
        return False
    active().jobs.send(partial(_run, job))
    return True


def cancel(job: Job) -> bool:
    """Cancel a job; return False if it is about to end. Tasks that run end first, and are in the report."""
    with job.changed:
        waits = job.status == "Suspended"
        return job.move("Cancelling") and (not waits or job.move("Cancelled"))


def _prepare(job: Job) -> None:
    try:
        if job.move("Preparing"):
            job.lines = _lines(job)
            job.total = len(job.lines)
    except Unusable as why:
        job.fail(*why.args)
    if job.must_be_confirmed and job.move("Suspended"):
        return
    job.move("Ready")
    _run(job)


def _lines(job: Job) -> list[Line]:
    if not permissions.may_assume(job):
        raise Unusable("AccessDenied", f"Batch Operations may not assume the role {job.role}.")
    if job.generator is not None:
        return generating.generate(job, job.generator)
    csv = job.document["Manifest"]["Spec"]["Format"] == manifests.CSV
    return manifests.read_csv(job) if csv else inventories.read(job)


def _run(job: Job) -> None:
    """Run a job that is Ready; end one that is not, because it fails or was cancelled."""
    results = Agenda(job, job.lines, partial(invocations.perform, job)).run() if job.status == "Ready" else []
    if active().jobs.stopped:
        return
    try:
        if results:
            reports.write(job, results)
    except Unusable as why:
        job.fail(*why.args)
    job.move(_ENDS[job.status])
