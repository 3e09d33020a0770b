"""A stage for the flows: buckets, journal and queue in memory, and the product's own consumer of the change queue.

A test puts objects, lets calls fail, delivers messages, and looks at what is left and what was counted. Time passes
only when a test says so, or while `deliver_all` waits for hidden messages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from replicator.core.deciding.eligibility import Limits
from replicator.core.deciding.result import Result
from replicator.core.outcomes.outcome import Outcome, Reason, Status, Temporary
from replicator.core.outcomes.threshold import Depth
from replicator.core.rules.rule import Rule
from replicator.core.versions.origin import Site, find_mark
from replicator.flows.change.conclude import Closing
from replicator.flows.change.consume import Consumer, consume
from replicator.flows.change.deadline import TimeLimit
from replicator.flows.change.gatekeeper import Gatekeeper
from replicator.flows.change.record import Recorder
from replicator.flows.change.replicate import Services
from replicator.flows.reading import Marks
from replicator.flows.release import ReleaseServices, release
from replicator.flows.watch.parked import ParkedServices, look_behind, send_for

from tests.fakes.journal import MemoryJournal
from tests.fakes.notifications import notification
from tests.fakes.objects import MemoryBuckets
from tests.fakes.parking import MemoryGates, MemoryOrders, MemoryOutbox, MemoryParking
from tests.fakes.points import Call, Mishap, Scripted
from tests.fakes.queue import MemoryQueue, QueuedMessage
from tests.fakes.reporting import MemoryLog, MemoryMeasures, MemoryNotices, in_turn
from tests.fakes.rules import MemoryRules, rule
from tests.fakes.s3 import Bucket, Happening, MemoryS3
from tests.fakes.stored import Content, Stored
from tests.fakes.threads import MemoryThreads

OURS = "AWS:ROLE:replicate"
EAST, WEST, NORTH = "east", "west", "north"
THRESHOLD_MS = 15 * 60_000
FUNCTION_MS = 120_000
"""The timeout of the function."""
FOR_EVER = 1e6
"""Seconds: longer than any function runs."""


class Killed(BaseException):
    """The process of the function ended here: a BaseException, so that no handler of errors sees it."""


@dataclass(slots=True)
class Fault:
    """What goes wrong with calls of one kind, `times` more times; empty `key` and `bucket` match every call.

    error: None if they only take long. seconds: how long they take.
    """

    operation: str
    error: BaseException | None
    times: int
    after: bool
    key: str
    bucket: str
    seconds: float = 0.0

    def applies_to(self, call: Call) -> bool:
        matches = (self.key in ("", call.key)) and (self.bucket in ("", call.bucket))
        return self.times > 0 and self.operation == call.operation and matches


@dataclass(slots=True)
class Stage:
    """Buckets east (whose events arrive on the queue), west and north, and one consumer."""

    rules: Sequence[Rule]
    limits: Limits = field(default_factory=Limits)
    s3: MemoryS3 = field(default_factory=MemoryS3)
    faults: list[Fault] = field(default_factory=list)
    before_next: dict[str, Callable[[], object]] = field(default_factory=dict)
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
    gates: MemoryGates = field(init=False)
    parking: MemoryParking = field(init=False)
    orders: MemoryOrders = field(init=False)
    outbox: MemoryOutbox = field(init=False)

    def __post_init__(self) -> None:
        for name in (EAST, WEST, NORTH):
            self.s3.add(Bucket(name))
        self.points = Scripted(self._mishap)
        self.queue = MemoryQueue(self.s3.clock, self.points)
        self.journal = MemoryJournal(self.points)
        self.notices = MemoryNotices(self.points)
        self.gates = MemoryGates(self.points)
        self.parking = MemoryParking(self.journal, threshold_ms=THRESHOLD_MS, points=self.points)
        self.orders = MemoryOrders(self.points)
        self.outbox = MemoryOutbox(self.queue, points=self.points)
        self.rule_sets.put(EAST, *self.rules)
        now = self.s3.clock.milliseconds
        gatekeeper = Gatekeeper(self.gates, now, self.log)
        self.s3.listeners.append(self._send)
        self.services = Services(
            buckets=MemoryBuckets(self.s3, self.points, OURS),
            rules=self.rule_sets.of,
            journal=self.journal,
            marks=Marks(),
            limits=self.limits,
            side_by_side=in_turn,
            now=now,
            threads=MemoryThreads(self.s3.clock),
            own_principals=frozenset({OURS}),
            gatekeeper=gatekeeper,
            enlist=gatekeeper.enlist,
        )
        self.recorder = Recorder(self.journal, self.queue, self.notices, now, gatekeeper.enlist, lambda: 0.5)
        self.consumer = Consumer(
            self.services, self.queue, Closing(self.recorder, self.measures, self.log), lambda: 0.5
        )

    def _mishap(self, call: Call) -> Mishap | None:
        if act := self.before_next.pop(call.operation, None):
            act()
        fault = next((fault for fault in self.faults if fault.applies_to(call)), None)
        if fault is None:
            return None
        fault.times -= 1
        self.s3.clock.advance(fault.seconds)
        return Mishap(fault.error, fault.after) if fault.error else None

    def _send(self, happening: Happening) -> None:
        if happening.bucket == EAST:
            self.queue.send(notification(happening))

    # What a test does

    def change_services(self, **parts: Any) -> None:
        """Replace some of the consumer's services."""
        self.services = replace(self.services, **parts)
        closing = replace(self.consumer.closing, multipart=self.services.multipart)
        self.consumer = replace(self.consumer, services=self.services, closing=closing)

    def change_closing(self, **parts: Any) -> None:
        """Replace parts of the consumer's closing sequence."""
        self.consumer = replace(self.consumer, closing=replace(self.consumer.closing, **parts))

    def put(self, key: str = "k", body: bytes = b"bytes", bucket: str = EAST, **content: Any) -> Stored:
        """Write a version as a user, a second after what happened before."""
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
        """Let calls of this kind fail so many times; `after`: the call takes effect, and only its answer is lost."""
        self.faults.append(Fault(operation, error, times, after, key, bucket))

    def slow(self, operation: str, seconds: float, times: int = 1, *, key: str = "", bucket: str = "") -> None:
        """Let calls of this kind take so long, and then succeed."""
        self.faults.append(Fault(operation, None, times, after=False, key=key, bucket=bucket, seconds=seconds))

    def silent(self, operation: str, times: int = 1, *, key: str = "", bucket: str = "") -> None:
        """Let calls of this kind have no answer and no effect for as long as anybody may wait."""
        error = Temporary(Reason.TIMED_OUT, "no answer")
        self.faults.append(Fault(operation, error, times, after=False, key=key, bucket=bucket, seconds=FOR_EVER))

    def just_before(self, operation: str, act: Callable[[], object]) -> None:
        """Do something right before the next call of this kind, as another handler or a user might."""
        self.before_next[operation] = act

    def deliver(self, *messages: QueuedMessage, chained: bool = False) -> list[str]:
        """Deliver messages, by default all visible ones, as one batch; return the ids of those that come back.

        chained: what they cause would inherit the long chain of another message.
        """
        received = [self.queue.receive(message) for message in messages or self.queue.visible()]
        batch = [replace(message, needs_new_chain=chained) for message in received]
        try:
            waiting = consume(batch, self.consumer, self.time_limit())
        except Killed:
            return [message.id for message in batch]
        self.queue.delete([message.id for message in batch if message.id not in waiting])
        return waiting

    def time_limit(self) -> TimeLimit:
        """Return the limit of an invocation that begins now."""
        return TimeLimit.after(self.s3.clock.milliseconds(), FUNCTION_MS)

    def deliver_all(self, at_most: int = 500) -> int:
        """Deliver, and wait for hidden and parked changes, until there are none; return how many batches that took."""
        for count in range(at_most):
            if not self.queue.messages and not self.parked():
                return count
            if not self.queue.messages:
                self.wait_for_parked()
                continue
            nearest = min(message.visible for message in self.queue.messages.values())
            self.s3.clock.advance(max(0.0, nearest - self.s3.clock.now))
            self.deliver()
        raise AssertionError(f"still on the queue after {at_most} batches: {[*self.queue.messages]}")

    @property
    def parked_services(self) -> ParkedServices:
        """What the monitor needs for parked changes."""
        return ParkedServices(self.gates, self.parking, self.orders, full=60_000)

    def wait_for_parked(self) -> None:
        """Let time pass until the next minute after something parked is due, at whose end it is sent for."""
        due = min(each.release_at for each in self.parking.all()) / 1000
        self.s3.clock.advance(max(0.0, due - self.s3.clock.now))
        self.pass_a_minute()

    def pass_a_minute(self) -> None:
        """Let a minute pass, at whose end parked changes are sent for."""
        self.s3.clock.advance(60)
        self.release_parked()

    def release_parked(self) -> None:
        """Let the monitor step the gates as it does each minute, and carry out its orders."""
        now, parked = self.s3.clock.milliseconds(), self.parked_services
        gates = list(self.gates.all().values())
        send_for(look_behind(gates, self.parking, in_turn, now), parked, Depth(), now)
        self.carry_out_orders()

    def carry_out_orders(self) -> None:
        """Carry out the orders of the monitor, as ReleaseFunction does."""
        services = ReleaseServices(self.parking, self.outbox, in_turn, self.s3.clock.milliseconds, self.log)
        given, self.orders.waiting = self.orders.waiting, []
        for order in given:
            release(order, services)

    # What a test looks at

    def parked(self) -> dict[tuple[str, str], int]:
        """Return what is parked, and when each is due (epoch ms), by destination and item id."""
        waiting = self.journal.waiting.items()
        return {(pair.destination, item): each.parked.release_at for (pair, item), each in waiting if each.parked}

    def replicas(self, key: str = "k", bucket: str = WEST) -> list[str]:
        """Return the source version of each entry, oldest first; `-` for a delete marker or a native version."""
        return [self._source_version(bucket, key, stored) for stored in self.s3.buckets[bucket].history(key)]

    def _source_version(self, bucket: str, key: str, stored: Stored) -> str:
        site = Site(bucket, key, stored.modified)
        origin = find_mark(stored.content.metadata, stored.content.tags, site) if stored.is_version else None
        return origin.version_id if origin else "-"

    @property
    def counted(self) -> list[tuple[Status, Reason | None]]:
        """Return status and reason of each result that was counted, in order."""
        return [(outcome.status, outcome.reason) for outcome in self.outcomes]

    @property
    def outcomes(self) -> list[Outcome]:
        return [result.outcome for result in self.measures.recorded]

    @property
    def results(self) -> list[Result]:
        """Return the results that were counted, in order."""
        return self.measures.recorded

    def calls(self, *operations: str) -> list[str]:
        """Return the calls of these kinds so far, as text."""
        return [str(call) for call in self.points.calls if call.operation in operations]

    def waiting(self) -> dict[str, tuple[Status, Reason]]:
        """Return what the journal lists as waiting or failed, by version id."""
        return {version: (each.status, each.reason) for (_, version), each in self.journal.waiting.items()}


def to_west() -> Stage:
    """Return a stage with one rule, to west, for all keys."""
    return Stage([rule(WEST, rule_id="all")])


def to_two() -> Stage:
    """Return a stage with one rule to west and one to north, each of that name."""
    return Stage([rule(WEST, rule_id="west"), rule(NORTH, rule_id="north")])
