"""The port DeadLetterQueue in memory: letters that are hidden while somebody holds them, and the way back."""

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
class Held:
    """A letter in the box; `visible` is the time from which it may be received."""

    letter: FailedMessage
    visible: float = 0.0


@dataclass(slots=True)
class MemoryBox:
    """A dead-letter queue with its clock; `send` puts a letter onto the change queue."""

    clock: Clock
    send: Callable[[FailedMessage], object]
    points: Points = field(default_factory=Straight)
    box: dict[str, Held] = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)
    """Ids of letters that SQS will not take back."""
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def put(self, body: str, reason: str = Reason.DST_PUT_DENIED, rule: str = "all", destination: str = "west") -> None:
        name = str(next(self._ids))
        letter = FailedMessage(name, "", body, self.clock.milliseconds(), reason, rule_id=rule, destination=destination)
        self.box[name] = Held(letter)

    def take(self, dead: Sequence[FailedChange]) -> None:
        """Put what a function buried into the box."""
        for each in dead:
            self.put(each.body, str(each.outcome.reason), each.outcome.rule_id, each.outcome.destination)

    def now(self) -> int:
        return self._call("NOW", lambda: self.clock.milliseconds() // 1000 * 1000 + 999)

    def depth(self) -> Depth:
        return self._call("DEPTH", self._depth)

    def receive(self, hold_seconds: int) -> list[FailedMessage]:
        return self._call("RECEIVE", lambda: self._receive(hold_seconds))

    def put_back(self, letters: Sequence[FailedMessage]) -> None:
        self._call("PUT BACK", lambda: self._show(letters))

    def send_back(self, letters: Sequence[FailedMessage]) -> list[FailedMessage]:
        taken = [letter for letter in letters if letter.id not in self.refuses]
        self._call("SEND BACK", lambda: [self.send(letter) for letter in taken])
        return taken

    def remove(self, letters: Sequence[FailedMessage]) -> None:
        self._call("REMOVE", lambda: [self.box.pop(letter.id, None) for letter in letters])

    def _call(self, operation: str, effect: Callable[[], T]) -> T:
        return self.points.call(Call(operation, "queue", "dead letters", ""), effect)

    def _depth(self) -> Depth:
        visible = sum(held.visible <= self.clock.now for held in self.box.values())
        return Depth(visible, len(self.box) - visible)

    def _receive(self, hold_seconds: int) -> list[FailedMessage]:
        found = [held for held in self.box.values() if held.visible <= self.clock.now][:AT_ONCE]
        for held in found:
            held.visible = self.clock.now + hold_seconds
            held.letter = replace(held.letter, receipt=f"{held.letter.id} at {self.clock.now}")
        if not found:
            self.clock.advance(1.0)  # a receive waits that long
        return [held.letter for held in found]

    def _show(self, letters: Sequence[FailedMessage]) -> None:
        for letter in letters:
            if letter.id in self.box:
                self.box[letter.id].visible = self.clock.now
