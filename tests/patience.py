"""How long tests wait for what must happen: far longer than it takes, as no test measures time.

A busy machine may give a test a twentieth of a core. A test that hangs still fails.
"""

import time
from collections.abc import Callable

PATIENCE = 120.0
"""Seconds."""


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; fail after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)
