"""The model of the fan-out: it agrees with the planner's own estimate, and the picture in the docs is what it draws."""

from dataclasses import replace
from itertools import pairwise

import pytest
from replicator.core.parts.cost import CostModel
from replicator.core.parts.layout import CopyMethod

from benchmarks.fan_out import SIZES, by_functions, ideal_seconds, plot, run, stops_helping
from tests.template.stacks import ROOT

USUAL = CostModel()


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("functions", [1, 10, 100, 1000])
def test_without_failures_it_takes_what_the_planner_estimates(size: int, functions: int) -> None:
    taken = run(size, replace(USUAL, functions=functions))
    assert taken.seconds == pytest.approx(taken.layout.seconds, rel=0.15, abs=1)
    assert taken.seconds >= ideal_seconds(size, replace(USUAL, functions=functions))


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_more_functions_never_take_much_longer_and_stop_helping_somewhere(size: int) -> None:
    runs = by_functions(size, USUAL)
    for fewer, more in pairwise(runs):
        assert more.seconds <= 1.02 * fewer.seconds
    stop = stops_helping(runs)
    assert all(each.efficiency < 0.8 for each in runs if each.functions > stop.functions)


def test_eighty_percent_of_the_ideal_up_to_where_startup_begins_to_show() -> None:
    for size in (SIZES["5 TB"], SIZES["48.8 TiB"]):
        for functions in (1, 2, 5, 10, 20, 50):
            assert run(size, replace(USUAL, functions=functions)).efficiency >= 0.8


def test_parts_that_fail_cost_time_and_no_more() -> None:
    size = SIZES["5 TB"]
    quiet, rough = run(size, USUAL), run(size, USUAL, failing=0.05)
    assert quiet.layout.method is CopyMethod.MANY_FUNCTIONS
    assert quiet.seconds < rough.seconds < 10 * quiet.seconds


def test_the_picture_in_the_docs_is_the_one_that_is_drawn_now() -> None:
    drawn = plot(USUAL).svg()
    assert (ROOT / "docs" / "fan-out.svg").read_text(encoding="utf-8") == drawn, (
        "run python -m benchmarks.fan_out --plot docs/fan-out.svg"
    )
