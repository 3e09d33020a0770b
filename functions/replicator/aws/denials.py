"""Which permission was missing when S3 denied a request, and so which side and reason code a failure has.

S3's message names the action and the resource, but only within an account or an organization; a HEAD has no message.
So tables say what a denied operation, or a denied action, means. `trials.py` finds out what a message does not say.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html#access-denied-message-examples
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from replicator.core.outcomes.outcome import Reason, Side

DENIED = frozenset(
    {"AccessDenied", "AllAccessDisabled", "AccountProblem", "403", "Forbidden", "KMS.AccessDeniedException"}
)
ANY = "*"
OF_BUCKETS = ("HeadBucket", "ListObjectVersions", "ListMultipartUploads", "GetBucketVersioning")
"""Requests that need permissions for the bucket itself: s3:ListBucket, s3:ListBucketVersions and their like."""
_READS = (
    *("HeadObject", "GetObject", "GetObjectTagging", "GetObjectAcl", "GetObjectRetention", "GetObjectLegalHold"),
    *("GetObjectAnnotation", "ListObjectAnnotations"),
)

WHO_DENIED: Mapping[tuple[str, Side], Reason] = {
    **{(operation, Side.SOURCE): Reason.SRC_BUCKET_DENIED for operation in OF_BUCKETS},
    **{(operation, Side.DESTINATION): Reason.DST_BUCKET_DENIED for operation in OF_BUCKETS},
    **{(operation, Side.DESTINATION): Reason.DST_GET_DENIED for operation in _READS},
    ("AssumeRole", Side.DESTINATION): Reason.ASSUME_ROLE_DENIED,
    ("HeadObject", Side.SOURCE): Reason.SRC_HEAD_DENIED,
    ("GetObjectTagging", Side.SOURCE): Reason.SRC_TAGS_DENIED,
    ("PutObjectTagging", Side.SOURCE): Reason.SRC_PUT_TAGS_DENIED,
    ("PutObjectAcl", Side.SOURCE): Reason.SRC_PUT_ACL_DENIED,
    ("PutObjectRetention", Side.SOURCE): Reason.SRC_PUT_RETENTION_DENIED,
    ("PutObjectLegalHold", Side.SOURCE): Reason.SRC_PUT_LEGAL_HOLD_DENIED,
    ("PutObjectAnnotation", Side.SOURCE): Reason.SRC_PUT_ANNOTATIONS_DENIED,
    ("DeleteObjectAnnotation", Side.SOURCE): Reason.SRC_PUT_ANNOTATIONS_DENIED,
    ("GetObjectAcl", Side.SOURCE): Reason.SRC_ACL_DENIED,
    ("GetObjectRetention", Side.SOURCE): Reason.SRC_RETENTION_DENIED,
    ("GetObjectLegalHold", Side.SOURCE): Reason.SRC_LEGAL_HOLD_DENIED,
    ("GetObjectAnnotation", Side.SOURCE): Reason.SRC_ANNOTATIONS_DENIED,
    ("ListObjectAnnotations", Side.SOURCE): Reason.SRC_ANNOTATIONS_DENIED,
    (ANY, Side.SOURCE): Reason.SRC_GET_DENIED,
    ("DeleteObject", Side.DESTINATION): Reason.DST_DELETE_DENIED,
    ("CreateMultipartUpload", Side.DESTINATION): Reason.DST_MULTIPART_INIT_DENIED,
    ("UploadPartCopy", Side.DESTINATION): Reason.DST_MULTIPART_UPLOAD_DENIED,
    ("ListParts", Side.DESTINATION): Reason.DST_MULTIPART_UPLOAD_DENIED,
    ("AbortMultipartUpload", Side.DESTINATION): Reason.DST_MULTIPART_UPLOAD_DENIED,
    ("CompleteMultipartUpload", Side.DESTINATION): Reason.DST_MULTIPART_COMPLETE_DENIED,
    ("PutObjectAnnotation", Side.DESTINATION): Reason.DST_PUT_ANNOTATIONS_DENIED,
    ("DeleteObjectAnnotation", Side.DESTINATION): Reason.DST_PUT_ANNOTATIONS_DENIED,
    ("PutObjectTagging", Side.DESTINATION): Reason.DST_PUT_TAGS_DENIED,
    ("PutObjectAcl", Side.DESTINATION): Reason.DST_PUT_ACL_DENIED,
    ("PutObjectRetention", Side.DESTINATION): Reason.DST_PUT_RETENTION_DENIED,
    ("PutObjectLegalHold", Side.DESTINATION): Reason.DST_PUT_LEGAL_HOLD_DENIED,
    (ANY, Side.DESTINATION): Reason.DST_PUT_DENIED,
}
"""What a denial means if nothing else is known than the operation."""

OF_ACTIONS: Mapping[tuple[str, Side], Reason] = {
    ("s3:GetObject", Side.SOURCE): Reason.SRC_GET_DENIED,
    ("s3:GetObjectVersion", Side.SOURCE): Reason.SRC_GET_DENIED,
    ("s3:GetObjectTagging", Side.SOURCE): Reason.SRC_TAGS_DENIED,
    ("s3:GetObjectVersionTagging", Side.SOURCE): Reason.SRC_TAGS_DENIED,
    ("s3:GetObjectAcl", Side.SOURCE): Reason.SRC_ACL_DENIED,
    ("s3:GetObjectVersionAcl", Side.SOURCE): Reason.SRC_ACL_DENIED,
    ("s3:GetObjectAnnotation", Side.SOURCE): Reason.SRC_ANNOTATIONS_DENIED,
    ("s3:GetObjectVersionAnnotation", Side.SOURCE): Reason.SRC_ANNOTATIONS_DENIED,
    ("kms:Decrypt", Side.SOURCE): Reason.SRC_KMS_DENIED,
    ("s3:GetObject", Side.DESTINATION): Reason.DST_GET_DENIED,
    ("s3:GetObjectVersion", Side.DESTINATION): Reason.DST_GET_DENIED,
    ("s3:GetObjectTagging", Side.DESTINATION): Reason.DST_GET_DENIED,
    ("s3:GetObjectVersionTagging", Side.DESTINATION): Reason.DST_GET_DENIED,
    ("s3:GetObjectAnnotation", Side.DESTINATION): Reason.DST_GET_DENIED,
    ("s3:GetObjectVersionAnnotation", Side.DESTINATION): Reason.DST_GET_DENIED,
    ("s3:PutObjectTagging", Side.DESTINATION): Reason.DST_PUT_TAGS_DENIED,
    ("s3:PutObjectAcl", Side.DESTINATION): Reason.DST_PUT_ACL_DENIED,
    ("s3:PutObjectRetention", Side.DESTINATION): Reason.DST_PUT_RETENTION_DENIED,
    ("s3:PutObjectLegalHold", Side.DESTINATION): Reason.DST_PUT_LEGAL_HOLD_DENIED,
    ("s3:PutObjectAnnotation", Side.DESTINATION): Reason.DST_PUT_ANNOTATIONS_DENIED,
    ("s3:PutObjectVersionAnnotation", Side.DESTINATION): Reason.DST_PUT_ANNOTATIONS_DENIED,
    ("kms:GenerateDataKey", Side.DESTINATION): Reason.DST_KMS_DENIED,
    ("kms:Decrypt", Side.DESTINATION): Reason.DST_KMS_DENIED,
}
"""What a denied action means, whatever the operation. For actions that are not listed, the operation decides."""

_MESSAGE = re.compile(
    r"User: \S+ is not authorized to perform: (?P<action>(?:s3|kms):\w+) on (?:the )?resource"
    r'(?:: "?arn:[^:\s]*:s3:::(?P<bucket>[^/"\s]+))?'
)

_CALLER = re.compile(r"User: (?P<arn>\S+) is not authorized to perform: sts:AssumeRole")
_OWN_POLICY = "identity-based policy"
"""In the message where STS names the side: the caller's own policies, not the trust policy of the role."""


