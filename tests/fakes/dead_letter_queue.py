"""The port DeadLetterQueue in memory: messages that are hidden while somebody holds them, and the way back."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from replicator.core.outcomes.outcome import Reason
from replicator.core.outcomes.threshold import Depth
from replicator.flows.change.record import FailedChange
from s3replicator.failures.failed_messages import FailedMessage

from tests.fakes.clock import Clock
from tests.fakes.points import Call, Points, Straight

T = TypeVar("T")
AT_ONCE = 10


@dataclass(slots=True)
class Stored:
    """A message in the queue. `visible`: the time from which it can be received."""

    message: FailedMessage
    visible: float = 0.0


@dataclass(slots=True)
class MemoryDeadLetterQueue:
    """A dead-letter queue with its clock. `send` sends a message to the change queue."""

    clock: Clock
    send: Callable[[FailedMessage], object]
    points: Points = field(default_factory=Straight)
    stored: dict[str, Stored] = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)
    """Ids of messages that SQS does not accept."""
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def put(self, body: str, reason: str = Reason.DST_PUT_DENIED, rule: str = "all", destination: str = "west") -> None:
        name = str(next(self._ids))
        message = FailedMessage(
            name, "", body, self.clock.milliseconds(), reason, rule_id=rule, destination=destination
        )
        self.stored[name] = Stored(message)

    def take(self, dead: Sequence[FailedChange]) -> None:
        """Store what a function has put into the dead-letter queue."""
        for each in dead:
            self.put(each.body, str(each.outcome.reason), each.outcome.rule_id, each.outcome.destination)

    def now(self) -> int:
        return self._call("NOW", lambda: self.clock.milliseconds() // 1000 * 1000 + 999)

    def depth(self) -> Depth:
        return self._call("DEPTH", self._depth)

    def receive(self, hold_seconds: int) -> list[FailedMessage]:
        return self._call("RECEIVE", lambda: self._receive(hold_seconds))

    def put_back(self, messages: Sequence[FailedMessage]) -> None:
        self._call("PUT BACK", lambda: self._show(messages))

    def send_back(self, messages: Sequence[FailedMessage]) -> list[FailedMessage]:
        taken = [message for message in messages if message.id not in self.refuses]
        self._call("SEND BACK", lambda: [self.send(message) for message in taken])
        return taken

    def remove(self, messages: Sequence[FailedMessage]) -> None:
        self._call("REMOVE", lambda: [self.stored.pop(message.id, None) for message in messages])

    def _call(self, operation: str, effect: Callable[[], T]) -> T:
        return self.points.call(Call(operation, "queue", "dead-letter queue", ""), effect)

    def _depth(self) -> Depth:
        visible = sum(each.visible <= self.clock.now for each in self.stored.values())
        return Depth(visible, len(self.stored) - visible)

    def _receive(self, hold_seconds: int) -> list[FailedMessage]:
        found = [each for each in self.stored.values() if each.visible <= self.clock.now][:AT_ONCE]
        for each in found:
            each.visible = self.clock.now + hold_seconds
            each.message = replace(each.message, receipt=f"{each.message.id} at {self.clock.now}")
        if not found:
            self.clock.advance(1.0)  # a receive waits that long
        return [each.message for each in found]

    def _show(self, messages: Sequence[FailedMessage]) -> None:
        for message in messages:
            if message.id in self.stored:
                self.stored[message.id].visible = self.clock.now
