"""CreateJob, DescribeJob, ListJobs and UpdateJobStatus, of S3's control API.

Jobs of other operations than LambdaInvoke, and manifests in other formats than CSV, are refused with NotImplemented.
botocore puts the account in front of the host name; the emulator answers under any.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_DescribeJob.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListJobs.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_UpdateJobStatus.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import xmltodict  # type: ignore[import-untyped]

from emulator.calls.answers import Answer, S3Error, malformed_xml, s3_answer, xml_date
from emulator.calls.call import Call
from emulator.s3.batch import running
from emulator.s3.batch.jobs import FINISHED, Job, jobs
from emulator.s3.batch.manifests import FIELDS, FORMAT

_MOST_ARGUMENTS = 10


def answer(call: Call, environ: dict[str, Any]) -> Answer | None:
    """Answer or refuse a call about jobs; None leaves other calls to moto."""
    operation = _OPERATIONS.get(call.operation)
    if operation is None:
        return None
    try:
        return operation(call, environ)
    except S3Error as error:
        return error.answer()


def create_job(call: Call, environ: dict[str, Any]) -> Answer:
    """CreateJob."""
    document = _document(environ)
    _check(document)
    job = Job(_account(environ), call.region, document)
    kept = jobs().add(job, str(document["ClientRequestToken"]))
    if kept is job:
        running.start(job)
    return s3_answer("CreateJobResult", {"JobId": kept.id})


def describe_job(_call: Call, environ: dict[str, Any]) -> Answer:
    """DescribeJob."""
    job = jobs().get(_job_id(environ))
    document = job.document
    content = {
        "JobId": job.id,
        "JobArn": job.arn,
        "ConfirmationRequired": document.get("ConfirmationRequired"),
        "Description": document.get("Description"),
        "Status": job.status,
        "Manifest": document["Manifest"],
        "Operation": document["Operation"],
        "Priority": document["Priority"],
        "ProgressSummary": _progress(job),
        "StatusUpdateReason": job.why or None,
        "FailureReasons": _failures(job),
        "Report": document["Report"],
        "CreationTime": xml_date(job.created),
        "TerminationDate": xml_date(job.ended) if job.ended else None,
        "RoleArn": job.role,
    }
    return s3_answer("DescribeJobResult", {"Job": content})


def list_jobs(_call: Call, environ: dict[str, Any]) -> Answer:
    """ListJobs, the newest first, in one page."""
    states = [value for name, value in parse_qsl(environ["QUERY_STRING"]) if name == "jobStatuses"]
    listed = [
        {
            "JobId": job.id,
            "Description": job.document.get("Description"),
            "Operation": "LambdaInvoke",
            "Priority": job.document["Priority"],
            "Status": job.status,
            "CreationTime": xml_date(job.created),
            "TerminationDate": xml_date(job.ended) if job.ended else None,
            "ProgressSummary": _progress(job),
        }
        for job in jobs().newest_first()
        if not states or job.status in states
    ]
    return s3_answer("ListJobsResult", {"Jobs": {"member": listed}})


def update_job_status(_call: Call, environ: dict[str, Any]) -> Answer:
    """UpdateJobStatus: a suspended job is confirmed with Ready, one that has not ended may be cancelled."""
    job, query = jobs().get(_job_id(environ)), dict(parse_qsl(environ["QUERY_STRING"]))
    wanted = query.get("requestedJobStatus")
    if wanted == "Ready" and job.status == "Suspended":
        job.status = "Ready"
        running.confirm(job)
    elif wanted == "Cancelled" and job.status not in FINISHED:
        if job.status == "Active":
            job.status = "Cancelling"
        else:
            job.end("Cancelled")
    else:
        raise S3Error(400, "JobStatusException", f"A job in status {job.status} does not become {wanted}.")
    job.why = query.get("statusUpdateReason", "")
    return s3_answer("UpdateJobStatusResult", {"JobId": job.id, "Status": job.status, "StatusUpdateReason": job.why})


_OPERATIONS: Mapping[str, Callable[[Call, dict[str, Any]], Answer]] = {
    "CreateJob": create_job,
    "DescribeJob": describe_job,
    "ListJobs": list_jobs,
    "UpdateJobStatus": update_job_status,
}


def _document(environ: Mapping[str, Any]) -> dict[str, Any]:
    body = environ["wsgi.input"].getvalue()
    try:
        parsed = xmltodict.parse(body, force_list=("member", "entry"))["CreateJobRequest"]
    except Exception:
        raise malformed_xml() from None
    return {name: value for name, value in parsed.items() if not name.startswith("@")}


def _check(document: Mapping[str, Any]) -> None:
    operation, invoke = document.get("Operation") or {}, (document.get("Operation") or {}).get("LambdaInvoke")
    if "ManifestGenerator" in document or (operation and not invoke):
        raise S3Error(501, "NotImplemented", "The emulator runs jobs of LambdaInvoke with a manifest only.")
    missing = {"Operation", "Report", "ClientRequestToken", "Priority", "RoleArn", "Manifest"} - document.keys()
    if missing or not invoke:
        raise _invalid(f"Request invalid: {', '.join(sorted(missing)) or 'LambdaInvoke'} is missing")
    spec = document["Manifest"].get("Spec") or {}
    fields = (spec.get("Fields") or {}).get("member", [])
    if spec.get("Format") != FORMAT:
        raise S3Error(501, "NotImplemented", f"The emulator reads manifests in the format {FORMAT} only.")
    if not {"Bucket", "Key"} <= set(fields) <= set(FIELDS):
        raise _invalid("Request invalid: Fields must name Bucket and Key")
    given = running.arguments(invoke)
    if given and invoke.get("InvocationSchemaVersion") != "2.0":
        raise _invalid("Request invalid: UserArguments need the invocation schema 2.0")
    if len(given) > _MOST_ARGUMENTS:
        raise _invalid(f"Request invalid: more than {_MOST_ARGUMENTS} UserArguments")


def _invalid(message: str) -> S3Error:
    return S3Error(400, "InvalidRequest", message)


def _account(environ: Mapping[str, Any]) -> str:
    return str(environ.get("HTTP_X_AMZ_ACCOUNT_ID") or "123456789012")


def _job_id(environ: Mapping[str, Any]) -> str:
    return str(environ["PATH_INFO"]).split("/")[3]


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
    return {"member": [{"FailureCode": code, "FailureReason": reason}]}
