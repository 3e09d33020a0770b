"""Jobs of S3 Batch Operations on a server without processes: the function is a Python function of the test."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import unquote_plus

from emulator.functions.processes import Answer
from emulator.state import NoFunctions
from tests.emulator.callers import ACCOUNT
from tests.emulator.plain import Plain, serving
from tests.patience import PATIENCE, until

FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:stub"
SERVICE = "batchoperations.s3.amazonaws.com"
Verdict = tuple[str, str] | Exception | Answer | dict[str, Any]
"""A result code and a result, what Lambda raises, an invocation's end, or a whole response."""
EVERYTHING = (
    *("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "lambda:InvokeFunction"),
    *("s3:PutInventoryConfiguration", "s3:GetReplicationConfiguration"),
)
_numbers = count(1)


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass
class Stub(NoFunctions):
    """The one function: `decide` says what comes of a task, given its key and how often it was tried before."""

    decide: Callable[[str, int], Verdict] = lambda _key, _tried: ("Succeeded", "done")
    events: list[dict[str, Any]] = field(default_factory=list)

    def invoked(self) -> list[str]:
        """Return the keys of all invocations, in order."""
        return [unquote_plus(event["tasks"][0]["s3Key"]) for event in self.events]

    def invoke_by_arn(self, arn: str, event: Any) -> Answer:
        if arn != FUNCTION:
            raise LookupError(f"There is no function {arn}.")
        [task] = event["tasks"]
        tried = sum(each["tasks"][0]["s3Key"] == task["s3Key"] for each in self.events)
        self.events.append(event)
        verdict = self.decide(unquote_plus(task["s3Key"]), tried)
        if isinstance(verdict, Exception):
            raise verdict
        if isinstance(verdict, Answer):
            return verdict
        if isinstance(verdict, dict):
            return Answer(verdict)
        code, text = verdict
        result = {"taskId": task["taskId"], "resultCode": code, "resultString": text}
        answered = {name: event[name] for name in ("invocationSchemaVersion", "invocationId")}
        return Answer({**answered, "treatMissingKeysAs": "PermanentFailure", "results": [result]})


@dataclass
class Place:
    """A server, its function, a bucket of objects, and one for manifests and reports."""

    aws: Plain
    stub: Stub
    bucket: str
    reports: str

    @property
    def control(self) -> Any:
        return self.aws.client("s3control")

    def put(self, *keys: str, bucket: str = "", **fields: Any) -> list[str]:
        """Write objects; return their version ids."""
        s3, bucket = self.aws.client(), bucket or self.bucket
        return [s3.put_object(Bucket=bucket, Key=key, **{"Body": key, **fields})["VersionId"] for key in keys]

    def role(self, *missing: str, service: str = SERVICE, account: str = "") -> str:
        """Create a role that Batch Operations may assume, without some of the actions that jobs need."""
        iam, name = self.aws.client("iam"), f"job-role-{next(_numbers)}"
        condition = {"Condition": {"StringEquals": {"aws:SourceAccount": account}}} if account else {}
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **condition}
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
        allowed = {"Effect": "Allow", "Action": sorted(set(EVERYTHING) - set(missing)), "Resource": "*"}
        iam.put_role_policy(
            RoleName=name,
            PolicyName="all",
            PolicyDocument=policy(allowed),
        )
        return str(made["Role"]["Arn"])

    def store(self, key: str, body: bytes, **fields: Any) -> dict[str, str]:
        """Store an object among the reports; return how a job names it."""
        etag = self.aws.client().put_object(Bucket=self.reports, Key=key, Body=body, **fields)["ETag"]
        return {"ObjectArn": f"arn:aws:s3:::{self.reports}/{key}", "ETag": etag}

    def csv(self, *lines: str, **fields: Any) -> dict[str, Any]:
        """Store a manifest; three fields in a line: with version ids."""
        location = self.store(f"manifests/{next(_numbers)}.csv", "\n".join(lines).encode(), **fields)
        names = ["Bucket", "Key", "VersionId"][: lines[0].count(",") + 1]
        return {"Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": names}, "Location": location}

    def of_keys(self, *keys: str) -> dict[str, Any]:
        return self.csv(*(f"{self.bucket},{key}" for key in keys))

    def request(self, manifest: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """Return what CreateJob takes, for one object unless something else is given."""
        report = {"Bucket": f"arn:aws:s3:::{self.reports}", "Format": "Report_CSV_20180820", "Enabled": True}
        named = {} if "ManifestGenerator" in fields else {"Manifest": manifest or self.of_keys("key")}
        return {
            "AccountId": ACCOUNT,
            "ConfirmationRequired": False,
            "Operation": {"LambdaInvoke": {"FunctionArn": FUNCTION, **fields.pop("invoke", {})}},
            "Report": {**report, "ReportScope": "AllTasks", "Prefix": "done", **fields.pop("report", {})},
            "ClientRequestToken": str(next(_numbers)),
            "Priority": 1,
            "RoleArn": fields.pop("RoleArn", None) or self.role(),
            **named,
            **fields,
        }

    def create(self, manifest: dict[str, Any] | None = None, **fields: Any) -> str:
        return str(self.control.create_job(**self.request(manifest, **fields))["JobId"])

    def job(self, job_id: str) -> dict[str, Any]:
        return dict(self.control.describe_job(AccountId=ACCOUNT, JobId=job_id)["Job"])

    def status(self, job_id: str) -> str:
        return str(self.job(job_id)["Status"])

    def is_in(self, job_id: str, *statuses: str) -> dict[str, Any]:
        """Wait until a job is in one of these states, and describe it."""
        until(lambda: self.status(job_id) in statuses)
        return self.job(job_id)

    def run(self, manifest: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """Run a job to its end, and describe it."""
        job_id = self.create(manifest, **fields)
        assert self.aws.get(f"idle?timeout={PATIENCE}") == {"idle": True}
        return self.job(job_id)

    def update(self, job_id: str, status: str, **fields: Any) -> dict[str, Any]:
        return dict(
            self.control.update_job_status(AccountId=ACCOUNT, JobId=job_id, RequestedJobStatus=status, **fields)
        )

    def read(self, key: str) -> bytes:
        return bytes(self.aws.client().get_object(Bucket=self.reports, Key=key)["Body"].read())

    def keys(self, prefix: str) -> list[str]:
        listed = self.aws.client().list_objects_v2(Bucket=self.reports, Prefix=prefix)
        return [each["Key"] for each in listed.get("Contents", [])]

    def report(self, described: dict[str, Any]) -> dict[str, list[list[str]]]:
        """Return the rows of a completion report by the status of their tasks."""
        manifest = json.loads(self.read(f"done/job-{described['JobId']}/manifest.json"))
        return {
            each["TaskExecutionStatus"]: list(csv.reader(io.StringIO(self.read(each["Key"]).decode())))
            for each in manifest["Results"]
        }


@contextmanager
def place() -> Iterator[Place]:
    """Run a server with a stub of a function, and two buckets."""
    with serving() as aws:
        stub = Stub()
        aws.emulator.functions = stub
        yield Place(aws, stub, aws.bucket(), aws.bucket())


def reason(described: dict[str, Any]) -> tuple[str, str, str]:
    """Return the status of a job, and why it failed."""
    [failure] = described["FailureReasons"]
    return described["Status"], failure["FailureCode"], failure["FailureReason"]
