"""A job as DescribeJob and ListJobs describe it.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_DescribeJob.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_JobDescriptor.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_JobListDescriptor.html
"""

from __future__ import annotations

from typing import Any

from emulator.calls.answers import xml_date
from emulator.s3.batch.inventories import GENERATED
from emulator.s3.batch.jobs import Job

_LONGEST_REASON = 256
_CAUSE = "AwaitingConfirmation"
"""AWS describes the cause, and does not say how it is written."""


def in_full(job: Job) -> dict[str, Any]:
    """Return the element Job of DescribeJob."""
    document = job.document
    return {
        "JobId": job.id,
        "JobArn": job.arn,
        "ConfirmationRequired": job.must_be_confirmed,
        "Description": document.get("Description"),
        "Status": job.status,
        "Manifest": document.get("Manifest"),
        "Operation": document["Operation"],
        "Priority": job.priority,
        "ProgressSummary": _progress(job) | {"Timers": {"ElapsedTimeInActiveSeconds": job.active_seconds}},
        "StatusUpdateReason": job.why or None,
        "FailureReasons": _failures(job),
        "Report": document["Report"],
        "CreationTime": xml_date(job.created),
        "TerminationDate": xml_date(job.ended) if job.ended else None,
        "RoleArn": job.role,
        "SuspendedDate": xml_date(job.suspended) if job.suspended else None,
        "SuspendedCause": _CAUSE if job.suspended else None,
        "ManifestGenerator": document.get("ManifestGenerator"),
        "GeneratedManifestDescriptor": {"Format": GENERATED, "Location": job.generated} if job.generated else None,
    }


def in_short(job: Job) -> dict[str, Any]:
    """Return the element of ListJobs."""
    return {
        "JobId": job.id,
        "Description": job.document.get("Description"),
        "Operation": "LambdaInvoke",
        "Priority": job.priority,
        "Status": job.status,
        "CreationTime": xml_date(job.created),
        "TerminationDate": xml_date(job.ended) if job.ended else None,
        "ProgressSummary": _progress(job),
    }


def _progress(job: Job) -> dict[str, Any]:
    return {
        "TotalNumberOfTasks": job.total,
        "NumberOfTasksSucceeded": job.succeeded,
        "NumberOfTasksFailed": job.failed,
    }


def _failures(job: Job) -> dict[str, Any] | None:
    if job.failure is None:
        return None
    code, reason = job.failure
    return {"member": [{"FailureCode": code, "FailureReason": reason[:_LONGEST_REASON]}]}
