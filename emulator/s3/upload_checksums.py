"""Checksums of multipart uploads: which type an upload may have, and which of its parts and of the object must match.

An upload without an algorithm gets the CRC64NVME of the whole object. FULL_OBJECT checksums cover the whole object, and
exist for CRC algorithms only; COMPOSITE ones are checksums of the parts' checksums, so each part must have one, and
CRC64NVME has none. Where the API reference leaves open which error it is, the errors are those that AWS was recorded to
answer.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.calls.answers import S3Error
from emulator.s3 import checksums
from emulator.s3.requests import Request
from emulator.s3.versions import Checksum

FULL, COMPOSITE = "FULL_OBJECT", "COMPOSITE"
_FULL_OBJECT = ("CRC64NVME", "CRC32", "CRC32C")
_TYPE = "x-amz-checksum-type"


@dataclass(frozen=True)
class UploadChecksum:
    """The checksum that an upload was created with: algorithm and type, both None if it asked for none."""

    algorithm: str | None
    type: str | None

    def as_headers(self) -> dict[str, str]:
        """Return the headers that name it."""
        return {"x-amz-checksum-algorithm": self.algorithm, _TYPE: self.type} if self.algorithm and self.type else {}

    def as_xml(self) -> dict[str, str | None]:
        """Return the elements of listings that name it."""
        return {"ChecksumAlgorithm": self.algorithm, "ChecksumType": self.type}


def of_creation(request: Request) -> UploadChecksum:
    """Return the checksum that CreateMultipartUpload asks for. Raises InvalidRequest for what does not go together."""
    algorithm, kind = checksums.requested_algorithm(request), (request.header(_TYPE) or "").upper()
    if algorithm is None:
        if kind:
            raise _refused(f"The {_TYPE} header can only be used with the x-amz-checksum-algorithm header.")
        return UploadChecksum(None, None)
    if kind not in ("", FULL, COMPOSITE):
        raise _refused(f"Value for {_TYPE} header is invalid.")
    kind = kind or (FULL if algorithm == checksums.DEFAULT else COMPOSITE)
    if (kind == FULL and algorithm not in _FULL_OBJECT) or (kind == COMPOSITE and algorithm == checksums.DEFAULT):
        message = f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        raise _refused(message)
    return UploadChecksum(algorithm, kind)


def of_part(request: Request, asked: UploadChecksum) -> Checksum:
    """Return the checksum of an uploaded part. Raises InvalidRequest if it is not of the upload's algorithm.

    Only a part of a FULL_OBJECT upload may come without one.
    """
    checksum, sent = checksums.of_request(request), checksums.sent_checksum(request)
    if asked.algorithm is None or (sent and sent.algorithm == asked.algorithm):
        return checksum
    if sent is None and asked.type == FULL:
        return checksums.compute(request.body, asked.algorithm)
    actual = sent.algorithm.lower() if sent else "null"
    raise _refused(
        "Checksum Type mismatch occurred, "
        f"expected checksum Type: {asked.algorithm.lower()}, actual checksum Type: {actual}"
    )


def check_type(request: Request, asked: UploadChecksum) -> None:
    """Raise InvalidRequest if the completion names another type than the upload was created with."""
    kind = request.header(_TYPE)
    if kind is not None and kind != asked.type:
        created = asked.type or "null"
        raise _refused(
            f"The upload was created using the {created} checksum mode. "
            "The complete request must use the same checksum mode."
        )


def check_completed_part(number: int, chosen: Mapping[str, Any], checksum: Checksum, asked: UploadChecksum) -> bool:
    """Return whether the checksum that a completion names for a part is the part's, or none where none is needed.

    Raises BadDigest for one of another algorithm than the upload's, InvalidRequest for a missing one.
    """
    named = [algorithm for algorithm in checksums.algorithms() if f"Checksum{algorithm}" in chosen]
    if asked.algorithm is None:
        return not named
    for algorithm in named:
        if algorithm != asked.algorithm:
            message = f"The {algorithm.lower()} you specified for part {number} did not match what we received."
            raise S3Error(400, "BadDigest", message)
    if not named and asked.type == COMPOSITE:
        raise _refused(
            f"The upload was created using a {asked.algorithm.lower()} checksum. The complete request must include "
            f"the checksum for each part. It was missing for part {number} in the request."
        )
    return not named or chosen[f"Checksum{asked.algorithm}"] == checksum.value


def of_object(data: bytes, of_parts: Sequence[Checksum], asked: UploadChecksum) -> Checksum:
    """Return the checksum of the completed object."""
    if asked.type == COMPOSITE:
        return composite(of_parts)
    return checksums.compute(data, asked.algorithm or checksums.DEFAULT)


def composite(of_parts: Sequence[Checksum]) -> Checksum:
    """Return the COMPOSITE checksum: the checksum of the parts' checksums, with their number."""
    algorithm = of_parts[0].algorithm
    digests = b"".join(base64.b64decode(checksum.value) for checksum in of_parts)
    return Checksum(algorithm, f"{checksums.compute(digests, algorithm).value}-{len(of_parts)}", COMPOSITE)


def check_object(request: Request, checksum: Checksum, asked: UploadChecksum) -> None:
    """Raise BadDigest if the completion names another checksum for the object than it has.

    For an algorithm that has both types, a request without a type means COMPOSITE. An upload that was created without
    an algorithm ignores all but a CRC64NVME.
    """
    sent = checksums.sent_checksum(request)
    if sent is None or (asked.algorithm is None and sent.algorithm != checksum.algorithm):
        return
    untyped = request.header(_TYPE) is None and checksum.type == FULL and checksum.algorithm != checksums.DEFAULT
    if untyped or (sent.algorithm, sent.value) != (checksum.algorithm, checksum.value):
        message = f"The {checksum.algorithm.lower()} you specified did not match the calculated checksum."
        raise S3Error(400, "BadDigest", message)


def _refused(message: str) -> S3Error:
    return S3Error(400, "InvalidRequest", message)
