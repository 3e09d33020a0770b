"""How long tests wait for what must come: far longer than it takes, as none of them is a measurement.

A machine that tests may give a test a twentieth of a core. What hangs fails all the same.
"""

import time
from collections.abc import Callable

PATIENCE = 120.0
"""Seconds."""


def until(holds: Callable[[], bool]) -> None:
    """Wait until something is so. Fails after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.05)
