"""Versions that wait: their age groups, their counts, and when they must be reported as late."""

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


AGES = {  # minutes waited, threshold in minutes
    "just now": (0, 15, {Age.UNDER_5}),
    "just under 5 minutes ago": (4.99, 15, {Age.UNDER_5}),
    "5 minutes ago": (5, 15, {Age.UNDER_10}),
    "10 minutes ago": (10, 15, {Age.UNDER_15}),
    "just under the threshold": (14.99, 15, {Age.UNDER_15}),
    "at the threshold": (15, 15, {Age.LATE}),
    "a day ago": (24 * 60, 15, {Age.LATE, Age.OVER_DAY}),
    "at a threshold of half a minute": (0.5, 0.5, {Age.LATE}),
    "under a threshold of half a minute": (0.4, 0.5, {Age.UNDER_5}),
    "over 15 minutes under a threshold of an hour": (20, 60, {Age.LATER}),
    "over a day under a threshold of two": (25 * 60, 48 * 60, {Age.LATER, Age.OVER_DAY}),
}


@pytest.mark.parametrize(("minutes", "threshold", "ages"), AGES.values(), ids=AGES)
def test_a_version_belongs_to_groups_by_how_long_it_has_waited(
    minutes: float, threshold: float, ages: set[Age]
) -> None:
    assert set(ages_of(pending(minutes, threshold=threshold), NOON)) == ages


def test_a_version_ahead_of_our_clock_is_in_the_youngest_group() -> None:
    assert ages_of(pending(-3), NOON) == (Age.UNDER_5,)


LATE: dict[str, tuple[dict[str, Any], bool]] = {
    "not reported": ({}, True),
    "reported": ({"reported": True, "counted_against": True, "claimed": NOON - DAY_MS}, False),
    "failed before": ({"counted_against": True}, False),
    "claimed a second ago": ({"counted_against": True, "claimed": NOON - 1000}, False),
    "claimed over a minute ago": ({"counted_against": True, "claimed": NOON - 61_000}, True),
}


@pytest.mark.parametrize(("fields", "must_be_reported"), LATE.values(), ids=LATE)
def test_a_late_version_must_be_reported_unless_somebody_did_or_is_about_to(
    fields: dict[str, Any], must_be_reported: bool
) -> None:
    assert pending(16, **fields).must_be_reported(NOON, 60_000) is must_be_reported


def test_a_version_within_its_threshold_is_not_reported() -> None:
    assert not pending(14).must_be_reported(NOON, 60_000)


def test_partitions_that_were_counted_separately_add_up() -> None:
    whole, parts = Tally(NOON), [Tally(NOON), Tally(NOON)]
    for number, each in enumerate([pending(1), pending(7, destination="north"), pending(16), pending(3)]):
        whole.add(each)
        parts[number % 2].add(each)
    parts[0].merge(parts[1])
    assert parts[0] == whole
    assert whole.all == Count(4, 28, NOON - 16 * MINUTE_MS)
    assert whole.late == 1
    assert whole.versions == 1, "one version, with many destinations"


def test_a_partition_that_was_not_read_to_its_end_makes_the_sum_incomplete() -> None:
    tally, other = Tally(NOON), Tally(NOON)
    other.complete = False
    tally.merge(other)
    assert not tally.complete


def test_no_versions_have_no_age() -> None:
    assert Count().age_seconds(NOON) == 0
    merged = Count()
    merged.merge(Count())
    assert merged == Count()


def test_messages_without_an_entry_in_the_journal_are_unseen() -> None:
    tally = Tally(NOON)
    tally.add(pending())
    assert unseen(tally, Depth(3, 4, 1)) == 7
    assert unseen(tally, Depth()) == 0, "SQS counts approximately: fewer messages than versions"


def test_a_version_that_is_copied_in_parts_has_no_message_on_the_change_queue() -> None:
    tally = Tally(NOON)
    tally.add(pending(reason=Reason.PARTS_UNDER_WAY))
    assert tally.all.operations == 1
    assert unseen(tally, Depth(3)) == 3


def test_the_version_id_of_a_null_version_is_null() -> None:
    assert Pending("east", "k", "null@123", "west").version_id == "null"
