"""An element that an answer lacks is an empty one, or trouble that names it; so is an answer that is no XML."""

from collections.abc import Callable

import pytest
from replicator.aws.buckets import S3Buckets
from replicator.aws.tagging import SourceTagging
from replicator.core.deciding.copy import Guard
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Reason, Temporary
from replicator.core.parts.parts import PartRange
from replicator.core.parts.uploads import Part

from tests.fakes.reporting import in_turn
from tests.unit.adapters import SOURCE, large, objects, replicas, uploads
from tests.unit.copies import plain
from tests.unit.wire import Answer, Wire

HEAD = {"etag": '"e"', "content-length": "7", "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT"}


def has_acls(wire: Wire) -> bool:
    return S3Buckets(wire.clients(), in_turn).describe(Target("west")).capabilities.acls


EMPTY: list[tuple[str, Callable[[Wire], object], object]] = [
    ("<Tagging/>", lambda wire: objects(wire).tags("k", "v1"), {}),
    ("<Tagging/>", lambda wire: SourceTagging(wire.clients().reader("us-east-1")).tags("east", "k", "v1"), {}),
    ("<AccessControlPolicy/>", lambda wire: objects(wire).grants("k", "v1"), ()),
    ("<ListVersionsResult/>", lambda wire: objects(wire).history("k"), ()),
    ("<ListPartsResult/>", lambda wire: uploads(wire).parts("k", "u1", 0), []),
    ("<ListMultipartUploadsResult/>", lambda wire: uploads(wire).under_way("k"), []),
    ("<ListObjectAnnotationsOutput/>", lambda wire: large(wire).annotations("k", "v1"), {}),
    ("<OwnershipControls/>", has_acls, True),
]


@pytest.mark.parametrize(("body", "ask", "found"), EMPTY, ids=[row[0] for row in EMPTY])
def test_a_list_that_is_missing_is_empty(body: str, ask: Callable[[Wire], object], found: object) -> None:
    assert ask(Wire([Answer(body)])) == found


def copy(wire: Wire) -> object:
    return replicas(wire).copy(plain(), Guard(""))


def copy_part(wire: Wire) -> object:
    return uploads(wire).copy_part("u1", SOURCE, PartRange(1, 0, 9))


def complete(wire: Wire) -> object:
    return uploads(wire).complete(plain(), "u1", [Part(1, 5, '"p"')], Guard(""))


def parts(wire: Wire) -> object:
    return uploads(wire).parts("k", "u1", 0)


def under_way(wire: Wire) -> object:
    return uploads(wire).under_way("k")


def grants(wire: Wire) -> object:
    return objects(wire).grants("k", "v1")


def without(name: str) -> Answer:
    return Answer(headers={header: value for header, value in HEAD.items() if header != name})


Row = tuple[str, Answer, Callable[[Wire], object]]
GRANT = "<AccessControlPolicy><AccessControlList><Grant>{}</Grant></AccessControlList></AccessControlPolicy>"
UNREADABLE: list[Row] = [
    ("no ETag", without("etag"), lambda wire: objects(wire).head("k", "v1")),
    ("no LastModified", without("last-modified"), lambda wire: objects(wire).head("k", "v1")),
    ("no ContentLength", without("content-length"), lambda wire: objects(wire).top("k")),
    ("no ContentLength", without("content-length"), lambda wire: large(wire).part_size(SOURCE, 1)),
    ("an element of another kind (ValueError)", Answer(headers=HEAD | {"content-length": "seven"}),
     lambda wire: objects(wire).head("k", "v1")),
    ("an element of another kind (RuntimeError)", Answer(headers=HEAD | {"last-modified": "9" * 30}),
     lambda wire: objects(wire).head("k", "v1")),
    ("no Grantee", Answer(GRANT.format("<Permission>READ</Permission>")), grants),
    ("no Key", Answer("<Tagging><TagSet><Tag/></TagSet></Tagging>"), lambda wire: objects(wire).tags("k", "v1")),
    ("no LastModified", Answer("<ListVersionsResult><Version><Key>k</Key></Version></ListVersionsResult>"),
     lambda wire: objects(wire).history("k")),
    ("no ETag", Answer("<CopyObjectResult/>"), copy),
    ("no UploadId", Answer("<InitiateMultipartUploadResult/>"), lambda wire: uploads(wire).start(plain())),
    ("no ETag", Answer("<CopyPartResult/>"), copy_part),
    ("no ETag", Answer("<CompleteMultipartUploadResult/>"), complete),
    ("no PartNumber", Answer("<ListPartsResult><Part/></ListPartsResult>"), parts),
    ("no Key", Answer("<ListMultipartUploadsResult><Upload/></ListMultipartUploadsResult>"), under_way),
    *(
        ("no XML", Answer(body), ask)
        for body in ("<html>all is <well", "well", "{}")
        for ask in (copy, copy_part, complete, parts, under_way, grants, lambda wire: objects(wire).history("k"))
    ),
]  # fmt: skip


@pytest.mark.parametrize(("what", "answer", "ask"), UNREADABLE, ids=[row[0] for row in UNREADABLE])
def test_what_every_answer_has_is_named_where_it_is_missing(
    what: str, answer: Answer, ask: Callable[[Wire], object]
) -> None:
    wire = Wire([answer])
    with pytest.raises(Temporary) as trouble:
        ask(wire)
    assert trouble.value.reason is Reason.UNREADABLE
    assert trouble.value.detail.endswith(f"): {what}")
    assert len(wire.requests) == 1
