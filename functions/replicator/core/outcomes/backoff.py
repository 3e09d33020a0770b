"""How long a message waits after temporary trouble: growing, jittered, bounded.

The jitter comes in as a number so that the core stays pure and a simulation stays reproducible.
"""

FIRST_DELAY = 2.0
"""Seconds after the first attempt: throttling and conflicts are usually over by then."""
LONGEST_DELAY = 900.0
"""Seconds at most: a destination that was down for hours is noticed again within the 15-minute threshold."""

OVERDUE_MS = 30 * 60 * 1000
"""After so long any message has come back: LONGEST_DELAY, and the queue's visibility time-out if a function died."""
PARTS_OVERDUE_MS = 24 * 3600 * 1000
"""After so long all parts of an object are there, at any rate that is worth it, unless their messages are lost."""


def delay(attempts: int, jitter: float) -> int:
    """Return whole seconds to wait after `attempts` attempts; `jitter` in [0, 1) spreads them over the upper half."""
    ceiling = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(max(attempts, 1) - 1, 20))
    return max(1, round(ceiling * (0.5 + jitter / 2)))
