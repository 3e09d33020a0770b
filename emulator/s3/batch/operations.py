"""The operations on jobs of S3's control API.

Of operations that a job may run, there is LambdaInvoke. botocore puts the account in front of the host name; the
emulator answers under any.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListJobs.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_UpdateJobStatus.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_UpdateJobPriority.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutJobTagging.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import xmltodict  # type: ignore[import-untyped]

from emulator.calls.answers import Answer, S3Error, malformed_xml, s3_answer
from emulator.calls.call import Call
from emulator.s3.batch import descriptions, requests, running
from emulator.s3.batch.jobs import FINISHED, STATES, Job, jobs

_LISTS = ("member", "entry", "ObjectEncryption")
_LARGEST_PAGE = 1000


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
    document = _document(environ, "CreateJobRequest")
    requests.check(document)
    job = Job(
        _account(call, environ),
        call.region,
        document,
        jobs().changed,
        priority=requests.read_priority(document["Priority"]) or 0,
        tags=requests.tags(document),
    )
    kept = jobs().add(job, str(document["ClientRequestToken"]))
    if kept is job:
        running.start(job)
    return s3_answer("CreateJobResult", {"JobId": kept.id})


def describe_job(call: Call, environ: dict[str, Any]) -> Answer:
    """DescribeJob."""
    return s3_answer("DescribeJobResult", {"Job": descriptions.in_full(_job(call, environ))})


def list_jobs(call: Call, environ: dict[str, Any]) -> Answer:
    """ListJobs, the newest first, in pages."""
    query = parse_qsl(environ["QUERY_STRING"])
    states = {value for name, value in query if name == "jobStatuses"}
    if states - STATES.keys():
        raise S3Error(400, "InvalidRequest", f"There is no status {', '.join(sorted(states - STATES.keys()))}.")
    most, token = int(dict(query).get("maxResults", _LARGEST_PAGE)), dict(query).get("nextToken")
    found = [
        job for job in jobs().newest_first(_account(call, environ), call.region) if not states or job.status in states
    ]
    after = _after(found, token) if token else 0
    page = found[after : after + min(most, _LARGEST_PAGE)]
    more = base64.b64encode(page[-1].id.encode()).decode() if page and len(found) > after + len(page) else None
    listed = {"NextToken": more, "Jobs": {"member": list(map(descriptions.in_short, page))}}
    return s3_answer("ListJobsResult", listed)


def update_job_status(call: Call, environ: dict[str, Any]) -> Answer:
    """UpdateJobStatus: a suspended job is confirmed with Ready, one that has not ended may be cancelled."""
    job, query = _job(call, environ), dict(parse_qsl(environ["QUERY_STRING"]))
    wanted, before = query.get("requestedJobStatus"), job.status
    with job.changed:
        done = {"Ready": running.confirm, "Cancelled": running.cancel}.get(str(wanted), lambda _: False)(job)
        if not done:
            raise S3Error(400, "JobStatusException", f"A job in status {before} does not become {wanted}.")
        job.why = query.get("statusUpdateReason", "")
        result = {"JobId": job.id, "Status": job.status, "StatusUpdateReason": job.why or None}
    return s3_answer("UpdateJobStatusResult", result)


def update_job_priority(call: Call, environ: dict[str, Any]) -> Answer:
    """UpdateJobPriority, of a job that has not ended."""
    job, query = _job(call, environ), dict(parse_qsl(environ["QUERY_STRING"]))
    priority = requests.read_priority(query.get("priority"))
    if priority is None or job.status in FINISHED:
        raise S3Error(400, "InvalidRequest", f"The priority of a job in status {job.status} cannot be set to this.")
    with job.changed:
        job.priority = priority
        job.changed.notify_all()
    return s3_answer("UpdateJobPriorityResult", {"JobId": job.id, "Priority": job.priority})


def get_job_tagging(call: Call, environ: dict[str, Any]) -> Answer:
    """GetJobTagging."""
    listed = [{"Key": key, "Value": value} for key, value in _job(call, environ).tags.items()]
    return s3_answer("GetJobTaggingResult", {"Tags": {"member": listed}})


def put_job_tagging(call: Call, environ: dict[str, Any]) -> Answer:
    """PutJobTagging, which replaces all tags."""
    job, wanted = _job(call, environ), requests.tags(_document(environ, "PutJobTaggingRequest"))
    requests.check_tags(wanted)
    job.tags = wanted
    return s3_answer("PutJobTaggingResult", {})


def delete_job_tagging(call: Call, environ: dict[str, Any]) -> Answer:
    """DeleteJobTagging."""
    _job(call, environ).tags = {}
    return s3_answer("DeleteJobTaggingResult", {})


_OPERATIONS: Mapping[str, Callable[[Call, dict[str, Any]], Answer]] = {
    "CreateJob": create_job,
    "DeleteJobTagging": delete_job_tagging,
    "DescribeJob": describe_job,
    "GetJobTagging": get_job_tagging,
    "ListJobs": list_jobs,
    "PutJobTagging": put_job_tagging,
    "UpdateJobPriority": update_job_priority,
    "UpdateJobStatus": update_job_status,
}


def _document(environ: Mapping[str, Any], root: str) -> dict[str, Any]:
    body = environ["wsgi.input"].getvalue()
    try:
        parsed = xmltodict.parse(body, force_list=_LISTS)[root]
        return {name: _with_empty(value) for name, value in parsed.items() if not name.startswith("@")}
    except Exception:
        raise malformed_xml() from None


def _with_empty(element: Any) -> Any:
    """Return an element with its empty children, which are returned as they were sent."""
    if isinstance(element, Mapping):
        return {name: _with_empty(child) for name, child in element.items()}
    return [_with_empty(each) for each in element] if isinstance(element, list) else element or ""


def _account(call: Call, environ: Mapping[str, Any]) -> str:
    return str(environ.get("HTTP_X_AMZ_ACCOUNT_ID") or call.principal.account)


def _job(call: Call, environ: Mapping[str, Any]) -> Job:
    return jobs().get(str(environ["PATH_INFO"]).split("/")[3], _account(call, environ), call.region)


def _after(found: list[Job], token: str) -> int:
    """Return the place after the last job of an earlier page. Raises InvalidNextTokenException."""
    try:
        last = base64.b64decode(token, validate=True).decode()
        return next(place for place, job in enumerate(found, 1) if job.id == last)
    except (ValueError, StopIteration):
        raise S3Error(400, "InvalidNextTokenException", "The token does not continue this list.") from None
