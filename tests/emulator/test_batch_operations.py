"""S3 Batch Operations: jobs that run the product's BatchFunction, in real processes, and their reports."""

import csv
import io
import json
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from emulator.running import Running, running
from tests.emulator.worlds import bucket, rule

ACCOUNT = "123456789012"
MIB = 1024**2
WORLD: dict[str, Any] = {
    "buckets": [bucket("east"), bucket("west"), bucket("far-west"), {"name": "reports", "region": "us-east-1"}],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {
                "SourceBuckets": "east",
                "DestinationBuckets": "west",
                "MultipartThreshold": 6 * MIB,
                "SpreadThreshold": 10 * MIB,
                "PartSize": 5 * MIB,
            },
        }
    ],
}
ODD_KEYS = ("a b", "a+b", "a%2Bb", "a%20b", "ü/+ +%2B")
_numbers = count(1)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    """East has objects that no event announced, and rules."""
    with running(WORLD) as emulator:
        for key in ODD_KEYS:
            emulator.client("s3").put_object(Bucket="east", Key=key, Body=key.encode())
        control = emulator.outputs("prod")["ControlBucket"]
        rules = json.dumps({"Rules": [rule("east", "west", DeleteMarkerReplication={"Status": "Enabled"})]})
        emulator.client("s3").put_object(Bucket=control, Key="rules/east.json", Body=rules.encode())
        yield emulator


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(emulator: Running, service: str = "batchoperations.s3.amazonaws.com", *missing: str) -> str:
    """Create a role for jobs, without some of the actions that it needs; return its ARN."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    actions = {"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "lambda:InvokeFunction"} - set(missing)
    allowed = {"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
    iam, name = emulator.client("iam"), f"job-{next(_numbers)}"
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy(allowed))
    return str(made["Role"]["Arn"])


def manifest(emulator: Running, *lines: str) -> dict[str, Any]:
    """Store a manifest, and return how a job names it; three fields in a line: with version ids."""
    key = f"manifests/{next(_numbers)}.csv"
    text = "\n".join(lines).encode()
    etag = emulator.client("s3").put_object(Bucket="reports", Key=key, Body=text)["ETag"]
    fields = ["Bucket", "Key", "VersionId"][: lines[0].count(",") + 1]
    spec = {"Format": "S3BatchOperations_CSV_20180820", "Fields": fields}
    return {"Spec": spec, "Location": {"ObjectArn": f"arn:aws:s3:::reports/{key}", "ETag": etag}}


def create(emulator: Running, named: dict[str, Any], **fields: Any) -> str:
    invoke = {"FunctionArn": function(emulator), **fields.pop("invoke", {})}
    scope = fields.pop("scope", "AllTasks")
    report = {"Bucket": "arn:aws:s3:::reports", "Format": "Report_CSV_20180820", "Enabled": True, "Prefix": "done"}
    wanted: dict[str, Any] = {
        "AccountId": ACCOUNT,
        "ConfirmationRequired": False,
        "Operation": {"LambdaInvoke": invoke},
        "Report": {**report, "ReportScope": scope},
        "ClientRequestToken": str(next(_numbers)),
        "Manifest": named,
        "Priority": 1,
        **fields,
    }
    if "RoleArn" not in wanted:
        wanted["RoleArn"] = role(emulator)
    return str(control(emulator).create_job(**wanted)["JobId"])


def control(emulator: Running) -> Any:
    return emulator.client("s3control")


def function(emulator: Running) -> str:
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:prod-batch"


def job(emulator: Running, job_id: str) -> dict[str, Any]:
    return dict(control(emulator).describe_job(AccountId=ACCOUNT, JobId=job_id)["Job"])


def run(emulator: Running, named: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Run a job to its end, and describe it."""
    job_id = create(emulator, named, **fields)
    assert emulator.idle()
    return job(emulator, job_id)


def report(emulator: Running, described: dict[str, Any]) -> dict[str, list[list[str]]]:
    """Return the rows of a completion report by the status of their tasks."""
    s3, folder = emulator.client("s3"), f"done/job-{described['JobId']}"
    listed = json.loads(s3.get_object(Bucket="reports", Key=f"{folder}/manifest.json")["Body"].read())
    assert listed["ReportSchema"] == "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"
    rows = {}
    for each in listed["Results"]:
        text = s3.get_object(Bucket="reports", Key=each["Key"])["Body"].read().decode()
        rows[each["TaskExecutionStatus"]] = list(csv.reader(io.StringIO(text)))
    return rows


def in_west(emulator: Running) -> dict[str, bytes]:
    s3 = emulator.client("s3", "us-west-2")
    listed = s3.list_objects_v2(Bucket="west").get("Contents", [])
    return {each["Key"]: s3.get_object(Bucket="west", Key=each["Key"])["Body"].read() for each in listed}


@pytest.mark.parametrize("encode", [quote_plus, quote], ids=["form-encoded", "percent-encoded"])
@pytest.mark.parametrize("schema", ["1.0", "2.0"])
def test_a_job_replicates_objects_whatever_their_keys(emulator: Running, schema: str, encode: Any) -> None:
    named = manifest(emulator, *(f"east,{encode(key)}" for key in ODD_KEYS))
    done = run(emulator, named, invoke={"InvocationSchemaVersion": schema})
    assert done["Status"] == "Complete"
    assert done["ProgressSummary"]["NumberOfTasksSucceeded"] == len(ODD_KEYS)
    assert in_west(emulator) == {key: key.encode() for key in ODD_KEYS}
    rows = report(emulator, done)["succeeded"]
    assert [row[1] for row in rows] == [quote_plus(key, safe="/") for key in ODD_KEYS]
    assert {tuple(row[3:]) for row in rows} == {("succeeded", "200", "", "west: COMPLETED")}


