"""HTTP responses: S3's XML documents, and errors in the format of each AWS protocol.

Separate from S3's operations because faults need errors of services that moto answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4
from xml.sax.saxutils import escape

from emulator.calls.call import Call
from emulator.calls.operations import service_model

_XML = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_REFERENCES = {chr(code): f"&#x{code:x};" for code in (*range(9), 11, 12, *range(13, 32), 0xFFFE, 0xFFFF)}
"""S3 writes control characters as references, also those that XML 1.0 does not have: no parser takes such an answer."""
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class Answer(NamedTuple):
    """An HTTP response. Header values are sent as they are."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


class Xml(str):
    """XML that is already escaped."""

    __slots__ = ()


class S3Error(Exception):
    """An error of S3: HTTP status, code, message, and further elements of the error's XML."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None, **fields: object
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.headers, self.fields = dict(headers or {}), fields

    def answer(self) -> Answer:
        """Return the error as an HTTP response."""
        return Answer(self.status, self.headers | XML_TYPE, error_xml(self.code, self.message, self.fields))


def malformed_xml(code: str = "MalformedXML") -> S3Error:
    """Return S3's error for a body that it cannot parse."""
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return S3Error(400, code, message)


XML_TYPE = {"Content-Type": "application/xml"}


def s3_xml(root: str, content: Mapping[str, Any] | str) -> bytes:
    """Return an XML document: mappings become elements, sequences repeated elements; None is left out."""
    inner = escape(content) if isinstance(content, str) else _elements(content)
    return _XML + f'<{root} xmlns="{_NAMESPACE}">{inner}</{root}>'.encode()


def s3_answer(root: str, content: Mapping[str, Any] | str, headers: Mapping[str, str] | None = None) -> Answer:
    """Return status 200 with an XML document."""
    return Answer(200, XML_TYPE | dict(headers or {}), s3_xml(root, content))


def error_xml(code: str, message: str, fields: Mapping[str, object] | None = None) -> bytes:
    """Return S3's <Error> document."""
    content = {"Code": code, "Message": message, **(fields or {}), "RequestId": request_id(), "HostId": "emulator"}
    return _XML + f"<Error>{_elements(content)}</Error>".encode()


def http_date(time: datetime) -> str:
    """Return a time (UTC) as headers write it."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT")


def xml_date(time: datetime) -> str:
    """Return a time (UTC, whole seconds) as S3's XML documents write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def request_id() -> str:
    """Return a new request id in S3's format."""
    return uuid4().hex[:16].upper()


def _elements(content: Mapping[str, Any]) -> str:
    return "".join(_element(name, value) for name, value in content.items())


def _element(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return f"<{name}>{_elements(value)}</{name}>"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(_element(name, each) for each in value)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{value if isinstance(value, Xml) else escape(text, _REFERENCES)}</{name}>"


def error_answer(call: Call, status: int, code: str, message: str) -> Answer:
    """Return an error in the format that clients of the called service parse."""
    model = service_model(call.service)
    protocol = model.resolved_protocol if model else "rest-xml"
    if protocol == "rest-xml":
        return Answer(status, dict(XML_TYPE), error_xml(code, message))
    if protocol in ("query", "ec2"):
        error = {"Type": "Sender" if status < 500 else "Receiver", "Code": code, "Message": message}
        content = _elements({"Error": error, "RequestId": request_id()})
        return Answer(status, {"Content-Type": "text/xml"}, f"<ErrorResponse>{content}</ErrorResponse>".encode())
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-errortype": code}
    if call.service == "sqs":
        headers["x-amzn-query-error"] = f"{code};{'Sender' if status < 500 else 'Receiver'}"
    return Answer(status, headers, json.dumps({"__type": code, "message": message, "Message": message}).encode())