@dataclass(frozen=True, slots=True)
class Denied:
    """What S3's message names: the action, and the bucket; no bucket for a KMS key."""

    action: str
    bucket: str = ""


def is_denial(error: BaseException | None) -> bool:
    """Return whether an error says that the caller lacks a permission."""
    return _part(error, "Code") in DENIED


def named_in(error: BaseException | None) -> Denied | None:
    """Return what the message names; None if it has none, or another one."""
    found = _MESSAGE.match(_part(error, "Message"))
    return Denied(found["action"], found["bucket"] or "") if found else None


def _part(error: BaseException | None, name: str) -> str:
    """Return a part of an error response as botocore's errors carry it; empty for any other error."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get(name, ""))


def reason_of(operation: str, side: Side, action: str = "") -> Reason:
    """Return the reason code of a denied operation, by the action if that is known."""
    by_operation = WHO_DENIED.get((operation, side)) or WHO_DENIED[ANY, side]
    return OF_ACTIONS.get((action, side), by_operation)


def assume_denied(error: BaseException | None, role: str, external_id: str) -> str:
    """Return which side must permit that a role is assumed, in words for an operator.

    STS denies in the same words what does not exist, and in most cases does not say which of both policies lacks it.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    if _part(error, "Code") == "RegionDisabledException":
        return f"the account of {role} has not activated STS in this Region"
    if not is_denial(error):
        return role
    message = _part(error, "Message")
    named = _CALLER.match(message)
    caller = named["arn"] if named else "the function's role"
    if _OWN_POLICY in message:
        return f"{caller} lacks sts:AssumeRole on {role}; the stack grants it by its parameter DestinationRoles"
    with_id = f"with external id {external_id!r}" if external_id else "without an external id"
    trust = f"{role} does not exist, or its trust policy does not admit {caller} {with_id}"
    return f"either {trust}, or {caller} lacks sts:AssumeRole on it"
