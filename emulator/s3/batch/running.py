"""Running a job: manifest -> one invocation for each line -> completion report.

A line whose result is TemporaryFailure is tried again a few times; AWS does not say how often. A function that fails
or times out is a PermanentFailure. A job is Complete whatever became of its lines.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html
"""

from __future__ import annotations

import base64
import json
import logging
import time
import uuid
from collections.abc import Mapping
from contextvars import Context
from functools import partial
from typing import Any

from emulator.s3.batch import manifests, permissions, reports
from emulator.s3.batch.jobs import FINISHED, Job
from emulator.s3.batch.manifests import Line, Unusable
from emulator.s3.batch.reports import TaskResult
from emulator.state import active

_log = logging.getLogger(__name__)
_MOST_TRIES = 5
_PAUSE_SECONDS = 0.1
_CODES = ("Succeeded", "TemporaryFailure", "PermanentFailure")


def start(job: Job) -> None:
    """Prepare a job in the background, and run it unless it must be confirmed."""
    Context().run(active().jobs.send, partial(_attempt, job, _prepare))


def confirm(job: Job) -> None:
    """Run a job that was suspended until its confirmation."""
    Context().run(active().jobs.send, partial(_attempt, job, _run))


def _attempt(job: Job, step: Any) -> None:
    try:
        step(job)
    except Unusable as why:
        code, reason = why.args
        job.failure = (code, reason)
        job.end("Failed")


def _prepare(job: Job) -> None:
    if job.status in FINISHED:
        return
    job.status = "Preparing"
    if not permissions.may_assume(job.role):
        raise Unusable("AccessDenied", f"Batch Operations may not assume the role {job.role}.")
    job.total = len(manifests.read(job))
    if str(job.document.get("ConfirmationRequired")).lower() == "true":
        job.status = "Suspended"
        return
    _run(job)


def _run(job: Job) -> None:
    lines = manifests.read(job)
    job.status = "Active"
    results = []
    for line in lines:
        if job.status == "Cancelling":
            break
        results.append(result := _task(job, line))
        job.succeeded += result.succeeded
        job.failed += not result.succeeded
    cancelled = job.status == "Cancelling"
    job.status = "Cancelling" if cancelled else "Completing"
    reports.write(job, results)
    job.end("Cancelled" if cancelled else "Complete")


def _task(job: Job, line: Line) -> TaskResult:
    for _ in range(_MOST_TRIES):
        code, message = _invoke(job, line)
        if code != "TemporaryFailure":
            break
        time.sleep(_PAUSE_SECONDS)
    succeeded = code == "Succeeded"
    return TaskResult(line, succeeded, "" if succeeded else code, message)


def _invoke(job: Job, line: Line) -> tuple[str, str]:
    """Invoke the function for one line; return the result code and the message."""
    arn = str(job.invoke["FunctionArn"])
    if not permissions.may(job.role, "lambda:InvokeFunction", arn):
        return "PermanentFailure", "Lambda: AccessDeniedException: lambda:InvokeFunction"
    task_id = base64.b64encode(uuid.uuid4().bytes).decode()
    try:
        answer = active().functions.invoke_by_arn(arn, _event(job, line, task_id))
    except (LookupError, TimeoutError) as error:
        return "PermanentFailure", f"Lambda: {error}"
    if answer.error is not None:
        return "PermanentFailure", f"Lambda returned function error: {json.dumps(dict(answer.error))}"
    return _result(answer.value, task_id)


def _result(value: Any, task_id: str) -> tuple[str, str]:
    """Read the function's response. A task that it leaves out counts as it says in treatMissingKeysAs."""
    if not isinstance(value, Mapping) or not isinstance(value.get("results"), list):
        return "PermanentFailure", "Lambda returned an invalid response"
    mine = next((each for each in value["results"] if each.get("taskId") == task_id), None)
    code = mine.get("resultCode") if mine else value.get("treatMissingKeysAs", "TemporaryFailure")
    if code not in _CODES:
        return "PermanentFailure", f"Lambda returned the invalid result code {code}"
    return code, str(mine.get("resultString", "")) if mine else ""


def _event(job: Job, line: Line, task_id: str) -> dict[str, Any]:
    """Return the event of an invocation, in either version of the schema."""
    version = str(job.invoke.get("InvocationSchemaVersion") or "1.0")
    task: dict[str, Any] = {"taskId": task_id, "s3Key": line.key, "s3VersionId": line.version_id or None}
    described: dict[str, Any] = {"id": job.id}
    if version == "2.0":
        task["s3Bucket"] = line.bucket
        described["userArguments"] = arguments(job.invoke)
    else:
        task["s3BucketArn"] = f"arn:aws:s3:::{line.bucket}"
    invocation_id = base64.b64encode(uuid.uuid4().bytes * 3).decode()
    return {"invocationSchemaVersion": version, "invocationId": invocation_id, "job": described, "tasks": [task]}


def arguments(invoke: Mapping[str, Any]) -> dict[str, str]:
    """Return the user arguments of an operation."""
    entries = (invoke.get("UserArguments") or {}).get("entry", [])
    return {str(entry["key"]): str(entry.get("value") or "") for entry in entries}
