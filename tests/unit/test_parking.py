"""When a change leaves its queue, when it comes back, and in which partition of the index it is kept."""

import random
from collections import Counter
from collections.abc import Callable
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replicator.core.outcomes.parking import (
    EQUAL,
    FIRST_WAIT_MS,
    LONGEST_WAIT_MS,
    PARTITIONS,
    SHORT_RECEIVES,
    is_parked_now,
    partition_of,
    wait_ms,
)

NAMES: dict[str, Callable[[int], str]] = {
    "numbered keys": lambda number: f"east/photos/{number}.jpg west#v{number}",
    "versions of one key": lambda number: f"east/photos/1.jpg west#{number:032x}",
    "keys by date": lambda number: (
        f"east/logs/2026/11/{number % 30:02}/{number:06}.gz west#3sL4kqtJlcpXroDTDmJ{number}"
    ),
    "random keys": lambda number: f"east/{random.Random(number).getrandbits(128):032x} west#v",  # noqa: S311 - no secret
}


def test_trouble_is_left_to_the_queue_for_a_few_receives_unless_the_change_was_parked_before() -> None:
    assert [is_parked_now(receives, 0) for receives in (1, SHORT_RECEIVES - 1, SHORT_RECEIVES)] == [False, False, True]
    assert is_parked_now(1, 1)


def test_waits_double_from_a_minute_to_a_quarter_of_an_hour() -> None:
    assert [wait_ms(parked, 0.999999) // 60_000 for parked in (0, 1, 2, 3, 4, 1000)] == [1, 2, 4, 8, 15, 15]
    assert [wait_ms(parked, 0.0) for parked in (0, 1, 1000)] == [FIRST_WAIT_MS / 2, FIRST_WAIT_MS, LONGEST_WAIT_MS / 2]


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_shorter_than_the_one_before(parked: int, jitter: float) -> None:
    assert wait_ms(parked, jitter) <= wait_ms(parked + 1, jitter) <= LONGEST_WAIT_MS


def test_shares_add_up_to_one_and_the_smallest_partitions_come_first() -> None:
    shares = [partition.share for partition in PARTITIONS]
    assert sum(shares) == 1
    assert shares == sorted(shares)
    assert max(shares) == 1 / EQUAL
    assert len({partition.name for partition in PARTITIONS}) == len(PARTITIONS)


def test_each_partition_is_at_most_as_large_as_all_before_it_until_partitions_are_equal() -> None:
    """So that a count stops no earlier than with half of what it may read."""
    before = PARTITIONS[0].share
    for partition in PARTITIONS[1:]:
        assert partition.share <= before
        before += partition.share


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_the_hash_fills_each_partition_by_its_share(name: Callable[[int], str]) -> None:
    number = 100_000
    found = Counter(partition_of(name(each)) for each in range(number))
    assert found.keys() <= {partition.name for partition in PARTITIONS}
    for partition in PARTITIONS:
        mean = number * partition.share
        assert abs(found[partition.name] - mean) <= 5 * sqrt(mean) + 3, partition
