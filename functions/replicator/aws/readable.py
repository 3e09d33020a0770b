"""Answers made readable before botocore parses them: characters that XML 1.0 does not have, and what is no XML at all.

S3 repeats an object's key in many answers and in most errors, as character references. XML 1.0 allows no reference to
a control character, so that no parser takes the answer, whatever else is in it (botocore issues 3047 and 3496). Nothing
that the functions read is replaced: listings ask for URL-encoded keys.
"""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from replicator.aws.asking import Unreadable

EVENT = "before-parse.*.*"
"""botocore calls handlers of such an event before those of `before-parse.s3.*`, where it looks for errors itself."""
REPLACEMENT = "\ufffd"
ALLOWED = "\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff"
"""The characters of XML 1.0 (W3C recommendation, production 2)."""
_SUSPICIOUS = re.compile(f"&#(?:x([0-9a-fA-F]+)|([0-9]+));|[^{ALLOWED}]")
_ALLOWED = re.compile(f"[{ALLOWED}]")
_PLAIN = bytes((9, 10, 13, *range(32, 127)))
"""What nearly all answers consist of, so that nothing in them needs to be looked for."""


def make_readable(response_dict: dict[str, Any], operation_model: Any, **_: object) -> None:
    """Replace what a parser refuses; a handler of botocore's `before-parse` event.

    Raises Unreadable for a success that is no XML: botocore would take it for a status 500, and wait for it to pass.
    """
    body = response_dict["body"]
    if not body or not isinstance(body, bytes) or not _is_xml(operation_model):
        return
    if b"&#" in body or body.translate(None, _PLAIN):
        response_dict["body"] = _SUSPICIOUS.sub(_replaced, body.decode("utf-8", "replace")).encode()
    if response_dict["status_code"] == 200:
        _check(response_dict)


def _is_xml(operation_model: Any) -> bool:
    """Return whether the answer is a document; of some operations it is the object's bytes, or a policy's text."""
    shape = operation_model.output_shape
    payload = shape.serialization.get("payload") if shape else None
    return payload is None or shape.members[payload].type_name not in ("blob", "string")


def _check(response_dict: Mapping[str, Any]) -> None:
    try:
        ET.fromstring(response_dict["body"])  # noqa: S314 - S3's own answer, which botocore parses, too
    except ET.ParseError:
        raise Unreadable("no XML") from None


def _replaced(found: re.Match[str]) -> str:
    hexadecimal, decimal = found.groups()
    if hexadecimal is None and decimal is None:
        return REPLACEMENT
    number = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return found[0] if number <= 0x10FFFF and _ALLOWED.match(chr(number)) else REPLACEMENT
