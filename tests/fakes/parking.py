"""The ports of parking in memory: the gates, what is parked, the queue of orders, and the way back to the queues."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from replicator.core.outcomes.backoff import OVERDUE_MS
from replicator.core.outcomes.gate import Gate, GateState, opening, shut
from replicator.core.outcomes.parking import partition_of
from replicator.core.outcomes.release import Order
from replicator.flows.release import ParkedEntry

from tests.fakes.journal import MemoryJournal
from tests.fakes.monitoring import pending_of
from tests.fakes.points import Call, Points, Straight
from tests.fakes.queue import MemoryQueue
from tests.fakes.upload_journal import MemoryUploadJournal


@dataclass(slots=True)
class MemoryGates:
    """The gates of a stack. They change on conditions, as items of a table do."""

    points: Points = field(default_factory=Straight)
    gates: dict[str, Gate] = field(default_factory=dict)

    def all(self) -> Mapping[str, Gate]:
        return self.points.call(_call("READ GATES"), lambda: dict(self.gates))

    def enlist(self, destination: str, now: int) -> None:
        self.points.call(_call("ENLIST", destination), lambda: self._enlist(destination, now))

    def shut(self, destination: str, reason: str, detail: str, now: int) -> None:
        self.points.call(_call("SHUT", destination), lambda: self._shut(destination, reason, detail, now))

    def begin_opening(self, destination: str, now: int) -> None:
        self.points.call(_call("BEGIN OPENING", destination), lambda: self._begin_opening(destination, now))

    def count(self, destination: str, succeeded: int, troubled: int) -> None:
        self.points.call(_call("COUNT", destination), lambda: self._count(destination, succeeded, troubled))

    def note_denied(self, destination: str, since: int, reason: str) -> None:
        self.points.call(_call("NOTE DENIED", destination), lambda: self._note_denied(destination, since, reason))

    def step(self, before: Gate, after: Gate) -> bool:
        return self.points.call(_call("STEP", before.destination, after.state), lambda: self._step(before, after))

    def _enlist(self, destination: str, now: int) -> None:
        gate = self.gates.get(destination, Gate(destination, since=now))
        self.gates[destination] = replace(gate, quiet=0)

    def _shut(self, destination: str, reason: str, detail: str, now: int) -> None:
        gate = self.gates.get(destination, Gate(destination))
        if gate.state is not GateState.SHUT:
            self.gates[destination] = shut(gate, reason, detail, now)

    def _begin_opening(self, destination: str, now: int) -> None:
        gate = self.gates.get(destination, Gate(destination))
        if gate.state is GateState.SHUT:
            self.gates[destination] = opening(gate, now)

    def _count(self, destination: str, succeeded: int, troubled: int) -> None:
        gate = self.gates.get(destination, Gate(destination))
        if gate.state is GateState.OPENING:
            counted = replace(gate, succeeded=gate.succeeded + succeeded, troubled=gate.troubled + troubled)
            self.gates[destination] = counted

    def _note_denied(self, destination: str, since: int, reason: str) -> None:
        gate = self.gates.get(destination, Gate(destination, since=since, quiet=1))
        self.gates[destination] = replace(gate, denied=since, denied_reason=reason)

    def _step(self, before: Gate, after: Gate) -> bool:
        now = self.gates[before.destination]
        same = replace(
            now,
            succeeded=before.succeeded,
            troubled=before.troubled,
            denied=before.denied,
            denied_reason=before.denied_reason,
        )
        if same != before:
            return False
        self.gates[before.destination] = replace(after, denied=now.denied, denied_reason=now.denied_reason)
        return True


@dataclass(slots=True)
class MemoryParking:
    """What a journal, and the journal of uploads, show as parked."""

    journal: MemoryJournal
    uploads: MemoryUploadJournal | None = None
    threshold_ms: int = 900_000
    points: Points = field(default_factory=Straight)

    def entries(self, destination: str, partition: str, since: int, until: int) -> Iterator[ParkedEntry]:
        """Yield a page of all entries: it is read when the first of them is asked for."""
        call = _call("READ PARKED", destination, partition)
        yield from self.points.call(call, lambda: self.within(destination, partition, since, until))

    def within(self, destination: str, partition: str, since: int, until: int) -> list[ParkedEntry]:
        """Return what is parked in a partition and due between these, first due first."""
        found = [
            each
            for each in self.all()
            if each.destination == destination
            and since <= each.release_at <= until
            and partition_of(_name(each)) == partition
        ]
        return sorted(found, key=lambda each: each.release_at)

    def note_released(self, entry: ParkedEntry, now: int) -> None:
        self.points.call(_call("NOTE RELEASED", *entry.item), lambda: self._note_released(entry, now))

    def all(self) -> list[ParkedEntry]:
        """Return everything that is parked."""
        return [*self._changes(), *(self.uploads.parked.values() if self.uploads else ())]

    def _changes(self) -> Iterator[ParkedEntry]:
        for item, waiting in self.journal.waiting.items():
            if waiting.parked:
                pair, item_id = item
                yield ParkedEntry(
                    (f"{pair.source}/{pair.key}", f"{pair.destination}#{item_id}"),
                    pair.destination,
                    waiting.parked.release_at,
                    self.journal.parkings[item],
                    waiting.parked.body,
                    item in self.journal.tried,
                    pending_of(item, self.journal, self.threshold_ms),
                )

    def _note_released(self, entry: ParkedEntry, now: int) -> None:
        if entry.is_parts and self.uploads:
            if self.uploads.parked.get(entry.item) == entry:
                del self.uploads.parked[entry.item]
            return
        for item, waiting in self.journal.waiting.items():
            pair, item_id = item
            name = (f"{pair.source}/{pair.key}", f"{pair.destination}#{item_id}")
            if name == entry.item and waiting.parked and self.journal.parkings[item] == entry.parkings:
                self.journal.waiting[item] = replace(waiting, parked=None, due=now + OVERDUE_MS)
                self.journal.kept[item] = replace(self.journal.kept[item], release_at=0)


@dataclass(slots=True)
class MemoryOutbox:
    """The change queue, the part queue and the backfill queue, for parked messages. Without the latter: the first."""

    changes: MemoryQueue
    parts: MemoryQueue | None = None
    points: Points = field(default_factory=Straight)
    backfill: MemoryQueue | None = None

    def send(self, entries: Sequence[tuple[ParkedEntry, int]], *, probe: bool) -> list[ParkedEntry]:
        return self.points.call(_call("SEND PARKED", str(len(entries))), lambda: self._send(entries, probe=probe))

    def _send(self, entries: Sequence[tuple[ParkedEntry, int]], *, probe: bool) -> list[ParkedEntry]:
        for entry, seconds in entries:
            message = self._queue_of(entry).send(entry.body)
            message.parked, message.tried = entry.parkings, entry.tried
            message.only, message.probe = entry.destination, probe
            message.visible += seconds
        return [entry for entry, _ in entries]

    def _queue_of(self, entry: ParkedEntry) -> MemoryQueue:
        special = self.parts if entry.is_parts else self.backfill if entry.is_existing else None
        return special or self.changes


@dataclass(slots=True)
class MemoryOrders:
    """The queue of orders."""

    points: Points = field(default_factory=Straight)
    waiting: list[Order] = field(default_factory=list)

    def send(self, orders: Sequence[Order]) -> None:
        self.points.call(_call("SEND ORDERS", str(len(orders))), lambda: self.waiting.extend(orders))


def _name(entry: ParkedEntry) -> str:
    return " ".join(entry.item)


def _call(operation: str, *details: str) -> Call:
    return Call(operation, "journal", "parked", "", " ".join(details))
