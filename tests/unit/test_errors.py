"""The error table, row by row: what AWS answered, on which request, of which side, means for a change."""

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
from replicator.aws.errors import (
    CONFLICTS,
    DENIED,
    GUARD_FAILED,
    OUR_OWN,
    PERMANENT,
    THROTTLED,
    UNGUARDED,
    WHO_DENIED,
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
    # operation, code, status, side -> trouble
    ("HeadObject", "403", 403, SOURCE, Permanent, Reason.SRC_HEAD_DENIED),
    ("HeadObject", "403", 403, DESTINATION, Permanent, Reason.DST_PUT_DENIED),
    ("GetObjectTagging", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_TAGS_DENIED),
    ("GetObjectAcl", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_ACL_DENIED),
    ("ListObjectVersions", "AccessDenied", 403, SOURCE, Permanent, Reason.SRC_GET_DENIED),
    ("ListObjectVersions", "AllAccessDisabled", 403, DESTINATION, Permanent, Reason.DST_PUT_DENIED),
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
    ("HeadObject", "400", 400, SOURCE, Permanent, Reason.SRC_NOT_ELIGIBLE),
    ("CopyObject", "InvalidObjectState", 403, DESTINATION, Permanent, Reason.SRC_NOT_ELIGIBLE),
    ("CopyObject", "ObjectNotInActiveTierError", 403, DESTINATION, Permanent, Reason.SRC_NOT_ELIGIBLE),
    ("CopyObject", "KMS.NotFoundException", 400, DESTINATION, Permanent, Reason.DST_KMS_NOT_FOUND),
    ("CopyObject", "KMS.DisabledException", 400, DESTINATION, Permanent, Reason.DST_KMS_STATE),
    ("CopyObject", "KMS.KMSInvalidStateException", 400, DESTINATION, Permanent, Reason.DST_KMS_STATE),
    ("CopyObject", "MetadataTooLarge", 400, DESTINATION, Permanent, Reason.NO_ROOM),
    ("CopyObject", "EntityTooLarge", 400, DESTINATION, Permanent, Reason.TOO_LARGE),
    ("CreateMultipartUpload", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_MULTIPART_INIT_DENIED),
    ("UploadPartCopy", "AccessDenied", 403, DESTINATION, Permanent, Reason.DST_MULTIPART_UPLOAD_DENIED),
    ("UploadPartCopy", "InvalidObjectState", 403, DESTINATION, Permanent, Reason.SRC_NOT_ELIGIBLE),
    ("UploadPartCopy", "KMS.DisabledException", 400, DESTINATION, Permanent, Reason.DST_KMS_STATE),
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


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1]} {row[3]}" for row in ROWS])
def test_an_answer_means_trouble_of_one_kind(row: Row) -> None:
    operation, code, status, side, kind, reason = row
    trouble = translate(answered(code, status), operation, side)
    assert type(trouble) is kind
    assert getattr(trouble, "reason", None) is reason


def test_every_line_of_the_tables_has_a_row_here_or_a_twin() -> None:
    """A code added to the product's table without a test is noticed."""
    tried = {(code, side) for _, code, _, side, *_ in ROWS}
    twins = {("KMS.InvalidStateException", DESTINATION), ("KMS.InvalidKeyUsageException", DESTINATION),
             ("PermanentRedirect", SOURCE), ("301", DESTINATION), ("AuthorizationHeaderMalformed", SOURCE)}  # fmt: skip
    assert {(code, side) for _, code, side in PERMANENT} <= tried | twins
    assert {(operation, side) for operation, side in WHO_DENIED if operation != "*"} <= {
        (operation, side) for operation, _, _, side, *_ in ROWS
    }
    assert CONFLICTS.keys() <= {(operation, code) for operation, code, *_ in ROWS}
    assert {operation for operation, *_ in ROWS} >= UNGUARDED


@pytest.mark.parametrize("code", sorted(DENIED))
def test_whatever_way_s3_says_denied_it_is_permanent(code: str) -> None:
    assert isinstance(translate(answered(code, 403), "CopyObject", DESTINATION), Permanent)


@pytest.mark.parametrize("code", sorted(THROTTLED))
@pytest.mark.parametrize("side", list(Side))
def test_whoever_throttles_it_is_temporary(code: str, side: Side) -> None:
    trouble = translate(answered(code, 503), "Anything", side)
    assert isinstance(trouble, Temporary)
    assert trouble.reason is Reason.THROTTLED


@pytest.mark.parametrize("code", sorted(GUARD_FAILED))
def test_whatever_way_a_guard_fails_the_facts_are_read_again(code: str) -> None:
    assert isinstance(translate(answered(code, 412), "CopyObject", DESTINATION), Conflict)


@pytest.mark.parametrize("code", [*sorted(DENIED), "NoSuchBucket", "ResourceNotFoundException", "ValidationException"])
@pytest.mark.parametrize("side", sorted(OUR_OWN))
def test_trouble_with_our_own_table_and_queues_never_fails_a_change(code: str, side: Side) -> None:
    assert isinstance(translate(answered(code, 400), "UpdateItem", side), Temporary)


UNANSWERED: list[tuple[BotoCoreError, type[Exception], Reason]] = [
    (ReadTimeoutError(endpoint_url="x"), Temporary, Reason.TIMED_OUT),
    (ConnectTimeoutError(endpoint_url="x"), Temporary, Reason.TIMED_OUT),
    (EndpointConnectionError(endpoint_url="x"), Temporary, Reason.SERVICE),
    (ConnectionClosedError(endpoint_url="x"), Temporary, Reason.SERVICE),
    (NoCredentialsError(), Temporary, Reason.SERVICE),
    (ParamValidationError(report="x"), Permanent, Reason.UNKNOWN),
]


@pytest.mark.parametrize("row", UNANSWERED, ids=[type(row[0]).__name__ for row in UNANSWERED])
def test_no_answer_is_temporary_unless_the_request_could_not_even_be_sent(
    row: tuple[BotoCoreError, type[Exception], Reason],
) -> None:
    error, kind, reason = row
    trouble = translate(error, "CopyObject", DESTINATION)
    assert isinstance(trouble, kind)
    assert getattr(trouble, "reason", None) is reason


def test_what_nobody_foresaw_is_temporary() -> None:
    assert isinstance(translate(RuntimeError("?"), "CopyObject", DESTINATION), Temporary)


def test_the_detail_names_request_side_and_code_but_not_the_words_of_the_answer() -> None:
    trouble = translate(answered("AccessDenied", 403), "CopyObject", DESTINATION)
    assert getattr(trouble, "detail", "") == "CopyObject (destination): AccessDenied 403"


def test_the_code_of_what_is_no_answer_is_empty() -> None:
    assert code_of(answered("SlowDown")) == "SlowDown"
    assert code_of(NoCredentialsError()) == ""
    assert code_of(None) == ""
