"""The model of a busy bucket: how long a quiet one waits is bounded with shares, and grows with the load without."""

import pytest

from benchmarks.fairness import BATCH, RELEASES, Load, run, throughput

COPIES, PARKINGS = throughput()


BACK = RELEASES / COPIES
"""Seconds in which functions copy what comes back in a minute."""


@pytest.mark.parametrize("after", [10, 60, 300])
def test_with_shares_a_quiet_object_waits_as_long_as_the_parameter_says_and_for_what_comes_back(after: int) -> None:
    for share in (0.1, 0.5, 0.9):
        noisy = round(COPIES + share * (PARKINGS - COPIES))
        waits = run(Load(noisy, minutes=30, after=after))
        assert waits.longest <= after + BACK + 2, noisy
        assert waits.parked


def test_without_them_it_waits_for_all_that_is_in_front() -> None:
    noisy = round(3 * COPIES)
    waits = run(Load(noisy, minutes=10, after=0))
    assert waits.longest == pytest.approx(600 * (noisy - COPIES) / COPIES, rel=0.05)
    assert waits.parked == 0


def test_nothing_is_parked_as_long_as_functions_keep_up() -> None:
    assert run(Load(round(0.9 * COPIES), after=60)).parked == 0


def test_all_that_was_parked_is_copied_in_the_end() -> None:
    """As fast as it is sent for, or as functions copy."""
    load = Load(round(2 * COPIES), minutes=10, after=60)
    waits = run(load)
    assert waits.done > load.minutes * 60 + waits.parked / 1_000 * 0.8
    assert waits.done < load.minutes * 60 + waits.parked / 1_000 + 600


def test_parking_takes_less_time_than_copying() -> None:
    assert PARKINGS > 4 * COPIES > 4 * BATCH
