"""HeadObject and GetObject: a version's headers and bytes, whole or by range or part.

HEAD of a key whose current entry is a delete marker is a 404 that names the marker; of the marker's id, a 405.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

from __future__ import annotations

import re

from emulator.calls.answers import Answer, S3Error, http_date
from emulator.s3 import access, attributes, checksums, encryption, preconditions
from emulator.s3.histories import version_id_header
from emulator.s3.requests import Request
from emulator.s3.versions import Checksum, Version

_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")
_OVERRIDES = {
    "response-cache-control": "Cache-Control",
    "response-content-disposition": "Content-Disposition",
    "response-content-encoding": "Content-Encoding",
    "response-content-language": "Content-Language",
    "response-content-type": "Content-Type",
    "response-expires": "Expires",
}


def head_object(request: Request) -> Answer:
    """HeadObject."""
    version = request.get_version()
    return _read(request, version)


def get_object(request: Request) -> Answer:
    """GetObject."""
    version = request.get_version()
    if attributes.is_archived(version):
        message = "The operation is not valid for the object's storage class"
        raise S3Error(403, "InvalidObjectState", message, StorageClass=version.storage_class)
    return _read(request, version)


def _read(request: Request, version: Version) -> Answer:
    encryption.check_readable(version, request)
    headers = {
        "ETag": version.etag,
        "Last-Modified": http_date(version.last_modified),
        **version_id_header(request.bucket, version),
    }
    if preconditions.not_modified(request, version):
        return Answer(304, headers)
    headers |= {"Accept-Ranges": "bytes"} | access.visible(request, attributes.as_headers(version.attributes))
    if version.restored:
        headers["x-amz-restore"] = _restore_status(version)
    if status := version.replication_status:
        headers["x-amz-replication-status"] = status
    headers |= _overrides(request)
    first, last, partial = _range(request, version, headers)
    whole = (first, last) == (0, version.size - 1) or not version.size
    if request.header_is("x-amz-checksum-mode", "ENABLED"):
        headers |= checksums.as_headers(_checksum(request, version, whole=whole))
    headers["Content-Length"] = str(last - first + 1)
    if partial:
        headers["Content-Range"] = f"bytes {first}-{last}/{version.size}"
    body = b"" if request.method == "HEAD" else version.value if whole else version.value[first : last + 1]
    return Answer(206 if partial else 200, headers, body)


def _checksum(request: Request, version: Version, *, whole: bool) -> Checksum | None:
    """Return the checksum to show: that of the object if all of it is read, or of a part that has one of its own."""
    number = request.query.get("partNumber")
    part = version.parts[int(number) - 1] if number and version.parts else None
    if part and part.checksum:
        return Checksum(part.checksum.algorithm, part.checksum.value, "COMPOSITE")
    return version.checksum if whole else None


def _overrides(request: Request) -> dict[str, str]:
    """Return the headers that the query replaces. Raises InvalidArgument, as recorded, for what is no ISO-8859-1."""
    wanted = {name: value for name in _OVERRIDES if (value := request.query.get(name)) is not None}
    for name, value in wanted.items():
        if any(ord(character) > 0xFF for character in value):
            message = "Header value cannot be represented using ISO-8859-1."
            raise S3Error(400, "InvalidArgument", message, ArgumentName=name, ArgumentValue=value)
    return {_OVERRIDES[name]: value for name, value in wanted.items()}


def _restore_status(version: Version) -> str:
    restored = version.restored
    if restored is None or not restored.is_ready():
        return 'ongoing-request="true"'
    return f'ongoing-request="false", expiry-date="{restored.expires:%a, %d %b %Y 00:00:00 GMT}"'


def _range(request: Request, version: Version, headers: dict[str, str]) -> tuple[int, int, bool]:
    """Return first byte, last byte, and whether the request names a range; an invalid range is ignored."""
    if "partNumber" in request.query:
        if request.header("Range"):
            raise S3Error(400, "InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
        return _part(request.number("partNumber", 1), version, headers)
    asked = _RANGE.match(request.header("Range") or "")
    if not asked or not any(asked.groups()):
        return 0, version.size - 1, False
    begin, end = asked.groups()
    if not begin:
        first, last = max(0, version.size - int(end)), version.size - 1
    else:
        first, last = int(begin), min(int(end or version.size), version.size - 1)
    if first >= version.size or (end == "0" and not begin):
        message = "The requested range is not satisfiable"
        asked_for, there = {"Content-Range": f"bytes */{version.size}"}, version.size
        raise S3Error(416, "InvalidRange", message, asked_for, RangeRequested=asked[0], ActualObjectSize=there)
    return (first, last, True) if first <= last else (0, version.size - 1, False)


def _part(number: int, version: Version, headers: dict[str, str]) -> tuple[int, int, bool]:
    sizes = [part.size for part in version.parts] or [version.size]
    if not 1 <= number <= len(sizes):
        message = "The requested partnumber is not satisfiable"
        raise S3Error(416, "InvalidPartNumber", message, PartNumberRequested=number, ActualPartCount=len(sizes))
    if version.parts:
        headers["x-amz-mp-parts-count"] = str(len(sizes))
    first = sum(sizes[: number - 1])
    return first, first + sizes[number - 1] - 1, version.size > 0
