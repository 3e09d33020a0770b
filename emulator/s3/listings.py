"""ListObjectVersions: every entry of every key, keys in UTF-8 order, the entries of a key newest first.

moto sorts by time, which does not order two writes within one millisecond, and copies the bucket to sort it.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from moto.s3.models import FakeBucket

from emulator.calls.answers import Answer, S3Error, s3_answer, xml_date
from emulator.s3.acls import OWNER
from emulator.s3.histories import history, place_of
from emulator.s3.requests import Request
from emulator.s3.versions import Entry, is_version


class _Line(NamedTuple):
    """An entry of the listing, or a common prefix if `entry` is None."""

    name: str
    entry: Entry | None = None
    latest: bool = False


def list_object_versions(request: Request) -> Answer:
    """ListObjectVersions, with prefix, delimiter and markers."""
    query, bucket = request.query, request.bucket
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    key_marker, version_marker = query.get("key-marker", ""), query.get("version-id-marker", "")
    if version_marker and not key_marker:
        message = "A version-id marker cannot be specified without a key marker."
        raise S3Error(400, "InvalidArgument", message, ArgumentName="version-id-marker", ArgumentValue=version_marker)
    most = request.page_size("max-keys")
    lines = _after(bucket, _lines(bucket, prefix, delimiter), key_marker, version_marker)
    page = list(islice(lines, most))
    more = most > 0 and next(lines, None) is not None
    content: dict[str, Any] = {
        "Name": bucket.name,
        "Prefix": request.encode(prefix),
        "KeyMarker": request.encode(key_marker),
        "VersionIdMarker": version_marker,
        "MaxKeys": most,
        "Delimiter": request.encode(delimiter) if delimiter else None,
        "EncodingType": "url" if request.is_encoded else None,
        "IsTruncated": more,
    }
    if more:
        last = page[-1]
        content["NextKeyMarker"] = request.encode(last.name)
        content["NextVersionIdMarker"] = last.entry.version_id if last.entry else None
    return s3_answer("ListVersionsResult", _with_entries(content, page, request.encode))


def _with_entries(content: dict[str, Any], page: list[_Line], encode: Callable[[str], str]) -> dict[str, Any]:
    """Add the entries in order; Version and DeleteMarker elements alternate."""
    elements = _Repeated(content)
    for line in page:
        if line.entry:
            kind = "Version" if is_version(line.entry) else "DeleteMarker"
            elements.add(kind, _entry(encode(line.name), line.entry, latest=line.latest))
    for line in page:
        if not line.entry:
            elements.add("CommonPrefixes", {"Prefix": encode(line.name)})
    return elements


class _Repeated(dict[str, Any]):
    """Elements of a document in which elements of the same name need not be adjacent."""

    def __init__(self, content: dict[str, Any]) -> None:
        super().__init__(content)
        self._elements = list(content.items())

    def add(self, name: str, value: Any) -> None:
        self._elements.append((name, value))

    def items(self) -> Any:
        return iter(self._elements)


def _entry(key: str, entry: Entry, *, latest: bool) -> dict[str, Any]:
    named = {"Key": key, "VersionId": entry.version_id, "IsLatest": latest}
    common = {**named, "LastModified": xml_date(entry.last_modified), "Owner": OWNER}
    if not is_version(entry):
        return common
    return common | {
        "ETag": entry.etag,
        "ChecksumAlgorithm": entry.checksum.algorithm,
        "ChecksumType": entry.checksum.type,
        "Size": entry.size,
        "StorageClass": entry.storage_class,
    }


def _lines(bucket: FakeBucket, prefix: str, delimiter: str) -> Iterator[_Line]:
    folded = None
    for key in sorted((key for key in list(bucket.keys) if key.startswith(prefix)), key=str.encode):
        place = key.find(delimiter, len(prefix)) if delimiter else -1
        if place >= 0:
            common = key[: place + len(delimiter)]
            if common != folded:
                yield _Line(common)
            folded = common
            continue
        newest_first = history(bucket, key)[::-1]
        for entry in newest_first:
            yield _Line(key, entry, latest=entry is newest_first[0])


def _after(bucket: FakeBucket, lines: Iterator[_Line], key_marker: str, version_marker: str) -> Iterator[_Line]:
    """Skip what precedes the markers: without a version marker, also all entries of the marker's key.

    S3 goes on after a version that was deleted since it was listed.
    """
    marker = key_marker.encode()
    place = place_of(bucket, key_marker, version_marker) if version_marker else None
    for line in lines:
        name = line.name.encode()
        older = name == marker and line.entry and place is not None and line.entry.place < place
        if not key_marker or name > marker or older:
            yield line
