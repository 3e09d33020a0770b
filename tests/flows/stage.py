"""A stage for flows: in-memory buckets, the product's own flow at a consumer, and a script of mishaps.

Says in few words what a test does (put, deliver, let it rest) and what came of it. Time passes only when a test, or the
wait for hidden messages, says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from replicator.core.deciding.eligibility import Limits
from replicator.core.deciding.result import Result
from replicator.core.outcomes.outcome import Outcome, Reason, Status
from replicator.core.rules.rule import Rule
from replicator.core.versions.origin import Site, find_mark
from replicator.flows.change.conclude import Closing
from replicator.flows.change.consume import Consumer, consume
from replicator.flows.change.reading import Marks
from replicator.flows.change.record import Recorder
from replicator.flows.change.replicate import Services

from tests.fakes.journal import MemoryJournal
from tests.fakes.notifications import notification
from tests.fakes.objects import MemoryBuckets
from tests.fakes.points import Call, Mishap, Scripted
from tests.fakes.queue import FailedMessage, MemoryQueue
from tests.fakes.reporting import MemoryLog, MemoryMeasures, MemoryNotices, in_turn
from tests.fakes.rules import MemoryRules, rule
from tests.fakes.s3 import Bucket, Happening, MemoryS3
from tests.fakes.stored import Content, Stored

OURS = "AWS:ROLE:replicate"
EAST, WEST, NORTH = "east", "west", "north"
THRESHOLD_MS = 15 * 60_000


class Killed(BaseException):
    """The function's process ended here."""


@dataclass(slots=True)
class Order:
    """A mishap for calls of one kind; `key` and `bucket` empty: whichever they are about. `times` left."""

    operation: str
    error: BaseException
    times: int
    after: bool
    key: str
    bucket: str

    def meets(self, call: Call) -> bool:
        about = (self.key in ("", call.key)) and (self.bucket in ("", call.bucket))
        return self.times > 0 and self.operation == call.operation and about


