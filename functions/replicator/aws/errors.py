"""The error table: what an AWS error code means for a change.

    (API operation, error code, side) -> Temporary | Permanent | Conflict

Codes are compared, never messages (only `denials.py` reads which action was denied), nor the classes in
`client.exceptions`: botocore makes those without a lock, and two threads may hold different ones of the same name. A
code that is not in the table is temporary: a new code of S3's costs time, but no object is lost. The codes are those of
the S3 API reference ("Error responses"); a HEAD has no body, so its codes are HTTP statuses.
"""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    HTTPClientError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from botocore.parsers import ResponseParserError

from replicator.aws.denials import ANY, DENIED, named_in, reason_of
from replicator.core.outcomes.outcome import Conflict, Permanent, Reason, Side, Temporary, Trouble
from replicator.core.parts.uploads import SourceGone, UploadGone, UploadSpoiled

__all__ = [
    "DENIED",
    "FROM_PARSERS",
    "TRANSLATED",
    "Side",
    "Unreadable",
    "code_of",
    "status_of",
    "translate",
]


class Unreadable(Exception):
    """An answer lacks what every such answer has, or contradicts another one; says what, in a few words."""


FROM_PARSERS = (ValueError, TypeError, RuntimeError)
"""What botocore's parsers raise for what is no number or date, the last for a date that no clock shows."""
TRANSLATED = (ClientError, BotoCoreError, ResponseParserError, Unreadable, *FROM_PARSERS)
"""What `translate` takes. ResponseParserError, for text that is no XML, is not one of botocore's BotoCoreErrors."""

OUR_OWN = frozenset({Side.JOURNAL, Side.QUEUE, Side.EVENTS, Side.RULES, Side.METRICS})
THROTTLED = frozenset(
    {
        "SlowDown",
        "503",
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "RequestThrottled",
        "KMS.ThrottlingException",
        "BandwidthLimitExceeded",
    }
)
NOT_IMPLEMENTED = frozenset({"NotImplemented", "XNotImplemented", "501"})
"""The service, or this kind of bucket, does not know the operation or one of its headers: repeating it is no use."""
GUARD_FAILED = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "OperationAborted"})
AMENDING = (
    *("GetObjectTagging", "PutObjectTagging", "GetObjectAcl", "PutObjectAcl", "PutObjectRetention"),
    *("PutObjectLegalHold", "PutObjectAnnotation", "DeleteObjectAnnotation"),
)
"""Requests about what a version has beside its bytes."""
UNGUARDED = frozenset(AMENDING)
"""Unconditional requests: if S3 returns OperationAborted, another request for the same object is in progress."""

KEY_STATES = (
    "KMS.DisabledException",
    "KMS.KMSInvalidStateException",
    "KMS.InvalidStateException",
    "KMS.InvalidKeyUsageException",
)
KEY_UNUSABLE = frozenset({*KEY_STATES, "KMS.NotFoundException"})
"""Nobody can use the KMS key of an object, whatever its policy allows."""

CANNOT_PASS = (
    "EntityTooSmall",
    "InvalidArgument",
    "InvalidBucketState",
    "InvalidEncryptionAlgorithmError",
    "InvalidPartOrder",
    "InvalidRange",
    # Of many kinds, such as a lock for a bucket without Object Lock.
    "InvalidRequest",
    "InvalidStorageClass",
    "InvalidTag",
    "KeyTooLongError",
    "MalformedXML",
    "MethodNotAllowed",
)
"""Codes that say that a copy itself is wrong for its bucket: the same request is refused again. `InvalidPart` is not
among them: parts are listed again, and may have been copied a second time meanwhile, which changes ETags under KMS
keys."""

