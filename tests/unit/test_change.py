"""The order of a key's events, and the item by which the journal knows a change."""

import pytest
from replicator.core.outcomes.notices import S3_OPERATIONS
from replicator.core.versions.change import (
    ASPECTS,
    Aspect,
    Change,
    ChangeKind,
    LaterItem,
    comes_after,
    later_aspect_of,
    later_item,
    order_of,
    version_of,
)

from tests.unit.values import EAST, KEY, NOON, created, deleted

SEQUENCERS: dict[str, tuple[str, str, bool]] = {
    "a greater sequencer comes after a smaller one": ("0B", "0A", True),
    "a smaller one does not come after a greater one": ("0A", "0B", False),
    "a sequencer does not come after itself": ("0A", "0A", False),
    "the order of unequal lengths is unknown, though one begins with the other": ("0A1", "0A", False),
    "it is unknown though zeros on its right make the shorter one greater": ("1", "0FFF", False),
    "it is unknown though zeros on its left make the shorter one smaller": ("0FFF", "1", False),
    "it is unknown though only zeros at the end differ": ("0A00", "0A", False),
    "the case of a digit makes no difference": ("0a", "0A", False),
    "an event without a sequencer comes after none": ("", "0A", False),
    "no event comes after one without a sequencer": ("0A", "", False),
}


@pytest.mark.parametrize(("one", "other", "after"), SEQUENCERS.values(), ids=SEQUENCERS)
def test_sequencers_order_the_events_of_a_key(one: str, other: str, after: bool) -> None:
    assert comes_after(one, other) is after


def test_changes_are_sorted_by_their_sequencers_where_these_can_be_compared() -> None:
    """One of another length in between must not hide the order of its neighbours."""
    sequencers = ["0C", "0000B", "0A", "", "0000A", "0b"]
    ordered = [change.sequencer for change in sorted((created("v", each) for each in sequencers), key=order_of)]
    assert ordered == ["", "0A", "0b", "0C", "0000A", "0000B"]


def test_an_item_is_named_by_its_version_id_and_that_of_a_null_version_by_its_time_too() -> None:
    """The next null version has the same id as the one before."""
    assert created("v1").item_id == "v1"
    assert created("null").item_id == f"null@{NOON}000"
    assert created("null").item_id != created("null", at=NOON + 1).item_id


def test_every_kind_of_change_that_is_known_concerns_an_aspect_and_every_aspect_has_a_kind() -> None:
    assert set(ASPECTS) == set(ChangeKind) - {ChangeKind.UNKNOWN}
    assert set(ASPECTS.values()) == set(Aspect)


def test_every_aspect_has_an_s3_operation_for_its_events() -> None:
    assert set(ASPECTS.values()) == set(S3_OPERATIONS)


def test_later_changes_of_one_version_have_items_of_their_own_in_the_journal() -> None:
    """The entry of a version whose tags wait must not be closed by the copy of its content, nor the other way round."""
    kinds = (ChangeKind.CREATED, ChangeKind.TAGS, ChangeKind.ACL, ChangeKind.RETENTION, ChangeKind.ANNOTATIONS)
    items = {kind: Change(kind, EAST, KEY, "v1").item_id for kind in kinds}
    assert len(set(items.values())) == len(kinds)
    assert deleted("v1").item_id == items[ChangeKind.CREATED] == "v1"


def test_an_item_id_says_its_version_and_which_aspect_of_it_was_changed_later() -> None:
    for kind, aspect in ASPECTS.items():
        for version_id in ("v1", "null"):
            item_id = Change(kind, EAST, KEY, version_id, time=NOON).item_id
            later = None if aspect in (Aspect.CONTENT, Aspect.MARKER) else aspect
            assert (version_of(item_id), later_aspect_of(item_id)) == (version_id, later), f"{kind} of {version_id}"


@pytest.mark.parametrize("version_id", ["v1", "null", ""], ids=["a version", "a null version", "no version"])
@pytest.mark.parametrize("seen_at", ["", "west"], ids=["at the version", "at a replica"])
@pytest.mark.parametrize("name", ["ObjectAnnotation:Put", "ObjectAnnotation:Delete"])
def test_an_item_id_says_all_that_tells_one_later_change_from_another(version_id: str, seen_at: str, name: str) -> None:
    change = Change(ChangeKind.ANNOTATIONS, EAST, KEY, version_id, time=NOON, name=name, seen_at=seen_at)
    expected = LaterItem(version_id, Aspect.ANNOTATIONS, NOON, seen_at, is_deletion=name.endswith("Delete"))
    assert later_item(change.item_id) == expected


def test_the_item_id_of_an_entry_says_nothing_of_later_changes() -> None:
    assert [later_item(Change(ChangeKind.CREATED, EAST, KEY, each, NOON).item_id) for each in ("v1", "null")] == [
        None,
        None,
    ]
