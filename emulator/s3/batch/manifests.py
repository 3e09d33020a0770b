"""The manifest that a job names: a CSV object, or the manifest.json of an S3 Inventory report in CSV.

The ETag must be the one that the job names, and all lines must name one bucket. Key and version id go to the function
as form encoding has them: AWS's sample decodes them with `unquote_plus`.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshooting-batch-operations.html
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from urllib.parse import quote_plus, unquote_plus

from emulator.calls.answers import S3Error
from emulator.s3.batch import permissions
from emulator.s3.batch.jobs import Job, Line, Unusable
from emulator.s3.histories import get_bucket, get_version
from emulator.s3.versions import Version

CSV = "S3BatchOperations_CSV_20180820"
FIELDS = ("Ignore", "Bucket", "Key", "VersionId")


def read_csv(job: Job) -> list[Line]:
    """Return the lines of a job's manifest in CSV. Raises Unusable.

    One that is encrypted with a KMS key, or with a key of the customer, is not supported.
    """
    version = named(job)
    encryption = version.attributes.encryption
    if encryption.kms_key_id or encryption.customer_key_md5:
        raise Unusable("ManifestInvalid", "Manifests in CSV must not be encrypted with SSE-KMS or SSE-C.")
    fields = job.document["Manifest"]["Spec"]["Fields"]["member"]
    return checked(list(lines(version.value.decode(), fields)))


def named(job: Job) -> Version:
    """Return the object that a job names as its manifest. Raises Unusable."""
    location = job.document["Manifest"]["Location"]
    name, _, key = str(location["ObjectArn"]).partition(":::")[2].partition("/")
    version = read_object(job, name, key, location.get("ObjectVersionId"))
    if version.etag.strip('"') != str(location["ETag"]).strip('"'):
        raise Unusable("ManifestInvalid", "The manifest's ETag is not the one that the job names.")
    return version


def read_object(job: Job, name: str, key: str, version_id: str | None = None) -> Version:
    """Return an object that the manifest consists of, as the job's role reads it. Raises Unusable."""
    try:
        bucket = get_bucket(name)
        action = "s3:GetObjectVersion" if version_id else "s3:GetObject"
        if not permissions.may_on(job, action, bucket, key):
            raise Unusable("AccessDenied", f"Reading the manifest is forbidden: AccessDenied ({action} on {key})")
        return get_version(bucket, key, version_id, "GET")
    except S3Error as error:
        raise Unusable("ManifestNotFound", f"Reading the manifest is forbidden: {error.code}") from None


def lines(text: str, fields: Sequence[str]) -> Iterator[Line]:
    """Yield the lines of a CSV file whose columns have these names. Raises Unusable."""
    for number, row in enumerate(csv.reader(io.StringIO(text)), 1):
        if len(row) != len(fields):
            raise Unusable("ManifestInvalid", f"Line {number} has {len(row)} fields instead of {len(fields)}.")
        column = dict(zip(fields, row, strict=True))
        key = quote_plus(unquote_plus(column["Key"]), safe="/")
        yield Line(column["Bucket"], key, unquote_plus(column["VersionId"]) if "VersionId" in column else None)


def checked(found: list[Line]) -> list[Line]:
    """Return the lines if they name one bucket. Raises Unusable."""
    buckets = {line.bucket for line in found}
    if len(buckets) > 1:
        raise Unusable("ManifestInvalid", f"All lines must name one bucket, not {', '.join(sorted(buckets))}.")
    return found
