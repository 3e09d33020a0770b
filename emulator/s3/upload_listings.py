"""ListParts and ListMultipartUploads.

Uploads are listed by key, those of a key oldest first; with a delimiter, keys that share a prefix up to it are one
entry. AWS names no marker after a page that ends with such an entry: it is the client that knows the prefix.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from moto.s3.models import FakeBucket

from emulator.calls.answers import Answer, S3Error, s3_answer, xml_date
from emulator.s3 import encryption, owners
from emulator.s3.requests import Request
from emulator.s3.uploads import Upload, began, get_upload, uploads_of


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
        "Owner": owners.as_xml(upload.attributes.owner),
        "StorageClass": upload.attributes.storage_class,
        "PartNumberMarker": after,
        "NextPartNumberMarker": (numbers[:most] or [after])[-1] if numbers else 0,
        "MaxParts": most,
        "IsTruncated": len(numbers) > most,
        **upload.checksum.as_xml(),
        "Part": [_listed(number, upload) for number in numbers[:most]],
    }
    return s3_answer("ListPartsResult", content)


def _listed(number: int, upload: Upload) -> dict[str, Any]:
    part = upload.parts[number]
    listed = {"PartNumber": number, "LastModified": xml_date(part.last_modified), "ETag": part.etag}
    listed["Size"] = len(part.data)
    if upload.checksum.algorithm:
        listed[f"Checksum{upload.checksum.algorithm}"] = part.checksum.value
    return listed


class _Line(NamedTuple):
    """An entry of the listing, or a common prefix if `upload` is None."""

    name: str
    upload: Upload | None = None


def list_multipart_uploads(request: Request) -> Answer:
    """ListMultipartUploads, with prefix, delimiter and markers."""
    query, most = request.query, request.page_size("max-uploads")
    _check_encoding(query.get("encoding-type"))
    prefix, delimiter, key_marker = (query.get(name, "") for name in ("prefix", "delimiter", "key-marker"))
    id_marker = query.get("upload-id-marker", "") if key_marker else ""
    lines = _after(_lines(request.bucket, prefix, delimiter), key_marker, _sequence(request, key_marker, id_marker))
    page = list(islice(lines, most))
    last = page[-1].upload if page else None
    content: dict[str, Any] = {
        "Bucket": request.bucket.name,
        "KeyMarker": request.encode(key_marker),
        "UploadIdMarker": id_marker,
        "NextKeyMarker": request.encode(last.key) if last else "",
        "NextUploadIdMarker": last.id if last else "",
        "Prefix": request.encode(prefix) if prefix else None,
        "Delimiter": request.encode(delimiter) if delimiter else None,
        "MaxUploads": most,
        "EncodingType": "url" if request.is_encoded else None,
        "IsTruncated": most > 0 and next(lines, None) is not None,
        "Upload": [_upload_as_xml(request.encode(each.name), each.upload) for each in page if each.upload],
        "CommonPrefixes": [{"Prefix": request.encode(each.name)} for each in page if not each.upload],
    }
    return s3_answer("ListMultipartUploadsResult", content)


def _check_encoding(asked: str | None) -> None:
    if asked not in (None, "url"):
        message = "Invalid Encoding Method specified in Request"
        raise S3Error(400, "InvalidArgument", message, ArgumentName="encoding-type", ArgumentValue=asked)


def _lines(bucket: FakeBucket, prefix: str, delimiter: str) -> Iterator[_Line]:
    uploads = [upload for upload in list(uploads_of(bucket).values()) if upload.key.startswith(prefix)]
    folded = None
    for upload in sorted(uploads, key=lambda upload: (upload.key.encode(), upload.sequence)):
        place = upload.key.find(delimiter, len(prefix)) if delimiter else -1
        if place < 0:
            yield _Line(upload.key, upload)
            continue
        common = upload.key[: place + len(delimiter)]
        if common != folded:
            yield _Line(common)
        folded = common


def _sequence(request: Request, key_marker: str, id_marker: str) -> int | None:
    """Return when the upload of the marker began; None without an id. Raises InvalidArgument if it is another key's."""
    if not id_marker:
        return None
    key, sequence = began(request.bucket).get(id_marker, (None, 0))
    if key != key_marker:
        message = "Invalid uploadId marker"
        raise S3Error(400, "InvalidArgument", message, ArgumentName="upload-id-marker", ArgumentValue=id_marker)
    return sequence


def _after(lines: Iterator[_Line], key_marker: str, sequence: int | None) -> Iterator[_Line]:
    """Skip what precedes the markers: without an upload, also all uploads of the marker's key."""
    marker = key_marker.encode()
    for line in lines:
        name = line.name.encode()
        later = name == marker and line.upload and sequence is not None and line.upload.sequence > sequence
        if not key_marker or name > marker or later:
            yield line


def _upload_as_xml(key: str, upload: Upload) -> dict[str, Any]:
    return {
        "Key": key,
        "UploadId": upload.id,
        "Initiator": {"ID": upload.initiator},
        "Owner": owners.as_xml(upload.attributes.owner),
        "StorageClass": upload.attributes.storage_class,
        "Initiated": xml_date(upload.initiated),
        **upload.checksum.as_xml(),
    }
