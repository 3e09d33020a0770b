"""What is parked behind each gate -> counted, by a sample if there is much -> the gate's next minute -> orders.

Separate from the monitor, which counts what waits on the queue: there are no more of those than SQS delivers, but of
what is parked there may be any number, and the run must end in time. Each gate is stepped by one run only; a run that
crashes after that has sent for nothing, and the next minute does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Protocol

from replicator.core.outcomes.gate import Gate, GateState, Step, step
from replicator.core.outcomes.parking import PARTITIONS
from replicator.core.outcomes.release import Order, Sample, orders, probe
from replicator.core.outcomes.threshold import Depth, Pending, Tally
from replicator.flows.ports import CLAIM_MS, SideBySide
from replicator.flows.release import ParkedEntry, Parking

READ_MOST = 60_000
"""Entries that are read in one run, for up to 20 destinations together: 8 s of CPU with the monitor's memory."""
READ_LEAST = 3_000
"""Entries that may be read of each. Partitions double, so that at least about half as many are read.

A sample of n is right to 3 / sqrt(n) in 997 of 1,000 runs: 2 % with one destination, 4 % with 5, 8 % with 20 or more.
"""
LATE_MOST = 2_000
"""Late entries of a destination that one run reports, more than it has time for."""
QUIET_AFTER_MS = 3 * 60_000
"""After nothing was found for so long, a gate is not looked behind every minute any more."""
EVER = 2**53
"""A time that never comes, epoch milliseconds."""
LOOK_AGAIN = 15
"""Minutes after which a gate is looked behind although nothing was parked there: a container may not have said so."""


class Gates(Protocol):
    """The gates, for the monitor. Both methods raise Temporary."""

    def all(self) -> Mapping[str, Gate]:
        """Read all gates by destination, consistently."""

    def step(self, before: Gate, after: Gate) -> bool:
        """Write the next step of a gate; False if it has changed, or another run has taken the step."""


class Orders(Protocol):
    """The queue of orders."""

    def send(self, orders: Sequence[Order]) -> None:
        """Send orders. Raises Temporary."""


@dataclass(frozen=True, slots=True)
class ParkedServices:
    """What the monitor needs for parked changes. full: changes a minute that are sent for at most, per destination."""

    gates: Gates
    parking: Parking
    orders: Orders
    full: int


@dataclass(slots=True)
class Behind:
    """What is parked behind one gate. tally: of everything, estimated if `sample.share` is below 1."""

    gate: Gate
    tally: Tally
    sample: Sample = field(default_factory=lambda: Sample(1.0, ()))
    late: list[Pending] = field(default_factory=list)


def look_behind(gates: Sequence[Gate], parking: Parking, side_by_side: SideBySide, now: int) -> list[Behind]:
    """Read what is parked behind the gates that may hide something. Raises Temporary."""
    gates = [gate for gate in gates if _may_hide(gate, now)]
    most = max(READ_LEAST, READ_MOST // max(1, len(gates)))
    return side_by_side([partial(_look, gate, parking, most, now) for gate in gates])


def _may_hide(gate: Gate, now: int) -> bool:
    """Return whether something may be parked. A container whose view is VIEW_MS old may still park without a word."""
    is_quiet = gate.quiet and now - gate.quiet > QUIET_AFTER_MS
    return not is_quiet or gate.state is not GateState.OPEN or now // 60_000 % LOOK_AGAIN == 0


def _look(gate: Gate, parking: Parking, most: int, now: int) -> Behind:
    """Read one partition after the other, the smallest first, until the next one has too many entries, or seems to."""
    behind, due, share = Behind(gate, Tally(now)), list[tuple[int, str]](), 0.0
    for partition in PARTITIONS:
        room = most - len(due)
        if len(due) * partition.share > room * share:
            break
        entries = list(islice(parking.entries(gate.destination, partition.name, 0, EVER), room + 1))
        if due and len(entries) > room:
            break
        share += partition.share
        for entry in entries:
            due.append((entry.release_at, partition.name))
            _count(entry, behind, now)
    else:
        share = 1.0
    behind.tally = behind.tally.scaled(1 / share)
    behind.sample = Sample(share, due)
    return behind


def _count(entry: ParkedEntry, behind: Behind, now: int) -> None:
    if not entry.pending:
        return  # a message of parts: its change is counted by its own entry
    behind.tally.add(entry.pending)
    if len(behind.late) < LATE_MOST and entry.pending.must_be_reported(now, CLAIM_MS):
        behind.late.append(entry.pending)


def send_for(found: Sequence[Behind], services: ParkedServices, changes: Depth, now: int) -> None:
    """Take the next step of each gate, and send for as many changes as it allows. Raises Temporary."""
    is_full = changes.visible + changes.delayed > services.full
    for behind in found:
        gate, sample = behind.gate, behind.sample
        until = EVER if gate.state is GateState.SHUT else now  # any change may be a probe
        taken = step(gate, now, sample.due_until(until), services.full)
        if is_full and not taken.probe:
            taken = replace(taken, releases=0)
        after = replace(taken.gate, quiet=0 if sample.due else (gate.quiet or now))
        if after != gate and not services.gates.step(gate, after):
            continue
        wanted = _orders(taken, sample, now)
        if wanted:
            services.orders.send(wanted)


def _orders(taken: Step, sample: Sample, now: int) -> list[Order]:
    destination = taken.gate.destination
    if taken.probe:
        return probe(destination, sample, now // 60_000)
    return orders(destination, taken.releases, now)
