"""What a copy takes: seconds and requests, from a few constants that are settings.

    seconds = start + the slowest chain of requests;  cost = seconds + requests, weighed against each other

A model, not a promise: it only has to rank the ways to copy one object. Where each constant comes from stands beside
it, and docs/large-objects.md says how to measure one's own.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from replicator.core.parts.parts import LARGEST_COPY, MIB, Cut


@dataclass(frozen=True, slots=True)
class CostModel:
    """Constants of one stack. Sizes are bytes, times are seconds.

    single_copy: above it never one CopyObject (S3's limit).
    multipart_from: up to it always one CopyObject, which keeps the ETag of a single-part source.
    spread_from: above it parts are always spread over functions; 0: as the model finds.
    part_size: parts of this size wherever S3's limits allow; 0: as the model finds.
    bytes_per_second: what one copy request moves. S3's guide to performance says 85 to 90 MB/s for one GET; a copy
        both reads and writes, often to another Region.
    request_seconds: what a request takes before the first byte; the same guide says 100 to 200 ms.
    side_by_side: parts that one function copies at a time.
    functions: functions at most; `first_functions` at once and `functions_per_second` more, as Lambda scales an SQS
        event source (5 concurrent batches, then 300 more a minute).
    start_seconds: from the sent message to a running function: long poll and cold start.
    requests_per_second: writes that S3 takes on one prefix.
    alone_seconds: what one function may take for an object's parts beside the other changes of its batch.
    message_seconds: what the parts of one message may take, half of the function's time-out.
    handling: share of a message's time that goes into anything but copying, where nothing speaks for another one.
    request_worth: seconds that one request is worth (0.02: 50 requests, 0.00025 USD, are spent to save one second).
    """

    single_copy: int = LARGEST_COPY
    multipart_from: int = 128 * MIB
    spread_from: int = 0
    part_size: int = 0
    bytes_per_second: float = 50e6
    request_seconds: float = 0.2
    side_by_side: int = 16
    functions: int = 100
    first_functions: int = 5
    functions_per_second: float = 5.0
    start_seconds: float = 2.0
    requests_per_second: float = 3500.0
    alone_seconds: float = 20.0
    message_seconds: float = 150.0
    handling: float = 0.1
    request_worth: float = 0.02

    def copy_seconds(self, size: int) -> float:
        """Return what one request takes that copies so many bytes."""
        return self.request_seconds + size / self.bytes_per_second


FIXED_REQUESTS = 6
"""Create, complete, both histories read once more, and the journal's writes in requests of S3."""
IN_TURN_ALONE = 6
IN_TURN_SPREAD = 10
"""Requests that wait for each other around the parts: reading, deciding, beginning; deciding again, completing."""
TAKING_SECONDS = 0.1
"""From one message's end to the next one's beginning in the same function."""


def seconds_alone(cut: Cut, model: CostModel) -> float:
    """Return what one function takes that copies all parts itself."""
    return IN_TURN_ALONE * model.request_seconds + _waves(cut.count, model) * model.copy_seconds(cut.largest)


def seconds_spread(cut: Cut, per_message: int, model: CostModel) -> float:
    """Return what many functions take that take messages of so many parts."""
    each = message_seconds(cut.largest, per_message, model)
    working = seconds_to_process(-(-cut.count // per_message), each, model)
    around = IN_TURN_SPREAD * model.request_seconds + model.start_seconds
    return around + max(working, cut.count / model.requests_per_second)


def message_seconds(part: int, per_message: int, model: CostModel) -> float:
    """Return what one message takes: its parts, the look whether all are there, and taking the next one."""
    return _waves(per_message, model) * model.copy_seconds(part) + model.request_seconds + TAKING_SECONDS


def parts_per_message(cut: Cut, model: CostModel) -> int:
    """Return how many parts a message has: as many as fit side by side, and that often that all end soonest.

    Few make much handling; many leave functions idle at the end; and half of the function's time must do.
    """
    part, handling = model.copy_seconds(cut.largest), model.request_seconds + TAKING_SECONDS
    worth_it = math.ceil(handling * (1 / model.handling - 1) / part)
    most = max(1, min(2 * worth_it, int(model.message_seconds / part), _waves(cut.count, model)))

    def ends(waves: int) -> float:
        rounds = -(-_waves(cut.count, model) // waves)
        return -(-rounds // model.functions) * (waves * part + handling)

    return min(cut.count, min(range(1, most + 1), key=ends) * model.side_by_side)


def _waves(parts: int, model: CostModel) -> int:
    return -(-parts // model.side_by_side)


def seconds_to_process(messages: int, each: float, model: CostModel) -> float:
    """Return the time until so many messages are done, while Lambda still adds functions."""
    starts = [function_start(number, model) for number in range(min(messages, model.functions))]

    def are_done_by(time: float) -> bool:
        return sum(int((time - start) / each + 1e-9) for start in starts if start < time) >= messages

    return _smallest(are_done_by, each, starts[-1] + each * (-(-messages // len(starts))))


def function_start(number: int, model: CostModel) -> float:
    """Return the time at which Lambda has started one more function than `number`."""
    return max(0.0, (number - model.first_functions + 1) / model.functions_per_second)


def _smallest(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Find where a condition begins to hold, to a hundredth of a second or a thousandth of the answer."""
    while high - low > max(0.01, high / 1000):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def weigh(seconds: float, requests: int, model: CostModel) -> float:
    """Return one number for time and money."""
    return seconds + requests * model.request_worth
