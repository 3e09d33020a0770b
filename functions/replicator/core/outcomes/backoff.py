"""How long a message waits after temporary trouble: a growing, jittered, bounded delay.

The jitter is passed in as a number, so that the core stays pure and the simulation reproducible.
"""

FIRST_DELAY = 2.0
"""Seconds after the first receive: throttling and conflicts are usually over by then."""
LONGEST_DELAY = 900.0
"""Seconds at most: after a long outage of a destination, messages come back within the 15-minute threshold."""
UNREADABLE_RECEIVES = 5
"""Receives of a change whose answers from AWS cannot be read, half a minute in all."""

OVERDUE_MS = 30 * 60 * 1000
"""By then any message has come back: after LONGEST_DELAY or, after a crash, the queue's visibility timeout."""
PARTS_OVERDUE_MS = 24 * 3600 * 1000
"""By then all parts of an object have been copied, at any realistic rate, unless their messages are lost."""


def delay(receives: int, jitter: float) -> int:
    """Return whole seconds to wait after `receives` receives; `jitter` in [0, 1) spreads them over the upper half."""
    ceiling = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(max(receives, 1) - 1, 20))
    return max(1, round(ceiling * (0.5 + jitter / 2)))
