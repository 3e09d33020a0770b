"""CopyObject: what a copy takes from its source, what from the request, what from its bucket, and what is refused."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

import pytest

from emulator.s3.checksums import compute
from tests.emulator.plain import Plain, md5, refused


def head(s3: Any, bucket: str, key: str = "copy") -> dict[str, Any]:
    return dict(s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED"))


RICH: dict[str, Any] = {
    "Body": b"hello",
    "Metadata": {"color": "Blue", "with_underscore": "1"},
    "ContentType": "text/plain",
    "ContentEncoding": "gzip",
    "ContentLanguage": "de",
    "ContentDisposition": "attachment",
    "CacheControl": "no-store",
    "Expires": "Thu, 01 Jan 2099 00:00:00 GMT",
    "Tagging": "a=1&b=2",
}
SYSTEM = ("ContentType", "ContentEncoding", "ContentLanguage", "ContentDisposition", "CacheControl", "ExpiresString")


def test_a_copy_takes_metadata_headers_and_tags_along(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", **RICH)
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source")
    source, copy = head(s3, bucket, "source"), head(s3, bucket)
    assert copy["Metadata"] == {"color": "Blue", "with_underscore": "1"}
    assert {name: copy[name] for name in SYSTEM} == {name: source[name] for name in SYSTEM}
    assert copy["TagCount"] == 2
    assert s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == [
        {"Key": "a", "Value": "1"},
        {"Key": "b", "Value": "2"},
    ]


def test_a_copy_that_replaces_takes_no_metadata_headers_or_tags_along(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", **RICH)
    s3.copy_object(
        Bucket=bucket,
        Key="copy",
        CopySource=f"{bucket}/source",
        MetadataDirective="REPLACE",
        Metadata={"only": "this"},
        TaggingDirective="REPLACE",
        Tagging="c=3",
    )
    copy = head(s3, bucket)
    assert copy["Metadata"] == {"only": "this"}
    assert copy["ContentType"] == "binary/octet-stream"
    assert not set(SYSTEM[1:]) & copy.keys()
    assert s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == [{"Key": "c", "Value": "3"}]


def test_a_copy_never_takes_storage_class_redirect_encryption_or_acl_along(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket(ObjectOwnership="ObjectWriter")
    s3.put_object(
        Bucket=bucket,
        Key="source",
        Body=b"x",
        StorageClass="STANDARD_IA",
        WebsiteRedirectLocation="/there",
        ServerSideEncryption="aws:kms",
        ACL="public-read",
    )
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source")
    copy = head(s3, bucket)
    assert "StorageClass" not in copy
    assert "WebsiteRedirectLocation" not in copy
    assert copy["ServerSideEncryption"] == "AES256"
    assert len(s3.get_object_acl(Bucket=bucket, Key="copy")["Grants"]) == 1


def test_the_answer_to_a_copy_names_both_versions(s3: Any, bucket: str) -> None:
    first = s3.put_object(Bucket=bucket, Key="source", Body=b"first")["VersionId"]
    s3.put_object(Bucket=bucket, Key="source", Body=b"second")
    answer = s3.copy_object(
        Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "source", "VersionId": first}
    )
    assert answer["CopySourceVersionId"] == first
    assert answer["VersionId"] == head(s3, bucket)["VersionId"]
    assert answer["CopyObjectResult"]["ETag"] == f'"{md5(b"first")}"'


def test_a_version_from_before_versioning_is_copied_by_the_id_null(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket(versioning=None)
    s3.put_object(Bucket=bucket, Key="source", Body=b"old")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="source", Body=b"new")
    source = {"Bucket": bucket, "Key": "source", "VersionId": "null"}
    answer = s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    assert answer["CopySourceVersionId"] == "null"
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"old"


def test_an_object_with_any_key_can_be_copied(s3: Any, bucket: str) -> None:
    for key in ("a b", "a+b", "ü/ö", "a%2Fb", "/leading", "x" * 1024, "q?versionId=1", "&<>\"'"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        s3.copy_object(Bucket=bucket, Key=f"{key[:1000]}-copy", CopySource={"Bucket": bucket, "Key": key})
        assert head(s3, bucket, f"{key[:1000]}-copy")["ContentLength"] == 1, key


def test_a_copy_keeps_the_checksum_algorithm_of_its_source(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"hello", ChecksumAlgorithm="SHA256")
    result = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source")["CopyObjectResult"]
    expected = base64.b64encode(hashlib.sha256(b"hello").digest()).decode()
    assert result["ChecksumSHA256"] == expected
    assert head(s3, bucket)["ChecksumSHA256"] == expected
    assert head(s3, bucket)["ChecksumType"] == "FULL_OBJECT"


def test_a_copy_has_the_checksum_that_it_asks_for(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"hello", ChecksumAlgorithm="SHA256")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source", ChecksumAlgorithm="CRC32")
    copy = head(s3, bucket)
    assert copy["ChecksumCRC32"] == base64.b64encode(binascii.crc32(b"hello").to_bytes(4, "big")).decode()
    assert "ChecksumSHA256" not in copy


def test_a_copy_of_a_multipart_object_is_one_part_with_a_checksum_of_the_whole(s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="source", ChecksumAlgorithm="SHA256")["UploadId"]
    part = s3.upload_part(
        Bucket=bucket, Key="source", UploadId=upload, PartNumber=1, Body=b"hello", ChecksumAlgorithm="SHA256"
    )
    parts = [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}]
    s3.complete_multipart_upload(Bucket=bucket, Key="source", UploadId=upload, MultipartUpload={"Parts": parts})
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source")
    copy = head(s3, bucket)
    assert head(s3, bucket, "source")["ETag"].endswith('-1"')
    assert copy["ETag"] == f'"{md5(b"hello")}"'
    assert copy["ChecksumSHA256"] == compute(b"hello", "SHA256").value
    assert "PartsCount" not in s3.head_object(Bucket=bucket, Key="copy", PartNumber=1)


def test_a_copy_of_an_object_over_the_limit_is_refused(aws: Plain, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"12345")
    aws.emulator.limits.single_copy_bytes = 4
    try:
        with refused("InvalidRequest", 400) as error:
            s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source")
    finally:
        aws.emulator.limits.single_copy_bytes = 5 * 1024**3
    assert "larger than the maximum allowable size" in error["Message"]


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_a_copy_of_an_archived_object_is_refused_until_it_is_restored(s3: Any, bucket: str, storage_class: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"x", StorageClass=storage_class)
    with refused("InvalidObjectState", 403):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source")
    s3.restore_object(Bucket=bucket, Key="source", RestoreRequest={"Days": 1})
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source")
    assert "Restore" not in head(s3, bucket)


def test_a_restore_that_takes_time_is_under_way_first(aws: Plain, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"x", StorageClass="GLACIER")
    aws.emulator.limits.restore_seconds = 60
    try:
        s3.restore_object(Bucket=bucket, Key="source", RestoreRequest={"Days": 1})
    finally:
        aws.emulator.limits.restore_seconds = 0
    assert head(s3, bucket, "source")["Restore"] == 'ongoing-request="true"'
    with refused("InvalidObjectState", 403):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source")
    with refused("RestoreAlreadyInProgress", 409):
        s3.restore_object(Bucket=bucket, Key="source", RestoreRequest={"Days": 1})


def test_an_object_in_glacier_instant_retrieval_can_be_copied(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"x", StorageClass="GLACIER_IR")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source", StorageClass="GLACIER_IR")
    assert head(s3, bucket)["StorageClass"] == "GLACIER_IR"


def test_a_copy_onto_itself_must_change_something(s3: Any, bucket: str) -> None:
    version = s3.put_object(Bucket=bucket, Key="key", Body=b"x")["VersionId"]
    with refused("InvalidRequest", 400):
        s3.copy_object(Bucket=bucket, Key="key", CopySource=f"{bucket}/key")
    s3.copy_object(Bucket=bucket, Key="key", CopySource=f"{bucket}/key", MetadataDirective="REPLACE")
    s3.copy_object(Bucket=bucket, Key="key", CopySource={"Bucket": bucket, "Key": "key", "VersionId": version})
    assert len(s3.list_object_versions(Bucket=bucket)["Versions"]) == 3


def test_a_copy_onto_itself_may_change_only_the_encryption(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", ServerSideEncryption="aws:kms")
    answer = s3.copy_object(Bucket=bucket, Key="key", CopySource=f"{bucket}/key")
    assert answer["ServerSideEncryption"] == "AES256"


def test_a_copy_onto_itself_need_not_change_anything_where_the_bucket_has_an_encryption_of_its_own(
    s3: Any, bucket: str
) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    s3.copy_object(Bucket=bucket, Key="key", CopySource=f"{bucket}/key")
    s3.delete_bucket_encryption(Bucket=bucket)
    with refused("InvalidRequest", 400):
        s3.copy_object(Bucket=bucket, Key="key", CopySource=f"{bucket}/key")


def test_a_copy_into_a_suspended_bucket_answers_its_id_but_not_that_of_its_source(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket(versioning="Suspended")
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    answer = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key")
    assert answer["VersionId"] == "null"
    assert "CopySourceVersionId" not in answer


def test_a_copy_source_without_a_key_is_an_invalid_argument(s3: Any, bucket: str) -> None:
    with refused("InvalidArgument", 400) as error:
        s3.copy_object(Bucket=bucket, Key="copy", CopySource="nowhere")
    assert (error["Message"], error["ArgumentName"]) == ("Invalid copy source object key", "x-amz-copy-source")


def test_a_copy_of_nothing_has_the_error_of_what_is_missing(s3: Any, bucket: str) -> None:
    version = s3.put_object(Bucket=bucket, Key="key", Body=b"x")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="key", VersionId=version)
    with refused("NoSuchBucket", 404):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource="no-such-bucket-here/key")
    with refused("NoSuchKey", 404):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key")
    with refused("NoSuchVersion", 404):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "key", "VersionId": version})
    with refused("NoSuchBucket", 404):
        s3.copy_object(Bucket="no-such-bucket-here", Key="copy", CopySource=f"{bucket}/key")


def test_a_delete_marker_cannot_be_copied(s3: Any, bucket: str) -> None:
    marker = s3.delete_object(Bucket=bucket, Key="key")["VersionId"]
    with refused("InvalidRequest", 400):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "key", "VersionId": marker})
    with refused("NoSuchKey", 404):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key")


def test_an_object_can_be_copied_from_another_region(aws: Plain, s3: Any, bucket: str) -> None:
    west = aws.bucket("us-west-2")
    s3.put_object(Bucket=bucket, Key="key", Body=b"east")
    aws.client("s3", "us-west-2").copy_object(Bucket=west, Key="key", CopySource=f"{bucket}/key")
    assert head(s3, west, "key")["ContentLength"] == 4


def test_each_copy_of_an_object_under_a_kms_key_has_an_etag_of_its_own_that_is_no_md5(s3: Any, bucket: str) -> None:
    kms = {"ServerSideEncryption": "aws:kms"}
    source = s3.put_object(Bucket=bucket, Key="source", Body=b"hello", **kms)["ETag"]
    copies = [
        s3.copy_object(Bucket=bucket, Key=f"copy {number}", CopySource=f"{bucket}/source", **kms)["CopyObjectResult"]
        for number in range(2)
    ]
    assert len({source, *(copy["ETag"] for copy in copies), f'"{md5(b"hello")}"'}) == 4
    assert head(s3, bucket, "copy 0")["ETag"] == copies[0]["ETag"]
    plain = s3.copy_object(Bucket=bucket, Key="plain", CopySource=f"{bucket}/source", ServerSideEncryption="AES256")
    assert plain["CopyObjectResult"]["ETag"] == f'"{md5(b"hello")}"'


def test_parts_under_a_kms_key_have_etags_of_their_own_and_the_object_the_md5_of_those(s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key", ServerSideEncryption="aws:kms")["UploadId"]
    named = {"Bucket": bucket, "Key": "key", "UploadId": upload}
    etag = s3.upload_part(**named, PartNumber=1, Body=b"hello")["ETag"]
    assert etag != f'"{md5(b"hello")}"'
    done = s3.complete_multipart_upload(**named, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert done["ETag"] == f'"{md5(bytes.fromhex(etag.strip(chr(34))))}-1"'
