"""The model of memory, batches and concurrency: what it rests on, and that defaults and charts are what it says."""

from itertools import pairwise
from typing import Any

import pytest

from benchmarks import sizing
from benchmarks._invocation import MB_OF_A_CPU, Handler, batch_seconds, cpu_share
from tests.template.stacks import ROOT, source

USUAL = Handler()
WAITS = sum(USUAL.waits)


def test_a_batch_takes_the_time_of_its_requests_if_the_cpu_takes_none() -> None:
    idle = Handler(cpu=0.0, waits=USUAL.waits)
    assert [batch_seconds(idle, 512, batch) for batch in (1, 10)] == [pytest.approx(WAITS)] * 2


def test_one_object_takes_its_requests_and_its_cpu_divided_by_the_share() -> None:
    for mb in sizing.MEMORIES:
        assert batch_seconds(USUAL, mb, 1) == pytest.approx(WAITS + USUAL.cpu / min(1, mb / MB_OF_A_CPU)), mb


def test_a_batch_takes_no_less_than_all_its_cpu_and_no_more_than_one_object_after_the_other() -> None:
    for mb in sizing.MEMORIES:
        alone, cpu = batch_seconds(USUAL, mb, 1), USUAL.cpu / cpu_share(mb)
        for batch in (2, 5, 10):
            taken = batch_seconds(USUAL, mb, batch)
            assert max(alone, batch * cpu) - 1e-9 <= taken <= WAITS + batch * cpu + 1e-9, (mb, batch)


def test_more_memory_than_one_cpu_makes_nothing_faster_but_everything_dearer() -> None:
    sizes = sizing.by_memory(USUAL)
    assert all(more.batch_ms <= less.batch_ms for less, more in pairwise(sizes))
    beyond = [each for each in sizes if each.mb >= MB_OF_A_CPU]
    assert len({each.batch_ms for each in beyond}) == 1
    assert all(more.dollars > less.dollars for less, more in pairwise(beyond))


def test_a_rate_needs_the_more_invocations_the_longer_they_take() -> None:
    seconds = batch_seconds(USUAL, 512, 10)
    assert sizing.need(1_000, USUAL, 512).invocations == pytest.approx(1_000 * seconds / 10, abs=1)
    assert sizing.need(1, USUAL, 512).invocations == 1
    assert sizing.need(30_000, USUAL, 512).minutes > 4, "Lambda adds 300 invocations a minute"


def test_what_ends_a_rate_is_listed_in_the_order_in_which_it_does() -> None:
    assert sizing.need(1_000, USUAL, 512).limits == ()
    limits = sizing.need(30_000, USUAL, 512).limits
    assert [each.objects_per_second for each in limits] == sorted(each.objects_per_second for each in limits)
    assert {"S3: reads of one source prefix", "DynamoDB: a new table"} <= {each.name for each in limits}
    assert all(each.then for each in limits)


def test_the_templates_memory_is_the_one_that_the_model_chooses() -> None:
    assert source()["Globals"]["Function"]["MemorySize"] == sizing.best_memory(USUAL).mb


def test_slower_code_would_want_more_memory() -> None:
    slow = Handler(cpu=5 * USUAL.cpu, waits=USUAL.waits)
    assert sizing.best_memory(slow).mb > sizing.best_memory(USUAL).mb


def test_the_default_concurrency_is_about_what_one_prefix_of_s3_takes() -> None:
    parameter: Any = source()["Parameters"]["MaximumConcurrency"]
    assert parameter["Default"] == sizing.CONCURRENCY
    reached = parameter["Default"] * 10 / batch_seconds(USUAL, sizing.best_memory(USUAL).mb, 10)
    assert 0.5 * sizing.PREFIX_READS / 2 < reached < sizing.PREFIX_WRITES


@pytest.mark.parametrize("name", ["memory", "rates"])
def test_the_charts_in_the_docs_are_what_the_model_draws_now(name: str) -> None:
    charts = {
        "memory": sizing.memory_chart(USUAL),
        "rates": sizing.rates_chart(USUAL, sizing.best_memory(USUAL).mb),
    }
    drawn = (ROOT / "docs" / f"{name}.svg").read_text(encoding="utf-8")
    assert drawn == charts[name].svg(), "run python -m benchmarks.sizing --plot docs"
