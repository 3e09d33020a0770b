"""Which of two events of a key came first, and how a change is named."""

import pytest
from replicator.core.versions.change import comes_after

from tests.unit.values import NOON, created

ROWS = [
    (1, "later in the alphabet is later", "0B", "0A", True),
    (2, "earlier is not", "0A", "0B", False),
    (3, "the same is not after itself", "0A", "0A", False),
    (4, "the shorter one is filled with zeros on its right", "0A1", "0A", True),
    (5, "so a shorter one may be later", "1", "0FFF", True),
    (6, "zeros at the end do not count", "0A00", "0A", False),
    (7, "nor does the case of a digit", "0a", "0A", False),
    (8, "without a sequencer nothing is known", "", "0A", False),
    (9, "of neither side", "0A", "", False),
]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_sequencers_order_the_events_of_a_key(row: tuple[int, str, str, str, bool]) -> None:
    *_, one, other, after = row
    assert comes_after(one, other) is after


def test_a_version_is_named_by_its_id_and_a_null_version_by_its_time_too() -> None:
    """The next null version takes over the id of the one before."""
    assert created("v1").item_id == "v1"
    assert created("null").item_id == f"null@{NOON}000"
    assert created("null").item_id != created("null", at=NOON + 1).item_id
