"""Numbers and texts as people read them."""

import json
import re

import pytest
from s3replicator.formatting import (
    NONE,
    count,
    duration,
    json_text,
    percent,
    plural,
    size,
    utc_iso,
    utc_minute,
    utc_second,
    visible,
)

NOW = 1_795_046_400  # 2026-11-19 00:00 UTC


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0421, "42 ms"), (1.234, "1.23 s"), (119, "119 s"), (900, "15 min"), (5400, "90 min"), (7200, "2 h")],
)
def test_durations_have_the_unit_of_their_size(number: float, text: str) -> None:
    assert duration(number) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, NONE), (1.0, "100 %"), (0.999, "99.9 %"), (0.99899, "99.899 %"), (0.9999999, "99.999 %"), (0.5, "50 %"),
     (0.0, "0 %")],
)  # fmt: skip
def test_a_share_is_never_rounded_up_to_all(share: float | None, text: str) -> None:
    assert percent(share) == text


def test_counts_sizes_and_curve_are_easy_to_read() -> None:
    assert count(1234567) == "1\u202f234\u202f567"
    assert [size(number) for number in (0, 999, 1500, 2.5e9, 3e15)] == ["0 B", "999 B", "1.5 kB", "2.5 GB", "3 PB"]
    assert utc_minute(NOW + 59) == "2026-11-19 00:00"
    assert utc_second(NOW + 59) == "2026-11-19 00:00:59"
    assert utc_iso(NOW + 59) == "2026-11-19T00:00:59+00:00"


def test_one_thing_is_no_plural() -> None:
    assert [plural(number, "failure") for number in (0, 1, 2)] == ["0 failures", "1 failure", "2 failures"]


HARMFUL = {
    "a colour": ("\x1b[31m", r"\x1b[31m"),
    "a line": ("a\r\nb", r"a\x0d\x0ab"),
    "a bell": ("\x07", r"\x07"),
    "an 8-bit control": ("\x9b", r"\x9b"),
    "a mark of direction": ("a\u202eb", r"a\u202eb"),
    "a line separator": ("\u2028", r"\u2028"),
    "a blank that is no space": ("a\u00a0b", r"a\xa0b"),
    "a lone surrogate": ("\udce9", r"\udce9"),
    "a tag of another plane": ("\U000e0001", r"\U000e0001"),
    "a backslash": (r"\x1b", r"\\x1b"),
}


@pytest.mark.parametrize(("text", "shown"), HARMFUL.values(), ids=HARMFUL)
def test_what_does_not_print_is_shown_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_what_prints_is_shown_as_it_is() -> None:
    assert visible("photos/猫 + ü/100% 😀.jpg") == "photos/猫 + ü/100% 😀.jpg"


def test_every_text_can_be_told_from_its_shown_form() -> None:
    every = "".join(map(chr, range(0x110000)))
    shown = visible(every)
    assert shown.isprintable()
    assert re.sub(r"\\(?:(\\)|x(..)|u(....)|U(........))", unescaped, shown) == every


def unescaped(found: re.Match[str]) -> str:
    return found[1] or chr(int(next(filter(None, found.groups())), 16))


@pytest.mark.parametrize("text", [text for text, _ in HARMFUL.values()], ids=HARMFUL)
def test_json_escapes_what_does_not_print_and_keeps_every_value(text: str) -> None:
    document = {text: [text, "猫 ü"]}
    written = json_text(document)
    assert written.replace("\n", "").isprintable()
    assert "猫 ü" in written
    assert json.loads(written) == document
    assert json_text(document, ascii_only=True).isascii()
    assert json.loads(json_text(document, ascii_only=True)) == document
