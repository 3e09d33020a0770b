"""SQS in memory: at least once, in no order, with receive counts and visibility; and a dead-letter queue behind it."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from replicator.flows.change.consume import Message
from replicator.flows.change.record import FailedChange

from tests.fakes.clock import Clock
from tests.fakes.points import Call, Points, Straight


@dataclass(slots=True)
class FailedMessage:
    """One message on the queue; `visible` is the time from which it may be received."""

    id: str
    body: str
    receives: int = 0
    visible: float = 0.0
    redriven: bool = False


@dataclass(slots=True)
class MemoryQueue:
    """The change queue and the dead-letter queue of one stack. `timeout`: seconds that a received message is hidden.

    `name`: what the queue carries; the ids of its messages begin with it, unless it is the change queue.
    """

    clock: Clock
    points: Points = field(default_factory=Straight)
    timeout: float = 720.0
    name: str = "changes"
    letters: dict[str, FailedMessage] = field(default_factory=dict)
    dead: list[FailedChange] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def send(self, body: str, *, redriven: bool = False) -> FailedMessage:
        prefix = "" if self.name == "changes" else f"{self.name} "
        letter = FailedMessage(f"{prefix}{next(self._ids)}", body, visible=self.clock.now, redriven=redriven)
        self.letters[letter.id] = letter
        return letter

    def visible(self) -> list[FailedMessage]:
        """Return what may be received now, oldest first."""
        return [letter for letter in self.letters.values() if letter.visible <= self.clock.now]

    def receive(self, letter: FailedMessage) -> Message:
        """Hand a message out and hide it."""
        letter.receives += 1
        letter.visible = self.clock.now + self.timeout
        return Message(letter.id, letter.id, letter.body, letter.receives, letter.redriven)

    def delete(self, message_ids: Sequence[str]) -> None:
        for message_id in message_ids:
            self.letters.pop(message_id, None)

    def hide(self, receipt: str, seconds: int) -> None:
        self.points.call(
            Call("HIDE", "queue", self.name, receipt, f"{seconds} s"), lambda: self._hide(receipt, seconds)
        )

    def dead_letter(self, letter: FailedChange) -> None:
        detail = f"{letter.outcome.reason} {letter.outcome.destination}"
        self.points.call(Call("BURY", "queue", "dead letters", "", detail), lambda: self.dead.append(letter))

    def redrive(self) -> int:
        """Put every failure back on the change queue, as an operator does; give their number."""
        dead, self.dead = self.dead, []
        for letter in dead:
            self.send(letter.body, redriven=True)
        return len(dead)

    def _hide(self, receipt: str, seconds: int) -> None:
        if receipt in self.letters:
            self.letters[receipt].visible = self.clock.now + seconds
