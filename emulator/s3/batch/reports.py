"""The completion report of a job: one CSV object for tasks that succeeded, one for those that failed, and a manifest.

The rows have the HTTP status before the error code, as in AWS's examples; the schema in the manifest has it after. The
MD5 of the manifest lies beside it, as users see on AWS. Reports are always encrypted with SSE-S3.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-examples-reports.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_JobReport.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshooting-batch-operations.html
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from moto.s3.models import FakeBucket

from emulator.s3 import locks
from emulator.s3.batch import storing
from emulator.s3.batch.invocations import TaskResult
from emulator.s3.batch.jobs import Job, Unusable, is_true
from emulator.s3.histories import find_bucket
from emulator.s3.sending import timestamp

FORMAT = "Report_CSV_20180820"
_SCHEMA = "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"


def write(job: Job, results: Sequence[TaskResult]) -> None:
    """Write the report that a job asks for. Raises Unusable."""
    if not is_true(job.report["Enabled"]):
        return
    bucket = _bucket(job)
    prefix = str(job.report.get("Prefix") or "").strip("/")
    folder = f"{prefix}/job-{job.id}".lstrip("/")
    put = partial(storing.put, job, bucket, denied=_undelivered("s3:PutObject"))
    wanted = ("failed",) if job.report.get("ReportScope") == "FailedTasksOnly" else ("succeeded", "failed")
    written = []
    for status in wanted:
        chosen = [each for each in results if each.succeeded == (status == "succeeded")]
        if chosen:
            text = _csv(chosen, status)
            key = f"{folder}/results/{hashlib.sha1(text, usedforsecurity=False).hexdigest()}.csv"
            put(key, text)
            written.append(
                {"TaskExecutionStatus": status, "Bucket": bucket.name, "MD5Checksum": _md5(text), "Key": key}
            )
    manifest: dict[str, Any] = {
        "Format": FORMAT,
        "ReportCreationDate": timestamp(datetime.now(UTC)),
        "Results": written,
        "ReportSchema": _SCHEMA,
    }
    text = json.dumps(manifest).encode()
    put(f"{folder}/manifest.json", text)
    put(f"{folder}/manifest.json.md5", f"{_md5(text)}\n".encode())


def _csv(results: Iterable[TaskResult], status: str) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for each in results:
        line, code = each.line, "" if each.succeeded else each.code
        rows.writerow([line.bucket, line.key, line.version_id or "", status, each.status, code, each.message])
    return text.getvalue().encode()


def _bucket(job: Job) -> FakeBucket:
    """Return the bucket of the report. Raises Unusable for one that takes no reports."""
    name, owner = storing.bucket_named(job.report["Bucket"]), job.report.get("ExpectedBucketOwner")
    bucket = find_bucket(name)
    if bucket is None:
        raise _undelivered(f"there is no bucket {name}", "ReportBucketNotFound")
    if owner and bucket.account_id != str(owner):
        raise _undelivered("its owner is not the expected one")
    if locks.default(bucket).mode:
        raise _undelivered("it has a default retention")
    return bucket


def _undelivered(why: str, code: str = "AccessDenied") -> Unusable:
    words = "The job report could not be written to your report bucket. Please check your permissions."
    return Unusable(code, f"{words} ({why})")


def _md5(text: bytes) -> str:
    return hashlib.md5(text, usedforsecurity=False).hexdigest()
