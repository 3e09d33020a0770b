"""What S3 keeps beside an object's bytes, and how HEAD and GET return it."""

from __future__ import annotations

import base64
import http.client
import socket
from typing import Any

import pytest

from emulator.s3.checksums import compute
from tests.emulator.plain import SIGNED, Plain, head, md5, put, refused
from tests.patience import PATIENCE

# Checksums


def test_s3_computes_crc64nvme_when_the_writer_sends_no_checksum(aws: Plain, s3: Any, bucket: str) -> None:
    connection = http.client.HTTPConnection(aws.emulator.endpoint.removeprefix("http://"))
    connection.request("PUT", f"/{bucket}/key", body=b"hello", headers=SIGNED)
    assert connection.getresponse().status == 200
    found = head(s3, bucket, ChecksumMode="ENABLED")
    assert found["ChecksumCRC64NVME"] == "M3eFcAZSQlc="
    assert found["ChecksumType"] == "FULL_OBJECT"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_the_checksum_that_a_writer_sends_is_kept(s3: Any, bucket: str, algorithm: str) -> None:
    put(s3, bucket, ChecksumAlgorithm=algorithm)
    found = head(s3, bucket, ChecksumMode="ENABLED")
    assert found[f"Checksum{algorithm}"] == compute(b"hello", algorithm).value


def test_a_content_encoding_is_kept_as_it_was_written_but_for_that_of_the_request(s3: Any, bucket: str) -> None:
    for sent, kept in (("deflate, gzip", "deflate, gzip"), ("aws-chunked, gzip", "gzip"), ("aws-chunked", None)):
        put(s3, bucket, ContentEncoding=sent)
        assert head(s3, bucket).get("ContentEncoding") == kept


def test_checksums_are_returned_only_when_asked_for(s3: Any, bucket: str) -> None:
    put(s3, bucket, ChecksumAlgorithm="SHA256")
    assert not [name for name in head(s3, bucket) if name.startswith("Checksum")]


def test_an_object_with_a_wrong_checksum_is_refused(s3: Any, bucket: str) -> None:
    with refused("BadDigest", 400):
        put(s3, bucket, ChecksumSHA256=compute(b"other", "SHA256").value)
    with refused("BadDigest", 400):
        put(s3, bucket, ContentMD5=base64.b64encode(bytes.fromhex(md5(b"other"))).decode())


# Metadata and tags


def test_an_object_has_at_most_two_kilobytes_of_user_metadata(s3: Any, bucket: str) -> None:
    put(s3, bucket, Metadata={"k" * 48: "v" * 2000})
    with refused("MetadataTooLarge", 400):
        put(s3, bucket, Metadata={"k" * 49: "v" * 2000})


def test_an_object_has_at_most_ten_tags(s3: Any, bucket: str) -> None:
    put(s3, bucket, Tagging="&".join(f"k{number}=v" for number in range(10)))
    assert head(s3, bucket)["TagCount"] == 10
    eleven = [{"Key": f"k{number}", "Value": "v"} for number in range(11)]
    with refused("BadRequest", 400):
        put(s3, bucket, Tagging="&".join(f"k{number}=v" for number in range(11)))
    with refused("BadRequest", 400):
        s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": eleven})


@pytest.mark.parametrize(
    "tag",
    [("k" * 129, "v"), ("k", "v" * 257), ("aws:mine", "v")],
    ids=["a long key", "a long value", "a reserved prefix"],
)
def test_a_tag_that_breaks_a_limit_is_refused(s3: Any, bucket: str, tag: tuple[str, str]) -> None:
    put(s3, bucket)
    with refused("InvalidTag", 400):
        s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": [{"Key": tag[0], "Value": tag[1]}]})


