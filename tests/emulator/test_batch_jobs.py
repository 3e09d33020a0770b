"""Jobs of S3 Batch Operations: their states, priorities, lists, tags, and who may create or run one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.emulator.callers import ACCOUNT, allow, caller
from tests.emulator.jobs import FUNCTION, Place, place, reason
from tests.emulator.plain import refused
from tests.patience import PATIENCE, until


@pytest.fixture(scope="module")
def here() -> Iterator[Place]:
    with place() as here:
        yield here


@pytest.fixture(autouse=True)
def _fresh(here: Place) -> None:
    here.stub.decide, here.stub.events = lambda _key, _tried: ("Succeeded", "done"), []


@contextmanager
def held(here: Place, *keys: str) -> Iterator[threading.Event]:
    """Keep the tasks of these keys from ending meanwhile."""
    gate = threading.Event()

    def wait(key: str, _tried: int) -> tuple[str, str]:
        if key in keys:
            gate.wait(PATIENCE)
        return "Succeeded", "done"

    here.stub.decide = wait
    try:
        yield gate
    finally:
        gate.set()


# States


def test_a_job_is_described_from_its_creation_to_its_end(here: Place) -> None:
    with held(here, "key"):
        job_id = here.create(Description="all of it")
        running = here.is_in(job_id, "Active")
        assert "TerminationDate" not in running
        assert (running["ProgressSummary"]["TotalNumberOfTasks"], running["Description"]) == (1, "all of it")
    done = here.is_in(job_id, "Complete")
    assert done["JobArn"] == f"arn:aws:s3:us-east-1:{ACCOUNT}:job/{job_id}"
    assert done["TerminationDate"] >= done["CreationTime"]
    progress = done["ProgressSummary"]
    assert progress.pop("Timers")["ElapsedTimeInActiveSeconds"] >= 0
    assert progress == {"TotalNumberOfTasks": 1, "NumberOfTasksSucceeded": 1, "NumberOfTasksFailed": 0}
    assert done["Operation"]["LambdaInvoke"]["FunctionArn"] == FUNCTION
    assert not {"FailureReasons", "SuspendedDate", "SuspendedCause", "GeneratedManifestDescriptor"} & done.keys()


def test_a_job_that_needs_confirmation_waits_for_it(here: Place) -> None:
    job_id = here.create(ConfirmationRequired=True)
    waiting = here.is_in(job_id, "Suspended")
    assert waiting["SuspendedCause"]
    assert waiting["SuspendedDate"] >= waiting["CreationTime"]
    assert (waiting["ProgressSummary"]["TotalNumberOfTasks"], here.stub.events) == (1, [])
    assert here.update(job_id, "Ready")["Status"] in {"Ready", "Active", "Completing", "Complete"}
    here.is_in(job_id, "Complete")
    for wanted in ("Ready", "Cancelled"):
        with refused("JobStatusException", 400):
            here.update(job_id, wanted)


def test_a_job_that_waits_for_its_confirmation_can_be_cancelled(here: Place) -> None:
    job_id = here.create(ConfirmationRequired=True)
    here.is_in(job_id, "Suspended")
    assert here.update(job_id, "Cancelled", StatusUpdateReason="not now")["Status"] == "Cancelled"
    ended = here.job(job_id)
    assert ended["StatusUpdateReason"] == "not now"
    assert ended["TerminationDate"]
    assert here.keys(f"done/job-{job_id}/") == [], "no task was invoked"


def test_a_job_that_runs_can_be_cancelled_and_reports_what_it_did(here: Place) -> None:
    keys = [f"key-{number:02}" for number in range(40)]
    with held(here, *keys) as gate:
        job_id = here.create(here.of_keys(*keys))
        until(lambda: bool(here.stub.events))
        assert here.update(job_id, "Cancelled")["Status"] == "Cancelling"
        assert here.status(job_id) == "Cancelling", "what was invoked is waited for"
        gate.set()
        ended = here.is_in(job_id, "Cancelled")
    done = ended["ProgressSummary"]["NumberOfTasksSucceeded"]
    assert 0 < done < len(keys)
    assert [row[1] for row in here.report(ended)["succeeded"]] == keys[:done]


# Priorities


def test_a_job_pauses_while_one_with_a_higher_priority_runs(here: Place) -> None:
    keys = [f"low-{number:02}" for number in range(20)]
    with held(here, keys[0], "high") as gate:
        low = here.create(here.of_keys(*keys), Priority=1)
        until(lambda: keys[0] in here.stub.invoked())
        high = here.create(here.of_keys("high"), Priority=2)
        here.is_in(high, "Active")
        assert here.status(low) == "Pausing", "its first task still runs"
        gate.set()
        here.is_in(high, "Complete")
    assert here.is_in(low, "Complete")["ProgressSummary"]["NumberOfTasksSucceeded"] == len(keys)


def test_a_paused_job_goes_on_when_its_priority_is_raised(here: Place) -> None:
    with held(here, "first", "other"):
        first = here.create(here.of_keys("first"), Priority=5)
        here.is_in(first, "Active")
        other = here.create(here.of_keys("other"), Priority=4)
        here.is_in(other, "Ready")
        answer = here.control.update_job_priority(AccountId=ACCOUNT, JobId=other, Priority=5)
        assert (answer["JobId"], answer["Priority"]) == (other, 5)
        assert here.is_in(other, "Active")["Priority"] == 5
    here.is_in(other, "Complete")
    with refused("InvalidRequest", 400):
        here.control.update_job_priority(AccountId=ACCOUNT, JobId=other, Priority=6)


# Lists and tags


def listed(here: Place, **wanted: Any) -> dict[str, Any]:
    return dict(here.control.list_jobs(AccountId=ACCOUNT, **wanted))


def test_jobs_are_listed_by_their_status_in_pages_the_newest_first(here: Place) -> None:
    made = [here.create(ConfirmationRequired=True) for _ in range(5)]
    for job_id in made:
        here.is_in(job_id, "Suspended")
    found: list[str] = []
    token: dict[str, str] = {}
    for expected in (2, 2, 1):
        page = listed(here, JobStatuses=["Suspended", "Paused"], MaxResults=2, **token)
        assert len(page["Jobs"]) == expected
        found += [each["JobId"] for each in page["Jobs"]]
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else {}
    assert (found, token) == (made[::-1], {})
    first = listed(here, JobStatuses=["Suspended"])["Jobs"][0]
    assert (first["Operation"], first["ProgressSummary"]["TotalNumberOfTasks"]) == ("LambdaInvoke", 1)
    for job_id in made:
        here.update(job_id, "Cancelled")
    assert listed(here, JobStatuses=["Suspended"])["Jobs"] == []
    with refused("InvalidNextTokenException", 400):
        listed(here, NextToken="nonsense")


def test_jobs_are_those_of_an_account_and_a_region(here: Place) -> None:
    job_id = here.create()
    elsewhere = here.aws.client("s3control", "us-west-2")
    with refused("NoSuchJob", 404):
        elsewhere.describe_job(AccountId=ACCOUNT, JobId=job_id)
    with refused("AccessDenied", 403):
        here.control.describe_job(AccountId="999999999999", JobId=job_id)
    assert elsewhere.list_jobs(AccountId=ACCOUNT)["Jobs"] == []


def test_tags_are_those_of_the_creation_until_they_are_replaced(here: Place) -> None:
    tags = [{"Key": "team", "Value": "storage"}]
    named = {"AccountId": ACCOUNT, "JobId": here.create(Tags=tags)}
    assert here.control.get_job_tagging(**named)["Tags"] == tags
    here.control.put_job_tagging(**named, Tags=[{"Key": "a", "Value": ""}])
    assert here.control.get_job_tagging(**named)["Tags"] == [{"Key": "a", "Value": ""}]
    with refused("TooManyTagsException", 400):
        here.control.put_job_tagging(**named, Tags=[{"Key": str(number), "Value": ""} for number in range(51)])
    here.control.delete_job_tagging(**named)
    assert here.control.get_job_tagging(**named)["Tags"] == []


def test_the_same_token_creates_one_job(here: Place) -> None:
    request = here.request()
    created = {here.control.create_job(**request)["JobId"] for _ in range(2)}
    assert len(created) == 1
    with refused("IdempotencyException", 400):
        here.control.create_job(**request | {"Description": "another"})


# Requests


GENERATOR = {"SourceBucket": "arn:aws:s3:::any", "EnableManifestOutput": False}
REFUSED: dict[str, dict[str, Any]] = {
    "arguments in schema 1.0": {"invoke": {"UserArguments": {"a": "b"}}},
    "a schema that does not exist": {"invoke": {"InvocationSchemaVersion": "3.0"}},
    "a report of some tasks": {"report": {"ReportScope": "Some"}},
    "a description that is too long": {"Description": "x" * 257},
    "a manifest and a generator": {"ManifestGenerator": {"S3JobManifestGenerator": GENERATOR}, "Manifest": {
        "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
        "Location": {"ObjectArn": "arn:aws:s3:::any/manifest.csv", "ETag": "e"}}},
    "fields of an inventory report": {"Manifest": {
        "Spec": {"Format": "S3InventoryReport_CSV_20161130", "Fields": ["Bucket", "Key"]},
        "Location": {"ObjectArn": "arn:aws:s3:::any/manifest.json", "ETag": "e"}}},
    "the format in which S3 generates manifests": {"Manifest": {
        "Spec": {"Format": "S3InventoryReport_CSV_20211130"},
        "Location": {"ObjectArn": "arn:aws:s3:::any/manifest.json", "ETag": "e"}}},
    "no place for the generated manifest": {"ManifestGenerator": {
        "S3JobManifestGenerator": {**GENERATOR, "EnableManifestOutput": True}}},
    "two prefixes": {"ManifestGenerator": {"S3JobManifestGenerator": {
        **GENERATOR, "Filter": {"KeyNameConstraint": {"MatchAnyPrefix": ["a", "b"]}}}}},
    "an empty time": {"ManifestGenerator": {"S3JobManifestGenerator": {
        **GENERATOR, "Filter": {"CreatedAfter": "2026-01-02", "CreatedBefore": "2026-01-01"}}}},
}  # fmt: skip


@pytest.mark.parametrize("fields", REFUSED.values(), ids=REFUSED)
def test_requests_that_s3_does_not_take_are_refused(here: Place, fields: dict[str, Any]) -> None:
    with refused("InvalidRequest", 400):
        here.create(**fields)


def test_other_operations_are_refused_by_name(here: Place) -> None:
    with refused("NotImplemented", 501):
        here.create(Operation={"S3DeleteObjectTagging": {}})


def test_a_job_that_does_not_exist_is_not_found(here: Place) -> None:
    with refused("NoSuchJob", 404):
        here.job("00000000-0000-0000-0000-000000000000")


# Permissions


def test_who_creates_a_job_must_be_allowed_to_pass_its_role(here: Place) -> None:
    role = here.role()
    to_service = {"StringEquals": {"iam:PassedToService": "batchoperations.s3.amazonaws.com"}}
    passing = allow("iam:PassRole", role, Condition=to_service)
    for statements in ([allow("s3:CreateJob", "*")], [passing]):
        with refused("AccessDenied", 403):
            client = caller(here.aws, *statements, service="s3control")
            client.create_job(**here.request(RoleArn=role))
    both = caller(here.aws, passing, allow("s3:CreateJob", "*"), service="s3control")
    assert both.create_job(**here.request(RoleArn=role))["JobId"]
    with refused("AccessDenied", 403) as error:
        both.create_job(**here.request(RoleArn=role, Tags=[{"Key": "a", "Value": "b"}]))
    assert "s3:PutJobTagging" in error["Message"]


def test_who_may_look_at_a_job_may_not_change_it(here: Place) -> None:
    job_id = here.create()
    looks = caller(here.aws, allow(["s3:DescribeJob", "s3:ListJobs"], "*"), service="s3control")
    assert looks.describe_job(AccountId=ACCOUNT, JobId=job_id)["Job"]["JobId"] == job_id
    assert looks.list_jobs(AccountId=ACCOUNT)["Jobs"]
    with refused("AccessDenied", 403) as error:
        looks.update_job_status(AccountId=ACCOUNT, JobId=job_id, RequestedJobStatus="Cancelled")
    arn = f"arn:aws:s3:us-east-1:{ACCOUNT}:job/{job_id}"
    assert f'perform: s3:UpdateJobStatus on resource: "{arn}"' in error["Message"]


@pytest.mark.parametrize("trust", [{"service": "lambda.amazonaws.com"}, {"account": "999999999999"}])
def test_a_role_that_batch_operations_may_not_assume_fails_the_job(here: Place, trust: dict[str, str]) -> None:
    assert reason(here.run(RoleArn=here.role(**trust)))[:2] == ("Failed", "AccessDenied")
    assert here.run(RoleArn=here.role(account=ACCOUNT))["Status"] == "Complete"


def test_a_role_that_may_not_read_the_manifest_fails_the_job(here: Place) -> None:
    status, _, why = reason(here.run(RoleArn=here.role("s3:GetObject")))
    assert status == "Failed"
    assert why.startswith("Reading the manifest is forbidden: AccessDenied")
    assert here.stub.events == []


def test_a_role_that_may_not_write_the_report_fails_the_job_after_its_tasks(here: Place) -> None:
    failed = here.run(RoleArn=here.role("s3:PutObject"))
    status, _, why = reason(failed)
    assert status == "Failed"
    assert why.startswith("The job report could not be written to your report bucket.")
    assert failed["ProgressSummary"]["NumberOfTasksSucceeded"] == 1


def test_a_bucket_with_a_default_retention_takes_no_report(here: Place) -> None:
    locked = here.aws.bucket(ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    here.aws.client().put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=configuration)
    assert reason(here.run(report={"Bucket": f"arn:aws:s3:::{locked}"}))[0] == "Failed"