PERMANENT: dict[tuple[str, str, Side], Reason] = {
    (ANY, "NoSuchBucket", Side.SOURCE): Reason.SRC_BUCKET_NOT_FOUND,
    (ANY, "NoSuchBucket", Side.DESTINATION): Reason.DST_BUCKET_NOT_FOUND,
    ("HeadBucket", "404", Side.SOURCE): Reason.SRC_BUCKET_NOT_FOUND,
    ("HeadBucket", "404", Side.DESTINATION): Reason.DST_BUCKET_NOT_FOUND,
    (ANY, "PermanentRedirect", Side.SOURCE): Reason.SRC_BUCKET_REGION,
    (ANY, "PermanentRedirect", Side.DESTINATION): Reason.DST_BUCKET_REGION,
    (ANY, "301", Side.SOURCE): Reason.SRC_BUCKET_REGION,
    (ANY, "301", Side.DESTINATION): Reason.DST_BUCKET_REGION,
    (ANY, "AuthorizationHeaderMalformed", Side.SOURCE): Reason.SRC_BUCKET_REGION,
    (ANY, "AuthorizationHeaderMalformed", Side.DESTINATION): Reason.DST_BUCKET_REGION,
    # GET of a version whose HEAD was 400, which has no body. InvalidRequest: encrypted with SSE-C, so only the owner of
    # the key could read it. InvalidArgument: the version id is not one of S3's.
    ("GetObject", "InvalidRequest", Side.SOURCE): Reason.SRC_NOT_ELIGIBLE,
    ("GetObject", "InvalidArgument", Side.SOURCE): Reason.SRC_VERSION_NOT_FOUND,
    ("GetObject", "KMS.NotFoundException", Side.SOURCE): Reason.SRC_KMS_STATE,
    **{("GetObject", code, Side.SOURCE): Reason.SRC_KMS_STATE for code in KEY_STATES},
    **{
        (operation, code, Side.DESTINATION): reason
        for operation in ("CopyObject", "CreateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload")
        for code, reason in (
            ("InvalidObjectState", Reason.SRC_NOT_ELIGIBLE),
            ("ObjectNotInActiveTierError", Reason.SRC_NOT_ELIGIBLE),
            ("KMS.NotFoundException", Reason.DST_KMS_NOT_FOUND),
            *((code, Reason.DST_KMS_STATE) for code in KEY_STATES),
            ("AccessControlListNotSupported", Reason.DST_PUT_ACL_DENIED),
            *((code, Reason.REFUSED) for code in CANNOT_PASS),
            ("MetadataTooLarge", Reason.NO_ROOM),
            ("RequestHeaderSectionTooLarge", Reason.NO_ROOM),
            ("EntityTooLarge", Reason.TOO_LARGE),
        )
    },
    # Of a version by its id: it was deleted for good.
    **{
        (operation, code, side): reason
        for operation in AMENDING
        for code in ("NoSuchVersion", "NoSuchKey", "404")
        for side, reason in (
            (Side.SOURCE, Reason.SRC_VERSION_NOT_FOUND),
            (Side.DESTINATION, Reason.DST_VERSION_NOT_FOUND),
        )
    },
    **{
        (operation, code, side): reason
        for operation in AMENDING
        if operation.startswith("Put")
        for side in (Side.SOURCE, Side.DESTINATION)
        for code, reason in (
            (
                "AccessControlListNotSupported",
                Reason.SRC_PUT_ACL_DENIED if side is Side.SOURCE else Reason.DST_PUT_ACL_DENIED,
            ),
            *((code, Reason.REFUSED) for code in CANNOT_PASS),
        )
    },
    # The parts of an upload are listed with its key.
    ("ListParts", "KMS.NotFoundException", Side.DESTINATION): Reason.DST_KMS_NOT_FOUND,
    **{("ListParts", code, Side.DESTINATION): Reason.DST_KMS_STATE for code in KEY_STATES},
    # STS denies in these words, too; what it refuses for itself is wrong in the parameters.
    ("AssumeRole", "RegionDisabledException", Side.DESTINATION): Reason.ASSUME_ROLE_DENIED,
    ("AssumeRole", "ValidationError", Side.DESTINATION): Reason.REFUSED,
    # The completed object would differ from the source in checksum or size.
    ("CompleteMultipartUpload", "BadDigest", Side.DESTINATION): Reason.CHECKSUM,
    ("CompleteMultipartUpload", "InvalidRequest", Side.DESTINATION): Reason.CHECKSUM,
}

