"""Which IAM actions a request needs: one table for each service.

The names are those of the service authorization reference; tests compare them with its data. What an operation needs
beside its own action is in the operation's page and in "Required permissions for Amazon S3 API operations".
https://docs.aws.amazon.com/service-authorization/latest/reference/list_s3.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

Header = Callable[[str], str | None]

# Operations of S3 whose action has another name than they.
_S3: Mapping[str, str] = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PostObject": "PutObject",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "SelectObjectContent": "GetObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
# Actions that have another name, and are needed instead, when a request names a version id.
_S3_OF_VERSIONS: Mapping[str, str] = {
    "DeleteObject": "DeleteObjectVersion",
    "GetObject": "GetObjectVersion",
    "GetObjectAttributes": "GetObjectVersionAttributes",
}
# Here the operation's page names the first action, and says that a version id needs the second "also". Whether S3 asks
# for the first as well is not known: a request that names a version id needs both, so that a role which is enough here
# is enough on AWS.
_S3_AND_OF_VERSIONS: Mapping[str, str] = {
    "DeleteObjectAnnotation": "DeleteObjectVersionAnnotation",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
    "GetObjectAcl": "GetObjectVersionAcl",
    "GetObjectAnnotation": "GetObjectVersionAnnotation",
    "GetObjectTagging": "GetObjectVersionTagging",
    "ListObjectAnnotations": "ListObjectVersionAnnotations",
    "PutObjectAcl": "PutObjectVersionAcl",
    "PutObjectAnnotation": "PutObjectVersionAnnotation",
    "PutObjectTagging": "PutObjectVersionTagging",
}
_ACL_HEADERS = ("x-amz-acl", *(f"x-amz-grant-{name}" for name in ("full-control", "read", "read-acp", "write-acp")))
_SETS_OBJECT = frozenset({"CopyObject", "CreateMultipartUpload", "PutObject"})
_CONDITIONAL = frozenset({"CompleteMultipartUpload", "CopyObject", "DeleteObject", "PutObject"})
_BYPASSES = frozenset({"DeleteObject", "DeleteObjectAnnotation", "DeleteObjects", "PutObjectRetention"})
# header -> what it needs, on objects that are written
_S3_OF_HEADERS: Mapping[str, str] = {
    **dict.fromkeys(_ACL_HEADERS, "PutObjectAcl"),
    "x-amz-object-lock-mode": "PutObjectRetention",
    "x-amz-object-lock-retain-until-date": "PutObjectRetention",
    "x-amz-object-lock-event-hold": "PutObjectRetention",
    "x-amz-object-lock-legal-hold": "PutObjectLegalHold",
}
# What S3 leaves out of the answer to a HEAD or a GET, unless the caller is allowed this action.
S3_HEADERS_THAT_NEED: Mapping[str, str] = {
    "x-amz-tagging-count": "GetObjectTagging",
    "x-amz-object-lock-mode": "GetObjectRetention",
    "x-amz-object-lock-retain-until-date": "GetObjectRetention",
    "x-amz-object-lock-event-hold": "GetObjectRetention",
    "x-amz-object-lock-event-hold-duration-days": "GetObjectRetention",
    "x-amz-object-lock-event-hold-duration-years": "GetObjectRetention",
    "x-amz-object-lock-legal-hold": "GetObjectLegalHold",
}
# Actions for which S3 knows the tags of the object, as s3:ExistingObjectTag/<key>.
_ABOUT_STORED = ("GetObject", "GetObjectVersion", "GetObjectAttributes", "GetObjectVersionAttributes")
S3_KNOW_TAGS = frozenset(
    f"s3:{action}" for action in (*_ABOUT_STORED, *_S3_AND_OF_VERSIONS.keys(), *_S3_AND_OF_VERSIONS.values())
)


class Source(NamedTuple):
    """What a copy reads: whether it names a version id, and whether what it names has tags."""

    versioned: bool
    tagged: bool


def of_s3(operation: str, *, versioned: bool, header: Header, source: Source | None = None) -> list[str]:
    """Return what an S3 request needs on the bucket or object of its URL. `source` is that of a copy."""
    needed = _with_version(_S3.get(operation, operation), versioned=versioned)
    if operation == "GetObjectAttributes":
        needed += _with_version("GetObject", versioned=versioned)
    if operation in _SETS_OBJECT:
        needed += [action for name, action in _S3_OF_HEADERS.items() if header(name)]
        needed += ["PutObjectTagging"] if _writes_tags(operation, header, source) else []
    if operation == "CopyObject" and _copies_annotations(header):
        needed.append("PutObjectAnnotation")
    if operation in _CONDITIONAL and header("If-Match"):
        needed.append("GetObject")
    if operation in _BYPASSES and header("x-amz-bypass-governance-retention"):
        needed.append("BypassGovernanceRetention")
    return _prefixed(needed)


def of_s3_source(operation: str, header: Header, source: Source) -> list[str]:
    """Return what a copy needs on its source.

    The pages of the copies name s3:GetObject alone, that of GetObject says that a version id needs GetObjectVersion
    instead. So a copy of a version needs both here, for the same reason as above.
    """
    needed = ["GetObject", *(["GetObjectVersion"] if source.versioned else [])]
    if operation == "CopyObject" and source.tagged and not _replaces_tags(header):
        needed += _with_version("GetObjectTagging", versioned=source.versioned)
    if operation == "CopyObject" and _copies_annotations(header):
        needed += _with_version("GetObjectAnnotation", versioned=source.versioned)
    return _prefixed(needed)


def to_see(name: str, *, versioned: bool) -> list[str]:
    """Return the actions without which S3 leaves a header out of an answer."""
    return _prefixed(_with_version(S3_HEADERS_THAT_NEED[name], versioned=versioned))


def _with_version(action: str, *, versioned: bool) -> list[str]:
    if not versioned:
        return [action]
    if action in _S3_AND_OF_VERSIONS:
        return [action, _S3_AND_OF_VERSIONS[action]]
    return [_S3_OF_VERSIONS.get(action, action)]


def _replaces_tags(header: Header) -> bool:
    return (header("x-amz-tagging-directive") or "").upper() == "REPLACE"


def _writes_tags(operation: str, header: Header, source: Source | None) -> bool:
    if operation == "CopyObject" and not _replaces_tags(header):
        return source is not None and source.tagged
    return bool(header("x-amz-tagging"))


def _copies_annotations(header: Header) -> bool:
    return (header("x-amz-object-annotation-directive") or "COPY").upper() == "COPY"


def _prefixed(actions: list[str]) -> list[str]:
    return list(dict.fromkeys(f"s3:{action}" for action in actions))


# Operations of other services whose action has another name. A batch needs what its single requests need.
_OTHERS: Mapping[tuple[str, str], str] = {
    ("sqs", "ChangeMessageVisibilityBatch"): "ChangeMessageVisibility",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("lambda", "Invoke"): "InvokeFunction",
}
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
# AssumeRole is decided where it is answered: with the policy of the role.
NEED_NOTHING = frozenset({("sts", "AssumeRole"), ("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")})


def of_service(service: str, operation: str) -> str:
    """Return what a request to another service than S3 needs."""
    return f"{service}:{_OTHERS.get((service, operation), operation)}"


# What an event source mapping does with a queue, as the function's role.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
OF_QUEUE_POLLERS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
# What writing and reading an object encrypted with a KMS key needs on the key. A part is read again when it is copied
# into an upload, when the parts are listed and when they are put together.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#require-sse-kms
TO_ENCRYPT, TO_DECRYPT = "kms:GenerateDataKey", "kms:Decrypt"