@dataclass(slots=True)
class Stage:
    """Buckets east (whose events arrive), west and north, and one consumer."""

    rules: Sequence[Rule]
    limits: Limits = field(default_factory=Limits)
    s3: MemoryS3 = field(default_factory=MemoryS3)
    orders: list[Order] = field(default_factory=list)
    interludes: dict[str, Callable[[], object]] = field(default_factory=dict)
    log: MemoryLog = field(default_factory=MemoryLog)
    measures: MemoryMeasures = field(default_factory=MemoryMeasures)
    points: Scripted = field(init=False)
    queue: MemoryQueue = field(init=False)
    journal: MemoryJournal = field(init=False)
    notices: MemoryNotices = field(init=False)
    rule_sets: MemoryRules = field(default_factory=MemoryRules)
    services: Services = field(init=False)
    recorder: Recorder = field(init=False)
    consumer: Consumer = field(init=False)

    def __post_init__(self) -> None:
        for name in (EAST, WEST, NORTH):
            self.s3.add(Bucket(name))
        self.points = Scripted(self._mishap)
        self.queue = MemoryQueue(self.s3.clock, self.points)
        self.journal = MemoryJournal(self.points)
        self.notices = MemoryNotices(self.points)
        self.rule_sets.put(EAST, *self.rules)
        self.s3.listeners.append(self._send)
        self.services = Services(
            buckets=MemoryBuckets(self.s3, self.points, OURS),
            rules=self.rule_sets.of,
            journal=self.journal,
            marks=Marks(),
            limits=self.limits,
            side_by_side=in_turn,
            now=self.s3.clock.milliseconds,
            own_principals=frozenset({OURS}),
        )
        self.recorder = Recorder(self.journal, self.queue, self.notices, self.s3.clock.milliseconds)
        self.consumer = Consumer(
            self.services, self.queue, Closing(self.recorder, self.measures, self.log), lambda: 0.5
        )

    def _mishap(self, call: Call) -> Mishap | None:
        if act := self.interludes.pop(call.operation, None):
            act()
        order = next((order for order in self.orders if order.meets(call)), None)
        if order is None:
            return None
        order.times -= 1
        return Mishap(order.error, order.after)

    def _send(self, happening: Happening) -> None:
        if happening.bucket == EAST:
            self.queue.send(notification(happening))

    # What a test does

    def change_services(self, **parts: Any) -> None:
        """Put other parts into the services that the consumer works with."""
        self.services = replace(self.services, **parts)
        closing = replace(self.consumer.closing, multipart=self.services.multipart)
        self.consumer = replace(self.consumer, services=self.services, closing=closing)

    def change_closing(self, **parts: Any) -> None:
        """Put other parts into the closing sequence of the consumer."""
        self.consumer = replace(self.consumer, closing=replace(self.consumer.closing, **parts))

    def put(self, key: str = "k", body: bytes = b"bytes", bucket: str = EAST, **content: Any) -> Stored:
        """Write a version as a user; a second passes before it."""
        self.s3.clock.advance(1)
        return self.s3.put(bucket, key, Content(body, **content))

    def fail(  # what goes wrong, how often, and where
        self,
        operation: str,
        error: BaseException,
        times: int = 1,
        *,
        after: bool = False,
        key: str = "",
        bucket: str = "",
    ) -> None:
        """Let calls of this kind go wrong, this many times."""
        self.orders.append(Order(operation, error, times, after, key, bucket))

    def meanwhile(self, operation: str, act: Callable[[], object]) -> None:
        """Do something right before the next call of this kind takes effect."""
        self.interludes[operation] = act

    def deliver(self, *letters: FailedMessage) -> list[str]:
        """Hand messages, by default all visible ones, to the flow as one batch; return the ids that must come back."""
        batch = list(letters) or self.queue.visible()
        waiting: list[str] | None = None
        messages = [self.queue.receive(letter) for letter in batch]
        try:
            waiting = consume(messages, self.consumer)
        except Killed:
            return [message.id for message in messages]
        self.queue.delete([message.id for message in messages if message.id not in waiting])
        return waiting

    def rest(self, deliveries: int = 50) -> int:
        """Deliver and wait until no message is left; return how many batches that took."""
        for count in range(deliveries):
            if not self.queue.letters:
                return count
            nearest = min(letter.visible for letter in self.queue.letters.values())
            self.s3.clock.advance(max(0.0, nearest - self.s3.clock.now))
            self.deliver()
        raise AssertionError(f"still there after {deliveries} batches: {[*self.queue.letters]}")

    # What came of it

    def replicas(self, key: str = "k", bucket: str = WEST) -> list[str]:
        """Return the source version of each entry, oldest first; `-` for a delete marker or a native one."""
        return [self._stands_for(bucket, key, stored) for stored in self.s3.buckets[bucket].history(key)]

    def _stands_for(self, bucket: str, key: str, stored: Stored) -> str:
        site = Site(bucket, key, stored.modified)
        origin = find_mark(stored.content.metadata, stored.content.tags, site) if stored.is_version else None
        return origin.version_id if origin else "-"

    @property
    def told(self) -> list[tuple[Status, Reason | None]]:
        """Return the outcomes that were counted, in order."""
        return [(outcome.status, outcome.reason) for outcome in self.outcomes]

    @property
    def outcomes(self) -> list[Outcome]:
        return [result.outcome for result in self.measures.recorded]

    @property
    def results(self) -> list[Result]:
        """Return what was counted, in order, with how it counts."""
        return self.measures.recorded

    def calls(self, *operations: str) -> list[str]:
        """Return the calls of these kinds so far, as words."""
        return [str(call) for call in self.points.calls if call.operation in operations]

    def waiting(self) -> dict[str, tuple[Status, Reason]]:
        """Return what the journal lists as waiting or failed, by version id."""
        return {version: (each.status, each.reason) for (_, version), each in self.journal.waiting.items()}


def to_two() -> Stage:
    """Return a stage with one rule to west and one to north, each of that name."""
    return Stage([rule(WEST, rule_id="west"), rule(NORTH, rule_id="north")])
