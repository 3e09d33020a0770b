"""Counting what is parked, and carrying out orders: how many entries are read, which go out first, and how evenly."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from replicator.core.outcomes.gate import Gate, GateState
from replicator.core.outcomes.outcome import Reason, Temporary
from replicator.core.outcomes.parking import PARTITIONS, partition_of
from replicator.core.outcomes.release import SPREAD_SECONDS, Order, orders
from replicator.core.outcomes.threshold import Depth, Pending
from replicator.flows.release import CHUNK, TIME_MS, WAVE, ParkedEntry, ReleaseServices, release
from replicator.flows.watch.parked import READ_LEAST, READ_MOST, ParkedServices, look_behind, send_for

from tests.fakes.parking import MemoryGates, MemoryOrders
from tests.fakes.reporting import MemoryLog, in_turn

NOW, FULL = 1_700_000_000_000, 60_000
EVERYWHERE = tuple(partition.name for partition in PARTITIONS)


@dataclass(slots=True)
class Crowd:
    """What is parked for some destinations: the entry of a number is due that many milliseconds before NOW.

    read: entries that were read. sent: numbers with their delays, in the order of sending. troubled: partitions that
    cannot be read.
    """

    number: int
    destinations: int = 1
    read: int = 0
    sent: list[tuple[int, int]] = field(default_factory=list)
    noted: list[int] = field(default_factory=list)
    troubled: tuple[str, ...] = ()
    refused: int = 0
    now: int = NOW
    _kept: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number in reversed(range(self.number)):
            self._kept.setdefault(partition_of(f"east/{number} west#v"), []).append(number)

    def entries(self, destination: str, partition: str, since: int, until: int) -> Iterator[ParkedEntry]:
        if partition in self.troubled:
            raise Temporary(Reason.THROTTLED, "Query")
        for number in self._kept.get(partition, ()):
            if since <= NOW - number <= until:
                self.read += 1
                yield _entry(number, destination)

    def note_released(self, entry: ParkedEntry, now: int) -> None:
        number = NOW - entry.release_at
        self.noted.append(number)
        self._kept[partition_of(f"east/{number} west#v")].remove(number)
        self.now = max(self.now, now)

    def send(self, entries: Sequence[tuple[ParkedEntry, int]], *, probe: bool) -> list[ParkedEntry]:
        assert len(entries) <= CHUNK
        assert not probe
        if self.refused:
            raise Temporary(Reason.SERVICE, "SendMessageBatch")
        self.sent += [(NOW - entry.release_at, delay) for entry, delay in entries]
        return [entry for entry, _ in entries]

    @property
    def services(self) -> ReleaseServices:
        return ReleaseServices(self, self, in_turn, lambda: self.now, MemoryLog())

    @property
    def numbers(self) -> list[int]:
        return [number for number, _ in self.sent]


def _entry(number: int, destination: str = "west") -> ParkedEntry:
    due = NOW - number
    pending = Pending("east", str(number), "v", destination, "rule", 7, due, 900_000, parked=True)
    return ParkedEntry(("east", str(number)), destination, due, 1, "{}", pending=pending)


def test_an_order_sends_the_oldest_changes_of_all_its_partitions_and_no_more_than_it_says() -> None:
    crowd = Crowd(10_000)
    assert release(Order("west", NOW, EVERYWHERE, 60), crowd.services) == 60
    assert crowd.numbers == list(range(9_999, 9_939, -1))
    assert crowd.noted == crowd.numbers


def test_a_small_order_reads_a_few_entries_of_each_partition() -> None:
    crowd = Crowd(10_000)
    release(Order("west", NOW, EVERYWHERE, 60), crowd.services)
    assert crowd.read < 60 * 10


def test_changes_of_an_order_reach_the_queue_one_after_the_other_within_a_minute() -> None:
    crowd = Crowd(2_000)
    release(Order("west", NOW, EVERYWHERE, 1_100), crowd.services)
    delays = [delay for _, delay in crowd.sent]
    assert delays == sorted(delays)
    assert max(Counter(delays).values()) == 1_100 / SPREAD_SECONDS
    assert (delays[0], delays[-1]) == (0, SPREAD_SECONDS - 1)


def test_all_orders_of_a_minute_together_send_the_oldest_changes() -> None:
    """Each order takes the share of its partitions: no key falls behind those of other partitions."""
    crowd = Crowd(40_000)
    for order in orders("west", 20_000, NOW):
        release(order, crowd.services)
    assert abs(len(crowd.sent) - 20_000) < 20
    assert len(set(crowd.numbers)) == len(crowd.numbers)
    assert min(crowd.numbers) > 20_000 - 4 * 1_250**0.5 * 16, "of 16 orders, each may be uneven by four deviations"


def test_a_backlog_is_drained_to_its_last_change() -> None:
    crowd, minutes = Crowd(30_000), 0
    while len(crowd.sent) < crowd.number:
        for order in orders("west", 10_000, NOW):
            release(order, crowd.services)
        minutes += 1
    assert minutes <= 4, "three, and one for what the hash divided unevenly"
    assert sorted(crowd.numbers) == list(range(30_000))


def test_a_partition_that_cannot_be_read_keeps_no_other_waiting() -> None:
    crowd = Crowd(1_000, troubled=("1", "2"))
    assert release(Order("west", NOW, EVERYWHERE, 60), crowd.services) == 60
    assert {partition_of(f"east/{number} west#v") for number in crowd.numbers} & {"1", "2"} == set()


def test_what_a_queue_does_not_take_stays_parked() -> None:
    crowd = Crowd(100, refused=1)
    assert release(Order("west", NOW, EVERYWHERE, 60), crowd.services) == 0
    assert crowd.noted == []


def test_an_order_that_takes_too_long_ends_after_a_wave() -> None:
    crowd = Crowd(2_000)
    services = replace(crowd.services, now=partial(_hurry, crowd))
    assert release(Order("west", NOW, EVERYWHERE, 1_000), services) == WAVE


def _hurry(crowd: Crowd) -> int:
    crowd.now += TIME_MS // WAVE
    return crowd.now


# Counting


@pytest.mark.parametrize("number", [100, 30_000, 100_000])
def test_a_count_is_exact_while_there_is_little_and_nearly_right_if_there_is_much(number: int) -> None:
    crowd = Crowd(number)
    (found,) = look_behind([Gate("west")], crowd, in_turn, NOW)
    assert found.tally.all.operations == pytest.approx(number, rel=0.05 if number > READ_MOST else 0)
    assert found.sample.due_until(NOW) == found.tally.all.operations
    assert (found.sample.share == 1) is (number <= READ_MOST)


@pytest.mark.parametrize("destinations", [1, 5, 20, 40])
def test_a_run_reads_no_more_than_it_has_time_for_whatever_is_parked(destinations: int) -> None:
    crowd = Crowd(70_000)
    gates = [Gate(str(number)) for number in range(destinations)]
    found = look_behind(gates, crowd, in_turn, NOW)
    least = max(READ_LEAST, READ_MOST // destinations)
    assert crowd.read <= least * destinations
    assert crowd.read <= 1.1 * sum(len(each.sample.due) for each in found), "and nearly all that is read is counted"
    assert min(len(each.sample.due) for each in found) >= least * 0.4
    assert {round(each.tally.all.operations / 70_000, 1) for each in found} <= {0.9, 1.0, 1.1}


def test_what_is_counted_by_sample_does_not_depend_on_when_it_is_due() -> None:
    draw = random.Random(3)  # noqa: S311 - a test's choice, not a secret
    crowd = Crowd(200_000)
    (found,) = look_behind([Gate("west")], crowd, in_turn, NOW)
    until = NOW - draw.randrange(50_000, 150_000)
    assert found.sample.due_until(until) == pytest.approx(200_000 - (NOW - until), rel=0.06)


def test_a_gate_that_is_opening_opens_no_further_because_the_queue_is_full() -> None:
    """It is not that nothing is parked: nothing is sent for until the functions have caught up."""
    gate = Gate("west", GateState.OPENING, since=NOW - 90_000, rate=240, stepped=NOW - 60_000)
    gates, given_out, crowd = MemoryGates(gates={"west": gate}), MemoryOrders(), Crowd(5_000)
    services = ParkedServices(gates, crowd, given_out, FULL)
    found = look_behind([gate], crowd, in_turn, NOW)
    send_for(found, services, Depth(visible=FULL, delayed=1), NOW)
    assert (gates.gates["west"].state, given_out.waiting) == (GateState.OPENING, [])
    send_for(look_behind([gates.gates["west"]], crowd, in_turn, NOW), services, Depth(), NOW + 60_000)
    assert sum(order.most for order in given_out.waiting) == 240
