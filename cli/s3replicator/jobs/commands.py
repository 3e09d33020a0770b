"""`s3replicator jobs list|show|cancel|report`: reads arguments and prints what the control bucket knows of jobs."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

import typer

from s3replicator.jobs.batch_operations import BatchOperations
from s3replicator.jobs.completion_report import FAILED, read_manifest
from s3replicator.jobs.driver_name import without_dead_driver
from s3replicator.jobs.job import Job, State
from s3replicator.jobs.job_store import FOLDER, Conflict, JobStore, Stored
from s3replicator.jobs.progress import progress_of
from s3replicator.jobs.text_output import job_document, print_job, print_jobs
from s3replicator.jobs.tools import now, store_of
from s3replicator.jobs.waiting import REPORT
from s3replicator.output import FINE, FOUND, Output, fail, print_stored, stop_on_failed_call
from s3replicator.stack import JsonOption, ProfileOption, RegionOption, StackOption, open_stack

app = typer.Typer(
    no_args_is_help=True, help="List jobs on existing objects, follow and cancel them, read their reports."
)
JOBS = "the jobs in the control bucket"
MOST_TRIES = 20
"""Writes of a cancellation: a driver writes every two seconds."""

JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="The id of a job.", show_default=False)]


@app.command("list")
def list_jobs(
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List all jobs, the newest first."""
    store, output = store_of(open_stack(stack, region, profile)), Output(as_json=as_json)
    with stop_on_failed_call(JOBS):
        jobs = [without_dead_driver(job) for job in store.jobs()]
    print_jobs(jobs, now(), output)
    output.document({"jobs": [job_document(job, progress_of(job, now()), now()) for job in jobs]})


@app.command()
def show(
    job: JobArgument,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how far a job is: what was sent, delivered and failed, with its rate and an estimate."""
    opened, output = open_stack(stack, region, profile), Output(as_json=as_json)
    with stop_on_failed_call(JOBS):
        found = without_dead_driver(_read(store_of(opened), job).job)
    progress = progress_of(found, now())
    print_job(found, progress, now(), output)
    output.document(job_document(found, progress, now()))
    raise typer.Exit(FOUND if found.totals.failed or found.state is State.FAILED else FINE)


@app.command()
def cancel(
    job: JobArgument,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel a job. What was sent is still processed; nothing is undone."""
    opened, output = open_stack(stack, region, profile), Output(as_json=as_json)
    with stop_on_failed_call(JOBS):
        found = _cancel(store_of(opened), job)
        if found.batch_id:
            _cancel_at_s3(BatchOperations(opened), found.batch_id)
    output.line(f"job {found.id}: {found.state}")
    output.document(job_document(found, progress_of(found, now()), now()))


def _cancel(store: JobStore, job_id: str) -> Job:
    """Write that a job is cancelled: at once if nobody drives it, else its driver ends it within seconds."""
    for _ in range(MOST_TRIES):
        stored = _read(store, job_id)
        job = without_dead_driver(stored.job)
        if job.state.is_final:
            return job
        driven = replace(job, state=State.CANCELLING)
        wanted = driven if job.is_driven(now()) else job.ended_as(State.CANCELLED, now(), "by an operator")
        with suppress(Conflict):
            return store.write(wanted, stored).job
    return fail(f"job {job_id} changes all the time; run the command again")


def _cancel_at_s3(operations: BatchOperations, batch_id: str) -> None:
    if operations.status(batch_id).state not in {"Complete", "Failed", "Cancelled", "Cancelling"}:
        operations.cancel(batch_id)


@app.command(epilog="Exit status 1: some versions failed, or there is no report yet.")
def report(
    job: JobArgument,
    failed: Annotated[bool, typer.Option("--failed", help="Only versions that failed.")] = False,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the completion report of a job, as CSV with the columns of S3 Batch Operations."""
    opened, output = open_stack(stack, region, profile), Output(as_json=as_json)
    store = store_of(opened)
    with stop_on_failed_call(JOBS):
        found = _read(store, job).job
        manifest = store.get_file(job, f"{REPORT}/job-{job}/manifest.json")
        if manifest is None:
            fail(f"job {job} has no report yet: it is {found.state}; the report is written once all is delivered")
        if as_json:
            document = json.loads(manifest)
            counts = {"succeeded": found.totals.succeeded, "failed": found.totals.failed}
            output.document({**document, **counts, "Manifest": f"{FOLDER}{job}/{REPORT}/job-{job}/manifest.json"})
        else:
            for text in _files(store, manifest, failed=failed):
                print_stored(text)
    raise typer.Exit(FOUND if found.totals.failed else FINE)


def _files(store: JobStore, manifest: bytes, *, failed: bool) -> Iterator[bytes]:
    for each in read_manifest(manifest):
        if not failed or each["TaskExecutionStatus"] == FAILED:
            yield store.get_object(each["Key"]) or b""


def _read(store: JobStore, job_id: str) -> Stored:
    try:
        stored = store.read(job_id)
    except ValueError as error:
        fail(f"the document of job {job_id} cannot be read: {error}")
    if stored is None:
        fail(f"there is no job '{job_id}'; `s3replicator jobs list` lists them")
    return stored
