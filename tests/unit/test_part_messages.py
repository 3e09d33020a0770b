"""Messages of parts: what is written is read again, and what nobody of ours wrote is refused with a reason."""

import json
from dataclasses import replace
from typing import Any

import pytest
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
def test_messages_hold_each_missing_part_once_and_survive_the_queue(
    sizes: list[int], per_message: int, there: set[int]
) -> None:
    cut = Cut.of(sizes)
    missing = [part for part in cut.ranges() if part.number not in there]
    written = list(messages(CHANGE, "west", upload(cut, per_message), missing))
    read = [decode(message.encode()) for message in written]
    assert read == written
    assert [part for message in written for part in message.ranges] == missing
    assert all(len(message.ranges) <= per_message for message in written)


def test_ten_thousand_uneven_parts_need_no_large_message() -> None:
    """SQS takes 1 MiB, and ten messages share a request of less than that."""
    cut = Cut.of([5 * MIB + number for number in range(10_000)])
    assert max(len(message.encode()) for message in sent(cut, 1000)) < 20_000


def test_a_version_that_is_put_back_goes_without_a_rule() -> None:
    [message] = sent(Cut(((2, 5 * MIB),)))
    assert decode(replace(message, rule_id="").encode()) == replace(message, rule_id="")


SPOILED: dict[str, dict[str, Any]] = {
    "no number": {"number": "first"},
    "number 0": {"number": 0},
    "a number beyond the last": {"number": 9},
    "an infinite number": {"number": float("inf")},
    "no number at all": {"number": float("nan")},
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


@pytest.mark.parametrize("spoiled", SPOILED)
def test_what_cannot_be_meant_is_refused_with_a_reason(spoiled: str) -> None:
    body = json.loads(sent(Cut(((9, 5 * MIB),)))[0].encode())
    assert isinstance(decode(json.dumps(body)), PartsMessage)
    body[MEMBER] |= SPOILED[spoiled]
    read = decode(json.dumps(body))
    assert isinstance(read, Unreadable)
    assert MEMBER in read.why


@pytest.mark.parametrize("name", ["destination", "rule", "upload", "bucket", "version", "etag", "parts", "number",
                                  "offset", "sizes", "account"])  # fmt: skip
def test_nothing_may_be_missing(name: str) -> None:
    body = json.loads(sent(Cut(((9, 5 * MIB),)))[0].encode())
    del body[MEMBER][name]
    assert isinstance(decode(json.dumps(body)), Unreadable)


@pytest.mark.parametrize("body", ["", "null", "[]", "{}", '{"Records": []}', "{" * 100_000, '{"Records": [{}]}'])
def test_any_text_is_read_without_a_crash(body: str) -> None:
    assert isinstance(decode(body), Unreadable)


@pytest.mark.parametrize("member", [None, [], "text", 7, {}])
def test_any_member_is(member: Any) -> None:
    body = json.loads(sent(Cut(((9, 5 * MIB),)))[0].encode())
    body[MEMBER] = member
    assert isinstance(decode(json.dumps(body)), Unreadable)
