"""The benchmark's model of the fan-out: it agrees with the planner's estimate, and the docs show what it draws."""

from dataclasses import replace
from itertools import pairwise

import pytest
from replicator.core.parts.cost import CostModel
from replicator.core.parts.layout import CopyMethod

from benchmarks.fan_out import SIZES, by_functions, ideal_seconds, plot, run, stops_helping
from tests.template.stacks import ROOT

USUAL = CostModel()


def test_without_failures_a_copy_takes_what_the_planner_estimates() -> None:
    for name, size in SIZES.items():
        for functions in (1, 10, 100, 1000):
            model = replace(USUAL, functions=functions)
            taken = run(size, model)
            assert taken.seconds == pytest.approx(taken.layout.seconds, rel=0.15, abs=1), (name, functions)
            assert taken.seconds >= ideal_seconds(size, model), (name, functions)


def test_more_functions_never_take_much_longer() -> None:
    for name, size in SIZES.items():
        slower = [more for fewer, more in pairwise(by_functions(size, USUAL)) if more.seconds > 1.02 * fewer.seconds]
        assert slower == [], name


def test_more_functions_stop_helping_somewhere() -> None:
    for name, size in SIZES.items():
        runs = by_functions(size, USUAL)
        stop = stops_helping(runs)
        assert [each for each in runs if each.functions > stop.functions and each.efficiency >= 0.8] == [], name


def test_up_to_fifty_functions_reach_eighty_percent_of_the_ideal_for_a_very_large_object() -> None:
    for name in ("5 TB", "48.8 TiB"):
        for functions in (1, 2, 5, 10, 20, 50):
            assert run(SIZES[name], replace(USUAL, functions=functions)).efficiency >= 0.8, (name, functions)


def test_parts_that_fail_cost_time_but_the_copy_ends() -> None:
    size = SIZES["5 TB"]
    without, with_failures = run(size, USUAL), run(size, USUAL, failing=0.05)
    assert without.layout.method is CopyMethod.MANY_FUNCTIONS
    assert without.seconds < with_failures.seconds < 10 * without.seconds


def test_the_picture_in_the_docs_is_what_the_model_draws_now() -> None:
    drawn = plot(USUAL).svg()
    assert (ROOT / "docs" / "fan-out.svg").read_text(encoding="utf-8") == drawn, (
        "run python -m benchmarks.fan_out --plot docs/fan-out.svg"
    )
