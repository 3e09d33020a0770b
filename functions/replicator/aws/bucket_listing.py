"""The port `Listing` on S3: ListObjectVersions over whole buckets, one request for each page, read without botocore.

S3 interleaves versions and delete markers, newest first; botocore sorts them into two lists, and needs four times as
long as all that a survey does with an entry. So entries are read from the answer's text, before botocore parses it, and
botocore gets a document without them. A client of its own does that: others list one key (listing.py).
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus
from xml.etree import ElementTree as ET

from replicator.aws.asking import Unreadable, asking
from replicator.aws.errors import Side
from replicator.core.verifying.listed import Listed, Span
from replicator.core.versions.origin import NULL_VERSION
from replicator.core.versions.version import Entry, EntryKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_s3 import S3Client

    from replicator.core.deciding.target import Target

EVENT = "before-parse.*.*"
"""Handlers of such an event come before botocore's own, which would parse the text once more to look for errors."""
PAGE = "SurveyedPage"
"""The element of the parsed answer that holds the page."""
ROOT = "ListVersionsResult"
KINDS = {"Version": EntryKind.VERSION, "DeleteMarker": EntryKind.MARKER}
EMPTY = b"<ListVersionsResult/>"


class Page(NamedTuple):
    """One page in S3's order, and whether more follow."""

    entries: list[Listed]
    is_truncated: bool


def read_entries(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """Read a page from the answer's text; a handler of botocore's `before-parse`. Raises Unreadable.

    An answer that is not S3's own, such as a proxy's page, is never taken for an empty bucket.
    """
    if response_dict["status_code"] != 200:
        return
    try:
        root = ET.fromstring(response_dict["body"])  # noqa: S314 - S3's own answer
    except ET.ParseError:
        raise Unreadable("no XML") from None
    namespace, _brace, name = root.tag.rpartition("}")
    if name == "Error":
        return  # botocore reads errors inside a 200
    if name != ROOT:
        raise Unreadable(f"no {ROOT}")
    customized_response_dict[PAGE] = _page_of(root, f"{namespace}}}" if namespace else "")
    response_dict["body"] = EMPTY


def _page_of(root: ET.Element, namespace: str) -> Page:
    truncated = root.findtext(f"{namespace}IsTruncated")
    if truncated not in {"true", "false"}:
        raise Unreadable("no IsTruncated")
    decode = unquote_plus if root.findtext(f"{namespace}EncodingType") == "url" else str
    strip = len(namespace)
    entries = [
        _listed(kind, {field.tag[strip:]: field.text for field in element}, decode)
        for element in root
        if (kind := KINDS.get(element.tag[strip:]))
    ]
    return Page(entries, truncated == "true")


def _listed(kind: EntryKind, fields: Mapping[str, str | None], decode: "Callable[[str], str]") -> Listed:
    try:
        key, version_id = decode(fields["Key"] or ""), fields.get("VersionId") or NULL_VERSION
        modified = int(datetime.fromisoformat(fields["LastModified"] or "").timestamp())
        is_latest = fields["IsLatest"] == "true"
        if kind is EntryKind.MARKER:
            return Listed(key, Entry(version_id, kind, modified), is_latest)
        entry = Entry(version_id, kind, modified, fields["ETag"] or "", int(fields["Size"] or ""))
    except KeyError as missing:
        raise Unreadable(f"no {missing.args[0]}") from None
    return Listed(key, entry, is_latest, fields.get("StorageClass") or "STANDARD")


class BucketListing:
    """Lists whole buckets."""

    def __init__(self, client: "Callable[[Target, Side], S3Client]", source_account: str = "") -> None:
        """Take a function that returns a client for a bucket, in its Region, whose answers `read_entries` reads.

        source_account: the owner of sources, if it must be checked.
        """
        self._client = client
        self._source_account = source_account

    def pages(self, target: "Target", side: "Side", span: Span) -> Iterator[Sequence[Listed]]:
        """Yield all entries of a span in S3's order, one page for each request; the entries of a key newest first."""
        client, marker = self._client(target, side), _start(span)
        while True:
            page = self._ask(client, target, side, {"Prefix": span.prefix, **marker})
            within = _within(page.entries, span)
            yield within
            if not page.is_truncated or (page.entries and _is_past(page.entries[-1].key, span)):
                return
            marker = _following(page, marker, side)

    def first_key(self, target: "Target", side: "Side", span: Span) -> str | None:
        """Return the first key of a span; None if it has none. One request."""
        request = {"Prefix": span.prefix, "MaxKeys": 1, **_start(span)}
        page = self._ask(self._client(target, side), target, side, request)
        keys = [each.key for each in page.entries if each.key in span]
        return keys[0] if keys else None

    def _ask(self, client: "S3Client", target: "Target", side: "Side", request: Mapping[str, Any]) -> Page:
        account = target.account or (self._source_account if side is Side.SOURCE else "")
        owner: dict[str, Any] = {"ExpectedBucketOwner": account} if account else {}
        with asking("ListObjectVersions", side):
            answer: Any = client.list_object_versions(Bucket=target.bucket, EncodingType="url", **owner, **request)
            if PAGE not in answer:
                raise Unreadable("no page")
            page: Page = answer[PAGE]
            return page


def _start(span: Span) -> dict[str, str]:
    """Return the marker after which a span begins. A marker before the prefix says nothing that the prefix does not."""
    return {"KeyMarker": span.after} if span.after and span.after.startswith(span.prefix) else {}


def _following(page: Page, marker: Mapping[str, str], side: "Side") -> dict[str, str]:
    """Return the marker of the next page: the last entry itself, since other servers name something else."""
    with asking("ListObjectVersions", side):
        if not page.entries:
            raise Unreadable("a page without entries, of which there are more")
        last = page.entries[-1]
        following = {"KeyMarker": last.key, "VersionIdMarker": last.entry.version_id}
        if following == marker:
            raise Unreadable("a page that leads back to itself")
        return following


def _is_past(key: str, span: Span) -> bool:
    return span.until is not None and key > span.until


def _within(entries: list[Listed], span: Span) -> list[Listed]:
    """Return those entries that belong to the span: its end may be in the middle of a page."""
    if not entries or (entries[0].key in span and entries[-1].key in span):
        return entries
    return [each for each in entries if each.key in span]
