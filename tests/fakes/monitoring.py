"""The ports of the monitor in memory: the journal's index, the queues' depths, gauges, and its log."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from replicator.core.deciding.result import Result
from replicator.core.outcomes.metrics import Metric
from replicator.core.outcomes.outcome import Status
from replicator.core.outcomes.threshold import Depth, Pending
from replicator.flows.watch.monitor import Depths

from tests.fakes.journal import Item, MemoryJournal
from tests.fakes.queue import MemoryQueue

SHARDS = 2


@dataclass(slots=True)
class MemoryIndex:
    """What the journal's items that wait or failed show of themselves. `reads` counts partitions that were read."""

    journal: MemoryJournal
    threshold_ms: int
    reads: int = 0

    def shards(self, status: Status) -> list[Callable[[], Iterator[Pending]]]:
        return [lambda number=number: self._read(status, number) for number in range(SHARDS)]  # type: ignore[misc]

    def _read(self, status: Status, number: int) -> Iterator[Pending]:
        self.reads += 1
        items = [item for item, each in self.journal.waiting.items() if each.status is status and not each.parked]
        found = [self._pending(item) for item in items if len(item[1]) % SHARDS == number]
        yield from sorted(found, key=lambda pending: pending.first_seen)

    def _pending(self, item: Item) -> Pending:
        return pending_of(item, self.journal, self.threshold_ms)


def pending_of(item: Item, journal: MemoryJournal, threshold_ms: int) -> Pending:
    """Return what an index shows of an item that waits or failed."""
    pair, version_id = item
    waiting, kept = journal.waiting[item], journal.kept[item]
    return Pending(
        bucket=pair.source,
        key=pair.key,
        item_id=version_id,
        destination=pair.destination,
        rule_id=waiting.note.rule_id,
        size=waiting.note.size,
        first_seen=waiting.note.first_seen,
        threshold_ms=waiting.threshold_ms or threshold_ms,
        due=waiting.due,
        reason=str(waiting.reason),
        aspect=waiting.aspect,
        counted_against=kept.counted_against,
        claimed=journal.claims.get(item, (0, ""))[0],
        reported=kept.missed_claimed and item not in journal.claims,
        parked=waiting.parked is not None,
    )


@dataclass(slots=True)
class MemoryQueues:
    """The change queue and the dead letters of a stack. `given_up_bodies`: what SQS moved there by itself."""

    queue: MemoryQueue
    given_up_bodies: list[str] = field(default_factory=list)
    backfill: Depth = field(default_factory=Depth)

    def depths(self) -> Depths:
        visible = len(self.queue.visible())
        changes = Depth(visible, len(self.queue.messages) - visible)
        return Depths(changes, Depth(), Depth(len(self.queue.dead) + len(self.given_up_bodies)), self.backfill)

    def given_up(self) -> list[str]:
        return list(self.given_up_bodies)


@dataclass(slots=True)
class MemoryGauges:
    """What was measured and published."""

    values: list[tuple[Metric, float, dict[str, str]]] = field(default_factory=list)
    recorded: list[Result] = field(default_factory=list)
    flushes: int = 0

    def add(self, metric: Metric, value: float, route: dict[str, str]) -> None:
        self.values.append((metric, value, dict(route)))

    def record(self, result: Result) -> None:
        self.recorded.append(result)

    def flush(self) -> None:
        self.flushes += 1

    def of(self, metric: Metric, **place: str) -> list[float]:
        """Return the values of a metric at places that say at least this."""
        return [value for name, value, where in self.values if name is metric and place.items() <= where.items()]
