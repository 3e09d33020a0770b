"""S3 Batch Operations, as operators use it: create, describe, confirm and cancel jobs that invoke BatchFunction.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_UpdateJobStatus.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from s3replicator.calls import calling
from s3replicator.jobs.completion_report import FORMAT
from s3replicator.stack import Stack

ADDRESS = re.compile(r"\d+(\.\d+){3}|localhost")
SCHEMA = "2.0"
"""Of the invocations of the function: only this one has user arguments."""
PRIORITY = 10
LONGEST_DESCRIPTION = 256


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """How far a job of S3 is. total: 0 until S3 has read the manifest. why: of a failure."""

    state: str
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """A job to create. token: two requests with one token make one job. source: Manifest or ManifestGenerator.

    arguments: of the function. report_prefix: in the control bucket. confirm: it waits until it is confirmed.
    """

    token: str
    description: str
    source: Mapping[str, Any]
    arguments: Mapping[str, str]
    report_prefix: str
    confirm: bool = False
    priority: int = PRIORITY


class BatchOperations:
    """The jobs of S3 Batch Operations of one stack. Every method raises CallFailed."""

    def __init__(self, stack: Stack) -> None:
        self._client = stack.client("s3control")
        if ADDRESS.fullmatch(urlsplit(self._client.meta.endpoint_url).hostname or ""):
            self._client.meta.events.register("before-send.s3-control", _drop_account)
        self._account = stack.facts.account
        self._control = stack.facts.control_bucket
        self._role = stack.output("BatchJobsRole")
        partition = stack.facts.change_queue_arn.split(":")[1]
        name = stack.output("BatchFunction")
        self._function = f"arn:{partition}:lambda:{stack.facts.region}:{self._account}:function:{name}"
        self._partition = partition

    def arn(self, bucket: str, key: str = "") -> str:
        """Return the ARN of a bucket, or of an object in it."""
        return f"arn:{self._partition}:s3:::{bucket}" + (f"/{key}" if key else "")

    def create(self, request: BatchRequest) -> str:
        """Create a job; return its id."""
        invoke = {
            "FunctionArn": self._function,
            "InvocationSchemaVersion": SCHEMA,
            "UserArguments": dict(request.arguments),
        }
        with calling("s3:CreateJob"):
            answer = self._client.create_job(
                AccountId=self._account,
                ConfirmationRequired=request.confirm,
                Operation={"LambdaInvoke": invoke},
                Report={
                    "Bucket": self.arn(self._control),
                    "Prefix": request.report_prefix,
                    "Format": FORMAT,
                    "Enabled": True,
                    "ReportScope": "AllTasks",
                },
                ClientRequestToken=request.token,
                Description=request.description[:LONGEST_DESCRIPTION],
                Priority=request.priority,
                RoleArn=self._role,
                **request.source,
            )
            return str(answer["JobId"])

    def status(self, job_id: str) -> BatchStatus:
        """Return how far a job is."""
        with calling("s3:DescribeJob"):
            job = self._client.describe_job(AccountId=self._account, JobId=job_id)["Job"]
            progress = job.get("ProgressSummary", {})
            reasons = [each.get("FailureReason", "") for each in job.get("FailureReasons", ())]
            return BatchStatus(
                job["Status"],
                progress.get("TotalNumberOfTasks") or 0,
                progress.get("NumberOfTasksSucceeded") or 0,
                progress.get("NumberOfTasksFailed") or 0,
                "; ".join(filter(None, reasons)),
            )

    def confirm(self, job_id: str) -> None:
        """Let a job begin that waits for it."""
        self._update(job_id, "Ready")

    def cancel(self, job_id: str) -> None:
        """Cancel a job."""
        self._update(job_id, "Cancelled")

    def _update(self, job_id: str, status: str) -> None:
        with calling("s3:UpdateJobStatus"):
            self._client.update_job_status(AccountId=self._account, JobId=job_id, RequestedJobStatus=status)


def _drop_account(request: Any, **_context: object) -> None:
    """Take the account from the host name again: no such name leads to an address. AWS's own endpoints need it."""
    request.url = re.sub(r"//\d{12}\.", "//", request.url, count=1)
