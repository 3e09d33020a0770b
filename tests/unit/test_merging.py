"""Sorted listings of several buckets -> one row per key; what is out of order is trouble, never a difference."""

from collections.abc import Sequence

import pytest
from replicator.core.verifying.listed import Listed
from replicator.core.verifying.merging import Row, Unsorted, grouped, merged

from tests.unit.listings import listed


def rows(source: Sequence[Listed], **destinations: Sequence[Listed]) -> list[Row]:
    return list(
        merged(grouped("source", [source]), {name: grouped(name, [each]) for name, each in destinations.items()})
    )


def test_each_key_of_any_side_is_one_row_in_order() -> None:
    a, b, c, d = (listed(key) for key in "abcd")
    assert rows([a, c], west=[b, c], north=[d]) == [
        ("a", (a,), {}),
        ("b", (), {"west": (b,)}),
        ("c", (c,), {"west": (c,)}),
        ("d", (), {"north": (d,)}),
    ]


def test_the_entries_of_a_key_stay_together_across_pages() -> None:
    newest, older, oldest = listed("a", "v3"), listed("a", "v2", latest=False), listed("a", "v1", latest=False)
    pages = [[newest, older], [], [oldest, listed("b")]]
    assert [(key, len(entries)) for key, entries in grouped("source", pages)] == [("a", 3), ("b", 1)]


def test_empty_buckets_have_no_rows() -> None:
    assert rows([], west=[]) == []


@pytest.mark.parametrize(
    "entries",
    {
        "keys out of order": [listed("b"), listed("a")],
        "a key that comes again": [listed("a"), listed("b"), listed("a")],
        "two current entries": [listed("a", "v2"), listed("a", "v1")],
        "no current entry": [listed("a", latest=False)],
    }.values(),
    ids=["keys out of order", "a key that comes again", "two current entries", "no current entry"],
)
def test_a_listing_out_of_order_proves_nothing(entries: Sequence[Listed]) -> None:
    with pytest.raises(Unsorted) as raised:
        rows([listed("a"), listed("b")], west=entries)
    assert raised.value.side == "west"
