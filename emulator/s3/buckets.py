"""Buckets: the defaults of new ones, and versioning.

Since 2023, new buckets have ACLs disabled (BucketOwnerEnforced), Block Public Access on, and default encryption with
SSE-S3. Versioning cannot be suspended where Object Lock is enabled, nor while S3 replicates the bucket.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-and-other-bucket-configs.html
"""

from __future__ import annotations

from typing import Any

from moto.s3.models import FakeBucket, S3Backend

from emulator.calls.answers import Answer, S3Error, malformed_xml
from emulator.patching import patch
from emulator.s3 import public_access
from emulator.s3.native.configuration import is_configured
from emulator.s3.requests import Request
from emulator.state import active


class _ByDefault(dict[str, Any]):
    """The encryption that every bucket has, rather than one that somebody configured."""


_BY_DEFAULT = {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}}


@patch(S3Backend, "create_bucket")
def _create_bucket(original: Any, backend: S3Backend, *arguments: Any, **named: Any) -> FakeBucket:
    bucket: FakeBucket = original(backend, *arguments, **named)
    wanted = active().new_buckets
    bucket.ownership_rule = wanted.ownership  # type: ignore[assignment] # moto stores a string and declares a dict
    bucket.encryption = _ByDefault(_BY_DEFAULT)
    bucket.public_access_block = public_access.of_new_bucket() if wanted.block_public_access else None
    return bucket


@patch(S3Backend, "delete_bucket_encryption")
def _delete_bucket_encryption(_original: Any, backend: S3Backend, bucket_name: str) -> None:
    """Restore the default: S3 has no bucket without default encryption."""
    backend.get_bucket(bucket_name).encryption = _ByDefault(_BY_DEFAULT)


def has_own_encryption(bucket: FakeBucket) -> bool:
    """Return whether somebody configured the default encryption of a bucket."""
    return not isinstance(bucket.encryption, _ByDefault)


def put_bucket_versioning(request: Request) -> Answer:
    """PutBucketVersioning."""
    bucket, status = request.bucket, request.xml("VersioningConfiguration").get("Status")
    if status is None:
        message = "The Versioning element must be specified"
        raise S3Error(400, "IllegalVersioningConfigurationException", message)
    if status not in ("Enabled", "Suspended"):
        raise malformed_xml()
    if status == "Suspended" and bucket.object_lock_enabled:
        message = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
        raise S3Error(409, "InvalidBucketState", message)
    if status == "Suspended" and is_configured(bucket):
        message = (
            "A replication configuration is present on this bucket, so the versioning state cannot be changed. "
            "To change it, first delete the replication configuration."
        )
        raise S3Error(409, "InvalidBucketState", message)
    bucket.versioning_status = status
    return Answer(200, {})


def head_bucket(request: Request) -> Answer:
    """HeadBucket, with the bucket's Region and ARN; a missing bucket is a plain 404."""
    headers = {
        "x-amz-bucket-region": request.bucket.region_name,
        "x-amz-bucket-arn": request.bucket.arn,
        "x-amz-access-point-alias": "false",
        "Content-Type": "application/xml",
    }
    return Answer(200, headers)
