"""The manifest that S3 generates for a job, from the versions of a bucket.

Of a bucket with versioning, every version is listed. Where the manifest is written is up to the job; its names there
are not documented. S3 refuses a manifest without lines.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_S3JobManifestGenerator.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-batch.html#batch-replication-manifest
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-policies.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote_plus

from moto.s3.models import FakeBucket

from emulator.calls.answers import S3Error
from emulator.s3 import kms_keys
from emulator.s3.batch import filters, inventories, permissions, storing
from emulator.s3.batch.jobs import Job, Line, Unusable, is_true
from emulator.s3.histories import find_bucket, get_bucket, history
from emulator.s3.native import configuration
from emulator.s3.versions import Encryption, Version

_FAILED = "ManifestGenerationFailed"


def generate(job: Job, generator: Mapping[str, Any]) -> list[Line]:
    """Return the lines of a generated manifest; write it, if the job wants so. Raises Unusable."""
    bucket, wanted = _source(job, generator), generator.get("Filter") or {}
    found = [line for key in sorted(bucket.keys) for line in _lines(bucket, key, wanted)]
    if not found:
        raise Unusable(_FAILED, "Manifest generation found no keys matching the filter criteria.")
    if is_true(generator.get("EnableManifestOutput")):
        job.generated = _write(job, bucket, found, generator["ManifestOutputLocation"])
    return found


def _source(job: Job, generator: Mapping[str, Any]) -> FakeBucket:
    """Return the bucket whose versions are listed, if the job's role may list them. Raises Unusable."""
    try:
        bucket = get_bucket(storing.bucket_named(generator["SourceBucket"]))
    except S3Error as error:
        raise Unusable(_FAILED, error.message) from None
    _check_owner(bucket, generator.get("ExpectedBucketOwner"))
    eligible = is_true((generator.get("Filter") or {}).get("EligibleForReplication"))
    for action in ("s3:PutInventoryConfiguration", *(["s3:GetReplicationConfiguration"] if eligible else [])):
        if not permissions.may_on(job, action, bucket):
            raise Unusable("AccessDenied", f"Generating the manifest is forbidden: AccessDenied ({action})")
    if eligible and not configuration.is_configured(bucket):
        raise Unusable(_FAILED, "The replication configuration was not found")
    return bucket


def _lines(bucket: FakeBucket, key: str, wanted: Mapping[str, Any]) -> Iterator[Line]:
    versioned = bucket.versioning_status is not None
    for entry in history(bucket, key):
        if filters.matches(entry, bucket, wanted):
            yield Line(bucket.name, quote_plus(key, safe="/"), entry.version_id if versioned else None)


def _write(job: Job, source: FakeBucket, found: list[Line], location: Mapping[str, Any]) -> dict[str, str]:
    """Write the manifest; return where it is, as JobManifestLocation has it. Raises Unusable."""
    bucket = find_bucket(storing.bucket_named(location["Bucket"]))
    if bucket is None or bucket.region_name != source.region_name:
        raise Unusable(_FAILED, "The bucket of the generated manifest must be in the Region of the source bucket.")
    _check_owner(bucket, location.get("ExpectedManifestBucketOwner"))
    folder = f"{str(location.get('ManifestPrefix') or '').strip('/')}/job-{job.id}".lstrip("/")
    encryption = _encryption(location, bucket)

    def put(key: str, body: bytes) -> Version:
        denied = Unusable("AccessDenied", "Writing the generated manifest is forbidden: AccessDenied (s3:PutObject)")
        return storing.put(job, bucket, key, body, denied=denied, encryption=encryption)

    written = inventories.write(source.name, found, bucket.name, folder, put)
    return {"ObjectArn": f"{bucket.arn}/{written.name}", "ETag": written.etag.strip('"')}


def _encryption(location: Mapping[str, Any], bucket: FakeBucket) -> Encryption:
    asked = (location.get("ManifestEncryption") or {}).get("SSE-KMS")
    if not asked:
        return Encryption()
    try:
        return Encryption("aws:kms", kms_keys.arn_of(asked["KeyId"], bucket))
    except S3Error as error:
        raise Unusable(_FAILED, error.message) from None


def _check_owner(bucket: FakeBucket, expected: Any) -> None:
    if expected and bucket.account_id != str(expected):
        raise Unusable("AccessDenied", f"The owner of the bucket {bucket.name} is not the expected one.")
