"""The manifest of a job: a CSV object with bucket, key and perhaps version id in each line, keys URL-encoded.

The ETag must be the one that the job names. Key and version id go to the function as form encoding has them: AWS's
sample decodes them with `unquote_plus`.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from urllib.parse import quote_plus, unquote_plus

from emulator.calls.answers import S3Error
from emulator.s3.batch import permissions
from emulator.s3.batch.jobs import Job
from emulator.s3.histories import get_bucket, get_version

FORMAT = "S3BatchOperations_CSV_20180820"
FIELDS = ("Ignore", "Bucket", "Key", "VersionId")


class Unusable(Exception):
    """The job cannot run: the failure code, and why."""


@dataclass(frozen=True)
class Line:
    """One line. `key` is form-encoded; an empty version id means the current version."""

    bucket: str
    key: str
    version_id: str = ""


def read(job: Job) -> list[Line]:
    """Return the lines of a job's manifest. Raises Unusable."""
    location, spec = job.document["Manifest"]["Location"], job.document["Manifest"]["Spec"]
    name, _, key = str(location["ObjectArn"]).partition(":::")[2].partition("/")
    version_id = location.get("ObjectVersionId")
    try:
        bucket = get_bucket(name)
        action = "s3:GetObjectVersion" if version_id else "s3:GetObject"
        if not permissions.may(job.role, action, str(location["ObjectArn"]), bucket.policy):
            raise Unusable("AccessDenied", f"Reading the manifest is forbidden: {action}")
        version = get_version(bucket, key, version_id, "GET")
    except S3Error as error:
        raise Unusable("ManifestNotFound", error.message) from None
    if version.etag.strip('"') != str(location["ETag"]).strip('"'):
        raise Unusable("ManifestInvalid", "The manifest's ETag is not the one that the job names.")
    return _lines(version.value.decode(), spec["Fields"]["member"])


def _lines(text: str, fields: list[str]) -> list[Line]:
    found = []
    for number, row in enumerate(csv.reader(io.StringIO(text)), 1):
        if len(row) != len(fields):
            raise Unusable("ManifestInvalid", f"Line {number} has {len(row)} fields instead of {len(fields)}.")
        named = dict(zip(fields, row, strict=True))
        key = quote_plus(unquote_plus(named["Key"]), safe="/")
        found.append(Line(named["Bucket"], key, unquote_plus(named.get("VersionId", ""))))
    buckets = {line.bucket for line in found}
    if len(buckets) > 1:
        raise Unusable("ManifestInvalid", f"All lines must name one bucket, not {', '.join(sorted(buckets))}.")
    if len({bool(line.version_id) for line in found}) > 1:
        raise Unusable("ManifestInvalid", "Either all lines name a version, or none does.")
    return found
