"""ListObjectVersions: every entry of every key, keys in UTF-8 order, the entries of a key newest first.

moto sorts by time, which does not order two writes within one millisecond, and copies the bucket to sort it.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from moto.s3.models import FakeBucket

from emulator.calls.answers import Answer, S3Error, s3_answer, xml_date
from emulator.s3 import owners
from emulator.s3.histories import history, place_of
from emulator.s3.requests import Request
from emulator.s3.versions import Entry, Version, is_version

Shown = Callable[[FakeBucket, str], Sequence[Entry]]


class Line(NamedTuple):
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
    following = _after(bucket, lines(bucket, prefix, delimiter, _newest_first), key_marker, version_marker)
    page, more = take(following, most)
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
    return s3_answer("ListVersionsResult", _with_entries(request, content, page))


def take(following: Iterator[Line], most: int) -> tuple[list[Line], bool]:
    """Return a page, and whether more follows it; an empty page says that nothing does."""
    page = list(islice(following, most))
    return page, most > 0 and next(following, None) is not None


def _with_entries(request: Request, content: dict[str, Any], page: list[Line]) -> dict[str, Any]:
    """Add the entries in order; Version and DeleteMarker elements alternate."""
    elements = _Repeated(content)
    for line in page:
        if line.entry:
            kind = "Version" if is_version(line.entry) else "DeleteMarker"
            elements.add(kind, _entry(request.bucket, request.encode(line.name), line.entry, latest=line.latest))
    for line in page:
        if not line.entry:
            elements.add("CommonPrefixes", {"Prefix": request.encode(line.name)})
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


def _entry(bucket: FakeBucket, key: str, entry: Entry, *, latest: bool) -> dict[str, Any]:
    named = {"Key": key, "VersionId": entry.version_id, "IsLatest": latest}
    owner = owners.as_xml(owners.of_entry(bucket, entry))
    common = {**named, "LastModified": xml_date(entry.last_modified), "Owner": owner}
    return common | describe(entry) if is_version(entry) else common


def describe(version: Version) -> dict[str, Any]:
    """Return what every listing says of an object besides its key, time and owner."""
    return {
        "ETag": version.etag,
        "ChecksumAlgorithm": version.checksum.algorithm if version.checksum else None,
        "ChecksumType": version.checksum.type if version.checksum else None,
        "Size": version.size,
        "StorageClass": version.storage_class,
    }


def lines(bucket: FakeBucket, prefix: str, delimiter: str, shown: Shown) -> Iterator[Line]:
    """Yield entries and common prefixes, keys in UTF-8 order. `shown` returns the entries of a key, newest first."""
    folded = None
    for key in sorted((key for key in list(bucket.keys) if key.startswith(prefix)), key=str.encode):
        entries = shown(bucket, key)
        place = key.find(delimiter, len(prefix)) if delimiter else -1
        if entries and place >= 0:
            common = key[: place + len(delimiter)]
            if common != folded:
                yield Line(common)
            folded = common
            continue
        for entry in entries:
            yield Line(key, entry, latest=entry is entries[0])


def _newest_first(bucket: FakeBucket, key: str) -> Sequence[Entry]:
    return history(bucket, key)[::-1]


def _after(bucket: FakeBucket, listed: Iterator[Line], key_marker: str, version_marker: str) -> Iterator[Line]:
    """Skip what precedes the markers: without a version marker, also all entries of the marker's key.

    S3 goes on after a version that was deleted since it was listed.
    """
    marker = key_marker.encode()
    place = place_of(bucket, key_marker, version_marker) if version_marker else None
    for line in listed:
        name = line.name.encode()
        older = name == marker and line.entry and place is not None and line.entry.place < place
        if not key_marker or name > marker or older:
            yield line
