"""Which change that waits leaves its queue, when it comes back, and in which partition of the index it is kept.

A queue is a bad place to wait: SQS stops delivering at 120,000 hidden messages, and forgets after 14 days. So what
waits longer than about a minute is *parked*: kept in the journal with the body of its message, which is then deleted.
When it is due, it is sent to the queue again. Pure, so that the model of an outage runs the functions' own policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from zlib import crc32

SHORT_RECEIVES = 5
"""Receives after which a change that still meets trouble is parked: its delays were 2, 4, 8 and 16 s at most."""
FIRST_WAIT_MS = 60_000
LONGEST_WAIT_MS = 15 * 60_000
"""At most: after a long outage, what failed on its own comes back within the 15-minute threshold."""


@dataclass(frozen=True, slots=True)
class Parked:
    """How a parked change comes back. release_at: epoch milliseconds; body: the message that is sent then.

    tried: it was processed before, and possibly left in the middle of a plan. Once true of a change, it stays true.
    """

    release_at: int
    body: str = field(repr=False)
    tried: bool = True


def is_parked_now(receives: int, parked: int) -> bool:
    """Return whether a change that met temporary trouble leaves its queue.

    receives: of its message; parked: how often it was parked before. What was, waits in no queue again.
    """
    return parked > 0 or receives >= SHORT_RECEIVES


def wait_ms(parked: int, jitter: float) -> int:
    """Return milliseconds until a change comes back that was parked `parked` times before; jitter: in [0, 1)."""
    ceiling = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(parked, 10))
    return round(ceiling * (0.5 + jitter / 2))


def due_at(now: int, came: int, parked: int, jitter: float) -> int:
    """Return when a change is due that is parked now, epoch milliseconds.

    came: when it was written, for one that keeps its place in the order; 0 for one that waits for its own reasons.
    """
    return min(came, now) if came else now + wait_ms(parked, jitter)


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of what is parked for a destination. share: of all its entries, on average."""

    name: str
    share: float


EQUAL = 32
"""Partitions of one size. Each takes 1,000 writes a second (DynamoDB), so that all take 32,000 changes a second."""
LEVELS = 12
"""The first of them is divided again: a half of it, a quarter, and so on, and what remains after LEVELS of these."""

PARTITIONS: Sequence[Partition] = (
    Partition("r", 1 / EQUAL / 2**LEVELS),
    *(Partition(chr(ord("a") + level), 1 / EQUAL / 2 ** (level + 1)) for level in reversed(range(LEVELS))),
    *(Partition(str(number), 1 / EQUAL) for number in range(1, EQUAL)),
)
"""All partitions, the smallest first: who reads them in this order counts an ever larger sample, and at last all."""


def partition_of(name: str) -> str:
    """Return the partition of an entry by its name (its object and target), always the same one.

    A hash decides, so that each partition is a random sample of all entries: of 86 million, the smallest has 660.
    """
    number, rest = crc32(name.encode()) % EQUAL, crc32(name.encode()) // EQUAL
    if number:
        return str(number)
    level = (rest & -rest).bit_length() - 1 if rest else LEVELS
    return chr(ord("a") + level) if level < LEVELS else "r"
