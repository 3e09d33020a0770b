"""S3 Batch Operations: its tasks as values, and the results that it wants.

Separate from events.py: a line of a manifest names an object, it does not tell that anything happened. Shapes: S3 user
guide, "Invoke AWS Lambda function" (invocation schemas 1.0 and 2.0).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

from replicator.core.outcomes.outcome import Outcome, Status

Json = Mapping[str, Any]


class ResultCode(StrEnum):
    """What S3 does next: nothing, the same task again, or a line in the report of failed tasks."""

    SUCCEEDED = "Succeeded"
    TEMPORARY = "TemporaryFailure"
    PERMANENT = "PermanentFailure"


@dataclass(frozen=True, slots=True)
class Task:
    """One line of a manifest; an empty version id means the version that is current."""

    id: str
    bucket: str
    key: str
    version_id: str = ""


@dataclass(frozen=True, slots=True)
class UnreadableTask:
    """A task that could not be understood, and why."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What came of one task; the text ends in the job's completion report as `ResultMessage`."""

    task_id: str
    code: ResultCode
    text: str


def read_tasks(invocation: Json) -> list[Task | UnreadableTask]:
    """Read an invocation. Raises ValueError if it is none of S3 Batch Operations'."""
    tasks = invocation.get("tasks")
    if not isinstance(tasks, list) or not all(isinstance(task, dict) and task.get("taskId") for task in tasks):
        raise ValueError("not an invocation by S3 Batch Operations: it has no list 'tasks' with a 'taskId' each")
    return [_read(task) for task in tasks]


def _read(task: Json) -> Task | UnreadableTask:
    bucket, key = task.get("s3Bucket") or task.get("s3BucketArn"), task.get("s3Key")
    if not isinstance(bucket, str) or not isinstance(key, str) or not bucket or not key:
        return UnreadableTask(task["taskId"], "the task names no bucket (s3Bucket, s3BucketArn) or no s3Key")
    return Task(task["taskId"], bucket.rpartition(":")[2], unquote(key), str(task.get("s3VersionId") or ""))


def sum_up(task_id: str, outcomes: Sequence[Outcome]) -> TaskResult:
    """Make one result of the outcomes at all destinations: what may still succeed is tried again first."""
    found = {outcome.status for outcome in outcomes}
    code = ResultCode.PERMANENT if Status.FAILED in found else ResultCode.SUCCEEDED
    return TaskResult(
        task_id, ResultCode.TEMPORARY if Status.PENDING in found else code, "; ".join(map(_in_words, outcomes))
    )


def _in_words(outcome: Outcome) -> str:
    """Write one outcome as the report shows it: `west: FAILED DstPutObjectNotPermitted (AccessDenied 403)`."""
    where = f"{outcome.destination}: " if outcome.destination else ""
    why = f" {outcome.reason}" if outcome.reason else ""
    return f"{where}{outcome.status}{why}" + (f" ({outcome.detail})" if outcome.detail else "")


def answer(invocation: Json, results: Sequence[TaskResult]) -> dict[str, Any]:
    """Write the results as S3 wants them. A task that they leave out counts as failed."""
    return {
        "invocationSchemaVersion": invocation.get("invocationSchemaVersion", "1.0"),
        "treatMissingKeysAs": ResultCode.PERMANENT.value,
        "invocationId": invocation.get("invocationId", ""),
        "results": [
            {"taskId": result.task_id, "resultCode": result.code.value, "resultString": result.text}
            for result in results
        ],
    }
