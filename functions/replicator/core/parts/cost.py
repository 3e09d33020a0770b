"""The cost model: the seconds and requests that a copy takes, from a few constants that are settings.

    seconds = start + the longest sequence of requests;  cost = seconds + requests, weighed against each other

A model, not a promise: it only has to rank the ways to copy one object. The source of each constant is given beside it;
docs/large-objects.md says how to measure your own.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from replicator.core.parts.parts import LARGEST_COPY, MIB, Cut


@dataclass(frozen=True, slots=True)
class CostModel:
    """Constants of one stack. Sizes are bytes, times are seconds.

    single_copy: the largest object that one CopyObject copies (S3's limit).
    multipart_from: up to this size always one CopyObject, which keeps the ETag of a single-part source.
    spread_from: above this size, parts are always spread over functions; 0: the model decides.
    part_size: the size of parts, within S3's limits; 0: the model decides.
    bytes_per_second: throughput of one copy request. S3's performance guidelines say 85 to 90 MB/s for one GET; a copy
        both reads and writes, often to another Region.
    request_seconds: latency of a request before the first byte; the same guidelines say 100 to 200 ms.
    side_by_side: parts that one function copies concurrently.
    functions: the most functions; `first_functions` at once and `functions_per_second` more, as Lambda scales an SQS
        event source (5 concurrent batches, then 300 more a minute).
    start_seconds: from a sent message to a running function: long poll and cold start.
    requests_per_second: write requests that S3 accepts on one prefix.
    alone_seconds: the longest that one function may copy parts of an object beside other changes of its batch.
    message_seconds: the longest that the parts of one message may take: half of the function's timeout.
    one_copy_seconds: the longest that one request may copy an object: half of the time that its function waits for it.
    overhead: the share of a message's time that may be spent on anything but copying, unless other limits demand more.
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
    one_copy_seconds: float = 55.0
    overhead: float = 0.1
    request_worth: float = 0.02

    def copy_seconds(self, size: int) -> float:
        """Return the seconds of one request that copies this many bytes."""
        return self.request_seconds + size / self.bytes_per_second


FIXED_REQUESTS = 6
"""Create, complete, listing both histories again, and the journal's writes counted as S3 requests."""
IN_TURN_ALONE = 6
IN_TURN_SPREAD = 10
"""Sequential requests before and after the parts: reading, deciding, starting; deciding again, completing."""
NEXT_MESSAGE_SECONDS = 0.1
"""From the end of one message to the beginning of the next one in the same function."""


def seconds_alone(cut: Cut, model: CostModel) -> float:
    """Return the seconds if one function copies all parts."""
    return IN_TURN_ALONE * model.request_seconds + _waves(cut.count, model) * model.copy_seconds(cut.largest)


def seconds_spread(cut: Cut, per_message: int, model: CostModel) -> float:
    """Return the seconds if many functions copy them, with this many parts per message."""
    each = message_seconds(cut.largest, per_message, model)
    working = seconds_to_process(-(-cut.count // per_message), each, model)
    around = IN_TURN_SPREAD * model.request_seconds + model.start_seconds
    return around + max(working, cut.count / model.requests_per_second)


def message_seconds(part: int, per_message: int, model: CostModel) -> float:
    """Return the seconds of one message: copy its parts, check whether all are there, receive the next one."""
    return _waves(per_message, model) * model.copy_seconds(part) + model.request_seconds + NEXT_MESSAGE_SECONDS


def parts_per_message(cut: Cut, model: CostModel) -> int:
    """Return how many parts a message has: a multiple of `side_by_side`, chosen so that the last message ends soonest.

    Fewer parts mean more overhead, more parts leave functions idle at the end, and `message_seconds` is the limit.
    """
    part, overhead = model.copy_seconds(cut.largest), model.request_seconds + NEXT_MESSAGE_SECONDS
    worth_it = math.ceil(overhead * (1 / model.overhead - 1) / part)
    most = max(1, min(2 * worth_it, int(model.message_seconds / part), _waves(cut.count, model)))

    def ends(waves: int) -> float:
        rounds = -(-_waves(cut.count, model) // waves)
        return -(-rounds // model.functions) * (waves * part + overhead)

    return min(cut.count, min(range(1, most + 1), key=ends) * model.side_by_side)


def _waves(parts: int, model: CostModel) -> int:
    return -(-parts // model.side_by_side)


def seconds_to_process(messages: int, each: float, model: CostModel) -> float:
    """Return the seconds until all messages are done, while Lambda adds functions. each: seconds of one message."""
    starts = [function_start(number, model) for number in range(min(messages, model.functions))]

    def are_done_by(time: float) -> bool:
        return sum(int((time - start) / each + 1e-9) for start in starts if start < time) >= messages

    return _smallest(are_done_by, each, starts[-1] + each * (-(-messages // len(starts))))


def function_start(number: int, model: CostModel) -> float:
    """Return the seconds after which Lambda has started function `number`, counted from 0."""
    return max(0.0, (number - model.first_functions + 1) / model.functions_per_second)


def _smallest(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Return where a condition begins to hold, to 0.01 seconds or a thousandth of the result."""
    while high - low > max(0.01, high / 1000):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def weigh(seconds: float, requests: int, model: CostModel) -> float:
    """Return the cost: time and money in one number."""
    return seconds + requests * model.request_worth
