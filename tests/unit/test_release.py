"""For how many parked changes a minute's orders send, from where, and what a message with an order may look like."""

import json
import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replicator.core.outcomes.parking import EQUAL, PARTITIONS
from replicator.core.outcomes.release import MOST_PER_ORDER, PROBED, SHARES, Order, Sample, decode, orders, probe

NOW = 1_700_000_000_000
NUMBERS = st.integers(1, 600_000)
ORDER = Order("west", NOW, ("r", "1"), 60, since=5, probe=True)


@given(NUMBERS)
def test_orders_send_for_the_number_and_at_most_one_more_each(number: int) -> None:
    given_out = orders("west", number, NOW)
    assert number <= sum(order.most for order in given_out) <= number + len(given_out)


@given(NUMBERS)
def test_each_partition_is_in_exactly_one_order(number: int) -> None:
    found = Counter(name for order in orders("west", number, NOW) for name in order.partitions)
    assert found == {partition.name: 1 for partition in PARTITIONS}


@given(NUMBERS)
def test_each_order_asks_for_the_share_of_its_partitions(number: int) -> None:
    """Else the keys of some partitions would wait longer than all others."""
    for order in orders("west", number, NOW):
        assert order.most == math.ceil(number * sum(SHARES[name] for name in order.partitions))


@given(st.integers(1, MOST_PER_ORDER * EQUAL))
def test_no_order_is_larger_than_one_function_can_carry_out(number: int) -> None:
    assert max(order.most for order in orders("west", number, NOW)) <= MOST_PER_ORDER


def test_as_few_orders_as_possible_are_given() -> None:
    numbers = (1, MOST_PER_ORDER, 2 * MOST_PER_ORDER, 60_000, 600_000)
    assert [len(orders("west", number, NOW)) for number in numbers] == [1, 1, 2, EQUAL, EQUAL]


def test_nothing_is_ordered_if_nothing_is_wanted() -> None:
    assert orders("west", 0, NOW) == []


@given(NUMBERS)
def test_an_order_reads_more_of_a_partition_than_its_share_and_never_more_than_it_may_send(number: int) -> None:
    for order in orders("west", number, NOW):
        read = [order.most_of(name) for name in order.partitions]
        assert max(read) <= order.most
        assert sum(read) >= order.most


def test_what_an_order_reads_holds_its_oldest_changes_even_if_a_hash_is_uneven() -> None:
    (order,) = orders("west", 60, NOW)
    mean = 60 / EQUAL
    assert order.most_of("1") >= mean + 4 * math.sqrt(mean)


def test_an_order_is_read_as_it_was_written() -> None:
    assert decode(ORDER.encode()) == ORDER


def test_partitions_that_are_unknown_are_left_out() -> None:
    """As after a deployment that divides otherwise."""
    changed = json.loads(ORDER.encode()) | {"partitions": ["r", "gone"]}
    assert decode(json.dumps(changed)).partitions == ("r",)


REFUSED: dict[str, Any] = {
    "no object": [],
    "nothing": None,
    "no destination": {key: value for key, value in json.loads(ORDER.encode()).items() if key != "destination"},
    "no partitions": {key: value for key, value in json.loads(ORDER.encode()).items() if key != "partitions"},
    "a number that is none": json.loads(ORDER.encode()) | {"most": "many"},
    "no time": json.loads(ORDER.encode()) | {"until": None},
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_what_is_no_order_is_refused(body: Any) -> None:
    with pytest.raises(ValueError, match=r"order|invalid literal"):
        decode(json.dumps(body))


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        decode("order")


def test_what_is_due_is_counted_in_the_sample_and_multiplied() -> None:
    sample = Sample(0.25, [(NOW - 1, "r"), (NOW, "r"), (NOW + 1, "a")])
    assert [sample.due_until(now) for now in (0, NOW - 1, NOW, NOW + 1)] == [0, 4, 8, 12]
    assert Sample(1.0, ()).due_until(NOW) == 0


def test_probes_are_the_oldest_changes_in_turn() -> None:
    sample = Sample(1.0, [(NOW + number, "r") for number in reversed(range(2 * PROBED))])
    tried = [probe("west", sample, minute)[0] for minute in range(2 * PROBED)]
    assert [order.since - NOW for order in tried] == [*range(PROBED), *range(PROBED)]
    assert {(order.most, order.probe, order.until - order.since) for order in tried} == {(1, True, 0)}
    assert probe("west", Sample(1.0, ()), 0) == []
