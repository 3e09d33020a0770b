"""Checksums. S3 verifies the one that the writer sends, or computes CRC64NVME: every object has a checksum.

A copy keeps the algorithm of its source unless the request names another, and its checksum covers the whole object.
A multipart upload has a checksum of the whole object (CRC algorithms) or of its parts' checksums (COMPOSITE).
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence

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
FULL_OBJECT_BY_PARTS = ("CRC64NVME", "CRC32", "CRC32C")


def compute(data: bytes, algorithm: str) -> Checksum:
    """Return the checksum of the whole data."""
    return Checksum(algorithm, base64.b64encode(_DIGESTS[algorithm](data)).decode())


def of_parts(checksums: Sequence[Checksum]) -> Checksum:
    """Return the COMPOSITE checksum: the checksum of the parts' checksums, with their number."""
    algorithm = checksums[0].algorithm
    digests = b"".join(base64.b64decode(checksum.value) for checksum in checksums)
    value = compute(digests, algorithm).value
    return Checksum(algorithm, f"{value}-{len(checksums)}", "COMPOSITE")


def of_request(request: Request) -> Checksum:
    """Return the checksum of the request's body. Raises BadDigest if the request carries another one."""
    body = request.body
    _check_md5(request, body)
    sent = sent_checksum(request)
    if sent is None:
        return compute(body, requested_algorithm(request, "x-amz-sdk-checksum-algorithm") or DEFAULT)
    computed = compute(body, sent.algorithm)
    if computed.value != sent.value:
        message = f"The {sent.algorithm} you specified did not match the calculated checksum."
        raise S3Error(400, "BadDigest", message)
    return computed


def sent_checksum(request: Request) -> Checksum | None:
    """Return the checksum in the request's headers or trailer; None if there is none."""
    for name, value in request.headers("x-amz-checksum-"):
        algorithm = name.removeprefix("x-amz-checksum-").upper()
        if algorithm in _DIGESTS:
            return Checksum(algorithm, value, "COMPOSITE" if "-" in value else "FULL_OBJECT")
    return None


def requested_algorithm(request: Request, header: str = "x-amz-checksum-algorithm") -> str | None:
    """Return the algorithm that a header names. Raises InvalidRequest if there is no such algorithm."""
    algorithm = (request.header(header) or "").upper()
    if algorithm and algorithm not in _DIGESTS:
        message = (
            f"Checksum algorithm provided is unsupported. Please try again with any of the valid types: {[*_DIGESTS]}"
        )
        raise S3Error(400, "InvalidRequest", message)
    return algorithm or None


def as_headers(checksum: Checksum | None) -> dict[str, str]:
    """Return a checksum as headers."""
    if checksum is None:
        return {}
    return {f"x-amz-checksum-{checksum.algorithm.lower()}": checksum.value, "x-amz-checksum-type": checksum.type}


def as_xml(checksum: Checksum) -> dict[str, str]:
    """Return a checksum as XML elements."""
    return {"ChecksumType": checksum.type, f"Checksum{checksum.algorithm}": checksum.value}


def _check_md5(request: Request, body: bytes) -> None:
    sent = request.header("Content-MD5")
    if sent and sent != base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode():
        message = "The Content-MD5 you specified did not match what we received."
        raise S3Error(400, "BadDigest", message, ExpectedDigest=sent)
