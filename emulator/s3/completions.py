"""CompleteMultipartUpload: the parts become one version, atomically, under the same conditions as any other write.

Completing an upload again returns the same response as long as the version exists. The ETag is the MD5 of the parts'
MD5 digests, with the number of parts.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

from moto.s3.models import FakeBucket

from emulator.calls.answers import Answer, S3Error, malformed_xml, s3_answer
from emulator.s3 import checksums, encryption, event_records, preconditions
from emulator.s3.histories import current, history, lock, push, written_version_id_header
from emulator.s3.requests import Request
from emulator.s3.uploads import Upload, UploadedPart, get_upload, uploads_of
from emulator.s3.versions import Checksum, Part, Version, is_version
from emulator.state import active


def complete_multipart_upload(request: Request) -> Answer:
    """CompleteMultipartUpload."""
    bucket = request.bucket
    with lock(bucket):
        if done := _completed_earlier(bucket, request):
            return _answer(request, done)
        upload = get_upload(request)
        encryption.check_decryptable(upload.attributes.encryption, bucket)
        parts = _chosen_parts(request, upload)
        preconditions.check_completion(request, current(bucket, request.key), upload.sequence, existed=upload.existed)
        version = _assemble(bucket, upload, parts)
        _check_sent(request, version)
        push(bucket, version)
        del uploads_of(bucket)[upload.id]
    event_records.announce("ObjectCreated:CompleteMultipartUpload", bucket, version)
    return _answer(request, version)


def _completed_earlier(bucket: FakeBucket, request: Request) -> Version | None:
    entries = history(bucket, request.key)
    mine = (each for each in entries if is_version(each) and each.upload_id == request.query["uploadId"])
    return next(mine, None)


def _chosen_parts(request: Request, upload: Upload) -> list[tuple[int, UploadedPart]]:
    chosen = request.xml("CompleteMultipartUpload", "Part").get("Part", [])
    if not chosen:
        raise malformed_xml()
    numbers = [int(part["PartNumber"]) for part in chosen]
    if numbers != sorted(set(numbers)):
        message = "The list of parts was not in ascending order. Parts must be ordered by part number."
        raise S3Error(400, "InvalidPartOrder", message)
    parts = [_chosen_part(upload, part) for part in chosen]
    smallest = active().limits.part_bytes
    for number, part in parts[:-1]:
        if len(part.data) < smallest:
            message = "Your proposed upload is smaller than the minimum allowed size"
            raise S3Error(400, "EntityTooSmall", message, PartNumber=number, MinSizeAllowed=smallest)
    return parts


def _chosen_part(upload: Upload, chosen: dict[str, Any]) -> tuple[int, UploadedPart]:
    number = int(chosen["PartNumber"])
    part = upload.parts.get(number)
    sent = chosen.get(f"Checksum{upload.algorithm}")
    if (
        part is None
        or str(chosen.get("ETag")).strip('"') != part.etag.strip('"')
        or (sent is not None and sent != part.checksum.value)
    ):
        message = (
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
            "specified entity tag may not match the part's entity tag."
        )
        raise S3Error(400, "InvalidPart", message, PartNumber=number, UploadId=upload.id)
    return number, part


def _assemble(bucket: FakeBucket, upload: Upload, parts: list[tuple[int, UploadedPart]]) -> Version:
    data = b"".join(part.data for _, part in parts)
    digests = b"".join(bytes.fromhex(part.etag.strip('"')) for _, part in parts)
    keep = upload.algorithm is not None
    return Version(
        upload.key,
        data,
        upload.attributes,
        bucket=bucket,
        checksum=_checksum(upload, data, [part.checksum for _, part in parts]),
        etag=f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}",
        parts=tuple(Part(number, len(part.data), part.checksum if keep else None) for number, part in parts),
        upload_id=upload.id,
        begun=(upload.sequence, upload.initiated.replace(tzinfo=None, microsecond=0)),
    )


def _checksum(upload: Upload, data: bytes, of_parts: list[Checksum]) -> Checksum:
    if upload.checksum_type == "COMPOSITE":
        return checksums.of_parts(of_parts)
    return checksums.compute(data, upload.algorithm or checksums.DEFAULT)


def _check_sent(request: Request, version: Version) -> None:
    """Check the object's size and checksum against those in the request."""
    size = request.header("x-amz-mp-object-size")
    if size is not None and size != str(version.size):
        message = (
            f"The provided 'x-amz-mp-object-size' header value {size} does not match what was computed: {version.size}"
        )
        raise S3Error(400, "InvalidRequest", message)
    sent = checksums.sent_checksum(request)
    if sent and sent.algorithm == version.checksum.algorithm and sent.value != version.checksum.value:
        message = f"The {sent.algorithm.lower()} you specified did not match the calculated checksum."
        raise S3Error(400, "BadDigest", message)


def _answer(request: Request, version: Version) -> Answer:
    content = {
        "Location": f"{active().endpoint}/{request.bucket.name}/{quote(request.key)}",
        "Bucket": request.bucket.name,
        "Key": version.name,
        "ETag": version.etag,
        **checksums.as_xml(version.checksum),
    }
    headers = written_version_id_header(version) | encryption.as_headers(version.attributes.encryption)
    return s3_answer("CompleteMultipartUploadResult", content, headers)
