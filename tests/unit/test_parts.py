"""Cutting objects into parts within S3's limits, for every size and every number of parts."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replicator.core.parts.parts import (
    GIB,
    LARGEST_OBJECT,
    LARGEST_PART,
    MIB,
    MOST_PARTS,
    SMALLEST_PART,
    Cut,
    cut_by,
    cut_evenly,
)

SIZES = st.one_of(
    st.integers(1, LARGEST_OBJECT),
    st.integers(1, 100 * MIB),
    st.sampled_from([unit * count + off for unit in (SMALLEST_PART, LARGEST_PART) for count in (1, 2, 9_999, 10_000)
                     for off in (-1, 0, 1)]).filter(lambda size: size <= LARGEST_OBJECT),
)  # fmt: skip
COUNTS = st.one_of(st.integers(1, MOST_PARTS), st.sampled_from([1, 2, 9_999, 10_000]))


@given(SIZES, COUNTS)
def test_an_even_cut_is_allowed_and_covers_every_byte_once(size: int, count: int) -> None:
    cut = cut_evenly(size, count)
    assert cut.is_allowed
    assert cut.size == size
    assert cut.count <= max(count, -(-size // LARGEST_PART))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(1, 9_000), st.integers(0, 10**12))
def test_the_ranges_of_a_cut_follow_each_other_without_gaps(sizes: list[int], number: int, offset: int) -> None:
    ranges = list(Cut.of(sizes).ranges(number, offset))
    assert [part.number for part in ranges] == list(range(number, number + len(sizes)))
    assert [part.size for part in ranges] == sizes
    assert ranges[0].first == offset
    assert all(one.last + 1 == other.first for one, other in pairwise(ranges))


@given(st.lists(st.integers(1, LARGEST_PART), min_size=1, max_size=40))
def test_a_cut_is_parsed_as_it_was_written(sizes: list[int]) -> None:
    cut = Cut.of(sizes)
    assert Cut.parse(str(cut)) == cut
    assert (cut.count, cut.size, cut.largest) == (len(sizes), sum(sizes), max(sizes))


def test_an_even_cut_has_as_many_parts_as_asked_for_or_as_s3_requires() -> None:
    counts = {  # (size, parts asked for): parts
        (1, 1): 1,
        (5 * MIB, 10_000): 1,
        (5 * MIB + 1, 10_000): 2,
        (10 * GIB, 1): 2,
        (10 * GIB + 1, 2): 3,
        (100 * GIB, 9_999): 9_310,
        (9_999 * LARGEST_PART, 1): 9_999,
        (9_999 * LARGEST_PART + 1, 1): 10_000,
        (LARGEST_OBJECT, 1): 10_000,
        (LARGEST_OBJECT, 10_000): 10_000,
    }
    assert {given: cut_evenly(*given).count for given in counts} == counts


def test_a_size_that_no_object_with_parts_can_have_is_refused() -> None:
    for size in (0, -1, LARGEST_OBJECT + 1):
        with pytest.raises(ValueError, match="no object of"):
            cut_evenly(size, 1)


CUTS: dict[str, tuple[tuple[int, ...], bool]] = {
    "no parts": ((), False),
    "a single part of one byte": ((1,), True),
    "a single part of 5 GiB": ((LARGEST_PART,), True),
    "a single part of more than 5 GiB": ((LARGEST_PART + 1,), False),
    "a last part of one byte": ((SMALLEST_PART, 1), True),
    "a first part of less than 5 MiB": ((SMALLEST_PART - 1, 1), False),
    "two parts of less than 5 MiB": ((SMALLEST_PART - 1, SMALLEST_PART - 1), False),
    "two parts of 5 MiB": ((SMALLEST_PART, SMALLEST_PART), True),
    "10,000 parts": ((SMALLEST_PART,) * 10_000, True),
    "10,001 parts": ((SMALLEST_PART,) * 10_001, False),
}


@pytest.mark.parametrize(("sizes", "allowed"), CUTS.values(), ids=CUTS)
def test_a_cut_is_allowed_within_s3s_limits(sizes: tuple[int, ...], allowed: bool) -> None:
    assert Cut.of(sizes).is_allowed is allowed


def test_a_cut_by_a_part_size_has_a_smaller_last_part_only_if_bytes_are_left() -> None:
    assert str(cut_by(10 * MIB, 5 * MIB)) == f"2x{5 * MIB}"
    assert str(cut_by(10 * MIB + 3, 5 * MIB)) == f"2x{5 * MIB},1x3"
