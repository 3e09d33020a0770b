"""An order -> what is parked and due -> its queue again -> no longer parked.

The order of the last two steps matters: a change is on its queue before it leaves the index, so that a crash between
them sends it twice, and never loses it. An entry that was parked again meanwhile stays parked.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Protocol

from replicator.core.outcomes.outcome import Temporary
from replicator.core.outcomes.release import SPREAD_SECONDS, Order
from replicator.core.outcomes.threshold import Pending
from replicator.core.versions.events import Record, parse
from replicator.flows.ports import Log, SideBySide

CHUNK = 10
"""Messages that one request sends."""
TIME_MS = 40_000
"""Milliseconds from the start of an order; the function's timeout is 60 s. The rest is left to the next minute."""
WAVE = 16 * CHUNK
"""Messages that are sent side by side, before the time is looked at."""


@dataclass(frozen=True, slots=True)
class ParkedEntry:
    """One parked change at one destination, or one message of parts. release_at: epoch milliseconds.

    item: its key in the journal. parkings: how often it was parked; with `item`, that names this parking. body: of its
    message. tried: it was processed before. pending: the change as the monitor counts it; None for a message of parts.
    """

    item: tuple[str, str]
    destination: str
    release_at: int
    parkings: int
    body: str
    tried: bool = True
    pending: Pending | None = None

    @property
    def is_parts(self) -> bool:
        """Return whether it goes to the part queue."""
        return self.pending is None

    @property
    def is_existing(self) -> bool:
        """Return whether an operator asked for it: it goes to the backfill queue, and waits behind no new change."""
        return not self.is_parts and any(isinstance(each, Record) and each.change.wish for each in parse(self.body))


class Parking(Protocol):
    """What is parked. Every method raises Temporary."""

    def entries(self, destination: str, partition: str, since: int, until: int) -> Iterator[ParkedEntry]:
        """Yield the entries of one of PARTITIONS that are due between these (epoch ms, inclusive), in that order."""

    def note_released(self, entry: ParkedEntry, now: int) -> None:
        """Record that an entry is on its queue again, unless it was parked once more since it was read."""


class Outbox(Protocol):
    """The change queue, the backfill queue and the part queue, for sending parked messages."""

    def send(self, entries: Sequence[tuple[ParkedEntry, int]], *, probe: bool) -> list[ParkedEntry]:
        """Send at most CHUNK entries, each after some seconds; return those that were taken. Raises Temporary."""


@dataclass(frozen=True, slots=True)
class ReleaseServices:
    """What releasing needs. `now` returns epoch milliseconds."""

    parking: Parking
    outbox: Outbox
    side_by_side: SideBySide
    now: Callable[[], int]
    log: Log


def release(order: Order, services: ReleaseServices) -> int:
    """Carry out an order; return how many messages were sent. Trouble is left to the next order."""
    started, sent = services.now(), 0
    try:
        for wave in _waves(_oldest(order, services), order):
            sent += sum(services.side_by_side([partial(_send, order, chunk, services) for chunk in wave]))
            if services.now() - started > TIME_MS:
                break
    except Temporary as trouble:
        _leave(order, services, trouble)
    return sent


def _oldest(order: Order, services: ReleaseServices) -> list[ParkedEntry]:
    """Return the oldest entries of all partitions of an order, at most as many as it asks for."""
    read = services.side_by_side([partial(_read, order, name, services) for name in order.partitions])
    return sorted(chain.from_iterable(read), key=lambda entry: entry.release_at)[: order.most]


def _read(order: Order, partition: str, services: ReleaseServices) -> list[ParkedEntry]:
    """Read the oldest entries of one partition; none if there is trouble: the others do not wait for them."""
    try:
        entries = services.parking.entries(order.destination, partition, order.since, order.until)
        return list(islice(entries, order.most_of(partition)))
    except Temporary as trouble:
        _leave(order, services, trouble)
        return []


def _leave(order: Order, services: ReleaseServices, trouble: Temporary) -> None:
    services.log.incomplete(f"parked changes for {order.destination} wait for another minute: {trouble}")


def _waves(entries: Sequence[ParkedEntry], order: Order) -> Iterator[list[list[tuple[ParkedEntry, int]]]]:
    """Yield the entries with their delays, in chunks that are sent side by side."""
    delayed = [(entry, _delay(place, order.most)) for place, entry in enumerate(entries)]
    for start in range(0, len(delayed), WAVE):
        wave = delayed[start : start + WAVE]
        yield [wave[place : place + CHUNK] for place in range(0, len(wave), CHUNK)]


def _delay(place: int, most: int) -> int:
    """Return the seconds after which an entry reaches its queue, spread by its place in the order."""
    return place * SPREAD_SECONDS // max(1, most)


def _send(order: Order, chunk: Sequence[tuple[ParkedEntry, int]], services: ReleaseServices) -> int:
    taken = services.outbox.send(chunk, probe=order.probe)
    for entry in taken:
        services.parking.note_released(entry, services.now())
    return len(taken)
