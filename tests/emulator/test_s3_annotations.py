"""Annotations: beside the object, with its version, along with a copy, and not with a multipart copy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.emulator.plain import Plain, refused


@pytest.fixture
def bucket(aws: Plain, s3: Any) -> str:
    name = aws.bucket()
    s3.put_object(Bucket=name, Key="key", Body=b"bytes")
    return name


def annotate(s3: Any, bucket: str, name: str, payload: bytes = b"note", **settings: Any) -> Any:
    return s3.put_object_annotation(
        Bucket=bucket, Key="key", AnnotationName=name, AnnotationPayload=payload, **settings
    )


def names(s3: Any, bucket: str, key: str = "key", **settings: Any) -> list[str]:
    listed = s3.list_object_annotations(Bucket=bucket, Key=key, **settings)
    return [each["AnnotationName"] for each in listed.get("Annotations", [])]


def test_an_annotation_changes_neither_bytes_nor_version_nor_etag(s3: Any, bucket: str) -> None:
    before = s3.head_object(Bucket=bucket, Key="key")
    assert annotate(s3, bucket, "note")["ObjectVersionId"] == before["VersionId"]
    got = s3.get_object_annotation(Bucket=bucket, Key="key", AnnotationName="note")
    assert got["AnnotationPayload"].read() == b"note"
    after = s3.head_object(Bucket=bucket, Key="key")
    assert (after["VersionId"], after["ETag"]) == (before["VersionId"], before["ETag"])
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"bytes"


def test_annotations_are_listed_by_name_in_pages(s3: Any, bucket: str) -> None:
    for name in ("b", "a.2", "a.1"):
        annotate(s3, bucket, name, name.encode())
    assert names(s3, bucket) == ["a.1", "a.2", "b"]
    assert names(s3, bucket, AnnotationPrefix="a.") == ["a.1", "a.2"]
    page = s3.list_object_annotations(Bucket=bucket, Key="key", MaxAnnotationResults=2)
    assert [(each["AnnotationName"], each["Size"]) for each in page["Annotations"]] == [("a.1", 3), ("a.2", 3)]
    assert names(s3, bucket, ContinuationToken=page["NextContinuationToken"]) == ["b"]


def test_an_annotation_can_be_replaced_and_deleted(s3: Any, bucket: str) -> None:
    annotate(s3, bucket, "note", b"old")
    annotate(s3, bucket, "note", b"new")
    assert (
        s3.get_object_annotation(Bucket=bucket, Key="key", AnnotationName="note")["AnnotationPayload"].read() == b"new"
    )
    for _ in range(2):
        s3.delete_object_annotation(Bucket=bucket, Key="key", AnnotationName="note")
    with refused("NoSuchAnnotation", 404):
        s3.get_object_annotation(Bucket=bucket, Key="key", AnnotationName="note")


def test_an_annotation_belongs_to_its_version(s3: Any, bucket: str) -> None:
    version = annotate(s3, bucket, "note")["ObjectVersionId"]
    s3.put_object(Bucket=bucket, Key="key", Body=b"newer")
    assert names(s3, bucket) == []
    assert names(s3, bucket, VersionId=version) == ["note"]


def test_a_copy_takes_annotations_along_unless_told_to_exclude_them(s3: Any, bucket: str) -> None:
    annotate(s3, bucket, "note")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key")
    s3.copy_object(Bucket=bucket, Key="bare", CopySource=f"{bucket}/key", AnnotationDirective="EXCLUDE")
    assert names(s3, bucket, "copy") == ["note"]
    assert names(s3, bucket, "bare") == []


def test_a_multipart_copy_takes_no_annotations_along(s3: Any, bucket: str) -> None:
    annotate(s3, bucket, "note")
    upload = {
        "Bucket": bucket,
        "Key": "copy",
        "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="copy")["UploadId"],
    }
    part = s3.upload_part_copy(**upload, PartNumber=1, CopySource=f"{bucket}/key")["CopyPartResult"]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert names(s3, bucket, "copy") == []


def test_an_annotation_can_be_guarded_by_the_objects_etag(s3: Any, bucket: str) -> None:
    etag = s3.head_object(Bucket=bucket, Key="key")["ETag"]
    annotate(s3, bucket, "note", ObjectIfMatch=etag)
    with refused("PreconditionFailed", 412):
        annotate(s3, bucket, "note", ObjectIfMatch='"other"')


def test_an_annotation_that_breaks_a_limit_is_refused(s3: Any, bucket: str) -> None:
    with refused("InvalidRequest", 400):
        annotate(s3, bucket, "empty", b"")
    with refused("InvalidRequest", 400):
        annotate(s3, bucket, "large", b"x" * (1024**2 + 1))
    with refused("AnnotationNameTooLong", 400):
        annotate(s3, bucket, "n" * 513)
    for name in ("a/b", "a b", "AWS.x", "s3-x"):
        with refused("InvalidAnnotationName", 400):
            annotate(s3, bucket, name)
    annotate(s3, bucket, "Größe_大小.3-x")
    s3.delete_object(Bucket=bucket, Key="key")
    with refused("NoSuchKey", 404):
        annotate(s3, bucket, "late")


def test_a_version_under_retention_takes_no_annotation_and_keeps_those_it_has(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket(ObjectLockEnabledForBucket=True)
    s3.put_object(Bucket=bucket, Key="key", Body=b"bytes")
    annotate(s3, bucket, "note")
    until = datetime.now(UTC) + timedelta(days=1)
    s3.put_object_retention(Bucket=bucket, Key="key", Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until})
    with refused("AccessDenied", 403):
        annotate(s3, bucket, "late")
    with refused("AccessDenied", 403):
        s3.delete_object_annotation(Bucket=bucket, Key="key", AnnotationName="note")
    assert names(s3, bucket) == ["note"]
