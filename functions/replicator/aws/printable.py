"""Texts for the log, on one line each: whoever writes keys, metadata or rules must not write lines of it.

Separate from log.py because modules that log through Python's own `logging` need it, and not Powertools.
"""

import json
from typing import Any


def printable(text: str) -> str:
    """Escape what does not print (`str.isprintable`), line breaks and lone surrogates among it, as Python writes it."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def json_line(document: Any) -> str:
    """Write a JSON document on one line; what does not print is escaped as JSON does."""
    text = json.dumps(document, default=str, separators=(",", ":"), ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)
