"""How one object is copied: by one request, as parts in one function, or as parts over many functions.

Chosen by the cost model within S3's limits. Pure, because a second event for the same version, and the benchmark that
draws the fan-out, must come to the same layout.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from replicator.core.parts.cost import (
    FIXED_REQUESTS,
    CostModel,
    parts_per_message,
    seconds_alone,
    seconds_spread,
    weigh,
)
from replicator.core.parts.parts import (
    LARGEST_PART,
    MIB,
    MOST_PARTS,
    SMALLEST_PART,
    Cut,
    cut_by,
    cut_evenly,
)

FINENESS = 1.3
"""Ratio between two part counts that are compared: near its best, cost hardly changes."""
AS_GOOD_AS = 1.1
"""Boundaries of the source that cost no more than this are taken though nobody asked: the ETag stays the same."""


class How(StrEnum):
    """The three ways."""

    ONE_REQUEST = "one request"
    ONE_FUNCTION = "parts in one function"
    MANY_FUNCTIONS = "parts over many functions"


@dataclass(frozen=True, slots=True)
class Layout:
    """What was chosen. `per_message`: parts in one message; 0 unless they are spread. `seconds`: estimated."""

    how: How
    cut: Cut
    per_message: int
    seconds: float
    cost: float


def plan_parts(size: int, model: CostModel, cut: Cut | None = None, *, whole: bool = False) -> Layout:
    """Choose for an object of so many bytes.

    `cut`: boundaries that must be kept. `whole`: something in the object gets lost in parts, so that one request
    copies it as long as S3 can do so at all.
    """
    if cut is not None and size:
        return _in_parts(cut, model)
    if size <= (model.single_copy if whole else largest_in_one(model)):
        seconds = model.copy_seconds(size)
        return Layout(How.ONE_REQUEST, Cut(((1, size),)), 0, seconds, weigh(seconds, 1, model))
    return _best_parts(size, model)


def largest_in_one(model: CostModel) -> int:
    """Return the bytes up to which one request copies an object: where parts begin to cost less."""
    low, high = min(model.multipart_from, model.single_copy), model.single_copy
    if model.part_size or model.spread_from or high <= low or _gains(low + 1, model):
        return low
    if not _gains(high, model):
        return high
    while high - low > MIB:
        middle = (low + high) // 2
        low, high = (low, middle) if _gains(middle, model) else (middle, high)
    return low


def suits(parts: int, size: int, model: CostModel) -> bool:
    """Return whether the boundaries of a source with so many parts would cost nothing worth mentioning."""
    if not 1 <= parts <= MOST_PARTS or size > parts * LARGEST_PART or model.part_size:
        return False
    return _in_parts(cut_by(size, -(-size // parts)), model).cost <= AS_GOOD_AS * plan_parts(size, model).cost


def _gains(size: int, model: CostModel) -> bool:
    return _best_parts(size, model).cost < weigh(model.copy_seconds(size), 1, model)


def _best_parts(size: int, model: CostModel) -> Layout:
    if model.part_size:
        least = -(-size // model.part_size)
        return _in_parts(cut_evenly(size, least) if least > MOST_PARTS else _by_setting(size, model), model)
    return min((_in_parts(cut_evenly(size, count), model) for count in _counts(size, model)), key=lambda one: one.cost)


def _by_setting(size: int, model: CostModel) -> Cut:
    return cut_by(size, max(SMALLEST_PART, min(model.part_size, LARGEST_PART)))


def _counts(size: int, model: CostModel) -> Iterator[int]:
    """Return part counts worth comparing, from the fewest that S3 and a message's time allow to the most."""
    in_time = max(MIB, (model.message_seconds - model.request_seconds) * model.bytes_per_second)
    most = max(1, min(MOST_PARTS, size // SMALLEST_PART))
    count = float(min(most, max(1, -(-size // LARGEST_PART), -(-size // int(in_time)))))
    while count < most:
        yield int(count)
        count = max(count + 1, count * FINENESS)
    yield most


def _in_parts(cut: Cut, model: CostModel) -> Layout:
    """Weigh one function against many for given boundaries."""
    requests = FIXED_REQUESTS + cut.count
    alone = seconds_alone(cut, model)
    here = Layout(How.ONE_FUNCTION, cut, 0, alone, weigh(alone, requests, model))
    may_stay = cut.size <= model.spread_from if model.spread_from else alone <= model.alone_seconds
    per_message = parts_per_message(cut, model)
    spread = seconds_spread(cut, per_message, model)
    messages = -(-cut.count // per_message)
    there = Layout(How.MANY_FUNCTIONS, cut, per_message, spread, weigh(spread, requests + messages, model))
    if not may_stay:
        return there
    return here if model.spread_from or here.cost <= there.cost else there
