"""SQS in memory: at least once, in no order, with receive counts and visibility; and a dead-letter queue behind it."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from replicator.flows.change.consume import Message
from replicator.flows.change.record import FailedChange

from tests.fakes.clock import Clock
from tests.fakes.points import Call, Points, Straight


@dataclass(slots=True)
class QueuedMessage:
    """One message on the queue. `visible`: the time from which it can be received, seconds."""

    id: str
    body: str
    receives: int = 0
    visible: float = 0.0
    redriven: bool = False
    parked: int = 0
    tried: bool = False
    only: str = ""
    probe: bool = False


@dataclass(slots=True)
class MemoryQueue:
    """The change queue, or the part queue, and the dead-letter queue of one stack. `dead` is the dead-letter queue.

    `timeout`: seconds for which a received message is hidden. `name`: what the queue holds; the ids of its messages
    begin with it, unless it is the change queue.
    """

    clock: Clock
    points: Points = field(default_factory=Straight)
    timeout: float = 720.0
    name: str = "changes"
    messages: dict[str, QueuedMessage] = field(default_factory=dict)
    dead: list[FailedChange] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def send(self, body: str, *, redriven: bool = False) -> QueuedMessage:
        prefix = "" if self.name == "changes" else f"{self.name} "
        message = QueuedMessage(f"{prefix}{next(self._ids)}", body, visible=self.clock.now, redriven=redriven)
        self.messages[message.id] = message
        return message

    def visible(self) -> list[QueuedMessage]:
        """Return the messages that can be received now, oldest first."""
        return [message for message in self.messages.values() if message.visible <= self.clock.now]

    def receive(self, message: QueuedMessage) -> Message:
        """Return a message as SQS delivers it, and hide it."""
        message.receives += 1
        message.visible = self.clock.now + self.timeout
        return Message(
            message.id,
            message.id,
            message.body,
            message.receives,
            message.redriven,
            message.only,
            message.parked,
            message.tried,
            message.probe,
        )

    def delete(self, message_ids: Sequence[str]) -> None:
        for message_id in message_ids:
            self.messages.pop(message_id, None)

    def hide_all(self, receipts: Sequence[str], seconds: int) -> None:
        """Hide messages. No point: all that depends on it is when they come back after a crash."""
        for receipt in receipts:
            self._hide(receipt, min(seconds, round(self.timeout)))

    def hide(self, receipt: str, seconds: int) -> None:
        self.points.call(
            Call("HIDE", "queue", self.name, receipt, f"{seconds} s"), lambda: self._hide(receipt, seconds)
        )

    def dead_letter(self, failed: FailedChange) -> None:
        detail = f"{failed.outcome.reason} {failed.outcome.destination}"
        self.points.call(Call("DEAD-LETTER", "queue", "dead letters", "", detail), lambda: self.dead.append(failed))

    def redrive(self) -> int:
        """Send every failure back to the change queue, as an operator does; return their number."""
        dead, self.dead = self.dead, []
        for failed in dead:
            self.send(failed.body, redriven=True)
        return len(dead)

    def _hide(self, receipt: str, seconds: int) -> None:
        if receipt in self.messages:
            self.messages[receipt].visible = self.clock.now + seconds
