"""Multipart uploads in progress: creating, adding parts, listing and aborting.

Creating an upload fixes everything about the object except its bytes. A part replaces an earlier one with the same
number, and may be a byte range of another object.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.s3.models import FakeBucket

from emulator.calls.answers import Answer, S3Error, s3_answer, xml_date
from emulator.calls.call import current_call
from emulator.s3 import attributes, checksums, encryption
from emulator.s3.acls import OWNER
from emulator.s3.copy_sources import check_size, copied_version_id_header, get_source
from emulator.s3.histories import current, lock
from emulator.s3.requests import Request
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
    algorithm: str | None
    checksum_type: str
    existed: bool
    initiator: str
    sequence: int = field(default_factory=next_sequence)
    initiated: datetime = field(default_factory=lambda: datetime.now(UTC))
    parts: dict[int, UploadedPart] = field(default_factory=dict)

    def checksum_headers(self) -> dict[str, str]:
        """Return the headers that name the checksum the object will have."""
        if self.algorithm is None:
            return {}
        return {"x-amz-checksum-algorithm": self.algorithm, "x-amz-checksum-type": self.checksum_type}


def uploads_of(bucket: FakeBucket) -> MutableMapping[str, Upload]:
    """Return the bucket's uploads in progress, by id."""
    return bucket.__dict__.setdefault("uploads", {})  # type: ignore[no-any-return]


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
    algorithm = checksums.requested_algorithm(request)
    kind = (request.header("x-amz-checksum-type") or "").upper()
    if kind == "FULL_OBJECT" and algorithm not in checksums.FULL_OBJECT_BY_PARTS:
        message = f"The FULL_OBJECT checksum type cannot be used with the {algorithm} checksum algorithm."
        raise S3Error(400, "InvalidRequest", message)
    upload = Upload(
        id=secrets.token_hex(48),
        key=request.key,
        attributes=attributes.of_request(request, bucket),
        algorithm=algorithm,
        checksum_type=kind or ("FULL_OBJECT" if algorithm in (None, checksums.DEFAULT) else "COMPOSITE"),
        existed=is_version(current(bucket, request.key)),
        initiator=_caller(),
    )
    uploads_of(bucket)[upload.id] = upload
    content = {"Bucket": bucket.name, "Key": request.key, "UploadId": upload.id}
    headers = encryption.as_headers(upload.attributes.encryption) | upload.checksum_headers()
    return s3_answer("InitiateMultipartUploadResult", content, headers)


def _caller() -> str:
    call = current_call.get()
    return call.principal.session_arn if call else OWNER["ID"]


def _part_number(request: Request) -> int:
    given = request.query["partNumber"]
    if not given.isdecimal() or not 1 <= int(given) <= _MOST_PARTS:
        message = "Part number must be an integer between 1 and 10000, inclusive"
        raise S3Error(400, "InvalidArgument", message, ArgumentName="partNumber", ArgumentValue=given)
    return int(given)


def upload_part(request: Request) -> Answer:
    """UploadPart."""
    upload, number = get_upload(request), _part_number(request)
    encryption.check_part(request, upload.attributes.encryption)
    part = _add(upload, number, request.body, checksums.of_request(request))
    headers = {"ETag": part.etag, **checksums.as_headers(part.checksum)}
    headers.pop("x-amz-checksum-type")
    return Answer(200, headers | encryption.as_headers(upload.attributes.encryption))


def upload_part_copy(request: Request) -> Answer:
    """UploadPartCopy."""
    upload, number = get_upload(request), _part_number(request)
    encryption.check_part(request, upload.attributes.encryption)
    source_bucket, source = get_source(request)
    data = _copied_range(request, source.value)
    part = _add(upload, number, data, checksums.compute(data, upload.algorithm or checksums.DEFAULT))
    content: dict[str, Any] = {"ETag": part.etag, "LastModified": xml_date(part.last_modified)}
    if upload.algorithm:
        content[f"Checksum{upload.algorithm}"] = part.checksum.value
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
    etag = f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
    if upload.algorithm and checksum.algorithm != upload.algorithm:
        checksum = checksums.compute(data, upload.algorithm)
    part = UploadedPart(data, etag, checksum, datetime.now(UTC))
    upload.parts[number] = part
    return part


