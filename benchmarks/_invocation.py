"""How long one invocation takes: its records side by side, on as much of a CPU as Lambda grants for the memory.

A simulation without randomness, separate from what is concluded from it (`sizing`). A record uses the CPU before and
after each request, and waits for AWS in between. Threads of Python take turns on one CPU, however many there are.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""

import heapq
from dataclasses import dataclass

MB_OF_A_CPU = 1_769
"""Memory for which a function has one whole CPU; with less it has a share of it, and with more it has others, too."""


@dataclass(frozen=True, slots=True)
class Handler:
    """What an object needs. cpu: seconds of one CPU. waits: seconds that AWS takes for each request, in turn.

    cpu is what `growth` measured of the handler. The waits are typical of AWS: the journal is read, the object is
    looked at and copied to another Region (the template's COPY_REQUEST_SECONDS), and the journal is written.
    """

    cpu: float = 0.0085
    waits: tuple[float, ...] = (0.005, 0.02, 0.2, 0.005)


def cpu_share(mb: int) -> float:
    """Return the share of a CPU that one thread of a function with this much memory may use."""
    return min(1.0, mb / MB_OF_A_CPU)


def batch_seconds(handler: Handler, mb: int, batch: int) -> float:
    """Return how long a batch of so many objects takes."""
    piece = handler.cpu / (len(handler.waits) + 1) / cpu_share(mb)
    ready = [(0.0, record, 0) for record in range(batch)]  # when a record needs the CPU, which one, for which piece
    free = ended = 0.0
    while ready:
        at, record, step = heapq.heappop(ready)
        free = max(free, at) + piece
        if step < len(handler.waits):
            heapq.heappush(ready, (free + handler.waits[step], record, step + 1))
        else:
            ended = max(ended, free)
    return ended
