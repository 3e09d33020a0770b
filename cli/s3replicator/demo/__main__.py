"""`python -m s3replicator.demo`: plays it all. KEEP=1 stays up and says how to go on by hand.

Ctrl-C at any moment ends it without a trace: the first one interrupts, further ones wait for what is being put away. So
everything that takes time, imports too, comes after the signals are in hand.
"""

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130


def main() -> int:
    """Play; returns the exit status: 130 when it was interrupted, 1 when something did not come to rest."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        from s3replicator.demo.walkthrough import play  # noqa: PLC0415 - see above

        return play(keep=os.environ.get("KEEP", "") not in ("", "0"))
    except KeyboardInterrupt:
        sys.stdout.write("\nStopped. Nothing is left behind.\n")
        return INTERRUPTED


def _stop(_: int, __: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
