"""Checksums. S3 verifies the one that the writer sends, or computes CRC64NVME: every object has a checksum.

A copy keeps the algorithm of its source unless the request names another, and its checksum covers the whole object.
Those of multipart uploads are in `upload_checksums`.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from awscrt.checksums import XXHash, crc32c, crc64nvme  # type: ignore[import-untyped]

from emulator.calls.answers import S3Error
from emulator.s3.requests import Request
from emulator.s3.versions import Checksum

DEFAULT = "CRC64NVME"
_DIGESTS: Mapping[str, Callable[[bytes], bytes]] = {
    "CRC64NVME": lambda data: crc64nvme(data).to_bytes(8, "big"),
    "CRC32": lambda data: binascii.crc32(data).to_bytes(4, "big"),
    "CRC32C": lambda data: crc32c(data).to_bytes(4, "big"),
    "SHA1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
    "SHA512": lambda data: hashlib.sha512(data).digest(),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    "XXHASH64": XXHash.compute_xxhash64,
    "XXHASH3": XXHash.compute_xxhash3_64,
    "XXHASH128": XXHash.compute_xxhash3_128,
}
_PREFIX = "x-amz-checksum-"


def compute(data: bytes, algorithm: str) -> Checksum:
    """Return the checksum of the whole data."""
    return Checksum(algorithm, base64.b64encode(_DIGESTS[algorithm](data)).decode())


def of_request(request: Request) -> Checksum:
    """Return the checksum of the request's body. Raises BadDigest if the request carries another one."""
    body = request.body
    _check_md5(request, body)
    sent = sent_checksum(request)
    if sent is None:
        _check_none_announced(request)
        return compute(body, DEFAULT)
    _check_value(sent)
    computed = compute(body, sent.algorithm)
    if computed.value != sent.value:
        message = f"The {sent.algorithm} you specified did not match the calculated checksum."
        raise S3Error(400, "BadDigest", message)
    return computed


def sent_checksum(request: Request) -> Checksum | None:
    """Return the checksum in the request's headers or trailer; None if there is none. Raises InvalidRequest if two."""
    found = {name.removeprefix(_PREFIX).upper(): value for name, value in request.headers(_PREFIX)}
    sent = [(algorithm, value) for algorithm, value in found.items() if algorithm in _DIGESTS]
    if len(sent) > 1:
        message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        raise S3Error(400, "InvalidRequest", message)
    return next((Checksum(name, value, "COMPOSITE" if "-" in value else "FULL_OBJECT") for name, value in sent), None)


def _check_value(sent: Checksum) -> None:
    """Raise InvalidRequest for what is no checksum of this algorithm at all."""
    digest = _decoded(sent.value)
    if digest is None or len(digest) != len(_DIGESTS[sent.algorithm](b"")):
        message = f"Value for {_PREFIX}{sent.algorithm.lower()} header is invalid."
        raise S3Error(400, "InvalidRequest", message)


def _check_none_announced(request: Request) -> None:
    if request.header("x-amz-sdk-checksum-algorithm"):
        message = (
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers "
            "were found."
        )
        raise S3Error(400, "InvalidRequest", message)


def requested_algorithm(request: Request) -> str | None:
    """Return the algorithm that a copy or an upload asks for. Raises InvalidRequest if there is no such algorithm."""
    algorithm = (request.header(f"{_PREFIX}algorithm") or "").upper()
    if algorithm and algorithm not in _DIGESTS:
        valid = ", ".join(sorted(_DIGESTS))
        message = f"Checksum algorithm provided is unsupported. Please try again with any of the valid types: [{valid}]"
        raise S3Error(400, "InvalidRequest", message)
    return algorithm or None


def algorithms() -> tuple[str, ...]:
    """Return the names of all algorithms."""
    return tuple(_DIGESTS)


def as_headers(checksum: Checksum | None) -> dict[str, str]:
    """Return a checksum as headers."""
    if checksum is None:
        return {}
    return {f"{_PREFIX}{checksum.algorithm.lower()}": checksum.value, f"{_PREFIX}type": checksum.type}


def as_xml(checksum: Checksum | None) -> dict[str, str]:
    """Return a checksum as XML elements."""
    return {"ChecksumType": checksum.type, f"Checksum{checksum.algorithm}": checksum.value} if checksum else {}


def _check_md5(request: Request, body: bytes) -> None:
    sent = request.header("Content-MD5")
    if sent is None:
        return
    digest = _decoded(sent)
    if digest is None or len(digest) != hashlib.md5(usedforsecurity=False).digest_size:
        fields: dict[str, Any] = {"Content-MD5": sent}
        raise S3Error(400, "InvalidDigest", "The Content-MD5 you specified was invalid.", **fields)
    calculated = compute(body, "MD5").value
    if sent != calculated:
        message = "The Content-MD5 you specified did not match what we received."
        expected = digest.hex() if request.call.operation == "PutObject" else sent  # as recorded
        raise S3Error(400, "BadDigest", message, ExpectedDigest=expected, CalculatedDigest=calculated)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None