def test_a_version_that_is_not_there_is_in_the_report_with_its_reason(emulator: Running) -> None:
    done = run(emulator, manifest(emulator, f"east,a%2Bb,{'x' * 32}"), scope="FailedTasksOnly")
    assert done["Status"] == "Complete"
    [[*named, status, error, code, message]] = report(emulator, done)["failed"]
    assert (named, status, error, code) == (["east", "a%2Bb", "x" * 32], "failed", "200", "PermanentFailure")
    assert "SrcVersionNotFound" in message


def test_a_job_replicates_what_s3_replicated_here_if_it_asks(emulator: Running) -> None:
    s3, key = emulator.client("s3"), "from-far"
    native = {"Role": role(emulator), "Rules": [rule("far-west", "east")]}
    s3.put_bucket_replication(Bucket="far-west", ReplicationConfiguration=native)
    version = s3.put_object(Bucket="far-west", Key=key, Body=b"far")["VersionId"]
    assert emulator.idle()
    named = manifest(emulator, f"east,{key},{version}")
    plain = run(emulator, named)
    assert "SKIPPED SourceIsReplica" in report(emulator, plain)["succeeded"][0][-1]
    arguments = {"InvocationSchemaVersion": "2.0", "UserArguments": {"IncludeS3Replicas": "true"}}
    asking = run(emulator, named, invoke=arguments)
    assert report(emulator, asking)["succeeded"][0][-1] == "west: COMPLETED"
    assert in_west(emulator)[key] == b"far"


def test_a_task_that_fails_for_a_moment_is_tried_again(emulator: Running) -> None:
    emulator.client("s3").put_object(Bucket="east", Key="throttled", Body=b"")
    fault = {"service": "s3", "operation": "CopyObject", "key": "throttled", "principal": "replicator", "times": 2}
    emulator.post("faults", {**fault, "then": {"status": 503, "code": "SlowDown"}})
    done = run(emulator, manifest(emulator, "east,throttled"))
    emulator.delete("faults")
    assert done["ProgressSummary"]["NumberOfTasksSucceeded"] == 1


def test_a_large_object_succeeds_when_other_functions_have_copied_its_parts(emulator: Running) -> None:
    emulator.client("s3").put_object(Bucket="east", Key="large", Body=bytes(12 * MIB))
    done = run(emulator, manifest(emulator, "east,large"))
    assert report(emulator, done)["succeeded"][0][-1] == "west: COMPLETED"
    assert len(in_west(emulator)["large"]) == 12 * MIB


def test_a_line_may_stand_for_the_history_of_a_key(emulator: Running) -> None:
    s3 = emulator.client("s3")
    for body in (b"1", b"2"):
        s3.put_object(Bucket="east", Key="history", Body=body)
        s3.delete_object(Bucket="east", Key="history")
    arguments = {"InvocationSchemaVersion": "2.0", "UserArguments": {"WholeHistory": "true"}}
    done = run(emulator, manifest(emulator, "east,history"), invoke=arguments)
    assert report(emulator, done)["succeeded"][0][-1] == "west: COMPLETED x4"
    listed = emulator.client("s3", "us-west-2").list_object_versions(Bucket="west", Prefix="history")
    assert len(listed["Versions"]) == 2
    assert [marker["IsLatest"] for marker in listed["DeleteMarkers"]] == [True, False]


def test_the_role_of_the_stack_is_enough_for_a_job_with_its_files_in_the_control_bucket(emulator: Running) -> None:
    s3, control_bucket = emulator.client("s3"), emulator.outputs("prod")["ControlBucket"]
    etag = s3.put_object(Bucket=control_bucket, Key="jobs/1/manifest.csv", Body=b"east,a%2Bb")["ETag"]
    location = {"ObjectArn": f"arn:aws:s3:::{control_bucket}/jobs/1/manifest.csv", "ETag": etag}
    named = {"Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]}, "Location": location}
    there = {"Bucket": f"arn:aws:s3:::{control_bucket}", "Format": "Report_CSV_20180820", "Enabled": True}
    within = {**there, "Prefix": "jobs/1/report", "ReportScope": "AllTasks"}
    done = run(emulator, named, RoleArn=emulator.outputs("prod")["BatchJobsRole"], Report=within)
    assert (done["Status"], done["ProgressSummary"]["NumberOfTasksSucceeded"]) == ("Complete", 1)
    outside = {**within, "Prefix": "elsewhere"}
    failed = run(emulator, named, RoleArn=emulator.outputs("prod")["BatchJobsRole"], Report=outside)
    assert failed["Status"] == "Failed"


def test_a_function_that_may_not_run_is_throttled_until_the_last_redrive(emulator: Running) -> None:
    lambda_ = emulator.client("lambda")
    lambda_.put_function_concurrency(FunctionName="prod-batch", ReservedConcurrentExecutions=0)
    done = run(emulator, manifest(emulator, "east,a%2Bb"))
    lambda_.delete_function_concurrency(FunctionName="prod-batch")
    [row] = report(emulator, done)["failed"]
    assert row[5] == "TemporaryFailure"
    assert "TooManyRequestsException" in row[6]
    assert run(emulator, manifest(emulator, "east,a%2Bb"))["ProgressSummary"]["NumberOfTasksSucceeded"] == 1
