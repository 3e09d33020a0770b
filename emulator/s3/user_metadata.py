"""User metadata: any text, though a header has only bytes.

S3 reads a value as ISO-8859-1 and decodes RFC 2047 before it stores it; what is not printable ASCII it encodes again
when it returns it, in Q unless most of it is not ASCII. On AWS, text that turns out to be ASCII is returned as it is.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
"""

from __future__ import annotations

import base64
import binascii
import re

_WORD = re.compile(r"=\?[^? ]+\?([bBqQ])\?([^? ]*)\?=")
_BETWEEN = re.compile(r"(?<=\?=)[ \t]+(?==\?)")
_ESCAPED = re.compile(rb"=([0-9A-Fa-f]{2})")
_ENCODED_IN_Q = b"=_?"


def stored(header: str) -> str:
    """Return the text that a header's value stands for. `header`: its bytes as ISO-8859-1, as WSGI has them."""
    return _WORD.sub(_decoded, _BETWEEN.sub("", header))


def returned(text: str) -> str:
    """Return a text as a header's value."""
    plain = sum(_is_plain(character) for character in text)
    if plain == len(text):
        return text
    if plain > len(text) - plain:
        return f"=?UTF-8?Q?{_in_q(text)}?="
    return f"=?UTF-8?B?{base64.b64encode(text.encode()).decode()}?="


def _decoded(word: re.Match[str]) -> str:
    if word[1] in "qQ":
        data = _ESCAPED.sub(lambda each: bytes([int(each[1], 16)]), word[2].replace("_", " ").encode())
        return data.decode("utf-8", "replace")
    try:
        return base64.b64decode(word[2] + "==").decode("utf-8", "replace")
    except binascii.Error:
        return "\ufffd"


def _is_plain(character: str) -> bool:
    return " " <= character <= "~" or character == "\t"


def _in_q(text: str) -> str:
    return "".join(
        "_" if byte == 0x20 else chr(byte) if 0x20 < byte < 0x7F and byte not in _ENCODED_IN_Q else f"={byte:02X}"
        for byte in text.encode()
    )
