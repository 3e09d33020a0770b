"""Part messages: they are read as they were written, and any other message is refused with a reason."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from replicator.core.parts.parts import MIB, Cut
from replicator.core.parts.uploads import MEMBER, CopySource, PartsMessage, Upload, decode, messages
from replicator.core.versions.events import Unreadable

from tests.unit.values import created

CHANGE = replace(created("v1", "0A"), name="ObjectCreated:Put")
SOURCE = CopySource("east", CHANGE.key, "v1", '"etag-9"')


def upload(cut: Cut, per_message: int = 2) -> Upload:
    return Upload("id", SOURCE, "", cut, per_message, CHANGE.item_id, "rule", 0, 0)


def sent(cut: Cut, per_message: int = 2) -> list[PartsMessage]:
    return list(messages(CHANGE, "west", upload(cut, per_message), cut.ranges()))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(1, 20), st.sets(st.integers(1, 60)))
def test_messages_have_each_missing_part_once_and_are_read_as_they_were_written(
    sizes: list[int], per_message: int, there: set[int]
) -> None:
    cut = Cut.of(sizes)
    missing = [part for part in cut.ranges() if part.number not in there]
    written = list(messages(CHANGE, "west", upload(cut, per_message), missing))
    read = [decode(message.encode()) for message in written]
    assert read == written
    assert [part for message in written for part in message.ranges] == missing
    assert all(len(message.ranges) <= per_message for message in written)


def test_messages_stay_small_for_ten_thousand_parts_of_different_sizes() -> None:
    """SQS takes 1 MiB, and ten messages share a request of less than that."""
    cut = Cut.of([5 * MIB + number for number in range(10_000)])
    assert max(len(message.encode()) for message in sent(cut, 1000)) < 20_000


def test_a_message_for_a_version_that_is_put_back_has_no_rule() -> None:
    [message] = sent(Cut(((2, 5 * MIB),)))
    assert decode(replace(message, rule_id="").encode()) == replace(message, rule_id="")


IMPOSSIBLE: dict[str, dict[str, Any]] = {
    "a number in words": {"number": "first"},
    "number 0": {"number": 0},
    "a number beyond the last": {"number": 9},
    "an infinite number": {"number": float("inf")},
    "a number that is none": {"number": float("nan")},
    "an infinite offset": {"offset": float("-inf")},
    "a negative offset": {"offset": -1},
    "too many parts": {"parts": 10_001},
    "infinitely many parts": {"parts": float("inf")},
    "no parts": {"sizes": ""},
    "parts without bytes": {"sizes": "2x0"},
    "a part of more than 5 GiB": {"sizes": f"2x{5 * 1024**3 + 1}"},
    "more parts than memory": {"sizes": "99999999999999x5242880"},
    "minus one part": {"sizes": "-1x5242880,3x5242880"},
    "sizes that are no text": {"sizes": [5242880]},
    "no upload": {"upload": ""},
    "an upload that is no text": {"upload": None},
    "a bucket that is a number": {"bucket": 7},
    "no etag": {"etag": ""},
}


def message() -> dict[str, Any]:
    """Return a part message as JSON, with nine parts of 5 MiB."""
    [encoded, *_] = sent(Cut(((9, 5 * MIB),)))
    decoded: dict[str, Any] = json.loads(encoded.encode())
    return decoded


def read(parts: Any) -> PartsMessage | Unreadable:
    """Return what is read from a message that says this of its parts."""
    return decode(json.dumps({**message(), MEMBER: parts}))


def test_a_message_with_an_impossible_value_is_refused_with_a_reason() -> None:
    parts = message()[MEMBER]
    assert isinstance(read(parts), PartsMessage)
    for what, values in IMPOSSIBLE.items():
        refused = read(parts | values)
        assert isinstance(refused, Unreadable), what
        assert MEMBER in refused.why, what


def test_a_message_without_one_of_its_values_is_refused() -> None:
    parts = message()[MEMBER]
    assert parts.keys() == {"destination", "rule", "upload", "bucket", "version", "etag", "parts", "number", "offset",
                            "sizes", "account"}  # fmt: skip
    for missing in parts:
        rest = {name: value for name, value in parts.items() if name != missing}
        assert isinstance(read(rest), Unreadable), missing


def test_a_body_that_is_no_part_message_is_unreadable() -> None:
    for body in ("", "null", "[]", "{}", '{"Records": []}', "{" * 100_000, '{"Records": [{}]}'):
        assert isinstance(decode(body), Unreadable), body[:20]


def test_a_message_that_says_nothing_of_its_parts_is_unreadable() -> None:
    others: list[Any] = [None, [], "text", 7, {}]
    for parts in others:
        assert isinstance(read(parts), Unreadable), parts
