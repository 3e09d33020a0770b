"""One task of a job -> an invocation of the function -> a result.

An invocation has one task. A function that fails, times out or answers nonsense is a PermanentFailure; one that Lambda
throttles is a TemporaryFailure, as AWS does not say otherwise.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_LambdaInvokeOperation.html
https://docs.aws.amazon.com/lambda/latest/dg/services-s3-batch.html
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.s3.batch import permissions
from emulator.s3.batch.jobs import Job, Line
from emulator.s3.histories import find_bucket
from emulator.state import active

SUCCEEDED, TEMPORARY, PERMANENT = "Succeeded", "TemporaryFailure", "PermanentFailure"
_CODES = (SUCCEEDED, TEMPORARY, PERMANENT)


@dataclass(frozen=True)
class TaskResult:
    """What came of one line. `code`: a result code, or S3's own error code with its HTTP status."""

    line: Line
    code: str
    message: str = ""
    status: int = 200

    @property
    def succeeded(self) -> bool:
        """Whether the task succeeded."""
        return self.code == SUCCEEDED


def perform(job: Job, line: Line) -> TaskResult:
    """Perform the task of a line once."""
    if line.version_id == "" and _is_versioned(line.bucket):
        return TaskResult(line, "InvalidRequest", "Task failed due to missing VersionId", 400)
    return TaskResult(line, *_invoke(job, line))


def _is_versioned(name: str) -> bool:
    bucket = find_bucket(name)
    return bucket is not None and bucket.versioning_status is not None


def _invoke(job: Job, line: Line) -> tuple[str, str]:
    """Invoke the function for one line; return the result code and the message."""
    if not permissions.may_invoke(job):
        return PERMANENT, "Lambda: AccessDeniedException: lambda:InvokeFunction"
    task_id = base64.b64encode(uuid.uuid4().bytes).decode()
    try:
        answer = active().functions.invoke_by_arn(job.function_arn, _event(job, line, task_id))
    except LookupError as error:
        return PERMANENT, f"Lambda: {error}"
    except TimeoutError as error:
        return TEMPORARY, f"Lambda: TooManyRequestsException: {error}"
    if answer.error is not None:
        return PERMANENT, f"Lambda returned function error: {json.dumps(dict(answer.error))}"
    return _result(answer.value, task_id)


def _result(value: Any, task_id: str) -> tuple[str, str]:
    """Read the function's response. A task that it leaves out counts as it says in treatMissingKeysAs."""
    results = value.get("results") if isinstance(value, Mapping) else None
    if not isinstance(results, list) or not all(isinstance(each, Mapping) for each in results):
        return PERMANENT, "Invalid JSON returned in Lambda payload"
    mine = next((each for each in results if each.get("taskId") == task_id), None)
    code = mine.get("resultCode") if mine else value.get("treatMissingKeysAs", TEMPORARY)
    if code not in _CODES:
        return PERMANENT, f"Lambda returned the invalid result code {code}"
    return str(code), str(mine.get("resultString", "")) if mine else ""


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
