"""The port `Gates` on DynamoDB: one item per destination, all of them in one partition of the journal table.

Separate from journal.py: a gate is about a destination, not about an object, and every function reads all of them at
once. Items have no expiry: there are no more of them than destinations.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from replicator.aws.conditions import HAS_GATE, IS_NOT_SHUT, IS_OPENING, IS_SHUT, NO_GATE, is_gate
from replicator.aws.table import NOWHERE, JournalTable, Update, gate_key, plain
from replicator.core.outcomes.gate import Gate, GateState, opening, shut

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

ALWAYS = 1
"""Since when nothing is parked behind a gate that nothing was ever parked behind, epoch milliseconds."""
NUMBERS = [each.name for each in fields(Gate) if each.type is int]


class DynamoGates:
    """The gates of one stack."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = JournalTable(client, table)

    def all(self) -> Mapping[str, Gate]:
        """Read all gates by destination, consistently."""
        gates = [_gate(plain(item)) for item in self._table.gates()]
        return {gate.destination: gate for gate in gates}

    def enlist(self, destination: str, now: int) -> None:
        """Make sure that the destination has a gate, behind which the monitor looks."""
        values = _values(Gate(destination, since=now))
        if not self._table.write(gate_key(destination), Update(values), NO_GATE):
            self._table.write(gate_key(destination), Update({"quiet": 0}), HAS_GATE)

    def shut(self, destination: str, reason: str, detail: str, now: int) -> None:
        """Shut a gate, unless it is shut already. What is denied there stays recorded."""
        values = _without_denials(shut(Gate(destination), reason, detail, now))
        self._table.write(gate_key(destination), Update(values), IS_NOT_SHUT)

    def begin_opening(self, destination: str, now: int) -> None:
        """Let a gate that is shut begin to open."""
        values = _values(opening(Gate(destination), now))
        kept = {name: values[name] for name in ("state", "since", "rate", "succeeded", "troubled", "stepped")}
        self._table.write(gate_key(destination), Update(kept), IS_SHUT)

    def count(self, destination: str, succeeded: int, troubled: int) -> None:
        """Add changes that ended while the gate is opening."""
        update = Update(count={"succeeded": succeeded, "troubled": troubled})
        self._table.write(gate_key(destination), update, IS_OPENING)

    def note_denied(self, destination: str, since: int, reason: str) -> None:
        """Record since when a destination denies everything; 0 if it does not."""
        denied = {"denied": since, "denied_reason": reason}
        gate = {**_values(Gate(destination, since=since, quiet=ALWAYS)), **denied}
        if not self._table.write(gate_key(destination), Update(gate), NO_GATE):
            self._table.write(gate_key(destination), Update(denied), HAS_GATE)

    def step(self, before: Gate, after: Gate) -> bool:
        """Write what a step of the monitor made of a gate; False if it has changed, or another run took the step."""
        return self._table.write(gate_key(before.destination), Update(_without_denials(after)), is_gate(before))


def _values(gate: Gate) -> dict[str, object]:
    """Return the attributes of a gate. Its destination is in the key."""
    values = asdict(gate)
    del values["destination"]
    return values


def _without_denials(gate: Gate) -> dict[str, object]:
    return {name: value for name, value in _values(gate).items() if not name.startswith("denied")}


def _gate(item: Mapping[str, object]) -> Gate:
    known = {each.name: item[each.name] for each in fields(Gate) if each.name in item}
    numbers = {name: int(str(known[name])) for name in NUMBERS if name in known}
    texts = {name: str(value) for name, value in known.items() if name not in NUMBERS}
    state = GateState(texts.pop("state", GateState.OPEN))
    destination = str(item["target"])
    return Gate(destination="" if destination == NOWHERE else destination, state=state, **numbers, **texts)  # type: ignore[arg-type]