def abort_multipart_upload(request: Request) -> Answer:
    """AbortMultipartUpload."""
    with lock(request.bucket):
        upload = get_upload(request)
        del uploads_of(request.bucket)[upload.id]
    return Answer(204, {})


def list_parts(request: Request) -> Answer:
    """ListParts, by part number; the marker need not be the number of an existing part."""
    upload = get_upload(request)
    encryption.check_decryptable(upload.attributes.encryption, request.bucket)
    after, most = request.number("part-number-marker", 0), request.page_size("max-parts")
    numbers = [number for number in sorted(upload.parts) if number > after]
    content: dict[str, Any] = {
        "Bucket": request.bucket.name,
        "Key": request.key,
        "UploadId": upload.id,
        "Initiator": {"ID": upload.initiator},
        "Owner": OWNER,
        "StorageClass": upload.attributes.storage_class,
        "PartNumberMarker": after,
        "NextPartNumberMarker": (numbers[:most] or [after])[-1] if numbers else 0,
        "MaxParts": most,
        "IsTruncated": len(numbers) > most,
        "ChecksumAlgorithm": upload.algorithm,
        "ChecksumType": upload.checksum_type if upload.algorithm else None,
        "Part": [_listed(number, upload) for number in numbers[:most]],
    }
    return s3_answer("ListPartsResult", content)


def _listed(number: int, upload: Upload) -> dict[str, Any]:
    part = upload.parts[number]
    listed = {"PartNumber": number, "LastModified": xml_date(part.last_modified), "ETag": part.etag}
    listed["Size"] = len(part.data)
    if upload.algorithm:
        listed[f"Checksum{upload.algorithm}"] = part.checksum.value
    return listed


def list_multipart_uploads(request: Request) -> Answer:
    """ListMultipartUploads, by key, then oldest first."""
    query, most = request.query, request.page_size("max-uploads")
    prefix, marker = query.get("prefix", ""), (query.get("key-marker", ""), query.get("upload-id-marker", ""))
    uploads = sorted(uploads_of(request.bucket).values(), key=lambda upload: (upload.key.encode(), upload.sequence))
    place = next((index + 1 for index, upload in enumerate(uploads) if (upload.key, upload.id) == marker), 0)
    following = [
        upload
        for upload in uploads[place:]
        if upload.key.startswith(prefix) and (place or upload.key.encode() > marker[0].encode() or not marker[0])
    ]
    page = following[:most]
    content: dict[str, Any] = {
        "Bucket": request.bucket.name,
        "KeyMarker": request.encode(marker[0]),
        "UploadIdMarker": marker[1],
        "Prefix": request.encode(prefix),
        "MaxUploads": most,
        "EncodingType": "url" if request.is_encoded else None,
        "IsTruncated": len(following) > len(page),
        "NextKeyMarker": request.encode(page[-1].key) if page else None,
        "NextUploadIdMarker": page[-1].id if page else None,
        "Upload": [_upload_as_xml(request.encode(upload.key), upload) for upload in page],
    }
    return s3_answer("ListMultipartUploadsResult", content)


def _upload_as_xml(key: str, upload: Upload) -> dict[str, Any]:
    return {
        "Key": key,
        "UploadId": upload.id,
        "Initiator": {"ID": upload.initiator},
        "Owner": OWNER,
        "StorageClass": upload.attributes.storage_class,
        "Initiated": xml_date(upload.initiated),
        "ChecksumAlgorithm": upload.algorithm,
        "ChecksumType": upload.checksum_type if upload.algorithm else None,
    }
