"""How one object is copied: by one request, as parts in one function, or as parts over many functions.

The cost model chooses, within S3's limits. Pure, because a second event for the same version must get the same layout,
and so must the benchmark that draws the fan-out.
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
"""Ratio between two part counts that are compared; near the best count, cost hardly changes."""
AS_GOOD_AS = 1.1
"""Up to this ratio of cost, the source's part boundaries are kept even if no rule asks: the ETag stays the same."""


class CopyMethod(StrEnum):
    """The three ways to copy an object."""

    ONE_REQUEST = "one request"
    ONE_FUNCTION = "parts in one function"
    MANY_FUNCTIONS = "parts over many functions"


@dataclass(frozen=True, slots=True)
class Layout:
    """How an object is copied. per_message: parts in one message; 0 unless they are spread. seconds: an estimate."""

    method: CopyMethod
    cut: Cut
    per_message: int
    seconds: float
    cost: float


def plan_parts(size: int, model: CostModel, cut: Cut | None = None) -> Layout:
    """Choose how an object of `size` bytes is copied. cut: part boundaries that must be kept."""
    if cut is not None and size:
        return _in_parts(cut, model)
    if size <= largest_in_one(model):
        seconds = model.copy_seconds(size)
        return Layout(CopyMethod.ONE_REQUEST, Cut(((1, size),)), 0, seconds, weigh(seconds, 1, model))
    return _best_parts(size, model)


def largest_in_one(model: CostModel) -> int:
    """Return the size in bytes up to which one request copies an object: above it, parts cost less.

    One request copies nothing for longer than `one_copy_seconds`, unless it is too small for parts.
    """
    high = min(model.single_copy, max(SMALLEST_PART, _copied_in(model.one_copy_seconds, model)))
    low = min(model.multipart_from, high)
    if model.part_size or model.spread_from or high <= low or _gains(low + 1, model):
        return low
    if not _gains(high, model):
        return high
    while high - low > MIB:
        middle = (low + high) // 2
        low, high = (low, middle) if _gains(middle, model) else (middle, high)
    return low


def suits(parts: int, size: int, model: CostModel) -> bool:
    """Return whether keeping the boundaries of a source with this many parts costs at most AS_GOOD_AS."""
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
    """Yield part counts worth comparing, from the fewest that S3 and `message_seconds` allow to the most."""
    in_time = max(MIB, _copied_in(model.message_seconds, model))
    most = max(1, min(MOST_PARTS, size // SMALLEST_PART))
    count = float(min(most, max(1, -(-size // LARGEST_PART), -(-size // in_time))))
    while count < most:
        yield int(count)
        count = max(count + 1, count * FINENESS)
    yield most


def _copied_in(seconds: float, model: CostModel) -> int:
    """Return how many bytes one request copies in so many seconds."""
    return int((seconds - model.request_seconds) * model.bytes_per_second)


def _in_parts(cut: Cut, model: CostModel) -> Layout:
    """Choose between one function and many for these boundaries."""
    requests = FIXED_REQUESTS + cut.count
    alone = seconds_alone(cut, model)
    here = Layout(CopyMethod.ONE_FUNCTION, cut, 0, alone, weigh(alone, requests, model))
    may_stay = cut.size <= model.spread_from if model.spread_from else alone <= model.alone_seconds
    per_message = parts_per_message(cut, model)
    spread = seconds_spread(cut, per_message, model)
    messages = -(-cut.count // per_message)
    there = Layout(CopyMethod.MANY_FUNCTIONS, cut, per_message, spread, weigh(spread, requests + messages, model))
    if not may_stay:
        return there
    return here if model.spread_from or here.cost <= there.cost else there
