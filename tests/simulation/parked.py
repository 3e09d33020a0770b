"""Parking in the simulation: gates, the monitor's minute, the orders that it gives, and what carries them out.

Small enough to be played thousands of times: a gate that opens lets one change through in the first minute, then two,
then four, and that is its full rate.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from unittest.mock import patch

from replicator.core.outcomes import gate
from replicator.core.outcomes.outcome import Permanent, Temporary
from replicator.core.outcomes.parking import partition_of
from replicator.core.outcomes.release import Order
from replicator.core.outcomes.threshold import Depth
from replicator.flows.release import ParkedEntry, ReleaseServices, release
from replicator.flows.watch.parked import ParkedServices, look_behind, send_for

from tests.fakes.clock import Clock
from tests.fakes.parking import MemoryGates, MemoryOrders, MemoryOutbox, MemoryParking
from tests.fakes.queue import MemoryQueue
from tests.fakes.reporting import MemoryLog
from tests.simulation.turns import Turns

FIRST_RATE, GROWTH, FULL = 1, 2, 4
PARTITION_OF = cache(partition_of)
MONITOR_TIMEOUT, RELEASE_TIMEOUT = 55.0, 60.0


class ThriftyParking(MemoryParking):
    """Reads of partitions that are empty are no points of their own: there are forty of them for each that is not."""

    def entries(self, destination: str, partition: str, since: int, until: int) -> Iterator[ParkedEntry]:
        if partition in self._occupied(destination):
            yield from MemoryParking.entries(self, destination, partition, since, until)

    def _occupied(self, destination: str) -> set[str]:
        parts = self.uploads.parked.values() if self.uploads else ()
        names = [" ".join(each.item) for each in parts if each.destination == destination]
        for (pair, item_id), waiting in self.journal.waiting.items():
            if waiting.parked and pair.destination == destination:
                names.append(f"{pair.source}/{pair.key} {destination}#{item_id}")
        return set(map(PARTITION_OF, names))


@dataclass(slots=True)
class Parked:
    """What one stack has for parked changes. minute: when its monitor runs next, seconds."""

    gates: MemoryGates
    parking: MemoryParking
    orders: MemoryOrders
    outbox: MemoryOutbox
    changes: MemoryQueue
    turns: Turns
    clock: Clock
    minute: float
    log: MemoryLog = field(default_factory=MemoryLog)

    def run_monitor(self) -> None:
        """Step the gates as the monitor does each minute; trouble is left to the next minute."""
        now, services = self.clock.milliseconds(), ParkedServices(self.gates, self.parking, self.orders, FULL)
        with suppress(Temporary, Permanent):
            gates = list(self.gates.all().values())
            found = look_behind(gates, self.parking, self.turns.side_by_side, now)
            send_for(found, services, Depth(visible=len(self.changes.visible())), now)

    def carry_out(self, order: Order) -> None:
        """Carry out one order."""
        turns = self.turns
        release(
            order, ReleaseServices(self.parking, self.outbox, turns.side_by_side, self.clock.milliseconds, self.log)
        )

    def begin_minute(self) -> None:
        """Note that the monitor begins to run."""
        self.minute = self.clock.now // 60 * 60 + 60

    @property
    def is_awaited(self) -> bool:
        """Return whether the monitor has something to do: it finds only what has a gate."""
        return bool(self.gates.gates) and bool(self.parking.all())


@contextmanager
def small_gates() -> Iterator[None]:
    """Let gates open at the rate of a small history."""
    with patch.multiple(gate, FIRST_RATE=FIRST_RATE, GROWTH=GROWTH):
        yield
