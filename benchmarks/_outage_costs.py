"""What an outage costs in requests and dollars: of each change that is parked, and if it retried for itself instead.

Separate from the model of an outage, which counts the changes. Everything here comes on top of the HEAD and the copy of
each change, its memory in the journal and its first delivery, which are paid whenever the destination takes it. Counts
of journal writes are those of tests/flows/test_outage.py; prices are those of costs.py.
"""

from dataclasses import dataclass

from replicator.core.outcomes.backoff import delay

from benchmarks.costs import BATCH, BATCH_SECONDS, GB, MEMORY_GB, MONTH, PRICES

HELD_SECONDS = 0.05
"""Of a batch of which everything is held: one write for each change, side by side."""
ENTRY_BYTES = 920
"""A parked entry with a key of 60 characters: 820 bytes (benchmarks.parked), and the 100 that DynamoDB adds."""
DELIVERY = 2 / BATCH
"""SQS requests of one delivery: receive and delete, shared by the batch."""


@dataclass(frozen=True, slots=True)
class Writes:
    """Write units of one step of a change: each index that an item is in takes its own."""

    table: int
    by_age: int = 0
    by_release: int = 0

    @property
    def all(self) -> int:
        """Return the units together."""
        return self.table + self.by_age + self.by_release


PARK = Writes(1, by_release=1)
RETRY = Writes(1, by_age=1)
RELEASE = Writes(1, by_age=1, by_release=1)
"""It leaves one index and enters the other."""
CLAIM_LATE = Writes(1, by_age=1)
CLOSE = Writes(1, by_age=1)
ARRIVE = (RELEASE, CLAIM_LATE, CLOSE)
"""Every step of a change that was parked and is late, until it is done."""
EVENTS = 2
"""Published for a late change: that it missed its threshold, and that it arrived."""
RELEASE_GB_SECONDS = 0.0013
"""For one change: 0.74 ms of CPU with 512 MB (benchmarks.parked), which is 0.29 of one CPU."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the model counted. Entries: of the parked index, read by the monitor and by the function that releases."""

    parked: float
    failed_attempts: float
    entries_read: float
    monitor_seconds: float
    gb_months: float


def dollars(counted: Counted) -> dict[str, float]:
    """Return what an outage adds to the bill, by service."""
    writes = counted.parked * (PARK.all + sum(step.all for step in ARRIVE)) + counted.failed_attempts * RETRY.all
    reads = (counted.entries_read * ENTRY_BYTES / 4096 / 2) + counted.failed_attempts * 2
    deliveries = counted.parked + counted.failed_attempts
    sent = counted.parked / BATCH + counted.failed_attempts  # a failed one is hidden by a request of its own
    seconds = counted.parked * HELD_SECONDS / BATCH + counted.failed_attempts * BATCH_SECONDS / BATCH
    gb_seconds = seconds * MEMORY_GB + counted.parked * RELEASE_GB_SECONDS + counted.monitor_seconds
    return {
        "S3": counted.failed_attempts * PRICES["GET or HEAD request of S3"],
        "DynamoDB": writes * PRICES["DynamoDB write of 1 KB"]
        + reads * PRICES["DynamoDB read of 4 KB"]
        + counted.gb_months * PRICES["GB of DynamoDB, a month"],
        "SQS": (deliveries * DELIVERY + sent) * PRICES["SQS request"],
        "Lambda": deliveries / BATCH * PRICES["Lambda request"] + gb_seconds * PRICES["GB-second of Lambda"],
        "EventBridge": counted.parked * EVENTS * PRICES["event of EventBridge"],
    }


@dataclass(frozen=True, slots=True)
class Retrying:
    """The same outage if each change retried for itself, on a queue without limits: attempts, and those at its end.

    attempts: in all. at_the_end: a second, all of them at a destination that just recovers.
    """

    attempts: float
    at_the_end: float

    @property
    def dollars(self) -> float:
        """Return the dollars that its failed attempts cost. Failed copies cost nothing."""
        return sum(dollars(Counted(0, self.attempts, 0, 0, 0)).values())


def retrying(arrivals: float, seconds: int) -> Retrying:
    """Return what retrying costs, with the delays of the queue: each at its mean."""
    attempts, last, age, receives = 0.0, 0.0, 0.0, 0
    while age < seconds:
        receives += 1
        pause = delay(receives, 0.5)
        attempts += arrivals * (seconds - age)  # every change that is older has made this attempt
        last += arrivals * min(pause, seconds - age) / pause
        age += pause
    return Retrying(attempts, last)


def gb_months(entry_seconds: float) -> float:
    """Return what is stored: the entry in the table, and in its index."""
    return entry_seconds * 2 * ENTRY_BYTES / GB / MONTH
