"""Multipart uploads: parts, copies of ranges, completion once and for all, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from emulator.iam.principals import Principal
from tests.emulator.plain import Plain, head, md5, refused, serving
from tests.emulator.uploading import complete, part, start


@pytest.fixture(scope="module")
def aws() -> Iterator[Plain]:
    with serving() as plain:
        plain.emulator.limits.part_bytes = 4
        yield plain


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
    with refused("InvalidRequest", 400):
        s3.get_object(Bucket=bucket, Key="key", PartNumber=1, Range="bytes=0-1")


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
    with refused("InvalidPart", 400) as error:
        complete(s3, bucket, upload, one, {**two, "PartNumber": 3})
    named = {name: error[name] for name in ("UploadId", "PartNumber", "ETag")}
    assert named == {"UploadId": upload, "PartNumber": "3", "ETag": two["ETag"].strip('"')}
    with refused("InvalidPart", 400):
        complete(s3, bucket, upload, {**one, "ETag": '"other"'})
    with refused("InvalidPartOrder", 400) as error:
        complete(s3, bucket, upload, two, one)
    assert error["UploadId"] == upload


def test_an_upload_is_completed_with_at_least_one_part(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    with refused("MalformedXML", 400):
        complete(s3, bucket, upload)
    with refused("InvalidRequest", 400) as error:
        s3.complete_multipart_upload(Bucket=bucket, Key="key", UploadId=upload)
    assert error["Message"] == "You must specify at least one part"


def test_only_the_last_part_of_an_upload_may_be_small(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    one, two = part(s3, bucket, upload, 1, b"x"), part(s3, bucket, upload, 2, b"x")
    with refused("EntityTooSmall", 400) as error:
        complete(s3, bucket, upload, one, two)
    named = {name: error[name] for name in ("PartNumber", "ProposedSize", "MinSizeAllowed", "ETag")}
    assert named == {"PartNumber": "1", "ProposedSize": "1", "MinSizeAllowed": "4", "ETag": one["ETag"].strip('"')}


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


def test_a_listing_of_uploads_goes_on_after_one_that_ended(s3: Any, bucket: str) -> None:
    first, second, other = (s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"] for key in ("a", "a", "b"))
    s3.abort_multipart_upload(Bucket=bucket, Key="a", UploadId=first)
    rest = s3.list_multipart_uploads(Bucket=bucket, KeyMarker="a", UploadIdMarker=first)
    assert [each["UploadId"] for each in rest["Uploads"]] == [second, other]


def test_the_marker_of_an_upload_counts_only_with_its_own_key(s3: Any, bucket: str) -> None:
    ids = [s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"] for key in ("a", "b")]
    alone = s3.list_multipart_uploads(Bucket=bucket, UploadIdMarker=ids[0])
    assert ([each["UploadId"] for each in alone["Uploads"]], alone["UploadIdMarker"]) == (ids, "")
    with refused("InvalidArgument", 400) as error:
        s3.list_multipart_uploads(Bucket=bucket, KeyMarker="a", UploadIdMarker=ids[1])
    assert (error["ArgumentName"], error["Message"]) == ("upload-id-marker", "Invalid uploadId marker")


def test_uploads_that_share_a_prefix_are_one_entry_and_no_marker_follows_it(s3: Any, bucket: str) -> None:
    for key in ("folder/sub/1", "folder/sub/2", "folder/file1", "folder/file2"):
        s3.create_multipart_upload(Bucket=bucket, Key=key)
    asked = {"Bucket": bucket, "Prefix": "folder/", "Delimiter": "/"}
    whole = s3.list_multipart_uploads(**asked)
    assert [each["Key"] for each in whole["Uploads"]] == ["folder/file1", "folder/file2"]
    assert whole["CommonPrefixes"] == [{"Prefix": "folder/sub/"}]
    page = s3.list_multipart_uploads(**asked, KeyMarker="folder/file2", MaxUploads=1)
    assert (page["CommonPrefixes"], page["NextKeyMarker"], page["NextUploadIdMarker"]) == (
        [{"Prefix": "folder/sub/"}],
        "",
        "",
    )
    for marker in ("folder/sub/", "folder/sub/1"):
        assert "CommonPrefixes" not in s3.list_multipart_uploads(**asked, KeyMarker=marker)


def test_uploads_are_listed_in_no_other_encoding_than_url(s3: Any, bucket: str) -> None:
    with refused("InvalidArgument", 400) as error:
        s3.list_multipart_uploads(Bucket=bucket, EncodingType="other")
    assert error["Message"] == "Invalid Encoding Method specified in Request"


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