CONFLICTS: dict[tuple[str, str], type[Conflict]] = {
    # The guarded object or the version to copy is gone: the facts show which, once they are read again.
    ("CopyObject", "NoSuchKey"): Conflict,
    ("CopyObject", "NoSuchVersion"): Conflict,
    ("CopyObject", "404"): Conflict,
    ("DeleteObject", "NoSuchKey"): Conflict,
    ("DeleteObject", "404"): Conflict,
    ("CompleteMultipartUpload", "NoSuchKey"): Conflict,
    # For copies in parts it matters what is gone. HeadObject: of one part, with the source's ETag as a condition.
    ("HeadObject", "404"): SourceGone,
    ("HeadObject", "412"): SourceGone,
    ("UploadPartCopy", "NoSuchKey"): SourceGone,
    ("UploadPartCopy", "NoSuchVersion"): SourceGone,
    ("UploadPartCopy", "PreconditionFailed"): SourceGone,
    ("UploadPartCopy", "NoSuchUpload"): UploadGone,
    ("ListParts", "NoSuchUpload"): UploadGone,
    ("CompleteMultipartUpload", "NoSuchUpload"): UploadGone,
    ("CompleteMultipartUpload", "ConditionalRequestConflict"): UploadSpoiled,
}


def code_of(error: BaseException | None) -> str:
    """Return the error code of a response; empty if there was no response."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def status_of(error: ClientError) -> int:
    """Return the HTTP status of an answer; 0 if it has none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def translate(error: Exception, operation: str, side: Side) -> Temporary | Permanent | Conflict:
    """Return the trouble that botocore's exception means. Its `detail` names operation, side and error code."""
    trouble = _translate(error, operation, side)
    if isinstance(trouble, Trouble):
        trouble.side = side
    return trouble


def _translate(error: Exception, operation: str, side: Side) -> Temporary | Permanent | Conflict:
    if isinstance(error, ClientError):
        return _from_answer(error, operation, side)
    if isinstance(error, (Unreadable, ResponseParserError, *FROM_PARSERS)):
        return _from_unreadable(error, operation, side)
    detail = f"{operation} ({side}): {type(error).__name__}"
    if isinstance(error, ParamValidationError):
        return Permanent(Reason.UNKNOWN, detail)
    if isinstance(error, ReadTimeoutError | ConnectTimeoutError):
        return Temporary(Reason.TIMED_OUT, detail)
    if isinstance(error, BotoConnectionError | HTTPClientError | BotoCoreError):
        return Temporary(Reason.SERVICE, detail)
    return Temporary(Reason.UNKNOWN, detail)


def _from_answer(error: ClientError, operation: str, side: Side) -> Temporary | Permanent | Conflict:
    code, status = code_of(error), status_of(error)
    answered = code if code == str(status) else f"{code} {status or ''}".rstrip()
    detail = f"{operation} ({side}): {answered}"
    if side in OUR_OWN:
        return _from_our_own(code, detail)
    if (operation, code) in CONFLICTS or (code in GUARD_FAILED and operation not in UNGUARDED):
        return CONFLICTS.get((operation, code), Conflict)(detail)
    if code in THROTTLED:
        return Temporary(Reason.THROTTLED, detail)
    reason = PERMANENT.get((operation, code, side)) or PERMANENT.get((ANY, code, side))
    if reason is None and code in DENIED:
        return _from_denial(error, operation, side, detail)
    if reason is None and code in NOT_IMPLEMENTED:
        reason = Reason.NOT_IMPLEMENTED
    if reason is not None:
        return Permanent(reason, detail)
    return Temporary(Reason.SERVICE if status >= 500 else Reason.UNKNOWN, detail)


def _from_denial(error: ClientError, operation: str, side: Side, detail: str) -> Permanent:
    """Name the action too, if the message does. A copy's own module tells the source's actions from the others."""
    named = named_in(error)
    action = named.action if named else ""
    return Permanent(reason_of(operation, side, action), f"{detail} on {action}" if action else detail)


def _from_unreadable(error: Exception, operation: str, side: Side) -> Temporary:
    """Name what cannot be read. The text of a parser's error is left out: it repeats the answer."""
    if isinstance(error, Unreadable):
        what = str(error)
    elif isinstance(error, ResponseParserError):
        what = "not the XML or JSON that it should be"
    else:
        what = f"an element of another kind ({type(error).__name__})"
    return Temporary(Reason.SERVICE if side in OUR_OWN else Reason.UNREADABLE, f"{operation} ({side}): {what}")


def _from_our_own(code: str, detail: str) -> Temporary:
    """Treat trouble with the stack's own resources as temporary, so that every change still waits after a repair."""
    if code in THROTTLED:
        return Temporary(Reason.THROTTLED, detail)
    return Temporary(Reason.JOURNAL_DENIED if code.startswith("AccessDenied") else Reason.SERVICE, detail)
