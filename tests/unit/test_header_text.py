"""Header values that are not ASCII reach the replica with the same bytes, or S3 copies them itself."""

from dataclasses import replace
from typing import Any

import pytest
from replicator.core.deciding.copy import Guard
from replicator.core.outcomes.outcome import Permanent, Reason
from replicator.core.versions.version import Head

from tests.unit.adapters import objects, replicas, uploads
from tests.unit.copies import plain
from tests.unit.wire import Answer, Wire

ALWAYS = {"etag": '"v1"', "content-length": "7", "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT"}
COPIED = Answer('<CopyObjectResult><ETag>"r1"</ETag></CopyObjectResult>')
BEGUN = Answer("<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>")
NAMES = {
    "cache-control": "CacheControl", "content-disposition": "ContentDisposition", "content-encoding": "ContentEncoding",
    "content-language": "ContentLanguage", "content-type": "ContentType", "expires": "Expires",
    "x-amz-website-redirect-location": "WebsiteRedirectLocation",
}  # fmt: skip
UTF_8 = ["\u00c4", 'attachment; filename="\u65e5\u672c \U0001f600.pdf"', "\u00e9 two  blanks"]
OTHERS = {"ISO-8859-1": b"caf\xe9", "an ideographic space": "a\u3000b".encode(), "no-break": "a\u00a0b".encode()}


def head(**headers: str) -> Head:
    """Read a HEAD; values are those of http.client, each byte one character."""
    found = objects(Wire([Answer(headers=ALWAYS | headers)])).head("k", "v1")
    assert isinstance(found, Head)
    return found


def on_the_wire(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.mark.parametrize("text", UTF_8)
@pytest.mark.parametrize("name", NAMES)
def test_utf_8_is_sent_as_it_came(name: str, text: str) -> None:
    found = head(**{name: text.encode().decode("latin-1")})
    assert (dict(found.headers), found.unseen_metadata) == ({NAMES[name]: text}, 0)
    copied, begun = Wire([COPIED]), Wire([BEGUN])
    copy = replace(plain(), headers=found.headers, metadata={"other": "than the source's"})
    replicas(copied).copy(copy, Guard(""))
    uploads(begun).start(copy)
    for wire in (copied, begun):
        sent = {header.lower(): value for header, value in wire.requests[0].headers.items()}
        assert on_the_wire(sent[name]) == text.encode()


@pytest.mark.parametrize("value", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_sent_is_left_to_s3(name: str, value: bytes) -> None:
    assert head(**{name: value.decode("latin-1")}).unseen_metadata == 1


@pytest.mark.parametrize("value", OTHERS.values(), ids=OTHERS)
def test_a_redirect_that_cannot_be_sent_fails_since_s3_never_copies_it(value: bytes) -> None:
    found = head(**{"x-amz-website-redirect-location": value.decode("latin-1")})
    wire = Wire([COPIED])
    with pytest.raises(Permanent) as trouble:
        replicas(wire).copy(replace(plain(), headers=found.headers, metadata={}, source_metadata={}), Guard(""))
    assert trouble.value.reason is Reason.METADATA_UNREADABLE
    assert wire.requests == []


@pytest.mark.parametrize(
    ("value", "unseen"),
    [("plain", 0), ("=?UTF-8?Q?=C3=84?=", 0), ("=?utf-8?b?w4Q=?= =?UTF-8?Q?=C3=84?=", 0),
     ("=?UTF-8?B?AAECAw==?=", 0), ("=?UTF-8?B?YWJj?=", 1), ("=?UTF-8?Q?actually-ascii?=", 1), ("=?", 0),
     ("=?UTF-8?B?a?=", 0), ("\u00c3\u0084", 1)],
)  # fmt: skip
def test_metadata_that_s3_would_decode_to_something_else_is_left_to_s3(value: str, unseen: int) -> None:
    assert head(**{"x-amz-meta-note": value}).unseen_metadata == unseen
