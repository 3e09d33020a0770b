"""What is promised of parked changes and gates, checked at every request. docs/consistency.md says it in words.

Separate from promises.py, which looks at buckets: here it matters where a change waits, and who asks whom meanwhile.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from math import inf
from typing import TYPE_CHECKING, Any

from replicator.core.deciding.journal import Memory, Pair
from replicator.core.outcomes.gate import PROBE_EVERY_MS, GateState
from replicator.core.outcomes.outcome import Status
from replicator.core.parts.uploads import PartsMessage, decode
from replicator.core.versions.events import Record, parse
from replicator.flows.change.consume import Message
from replicator.flows.change.gatekeeper import VIEW_MS
from replicator.flows.ports import Earlier

from tests.fakes.points import Call
from tests.fakes.stored import Stored
from tests.simulation.faults import DENIED
from tests.simulation.parked import FULL
from tests.simulation.setting import Route
from tests.simulation.stacks import Stack
from tests.simulation.truth import natives
from tests.simulation.turns import Handler
from tests.simulation.weather import Sky

if TYPE_CHECKING:
    from tests.simulation.history import History

MOVES = frozenset(
    {"ACKNOWLEDGE", "NOTE RELEASED", "WAIT", "BEGIN", "CLOSE", "NOTE COMPLETED", "PARK PARTS", "SETTLE"}
    | {"DEAD-LETTER", "CLAIM FAILURE"}
)
"""Calls after which a change may be somewhere else than before."""
WRITES = frozenset({"COPY", "DELETE", "COMPLETE"})
CLEANS_UP = frozenset({"ABORT", "LIST UPLOADS"})
"""Requests that a change makes after it has ended, gate or not."""
BLIND = 130.0
"""Seconds for which a container may go on without the gates that it could not read: a batch and a view."""
ENOUGH = 2
"""Deliveries of an event after which all healthy destinations have their replicas."""
LONGEST_SHUT = 30 * 60_000
"""Milliseconds after the end of the trouble by which a gate has been opened, unless all that is parked still fails."""
Done = tuple[Pair, str]


@dataclass(slots=True)
class ParkingWatch:
    """Sees every call of one history with an outage.

    done: versions that were settled once. blind: when gates could not be read. granted: what a monitor's step lets out,
    by handler and destination. probed: the last probe of each gate since it was shut. shut: which gates are, by stack
    and destination: `since`, and when that was written.
    """

    history: "History"
    done: set[Done] = field(default_factory=set)
    blind: float = -inf
    granted: dict[tuple[int, str], int] = field(default_factory=dict)
    probed: dict[tuple[str, str, int], int] = field(default_factory=dict)
    shut: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    checks: set[int] = field(default_factory=set)
    known: set[int] = field(default_factory=set)

    def called(self, handler: Handler, call: Call, result: object) -> None:
        """Look at what a call has left behind."""
        stack, found = self.history.stacks[handler.stack], list[str]()
        self._learn(handler, stack, call, result)
        if call.operation in MOVES:
            found += self._in_neither_place(stack)
            found += _counted_twice(stack)
        if call.side == "destination" and call.operation not in CLEANS_UP:
            found += self._past_a_shut_gate(handler, call, stack)
        if call.operation == "DEAD-LETTER":
            found += _not_denied(stack)
        if call.operation == "STEP" and result is True:
            found += self._stepped(handler, stack, call)
        if call.operation == "SEND ORDERS" and result is None:
            found += self._ordered(handler, stack, int(call.detail))
        if call.operation == "SEND PARKED" and isinstance(result, list):
            found += _sent(handler, result)
        self.history.watch.violations += found

    def _learn(self, handler: Handler, stack: Stack, call: Call, result: object) -> None:
        if isinstance(result, Earlier) and call.operation == "READ EARLIER" and result.status is Status.COMPLETED:
            self.checks.add(handler.number)
        if isinstance(result, Memory) and _is_about_settled(handler, stack, result):
            self.known.add(handler.number)
        if call.operation == "READ GATES" and isinstance(result, Exception):
            self.blind = self.history.s3.clock.now
        if call.operation in {"SHUT", "STEP"}:
            self._note_shut(stack)

    # A change is always somewhere

    def _in_neither_place(self, stack: Stack) -> Iterator[str]:
        """Promise 1, at every moment: what is not settled is on a queue, parked, or in the dead-letter queue."""
        places: set[tuple[str, str, str]] | None = None
        for route in self.history.setting.routes:
            if route.source != stack.bucket:
                continue
            for key in self.history.setting.keys:
                for stored in natives(self.history.s3.buckets[route.source], key):
                    if not _is_sent(route, stored) or self._is_done(stack, route, key, stored):
                        continue
                    places = places if places is not None else _places(stack)
                    where = {(key, stored.version_id, to) for to in ("", route.destination)}
                    if not where & places:
                        yield f"{stored.version_id} is not settled in {route.destination}, neither queued nor parked"

    def _is_done(self, stack: Stack, route: Route, key: str, stored: Stored) -> bool:
        pair = Pair(route.source, route.destination, key)
        if (pair, stored.version_id) in self.done:
            return True
        memory, kept = stack.journal.entries.get(pair), stack.journal.kept.get((pair, stored.version_id))
        is_done = (memory is not None and stored.version_id in memory.settled) or (
            kept is not None and kept.status is Status.COMPLETED
        )
        if is_done:
            self.done.add((pair, stored.version_id))
        return is_done

    # A gate that is shut

    def _past_a_shut_gate(self, handler: Handler, call: Call, stack: Stack) -> Iterator[str]:
        """Check that only probes go to the destination of a shut gate, once every container has seen it."""
        gate = stack.parked.gates.gates.get(call.bucket)
        if gate is None or gate.state is not GateState.SHUT or handler.probes or handler.number in self.checks:
            return
        _, written = self.shut[stack.bucket, call.bucket]
        if handler.began >= written + VIEW_MS / 1000 and handler.began > self.blind + BLIND:
            yield f"{handler.name} asks {call.bucket} although its gate is shut"

    def _note_shut(self, stack: Stack) -> None:
        for destination, gate in stack.parked.gates.gates.items():
            place = (stack.bucket, destination)
            if gate.state is GateState.SHUT and self.shut.get(place, (0, 0.0))[0] != gate.since:
                self.shut[place] = (gate.since, self.history.s3.clock.now)

    def _stepped(self, handler: Handler, stack: Stack, call: Call) -> Iterator[str]:
        """Check that a shut gate lets one probe a minute through, and is opened once its destination works."""
        destination = call.detail.rpartition(" ")[0]
        gate = stack.parked.gates.gates[destination]
        lets_out = {GateState.SHUT: 1, GateState.OPENING: gate.rate, GateState.OPEN: FULL}
        self.granted[handler.number, destination] = lets_out[gate.state]
        if gate.state is not GateState.SHUT:
            return
        episode = (stack.bucket, destination, gate.since)
        last = self.probed.get(episode, 0)
        if gate.probed != last and last and gate.probed - last < PROBE_EVERY_MS:
            yield f"two probes of {destination} within {gate.probed - last} ms"
        self.probed[episode] = gate.probed
        weather = self.history.weather
        late = handler.began * 1000 - LONGEST_SHUT
        if weather and max(gate.since, weather.ends * 1000) < late:
            waiting = [each for each in stack.parked.parking.all() if f"/{weather.bad_key}" not in each.item[0]]
            if any(each.destination == destination and each.release_at < late for each in waiting):
                yield f"the gate of {destination} is still shut"

    def _ordered(self, handler: Handler, stack: Stack, number: int) -> Iterator[str]:
        """Check that a minute sends for what its gate allows, and for one change more with each order at most."""
        given = stack.parked.orders.waiting[-number:]
        for destination in {order.destination for order in given}:
            mine = [order for order in given if order.destination == destination]
            granted, most = self.granted.get((handler.number, destination), FULL), sum(order.most for order in mine)
            if most > granted + len(mine) - 1:
                yield f"{most} changes are sent for, more than {granted}"

    def ended(self, handler: Handler) -> None:
        """Check that the first success opens a gate."""
        if not handler.probes or handler.troubled or handler.killed or handler.number in self.known:
            return
        if any(call.operation == "START" for call in handler.calls):
            return  # an upload that has only begun shows nothing yet
        gates = self.history.stacks[handler.stack].parked.gates.gates
        wrote = {each.bucket for each in handler.calls if each.side == "destination" and each.operation in WRITES}
        for gate in (gates[bucket] for bucket in wrote if bucket in gates):
            if gate.state is GateState.SHUT and gate.since + VIEW_MS <= handler.began * 1000:
                found = f"{handler.name} has written to {gate.destination}, but its gate is still shut"
                self.history.watch.violations.append(found)


def _is_about_settled(handler: Handler, stack: Stack, memory: Memory) -> bool:
    """Return whether a message of a handler is about a version that is settled."""
    letters = [stack.queue.messages[each] for each in handler.letters if each in stack.queue.messages]
    return any(version_id in memory.settled for letter in letters for _, version_id in _names(letter.body))


def _is_sent(route: Route, stored: Stored) -> bool:
    return route.selects(stored.content) if stored.is_version else route.markers


def _places(stack: Stack) -> set[tuple[str, str, str]]:
    """Return every change that waits somewhere: key, version id, and destination if it is parked for one."""
    bodies = [letter.body for queue in (stack.queue, stack.parts) for letter in queue.messages.values()]
    bodies += [failed.body for failed in stack.queue.dead]
    uploads = stack.parked.parking.uploads
    bodies += [each.body for each in uploads.parked.values()] if uploads else []
    found = {(*name, "") for body in bodies for name in _names(body)}
    for (pair, item_id), waiting in stack.journal.waiting.items():
        if waiting.parked:
            found.add((pair.key, item_id, pair.destination))
    return found


@cache
def _names(body: str) -> tuple[tuple[str, str], ...]:
    """Return key and version id of each change in a message."""
    parts = decode(body) if '"copyParts"' in body else None
    if isinstance(parts, PartsMessage):
        return ((parts.change.key, parts.change.version_id),)
    return tuple((each.change.key, each.change.version_id) for each in parse(body) if isinstance(each, Record))


def _counted_twice(stack: Stack) -> Iterator[str]:
    """Check that what is parked is in one index, and what waits on its queue in the other."""
    for (pair, item_id), waiting in stack.journal.waiting.items():
        if waiting.parked and (waiting.due or waiting.status is not Status.PENDING):
            yield f"{item_id} -> {pair.destination} is parked, and waits on its queue"


def _not_denied(stack: Stack) -> Iterator[str]:
    """Promise 6: nothing is in the dead-letter queue that met temporary trouble only."""
    for failed in stack.queue.dead:
        if failed.outcome.reason not in DENIED.values():
            yield f"a change failed with {failed.outcome.reason}"


def _sent(handler: Handler, entries: list[Any]) -> Iterator[str]:
    """Check that only what its order names is sent."""
    if handler.order is None:
        return
    destination, since, until = handler.order.destination, handler.order.since, handler.order.until
    for entry in entries:
        if entry.destination != destination or not since <= entry.release_at <= until:
            yield f"{entry.item} is sent, which is not in its order"


def of_message(history: "History", stack: Stack, message: Message) -> Iterator[str]:
    """Check that a destination that works has its replica after ENOUGH deliveries, whatever the others do.

    Unless a delivery met trouble of its own, or the rules could not be read.
    """
    weather, subject = history.weather, stack.subjects.get(message.id)
    if weather is None or subject is None or message.receive_count <= ENOUGH or message.parked or message.redriven:
        return
    if weather.sky is Sky.NO_RULES or history.luck.mishaps or history.setting.large or not subject.is_version:
        return
    for route in history.setting.routes:
        is_healthy = route.source == stack.bucket and weather.bucket not in {route.source, route.destination}
        ((key, _),) = _names(message.body)
        is_there = history.watch.copies[route.destination, subject.serial] > 0
        if is_healthy and not is_there and subject in natives(history.s3.buckets[route.source], key):
            yield f"{subject.version_id} is not yet in {route.destination}, which works"


def nothing_parked(history: "History") -> Iterator[str]:
    """Promise 6, at rest: no message of parts is parked. What else is parked waits."""
    for stack in history.stacks.values():
        uploads = stack.parked.parking.uploads
        for entry in uploads.parked.values() if uploads else ():
            yield f"{' '.join(entry.item)} is still parked"
