"""Encryption at rest: SSE-S3 unless the request or the bucket's default asks for another.

Nothing is really encrypted. What KMS keys allow is in `kms_keys`, what customers' keys allow in `customer_keys`.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
"""

from __future__ import annotations

from moto.s3.models import FakeBucket

from emulator.calls.answers import S3Error
from emulator.iam.actions import TO_DECRYPT, TO_ENCRYPT
from emulator.s3 import customer_keys, kms_keys
from emulator.s3.histories import find_bucket
from emulator.s3.requests import Request
from emulator.s3.versions import Encryption, Version

_SSE = "x-amz-server-side-encryption"
_KEY_ID = f"{_SSE}-aws-kms-key-id"
_KMS_ALGORITHMS = ("aws:kms", "aws:kms:dsse")


def of_request(request: Request, bucket: FakeBucket) -> Encryption:
    """Return the encryption of the object that a request writes. Raises S3Error for an invalid or unusable key."""
    requested = request.header(_SSE)
    customer_key = customer_keys.md5_of_request(request)
    _check_compatible(request, requested, customer_key)
    if customer_key:
        return Encryption("SSE-C", customer_key_md5=customer_key)
    default = bucket.encryption["Rule"] if bucket.encryption else {}
    by_default = default.get("ApplyServerSideEncryptionByDefault", {})
    algorithm = requested or by_default.get("SSEAlgorithm") or "AES256"
    if algorithm == "AES256":
        return Encryption()
    key = request.header(_KEY_ID) or (not requested and by_default.get("KMSMasterKeyID")) or None
    bucket_key = request.header(f"{_SSE}-bucket-key-enabled") or default.get("BucketKeyEnabled") or "false"
    encryption = Encryption(algorithm, kms_keys.arn_of(key, bucket), str(bucket_key).lower() == "true")
    kms_keys.check(TO_ENCRYPT, encryption, bucket)
    return encryption


def _check_compatible(request: Request, requested: str | None, customer_key: str | None) -> None:
    """Raise InvalidArgument for an encryption that S3 does not know, and for two at once."""
    if requested not in (None, "AES256", *_KMS_ALGORITHMS):
        raise _invalid("The encryption method specified is not supported", requested)
    if customer_key and (requested or request.header(_KEY_ID)):
        message = "Server Side Encryption with Customer provided key is incompatible with the encryption method"
        raise _invalid(f"{message} specified", requested or "aws:kms")
    if request.header(_KEY_ID) and requested not in _KMS_ALGORITHMS:
        message = "Server Side Encryption with AWS KMS managed key requires HTTP header"
        raise _invalid(f"{message} {_SSE} : aws:kms", requested)


def _invalid(message: str, value: str | None) -> S3Error:
    return S3Error(400, "InvalidArgument", message, ArgumentName=_SSE, ArgumentValue=value)


def check_encryptable(encryption: Encryption, bucket: FakeBucket) -> None:
    """Raise S3Error if the caller cannot encrypt like an object that is encrypted so in the bucket."""
    kms_keys.check(TO_ENCRYPT, encryption, bucket)


def check_decryptable(encryption: Encryption, bucket: FakeBucket) -> None:
    """Raise S3Error if the caller cannot decrypt what is encrypted so in the bucket."""
    kms_keys.check(TO_DECRYPT, encryption, bucket)


def check_part(request: Request, encryption: Encryption) -> None:
    """Raise S3Error if a part cannot be added to an upload with this encryption: it comes with the upload's own key."""
    customer_keys.check_of_upload(request, encryption.customer_key_md5)
    check_decryptable(encryption, request.bucket)


def check_completion(request: Request, encryption: Encryption, *, summed: bool) -> None:
    """Raise S3Error if an upload with this encryption cannot be completed so. `summed`: it has a checksum algorithm."""
    customer_keys.check_of_completion(request, encryption.customer_key_md5, summed=summed)
    check_decryptable(encryption, request.bucket)


def as_headers(encryption: Encryption) -> dict[str, str]:
    """Return an object's encryption as headers."""
    if encryption.customer_key_md5:
        prefix = customer_keys.OF_OBJECT
        return {f"{prefix}algorithm": "AES256", f"{prefix}key-MD5": encryption.customer_key_md5}
    headers = {_SSE: encryption.algorithm}
    if encryption.kms_key_id:
        headers[_KEY_ID] = encryption.kms_key_id
        if encryption.bucket_key:
            headers[f"{_SSE}-bucket-key-enabled"] = "true"
    return headers


def check_readable(version: Version, request: Request, *, as_copy_source: bool = False) -> None:
    """Raise S3Error if an object cannot be decrypted: by its customer's key, or by its KMS key.

    A HEAD needs no bytes, and so no KMS key, unless it asks for the checksum.
    """
    if not as_copy_source and request.header(_SSE):
        raise _invalid(f"{_SSE} header is not supported for this operation.", request.header(_SSE))
    _check_customer_key(version, request, customer_keys.OF_COPY_SOURCE if as_copy_source else customer_keys.OF_OBJECT)
    bucket = find_bucket(version.bucket_name)
    if bucket is not None and (request.method != "HEAD" or request.header_is("x-amz-checksum-mode", "ENABLED")):
        check_decryptable(version.attributes.encryption, bucket)


def _check_customer_key(version: Version, request: Request, prefix: str) -> None:
    given, needed = customer_keys.md5_of_request(request, prefix), version.attributes.encryption.customer_key_md5
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
        raise customer_keys.wrong_key()