def test_tags_belong_to_a_version(s3: Any, bucket: str) -> None:
    first = put(s3, bucket, Tagging="a=1")["VersionId"]
    second = put(s3, bucket)["VersionId"]
    s3.put_object_tagging(Bucket=bucket, Key="key", VersionId=second, Tagging={"TagSet": [{"Key": "b", "Value": " "}]})
    got = {
        version: s3.get_object_tagging(Bucket=bucket, Key="key", VersionId=version)["TagSet"]
        for version in (first, second)
    }
    assert got == {first: [{"Key": "a", "Value": "1"}], second: [{"Key": "b", "Value": " "}]}
    assert s3.delete_object_tagging(Bucket=bucket, Key="key", VersionId=first)["VersionId"] == first
    assert "TagCount" not in head(s3, bucket, VersionId=first)


@pytest.mark.parametrize("name", ["CUPBOARD", "OUTPOSTS", "EXPRESS_ONEZONE"])
def test_a_storage_class_that_a_bucket_does_not_have_is_refused(s3: Any, bucket: str, name: str) -> None:
    with refused("InvalidStorageClass", 400) as error:
        put(s3, bucket, StorageClass=name)
    assert error["StorageClassRequested"] == name


def test_an_object_posted_by_a_browser_form_is_stored_like_a_put(aws: Plain, s3: Any, bucket: str) -> None:
    fields = {"key": "form", "x-amz-meta-color": "blue", "Content-Type": "text/plain", "file": "hello"}
    parts = (
        f'--B\r\nContent-Disposition: form-data; name="{name}"'
        + ('; filename="f"' if name == "file" else "")
        + f"\r\n\r\n{value}\r\n"
        for name, value in fields.items()
    )
    connection = http.client.HTTPConnection(aws.emulator.endpoint.removeprefix("http://"))
    body, headers = "".join(parts) + "--B--\r\n", SIGNED | {"Content-Type": "multipart/form-data; boundary=B"}
    connection.request("POST", f"/{bucket}", body=body, headers=headers)
    assert connection.getresponse().status == 204
    got = s3.get_object(Bucket=bucket, Key="form")
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (b"hello", "text/plain", {"color": "blue"})
    assert got["VersionId"] != "null"


# Reading


@pytest.mark.parametrize(
    ("asked", "expected", "shown"),
    [
        ("bytes=1-2", b"el", "bytes 1-2/5"),
        ("bytes=3-", b"lo", "bytes 3-4/5"),
        ("bytes=-2", b"lo", "bytes 3-4/5"),
        ("bytes=0-99", b"hello", "bytes 0-4/5"),
    ],
    ids=["from one byte to another", "to the end", "the last bytes", "more than there are"],
)
def test_a_range_returns_part_of_the_bytes(s3: Any, bucket: str, asked: str, expected: bytes, shown: str) -> None:
    put(s3, bucket)
    got = s3.get_object(Bucket=bucket, Key="key", Range=asked)
    assert (got["Body"].read(), got["ContentRange"]) == (expected, shown)
    assert head(s3, bucket, Range=asked)["ContentLength"] == len(expected)


def test_a_range_past_the_end_is_refused(s3: Any, bucket: str) -> None:
    put(s3, bucket)
    with refused("InvalidRange", 416):
        s3.get_object(Bucket=bucket, Key="key", Range="bytes=5-")


def test_an_empty_object_is_an_object(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert s3.head_object(Bucket=bucket, Key="empty", ChecksumMode="ENABLED")["ContentLength"] == 0
    assert s3.get_object(Bucket=bucket, Key="empty")["Body"].read() == b""


def test_an_archived_object_has_a_head_and_can_be_read_once_it_is_restored(s3: Any, bucket: str) -> None:
    put(s3, bucket, StorageClass="DEEP_ARCHIVE")
    assert head(s3, bucket)["StorageClass"] == "DEEP_ARCHIVE"
    with refused("InvalidObjectState", 403):
        s3.get_object(Bucket=bucket, Key="key")
    s3.restore_object(Bucket=bucket, Key="key", RestoreRequest={"Days": 2})
    assert head(s3, bucket)["Restore"].startswith('ongoing-request="false", expiry-date="')
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"hello"


def test_object_attributes_are_those_that_were_asked_for(s3: Any, bucket: str) -> None:
    put(s3, bucket, ChecksumAlgorithm="SHA256")
    asked = ["ETag", "Checksum", "ObjectSize", "StorageClass"]
    got = s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=asked)
    assert got["ETag"] == md5(b"hello")
    assert got["Checksum"]["ChecksumSHA256"] == compute(b"hello", "SHA256").value
    assert (got["ObjectSize"], got["StorageClass"]) == (5, "STANDARD")


