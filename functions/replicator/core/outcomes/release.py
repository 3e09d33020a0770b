"""How many parked changes are sent for in a minute, and in which orders: the one limit on what reaches a destination.

Separate from the gate, which says how many may go: here that number is divided over functions. Partitions are samples
of each other, so each gives its share of the number, its oldest first: no key starves, and nothing is left out.
"""

import heapq
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from replicator.core.outcomes.parking import EQUAL, PARTITIONS, Partition

SHARES = {each.name: each.share for each in PARTITIONS}
MOST_PER_ORDER = 2_000
"""Changes that one function sends to the queue in a minute with ease. An order for one partition may be larger."""
DEVIATIONS = 4
"""Standard deviations by which a partition may hold more of the oldest changes than its share."""
PROBED = 60
"""The oldest changes that are probes in turn, each once an hour."""
SPREAD_SECONDS = 55
"""Over which the changes of one order reach the queue, so that a minute's share does not arrive at once."""


@dataclass(frozen=True, slots=True)
class Order:
    """Send what is parked for a destination to its queue again, for one function.

    since, until: what is due between these, epoch milliseconds. partitions: by name, where to look. most: changes at
    most, the oldest of all these partitions. probe: its one change tries a destination whose gate is shut.
    """

    destination: str
    until: int
    partitions: tuple[str, ...]
    most: int
    since: int = 0
    probe: bool = False

    def most_of(self, partition: str) -> int:
        """Return how many changes must be read of one partition, so that the oldest of all are among those read."""
        mean = self.most * SHARES[partition] / sum(SHARES[name] for name in self.partitions)
        return min(self.most, math.ceil(mean + DEVIATIONS * math.sqrt(mean) + DEVIATIONS))

    def encode(self) -> str:
        """Return the message body."""
        return json.dumps(asdict(self))


def decode(body: str) -> Order:
    """Read the output of `encode`. Raises ValueError if it is something else."""
    try:
        return _order(json.loads(body))
    except (KeyError, TypeError) as error:
        raise ValueError(f"no order to release parked changes: {error!r}") from error


def _order(given: Mapping[str, Any]) -> Order:
    names = tuple(name for name in given["partitions"] if name in SHARES)
    numbers = {name: int(given[name]) for name in ("until", "most", "since")}
    return Order(str(given["destination"]), partitions=names, probe=bool(given["probe"]), **numbers)


@dataclass(frozen=True, slots=True)
class Sample:
    """What was read of the parked changes of one destination. Times are epoch milliseconds.

    share: of all partitions that was read to its end, 1 if everything was. due: when each entry that was read is due,
    and its partition, in any order.
    """

    share: float
    due: Sequence[tuple[int, str]]

    def due_until(self, now: int) -> int:
        """Return about how many changes are due, all partitions together."""
        return round(sum(1 for due, _ in self.due if due <= now) / self.share) if self.due else 0


def orders(destination: str, number: int, now: int) -> list[Order]:
    """Return the orders that send for `number` changes that are due, one more for each order at most.

    Fewer go out only if fewer are due in some of the partitions than their share of the number.
    """
    if number <= 0:
        return []
    each = max(1, MOST_PER_ORDER * EQUAL // number)
    groups = _groups(math.ceil(EQUAL / each))
    return [_order_for(destination, group, number, now) for group in groups]


def _order_for(destination: str, group: Sequence[Partition], number: int, now: int) -> Order:
    most = math.ceil(number * sum(each.share for each in group))
    return Order(destination, now, tuple(each.name for each in group), most)


def probe(destination: str, sample: Sample, minute: int) -> list[Order]:
    """Return the order that sends for one of the oldest changes, in turn: one may fail for a reason of its own."""
    oldest = heapq.nsmallest(PROBED, sample.due)
    if not oldest:
        return []
    due, partition = oldest[minute % len(oldest)]
    return [Order(destination, due, (partition,), 1, since=due, probe=True)]


def _groups(number: int) -> list[list[Partition]]:
    """Divide all partitions into so many groups of about the same share, EQUAL at most."""
    groups: list[list[Partition]] = [[] for _ in range(min(number, EQUAL))]
    sizes = [(0.0, index) for index in range(len(groups))]
    for partition in reversed(PARTITIONS):
        size, index = heapq.heappop(sizes)
        groups[index].append(partition)
        heapq.heappush(sizes, (size + partition.share, index))
    return groups
