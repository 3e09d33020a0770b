"""Access checks: the expected bucket owner of a request, and Deny statements of bucket policies.

The emulator does not evaluate the policies of roles, so an Allow changes nothing, and only a Deny counts.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from emulator.calls.answers import S3Error
from emulator.calls.call import Call
from emulator.iam import policies
from emulator.s3.copy_sources import parse
from emulator.s3.histories import find_bucket
from emulator.s3.requests import Request

# Operations whose permission has another name.
_PERMISSIONS = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteObjects": "DeleteObject",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetObjectAttributes": "GetObject",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PostObject": "PutObject",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
# A request that names a version needs another permission: GetObjectVersionAcl, not GetObjectAcl.
_OF_VERSIONS = (
    "DeleteObject",
    "DeleteObjectAnnotation",
    "DeleteObjectTagging",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAnnotation",
    "GetObjectTagging",
    "ListObjectAnnotations",
    "PutObjectAcl",
    "PutObjectAnnotation",
    "PutObjectTagging",
)
# The bucket owner can always repair a policy.
_ALWAYS = ("CreateBucket", "DeleteBucketPolicy", "GetBucketPolicy", "PutBucketPolicy")


def check(request: Request) -> None:
    """Raise AccessDenied if the bucket or the copy source has another owner than expected, or its policy denies."""
    call = request.call
    _check_owner(call.bucket, request.header("x-amz-expected-bucket-owner"))
    if call.operation not in _ALWAYS:
        name = _PERMISSIONS.get(call.operation, call.operation)
        _check_policy(call, call.bucket, call.key, _versioned(name, request.version_id))
    if call.copy_source is not None:
        bucket, key, version_id = parse(call.copy_source)
        _check_owner(bucket, request.header("x-amz-source-expected-bucket-owner"))
        _check_policy(call, bucket, key, _versioned("GetObject", version_id))


def check_key(call: Call, key: str, version_id: str | None) -> None:
    """Raise AccessDenied if the bucket policy denies what a call for several keys does to one of them."""
    name = _PERMISSIONS.get(call.operation, call.operation)
    _check_policy(call, call.bucket, key, _versioned(name, version_id))


def _versioned(permission: str, version_id: str | None) -> str:
    if version_id is None or permission not in _OF_VERSIONS:
        return permission
    return permission.replace("Object", "ObjectVersion", 1)


def _check_owner(name: str | None, expected: str | None) -> None:
    bucket = find_bucket(name) if expected else None
    if bucket is not None and bucket.account_id != expected:
        raise S3Error(403, "AccessDenied", "Access Denied")


def _check_policy(call: Call, name: str | None, key: str | None, permission: str) -> None:
    bucket = find_bucket(name)
    if bucket is None or bucket.policy is None:
        return
    account, principal = bucket.account_id, call.principal
    names = {account, f"arn:aws:iam::{account}:root", principal.arn}
    conditions = {
        "aws:SecureTransport": "true",  # the emulator has no TLS, but stands for an endpoint that has
        "aws:PrincipalAccount": account,
        "aws:PrincipalArn": principal.arn,
        "aws:RequestedRegion": call.region,
    }
    resource = bucket.arn if key is None else f"{bucket.arn}/{key}"
    identity = policies.Identity(frozenset(names))
    context = policies.RequestContext(identity, f"s3:{permission}", resource, conditions)
    if policies.decide(_parsed(bytes(bucket.policy)), context) == "Deny":
        raise S3Error(403, "AccessDenied", "Access Denied")


@lru_cache(maxsize=256)
def _parsed(policy: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(policy)
    return document
