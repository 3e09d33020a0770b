"""A whole bucket's listing: the requests, and what their answers say, read from S3's own text."""

from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

import pytest
from replicator.aws.bucket_listing import BucketListing
from replicator.aws.errors import Side
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.verifying.listed import Listed, Span
from replicator.core.versions.version import Entry, EntryKind

from tests.unit.wire import Answer, Wire, error

TIME = "2023-11-14T22:13:20.000Z"
SECONDS = 1_700_000_000
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def version(key: str, version_id: str = "v1", *, latest: bool = True) -> str:
    return (
        f"<Version><Key>{key}</Key><VersionId>{version_id}</VersionId><IsLatest>{str(latest).lower()}</IsLatest>"
        f"<LastModified>{TIME}</LastModified><ETag>&quot;e&quot;</ETag><Size>7</Size>"
        "<StorageClass>STANDARD_IA</StorageClass><Owner><ID>me</ID></Owner></Version>"
    )


def marker(key: str, version_id: str = "m1", *, latest: bool = True) -> str:
    return (
        f"<DeleteMarker><Key>{key}</Key><VersionId>{version_id}</VersionId><IsLatest>{str(latest).lower()}</IsLatest>"
        f"<LastModified>{TIME}</LastModified></DeleteMarker>"
    )


def page(*entries: str, more: bool = False) -> Answer:
    return Answer(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ListVersionsResult xmlns="{NAMESPACE}"><Name>east</Name>'
        f"<EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>{''.join(entries)}"
        "</ListVersionsResult>"
    )


def listing(wire: Wire) -> BucketListing:
    clients = wire.clients()
    return BucketListing(lambda _target, _side: clients.lister("us-east-1"))


def keys_of(pages: Iterable[Iterable[Listed]]) -> list[str]:
    return [each.key for page in pages for each in page]


def entries(wire: Wire, span: Span | None = None, target: Target | None = None) -> list[Listed]:
    pages = listing(wire).pages(target or Target("east"), Side.SOURCE, span or Span())
    return [each for page in pages for each in page]


def queries(wire: Wire) -> list[dict[str, str]]:
    found = [parse_qs(urlsplit(str(request.url)).query, keep_blank_values=True) for request in wire.requests]
    return [{name: value for name, (value,) in query.items() if name != "versions"} for query in found]


def test_entries_are_read_in_the_order_of_the_text() -> None:
    wire = Wire([page(marker("a+b%2F%E6%9D%B1", "m2"), version("a+b%2F%E6%9D%B1", latest=False), version("c", "null"))])
    key = "a b/\u6771"
    assert entries(wire) == [
        Listed(key, Entry("m2", EntryKind.MARKER, SECONDS), is_latest=True),
        Listed(key, Entry("v1", EntryKind.VERSION, SECONDS, '"e"', 7), is_latest=False, storage_class="STANDARD_IA"),
        Listed("c", Entry("null", EntryKind.VERSION, SECONDS, '"e"', 7), is_latest=True, storage_class="STANDARD_IA"),
    ]
    assert queries(wire) == [{"encoding-type": "url", "prefix": ""}]


def test_the_next_page_begins_after_the_last_entry_itself() -> None:
    wire = Wire([page(version("a"), version("b", "v2"), more=True), page(version("b", latest=False))])
    assert keys_of([entries(wire)]) == ["a", "b", "b"]
    assert queries(wire)[1] == {"encoding-type": "url", "prefix": "", "key-marker": "b", "version-id-marker": "v2"}


def test_a_span_begins_after_a_key_and_ends_with_one() -> None:
    wire = Wire([page(version("logs/a"), version("logs/b"), version("logs/c"), more=True)])
    assert keys_of([entries(wire, Span("logs/a", "logs/b", "logs/"))]) == ["logs/b"]
    assert queries(wire) == [{"encoding-type": "url", "prefix": "logs/", "key-marker": "logs/a"}]


def test_a_span_that_begins_before_its_prefix_needs_no_marker() -> None:
    wire = Wire([page()])
    assert entries(wire, Span("data/z", None, "logs/")) == []
    assert queries(wire) == [{"encoding-type": "url", "prefix": "logs/"}]


def test_the_first_key_of_a_span_is_one_request_for_one_entry() -> None:
    wire = Wire([page(version("b"), more=True)])
    assert listing(wire).first_key(Target("east"), Side.SOURCE, Span("a", "c")) == "b"
    assert listing(wire).first_key(Target("east"), Side.SOURCE, Span("a", "aa")) is None
    assert queries(wire)[0] == {"encoding-type": "url", "prefix": "", "key-marker": "a", "max-keys": "1"}


def test_an_account_that_must_own_the_bucket_is_named() -> None:
    wire = Wire([page()])
    entries(wire, target=Target("east", "123456789012"))
    assert wire.headers()["x-amz-expected-bucket-owner"] == "123456789012"


BAD: dict[str, tuple[Answer, str]] = {
    "no XML": (Answer("<html><body>please sign in"), "no XML"),
    "cut off": (Answer(page(version("a")).body[:-30]), "no XML"),
    "another document": (Answer("<html><body/></html>"), "no ListVersionsResult"),
    "nothing": (Answer(""), "no XML"),
    "no end": (Answer(f'<ListVersionsResult xmlns="{NAMESPACE}"/>'), "no IsTruncated"),
    "an empty page": (page(more=True), "a page without entries"),
    "no key": (page("<Version/>"), "no Key"),
    "no size": (page(version("a").replace("Size", "Sighs")), "no Size"),
    "a bad time": (page(version("a").replace(TIME, "soon")), "AnswerNotReadable"),
}


@pytest.mark.parametrize(("answer", "what"), BAD.values(), ids=BAD)
def test_an_answer_that_is_not_s3s_is_trouble_and_no_empty_bucket(answer: Answer, what: str) -> None:
    with pytest.raises(Temporary, match=what) as raised:
        entries(Wire([answer]))
    assert raised.value.reason is Reason.UNREADABLE
    assert raised.value.side is Side.SOURCE


def test_a_page_that_leads_back_to_itself_is_trouble() -> None:
    with pytest.raises(Temporary, match="leads back to itself"):
        entries(Wire([page(version("a"), more=True)]))


def test_denials_and_errors_inside_a_success_are_what_they_are() -> None:
    with pytest.raises(Permanent) as denied:
        entries(Wire([error(403, "AccessDenied")]))
    assert denied.value.reason is Reason.SRC_BUCKET_DENIED
    with pytest.raises(Temporary) as inside:
        entries(Wire([error(200, "InternalError")]))
    assert inside.value.reason is Reason.SERVICE
