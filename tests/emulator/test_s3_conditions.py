"""Conditional requests: what S3 lets through, and with which error it stops the rest."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.s3 import preconditions
from tests.emulator.plain import Plain, refused

OTHER = '"0123456789abcdef0123456789abcdef"'
Write = Callable[..., Any]


def put(s3: Any, bucket: str, **conditions: Any) -> Any:
    return s3.put_object(Bucket=bucket, Key="key", Body=b"new", **conditions)


def copy(s3: Any, bucket: str, **conditions: Any) -> Any:
    s3.put_object(Bucket=bucket, Key="source", Body=b"new")
    return s3.copy_object(Bucket=bucket, Key="key", CopySource=f"{bucket}/source", **conditions)


def complete(s3: Any, bucket: str, **conditions: Any) -> Any:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, Body=b"new")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    return s3.complete_multipart_upload(Bucket=bucket, Key="key", UploadId=upload, MultipartUpload=parts, **conditions)


WRITES = pytest.mark.parametrize("write", [put, copy, complete])


def old(s3: Any, bucket: str) -> str:
    return str(s3.put_object(Bucket=bucket, Key="key", Body=b"old")["ETag"])


def content(s3: Any, bucket: str) -> bytes:
    return bytes(s3.get_object(Bucket=bucket, Key="key")["Body"].read())


@WRITES
def test_if_none_match_lets_the_first_write_through(s3: Any, bucket: str, write: Write) -> None:
    write(s3, bucket, IfNoneMatch="*")
    assert content(s3, bucket) == b"new"


@WRITES
def test_if_none_match_stops_at_an_object(s3: Any, bucket: str, write: Write) -> None:
    old(s3, bucket)
    with refused("PreconditionFailed", 412) as error:
        write(s3, bucket, IfNoneMatch="*")
    assert error["Condition"] == "If-None-Match"
    assert content(s3, bucket) == b"old"


@WRITES
def test_a_delete_marker_on_top_counts_as_no_object(s3: Any, bucket: str, write: Write) -> None:
    etag = old(s3, bucket)
    s3.delete_object(Bucket=bucket, Key="key")
    with refused("NoSuchKey", 404):
        write(s3, bucket, IfMatch=etag)
    write(s3, bucket, IfNoneMatch="*")
    assert content(s3, bucket) == b"new"


@WRITES
def test_if_match_lets_the_same_etag_through_quoted_or_not(s3: Any, bucket: str, write: Write) -> None:
    write(s3, bucket, IfMatch=old(s3, bucket))
    write(s3, bucket, IfMatch=old(s3, bucket).strip('"'))
    assert content(s3, bucket) == b"new"


@WRITES
def test_if_match_stops_at_another_etag(s3: Any, bucket: str, write: Write) -> None:
    old(s3, bucket)
    with refused("PreconditionFailed", 412) as error:
        write(s3, bucket, IfMatch=OTHER)
    assert error["Condition"] == "If-Match"
    assert content(s3, bucket) == b"old"


@WRITES
def test_if_match_is_a_404_where_nothing_is(s3: Any, bucket: str, write: Write) -> None:
    with refused("NoSuchKey", 404):
        write(s3, bucket, IfMatch=OTHER)


@WRITES
def test_a_refused_write_leaves_no_version_and_no_event(aws: Plain, s3: Any, bucket: str, write: Write) -> None:
    old(s3, bucket)
    url, arn = aws.queue()
    aws.notify(bucket, arn)
    with refused("PreconditionFailed"):
        write(s3, bucket, IfMatch=OTHER)
    assert len(s3.list_object_versions(Bucket=bucket, Prefix="key")["Versions"]) == 1
    assert "key" not in {record["s3"]["object"]["key"] for record in aws.records(url)}


@pytest.mark.parametrize(
    "conditions",
    [{"IfMatch": OTHER, "IfNoneMatch": "*"}, {"IfNoneMatch": OTHER}],
    ids=["both at once", "If-None-Match with an ETag"],
)
def test_conditions_that_s3_does_not_implement_are_a_501(s3: Any, bucket: str, conditions: dict[str, str]) -> None:
    with refused("NotImplemented", 501):
        put(s3, bucket, **conditions)


@WRITES
def test_of_many_guarded_writers_at_once_exactly_one_wins(
    s3: Any, bucket: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = preconditions.check_write

    def slow_check(*arguments: Any) -> None:
        check(*arguments)
        time.sleep(0.01)

    monkeypatch.setattr(preconditions, "check_write", slow_check)

    def attempt(_: int) -> bool:
        try:
            write(s3, bucket, IfNoneMatch="*")
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
    assert len(s3.list_object_versions(Bucket=bucket, Prefix="key")["Versions"]) == 1


def test_completing_an_upload_over_an_object_written_meanwhile_is_a_conflict(s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, Body=b"new")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    etag = old(s3, bucket)
    with refused("ConditionalRequestConflict", 409):
        s3.complete_multipart_upload(Bucket=bucket, Key="key", UploadId=upload, MultipartUpload=parts, IfMatch=etag)


def test_completing_an_upload_over_an_object_deleted_meanwhile_is_a_conflict(s3: Any, bucket: str) -> None:
    old(s3, bucket)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, Body=b"new")
    s3.delete_object(Bucket=bucket, Key="key")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    with refused("ConditionalRequestConflict", 409):
        s3.complete_multipart_upload(Bucket=bucket, Key="key", UploadId=upload, MultipartUpload=parts, IfNoneMatch="*")


def test_a_guarded_delete_does_not_delete_another_object(s3: Any, bucket: str) -> None:
    etag = old(s3, bucket)
    with refused("PreconditionFailed", 412):
        s3.delete_object(Bucket=bucket, Key="key", IfMatch=OTHER)
    s3.delete_object(Bucket=bucket, Key="key", IfMatch=etag)
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="key")


def test_a_guarded_delete_of_nothing_is_a_404(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        s3.delete_object(Bucket=bucket, Key="key", IfMatch="*")
    assert "DeleteMarkers" not in s3.list_object_versions(Bucket=bucket)


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("CopySourceIfMatch", OTHER),
        ("CopySourceIfNoneMatch", "the etag"),
        ("CopySourceIfUnmodifiedSince", datetime.now(UTC) - timedelta(hours=1)),
        ("CopySourceIfModifiedSince", datetime.now(UTC)),
    ],
    ids=["IfMatch", "IfNoneMatch", "IfUnmodifiedSince", "IfModifiedSince"],
)
def test_a_copy_whose_source_does_not_meet_its_condition_is_refused(
    s3: Any, bucket: str, condition: str, value: Any
) -> None:
    etag = s3.put_object(Bucket=bucket, Key="source", Body=b"x")["ETag"]
    if condition == "CopySourceIfModifiedSince":
        value = s3.head_object(Bucket=bucket, Key="source")["LastModified"]
    with refused("PreconditionFailed", 412) as error:
        s3.copy_object(
            Bucket=bucket,
            Key="key",
            CopySource=f"{bucket}/source",
            **{condition: etag if value == "the etag" else value},
        )
    assert error["Condition"].startswith("x-amz-copy-source-If-")


def test_an_etag_of_the_source_that_matches_overrules_a_date_that_does_not(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="source", Body=b"x")["ETag"]
    s3.copy_object(
        Bucket=bucket,
        Key="key",
        CopySource=f"{bucket}/source",
        CopySourceIfMatch=etag,
        CopySourceIfUnmodifiedSince=datetime.now(UTC) - timedelta(hours=1),
    )


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_a_read_can_be_conditional(s3: Any, bucket: str, operation: str) -> None:
    etag, read = old(s3, bucket), getattr(s3, operation)
    read(Bucket=bucket, Key="key", IfMatch=etag, IfNoneMatch=OTHER)
    with refused("304", 304):
        read(Bucket=bucket, Key="key", IfNoneMatch=etag)
    with pytest.raises(ClientError) as raised:
        read(Bucket=bucket, Key="key", IfMatch=OTHER)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
