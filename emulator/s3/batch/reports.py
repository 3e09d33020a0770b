"""The completion report of a job: one CSV object for tasks that succeeded, one for those that failed, and a manifest.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-examples-reports.html
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from emulator.s3 import checksums, event_records
from emulator.s3.batch import permissions
from emulator.s3.batch.jobs import Job
from emulator.s3.batch.manifests import Line, Unusable
from emulator.s3.histories import find_bucket, lock, push
from emulator.s3.sending import timestamp
from emulator.s3.versions import Attributes, Version

_SCHEMA = "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"


@dataclass(frozen=True)
class TaskResult:
    """What came of one line. `code`: empty, or why it failed."""

    line: Line
    succeeded: bool
    code: str = ""
    message: str = ""


def write(job: Job, results: Sequence[TaskResult]) -> None:
    """Write the report that a job asks for. Raises Unusable."""
    if str(job.report["Enabled"]).lower() != "true":
        return
    prefix = str(job.report.get("Prefix") or "").strip("/")
    folder = f"{prefix}/job-{job.id}".lstrip("/")
    wanted = ("failed",) if job.report.get("ReportScope") == "FailedTasksOnly" else ("succeeded", "failed")
    written = []
    for status in wanted:
        chosen = [each for each in results if each.succeeded == (status == "succeeded")]
        if chosen:
            text = _csv(chosen, status)
            key = f"{folder}/results/{hashlib.sha1(text, usedforsecurity=False).hexdigest()}.csv"
            written.append({"TaskExecutionStatus": status, **_put(job, key, text)})
    manifest: dict[str, Any] = {
        "Format": "Report_CSV_20180820",
        "ReportCreationDate": timestamp(datetime.now(UTC)),
        "Results": written,
        "ReportSchema": _SCHEMA,
    }
    _put(job, f"{folder}/manifest.json", json.dumps(manifest).encode())


def _csv(results: Iterable[TaskResult], status: str) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for each in results:
        line = each.line
        rows.writerow([line.bucket, line.key, line.version_id, status, 200, each.code, each.message])
    return text.getvalue().encode()


def _put(job: Job, key: str, body: bytes) -> dict[str, str]:
    name = str(job.report["Bucket"]).rpartition(":")[2]
    bucket = find_bucket(name)
    if bucket is None:
        raise Unusable("ReportBucketNotFound", f"There is no bucket {name}.")
    if not permissions.may(job.role, "s3:PutObject", f"{bucket.arn}/{key}", bucket.policy):
        raise Unusable("AccessDenied", "Writing the report is forbidden: s3:PutObject")
    version = Version(key, body, Attributes(), bucket=bucket, checksum=checksums.compute(body, checksums.DEFAULT))
    with lock(bucket):
        push(bucket, version)
    event_records.announce("ObjectCreated:Put", bucket, version)
    return {"Bucket": name, "MD5Checksum": version.etag.strip('"'), "Key": key}
