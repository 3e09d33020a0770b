"""The recovery point: true in every history, and what is published of it."""

from typing import Any

import pytest
from replicator.core.outcomes import recovery
from replicator.core.outcomes.gate import GateState
from replicator.core.outcomes.metrics import Metric
from replicator.core.outcomes.recovery import (
    COUNT_MS,
    DELIVERY_MS,
    Failed,
    Figures,
    Missing,
    Unexplained,
    cleared_until,
    figures_of,
    missing_by_buckets,
    recovery_point,
    values_of,
)
from replicator.core.outcomes.threshold import Count

from tests.unit.recovery_histories import MINUTE, History, points

LOOKED = 1_700_000_000_000
SEEDS = range(120)


def test_an_empty_queue_clears_all_but_what_sqs_may_not_have_counted() -> None:
    assert cleared_until(LOOKED, Unexplained(), None, None) == LOOKED - COUNT_MS


def test_a_queue_that_is_not_empty_clears_no_more_than_the_last_look_or_its_oldest_message() -> None:
    assert cleared_until(LOOKED, Unexplained(3), None, None) is None
    assert cleared_until(LOOKED, Unexplained(3), LOOKED - 900, None) == LOOKED - 900
    assert cleared_until(LOOKED, Unexplained(3), LOOKED - 900, LOOKED - 400) == LOOKED - 400


def test_the_age_of_the_queue_says_nothing_of_dead_letters() -> None:
    assert cleared_until(LOOKED, Unexplained(3, 1), LOOKED - 900, LOOKED - 400) == LOOKED - 900


def test_the_recovery_point_leaves_s3_time_to_deliver() -> None:
    assert recovery_point(LOOKED, Missing()) == (LOOKED - DELIVERY_MS) // 1000


def test_the_recovery_point_is_before_the_oldest_change_that_is_missing() -> None:
    assert recovery_point(LOOKED, Missing(operations=1, oldest=LOOKED - 500_000)) == (LOOKED - 500_000) // 1000 - 1
    assert recovery_point(LOOKED, Missing(failed=1, oldest=LOOKED - 500_001)) == (LOOKED - 501_000) // 1000


def test_the_recovery_point_is_before_what_the_monitor_had_no_time_to_read() -> None:
    assert recovery_point(LOOKED, Missing(), horizon=LOOKED - 700_000) == (LOOKED - 700_000) // 1000 - 1


def test_what_was_covered_when_the_rules_were_put_stays_covered() -> None:
    assert recovery_point(None, Missing(), covered_since=LOOKED - 5000) == LOOKED // 1000 - 5
    assert recovery_point(LOOKED - 900_000, Missing(), covered_since=LOOKED - 5000) == LOOKED // 1000 - 5
    assert recovery_point(LOOKED, Missing(1, oldest=LOOKED - 9000), covered_since=LOOKED) == LOOKED // 1000 - 10


def test_without_a_look_at_an_empty_queue_the_recovery_point_is_unknown() -> None:
    assert recovery_point(None, Missing()) is None


def test_rules_and_failures_of_the_same_buckets_are_counted_together() -> None:
    waiting = {
        ("a", "b", "one"): Count(1, 10, 500),
        ("a", "b", "two"): Count(2, 20, 400),
        ("a", "c", "x"): Count(1, 1, 9),
    }
    failed = Failed()
    failed.add(300)
    failed.add(600)
    found = missing_by_buckets(waiting, {("a", "b"): failed})
    assert found == {("a", "b"): Missing(3, 30, 2, 300), ("a", "c"): Missing(1, 1, 0, 9)}


FIGURES = Figures(
    LOOKED // 1000, LOOKED // 1000 - 70, Missing(3, 9, 2, LOOKED - 9000, 1, GateState.SHUT), 5, unverified=True
)


def test_what_is_published_says_all_that_is_known() -> None:
    for figures in (FIGURES, Figures(LOOKED // 1000, LOOKED // 1000), Figures(LOOKED // 1000, None, unexplained=1)):
        assert figures_of(figures.looked, values_of(figures)) == figures


def test_figures_that_are_half_visible_are_not_used() -> None:
    values = values_of(Figures(LOOKED // 1000, LOOKED // 1000))
    assert len(values) == 5
    for metric in values:
        assert figures_of(LOOKED // 1000, {each: value for each, value in values.items() if each is not metric}) is None


def test_only_five_metrics_are_published_of_a_destination_that_lacks_nothing() -> None:
    assert set(values_of(Figures(LOOKED // 1000, LOOKED // 1000 - 120))) == {
        Metric.PENDING, Metric.BYTES_PENDING, Metric.FAILED_NOW, Metric.UNVERIFIED, Metric.RECOVERY_POINT,
    }  # fmt: skip


# In every history


def wrong(seeds: range, **how: Any) -> list[int]:
    """Return the seeds of histories in which a write before a recovery point was missing."""
    return [
        seed
        for seed in seeds
        for history in [History(seed)]
        if any(history.missing(point, now) for point, now in points(history, **how))
    ]


def test_no_write_before_the_recovery_point_is_ever_missing() -> None:
    assert wrong(SEEDS) == []


def test_recovery_points_do_not_only_stand_still() -> None:
    histories = [History(seed) for seed in range(20)]
    lags = [now - point for history in histories for point, now in points(history)]
    assert sum(lag < 6 * MINUTE for lag in lags) > len(lags) / 3


@pytest.mark.parametrize("constant", ["COUNT_MS", "DELIVERY_MS"])
def test_without_a_margin_a_recovery_point_would_be_wrong(constant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, constant, 0)
    assert wrong(SEEDS)


def test_with_the_journal_read_before_the_queue_a_recovery_point_would_be_wrong() -> None:
    assert wrong(SEEDS, queue_first=False)


@pytest.mark.parametrize("blind", ["failed", "letters", "unrecorded_in", "waiting"])
def test_without_one_of_the_places_a_recovery_point_would_be_wrong(blind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: dict[str, Any] = {"failed": {}, "waiting": {}, "letters": 0, "unrecorded_in": 0}
    monkeypatch.setattr(History, blind, lambda _history, _now: nothing[blind])
    assert wrong(SEEDS)
