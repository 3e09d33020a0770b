"""ListObjectVersions in the order that S3 answers, page by page.

S3 interleaves versions and delete markers, newest first; botocore sorts them into two lists, and LastModified, in
whole seconds, cannot merge them again. So the order is taken from the answer's text before botocore parses it. The next
page begins after the last entry itself: other servers name something else, or nothing, as its marker.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from replicator.aws.asking import Unreadable, required
from replicator.core.versions.version import Entry, EntryKind

ORDER = "EntryOrder"
EVENT = "before-parse.s3.ListObjectVersions"
LISTS = {"Version": "Versions", "DeleteMarker": "DeleteMarkers"}
"""Elements of the answer's text, and the lists into which botocore sorts them."""


def keep_order(response_dict: Mapping[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """Add the names of the entries' elements in S3's order to the parsed answer; a handler of `before-parse`."""
    if response_dict["status_code"] != 200:
        return
    root = ET.fromstring(response_dict["body"])  # noqa: S314 - S3's own answer, which botocore parses, too
    customized_response_dict[ORDER] = [name for child in root if (name := _name(child)) in LISTS]


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


class Page(NamedTuple):
    """One page of a key's history: its entries, newest first, and how to ask for the next page; None if it ends."""

    entries: list[Entry]
    following: Mapping[str, str] | None


def page_of(answer: Mapping[str, Any], key: str) -> Page:
    """Read one page of a listing with `key` as its prefix. Raises Unreadable if it ends without saying where.

    Entries of exactly this key lead the listing. Other keys that begin with it follow, and end the history.
    """
    listed = _in_text_order(answer)
    entries = _newest_first([each for each in listed if each.key == key])
    if not answer.get("IsTruncated") or any(each.key != key for each in listed):
        return Page(entries, None)
    if not entries:
        raise Unreadable("a page without entries, of which there are more")
    return Page(entries, {"KeyMarker": key, "VersionIdMarker": entries[-1].version_id})


class _Listed(NamedTuple):
    """One entry of the answer. time: LastModified as exactly as the server tells it, epoch seconds."""

    key: str
    entry: Entry
    time: float
    is_latest: bool


def _in_text_order(answer: Mapping[str, Any]) -> list[_Listed]:
    """Merge botocore's lists again: the first element of a name is the first of its list, and so on."""
    items = {element: iter(answer.get(name, ())) for element, name in LISTS.items()}
    return [_listed(element, next(items[element])) for element in answer.get(ORDER, ())]


def _listed(element: str, item: Mapping[str, Any]) -> _Listed:
    version_id, time = item.get("VersionId", "null"), required(item, "LastModified").timestamp()
    if element == "DeleteMarker":
        entry = Entry(version_id, EntryKind.MARKER, int(time))
    else:
        entry = Entry(version_id, EntryKind.VERSION, int(time), required(item, "ETag"), required(item, "Size"))
    return _Listed(required(item, "Key"), entry, time, bool(item.get("IsLatest")))


def _newest_first(listed: Sequence[_Listed]) -> list[Entry]:
    """Return the entries of one key in their order in the history.

    That is the order of the text, unless the text has the versions first and then the delete markers, or the other way
    round, and their times contradict it: such servers are merged by time.
    """
    versions = [each for each in listed if each.entry.is_version]
    markers = [each for each in listed if not each.entry.is_version]
    if listed == [*versions, *markers] and _contradicts(versions, markers):
        return _merged(versions, markers)
    if listed == [*markers, *versions] and _contradicts(markers, versions):
        return _merged(markers, versions)
    return [each.entry for each in listed]


def _contradicts(first: Sequence[_Listed], then: Sequence[_Listed]) -> bool:
    """Return whether one that is listed as older is newer. The time of an upload in parts says nothing of its place."""
    if any(each.is_latest for each in then):
        return True
    times = [each.time for each in first if not each.entry.is_multipart]
    return bool(times) and any(each.time > min(times) for each in then if not each.entry.is_multipart)


def _merged(first: Sequence[_Listed], then: Sequence[_Listed]) -> list[Entry]:
    """Merge two lists, each newest first."""
    left, right, merged = list(first), list(then), list[Entry]()
    while left and right:
        take_right = (right[0].is_latest, right[0].time) > (left[0].is_latest, left[0].time)
        merged.append((right if take_right else left).pop(0).entry)
    return merged + [each.entry for each in (*left, *right)]