# Encryption


def test_everything_is_encrypted_with_sse_s3_by_default(s3: Any, bucket: str) -> None:
    assert put(s3, bucket)["ServerSideEncryption"] == "AES256"
    assert head(s3, bucket)["ServerSideEncryption"] == "AES256"
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


@pytest.mark.parametrize("algorithm", ["aws:kms", "aws:kms:dsse"])
def test_the_kms_key_of_an_object_is_returned_as_an_arn(aws: Plain, s3: Any, bucket: str, algorithm: str) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]
    for name in (key["KeyId"], key["Arn"]):
        assert put(s3, bucket, ServerSideEncryption=algorithm, SSEKMSKeyId=name)["SSEKMSKeyId"] == key["Arn"]
    found = head(s3, bucket)
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == (algorithm, key["Arn"])


def test_without_a_key_kms_encryption_uses_the_one_that_aws_manages(aws: Plain, s3: Any, bucket: str) -> None:
    arn = put(s3, bucket, ServerSideEncryption="aws:kms")["SSEKMSKeyId"]
    assert put(s3, bucket, ServerSideEncryption="aws:kms")["SSEKMSKeyId"] == arn
    assert aws.client("kms").describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"] == arn


def test_a_buckets_default_encryption_is_for_puts_and_copies(aws: Plain, s3: Any) -> None:
    bucket, key = aws.bucket(), aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rule = {"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    put(s3, bucket)
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key", IfNoneMatch="*")
    for name in ("key", "copy"):
        found = s3.head_object(Bucket=bucket, Key=name)
        assert (found["SSEKMSKeyId"], found["BucketKeyEnabled"]) == (key, True)
    assert put(s3, bucket, ServerSideEncryption="AES256")["ServerSideEncryption"] == "AES256"
    s3.delete_bucket_encryption(Bucket=bucket)
    assert put(s3, bucket)["ServerSideEncryption"] == "AES256"


def test_a_kms_key_that_is_disabled_or_scheduled_for_deletion_cannot_be_used(aws: Plain, s3: Any, bucket: str) -> None:
    kms = aws.client("kms")
    disabled, going = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    kms.disable_key(KeyId=disabled)
    kms.schedule_key_deletion(KeyId=going)
    with refused("KMS.DisabledException", 400):
        put(s3, bucket, ServerSideEncryption="aws:kms", SSEKMSKeyId=disabled)
    with refused("KMS.KMSInvalidStateException", 400):
        put(s3, bucket, ServerSideEncryption="aws:kms", SSEKMSKeyId=going)


def test_a_kms_key_of_another_region_is_not_found(s3: Any, bucket: str) -> None:
    with refused("KMS.NotFoundException", 400):
        put(
            s3,
            bucket,
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId="arn:aws:kms:us-west-2:123456789012:key/0d990263-018e-4e65-a703-eff731de951e",
        )


def test_an_sse_c_object_is_only_read_with_its_key(s3: Any, bucket: str) -> None:
    mine = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    put(s3, bucket, **mine)
    with refused("400", 400):
        head(s3, bucket)
    with refused("403", 403):
        head(s3, bucket, **{**mine, "SSECustomerKey": "o" * 32})
    assert head(s3, bucket, **mine)["SSECustomerAlgorithm"] == "AES256"
    with refused("InvalidRequest", 400):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key")
    source = {f"CopySource{name}": value for name, value in mine.items()}
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key", **source)


def test_header_values_keep_their_bytes_but_not_the_blanks_around_them(s3: Any, bucket: str) -> None:
    text = 'attachment; filename="test_\u2014_file_\u00e9.pdf"'
    s3.put_object(Bucket=bucket, Key="key", ContentDisposition=f" {text} ", Metadata={"note": " a  b "})
    found = s3.head_object(Bucket=bucket, Key="key")
    assert found["ContentDisposition"].encode("latin-1").decode() == text
    assert found["Metadata"] == {"note": "a  b"}


@pytest.mark.parametrize(
    ("sent", "returned"),
    [
        ("=?UTF-8?B?YWJj?=", "abc"),
        ("=?UTF-8?Q?actually-ascii?=", "actually-ascii"),
        ("=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?=", "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?="),
        ("=?UTF-8?B?w4RNw4Raw5XDkSBTMw==?=", "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?="),
        ("=?UTF-8?Q?=5F=3F=E2=80=94%.pdf?=", "=?UTF-8?Q?=5F=3F=E2=80=94%.pdf?="),
        ("=?UTF-8?B?AAECAw==?=", "=?UTF-8?B?AAECAw==?="),
        ("=?UTF-8?Q?=FFa=FF?=", "=?UTF-8?B?77+9Ye+/vQ==?="),
    ],
)
def test_user_metadata_in_the_form_of_rfc_2047_is_decoded_and_encoded_again(
    s3: Any, bucket: str, sent: str, returned: str
) -> None:
    s3.put_object(Bucket=bucket, Key="key", Metadata={"note": sent})
    assert s3.head_object(Bucket=bucket, Key="key")["Metadata"] == {"note": returned}


def test_a_header_asked_for_must_be_iso_8859_1(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    found = s3.get_object(Bucket=bucket, Key="key", ResponseCacheControl="\u00e9")
    assert found["CacheControl"] == "\u00e9"
    with refused("InvalidArgument"):
        s3.get_object(Bucket=bucket, Key="key", ResponseCacheControl="\u2014")


def test_as_many_entries_of_user_metadata_are_kept_as_2_kb_hold(s3: Any, bucket: str) -> None:
    metadata = {f"e{number}": "" for number in range(500)}
    s3.put_object(Bucket=bucket, Key="key", Metadata=metadata)
    assert s3.head_object(Bucket=bucket, Key="key")["Metadata"] == metadata


# Bodies


@pytest.mark.parametrize("body", [b"hello", b"5\r\nhel", b"5\r\nhello\r\n", b"x\r\n"])
def test_what_is_not_in_s3s_own_chunks_though_it_should_be_is_incomplete(aws: Plain, bucket: str, body: bytes) -> None:
    chunked = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Encoding": "aws-chunked"}
    connection = http.client.HTTPConnection(aws.emulator.endpoint.removeprefix("http://"))
    connection.request("PUT", f"/{bucket}/key", body=body, headers=SIGNED | chunked)
    answer = connection.getresponse()
    assert (answer.status, b"<Code>IncompleteBody</Code>" in answer.read()) == (400, True)


def asked(aws: Plain, request: str) -> bytes:
    """Send a request that no client makes, and return the status line of its answer."""
    address = aws.emulator.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), PATIENCE) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        return connection.makefile("rb").readline()


def test_an_object_is_not_written_unless_its_length_is_known(aws: Plain, bucket: str) -> None:
    headers = "".join(f"{name}: {value}\n" for name, value in SIGNED.items())
    assert b" 411 " in asked(aws, f"PUT /{bucket}/key HTTP/1.1\nHost: s3.amazonaws.com\n{headers}Connection: close\n\n")


@pytest.mark.parametrize("length", ["-1", "", "ten"])
def test_a_length_that_is_none_is_a_bad_request(aws: Plain, bucket: str, length: str) -> None:
    assert b" 400 " in asked(aws, f"PUT /{bucket}/key HTTP/1.1\nHost: s3.amazonaws.com\nContent-Length: {length}\n\n")


def test_an_error_repeats_the_request_id_of_its_headers(s3: Any, bucket: str) -> None:
    with pytest.raises(s3.exceptions.NoSuchKey) as raised:
        s3.get_object(Bucket=bucket, Key="nothing")
    told = raised.value.response["ResponseMetadata"]
    assert told["RequestId"] == told["HTTPHeaders"]["x-amz-request-id"]
