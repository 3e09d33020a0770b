"""CompleteMultipartUpload: the parts become one version, atomically, under the same conditions as any other write.

Completing an upload again returns the same response as long as the version exists. The response names the object's
checksum unless SSE-KMS encrypts it, as recorded. Parts with checksums are numbered from 1 on without gaps.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompletedPart.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from moto.s3.models import FakeBucket

from emulator.calls.answers import Answer, S3Error, malformed_xml, s3_answer
from emulator.s3 import checksums, encryption, etags, event_records, preconditions, upload_checksums
from emulator.s3.histories import current, history, lock, push, written_version_id_header
from emulator.s3.requests import Request
from emulator.s3.upload_checksums import UploadChecksum
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
        encryption.check_completion(request, upload.attributes.encryption, summed=upload.checksum.algorithm is not None)
        upload_checksums.check_type(request, upload.checksum)
        parts = _chosen_parts(request, upload)
        preconditions.check_completion(request, current(bucket, request.key), upload.sequence, existed=upload.existed)
        version = _assemble(bucket, upload, parts)
        _check_sent(request, version, upload.checksum)
        push(bucket, version)
        del uploads_of(bucket)[upload.id]
    event_records.announce("ObjectCreated:CompleteMultipartUpload", bucket, version)
    return _answer(request, version)


def _completed_earlier(bucket: FakeBucket, request: Request) -> Version | None:
    entries = history(bucket, request.key)
    mine = (each for each in entries if is_version(each) and each.upload_id == request.query["uploadId"])
    return next(mine, None)


def _chosen_parts(request: Request, upload: Upload) -> list[tuple[int, UploadedPart]]:
    if not request.body:
        raise S3Error(400, "InvalidRequest", "You must specify at least one part")
    chosen = request.xml("CompleteMultipartUpload", "Part").get("Part", [])
    if not chosen:
        raise malformed_xml()
    numbers = [int(part["PartNumber"]) for part in chosen]
    gaps = upload.checksum.type == upload_checksums.COMPOSITE and numbers[-1] != len(numbers)
    if numbers != sorted(set(numbers)) or gaps:
        message = "The list of parts was not in ascending order. Parts must be ordered by part number."
        raise S3Error(400, "InvalidPartOrder", message, UploadId=upload.id)
    parts = [_chosen_part(upload, part) for part in chosen]
    smallest = active().limits.part_bytes
    for number, part in parts[:-1]:
        if len(part.data) < smallest:
            message = "Your proposed upload is smaller than the minimum allowed size"
            raise S3Error(
                400,
                "EntityTooSmall",
                message,
                ProposedSize=len(part.data),
                MinSizeAllowed=smallest,
                PartNumber=number,
                ETag=part.etag.strip('"'),
            )
    return parts


def _chosen_part(upload: Upload, chosen: dict[str, Any]) -> tuple[int, UploadedPart]:
    number, etag = int(chosen["PartNumber"]), str(chosen.get("ETag")).strip('"')
    part = upload.parts.get(number)
    if (
        part is None
        or etag != part.etag.strip('"')
        or not upload_checksums.check_completed_part(number, chosen, part.checksum, upload.checksum)
    ):
        message = (
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
            "specified entity tag may not match the part's entity tag."
        )
        raise S3Error(400, "InvalidPart", message, UploadId=upload.id, PartNumber=number, ETag=etag)
    return number, part


def _assemble(bucket: FakeBucket, upload: Upload, parts: list[tuple[int, UploadedPart]]) -> Version:
    data = b"".join(part.data for _, part in parts)
    keep = upload.checksum.type == upload_checksums.COMPOSITE
    return Version(
        upload.key,
        data,
        upload.attributes,
        bucket=bucket,
        checksum=_checksum(upload, data, parts),
        etag=etags.of_parts([part.etag for _, part in parts]),
        parts=tuple(Part(number, len(part.data), part.checksum if keep else None) for number, part in parts),
        upload_id=upload.id,
        begun=(upload.sequence, upload.initiated.replace(tzinfo=None, microsecond=0)),
    )


def _checksum(upload: Upload, data: bytes, parts: list[tuple[int, UploadedPart]]) -> Checksum | None:
    """Return the object's checksum. Of an upload with SSE-C that asked for none, S3 was recorded to keep none."""
    if upload.checksum.algorithm is None and upload.attributes.encryption.customer_key_md5:
        return None
    return upload_checksums.of_object(data, [part.checksum for _, part in parts], upload.checksum)


def _check_sent(request: Request, version: Version, asked: UploadChecksum) -> None:
    """Check the object's size and checksum against those in the request."""
    size = request.header("x-amz-mp-object-size")
    if size is not None and size != str(version.size):
        message = (
            f"The provided 'x-amz-mp-object-size' header value {size} does not match what was computed: {version.size}"
        )
        raise S3Error(400, "InvalidRequest", message)
    if version.checksum:
        upload_checksums.check_object(request, version.checksum, asked)


def _answer(request: Request, version: Version) -> Answer:
    content = {
        "Location": f"{active().endpoint}/{request.bucket.name}/{quote(request.key)}",
        "Bucket": request.bucket.name,
        "Key": version.name,
        "ETag": version.etag,
        **({} if version.attributes.encryption.kms_key_id else checksums.as_xml(version.checksum)),
    }
    headers = written_version_id_header(version) | encryption.as_headers(version.attributes.encryption)
    return s3_answer("CompleteMultipartUploadResult", content, headers)
