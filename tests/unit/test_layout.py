"""How an object is copied: always within S3's limits, and as the cost model finds cheapest."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replicator.core.parts.cost import (
    CostModel,
    function_start,
    message_seconds,
    parts_per_message,
    seconds_alone,
    seconds_spread,
    seconds_to_process,
    weigh,
)
from replicator.core.parts.layout import CopyMethod, largest_in_one, plan_parts, suits
from replicator.core.parts.parts import (
    GIB,
    LARGEST_COPY,
    LARGEST_OBJECT,
    LARGEST_PART,
    MIB,
    SMALLEST_PART,
    Cut,
    cut_evenly,
)

USUAL = CostModel()
SIZES = st.one_of(st.integers(0, LARGEST_OBJECT), st.integers(0, 6 * GIB), st.integers(0, 300 * MIB))
MODELS = st.builds(
    CostModel,
    multipart_from=st.sampled_from([0, SMALLEST_PART, 128 * MIB, LARGEST_COPY]),
    spread_from=st.sampled_from([0, 1, 64 * MIB]),
    part_size=st.sampled_from([0, 1, SMALLEST_PART, 8 * MIB, LARGEST_PART, 2 * LARGEST_PART]),
    bytes_per_second=st.sampled_from([1e6, 50e6, 1e9]),
    request_seconds=st.sampled_from([0.01, 0.2, 2.0]),
    side_by_side=st.sampled_from([1, 16, 64]),
    functions=st.sampled_from([1, 2, 100, 1000]),
    request_worth=st.sampled_from([0.0, 0.02, 1.0]),
)


@given(SIZES, MODELS)
def test_every_layout_is_within_s3s_limits(size: int, model: CostModel) -> None:
    layout = plan_parts(size, model)
    assert layout.cut.size == size
    if layout.method is CopyMethod.ONE_REQUEST:
        assert size <= model.single_copy
    else:
        assert layout.cut.is_allowed
    assert (layout.per_message > 0) == (layout.method is CopyMethod.MANY_FUNCTIONS)


@given(SIZES, MODELS)
def test_one_request_copies_exactly_the_sizes_up_to_largest_in_one(size: int, model: CostModel) -> None:
    """A plan leaves larger versions to their own changes, so both must mean the same."""
    one = plan_parts(size, model).method is CopyMethod.ONE_REQUEST
    assert one == (size <= largest_in_one(model))


def test_small_objects_are_copied_in_one_request_and_large_ones_by_many_functions() -> None:
    expected = {
        0: CopyMethod.ONE_REQUEST,
        1: CopyMethod.ONE_REQUEST,
        SMALLEST_PART: CopyMethod.ONE_REQUEST,
        128 * MIB: CopyMethod.ONE_REQUEST,
        128 * MIB + 1: CopyMethod.ONE_FUNCTION,
        500 * MIB: CopyMethod.ONE_FUNCTION,
        20 * GIB: CopyMethod.MANY_FUNCTIONS,
        LARGEST_OBJECT: CopyMethod.MANY_FUNCTIONS,
    }
    assert {size: plan_parts(size, USUAL).method for size in expected} == expected


@given(st.integers(300 * MIB, LARGEST_COPY))
def test_an_object_of_some_hundred_megabytes_is_copied_in_half_the_time_of_one_request(size: int) -> None:
    assert plan_parts(size, USUAL).seconds < USUAL.copy_seconds(size) / 2


def test_the_largest_object_that_s3_takes_is_copied_within_the_threshold() -> None:
    assert plan_parts(LARGEST_OBJECT, USUAL).seconds < 15 * 60


@given(st.integers(129 * MIB, LARGEST_OBJECT), st.integers(1, 10_000))
def test_no_other_number_of_even_parts_is_much_cheaper_than_the_chosen_one(size: int, count: int) -> None:
    other = cut_evenly(size, count)
    alone, spread = seconds_alone(other, USUAL), seconds_spread(other, parts_per_message(other, USUAL), USUAL)
    seconds = min(spread, alone) if alone <= USUAL.alone_seconds else spread
    if USUAL.copy_seconds(other.largest) <= USUAL.message_seconds:
        assert plan_parts(size, USUAL).cost <= 1.1 * weigh(seconds, other.count + 6, USUAL)


@given(st.integers(129 * MIB, LARGEST_OBJECT))
def test_the_parts_of_a_message_fit_into_half_of_its_functions_time(size: int) -> None:
    layout = plan_parts(size, USUAL)
    waves = -(-layout.per_message // USUAL.side_by_side)
    assert waves * USUAL.copy_seconds(layout.cut.largest) <= USUAL.message_seconds


@given(st.integers(129 * MIB, LARGEST_OBJECT), st.sampled_from([1, 4, 100, 1000]), st.sampled_from([1, 16]))
def test_handling_a_message_costs_little_of_its_time_unless_functions_would_be_idle(
    size: int, functions: int, lanes: int
) -> None:
    model = replace(USUAL, functions=functions, side_by_side=lanes)
    layout = plan_parts(size, model)
    if layout.method is not CopyMethod.MANY_FUNCTIONS:
        return
    copying = layout.per_message / lanes * model.copy_seconds(layout.cut.largest)
    share = copying / message_seconds(layout.cut.largest, layout.per_message, model)
    messages = -(-layout.cut.count // layout.per_message)
    assert share >= 0.85 or messages <= 2 * functions
    assert layout.per_message % lanes == 0 or messages == 1


def test_small_parts_share_a_message_where_there_are_many() -> None:
    """10,000 parts of 8 MiB for 10 functions: a part takes 0.4 s, taking a message and looking 0.3 s."""
    model = replace(USUAL, functions=10)
    cut = Cut(((10_000, 8 * MIB),))
    assert 8 * 16 <= parts_per_message(cut, model) <= 16 * 16
    assert parts_per_message(cut, replace(model, functions=1000)) == 16


def test_parts_are_shared_out_evenly_among_the_functions() -> None:
    """32 parts of 0.5 s, two side by side: all functions end at the same time."""
    for functions, parts in ((1, 32), (2, 16), (4, 8), (8, 4), (16, 2), (100, 2)):
        model = CostModel(functions=functions, side_by_side=2, request_seconds=0.2, bytes_per_second=5 * MIB / 0.3)
        assert parts_per_message(Cut(((32, 5 * MIB),)), model) in {parts, parts // 2} - {1}, f"{functions} functions"


def test_settings_change_every_limit_of_the_layout() -> None:
    lowered = CostModel(single_copy=20 * MIB, multipart_from=10 * MIB, spread_from=30 * MIB, part_size=6 * MIB)
    kinds = [plan_parts(size * MIB, lowered).method for size in (10, 11, 30, 31)]
    assert kinds == [
        CopyMethod.ONE_REQUEST,
        CopyMethod.ONE_FUNCTION,
        CopyMethod.ONE_FUNCTION,
        CopyMethod.MANY_FUNCTIONS,
    ]
    assert str(plan_parts(31 * MIB, lowered).cut) == f"5x{6 * MIB},1x{MIB}"


def test_without_a_setting_the_model_finds_from_which_size_parts_are_cheaper() -> None:
    free = replace(USUAL, multipart_from=0)
    limit = largest_in_one(free)
    assert 10 * MIB < limit < 128 * MIB
    slow = replace(free, bytes_per_second=5e6)
    assert largest_in_one(slow) < limit
    dear = replace(free, request_worth=100.0, one_copy_seconds=300)
    assert largest_in_one(dear) == LARGEST_COPY


def test_one_request_never_copies_for_longer_than_its_function_can_wait_whatever_the_settings_say() -> None:
    for rate in (50e6, 5e6, 1e6):
        asked_for = replace(USUAL, multipart_from=LARGEST_COPY, bytes_per_second=rate)
        assert asked_for.copy_seconds(largest_in_one(asked_for)) == pytest.approx(USUAL.one_copy_seconds, abs=0.01)
    hopeless = replace(USUAL, bytes_per_second=1000)
    assert largest_in_one(hopeless) == SMALLEST_PART, "what is too small for parts"


def test_part_sizes_that_a_rule_asks_for_are_kept_whatever_they_cost() -> None:
    cut = Cut.of((6 * MIB, 5 * MIB, 7 * MIB, 1))
    layout = plan_parts(cut.size, USUAL, cut)
    assert layout.cut == cut
    assert layout.method is CopyMethod.ONE_FUNCTION


PART_COUNTS = {
    "as many parts as the planner would choose": (75, 5 * GIB, True),
    "one part, where many would be faster": (1, 5 * GIB, False),
    "far more parts than the planner would choose": (640, 5 * GIB, False),
    "one part that is larger than S3 copies": (1, 6 * GIB, False),
    "more parts than S3 takes": (10_001, 60_000 * GIB, False),
}


@pytest.mark.parametrize(("parts", "size", "kept"), PART_COUNTS.values(), ids=PART_COUNTS)
def test_the_part_sizes_of_the_source_are_kept_where_that_costs_nothing(parts: int, size: int, kept: bool) -> None:
    assert suits(parts, size, USUAL) is kept


def test_functions_start_as_fast_as_lambda_starts_them() -> None:
    """Five at once, then 300 a minute."""
    assert [function_start(number, USUAL) for number in (0, 4, 5, 304)] == [0, 0, 0.2, 60.0]


@given(st.integers(1, 2_000), st.floats(0.5, 200), st.integers(1, 300))
def test_processing_all_messages_takes_between_the_ideal_time_and_that_of_one_function(
    messages: int, each: float, functions: int
) -> None:
    model = replace(USUAL, functions=functions)
    seconds = seconds_to_process(messages, each, model)
    assert seconds >= 0.999 * each * -(-messages // functions)
    assert seconds <= 1.001 * (each * messages + 0.01)


def test_more_functions_stop_helping_once_every_message_has_one() -> None:
    taken = [seconds_to_process(10, 30.0, replace(USUAL, functions=number)) for number in (1, 5, 10, 100)]
    assert taken == pytest.approx([300, 60, 31, 31], rel=0.01)
