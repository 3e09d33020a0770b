"""Multipart uploads in progress: creating, adding parts and aborting.

Creating an upload fixes everything about the object except its bytes. A part replaces an earlier one with the same
number, and may be a byte range of another object.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
"""

from __future__ import annotations

import re
import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.s3.models import FakeBucket

from emulator.calls.answers import Answer, S3Error, s3_answer, xml_date
from emulator.calls.call import current_call
from emulator.s3 import attributes, checksums, encryption, etags, upload_checksums
from emulator.s3.copy_sources import check_size, copied_version_id_header, get_source, wait_for_bytes
from emulator.s3.histories import current, lock
from emulator.s3.requests import Request
from emulator.s3.upload_checksums import UploadChecksum
from emulator.s3.versions import Attributes, Checksum, is_version, next_sequence
from emulator.state import active

_MOST_PARTS = 10_000
_RANGE = re.compile(r"^bytes=(\d+)-(\d+)$")


@dataclass(frozen=True)
class UploadedPart:
    """A part that was uploaded."""

    data: bytes
    etag: str
    checksum: Checksum
    last_modified: datetime


@dataclass
class Upload:
    """An upload in progress. `sequence` is when it began, `existed` whether the key had an object then.

    `initiator` is the ARN of the caller who began it.
    """

    id: str
    key: str
    attributes: Attributes
    checksum: UploadChecksum
    existed: bool
    initiator: str
    sequence: int = field(default_factory=next_sequence)
    initiated: datetime = field(default_factory=lambda: datetime.now(UTC))
    parts: dict[int, UploadedPart] = field(default_factory=dict)


def uploads_of(bucket: FakeBucket) -> MutableMapping[str, Upload]:
    """Return the bucket's uploads in progress, by id."""
    return bucket.__dict__.setdefault("uploads", {})  # type: ignore[no-any-return]


def began(bucket: FakeBucket) -> MutableMapping[str, tuple[str, int]]:
    """Return key and sequence of every upload that ever began, by id: listings may go on after one that ended."""
    return bucket.__dict__.setdefault("uploads_began", {})  # type: ignore[no-any-return]


def get_upload(request: Request) -> Upload:
    """Return the upload that a request names. Raises NoSuchUpload."""
    upload = uploads_of(request.bucket).get(request.query["uploadId"])
    if upload is None or upload.key != request.key:
        message = (
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
            "aborted or completed."
        )
        raise S3Error(404, "NoSuchUpload", message, UploadId=request.query["uploadId"])
    return upload


def create_multipart_upload(request: Request) -> Answer:
    """CreateMultipartUpload."""
    bucket = request.bucket
    upload = Upload(
        id=secrets.token_hex(48),
        key=request.key,
        attributes=attributes.of_request(request, bucket),
        checksum=upload_checksums.of_creation(request),
        existed=is_version(current(bucket, request.key)),
        initiator=_caller(),
    )
    uploads_of(bucket)[upload.id] = upload
    began(bucket)[upload.id] = upload.key, upload.sequence
    content = {"Bucket": bucket.name, "Key": request.key, "UploadId": upload.id}
    headers = encryption.as_headers(upload.attributes.encryption) | upload.checksum.as_headers()
    return s3_answer("InitiateMultipartUploadResult", content, headers)


def _caller() -> str:
    call = current_call.get()
    return call.principal.session_arn if call else ""


def _part_number(request: Request) -> int:
    given = request.query["partNumber"]
    if not given.isdecimal() or not 1 <= int(given) <= _MOST_PARTS:
        message = "Part number must be an integer between 1 and 10000, inclusive"
        raise S3Error(400, "InvalidArgument", message, ArgumentName="partNumber", ArgumentValue=given)
    return int(given)


def upload_part(request: Request) -> Answer:
    """UploadPart."""
    request.check_length()
    upload, number = get_upload(request), _part_number(request)
    encryption.check_part(request, upload.attributes.encryption)
    part = _add(upload, number, request.body, upload_checksums.of_part(request, upload.checksum))
    headers = {"ETag": part.etag, **checksums.as_headers(part.checksum)}
    headers.pop("x-amz-checksum-type")
    return Answer(200, headers | encryption.as_headers(upload.attributes.encryption))


def upload_part_copy(request: Request) -> Answer:
    """UploadPartCopy."""
    upload, number = get_upload(request), _part_number(request)
    encryption.check_part(request, upload.attributes.encryption)
    source_bucket, source = get_source(request)
    data = _copied_range(request, source.value)
    wait_for_bytes(len(data))
    algorithm = upload.checksum.algorithm
    part = _add(upload, number, data, checksums.compute(data, algorithm or checksums.DEFAULT))
    content: dict[str, Any] = {"ETag": part.etag, "LastModified": xml_date(part.last_modified)}
    if algorithm:
        content[f"Checksum{algorithm}"] = part.checksum.value
    headers = copied_version_id_header(source_bucket, source) | encryption.as_headers(upload.attributes.encryption)
    return s3_answer("CopyPartResult", content, headers)


def _copied_range(request: Request, data: bytes) -> bytes:
    header = request.header("x-amz-copy-source-range")
    if header is None:
        first, last = 0, len(data) - 1
    else:
        found = _RANGE.match(header)
        if found is None or not int(found[1]) <= int(found[2]):
            message = (
                "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
                "zero-based offsets of the first and last bytes to copy"
            )
            raise S3Error(400, "InvalidArgument", message, ArgumentName="x-amz-copy-source-range", ArgumentValue=header)
        first, last = int(found[1]), int(found[2])
    if header is not None and (first >= len(data) or len(data) <= active().limits.unranged_bytes):
        raise S3Error(400, "InvalidRequest", "The specified copy range is invalid for the source object size")
    if header is not None and last >= len(data):
        message = f"Range specified is not valid for source object of size: {len(data)}"
        raise S3Error(400, "InvalidArgument", message, ArgumentName="x-amz-copy-source-range", ArgumentValue=header)
    check_size(last - first + 1)
    return data if header is None else data[first : last + 1]


def _add(upload: Upload, number: int, data: bytes, checksum: Checksum) -> UploadedPart:
    etag = f'"{etags.of_bytes(data, upload.attributes.encryption)}"'
    part = UploadedPart(data, etag, checksum, datetime.now(UTC))
    upload.parts[number] = part
    return part


def abort_multipart_upload(request: Request) -> Answer:
    """AbortMultipartUpload."""
    with lock(request.bucket):
        upload = get_upload(request)
        del uploads_of(request.bucket)[upload.id]
    return Answer(204, {})
