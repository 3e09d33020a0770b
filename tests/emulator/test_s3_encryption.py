"""Encryption as AWS was recorded to treat it: KMS keys by name and state, customers' keys, headers that conflict."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator.plain import Plain, head, put, refused

HERE = "arn:aws:kms:us-east-1:123456789012:key/134f2428-cec1-4b25-a1ae-9048164dba47"
THEIRS = "arn:aws:kms:us-east-1:210987654321:key/134f2428-cec1-4b25-a1ae-9048164dba47"
NAMES = {
    "no key id": ("fake-key-id", "Invalid keyId 'fake-key-id'"),
    "the id of no key": (HERE.rpartition("/")[2], f"Key '{HERE}' does not exist"),
    "the ARN of no key": (HERE, f"Key '{HERE}' does not exist"),
    "a key of another Region": (HERE.replace("us-east-1", "us-west-2"), "Invalid arn us-west-2"),
    "an alias that nobody created": (
        "alias/none",
        "Alias arn:aws:kms:us-east-1:123456789012:alias/none is not found.",
    ),
    "an ARN that is none": ("arn:aws:kms", "Invalid arn arn:aws:kms"),
}


@pytest.fixture
def kms(aws: Plain) -> Any:
    return aws.client("kms")


@pytest.fixture
def key(kms: Any) -> str:
    return str(kms.create_key()["KeyMetadata"]["Arn"])


def by(key: str) -> dict[str, str]:
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}


# KMS keys: which one is named


@pytest.mark.parametrize("case", NAMES)
def test_a_kms_key_that_does_not_exist_is_refused_by_puts_copies_and_uploads(s3: Any, bucket: str, case: str) -> None:
    named, message = NAMES[case]
    put(s3, bucket)
    source = {"CopySource": {"Bucket": bucket, "Key": "key"}}
    writes: list[Callable[[], Any]] = [
        lambda: put(s3, bucket, **by(named)),
        lambda: s3.copy_object(Bucket=bucket, Key="copy", **source, **by(named)),
        lambda: s3.create_multipart_upload(Bucket=bucket, Key="upload", **by(named)),
    ]
    for write in writes:
        with refused("KMS.NotFoundException", 400) as error:
            write()
        assert error["Message"] == message


def test_a_key_of_another_account_is_taken_as_it_is(s3: Any, bucket: str) -> None:
    assert put(s3, bucket, **by(THEIRS))["SSEKMSKeyId"] == THEIRS
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"hello"


def test_a_default_key_that_does_not_exist_is_refused_when_an_object_is_written(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket()
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": HERE}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    with refused("KMS.NotFoundException", 400):
        put(s3, bucket)


# KMS keys: their state

TROUBLE = {
    "disabled": ("KMS.DisabledException", "is disabled."),
    "to be deleted": ("KMS.KMSInvalidStateException", "is pending deletion."),
}


def spoil(kms: Any, key: str, state: str) -> None:
    """Put a key, named by its ARN, into a state in which it cannot be used."""
    if state == "disabled":
        kms.disable_key(KeyId=key)
    else:
        kms.schedule_key_deletion(KeyId=key)


@pytest.mark.parametrize("state", TROUBLE)
def test_what_a_key_in_a_bad_state_encrypted_is_neither_read_nor_copied(
    kms: Any, key: str, s3: Any, bucket: str, state: str
) -> None:
    put(s3, bucket, **by(key))
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    spoil(kms, key, state)
    code, message = TROUBLE[state]
    source = {"CopySource": {"Bucket": bucket, "Key": "key"}}
    reads: list[Callable[[], Any]] = [
        lambda: s3.get_object(Bucket=bucket, Key="key"),
        lambda: s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["Checksum"]),
        lambda: s3.copy_object(Bucket=bucket, Key="copy", **source),
        lambda: s3.upload_part_copy(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, **source),
    ]
    for read in reads:
        with refused(code, 400) as error:
            read()
        assert error["Message"] == f"{key} {message}"


@pytest.mark.parametrize("state", TROUBLE)
def test_a_head_needs_the_key_only_for_the_checksum_and_does_not_say_what_is_wrong(
    kms: Any, key: str, s3: Any, bucket: str, state: str
) -> None:
    put(s3, bucket, **by(key))
    spoil(kms, key, state)
    assert head(s3, bucket)["SSEKMSKeyId"] == key
    with refused("400", 400):
        head(s3, bucket, ChecksumMode="ENABLED")


@pytest.mark.parametrize("state", TROUBLE)
def test_an_upload_whose_key_is_in_a_bad_state_takes_no_part_and_is_neither_listed_nor_completed(
    kms: Any, key: str, s3: Any, bucket: str, state: str
) -> None:
    named = {"Bucket": bucket, "Key": "parts"}
    upload = {**named, "UploadId": s3.create_multipart_upload(**named, **by(key))["UploadId"]}
    etag = s3.upload_part(**upload, PartNumber=1, Body=b"1")["ETag"]
    spoil(kms, key, state)
    calls: list[Callable[[], Any]] = [
        lambda: s3.upload_part(**upload, PartNumber=2, Body=b"2"),
        lambda: s3.list_parts(**upload),
        lambda: s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]}),
    ]
    for call in calls:
        with refused(TROUBLE[state][0], 400):
            call()
    s3.abort_multipart_upload(**upload)


def test_a_key_that_is_enabled_again_decrypts_again(kms: Any, key: str, s3: Any, bucket: str) -> None:
    put(s3, bucket, **by(key))
    kms.disable_key(KeyId=key)
    kms.enable_key(KeyId=key)
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"hello"


# Customers' keys


def customer(secret: bytes = b"k" * 32, /, **headers: str | None) -> dict[str, str]:
    """Return the headers of SSE-C without what is None."""
    all_of_them: dict[str, str | None] = {
        "algorithm": "AES256",
        "key": base64.b64encode(secret).decode(),
        "key-MD5": base64.b64encode(hashlib.md5(secret, usedforsecurity=False).digest()).decode(),
        **headers,
    }
    return {
        f"x-amz-server-side-encryption-customer-{name}": value
        for name, value in all_of_them.items()
        if value is not None
    }


CUSTOMER_KEYS: dict[str, tuple[dict[str, str], str, str]] = {
    "another algorithm": (
        customer(algorithm="KMS"),
        "InvalidEncryptionAlgorithmError",
        "The Encryption request you specified is not valid. Supported value: AES256.",
    ),
    "no algorithm": (customer(algorithm=None), "InvalidArgument", "must provide a valid encryption algorithm."),
    "no key": (customer(key=None), "InvalidArgument", "must provide an appropriate secret key."),
    "no MD5": (customer(**{"key-MD5": None}), "InvalidArgument", "The secret key was invalid for the specified"),
    "a short key": (customer(b"short"), "InvalidArgument", "The secret key was invalid for the specified algorithm."),
    "the MD5 of another key": (
        customer(**{"key-MD5": customer(b"o" * 32)["x-amz-server-side-encryption-customer-key-MD5"]}),
        "InvalidArgument",
        "The calculated MD5 hash of the key did not match the hash that was provided.",
    ),
    "two encryptions": (
        customer() | {"x-amz-server-side-encryption": "AES256"},
        "InvalidArgument",
        "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
    ),
    "a KMS key as well": (
        customer() | {"x-amz-server-side-encryption": "aws:kms"},
        "InvalidArgument",
        "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
    ),
    "a KMS key with SSE-S3": (
        {"x-amz-server-side-encryption": "AES256", "x-amz-server-side-encryption-aws-kms-key-id": HERE},
        "InvalidArgument",
        "requires HTTP header x-amz-server-side-encryption : aws:kms",
    ),
    "a KMS key alone": (
        {"x-amz-server-side-encryption-aws-kms-key-id": HERE},
        "InvalidArgument",
        "requires HTTP header x-amz-server-side-encryption : aws:kms",
    ),
    "an encryption that S3 does not know": (
        {"x-amz-server-side-encryption": "aes:kms"},
        "InvalidArgument",
        "The encryption method specified is not supported",
    ),
}


class WithHeaders:
    """Calls of a client of its own, each with the headers that were set last."""

    def __init__(self, aws: Plain) -> None:
        self.headers: dict[str, str] = {}
        self.client = Plain(aws.emulator).client()  # one that nobody else uses
        self.client.meta.events.register("before-call.s3", lambda params, **_: params["headers"].update(self.headers))

    def __call__(self, operation: str, headers: dict[str, str], **arguments: Any) -> Any:
        self.headers = headers
        return getattr(self.client, operation)(**arguments)


@pytest.fixture(scope="module")
def ask(aws: Plain) -> WithHeaders:
    return WithHeaders(aws)


@pytest.mark.parametrize("case", CUSTOMER_KEYS)
def test_encryption_headers_that_make_no_sense_are_refused(ask: WithHeaders, bucket: str, case: str) -> None:
    headers, code, message = CUSTOMER_KEYS[case]
    with refused(code, 400) as error:
        ask("put_object", headers, Bucket=bucket, Key="key", Body=b"")
    assert message in error["Message"]


def test_an_object_is_read_with_its_own_customer_key_alone(ask: WithHeaders, bucket: str) -> None:
    named = {"Bucket": bucket, "Key": "key"}
    ask("put_object", customer(), **named, Body=b"hello")
    with refused("InvalidRequest", 400):
        ask("get_object", {}, **named)
    for another in (customer(b"o" * 32), customer(**{"key-MD5": None})):
        with refused("AccessDenied", 403) as error:
            ask("get_object", another, **named)
        assert error["Message"].endswith("must provide the correct secret key.")
        with refused("403", 403):
            ask("head_object", another, **named)
    for bad in (customer(b"short"), customer(algorithm="KMS")):
        with refused("400", 400):
            ask("head_object", bad, **named)
    assert ask("get_object", customer(), **named)["Body"].read() == b"hello"


def test_parts_come_with_the_key_of_their_upload(ask: WithHeaders, bucket: str) -> None:
    named = {"Bucket": bucket, "Key": "key"}
    uploads = {
        name: ask("create_multipart_upload", headers, **named)["UploadId"]
        for name, headers in {"plain": {}, "encrypted": customer()}.items()
    }
    for upload, headers, message in (
        ("plain", customer(), "must include the appropriate encryption parameters."),
        ("encrypted", {}, "must include the appropriate encryption parameters."),
        ("encrypted", customer(b"o" * 32), "did not match the ones used originally."),
    ):
        with refused("InvalidRequest", 400) as error:
            ask("upload_part", headers, **named, UploadId=uploads[upload], PartNumber=1, Body=b"1")
        assert error["Message"].endswith(message)
    ask("upload_part", customer(), **named, UploadId=uploads["encrypted"], PartNumber=1, Body=b"1")


@pytest.mark.parametrize("algorithm", [None, "CRC32"], ids=["without a checksum", "with a checksum"])
def test_an_upload_is_completed_with_its_key_if_it_has_a_checksum_and_with_no_other(
    ask: WithHeaders, bucket: str, algorithm: str | None
) -> None:
    named, own = {"Bucket": bucket, "Key": "key"}, {"ChecksumAlgorithm": algorithm} if algorithm else {}
    upload = named | {"UploadId": ask("create_multipart_upload", customer(), **named, **own)["UploadId"]}
    part = ask("upload_part", customer(), **upload, PartNumber=1, Body=b"1", **own)
    sums = {"ChecksumCRC32": part["ChecksumCRC32"]} if algorithm else {}
    whole = {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part["ETag"], **sums}]}}
    for wrong in (customer(b"o" * 32), *([{}] if algorithm else [])):
        with refused("InvalidRequest", 400):
            ask("complete_multipart_upload", wrong, **upload, **whole)
    ask("complete_multipart_upload", customer() if algorithm else {}, **upload, **whole)


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_a_read_names_no_encryption(ask: WithHeaders, bucket: str, operation: str) -> None:
    ask("put_object", {}, Bucket=bucket, Key="key", Body=b"")
    with refused("400" if operation == "head_object" else "InvalidArgument", 400):
        ask(operation, {"x-amz-server-side-encryption": "AES256"}, Bucket=bucket, Key="key")


def test_a_bucket_without_an_encryption_of_its_own_has_sse_s3(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket()
    s3.delete_bucket_encryption(Bucket=bucket)
    [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule == {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
