"""`python -m s3replicator.demo`: run the demo. With KEEP=1 it stays up, and prints how to go on by hand.

Ctrl-C ends it at any moment and leaves nothing behind: the first one interrupts, further ones are ignored while it
cleans up. So everything that takes time, imports included, comes after the signal handlers are set.
"""

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130


def main() -> int:
    """Run the demo. Exit status: 0 done, 1 replication did not finish in time, 130 interrupted."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        from s3replicator.demo.walkthrough import run_demo  # noqa: PLC0415 - see above

        return run_demo(keep=os.environ.get("KEEP", "") not in ("", "0"))
    except KeyboardInterrupt:
        sys.stdout.write("\nStopped. Nothing is left behind.\n")
        return INTERRUPTED


def _stop(_: int, __: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
