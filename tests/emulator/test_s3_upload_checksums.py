"""Checksums of uploads in parts and of parts, and what is refused because of one: AWS's recorded answers."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from emulator.s3.checksums import compute
from emulator.s3.upload_checksums import composite
from tests.emulator.plain import USER, Plain, head, refused, serving
from tests.emulator.uploading import complete, part, start


@pytest.fixture(scope="module")
def aws() -> Iterator[Plain]:
    with serving() as plain:
        plain.emulator.limits.part_bytes = 4
        yield plain


@pytest.fixture(scope="module")
def plain_sender(aws: Plain) -> Any:
    """Return a client that sends no checksum of its own accord."""
    return boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=aws.emulator.endpoint,
        aws_access_key_id=USER.access_key_id,
        aws_secret_access_key=USER.secret_access_key,
        config=Config(request_checksum_calculation="when_required", retries={"total_max_attempts": 1}),
    )


BODIES = (b"hello ", b"world")


def uploaded(s3: Any, bucket: str, algorithm: str, **settings: Any) -> tuple[str, list[dict[str, Any]]]:
    """Upload two parts with checksums of an algorithm; return the upload and what completes it."""
    upload = start(s3, bucket, ChecksumAlgorithm=algorithm, **settings)
    return upload, [
        part(s3, bucket, upload, number, body, ChecksumAlgorithm=algorithm) for number, body in enumerate(BODIES, 1)
    ]


def without_checksums(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: each[name] for name in ("PartNumber", "ETag")} for each in parts]


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
    assert found["ChecksumSHA256"] == composite([compute(body, "SHA256") for body in (b"hello ", b"world")]).value
    assert found["ChecksumSHA256"].endswith("-2")
    assert found["ChecksumType"] == "COMPOSITE"


def test_a_crc_of_an_upload_can_be_of_the_whole_when_asked(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    complete(s3, bucket, upload, part(s3, bucket, upload, 1, b"hello "), part(s3, bucket, upload, 2, b"world"))
    assert head(s3, bucket, ChecksumMode="ENABLED")["ChecksumCRC32"] == compute(b"hello world", "CRC32").value


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ChecksumAlgorithm": "SHA256", "ChecksumType": "FULL_OBJECT"},
         "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm."),
        ({"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "COMPOSITE"},
         "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm."),
        ({"ChecksumType": "COMPOSITE"},
         "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."),
        ({"ChecksumType": "OTHER", "ChecksumAlgorithm": "CRC32"}, "Value for x-amz-checksum-type header is invalid."),
    ],
    ids=["whole sha256", "composite crc64nvme", "type alone", "unknown type"],
)  # fmt: skip
def test_an_upload_cannot_be_begun_with_a_type_that_its_algorithm_lacks(
    s3: Any, bucket: str, settings: dict[str, Any], message: str
) -> None:
    with refused("InvalidRequest", 400) as error:
        start(s3, bucket, **settings)
    assert error["Message"] == message


def test_a_part_with_a_checksum_of_another_algorithm_is_refused(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket, ChecksumAlgorithm="SHA256")
    with refused("InvalidRequest", 400) as error:
        part(s3, bucket, upload, 1, b"hello", ChecksumAlgorithm="CRC32")
    assert error["Message"] == (
        "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32"
    )


def test_only_parts_of_whole_object_checksums_may_come_without_one(plain_sender: Any, bucket: str) -> None:
    whole = start(plain_sender, bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    part(plain_sender, bucket, whole, 1, b"hello")
    with refused("InvalidRequest", 400) as error:
        part(plain_sender, bucket, start(plain_sender, bucket, ChecksumAlgorithm="CRC32"), 1, b"hello")
    assert error["Message"].endswith("expected checksum Type: crc32, actual checksum Type: null")


def test_a_composite_upload_is_completed_with_the_checksum_of_each_part(s3: Any, bucket: str) -> None:
    upload, parts = uploaded(s3, bucket, "CRC32")
    with refused("InvalidRequest", 400) as error:
        complete(s3, bucket, upload, parts[0], *without_checksums(parts[1:]))
    assert error["Message"].endswith("It was missing for part 2 in the request.")
    wrong = {"ChecksumCRC32": compute(b"other", "CRC32").value}
    with refused("InvalidPart", 400):
        complete(s3, bucket, upload, parts[0] | wrong, parts[1])
    [bare, _] = without_checksums(parts)
    with refused("BadDigest", 400) as error:
        complete(s3, bucket, upload, {**bare, "ChecksumSHA256": compute(BODIES[0], "SHA256").value}, parts[1])
    assert error["Message"] == "The sha256 you specified for part 1 did not match what we received."


def test_parts_with_checksums_are_numbered_from_1_on_without_gaps(s3: Any, bucket: str) -> None:
    upload, parts = uploaded(s3, bucket, "CRC32")
    third = part(s3, bucket, upload, 3, b"third", ChecksumAlgorithm="CRC32")
    for chosen in (parts[1:], [parts[0], third], [parts[1], third]):
        with refused("InvalidPartOrder", 400):
            complete(s3, bucket, upload, *chosen)
    complete(s3, bucket, upload, *parts, third)


def test_checksums_of_parts_are_not_accepted_by_an_upload_without_an_algorithm(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    parts = [part(s3, bucket, upload, 1, b"hello", ChecksumAlgorithm="CRC32C")]
    assert "ChecksumCRC32C" in parts[0]
    with refused("InvalidPart", 400):
        complete(s3, bucket, upload, *parts)
    assert "ChecksumCRC64NVME" in complete(s3, bucket, upload, *without_checksums(parts))


def test_an_upload_is_completed_with_the_type_that_it_was_begun_with(s3: Any, bucket: str) -> None:
    upload, parts = uploaded(s3, bucket, "CRC32")
    begun = {None: start(s3, bucket), "COMPOSITE": upload}
    for created, kind in (("COMPOSITE", "FULL_OBJECT"), (None, "FULL_OBJECT"), (None, "COMPOSITE")):
        with refused("InvalidRequest", 400) as error:
            complete(s3, bucket, begun[created], *parts, ChecksumType=kind)
        assert f"created using the {created or 'null'} checksum mode" in error["Message"]
    complete(s3, bucket, upload, *parts, ChecksumType="COMPOSITE")


def test_the_checksum_of_a_whole_object_is_compared_only_with_its_type(s3: Any, bucket: str) -> None:
    upload, parts = uploaded(s3, bucket, "CRC32C", ChecksumType="FULL_OBJECT")
    right, other = (compute(body, "CRC32C").value for body in (b"".join(BODIES), b"other"))
    for sent in (
        {"ChecksumCRC32C": right},
        {"ChecksumCRC32C": other, "ChecksumType": "FULL_OBJECT"},
        {"ChecksumCRC64NVME": compute(b"".join(BODIES), "CRC64NVME").value},
    ):
        with refused("BadDigest", 400) as error:
            complete(s3, bucket, upload, *parts, **sent)
        assert error["Message"] == "The crc32c you specified did not match the calculated checksum."
    done = complete(s3, bucket, upload, *without_checksums(parts), ChecksumCRC32C=right, ChecksumType="FULL_OBJECT")
    assert (done["ChecksumCRC32C"], done["ChecksumType"]) == (right, "FULL_OBJECT")


def test_an_upload_without_an_algorithm_ignores_checksums_of_others_than_its_default(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    only = part(s3, bucket, upload, 1, b"hello")
    done = complete(s3, bucket, upload, only, ChecksumCRC32C="AAAAAA==-2")
    assert done["ChecksumCRC64NVME"] == compute(b"hello", "CRC64NVME").value


def test_completing_an_upload_with_a_wrong_size_or_checksum_is_refused(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    only = part(s3, bucket, upload, 1, b"hello")
    with refused("InvalidRequest", 400):
        complete(s3, bucket, upload, only, MpuObjectSize=4)
    with refused("BadDigest", 400):
        complete(s3, bucket, upload, only, ChecksumCRC64NVME=base64.b64encode(b"8 bytes.").decode())
    complete(s3, bucket, upload, only, MpuObjectSize=5, ChecksumCRC64NVME="M3eFcAZSQlc=")


def test_the_completion_of_an_upload_with_a_kms_key_tells_no_checksum_though_the_object_has_one(
    s3: Any, bucket: str
) -> None:
    upload = start(s3, bucket, ServerSideEncryption="aws:kms")
    done = complete(s3, bucket, upload, part(s3, bucket, upload, 1, b"hello"))
    assert [name for name in done if name.startswith("Checksum")] == []
    assert head(s3, bucket, ChecksumMode="ENABLED")["ChecksumCRC64NVME"] == compute(b"hello", "CRC64NVME").value


def test_a_part_of_a_composite_object_is_read_with_its_own_checksum(s3: Any, bucket: str) -> None:
    upload, parts = uploaded(s3, bucket, "CRC32C")
    complete(s3, bucket, upload, *parts)
    for number, body in enumerate(BODIES, 1):
        found = head(s3, bucket, PartNumber=number, ChecksumMode="ENABLED")
        assert (found["ChecksumCRC32C"], found["ChecksumType"]) == (compute(body, "CRC32C").value, "COMPOSITE")


def test_a_part_of_an_object_with_one_checksum_for_all_is_read_without_any_unless_it_is_the_only_one(
    s3: Any, bucket: str
) -> None:
    upload, parts = uploaded(s3, bucket, "CRC32C", ChecksumType="FULL_OBJECT")
    complete(s3, bucket, upload, *parts)
    assert "ChecksumCRC32C" not in head(s3, bucket, PartNumber=2, ChecksumMode="ENABLED")
    upload, parts = uploaded(s3, bucket, "CRC32C", ChecksumType="FULL_OBJECT")
    complete(s3, bucket, upload, parts[0])
    found = head(s3, bucket, PartNumber=1, ChecksumMode="ENABLED")
    assert (found["ChecksumCRC32C"], found["ChecksumType"]) == (compute(BODIES[0], "CRC32C").value, "FULL_OBJECT")


def test_the_parts_of_an_object_are_listed_only_if_they_have_checksums(s3: Any, bucket: str) -> None:
    asked: dict[str, Any] = {"Bucket": bucket, "Key": "key", "ObjectAttributes": ["ObjectParts"]}
    upload, parts = uploaded(s3, bucket, "SHA256")
    complete(s3, bucket, upload, *parts)
    listed = s3.get_object_attributes(**asked, MaxParts=1)["ObjectParts"]
    assert (listed["TotalPartsCount"], listed["IsTruncated"], listed["NextPartNumberMarker"]) == (2, True, 1)
    assert [each["ChecksumSHA256"] for each in listed["Parts"]] == [compute(BODIES[0], "SHA256").value]
    past = s3.get_object_attributes(**asked, PartNumberMarker=10)["ObjectParts"]
    assert (past["TotalPartsCount"], past["NextPartNumberMarker"], "Parts" in past) == (2, 0, False)
    upload, parts = uploaded(s3, bucket, "CRC32", ChecksumType="FULL_OBJECT")
    complete(s3, bucket, upload, *parts)
    assert s3.get_object_attributes(**asked)["ObjectParts"] == {"TotalPartsCount": 2}


def test_attributes_are_named_and_known(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"hello")
    with refused("InvalidArgument", 400):
        s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["ETag", "Other"])
    with refused("InvalidRequest", 400):
        s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=[])


# What is no checksum at all


@pytest.mark.parametrize("value", ["short", "AAAA", "not base64!!", ""])
def test_a_checksum_that_no_bytes_can_have_is_an_invalid_request(s3: Any, bucket: str, value: str) -> None:
    for send in (
        lambda: s3.put_object(Bucket=bucket, Key="key", Body=b"hello", ChecksumSHA256=value),
        lambda: part(s3, bucket, start(s3, bucket), 1, b"hello", ChecksumSHA256=value),
    ):
        with refused("InvalidRequest", 400) as error:
            send()
        assert error["Message"] == "Value for x-amz-checksum-sha256 header is invalid."


def test_two_checksums_at_once_are_an_invalid_request(s3: Any, bucket: str) -> None:
    two = {f"Checksum{algorithm}": compute(b"hello", algorithm).value for algorithm in ("SHA256", "CRC32")}
    with refused("InvalidRequest", 400) as error:
        s3.put_object(Bucket=bucket, Key="key", Body=b"hello", **two)
    assert error["Message"].startswith("Expecting a single x-amz-checksum- header.")


@pytest.mark.parametrize("value", ["", "000", "MTIz", "not base64", base64.b64encode(b"test-string").decode()])
def test_a_content_md5_that_is_no_md5_is_an_invalid_digest(s3: Any, bucket: str, value: str) -> None:
    for send in (
        lambda: s3.put_object(Bucket=bucket, Key="key", Body=b"hello", ContentMD5=value),
        lambda: part(s3, bucket, start(s3, bucket), 1, b"hello", ContentMD5=value),
    ):
        with refused("InvalidDigest", 400) as error:
            send()
        assert error["Message"] == "The Content-MD5 you specified was invalid."


def test_a_content_md5_of_other_bytes_is_a_bad_digest_that_names_both(s3: Any, bucket: str) -> None:
    right, other = (compute(body, "MD5").value for body in (b"hello", b"other"))
    with refused("BadDigest", 400) as error:
        part(s3, bucket, start(s3, bucket), 1, b"hello", ContentMD5=other)
    assert (error["CalculatedDigest"], error["ExpectedDigest"]) == (right, other)
