"""Numbers and texts as people read them: durations, sizes, shares, counts, times, and keys with any character.

Alike in tables, charts and lines. Here is also what makes a text safe to print: whoever writes objects, tags or rules
must not write to the terminal of whoever looks at them.
"""

import json
from datetime import UTC, datetime
from typing import Any

NONE = "\u2013"
"""Stands where there is no number."""


def duration(seconds: float) -> str:
    """Write a duration in the unit that fits its length."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def percent(share: float | None) -> str:
    """Write a share so that 99.9 % and slightly less differ. It is never rounded up to 100 %."""
    if share is None:
        return NONE
    if share == 1:
        return "100 %"
    shown = f"{share * 100:.3f}".rstrip("0").rstrip(".")
    return f"{min(float(shown), 99.999):g} %"


def count(number: int) -> str:
    """Write a count with its thousands apart."""
    return f"{number:,}".replace(",", "\u202f")


def plural(number: int, noun: str) -> str:
    """Write a number with a noun: 1 object, 2 objects."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size(number: float) -> str:
    """Write bytes in powers of 1000, as AWS bills them."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.4g} PB"


def utc_minute(seconds: int) -> str:
    """Write a time in UTC, to the minute. `seconds`: since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def utc_second(seconds: int) -> str:
    """Write a time in UTC, to the second. `seconds`: since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def utc_iso(seconds: int) -> str:
    """Write a time for machines, as ISO 8601 with the offset +00:00. `seconds`: since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def visible(text: str) -> str:
    r"""Write a text on one line, with nothing in it that a terminal would obey.

    What does not print (`str.isprintable`: controls, line breaks, marks of direction, lone surrogates, all blanks but
    the space) becomes \x1b, \u202e or \U000e0001, and a backslash becomes two: different texts stay different.
    """
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character == "\\":
        return "\\\\"
    return character if character.isprintable() else escaped(character)


def escaped(character: str) -> str:
    """Return the escape of one character, as Python writes it."""
    number = ord(character)
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def json_text(document: Any, *, ascii_only: bool = False) -> str:
    """Write a JSON document of several lines. What does not print is escaped as JSON does, so the values are exact."""
    return printable_json(json.dumps(document, indent=2, ensure_ascii=ascii_only, default=str))


def printable_json(text: str) -> str:
    """Escape what does not print in a JSON text, apart from line feeds. Outside of strings there is nothing like it."""
    return "".join(each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text)
