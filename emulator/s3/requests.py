"""An S3 request as the operations read it: bucket, key and version, headers by name, and the decoded body.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache, cached_property
from typing import Any
from urllib.parse import quote

import xmltodict  # type: ignore[import-untyped]
from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY
from moto.s3.models import FakeBucket

from emulator.calls.answers import S3Error, malformed_xml
from emulator.calls.call import NO_LENGTH, Call
from emulator.s3 import histories
from emulator.s3.versions import Version

_META = "HTTP_X_AMZ_META_"
_BLANKS = " \t"
"""What surrounds a header's value and is not part of it (RFC 9110, section 5.5)."""


class Request:
    """A WSGI request to S3, and the call read from it."""

    def __init__(self, call: Call, environ: dict[str, Any]) -> None:
        self.call = call
        self.query = call.query
        self.key = call.key or ""
        self.method: str = environ["REQUEST_METHOD"]
        self._environ = environ
        self._trailer: dict[str, str] = {}

    @cached_property
    def bucket(self) -> FakeBucket:
        """Return the bucket of the URL. Raises NoSuchBucket."""
        return histories.get_bucket(self.call.bucket)

    @property
    def version_id(self) -> str | None:
        """Return the version id in the query; None if there is none."""
        return self.query.get("versionId")

    def get_version(self) -> Version:
        """Return the version that the request names, or the current one. Raises as `histories.get_version`."""
        return histories.get_version(self.bucket, self.key, self.version_id, self.method)

    def page_size(self, name: str, largest: int = 1000) -> int:
        """Return the page size of a listing, from a query parameter. Raises InvalidArgument."""
        return min(self.number(name, largest), largest)

    def encode(self, key: str) -> str:
        """Return a key as a listing writes it: URL-encoded if the request asks for it."""
        return quote(key, safe="/") if self.is_encoded else key

    @property
    def is_encoded(self) -> bool:
        """Return whether the request asks for URL-encoded keys. Raises InvalidArgument for another encoding."""
        encoding = self.query.get("encoding-type")
        if encoding not in (None, "url"):
            message = "Invalid Encoding Method specified in Request"
            raise S3Error(400, "InvalidArgument", message, ArgumentName="encoding-type", ArgumentValue=encoding)
        return encoding is not None

    def number(self, name: str, default: int) -> int:
        """Return a query parameter that is a non-negative integer. Raises InvalidArgument."""
        text = self.query.get(name) or str(default)
        if not text.isdecimal():
            message = f"Provided {name} not an integer or within integer range"
            raise S3Error(400, "InvalidArgument", message, ArgumentName=name, ArgumentValue=text)
        return int(text)

    def check_length(self) -> None:
        """Raise MissingContentLength if the request does not say how long its body is."""
        if self._environ.get(NO_LENGTH):
            raise S3Error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")

    def header(self, name: str) -> str | None:
        """Return the value of a header, or of a trailer after the body."""
        value = self._environ.get(_environ_name(name))
        return value.strip(_BLANKS) if value is not None else self._trailer.get(name.lower())

    def header_is(self, name: str, value: str) -> bool:
        """Return whether a header has this value, regardless of case."""
        return (self.header(name) or "").upper() == value.upper()

    def headers(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield name (in lower case) and value of each header and trailer with this lower-case prefix."""
        start = "HTTP_" + prefix.upper().replace("-", "_")
        yield from (
            (name[5:].lower().replace("_", "-"), value)
            for name, value in self._environ.items()
            if name.startswith(start)
        )
        yield from ((name, value) for name, value in self._trailer.items() if name.startswith(prefix))

    def user_metadata(self) -> dict[str, str]:
        """Return the x-amz-meta-* headers. S3 stores their names in lower case, and keeps underscores."""
        spelled = self._environ.get(PRESERVED_HEADER_NAMES_ENVIRON_KEY, {})
        names = (name for name in self._environ if name.startswith(_META))
        written = {name: spelled.get(name, name[5:].replace("_", "-")).lower() for name in names}
        return {
            header.removeprefix("x-amz-meta-"): self._environ[name].strip(_BLANKS) for name, header in written.items()
        }

    @cached_property
    def body(self) -> bytes:
        """Return the body. An aws-chunked one is decoded, and its trailer is added to the headers.

        Raises IncompleteBody if it is not in chunks, or ends too early.
        """
        raw: bytes = self._environ["wsgi.input"].getvalue()
        if not (self.header("x-amz-content-sha256") or "").startswith("STREAMING-"):
            return raw
        try:
            body, self._trailer = _dechunk(raw)
        except ValueError:
            message = "The request body terminated unexpectedly"
            raise S3Error(400, "IncompleteBody", message) from None
        return body

    def xml(self, root: str, *lists: str) -> dict[str, Any]:
        """Return the content of the root element; `lists` names elements that may repeat. Raises MalformedXML."""
        try:
            document = xmltodict.parse(self.body, force_list=lists, strip_whitespace=False, process_comments=False)
            content: dict[str, Any] = _without_layout(document[root] or {})
        except Exception:
            raise malformed_xml() from None
        return content


@cache
def _environ_name(header: str) -> str:
    name = header.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"


def _without_layout(element: Any) -> Any:
    """Drop white space between elements, but not inside them: keys and values may consist of it."""
    if isinstance(element, list):
        return [_without_layout(each) for each in element]
    if isinstance(element, dict):
        return {name: _without_layout(each) for name, each in element.items() if name != "#text" or len(element) == 1}
    return element


def _dechunk(raw: bytes) -> tuple[bytes, dict[str, str]]:
    """Decode S3's chunked encoding (aws-chunked); return the body and the trailer. Raises ValueError."""
    stream, pieces = io.BytesIO(raw), []
    while size := int(stream.readline().partition(b";")[0], 16):
        piece = stream.read(size)
        if len(piece) < size or stream.readline() != b"\r\n":
            raise ValueError
        pieces.append(piece)
    lines = (line.decode().strip().partition(":") for line in stream)
    return b"".join(pieces), {name.lower(): value.strip() for name, colon, value in lines if colon}
