"""Ages and counts of what waits."""

from dataclasses import replace
from typing import Any

import pytest
from replicator.core.outcomes.outcome import Reason
from replicator.core.outcomes.threshold import DAY_MS, MINUTE_MS, Age, Count, Depth, Pending, Tally, ages_of, unseen

NOON = 1_700_000_000_000
QUARTER = 15 * MINUTE_MS


def pending(minutes: float = 0, *, threshold: float = 15, **fields: Any) -> Pending:
    first_seen, threshold_ms = NOON - round(minutes * MINUTE_MS), round(threshold * MINUTE_MS)
    plain = Pending("east", "k", "v1", "west", "all", 7, first_seen, threshold_ms)
    return replace(plain, **fields)


@pytest.mark.parametrize(
    ("minutes", "threshold", "ages"),
    [(0, 15, {Age.UNDER_5}), (4.99, 15, {Age.UNDER_5}), (5, 15, {Age.UNDER_10}), (10, 15, {Age.UNDER_15}),
     (14.99, 15, {Age.UNDER_15}), (15, 15, {Age.LATE}), (24 * 60, 15, {Age.LATE, Age.OVER_DAY}),
     (0.5, 0.5, {Age.LATE}), (0.4, 0.5, {Age.UNDER_5}), (20, 60, {Age.LATER}),
     (25 * 60, 48 * 60, {Age.LATER, Age.OVER_DAY})],
)  # fmt: skip
def test_an_age_is_in_minutes_until_the_threshold_passes(minutes: float, threshold: float, ages: set[Age]) -> None:
    assert set(ages_of(pending(minutes, threshold=threshold), NOON)) == ages


def test_what_lies_ahead_of_our_clock_is_young() -> None:
    assert ages_of(pending(-3), NOON) == (Age.UNDER_5,)


@pytest.mark.parametrize(
    ("fields", "told"),
    [({}, True), ({"reported": True, "counted_against": True, "claimed": NOON - DAY_MS}, False),
     ({"counted_against": True}, False),
     ({"counted_against": True, "claimed": NOON - 1000}, False),
     ({"counted_against": True, "claimed": NOON - 61_000}, True)],
    ids=["nobody told", "told", "failed before", "somebody is at it", "somebody died at it"],
)  # fmt: skip
def test_a_late_version_must_be_told_of_until_somebody_did(fields: dict[str, Any], told: bool) -> None:
    assert pending(16, **fields).must_be_reported(NOON, 60_000) is told


def test_before_its_threshold_nothing_is_told() -> None:
    assert not pending(14).must_be_reported(NOON, 60_000)


def test_partitions_that_were_counted_apart_add_up() -> None:
    whole, parts = Tally(NOON), [Tally(NOON), Tally(NOON)]
    for number, each in enumerate([pending(1), pending(7, destination="north"), pending(16), pending(3)]):
        whole.add(each)
        parts[number % 2].add(each)
    parts[0].merge(parts[1])
    assert parts[0] == whole
    assert whole.all == Count(4, 28, NOON - 16 * MINUTE_MS)
    assert whole.late == 1
    assert whole.versions == 1, "one version, whatever the number of its destinations"


def test_a_part_that_was_left_out_makes_the_whole_incomplete() -> None:
    tally, other = Tally(NOON), Tally(NOON)
    other.complete = False
    tally.merge(other)
    assert not tally.complete


def test_nothing_has_no_age() -> None:
    assert Count().age_seconds(NOON) == 0
    merged = Count()
    merged.merge(Count())
    assert merged == Count()


def test_what_is_on_the_queue_without_an_entry_is_unseen() -> None:
    tally = Tally(NOON)
    tally.add(pending())
    assert unseen(tally, Depth(3, 4, 1)) == 7
    assert unseen(tally, Depth()) == 0, "SQS counts approximately"


def test_what_goes_on_in_parts_has_no_message_among_the_changes() -> None:
    tally = Tally(NOON)
    tally.add(pending(reason=Reason.PARTS_UNDER_WAY))
    assert tally.all.operations == 1
    assert unseen(tally, Depth(3)) == 3


def test_the_name_of_a_null_version_tells_nothing_of_its_time() -> None:
    assert Pending("east", "k", "null@123", "west").version_id == "null"
