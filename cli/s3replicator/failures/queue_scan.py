"""Read every message of the dead-letter queue once, although SQS cannot return a message without hiding it.

Used by `failures list` and `failures redrive`. Several scans can run at the same time, and a scan that is interrupted
holds its messages for a few seconds only.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from replicator.core.outcomes.threshold import Depth

from s3replicator.failures.failed_messages import FailedMessage

HOLD_SECONDS = 10
"""How long a received message is hidden from others. If two scans hold the same one, no harm is done."""
LEEWAY_SECONDS = 2.0
"""How much longer than that a scan waits for messages that others hold, such as an interrupted command."""
AT_ONCE = 10
"""As many messages as one SQS request may name."""


class DeadLetterQueue(Protocol):
    """The dead-letter queue, and the way back to the change queue. Every method raises CallFailed."""

    def now(self) -> int:
        """Return the last millisecond of the current second by SQS's clock, in epoch milliseconds."""

    def depth(self) -> Depth:
        """Return the approximate number of messages."""

    def receive(self, hold_seconds: int) -> list[FailedMessage]:
        """Receive a few messages and hide them for so long. Waits a moment for one."""

    def put_back(self, messages: Sequence[FailedMessage]) -> None:
        """Make received messages visible to others again."""

    def send_back(self, messages: Sequence[FailedMessage]) -> list[FailedMessage]:
        """Send messages to the change queue; return those that SQS accepted."""

    def remove(self, messages: Sequence[FailedMessage]) -> None:
        """Delete messages."""


@dataclass(slots=True)
class QueueScan:
    """One pass over the dead-letter queue, whoever else receives from it.

    `clock` returns seconds. `takes_all`: most messages will be deleted at once, so few are held until the end. The scan
    waits for messages that others hold, for as long as a scan holds them; `elsewhere` counts those still held then.
    """

    queue: DeadLetterQueue
    clock: Callable[[], float]
    takes_all: bool = False
    held: list[FailedMessage] = field(default_factory=list)
    elsewhere: int = 0

    def batches(self) -> Generator[list[FailedMessage]]:
        """Yield messages a few at a time, each once. At the end, all are put back that were not removed."""
        hold = HOLD_SECONDS if self.takes_all else HOLD_SECONDS + self.queue.depth().all // 100
        seen: set[str] = set()
        last = self.clock()
        try:
            while True:
                fresh = [message for message in self.queue.receive(hold) if message.id not in seen]
                if fresh:
                    seen.update(message.id for message in fresh)
                    self.held += fresh
                    last = self.clock()
                    yield fresh
                elif self._is_empty() or self.clock() - last > hold + LEEWAY_SECONDS:
                    return
        finally:
            for start in range(0, len(self.held), AT_ONCE):
                self.queue.put_back(self.held[start : start + AT_ONCE])

    def remove(self, messages: Sequence[FailedMessage]) -> None:
        """Delete messages that this scan holds."""
        self.queue.remove(messages)
        gone = {message.id for message in messages}
        self.held = [message for message in self.held if message.id not in gone]

    def _is_empty(self) -> bool:
        """Return whether only messages that this scan holds are left. SQS counts approximately, so ask repeatedly."""
        depth = self.queue.depth()
        self.elsewhere = max(0, depth.all - len(self.held))
        return self.elsewhere == 0
