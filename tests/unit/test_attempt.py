"""An attempt: what its delivery says of earlier ones, and what it is about in the journal and by its event."""

from typing import Any

import pytest
from replicator.core.deciding.attempt import Delivery
from replicator.core.deciding.journal import Pair
from replicator.core.versions.origin import Origin

from tests.unit.values import EAST, KEY, NOON, WEST, attempt, created

DELIVERIES: dict[str, tuple[dict[str, Any], bool, bool]] = {
    # fields, whether it came back, whether work may have been done before
    "the first delivery of a message": ({}, False, False),
    "the second delivery of a message": ({"receive_count": 2}, True, True),
    "a redriven message": ({"redriven": True}, True, True),
    "the first delivery of a part message": ({"from_part_queue": True}, False, True),
    "the second delivery of a part message": ({"receive_count": 2, "from_part_queue": True}, True, True),
}


@pytest.mark.parametrize(("fields", "came_back", "repeated"), DELIVERIES.values(), ids=DELIVERIES)
def test_a_delivery_says_whether_something_may_have_been_done_before(
    fields: dict[str, Any], came_back: bool, repeated: bool
) -> None:
    delivery = Delivery(**fields)
    assert (delivery.came_back, delivery.repeated) == (came_back, repeated)


def test_an_attempt_is_about_the_journals_entry_of_its_key_at_its_destination() -> None:
    assert attempt().pair == Pair(EAST, WEST, KEY)


def test_the_origin_of_an_attempt_is_the_version_with_the_seconds_of_its_event() -> None:
    assert attempt(created("v1", at=NOON)).origin == Origin(EAST, "v1", NOON)
