"""S3 Batch Operations: what its invocations say, and what its results mean."""

from typing import Any

import pytest
from replicator.core.outcomes.batch import ResultCode, Task, TaskResult, UnreadableTask, read_tasks, response, sum_up
from replicator.core.outcomes.outcome import Outcome, Reason, Status

DONE = Outcome(Status.COMPLETED, destination="west")
SKIPPED = Outcome(Status.SKIPPED, Reason.REPLICA, "a replica of west/w1", destination="north")
WAITING = Outcome(Status.PENDING, Reason.THROTTLED, destination="west")
FAILED = Outcome(Status.FAILED, Reason.DST_PUT_DENIED, "AccessDenied", destination="west")

TASKS: list[tuple[int, str, dict[str, Any], Task | UnreadableTask]] = [
    (1, "schema 1.0 names the bucket by its ARN", {"s3BucketArn": "arn:aws:s3:::east", "s3Key": "a"},
     Task("t", "east", "a")),
    (2, "some ARNs name Region and account", {"s3BucketArn": "arn:aws:s3:us-east-1:1:east", "s3Key": "a"},
     Task("t", "east", "a")),
    (3, "schema 2.0 names it by its name", {"s3Bucket": "east", "s3Key": "a", "s3VersionId": "v1"},
     Task("t", "east", "a", "v1")),
    (4, "keys are percent-encoded", {"s3Bucket": "east", "s3Key": "a%20b%2Fc+d%C3%A9"}, Task("t", "east", "a b/c+dé")),
    (5, "no version id means the current version", {"s3Bucket": "east", "s3Key": "a", "s3VersionId": None},
     Task("t", "east", "a", "")),
    (6, "an empty one too", {"s3Bucket": "east", "s3Key": "a", "s3VersionId": ""}, Task("t", "east", "a", "")),
    (7, "null is a version id", {"s3Bucket": "east", "s3Key": "a", "s3VersionId": "null"},
     Task("t", "east", "a", "null")),
]  # fmt: skip


@pytest.mark.parametrize("row", TASKS, ids=[f"{row[0]} {row[1]}" for row in TASKS])
def test_a_task_names_a_version(row: tuple[int, str, dict[str, Any], Task | UnreadableTask]) -> None:
    _, _, task, expected = row
    assert read_tasks({"tasks": [{"taskId": "t", **task}]}) == [expected]


@pytest.mark.parametrize("task", [{}, {"s3Key": "a"}, {"s3Bucket": "east"}, {"s3Bucket": 5, "s3Key": "a"}])
def test_a_task_that_names_nothing_says_so(task: dict[str, Any]) -> None:
    [read] = read_tasks({"tasks": [{"taskId": "t", **task}]})
    assert isinstance(read, UnreadableTask)
    assert "s3Key" in read.why


@pytest.mark.parametrize("invocation", [{}, {"tasks": None}, {"Records": []}, {"tasks": [{}]}, {"tasks": ["x"]}])
def test_another_kind_of_event_is_refused(invocation: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not an invocation by S3 Batch Operations"):
        read_tasks(invocation)


RESULTS = [
    ((DONE,), ResultCode.SUCCEEDED, "west: COMPLETED"),
    ((SKIPPED,), ResultCode.SUCCEEDED, "north: SKIPPED SourceIsReplica (a replica of west/w1)"),
    ((FAILED,), ResultCode.PERMANENT, "west: FAILED DstPutObjectNotPermitted (AccessDenied)"),
    ((WAITING,), ResultCode.TEMPORARY, "west: PENDING Throttled"),
    ((SKIPPED, FAILED), ResultCode.PERMANENT,
     "north: SKIPPED SourceIsReplica (a replica of west/w1); west: FAILED DstPutObjectNotPermitted (AccessDenied)"),
    ((FAILED, WAITING), ResultCode.TEMPORARY,
     "west: FAILED DstPutObjectNotPermitted (AccessDenied); west: PENDING Throttled"),
    ((Outcome(Status.SKIPPED, Reason.NO_RULE),), ResultCode.SUCCEEDED, "SKIPPED NoMatchingRule"),
]  # fmt: skip


@pytest.mark.parametrize(("outcomes", "code", "text"), RESULTS)
def test_a_result_sums_up_all_destinations(outcomes: tuple[Outcome, ...], code: ResultCode, text: str) -> None:
    assert sum_up("t", outcomes) == TaskResult("t", code, text)


def test_the_answer_echoes_the_invocation_and_fails_what_it_leaves_out() -> None:
    invocation = {"invocationSchemaVersion": "2.0", "invocationId": "i", "job": {"id": "j"}, "tasks": []}
    assert response(invocation, [TaskResult("t", ResultCode.SUCCEEDED, "west: COMPLETED")]) == {
        "invocationSchemaVersion": "2.0",
        "treatMissingKeysAs": "PermanentFailure",
        "invocationId": "i",
        "results": [{"taskId": "t", "resultCode": "Succeeded", "resultString": "west: COMPLETED"}],
    }
