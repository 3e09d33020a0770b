"""SSE-C: the key that a request brings along, and the answers to one that is missing, malformed or another one.

Of the key only the MD5 is stored, and nothing is really encrypted. The answers are those that were recorded.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-s3-c-encryption.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from emulator.calls.answers import S3Error
from emulator.s3.requests import Request

_SSE = "x-amz-server-side-encryption"
OF_OBJECT = f"{_SSE}-customer-"
OF_COPY_SOURCE = "x-amz-copy-source-server-side-encryption-customer-"
_BYTES = 32
_MUST_PROVIDE = "Requests specifying Server Side Encryption with Customer provided keys must provide"


def md5_of_request(request: Request, prefix: str = OF_OBJECT) -> str | None:
    """Return the MD5 of the key that a request names, in Base64; None if it names none. Raises S3Error."""
    algorithm, key, md5 = (request.header(prefix + name) for name in ("algorithm", "key", "key-MD5"))
    if algorithm is None and key is None and md5 is None:
        return None
    if algorithm is None:
        raise _invalid(f"{_MUST_PROVIDE} a valid encryption algorithm.")
    if algorithm != "AES256":
        message = "The Encryption request you specified is not valid. Supported value: AES256."
        raise S3Error(400, "InvalidEncryptionAlgorithmError", message, ArgumentName=_SSE, ArgumentValue=algorithm)
    if not key:
        raise _invalid(f"{_MUST_PROVIDE} an appropriate secret key.")
    if md5 is None and request.method in ("GET", "HEAD"):
        raise wrong_key()
    decoded = _decoded(key)
    if md5 is None or decoded is None:
        raise _invalid("The secret key was invalid for the specified algorithm.")
    if base64.b64encode(hashlib.md5(decoded, usedforsecurity=False).digest()).decode() != md5:
        raise _invalid("The calculated MD5 hash of the key did not match the hash that was provided.")
    return md5


def wrong_key() -> S3Error:
    """Return the error for a key that is not the object's."""
    return S3Error(403, "AccessDenied", f"{_MUST_PROVIDE} the correct secret key.")


def check_of_upload(request: Request, needed: str | None) -> None:
    """Raise InvalidRequest unless a part comes with the key that its upload began with, or without one as well."""
    given = md5_of_request(request)
    if (given is None) != (needed is None):
        message = (
            "The multipart upload initiate requested encryption. Subsequent part requests must include the "
            "appropriate encryption parameters."
        )
        raise S3Error(400, "InvalidRequest", message)
    if given != needed:
        message = "The provided encryption parameters did not match the ones used originally."
        raise S3Error(400, "InvalidRequest", message)


def check_of_completion(request: Request, needed: str | None, *, summed: bool) -> None:
    """Raise InvalidRequest if an upload is completed with another key than it began with.

    It must come with the key if the upload began with a checksum algorithm (`summed`), and may otherwise.
    """
    if summed or md5_of_request(request) is not None:
        check_of_upload(request, needed)


def _invalid(message: str) -> S3Error:
    return S3Error(400, "InvalidArgument", message, ArgumentName=_SSE)


def _decoded(key: str) -> bytes | None:
    """Return the key's bytes; None if it has not the length that AES-256 takes."""
    try:
        decoded = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if len(decoded) == _BYTES else None
