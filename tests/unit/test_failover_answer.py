"""SAFE, LOSES or UNKNOWN: what each figure means, and that SAFE is never said too early in any history."""

from dataclasses import replace

import pytest
from replicator.core.outcomes.gate import GateState
from replicator.core.outcomes.recovery import Figures, Missing, figures_of, values_of
from s3replicator.failover.answer import (
    FAR_BEHIND_SECONDS,
    GATE,
    NO_FIGURES,
    STALE_SECONDS,
    UNVERIFIED,
    Verdict,
    may_fail_over,
    with_lost_keys,
)

from tests.unit.recovery_histories import History, looks

NOW = 1_700_000_000
SEEDS = range(100)
QUIET = Figures(NOW - 30, NOW - 150)


def test_nothing_missing_is_safe() -> None:
    answer = may_fail_over(QUIET, NOW)
    assert (answer.verdict, answer.why, answer.waived) == (Verdict.SAFE, (), ())


@pytest.mark.parametrize(
    ("missing", "words"),
    [(Missing(3), "3 changes not there yet"), (Missing(3, parked=2), "2 of them parked"),
     (Missing(failed=1), "1 change failed")],
    ids=["waiting", "parked", "failed"],
)  # fmt: skip
def test_what_is_missing_would_be_lost(missing: Missing, words: str) -> None:
    answer = may_fail_over(replace(QUIET, missing=missing), NOW)
    assert answer.verdict is Verdict.LOSES
    assert words in answer.why[0]


def test_no_figures_are_unknown() -> None:
    assert may_fail_over(None, NOW).why == (NO_FIGURES,)
    assert may_fail_over(None, NOW, accept_unverified=True).verdict is Verdict.UNKNOWN


def test_figures_are_stale_after_three_minutes_whatever_they_say() -> None:
    for figures in (QUIET, replace(QUIET, missing=Missing(3))):
        assert may_fail_over(figures, figures.looked + STALE_SECONDS).verdict is not Verdict.UNKNOWN
        assert may_fail_over(figures, figures.looked + STALE_SECONDS + 1).verdict is Verdict.UNKNOWN


def test_a_queue_whose_messages_are_of_unknown_age_is_unknown() -> None:
    assert may_fail_over(replace(QUIET, recovery_point=None, unexplained=1), NOW).verdict is Verdict.UNKNOWN


def test_a_queue_that_is_only_passed_through_is_safe_and_one_that_is_far_behind_is_not() -> None:
    behind = Figures(NOW, NOW - FAR_BEHIND_SECONDS, unexplained=9)
    assert may_fail_over(behind, NOW).verdict is Verdict.SAFE
    assert may_fail_over(replace(behind, recovery_point=NOW - FAR_BEHIND_SECONDS - 1), NOW).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("gate", [GateState.OPENING, GateState.SHUT])
def test_a_destination_that_refused_lately_is_unknown(gate: GateState) -> None:
    answer = may_fail_over(replace(QUIET, missing=Missing(gate=gate)), NOW)
    assert (answer.verdict, answer.why) == (Verdict.UNKNOWN, (GATE,))


def test_a_destination_that_was_never_verified_is_unknown_unless_accepted() -> None:
    figures = replace(QUIET, unverified=True)
    assert may_fail_over(figures, NOW).why == (UNVERIFIED,)
    accepted = may_fail_over(figures, NOW, accept_unverified=True)
    assert (accepted.verdict, accepted.why, accepted.waived) == (Verdict.SAFE, (), (UNVERIFIED,))


def test_accepting_one_doubt_accepts_no_other() -> None:
    figures = replace(QUIET, unverified=True, missing=Missing(gate=GateState.SHUT))
    assert may_fail_over(figures, NOW, accept_unverified=True).why == (GATE,)


def test_keys_that_the_journal_has_since_make_it_lose() -> None:
    assert with_lost_keys(may_fail_over(QUIET, NOW), 0).verdict is Verdict.SAFE
    assert with_lost_keys(may_fail_over(QUIET, NOW), 2).verdict is Verdict.LOSES
    assert with_lost_keys(may_fail_over(None, NOW), 2).verdict is Verdict.LOSES
    assert with_lost_keys(may_fail_over(None, NOW), 0).verdict is Verdict.UNKNOWN
    assert with_lost_keys(may_fail_over(QUIET, NOW + 3600), 2).verdict is Verdict.UNKNOWN


def test_safe_is_never_said_while_a_write_before_the_recovery_point_is_missing() -> None:
    said, wrong = 0, []
    for seed in SEEDS:
        history = History(seed)
        for figures, now in looks(history):
            for seconds in (0, 90, STALE_SECONDS):
                seen = figures_of(figures.looked, values_of(figures))
                if may_fail_over(seen, figures.looked + seconds).verdict is Verdict.SAFE:
                    said += 1
                    point = (figures.recovery_point or 0) * 1000
                    wrong += [seed] if history.missing(point, now + seconds * 1000) else []
    assert wrong == []
    assert said > 1000
