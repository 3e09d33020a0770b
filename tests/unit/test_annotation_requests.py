"""Annotations over the wire: what servers that have none may answer, and that nothing is read that is none.

The answers: AWS's own (`NoSuchAnnotation`, and `x-amz-object-version-id` beside a payload, API reference), refusals of
Regions without annotations, and servers that ignore `?annotation` and answer with the object.
"""

from collections.abc import Iterable

import pytest
from replicator.aws.annotations import LARGEST, NONE_HERE
from replicator.aws.errors import Side
from replicator.aws.large_objects import BucketLargeObjects
from replicator.aws.uploads import BucketUploads
from replicator.core.outcomes.outcome import Permanent, Temporary

from tests.unit.wire import Answer, Wire, error

WORKS = error(404, "NoSuchAnnotation")
VERSION = {"x-amz-object-version-id": "v"}
ETAG = "0cc175b9c0f1b6a831c399e269772661"
LISTED = Answer(
    "<ListObjectAnnotationsOutput><Annotations><AnnotationEntry><AnnotationName>note</AnnotationName>"
    f"<ETag>{ETAG}</ETag></AnnotationEntry>"
    "</Annotations></ListObjectAnnotationsOutput>"
)


class Endless(Answer):
    """An object without end; `taken` counts the bytes that were read of it."""

    taken = 0

    def stream(self) -> Iterable[bytes]:
        raise AssertionError("read as a whole")

    def read(self, amount: int | None = None) -> bytes:
        assert amount is not None
        type(self).taken += amount
        return bytes(amount)

    def close(self) -> None: ...


class Payload(Answer):
    """A payload of one byte, which `left` has until it was read."""

    left = b""

    def read(self, _amount: int | None = None) -> bytes:
        payload, Payload.left = Payload.left, b""
        return payload

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)  # botocore's, between its attempts
    Endless.taken = 0


def source(wire: Wire, annotated: set[str] | None = None) -> BucketLargeObjects:
    return BucketLargeObjects("east", Side.SOURCE, wire.clients().reader("us-east-1"), annotated=annotated)


def uploads(wire: Wire) -> BucketUploads:
    return BucketUploads("west", wire.clients(), "us-west-2")


def test_names_are_listed_where_annotations_were_seen_to_work() -> None:
    wire = Wire([WORKS, LISTED])
    assert source(wire).annotations("k", "v") == {"note": ETAG}
    assert [request.url.partition("?")[2].split("&")[0] for request in wire.requests] == ["annotation", "annotation"]


def test_an_annotation_of_the_probes_name_shows_that_annotations_work() -> None:
    assert source(Wire([Endless(headers=VERSION), LISTED])).annotations("k", "v") == {"note": ETAG}


def test_a_bucket_that_was_seen_to_work_is_not_asked_again() -> None:
    annotated: set[str] = set()
    wire = Wire([WORKS, LISTED])
    for _ in range(3):
        source(wire, annotated).annotations("k", "v")
    assert len(wire.requests) == 4


@pytest.mark.parametrize("status", sorted(NONE_HERE))
@pytest.mark.parametrize("body", ["", "<html>no such thing</html>", "<Error><Code>Nonsense</Code></Error>", "\0"])
def test_a_refusal_means_that_there_are_none(status: int, body: str) -> None:
    assert source(Wire([Answer(body, status)])).annotations("k", "v") is None


def test_an_object_in_place_of_an_annotation_is_not_read() -> None:
    assert source(Wire([Endless()])).annotations("k", "v") is None
    assert Endless.taken == 0


def test_a_payload_is_read_up_to_its_limit_only() -> None:
    with pytest.raises(Permanent, match="more than 1048576 bytes"):
        source(Wire([Endless(headers=VERSION)])).annotation("k", "v", "note", ETAG)
    assert Endless.taken == LARGEST + 1


def annotation(etag: str) -> bytes | None:
    """Return what is read of an annotation whose response has this ETag."""
    Payload.left = b"a"
    headers = {**VERSION, "Content-Length": "1"} | ({"ETag": etag} if etag else {})
    return source(Wire([Payload(headers=headers)])).annotation("k", "v", "note", ETAG)


def test_an_annotation_is_read_only_with_the_etag_that_the_list_had() -> None:
    """Headers have quotes around it. A server that sends none is taken at its word."""
    assert [annotation(etag) for etag in (f'"{ETAG}"', ETAG, "")] == [b"a", b"a", b"a"]
    assert annotation('"another"') is None


def test_an_annotation_that_is_gone_is_none() -> None:
    assert source(Wire([WORKS])).annotation("k", "v", "note", ETAG) is None


@pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchVersion"])
def test_a_version_that_is_gone_has_none(code: str) -> None:
    assert source(Wire([WORKS, error(404, code)])).annotations("k", "v") == {}


def test_denied_is_permanent() -> None:
    with pytest.raises(Permanent):
        source(Wire([error(403, "AccessDenied")])).annotations("k", "v")
    with pytest.raises(Permanent):
        source(Wire([WORKS, error(403, "AccessDenied")])).annotations("k", "v")


@pytest.mark.parametrize(
    ("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (400, "ExpiredToken"), (400, "RequestTimeout")]
)
def test_trouble_that_may_pass_is_not_mistaken_for_none(status: int, code: str) -> None:
    with pytest.raises(Temporary):
        source(Wire([error(status, code)])).annotations("k", "v")
    with pytest.raises(Temporary):
        source(Wire([WORKS, error(status, code)])).annotations("k", "v")
    with pytest.raises(Temporary):
        uploads(Wire([error(status, code)])).annotate("k", "v", "note", b"1")


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "AnnotationLimitExceeded"), (400, "InvalidRequest"), (403, "AccessDenied"), (404, "NoSuchVersion"),
     (501, "NotImplemented")],
)  # fmt: skip
def test_an_annotation_that_is_refused_is_permanent(status: int, code: str) -> None:
    with pytest.raises(Permanent, match=code):
        uploads(Wire([error(status, code)])).annotate("k", "v", "note", b"1")
