"""S3 Batch Operations: reading an invocation's tasks, and writing their results."""

from typing import Any

import pytest
from replicator.core.outcomes.batch import ResultCode, Task, TaskResult, UnreadableTask, read_tasks, response, sum_up
from replicator.core.outcomes.outcome import Outcome, Reason, Status

DONE = Outcome(Status.COMPLETED, destination="west")
SKIPPED = Outcome(Status.SKIPPED, Reason.REPLICA, "a replica of west/w1", destination="north")
WAITING = Outcome(Status.PENDING, Reason.THROTTLED, destination="west")
FAILED = Outcome(Status.FAILED, Reason.DST_PUT_DENIED, "AccessDenied", destination="west")

TASKS: dict[str, tuple[dict[str, Any], Task]] = {
    "schema 1.0 names the bucket by its ARN":
        ({"s3BucketArn": "arn:aws:s3:::east", "s3Key": "a"}, Task("t", "east", "a")),
    "some ARNs name Region and account":
        ({"s3BucketArn": "arn:aws:s3:us-east-1:1:east", "s3Key": "a"}, Task("t", "east", "a")),
    "schema 2.0 names it by its name":
        ({"s3Bucket": "east", "s3Key": "a", "s3VersionId": "v1"}, Task("t", "east", "a", "v1")),
    "keys are form-encoded":
        ({"s3Bucket": "east", "s3Key": "a%20b%2Fc%2Bd%C3%A9"}, Task("t", "east", "a b/c+dé")),
    "a plus sign is a space, or itself":
        ({"s3Bucket": "east", "s3Key": "a+b%2B%20c"}, Task("t", "east", "a b+ c", other_key="a+b+ c")),
    "no version id means the current version":
        ({"s3Bucket": "east", "s3Key": "a", "s3VersionId": None}, Task("t", "east", "a", "")),
    "an empty one too": ({"s3Bucket": "east", "s3Key": "a", "s3VersionId": ""}, Task("t", "east", "a", "")),
    "null is a version id": ({"s3Bucket": "east", "s3Key": "a", "s3VersionId": "null"}, Task("t", "east", "a", "null")),
}  # fmt: skip


@pytest.mark.parametrize(("task", "expected"), TASKS.values(), ids=TASKS)
def test_a_task_names_a_bucket_a_key_and_a_version(task: dict[str, Any], expected: Task) -> None:
    assert read_tasks({"tasks": [{"taskId": "t", **task}]}) == [expected]


PLAIN = Task("t", "east", "a")
ARGUMENTS = {
    "IncludeS3Replicas": Task("t", "east", "a", s3_replicas=True),
    "WholeHistory": Task("t", "east", "a", whole_history=True),
}


@pytest.mark.parametrize(("name", "meant"), ARGUMENTS.items())
def test_a_job_asks_for_more_with_a_user_argument(name: str, meant: Task) -> None:
    task = {"taskId": "t", "s3Bucket": "east", "s3Key": "a"}
    for value, asked in {"true": meant, "True": meant, "false": PLAIN}.items():
        assert read_tasks({"job": {"userArguments": {name: value}}, "tasks": [task]}) == [asked], value
    others: list[Any] = [{}, {"userArguments": None}, {"userArguments": {}}, {"userArguments": []}]
    for job in others:
        assert read_tasks({"job": job, "tasks": [task]}) == [PLAIN], job


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_job_whose_user_argument_is_neither_true_nor_false_fails_all_its_tasks(name: str) -> None:
    tasks = [{"taskId": each, "s3Bucket": "east", "s3Key": "a"} for each in "tu"]
    read = read_tasks({"job": {"userArguments": {name: "yes"}}, "tasks": tasks})
    assert [each.id for each in read if isinstance(each, UnreadableTask) and name in each.why] == ["t", "u"]


def test_a_task_without_a_bucket_or_a_key_is_unreadable_and_says_so() -> None:
    for task in ({}, {"s3Key": "a"}, {"s3Bucket": "east"}, {"s3Bucket": 5, "s3Key": "a"}):
        [read] = read_tasks({"tasks": [{"taskId": "t", **task}]})
        assert isinstance(read, UnreadableTask), task
        assert "s3Key" in read.why, task


