"""Tasks of jobs of S3 Batch Operations: invocations, what comes of them, and the completion report."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator

import pytest

from emulator.functions.processes import Answer
from tests.emulator.jobs import Place, Verdict, place, reason


@pytest.fixture(scope="module")
def here() -> Iterator[Place]:
    with place() as here:
        here.aws.emulator.limits.redrive_seconds = 0.0
        yield here


@pytest.fixture(autouse=True)
def _fresh(here: Place) -> None:
    here.stub.decide, here.stub.events = lambda _key, _tried: ("Succeeded", "done"), []


# Invocations


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_an_invocation_has_one_task_in_either_schema(here: Place, version: str) -> None:
    [version_id] = here.put("key")
    manifest = here.csv(f"{here.bucket},a%20key,{version_id}")
    arguments = {"UserArguments": {"level": "all"}} if version == "2.0" else {}
    done = here.run(manifest, invoke={"InvocationSchemaVersion": version, **arguments})
    [event] = here.stub.events
    [task] = event["tasks"]
    assert event["invocationSchemaVersion"] == version
    assert task.pop("taskId")
    assert event["invocationId"]
    bucket = {"s3Bucket": here.bucket} if version == "2.0" else {"s3BucketArn": f"arn:aws:s3:::{here.bucket}"}
    assert task == {"s3Key": "a+key", "s3VersionId": version_id, **bucket}
    described = {"userArguments": {"level": "all"}} if version == "2.0" else {}
    assert event["job"] == {"id": done["JobId"], **described}


def test_a_line_without_a_version_id_means_the_current_version(here: Place) -> None:
    here.run(here.of_keys("key"))
    assert here.stub.events[0]["tasks"][0]["s3VersionId"] is None


def test_an_empty_version_id_fails_the_task_of_a_versioned_bucket_only(here: Place) -> None:
    plain = here.aws.bucket(versioning=None)
    for bucket, expected in ((here.bucket, "failed"), (plain, "succeeded")):
        done = here.run(here.csv(f"{bucket},key,"))
        [row] = here.report(done)[expected]
        assert done["Status"] == "Complete"
    assert [event["tasks"][0]["s3BucketArn"] for event in here.stub.events] == [f"arn:aws:s3:::{plain}"]
    [row] = here.report(here.run(here.csv(f"{here.bucket},key,")))["failed"]
    assert row[3:] == ["failed", "400", "InvalidRequest", "Task failed due to missing VersionId"]


ENDS: dict[str, tuple[Verdict, str]] = {
    "a result": (("PermanentFailure", "no such thing"), "no such thing"),
    "a function error": (
        Answer(error={"errorMessage": "2026 Task timed out after 3.00 seconds"}),
        'Lambda returned function error: {"errorMessage": "2026 Task timed out after 3.00 seconds"}',
    ),
    "no function": (LookupError("There is no function f."), "Lambda: There is no function f."),
    "no results": ({"answer": 42}, "Invalid JSON returned in Lambda payload"),
    "another code": (("Maybe", ""), "Lambda returned the invalid result code Maybe"),
    "a task left out": ({"treatMissingKeysAs": "PermanentFailure", "results": []}, ""),
}


@pytest.mark.parametrize(("verdict", "message"), ENDS.values(), ids=ENDS)
def test_a_task_that_fails_for_good_is_tried_once(here: Place, verdict: Verdict, message: str) -> None:
    here.stub.decide = lambda _key, _tried: verdict
    done = here.run()
    assert (done["Status"], done["ProgressSummary"]["NumberOfTasksFailed"]) == ("Complete", 1)
    [row] = here.report(done)["failed"]
    assert row == [here.bucket, "key", "", "failed", "200", "PermanentFailure", message]
    assert len(here.stub.events) == 1


def test_a_role_that_may_not_invoke_the_function_fails_each_task(here: Place) -> None:
    done = here.run(RoleArn=here.role("lambda:InvokeFunction"))
    [row] = here.report(done)["failed"]
    assert "AccessDenied" in row[-1]
    assert here.stub.events == []


def test_a_task_that_is_left_out_counts_as_the_function_says(here: Place) -> None:
    here.stub.decide = lambda _key, _tried: {"treatMissingKeysAs": "Succeeded", "results": []}
    assert here.run()["ProgressSummary"]["NumberOfTasksSucceeded"] == 1


# Redrives


def test_a_temporary_failure_is_tried_again_when_the_others_have_had_their_turn(here: Place) -> None:
    here.stub.decide = lambda key, tried: ("TemporaryFailure" if key == "a" and tried < 2 else "Succeeded", "")
    done = here.run(here.of_keys("a", "b", "c", "d"))
    assert done["ProgressSummary"]["NumberOfTasksSucceeded"] == 4
    assert sorted(here.stub.invoked()[:4]) == ["a", "b", "c", "d"]
    assert here.stub.invoked()[4:] == ["a", "a"]


def test_throttled_invocations_are_tried_again(here: Place) -> None:
    here.stub.decide = lambda _key, tried: TimeoutError("busy") if tried < 3 else ("Succeeded", "at last")
    assert here.report(here.run())["succeeded"][0][-1] == "at last"


def test_a_temporary_failure_that_stays_one_fails_with_its_last_message(here: Place) -> None:
    here.stub.decide = lambda _key, tried: ("TemporaryFailure", f"try {tried}")
    done = here.run()
    assert done["Status"] == "Complete"
    assert here.report(done)["failed"][0][3:] == ["failed", "200", "TemporaryFailure", "try 4"]


# The share of failures


@pytest.mark.parametrize(
    ("tasks", "failed", "status"),
    [(1000, 500, "Complete"), (1000, 501, "Failed"), (999, 999, "Complete")],
    ids=["half", "more than half", "fewer than a thousand"],
)
def test_a_job_fails_once_more_than_half_of_at_least_a_thousand_tasks_failed(
    here: Place, tasks: int, failed: int, status: str
) -> None:
    here.stub.decide = lambda key, _tried: ("PermanentFailure" if int(key) < failed else "Succeeded", "")
    ended = here.run(here.of_keys(*map(str, range(tasks))))
    assert ended["Status"] == status
    assert ended["ProgressSummary"]["NumberOfTasksFailed"] == failed


def test_a_job_that_fails_early_leaves_the_rest_alone_and_reports_what_it_did(here: Place) -> None:
    here.stub.decide = lambda _key, _tried: ("PermanentFailure", "")
    ended = here.run(here.of_keys(*map(str, range(1200))))
    status, _, why = reason(ended)
    ran = ended["ProgressSummary"]["NumberOfTasksFailed"]
    assert (status, "more than 50 percent" in why) == ("Failed", True)
    assert 1000 <= ran < 1200
    assert len(here.report(ended)["failed"]) == ran


def three_kinds(key: str, tried: int) -> Verdict:
    """Fail 100 of 1,000 tasks in three ways; let another 50 pass at the second try."""
    number = int(key)
    if number % 10:
        return ("TemporaryFailure", "wait") if number % 20 == 1 and not tried else ("Succeeded", f"did {key}")
    kinds: tuple[Verdict, ...] = (
        ("PermanentFailure", f"cannot do {key}"),
        ("TemporaryFailure", f"still not {key}"),
        Answer(error={"errorMessage": f"crashed at {key}"}),
    )
    return kinds[number // 10 % 3]


def test_a_job_of_a_thousand_tasks_with_a_tenth_of_failures_of_three_kinds_ends_as_documented(here: Place) -> None:
    here.stub.decide = three_kinds
    done = here.run(here.of_keys(*map(str, range(1000))))
    assert done["Status"] == "Complete"
    progress = done["ProgressSummary"]
    assert {name: progress[name] for name in progress if name != "Timers"} == {
        "TotalNumberOfTasks": 1000,
        "NumberOfTasksSucceeded": 900,
        "NumberOfTasksFailed": 100,
    }
    rows = here.report(done)
    assert [int(row[1]) for row in rows["succeeded"]] == [each for each in range(1000) if each % 10]
    assert {tuple(row[2:6]) for row in rows["succeeded"]} == {("", "succeeded", "200", "")}
    assert Counter(row[5] for row in rows["failed"]) == {"PermanentFailure": 67, "TemporaryFailure": 33}
    assert Counter(row[6].partition(" ")[0] for row in rows["failed"]) == {"cannot": 34, "still": 33, "Lambda": 33}
    tries = Counter(here.stub.invoked())
    assert Counter(tries.values()) == {1: 1000 - 50 - 33, 2: 50, 5: 33}


# Reports


def test_a_report_consists_of_a_manifest_its_md5_and_a_file_for_each_status(here: Place) -> None:
    here.stub.decide = lambda key, _tried: ("Succeeded" if key == "a" else "PermanentFailure", 'a, "quoted" text')
    done = here.run(here.of_keys("a", "b"))
    folder = f"done/job-{done['JobId']}"
    text = here.read(f"{folder}/manifest.json")
    manifest = json.loads(text)
    assert here.read(f"{folder}/manifest.json.md5").decode().strip() == hashlib.md5(text).hexdigest()  # noqa: S324
    assert manifest["Format"] == "Report_CSV_20180820"
    assert manifest["ReportSchema"] == "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"
    assert [each["TaskExecutionStatus"] for each in manifest["Results"]] == ["succeeded", "failed"]
    for each in manifest["Results"]:
        assert each["Bucket"] == here.reports
        assert each["Key"].startswith(f"{folder}/results/")
        assert each["MD5Checksum"] == hashlib.md5(here.read(each["Key"])).hexdigest()  # noqa: S324
    assert here.report(done)["failed"][0][-1] == 'a, "quoted" text'
    head = here.aws.client().head_object(Bucket=here.reports, Key=f"{folder}/manifest.json")
    assert head["ServerSideEncryption"] == "AES256"


def test_a_report_of_failed_tasks_only_names_no_other(here: Place) -> None:
    here.stub.decide = lambda key, _tried: ("Succeeded" if key == "a" else "PermanentFailure", "")
    rows = here.report(here.run(here.of_keys("a", "b"), report={"ReportScope": "FailedTasksOnly"}))
    assert {status: [row[1] for row in found] for status, found in rows.items()} == {"failed": ["b"]}


def test_a_job_without_a_report_writes_none(here: Place) -> None:
    done = here.run(report={"Enabled": False})
    assert done["Status"] == "Complete"
    assert here.keys(f"done/job-{done['JobId']}/") == []
