"""The benchmark's model of an outage: it keeps what the gate promises, and the docs show what it draws."""

from dataclasses import replace

import pytest
from replicator.core.outcomes.gate import FIRST_RATE, GROWTH, GateState

from benchmarks._outage import IN_FLIGHT, PARTITION_WRITES, Scenario, onset, play
from benchmarks._outage_costs import ARRIVE, CLAIM_LATE, CLOSE, PARK, RELEASE, Counted, dollars, retrying
from benchmarks.outage import Report, plot
from benchmarks.parked import bound, errors, item_bytes, parked_item
from tests.template.stacks import ROOT

DAY = Scenario()
SHORT = Scenario(arrivals=200, hours=2)


def test_a_shut_gate_lets_one_probe_a_minute_through_and_hides_no_message() -> None:
    run = play(SHORT)
    assert run.probes <= SHORT.hours * 60
    assert max(minute.requests for minute in run.minutes if minute.number < run.away) <= 1 / 60
    assert {minute.state for minute in run.minutes if minute.number < run.away} == {GateState.SHUT}


def test_a_destination_that_is_back_gets_four_times_as_much_each_minute() -> None:
    requests = [minute.requests * 60 for minute in play(DAY).after[1:6]]
    assert requests == pytest.approx([FIRST_RATE * GROWTH**minute for minute in range(5)])


def test_nothing_is_lost_and_everything_that_arrived_in_the_outage_was_parked() -> None:
    run = play(SHORT)
    assert run.minutes[-1].parked == 0
    assert Report(run).parked >= SHORT.arrivals * SHORT.hours * 3600


@pytest.mark.parametrize("releases", [300, 1_000, 2_000])
def test_a_backlog_drains_at_the_rate_that_is_set_and_never_faster_than_the_ideal(releases: int) -> None:
    given = replace(SHORT, releases=releases)
    run = play(given)
    assert run.drained >= given.ideal_minutes
    assert run.drained == pytest.approx(SHORT.arrivals * SHORT.hours * 60 / releases + 6, abs=4)


def test_a_destination_that_takes_less_is_drained_in_the_time_that_this_takes() -> None:
    given = replace(SHORT, capacity=700)
    run = play(given)
    assert max(minute.throttled for minute in run.after) > 0
    assert given.ideal_minutes <= run.drained <= given.ideal_minutes + 20, "and what is throttled waits 15 minutes"


def test_no_message_limit_and_no_partition_is_reached_at_a_thousand_changes_a_second() -> None:
    figures = Report(play(DAY)).figures()
    assert figures["messages hidden at most"] < IN_FLIGHT
    assert figures["writes a second: partition of ByAge"] < PARTITION_WRITES
    assert figures["writes a second: partition of ByRelease"] < PARTITION_WRITES


def test_the_longer_a_request_takes_to_fail_the_longer_others_wait_until_the_gate_is_known() -> None:
    waits = [onset(replace(DAY, failing_seconds=seconds)).waits for seconds in (0.1, 3, 10, 60)]
    assert waits == sorted(waits)
    assert waits[-1] <= 60 + 2 * 60


def test_each_step_of_a_change_costs_what_it_writes() -> None:
    """tests/flows/test_outage.py holds the product to these steps."""
    assert ARRIVE == (RELEASE, CLAIM_LATE, CLOSE)
    writes = PARK.all + sum(step.all for step in ARRIVE)
    assert dollars(Counted(1e6, 0, 0, 0, 0))["DynamoDB"] == pytest.approx(writes * 0.625)


def test_retrying_costs_more_the_longer_the_outage_and_ends_in_a_stampede() -> None:
    hour, day = retrying(1_000, 3_600), retrying(1_000, 86_400)
    assert day.attempts > 24 * hour.attempts
    assert day.at_the_end == pytest.approx(1_000 * 86_400 / 675, rel=0.1)
    assert day.dollars > 10 * sum(dollars(Report(play(DAY)).counted()).values())


def test_a_parked_change_takes_one_write_unit() -> None:
    """As the model counts, for an S3 event with a key of 60 characters."""
    assert item_bytes(parked_item(7)) < 1024


@pytest.mark.parametrize("population", [10_000, 1_000_000, 86_400_000])
def test_counts_by_sample_are_right_within_the_bound_that_is_stated(population: int) -> None:
    found = errors(population, destinations=20, counts=60)
    assert bound(20) == pytest.approx(0.0775, abs=0.001)
    assert max(map(abs, found)) < bound(20)
    assert abs(sum(found) / len(found)) < 0.01, "and not on one side"


def test_the_picture_in_the_docs_is_what_the_model_draws_now() -> None:
    assert (ROOT / "docs" / "outage.svg").read_text(encoding="utf-8") == plot(DAY).svg(), (
        "run python -m benchmarks.outage --plot docs/outage.svg"
    )