@pytest.mark.parametrize(
    "key", ["\ud800", "x" * 1025, "%C3%A9" * 513], ids=["half a character", "long", "long, encoded"]
)
def test_a_task_with_a_key_that_s3_cannot_have_is_unreadable(key: str) -> None:
    """S3 refuses such a request, or it cannot even be written."""
    [read] = read_tasks({"tasks": [{"taskId": "t", "s3Bucket": "east", "s3Key": key}]})
    assert isinstance(read, UnreadableTask)


def test_a_key_may_be_longer_than_1024_bytes_while_it_is_encoded() -> None:
    [read] = read_tasks({"tasks": [{"taskId": "t", "s3Bucket": "east", "s3Key": "%C3%A9" * 512}]})
    assert read == Task("t", "east", "é" * 512)


def test_an_event_that_is_no_invocation_by_batch_operations_is_refused() -> None:
    others: list[Any] = [None, [], {}, {"tasks": None}, {"Records": []}, {"tasks": [{}]}, {"tasks": ["x"]}]
    for event in others:
        with pytest.raises(ValueError, match="not an invocation by S3 Batch Operations"):
            read_tasks(event)


RESULTS: dict[str, tuple[tuple[Outcome, ...], ResultCode, str]] = {
    "a completed change succeeded": ((DONE,), ResultCode.SUCCEEDED, "west: COMPLETED"),
    "a skipped change succeeded":
        ((SKIPPED,), ResultCode.SUCCEEDED, "north: SKIPPED SourceIsReplica (a replica of west/w1)"),
    "a failed change failed for good":
        ((FAILED,), ResultCode.PERMANENT, "west: FAILED DstPutObjectNotPermitted (AccessDenied)"),
    "a change that waits is repeated by S3": ((WAITING,), ResultCode.TEMPORARY, "west: PENDING Throttled"),
    "one failed destination fails the task":
        ((SKIPPED, FAILED), ResultCode.PERMANENT,
         "north: SKIPPED SourceIsReplica (a replica of west/w1); west: FAILED DstPutObjectNotPermitted (AccessDenied)"),
    "one waiting destination repeats the task":
        ((FAILED, WAITING), ResultCode.TEMPORARY,
         "west: FAILED DstPutObjectNotPermitted (AccessDenied); west: PENDING Throttled"),
    "what came of many entries is said once":
        ((DONE, SKIPPED, DONE), ResultCode.SUCCEEDED,
         "west: COMPLETED x2; north: SKIPPED SourceIsReplica (a replica of west/w1)"),
    "a change without a destination names none":
        ((Outcome(Status.SKIPPED, Reason.NO_RULE),), ResultCode.SUCCEEDED, "SKIPPED NoMatchingRule"),
    "a version that the source does not have failed":
        ((Outcome(Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND, "it is gone", destination="west"),),
         ResultCode.PERMANENT, "west: FAILED SrcVersionNotFound (the key has no version with this id)"),
}  # fmt: skip


@pytest.mark.parametrize(("outcomes", "code", "text"), RESULTS.values(), ids=RESULTS)
def test_a_result_sums_up_the_outcomes_of_all_destinations(
    outcomes: tuple[Outcome, ...], code: ResultCode, text: str
) -> None:
    assert sum_up("t", outcomes) == TaskResult("t", code, text)


def test_the_answer_names_the_invocation_and_lets_tasks_that_it_leaves_out_fail() -> None:
    invocation = {"invocationSchemaVersion": "2.0", "invocationId": "i", "job": {"id": "j"}, "tasks": []}
    assert response(invocation, [TaskResult("t", ResultCode.SUCCEEDED, "west: COMPLETED")]) == {
        "invocationSchemaVersion": "2.0",
        "treatMissingKeysAs": "PermanentFailure",
        "invocationId": "i",
        "results": [{"taskId": "t", "resultCode": "Succeeded", "resultString": "west: COMPLETED"}],
    }
