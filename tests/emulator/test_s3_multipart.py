"""Multipart uploads: parts, copies of ranges, completion once and for all, and what is refused."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from emulator.iam.principals import Principal
from emulator.s3.checksums import compute, of_parts
from tests.emulator.plain import Plain, head, md5, refused, serving


@pytest.fixture(scope="module")
def aws() -> Iterator[Plain]:
    with serving() as plain:
        plain.emulator.limits.part_bytes = 4
        yield plain


def start(s3: Any, bucket: str, **settings: Any) -> str:
    return str(s3.create_multipart_upload(Bucket=bucket, Key="key", **settings)["UploadId"])


def part(s3: Any, bucket: str, upload: str, number: int, body: bytes, **settings: Any) -> dict[str, Any]:
    answer = s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=number, Body=body, **settings)
    checksums = {
        name: value for name, value in answer.items() if name.startswith("Checksum") and "Algorithm" in settings
    }
    return {"PartNumber": number, "ETag": answer["ETag"], **checksums}


def complete(s3: Any, bucket: str, upload: str, *parts: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return dict(
        s3.complete_multipart_upload(
            Bucket=bucket, Key="key", UploadId=upload, MultipartUpload={"Parts": list(parts)}, **settings
        )
    )


def test_the_parts_of_an_upload_become_one_object_with_the_etag_of_their_md5s(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    parts = [part(s3, bucket, upload, 7, b"world"), part(s3, bucket, upload, 2, b"hello ")]
    done = complete(s3, bucket, upload, parts[1], parts[0])
    digests = b"".join(bytes.fromhex(md5(body)) for body in (b"hello ", b"world"))
    assert done["ETag"] == f'"{md5(digests)}-2"'
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"hello world"
    assert head(s3, bucket)["VersionId"] == done["VersionId"]


def test_an_upload_in_parts_carries_everything_that_a_put_would(s3: Any, bucket: str) -> None:
    settings: dict[str, Any] = {
        "Metadata": {"a": "1"},
        "ContentType": "text/plain",
        "StorageClass": "STANDARD_IA",
        "Tagging": "k=v",
        "ServerSideEncryption": "aws:kms",
        "WebsiteRedirectLocation": "/there",
    }
    upload = start(s3, bucket, **settings)
    complete(s3, bucket, upload, part(s3, bucket, upload, 1, b"x"))
    found = head(s3, bucket)
    assert (found["Metadata"], found["ContentType"], found["TagCount"]) == ({"a": "1"}, "text/plain", 1)
    assert (found["StorageClass"], found["WebsiteRedirectLocation"]) == ("STANDARD_IA", "/there")
    assert found["ServerSideEncryption"] == "aws:kms"


def test_a_part_of_an_object_can_be_read_by_its_number(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    complete(s3, bucket, upload, part(s3, bucket, upload, 1, b"hello "), part(s3, bucket, upload, 2, b"world"))
    second = head(s3, bucket, PartNumber=2)
    assert (second["PartsCount"], second["ContentLength"], second["ContentRange"]) == (2, 5, "bytes 6-10/11")
    assert s3.get_object(Bucket=bucket, Key="key", PartNumber=1)["Body"].read() == b"hello "
    with refused("416", 416):
        head(s3, bucket, PartNumber=3)


def test_the_default_checksum_of_an_upload_is_the_crc64nvme_of_the_whole(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    complete(s3, bucket, upload, part(s3, bucket, upload, 1, b"hello "), part(s3, bucket, upload, 2, b"world"))
    found = head(s3, bucket, ChecksumMode="ENABLED")
    assert found["ChecksumCRC64NVME"] == compute(b"hello world", "CRC64NVME").value
    assert found["ChecksumType"] == "FULL_OBJECT"


def test_a_composite_checksum_is_of_the_parts_checksums(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket, ChecksumAlgorithm="SHA256")
    parts = [
        part(s3, bucket, upload, number, body, ChecksumAlgorithm="SHA256")
        for number, body in ((1, b"hello "), (2, b"world"))
    ]
    complete(s3, bucket, upload, *parts)
    found = head(s3, bucket, ChecksumMode="ENABLED")
    assert found["ChecksumSHA256"] == of_parts([compute(body, "SHA256") for body in (b"hello ", b"world")]).value
    assert found["ChecksumSHA256"].endswith("-2")
    assert found["ChecksumType"] == "COMPOSITE"


def test_a_crc_of_an_upload_can_be_of_the_whole_when_asked(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    complete(s3, bucket, upload, part(s3, bucket, upload, 1, b"hello "), part(s3, bucket, upload, 2, b"world"))
    assert head(s3, bucket, ChecksumMode="ENABLED")["ChecksumCRC32"] == compute(b"hello world", "CRC32").value
    with refused("InvalidRequest", 400):
        start(s3, bucket, ChecksumAlgorithm="SHA256", ChecksumType="FULL_OBJECT")


def test_a_part_can_be_a_range_of_an_exact_version(s3: Any, bucket: str) -> None:
    first = s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    s3.put_object(Bucket=bucket, Key="source", Body=b"newer")
    upload = start(s3, bucket)
    parts = []
    for number, span in ((1, "bytes=0-5"), (2, "bytes=6-9")):
        answer = s3.upload_part_copy(
            Bucket=bucket,
            Key="key",
            UploadId=upload,
            PartNumber=number,
            CopySource={"Bucket": bucket, "Key": "source", "VersionId": first["VersionId"]},
            CopySourceRange=span,
            CopySourceIfMatch=first["ETag"],
        )
        assert answer["CopySourceVersionId"] == first["VersionId"]
        parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
    complete(s3, bucket, upload, *parts)
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"0123456789"


def test_a_part_copied_from_a_source_that_does_not_fit_is_refused(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    copy = {"Bucket": bucket, "Key": "key", "UploadId": start(s3, bucket), "PartNumber": 1}
    with refused("PreconditionFailed", 412):
        s3.upload_part_copy(**copy, CopySource=f"{bucket}/source", CopySourceIfMatch='"other"')
    for span in ("0-8", "bytes=1-0", "bytes=-2", "bytes=1-", "bytes=0-1,3-4", "bytes=5-10", "bytes=0-100"):
        with refused("InvalidArgument", 400):
            s3.upload_part_copy(**copy, CopySource=f"{bucket}/source", CopySourceRange=span)
    with refused("InvalidRequest", 400) as error:
        s3.upload_part_copy(**copy, CopySource=f"{bucket}/source", CopySourceRange="bytes=100-200")
    assert error["Message"] == "The specified copy range is invalid for the source object size"
    with refused("NoSuchKey", 404):
        s3.upload_part_copy(**copy, CopySource=f"{bucket}/nothing")


def test_a_range_of_a_small_source_is_copied_as_recorded_unless_a_test_wants_the_documentation(
    aws: Plain, s3: Any, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    copy = {"Bucket": bucket, "Key": "key", "UploadId": start(s3, bucket), "CopySource": f"{bucket}/source"}
    s3.upload_part_copy(**copy, PartNumber=1, CopySourceRange="bytes=0-8")
    aws.emulator.limits.unranged_bytes = 10
    try:
        with refused("InvalidRequest", 400):
            s3.upload_part_copy(**copy, PartNumber=2, CopySourceRange="bytes=0-9")
        s3.upload_part_copy(**copy, PartNumber=2)
    finally:
        aws.emulator.limits.unranged_bytes = 0


def test_completing_an_upload_again_answers_the_same_and_makes_no_second_version(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    only = part(s3, bucket, upload, 1, b"x")
    with ThreadPoolExecutor(4) as pool:
        versions = {done["VersionId"] for done in pool.map(lambda _: complete(s3, bucket, upload, only), range(4))}
    assert len(versions) == 1
    assert len(s3.list_object_versions(Bucket=bucket)["Versions"]) == 1


def test_an_upload_can_be_completed_only_with_the_parts_that_were_uploaded(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    one, two = part(s3, bucket, upload, 1, b"long"), part(s3, bucket, upload, 2, b"long")
    with refused("InvalidPart", 400):
        complete(s3, bucket, upload, one, {**two, "PartNumber": 3})
    with refused("InvalidPart", 400):
        complete(s3, bucket, upload, {**one, "ETag": '"other"'})
    with refused("InvalidPartOrder", 400):
        complete(s3, bucket, upload, two, one)
    with refused("MalformedXML", 400):
        complete(s3, bucket, upload)


def test_only_the_last_part_of_an_upload_may_be_small(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    one, two = part(s3, bucket, upload, 1, b"x"), part(s3, bucket, upload, 2, b"x")
    with refused("EntityTooSmall", 400):
        complete(s3, bucket, upload, one, two)


def test_completing_an_upload_with_a_wrong_size_or_checksum_is_refused(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    only = part(s3, bucket, upload, 1, b"hello")
    with refused("InvalidRequest", 400):
        complete(s3, bucket, upload, only, MpuObjectSize=4)
    with refused("BadDigest", 400):
        complete(s3, bucket, upload, only, ChecksumCRC64NVME=base64.b64encode(b"8 bytes.").decode())
    complete(s3, bucket, upload, only, MpuObjectSize=5, ChecksumCRC64NVME="M3eFcAZSQlc=")


def test_part_numbers_go_from_1_to_10000(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    part(s3, bucket, upload, 10_000, b"x")
    for number in (0, 10_001):
        with refused("InvalidArgument", 400):
            part(s3, bucket, upload, number, b"x")


def test_an_aborted_upload_is_gone(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    s3.abort_multipart_upload(Bucket=bucket, Key="key", UploadId=upload)
    named = {"Bucket": bucket, "Key": "key", "UploadId": upload}
    for ask in (
        lambda: part(s3, bucket, upload, 1, b"x"),
        lambda: complete(s3, bucket, upload, {"PartNumber": 1, "ETag": "x"}),
        lambda: s3.list_parts(**named),
        lambda: s3.abort_multipart_upload(**named),
    ):
        with refused("NoSuchUpload", 404):
            ask()


def test_the_parts_of_an_upload_are_listed_by_number_in_pages(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    for number in (2, 30, 4):
        part(s3, bucket, upload, number, b"x" * number)
    page = s3.list_parts(Bucket=bucket, Key="key", UploadId=upload, MaxParts=2)
    assert [(each["PartNumber"], each["Size"]) for each in page["Parts"]] == [(2, 2), (4, 4)]
    assert (page["IsTruncated"], page["NextPartNumberMarker"]) == (True, 4)
    rest = s3.list_parts(Bucket=bucket, Key="key", UploadId=upload, PartNumberMarker=4)
    assert ([each["PartNumber"] for each in rest["Parts"]], rest["IsTruncated"]) == ([30], False)


def test_uploads_are_listed_by_key_in_pages(s3: Any, bucket: str) -> None:
    ids = [s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"] for key in ("b", "a", "a", "c/d")]
    page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=2)
    assert [each["UploadId"] for each in page["Uploads"]] == ids[1:3]
    rest = s3.list_multipart_uploads(
        Bucket=bucket, KeyMarker=page["NextKeyMarker"], UploadIdMarker=page["NextUploadIdMarker"]
    )
    assert [each["UploadId"] for each in rest["Uploads"]] == [ids[0], ids[3]]
    assert [each["Key"] for each in s3.list_multipart_uploads(Bucket=bucket, Prefix="c/")["Uploads"]] == ["c/d"]


def test_an_object_in_parts_stands_in_the_history_where_its_upload_was_begun_and_has_that_time(
    s3: Any, bucket: str
) -> None:
    """As the user guide says of uploads at the same time: the one that was begun last is current."""
    upload = start(s3, bucket)
    [begun] = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    later = s3.put_object(Bucket=bucket, Key="key", Body=b"later")["VersionId"]
    first = complete(s3, bucket, upload, part(s3, bucket, upload, 1, b"first"))["VersionId"]
    listed = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert [(each["VersionId"], each["IsLatest"]) for each in listed] == [(later, True), (first, False)]
    assert head(s3, bucket)["VersionId"] == later
    assert head(s3, bucket, VersionId=first)["LastModified"] == begun["Initiated"]


def test_an_upload_names_who_began_it(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    [begun] = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert begun["Initiator"]["ID"] == "arn:aws:iam::123456789012:user/emulator"
    assert s3.list_parts(Bucket=bucket, Key="key", UploadId=upload)["Initiator"]["ID"] == begun["Initiator"]["ID"]


def test_the_session_arn_of_a_function_has_its_role_and_its_session() -> None:
    function = Principal("replicator", "AWS:AROA:stack-replicate", "stack-replicate", "", "arn:aws:iam::1:role/stack-R")
    assert function.session_arn == "arn:aws:sts::1:assumed-role/stack-R/stack-replicate"


@pytest.mark.parametrize("key", ["object\x1e", "a\x00b", "\ufffe"])
def test_keys_that_xml_cannot_carry_are_repeated_as_references_that_no_parser_takes(
    s3: Any, bucket: str, key: str
) -> None:
    """As recorded in botocore issue 3496; URL-encoded answers have them in another form."""
    with pytest.raises((ClientError, ResponseParserError)):
        s3.create_multipart_upload(Bucket=bucket, Key=key)
    listed = s3.list_multipart_uploads(Bucket=bucket, Prefix=key, EncodingType="url")
    assert [unquote(each["Key"]) for each in listed["Uploads"]] == [key]
    assert unquote(listed["Prefix"]) == key
