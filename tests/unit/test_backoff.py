"""The delay before a message comes back: it grows, is spread out, and has a limit."""

from hypothesis import given
from hypothesis import strategies as st
from replicator.core.outcomes.backoff import LONGEST_DELAY, delay

attempts = st.integers(-1, 10_000)
jitters = st.floats(0, 1, exclude_max=True)


def test_the_first_delays_are_seconds_and_the_last_ones_a_quarter_of_an_hour() -> None:
    assert [delay(attempt, 0.999) for attempt in (1, 2, 3, 4, 8, 10, 200)] == [2, 4, 8, 16, 256, 900, 900]


@given(attempts, jitters)
def test_a_delay_is_whole_seconds_between_one_and_the_longest(attempt: int, jitter: float) -> None:
    assert 1 <= delay(attempt, jitter) <= LONGEST_DELAY


@given(attempts, jitters)
def test_a_delay_is_never_shorter_than_the_one_before(attempt: int, jitter: float) -> None:
    assert delay(attempt, jitter) <= delay(attempt + 1, jitter)


@given(st.integers(3, 1000), jitters, jitters)
def test_jitter_spreads_a_delay_over_its_upper_half(attempt: int, one: float, other: float) -> None:
    assert delay(attempt, one) <= 2 * delay(attempt, other) + 1


def test_a_message_that_keeps_failing_is_tried_for_a_day_within_its_210_receives() -> None:
    """The queue's redrive policy allows 210 receives: even the shortest delays must add up to a day."""
    assert sum(delay(attempt, 0.0) for attempt in range(1, 210)) > 24 * 3600
