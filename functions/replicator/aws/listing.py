"""ListObjectVersions in the order that S3 answers.

S3 interleaves versions and delete markers, newest first; botocore sorts them into two lists, and LastModified, in
whole seconds, cannot merge them again. So the order is taken from the answer's text before botocore parses it.
"""

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from replicator.core.versions.version import Entry, EntryKind

ORDER = "EntryOrder"
EVENT = "before-parse.s3.ListObjectVersions"


def keep_order(response_dict: Mapping[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """Add the version ids in S3's order to the parsed answer; a handler of botocore's `before-parse` event."""
    if response_dict["status_code"] != 200:
        return
    root = ET.fromstring(response_dict["body"])  # noqa: S314 - S3's own answer, which botocore parses, too
    children = [child for child in root if _name(child) in ("Version", "DeleteMarker")]
    customized_response_dict[ORDER] = [
        next((field.text or "" for field in child if _name(field) == "VersionId"), "") for child in children
    ]


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def in_order(answer: Mapping[str, Any], key: str) -> list[Entry]:
    """Return the entries of exactly this key, newest first. They lead the listing: `key` is its prefix."""
    versions = [_version(item) for item in answer.get("Versions", ()) if item["Key"] == key]
    markers = [_marker(item) for item in answer.get("DeleteMarkers", ()) if item["Key"] == key]
    entries = {entry.version_id: entry for entry in (*versions, *markers)}
    return [entries[version_id] for version_id in answer[ORDER][: len(entries)]]


def _version(item: Mapping[str, Any]) -> Entry:
    modified = int(item["LastModified"].timestamp())
    return Entry(item["VersionId"], EntryKind.VERSION, modified, item["ETag"], item["Size"])


def _marker(item: Mapping[str, Any]) -> Entry:
    return Entry(item["VersionId"], EntryKind.MARKER, int(item["LastModified"].timestamp()))
