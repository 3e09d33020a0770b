"""Encryption at rest: SSE-S3 unless the request or the bucket's default asks for another.

A KMS key must be enabled and in the bucket's Region. A key that the emulator's KMS does not know counts as one of
another account, and is accepted. Nothing is really encrypted; an SSE-C object is readable with its key's MD5 only.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from moto.kms.models import Key, kms_backends
from moto.s3.models import FakeBucket

from emulator.calls.answers import S3Error
from emulator.iam.actions import TO_DECRYPT, TO_ENCRYPT
from emulator.s3 import key_access
from emulator.s3.histories import find_bucket
from emulator.s3.requests import Request
from emulator.s3.versions import Encryption, Version

_SSE = "x-amz-server-side-encryption"
_SSE_C = f"{_SSE}-customer-"
_KMS_ALGORITHMS = ("aws:kms", "aws:kms:dsse")
_making_managed_key = threading.Lock()  # moto creates it on first use


def of_request(request: Request, bucket: FakeBucket) -> Encryption:
    """Return the encryption of the object that a request writes. Raises S3Error for an invalid key."""
    if request.header(f"{_SSE_C}algorithm"):
        return Encryption("SSE-C", customer_key_md5=_customer_key(request, _SSE_C))
    requested = request.header(_SSE)
    default = bucket.encryption["Rule"] if bucket.encryption else {}
    by_default = default.get("ApplyServerSideEncryptionByDefault", {})
    algorithm = requested or by_default.get("SSEAlgorithm") or "AES256"
    if algorithm not in ("AES256", *_KMS_ALGORITHMS):
        message = "The encryption method specified is not supported"
        raise S3Error(400, "InvalidArgument", message, ArgumentName=_SSE, ArgumentValue=algorithm)
    if algorithm == "AES256":
        return Encryption()
    key = request.header(f"{_SSE}-aws-kms-key-id") or (not requested and by_default.get("KMSMasterKeyID")) or None
    bucket_key = request.header(f"{_SSE}-bucket-key-enabled") or default.get("BucketKeyEnabled") or "false"
    encryption = Encryption(algorithm, kms_key(key, bucket), str(bucket_key).lower() == "true")
    _check_permission(TO_ENCRYPT, encryption, bucket)
    return encryption


def check_decryptable(encryption: Encryption, bucket: FakeBucket) -> None:
    """Raise AccessDenied if the caller may not decrypt what is encrypted so in the bucket."""
    _check_permission(TO_DECRYPT, encryption, bucket)


def _check_permission(action: str, encryption: Encryption, bucket: FakeBucket) -> None:
    if encryption.kms_key_id:
        region, account, resource = encryption.kms_key_id.split(":", 5)[3:]
        key_access.check(action, encryption, _known_key(account, region, resource), bucket)


def kms_key(key: str | None, bucket: FakeBucket) -> str:
    """Return the ARN of the key to use. Raises KMS.NotFoundException, KMS.DisabledException and similar."""
    key = key or "alias/aws/s3"  # the key that AWS manages for S3
    if not key.startswith("arn:"):
        resource = key if key.startswith("alias/") else f"key/{key}"
        key = f"arn:aws:kms:{bucket.region_name}:{bucket.account_id}:{resource}"
    region, account, resource = key.split(":", 5)[3:]
    if region != bucket.region_name:
        raise S3Error(400, "KMS.NotFoundException", f"Invalid arn {region}")
    known = _known_key(account, region, resource)
    if known is None:
        return key
    if known.key_state == "Disabled":
        raise S3Error(400, "KMS.DisabledException", f"{known.arn} is disabled.")
    if known.key_state != "Enabled":
        message = f"{known.arn} is {'pending deletion' if known.key_state == 'PendingDeletion' else known.key_state}."
        raise S3Error(400, "KMS.KMSInvalidStateException", message)
    return known.arn


def _known_key(account: str, region: str, resource: str) -> Key | None:
    backend = kms_backends[account][region]
    with _making_managed_key:
        try:
            return backend.describe_key(resource.removeprefix("key/"))
        except KeyError:
            return None


def as_headers(encryption: Encryption) -> dict[str, str]:
    """Return an object's encryption as headers."""
    if encryption.customer_key_md5:
        return {f"{_SSE_C}algorithm": "AES256", f"{_SSE_C}key-MD5": encryption.customer_key_md5}
    headers = {_SSE: encryption.algorithm}
    if encryption.kms_key_id:
        headers[f"{_SSE}-aws-kms-key-id"] = encryption.kms_key_id
        if encryption.bucket_key:
            headers[f"{_SSE}-bucket-key-enabled"] = "true"
    return headers


def check_readable(version: Version, request: Request, *, as_copy_source: bool = False) -> None:
    """Raise S3Error if an SSE-C object is read without its key, or another object with one."""
    prefix = "x-amz-copy-source-server-side-encryption-customer-" if as_copy_source else _SSE_C
    given = _customer_key(request, prefix) if request.header(f"{prefix}algorithm") else None
    needed = version.attributes.encryption.customer_key_md5
    if needed and not given:
        message = (
            "The object was stored using a form of Server Side Encryption. "
            "The correct parameters must be provided to retrieve the object."
        )
        raise S3Error(400, "InvalidRequest", message)
    if given and not needed:
        message = "The encryption parameters are not applicable to this object."
        raise S3Error(400, "InvalidRequest", message)
    if given != needed:
        raise S3Error(403, "AccessDenied", "Access Denied")
    # A HEAD needs no bytes, and so no key, unless it asks for the checksum.
    bucket = find_bucket(version.bucket_name)
    if bucket is not None and (request.method != "HEAD" or request.header_is("x-amz-checksum-mode", "ENABLED")):
        check_decryptable(version.attributes.encryption, bucket)


def _customer_key(request: Request, prefix: str) -> str:
    given: Mapping[str, str | None] = {name: request.header(prefix + name) for name in ("algorithm", "key", "key-MD5")}
    if given["algorithm"] != "AES256":
        message = "The Encryption request you specified is not valid. Supported value: AES256."
        raise S3Error(400, "InvalidEncryptionAlgorithmError", message)
    if not given["key"] or not given["key-MD5"]:
        message = (
            "Requests specifying Server Side Encryption with Customer provided keys must provide the key and its MD5."
        )
        raise S3Error(400, "InvalidArgument", message)
    return str(given["key-MD5"])
