"""Text in HTTP headers, byte for byte: as S3 sent it, so it is sent again.

Header values are bytes. http.client reads them as ISO-8859-1 and botocore writes UTF-8, which makes four bytes of "Ä".
S3 itself returns what it was sent, which is UTF-8 from all SDKs, and ISO-8859-1 from browser forms. What is UTF-8 is
read as such; anything else is marked, so that S3 copies it itself and nobody sends it.
"""

import re
from collections.abc import MutableMapping
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Any

EVENT = "before-parse.*.*"
_UNSENDABLE = re.compile(r"\ufffd|[^\S \t]")
_ENCODED_WORD = re.compile(r"=\?[^? ]+\?[bq]\?[^? ]*\?=", re.IGNORECASE)
_PRINTABLE = re.compile(rb"[\t\x20-\x7e]*")


def decode(response_dict: dict[str, Any], **_: object) -> None:
    """Read header values as UTF-8, other bytes as U+FFFD; a handler of botocore's `before-parse` event."""
    headers: MutableMapping[str, str] = response_dict["headers"]
    for name, value in list(headers.items()):
        if not value.isascii():
            with suppress(UnicodeEncodeError):
                headers[name] = value.encode("latin-1").decode("utf-8", "replace")


def is_sendable(text: str) -> bool:
    """Return whether botocore can send a header that arrives as it came.

    Not what is no UTF-8. Nor Unicode's other blanks: botocore signs them as one space, which S3 does not.
    """
    return not _UNSENDABLE.search(text)


def is_sendable_metadata(name: str, value: str) -> bool:
    """Return whether a user metadata entry arrives as it came; botocore takes ASCII only.

    S3 returns text outside ASCII in the form of RFC 2047, and decodes that form when it stores an entry (user guide,
    "Working with object metadata"). An entry that only looks encoded would be changed by that.
    """
    if not (name + value).isascii():
        return False
    return not _ENCODED_WORD.search(value) or not _is_plain(value)


def _is_plain(value: str) -> bool:
    try:
        words = decode_header(value)
    except HeaderParseError:
        return False  # S3 decodes it to characters that are not plain
    return all(_PRINTABLE.fullmatch(word if isinstance(word, bytes) else word.encode()) for word, _ in words)
