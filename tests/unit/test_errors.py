"""The error table: what an answer by AWS means for a change, depending on the request and its side."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from replicator.aws.denials import DENIED, WHO_DENIED
from replicator.aws.errors import (
    CANNOT_PASS,
    CONFLICTS,
    GUARD_FAILED,
    PERMANENT,
    THROTTLED,
    UNGUARDED,
    Side,
    code_of,
    translate,
)
from replicator.core.outcomes.outcome import Conflict, Permanent, Reason, Temporary
from replicator.core.parts.uploads import SourceGone, UploadGone, UploadSpoiled

SOURCE, DESTINATION, JOURNAL, QUEUE = Side.SOURCE, Side.DESTINATION, Side.JOURNAL, Side.QUEUE


def answered(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "AccessDenied SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "Anything",
    )


Row = tuple[str, str, int, Side, type[Exception], Reason | None]

ROWS: list[Row] = [
    # operation, code, HTTP status, side -> kind of trouble, reason
    ("AssumeRole", "AccessDenied", 403, DESTINATION, Permanent, Reason.ASSUME_ROLE_DENIED),
    ("AssumeRole", "RegionDisabledException", 403, DESTINATION, Permanent, Reason.ASSUME_ROLE_DENIED),
    ("AssumeRole", "ValidationError", 400, DESTINATION, Permanent, Reason.REFUSED),
    ("AssumeRole", "Throttling", 400, DESTINATION, Temporary, Reason.THROTTLED),
    ("HeadObject", "403", 403, SOURCE, Permanent, Reason.SRC_HEAD_DENIED),
    ("HeadObject", "403", 403, DESTINATION, Permanent, Reason.DST_GET_DENIED),
    ("HeadBucket", "403", 403, SOURCE, Permanent, Reason.SRC_BUCKET_DENIED),
    ("HeadBucket", "403", 403, DESTINATION, Permanent, Reason.DST_BUCKET_DENIED),
    ("ListMultipartUploads", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_BUCKET_DENIED),
    ("ListMultipartUploads", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_BUCKET_DENIED),
    ("GetBucketVersioning", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_BUCKET_DENIED),
    ("GetBucketVersioning", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_BUCKET_DENIED),
    ("GetObject", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_GET_DENIED),
    ("GetObject", "KMS.AccessDeniedException", 400, SOURCE, Permanent, Reason.SRC_GET_DENIED),
    ("GetObject", "ExpiredToken", 400, SOURCE, Temporary, Reason.UNKNOWN),
    ("GetObject", "InvalidRequest", 400, SOURCE, Permanent, Reason.SRC_NOT_ELIGIBLE),
    ("GetObject", "InvalidArgument", 400, SOURCE, Permanent, Reason.SRC_VERSION_NOT_FOUND),
    ("GetObject", "KMS.NotFoundException", 400, SOURCE, Permanent, Reason.SRC_KMS_STATE),
    ("GetObject", "KMS.DisabledException", 400, SOURCE, Permanent, Reason.SRC_KMS_STATE),
    ("GetObject", "KMS.KMSInvalidStateException", 400, SOURCE, Permanent, Reason.SRC_KMS_STATE),
    ("CopyObject", "AccessControlListNotSupported", 400, DESTINATION, Permanent, Reason.DST_PUT_ACL_DENIED),
    ("CopyObject", "InvalidArgument", 400, DESTINATION, Permanent, Reason.REFUSED),
    ("CopyObject", "InvalidRequest", 400, DESTINATION, Permanent, Reason.REFUSED),
    ("CreateMultipartUpload", "InvalidRequest", 400, DESTINATION, Permanent, Reason.REFUSED),
    ("CreateMultipartUpload", "InvalidStorageClass", 400, DESTINATION, Permanent, Reason.REFUSED),
    ("CreateMultipartUpload", "InvalidTag", 400, DESTINATION, Permanent, Reason.REFUSED),
    ("CreateMultipartUpload", "InvalidBucketState", 409, DESTINATION, Permanent, Reason.REFUSED),
    ("CreateMultipartUpload", "InvalidEncryptionAlgorithmError", 400, DESTINATION, Permanent, Reason.REFUSED),
    ("CreateMultipartUpload", "KeyTooLongError", 400, DESTINATION, Permanent, Reason.REFUSED),
    ("CopyObject", "MethodNotAllowed", 405, DESTINATION, Permanent, Reason.REFUSED),
    ("UploadPartCopy", "InvalidRequest", 400, DESTINATION, Permanent, Reason.REFUSED),
    ("UploadPartCopy", "InvalidRange", 416, DESTINATION, Permanent, Reason.REFUSED),
    ("CompleteMultipartUpload", "EntityTooSmall", 400, DESTINATION, Permanent, Reason.REFUSED),
    ("CompleteMultipartUpload", "InvalidPartOrder", 400, DESTINATION, Permanent, Reason.REFUSED),
    ("CompleteMultipartUpload", "MalformedXML", 400, DESTINATION, Permanent, Reason.REFUSED),
    ("GetObjectTagging", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_TAGS_DENIED),
    ("GetObjectAcl", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_ACL_DENIED),
    ("PutObjectTagging", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_PUT_TAGS_DENIED),
    ("PutObjectAcl", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_PUT_ACL_DENIED),
    ("PutObjectRetention", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_PUT_RETENTION_DENIED),
    ("PutObjectLegalHold", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_PUT_LEGAL_HOLD_DENIED),
    ("PutObjectAnnotation", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_PUT_ANNOTATIONS_DENIED),
    ("DeleteObjectAnnotation", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_PUT_ANNOTATIONS_DENIED),
    ("PutObjectTagging", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_PUT_TAGS_DENIED),
    ("PutObjectAcl", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_PUT_ACL_DENIED),
    ("PutObjectRetention", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_PUT_RETENTION_DENIED),
    ("PutObjectLegalHold", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_PUT_LEGAL_HOLD_DENIED),
    ("DeleteObjectAnnotation", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_PUT_ANNOTATIONS_DENIED),
    ("GetObjectTagging", "NoSuchVersion", 404, SOURCE, Permanent, Reason.SRC_VERSION_NOT_FOUND),
    ("GetObjectAcl", "NoSuchKey", 404, SOURCE, Permanent, Reason.SRC_VERSION_NOT_FOUND),
    ("PutObjectTagging", "404", 404, SOURCE, Permanent, Reason.SRC_VERSION_NOT_FOUND),
    ("PutObjectTagging", "NoSuchVersion", 404, DESTINATION, Permanent, Reason.DST_VERSION_NOT_FOUND),
    ("PutObjectAcl", "NoSuchKey", 404, DESTINATION, Permanent, Reason.DST_VERSION_NOT_FOUND),
    ("PutObjectRetention", "404", 404, DESTINATION, Permanent, Reason.DST_VERSION_NOT_FOUND),
    ("PutObjectRetention", "InvalidRequest", 400, DESTINATION, Permanent, Reason.REFUSED),
    ("PutObjectTagging", "InvalidTag", 400, SOURCE, Permanent, Reason.REFUSED),
    ("PutObjectAcl", "AccessControlListNotSupported", 400, SOURCE, Permanent, Reason.SRC_PUT_ACL_DENIED),
    ("PutObjectAcl", "OperationAborted", 409, DESTINATION, Temporary, Reason.UNKNOWN),
    ("PutObjectRetention", "OperationAborted", 409, DESTINATION, Temporary, Reason.UNKNOWN),
    ("PutObjectLegalHold", "OperationAborted", 409, DESTINATION, Temporary, Reason.UNKNOWN),
    ("PutObjectAnnotation", "OperationAborted", 409, DESTINATION, Temporary, Reason.UNKNOWN),
    ("GetObjectRetention", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_RETENTION_DENIED),
    ("GetObjectLegalHold", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_LEGAL_HOLD_DENIED),
    ("GetObjectAnnotation", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_ANNOTATIONS_DENIED),
    ("ListObjectAnnotations", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_ANNOTATIONS_DENIED),
    *(
        (operation, "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_GET_DENIED)
        for operation in (
            *("GetObject", "GetObjectTagging", "GetObjectAcl", "GetObjectRetention", "GetObjectLegalHold"),
            *("GetObjectAnnotation", "ListObjectAnnotations"),
        )
    ),
    ("PutObjectAnnotation", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_PUT_ANNOTATIONS_DENIED),
    ("ListParts", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_MULTIPART_UPLOAD_DENIED),
    ("AbortMultipartUpload", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_MULTIPART_UPLOAD_DENIED),
    ("ListObjectVersions", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_BUCKET_DENIED),
    ("ListObjectVersions", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_BUCKET_DENIED),
    ("ListObjectVersions", "AllAccessDisabled", 403, DESTINATION, Permanent, Reason.DST_BUCKET_DENIED),
    ("CopyObject", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_PUT_DENIED),
    ("CopyObject", "KMS.AccessDeniedException", 400, DESTINATION, Permanent, Reason.DST_PUT_DENIED),
    ("DeleteObject", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_DELETE_DENIED),
    ("HeadBucket", "404", 404, SOURCE, Permanent, Reason.SRC_BUCKET_NOT_FOUND),
    ("HeadBucket", "404", 404, DESTINATION, Permanent, Reason.DST_BUCKET_NOT_FOUND),
    ("CopyObject", "NoSuchBucket", 404, DESTINATION, Permanent, Reason.DST_BUCKET_NOT_FOUND),
    ("ListObjectVersions", "NoSuchBucket", 404, SOURCE, Permanent, Reason.SRC_BUCKET_NOT_FOUND),
    ("CopyObject", "PermanentRedirect", 301, DESTINATION, Permanent, Reason.DST_BUCKET_REGION),
    ("HeadObject", "301", 301, SOURCE, Permanent, Reason.SRC_BUCKET_REGION),
    ("CopyObject", "AuthorizationHeaderMalformed", 400, DESTINATION, Permanent, Reason.DST_BUCKET_REGION),
    ("HeadObject", "400", 400, SOURCE, Temporary, Reason.UNKNOWN),
    ("CopyObject", "InvalidObjectState", 403, DESTINATION, Permanent, Reason.SRC_NOT_ELIGIBLE),
    ("CopyObject", "ObjectNotInActiveTierError", 403, DESTINATION, Permanent, Reason.SRC_NOT_ELIGIBLE),
    ("CopyObject", "KMS.NotFoundException", 400, DESTINATION, Permanent, Reason.DST_KMS_NOT_FOUND),
    ("CopyObject", "KMS.DisabledException", 400, DESTINATION, Permanent, Reason.DST_KMS_STATE),
    ("CopyObject", "KMS.KMSInvalidStateException", 400, DESTINATION, Permanent, Reason.DST_KMS_STATE),
    ("CopyObject", "MetadataTooLarge", 400, DESTINATION, Permanent, Reason.NO_ROOM),
    ("CopyObject", "RequestHeaderSectionTooLarge", 400, DESTINATION, Permanent, Reason.NO_ROOM),
    ("CopyObject", "EntityTooLarge", 400, DESTINATION, Permanent, Reason.TOO_LARGE),
    ("CreateMultipartUpload", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_MULTIPART_INIT_DENIED),
    ("UploadPartCopy", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_MULTIPART_UPLOAD_DENIED),
    ("UploadPartCopy", "InvalidObjectState", 403, DESTINATION, Permanent, Reason.SRC_NOT_ELIGIBLE),
    ("UploadPartCopy", "KMS.DisabledException", 400, DESTINATION, Permanent, Reason.DST_KMS_STATE),
    ("ListParts", "KMS.DisabledException", 400, DESTINATION, Permanent, Reason.DST_KMS_STATE),
    ("ListParts", "KMS.NotFoundException", 400, DESTINATION, Permanent, Reason.DST_KMS_NOT_FOUND),
    ("UploadPartCopy", "SlowDown", 503, DESTINATION, Temporary, Reason.THROTTLED),
    ("CompleteMultipartUpload", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_MULTIPART_COMPLETE_DENIED),
    ("CompleteMultipartUpload", "BadDigest", 400, DESTINATION, Permanent, Reason.CHECKSUM),
    ("CompleteMultipartUpload", "InvalidRequest", 400, DESTINATION, Permanent, Reason.CHECKSUM),
    ("CompleteMultipartUpload", "InvalidPart", 400, DESTINATION, Temporary, Reason.UNKNOWN),
    ("CompleteMultipartUpload", "PreconditionFailed", 412, DESTINATION, Conflict, None),
    ("CopyObject", "PreconditionFailed", 412, DESTINATION, Conflict, None),
    ("CopyObject", "ConditionalRequestConflict", 409, DESTINATION, Conflict, None),
    ("DeleteObject", "PreconditionFailed", 412, DESTINATION, Conflict, None),
    ("CopyObject", "NoSuchKey", 404, DESTINATION, Conflict, None),
    ("CopyObject", "NoSuchVersion", 404, DESTINATION, Conflict, None),
    ("CopyObject", "404", 404, DESTINATION, Conflict, None),
    ("DeleteObject", "NoSuchKey", 404, DESTINATION, Conflict, None),
    ("DeleteObject", "404", 404, DESTINATION, Conflict, None),
    ("CompleteMultipartUpload", "NoSuchKey", 404, DESTINATION, Conflict, None),
    ("HeadObject", "404", 404, SOURCE, SourceGone, None),
    ("HeadObject", "412", 412, SOURCE, SourceGone, None),
    ("UploadPartCopy", "NoSuchKey", 404, DESTINATION, SourceGone, None),
    ("UploadPartCopy", "NoSuchVersion", 404, DESTINATION, SourceGone, None),
    ("UploadPartCopy", "PreconditionFailed", 412, DESTINATION, SourceGone, None),
    ("UploadPartCopy", "NoSuchUpload", 404, DESTINATION, UploadGone, None),
    ("ListParts", "NoSuchUpload", 404, DESTINATION, UploadGone, None),
    ("CompleteMultipartUpload", "NoSuchUpload", 404, DESTINATION, UploadGone, None),
    ("CompleteMultipartUpload", "ConditionalRequestConflict", 409, DESTINATION, UploadSpoiled, None),
    ("PutObjectTagging", "OperationAborted", 409, SOURCE, Temporary, Reason.UNKNOWN),
    ("CopyObject", "SlowDown", 503, DESTINATION, Temporary, Reason.THROTTLED),
    ("HeadObject", "503", 503, SOURCE, Temporary, Reason.THROTTLED),
    ("CopyObject", "KMS.ThrottlingException", 400, DESTINATION, Temporary, Reason.THROTTLED),
    ("CopyObject", "NotImplemented", 501, DESTINATION, Permanent, Reason.NOT_IMPLEMENTED),
    ("HeadObject", "501", 501, SOURCE, Permanent, Reason.NOT_IMPLEMENTED),
    ("ListObjectVersions", "XNotImplemented", 501, SOURCE, Permanent, Reason.NOT_IMPLEMENTED),
    ("SendMessage", "NotImplemented", 501, QUEUE, Temporary, Reason.SERVICE),
    ("CopyObject", "InternalError", 500, DESTINATION, Temporary, Reason.SERVICE),
    ("CopyObject", "InternalError", 200, DESTINATION, Temporary, Reason.UNKNOWN),
    ("HeadObject", "500", 500, SOURCE, Temporary, Reason.SERVICE),
    ("CopyObject", "RequestTimeTooSkewed", 403, DESTINATION, Temporary, Reason.UNKNOWN),
    ("CopyObject", "SomethingNewOfS3s", 418, DESTINATION, Temporary, Reason.UNKNOWN),
    ("GetItem", "ProvisionedThroughputExceededException", 400, JOURNAL, Temporary, Reason.THROTTLED),
    ("UpdateItem", "AccessDeniedException", 400, JOURNAL, Temporary, Reason.JOURNAL_DENIED),
    ("UpdateItem", "ResourceNotFoundException", 400, JOURNAL, Temporary, Reason.SERVICE),
    ("UpdateItem", "InternalServerError", 500, JOURNAL, Temporary, Reason.SERVICE),
    ("SendMessage", "AccessDenied", 403, QUEUE, Temporary, Reason.JOURNAL_DENIED),
    ("SendMessage", "RequestThrottled", 400, QUEUE, Temporary, Reason.THROTTLED),
]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} of the {row[3]}: {row[1]} {row[2]}" for row in ROWS])
def test_an_answer_means_trouble_of_one_kind(row: Row) -> None:
    operation, code, status, side, kind, reason = row
    trouble = translate(answered(code, status), operation, side)
    assert type(trouble) is kind
    assert getattr(trouble, "reason", None) is reason


def test_every_code_of_the_error_table_is_tried_here_or_means_what_one_here_means() -> None:
    tried = {(code, side) for _, code, _, side, *_ in ROWS}
    twins = {("KMS.InvalidStateException", DESTINATION), ("KMS.InvalidKeyUsageException", DESTINATION),
             ("KMS.InvalidStateException", SOURCE), ("KMS.InvalidKeyUsageException", SOURCE),
             *((code, SOURCE) for code in CANNOT_PASS),  # PutObjectTagging at the source stands for all of them
             ("PermanentRedirect", SOURCE), ("301", DESTINATION), ("AuthorizationHeaderMalformed", SOURCE)}  # fmt: skip
    assert {(code, side) for _, code, side in PERMANENT} <= tried | twins
    assert {(operation, side) for operation, side in WHO_DENIED if operation != "*"} <= {
        (operation, side) for operation, _, _, side, *_ in ROWS
    }
    assert CONFLICTS.keys() <= {(operation, code) for operation, code, *_ in ROWS}
    assert {operation for operation, *_ in ROWS} >= UNGUARDED


def test_every_code_for_a_denial_by_s3_is_permanent() -> None:
    kinds = {code: type(translate(answered(code, 403), "CopyObject", DESTINATION)) for code in DENIED}
    assert kinds == dict.fromkeys(DENIED, Permanent)


def test_every_code_for_throttling_is_temporary_whoever_throttles() -> None:
    for side in Side:
        for code in THROTTLED:
            trouble = translate(answered(code, 503), "Anything", side)
            assert isinstance(trouble, Temporary), (side, code)
            assert trouble.reason is Reason.THROTTLED, (side, code)


def test_every_code_for_a_guard_that_failed_is_a_conflict() -> None:
    kinds = {code: type(translate(answered(code, 412), "CopyObject", DESTINATION)) for code in GUARD_FAILED}
    assert kinds == dict.fromkeys(GUARD_FAILED, Conflict)


def test_trouble_with_our_own_table_and_queues_never_fails_a_change() -> None:
    for side in (JOURNAL, QUEUE):
        for code in (*DENIED, "NoSuchBucket", "ResourceNotFoundException", "ValidationException"):
            assert isinstance(translate(answered(code, 400), "UpdateItem", side), Temporary), (side, code)


UNANSWERED: list[tuple[BotoCoreError, type[Exception], Reason]] = [
    (ReadTimeoutError(endpoint_url="x"), Temporary, Reason.TIMED_OUT),
    (ConnectTimeoutError(endpoint_url="x"), Temporary, Reason.TIMED_OUT),
    (EndpointConnectionError(endpoint_url="x"), Temporary, Reason.SERVICE),
    (ConnectionClosedError(endpoint_url="x"), Temporary, Reason.SERVICE),
    (NoCredentialsError(), Temporary, Reason.SERVICE),
    (ParamValidationError(report="x"), Permanent, Reason.UNKNOWN),
]


@pytest.mark.parametrize(
    ("error", "kind", "reason"), UNANSWERED, ids=[type(error).__name__ for error, *_ in UNANSWERED]
)
def test_a_request_without_an_answer_is_temporary_trouble_unless_it_was_invalid(
    error: BotoCoreError, kind: type[Exception], reason: Reason
) -> None:
    trouble = translate(error, "CopyObject", DESTINATION)
    assert isinstance(trouble, kind)
    assert getattr(trouble, "reason", None) is reason


def test_an_unexpected_error_is_temporary_trouble() -> None:
    assert isinstance(translate(RuntimeError("?"), "CopyObject", DESTINATION), Temporary)


def test_the_detail_names_request_side_and_code_but_has_no_text_of_the_answer() -> None:
    trouble = translate(answered("AccessDenied", 403), "CopyObject", DESTINATION)
    assert getattr(trouble, "detail", "") == "CopyObject (destination): AccessDenied 403"


def test_the_code_of_what_is_no_answer_is_empty() -> None:
    assert code_of(answered("SlowDown")) == "SlowDown"
    assert code_of(NoCredentialsError()) == ""
    assert code_of(None) == ""
