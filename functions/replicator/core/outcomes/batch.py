"""S3 Batch Operations: its tasks and their results as values.

Separate from events.py: a line of a manifest names an object, it does not report a change. Formats: S3 user guide,
"Invoke AWS Lambda function" (invocation schemas 1.0 and 2.0).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from urllib.parse import unquote, unquote_plus

from replicator.core.outcomes.outcome import Outcome, Reason, Status

Json = Mapping[str, Any]

LONGEST_KEY = 1024
"""Bytes of UTF-8 (S3 user guide, "Naming Amazon S3 objects")."""
S3_REPLICAS = "IncludeS3Replicas"
"""The job's user argument that asks for versions that S3's own replication wrote: `true` or `false`, the default."""
WHOLE_HISTORY = "WholeHistory"
"""The job's user argument by which a line stands for the history of its key, from its version on: likewise."""


class ResultCode(StrEnum):
    """What S3 does with a task: it is done, invoked again, or reported as failed."""

    SUCCEEDED = "Succeeded"
    TEMPORARY = "TemporaryFailure"
    PERMANENT = "PermanentFailure"


@dataclass(frozen=True, slots=True)
class Task:
    """One line of a manifest. An empty version id means the current version.

    other_key: what the line means if it was encoded in the other way, empty if that makes no difference. s3_replicas:
    the job asks for versions that S3's own replication wrote, too. whole_history: it means the named version and all
    that came after it, delete markers included; without a version id, everything.
    """

    id: str
    bucket: str
    key: str
    version_id: str = ""
    other_key: str = ""
    s3_replicas: bool = False
    whole_history: bool = False


@dataclass(frozen=True, slots=True)
class UnreadableTask:
    """A task that could not be read, and why."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The result of one task. text: the `ResultMessage` in the job's completion report."""

    task_id: str
    code: ResultCode
    text: str


def read_tasks(invocation: Json) -> list[Task | UnreadableTask]:
    """Read an invocation. Raises ValueError if it does not come from S3 Batch Operations."""
    tasks = invocation.get("tasks") if isinstance(invocation, dict) else None
    if not isinstance(tasks, list) or not all(isinstance(task, dict) and task.get("taskId") for task in tasks):
        raise ValueError("not an invocation by S3 Batch Operations: 'tasks' is no list of objects with a 'taskId'")
    asked = {name: _argument(invocation, name) for name in (S3_REPLICAS, WHOLE_HISTORY)}
    unclear = [name for name, value in asked.items() if value not in {"true", "false"}]
    if unclear:
        why = f"the user argument {unclear[0]} is not true or false"
        return [UnreadableTask(task["taskId"], why) for task in tasks]
    replicas, history = (value == "true" for value in asked.values())
    return [_read(task, s3_replicas=replicas, whole_history=history) for task in tasks]


def _argument(invocation: Json, name: str) -> str:
    """Return a user argument of the job in lower case, `false` if there is none. Only schema 2.0 has user arguments."""
    job = invocation.get("job")
    arguments = job.get("userArguments") if isinstance(job, dict) else None
    return str(arguments.get(name, "false")).lower() if isinstance(arguments, dict) else "false"


def _read(task: Json, *, s3_replicas: bool, whole_history: bool) -> Task | UnreadableTask:
    """Read one task. Its key is form-encoded in AWS's own sample (`+` is a space), in some manifests only by percent.

    S3 user guide, "Remove delete markers from versioned objects", and Powertools' `S3BatchOperationTask.s3_key`.
    """
    bucket, key = task.get("s3Bucket") or task.get("s3BucketArn"), task.get("s3Key")
    if not isinstance(bucket, str) or not isinstance(key, str) or not bucket or not key:
        return UnreadableTask(task["taskId"], "the task names no bucket (s3Bucket, s3BucketArn) or no s3Key")
    if not _is_key(key):
        return UnreadableTask(task["taskId"], "its s3Key is no text that S3 takes as a key")
    key, percent_encoded = unquote_plus(key), unquote(key)
    other_key = percent_encoded if percent_encoded != key else ""
    version_id = str(task.get("s3VersionId") or "")
    return Task(task["taskId"], bucket.rpartition(":")[2], key, version_id, other_key, s3_replicas, whole_history)


def _is_key(text: str) -> bool:
    """Return whether it can be the key of an object: up to 1,024 bytes of UTF-8 once it is decoded."""
    try:
        return len(unquote(text).encode()) <= LONGEST_KEY
    except UnicodeEncodeError:
        return False


def sum_up(task_id: str, outcomes: Sequence[Outcome]) -> TaskResult:
    """Return one result for the outcomes at all destinations: PENDING anywhere makes S3 invoke the task again."""
    outcomes = [_for_a_job(outcome) for outcome in outcomes]
    found = {outcome.status for outcome in outcomes}
    code = ResultCode.PERMANENT if Status.FAILED in found else ResultCode.SUCCEEDED
    code = ResultCode.TEMPORARY if Status.PENDING in found else code
    return TaskResult(task_id, code, "; ".join(_counted(map(_in_words, outcomes))))


def _counted(texts: Iterable[str]) -> list[str]:
    """Return each text once, with how often it came if that was more than once: a history has many entries."""
    return [text if times == 1 else f"{text} x{times}" for text, times in Counter(texts).items()]


def _for_a_job(outcome: Outcome) -> Outcome:
    """Fail what is not at the source: nothing was done by design, the manifest names what S3 does not have."""
    if outcome.reason is not Reason.SRC_VERSION_NOT_FOUND:
        return outcome
    return replace(outcome, status=Status.FAILED, detail="the key has no version with this id")


def _in_words(outcome: Outcome) -> str:
    """Return the text of one outcome, for example `west: FAILED DstPutObjectNotPermitted (AccessDenied 403)`."""
    where = f"{outcome.destination}: " if outcome.destination else ""
    why = f" {outcome.reason}" if outcome.reason else ""
    return f"{where}{outcome.status}{why}" + (f" ({outcome.detail})" if outcome.detail else "")


def response(invocation: Json, results: Sequence[TaskResult]) -> dict[str, Any]:
    """Return the response to S3. A task without a result counts as failed."""
    return {
        "invocationSchemaVersion": invocation.get("invocationSchemaVersion", "1.0"),
        "treatMissingKeysAs": ResultCode.PERMANENT.value,
        "invocationId": invocation.get("invocationId", ""),
        "results": [
            {"taskId": result.task_id, "resultCode": result.code.value, "resultString": result.text}
            for result in results
        ],
    }
