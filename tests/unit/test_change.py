"""Which of two events of a key came first, and how a change is named."""

import pytest
from replicator.core.outcomes.notices import S3_OPERATIONS
from replicator.core.versions.change import (
    ASPECTS,
    REPLICATED,
    Aspect,
    Change,
    ChangeKind,
    comes_after,
    later_aspect_of,
    version_of,
)

from tests.unit.values import EAST, KEY, NOON, created, deleted

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


def test_every_event_that_is_known_concerns_one_aspect_and_every_aspect_has_its_events() -> None:
    assert set(ASPECTS) == set(ChangeKind) - {ChangeKind.UNKNOWN}
    assert set(ASPECTS.values()) == set(Aspect)


def test_every_aspect_that_is_replicated_has_s3s_word_for_its_operation() -> None:
    assert {ASPECTS[kind] for kind in REPLICATED} == set(S3_OPERATIONS)


def test_later_changes_of_one_version_have_items_of_their_own_in_the_journal() -> None:
    """What waits for a version's tags must not be closed by the copy of its content, and the other way round."""
    kinds = (ChangeKind.CREATED, ChangeKind.TAGS, ChangeKind.ACL, ChangeKind.RETENTION, ChangeKind.ANNOTATIONS)
    items = {kind: Change(kind, EAST, KEY, "v1").item_id for kind in kinds}
    assert len(set(items.values())) == len(kinds)
    assert deleted("v1").item_id == items[ChangeKind.CREATED] == "v1"


@pytest.mark.parametrize("version_id", ["v1", "null"])
@pytest.mark.parametrize("kind", list(ASPECTS))
def test_an_item_names_its_version_and_what_was_changed_of_it_later(kind: ChangeKind, version_id: str) -> None:
    item_id = Change(kind, EAST, KEY, version_id, time=NOON).item_id
    later = ASPECTS[kind] if ASPECTS[kind] not in (Aspect.CONTENT, Aspect.MARKER) else None
    assert (version_of(item_id), later_aspect_of(item_id)) == (version_id, later)
