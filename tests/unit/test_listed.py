"""Spans of keys: what belongs to them, and what is listed of each prefix."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replicator.core.verifying.listed import Span, covering

KEYS = st.text("ab/z\u00e9\U0001f680", min_size=1, max_size=4)
SPANS = st.builds(Span, st.text("ab/z\u00e9", max_size=3), st.none() | st.text("ab/z\u00e9", max_size=3))


@pytest.mark.parametrize(
    ("key", "belongs"),
    {"a": False, "b": True, "ba": True, "c": True, "ca": False}.items(),
    ids=["its start", "after it", "below that", "its end", "after its end"],
)
def test_a_span_begins_after_its_start_and_ends_with_its_end(key: str, belongs: bool) -> None:
    assert (key in Span("a", "c")) is belongs


@given(KEYS, SPANS, KEYS)
def test_what_lies_under_a_prefix_of_a_span_is_in_the_part_that_is_listed(key: str, span: Span, prefix: str) -> None:
    part = span.under(prefix)
    assert (key in span and key.startswith(prefix)) == (part is not None and key in part)


def test_a_prefix_that_a_span_has_no_keys_of_is_not_listed() -> None:
    assert Span("b", "c").under("a") is None
    assert Span("b", "c").under("d") is None
    assert Span(prefix="logs/").under("data/") is None
    assert Span("logs/x").under("logs/") == Span("logs/x", None, "logs/")


def test_the_order_of_text_is_that_of_its_utf_8_bytes() -> None:
    keys = ["Z", "a", "\u00e9", "\uffee", "\U0001f680"]
    assert sorted(keys) == sorted(keys, key=str.encode) == keys


def test_prefixes_that_others_cover_are_not_listed_twice() -> None:
    assert list(covering(["logs/app/", "data/", "logs/", "logs/", "log"])) == ["data/", "log"]
    assert list(covering(["a", "", "b"])) == [""]
