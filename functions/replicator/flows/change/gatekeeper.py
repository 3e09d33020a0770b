"""The gates as one container sees them: which changes may go out, and what their outcomes say of a destination.

Separate from the gates' transitions, which are pure (core/outcomes/gate.py), and from replicating, which only asks. The
gates are read once per batch, when the last reading is older than VIEW_MS, and written at its end. Trouble with the
journal never fails a change here: the gates then stay as this container last saw them.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from replicator.core.deciding.attempt import Attempt
from replicator.core.deciding.result import Result, ended
from replicator.core.outcomes.gate import Evidence, Gate, GateState, Seen, opening, seen_in, shut
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.flows.ports import Gates, Log

VIEW_MS = 10_000
"""How old a container's view of the gates may be."""


@dataclass(slots=True)
class Gatekeeper:
    """The gates for one container. Thread-safe, as long as `look` and `close_batch` are called between batches."""

    gates: Gates
    now: Callable[[], int]
    log: Log
    _view: Mapping[str, Gate] = field(default_factory=dict)
    _looked: int = 0
    _evidence: dict[str, Evidence] = field(default_factory=lambda: defaultdict(Evidence))
    _batch: dict[str, Counter[Seen]] = field(default_factory=lambda: defaultdict(Counter))
    _trouble: dict[str, tuple[str, str]] = field(default_factory=dict)
    _held: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self) -> None:
        """Read the gates if the last reading is too old."""
        if self._looked and self.now() - self._looked < VIEW_MS:
            return
        self._looked = self.now()
        try:
            self._view = dict(self.gates.all())
        except (Temporary, Permanent) as trouble:
            self.log.incomplete(f"the gates of the destinations could not be read: {trouble}")

    def hold(self, attempt: Attempt) -> Result | None:
        """Return the result of an attempt that may not go out now; None if it may."""
        gate, delivery = self._view.get(attempt.target.bucket), attempt.delivery
        asked = delivery.parked > 0 or delivery.redriven
        if gate is None or gate.admits(parked=asked, probe=delivery.probe):
            return None
        with self._lock:
            self._held[gate.destination] += 1
        result = ended(attempt, Status.PENDING, Reason(gate.reason), f"all of {gate.destination} fails: {gate.detail}")
        return result.with_trail(held=True)

    def enlist(self, destination: str) -> None:
        """Make sure that what is parked for a destination is found. Raises Temporary."""
        gate = self._view.get(destination)
        if gate is None or gate.quiet:
            now = self.now()
            self.gates.enlist(destination, now)
            listed = replace(gate, quiet=0) if gate else Gate(destination, since=now)
            self._view = {**self._view, destination: listed}

    def saw(self, result: Result) -> None:
        """Take the result of an attempt as evidence."""
        seen, outcome = seen_in(result.outcome), result.outcome
        if result.trail.held or seen is Seen.NOTHING or (seen is Seen.SUCCESS and result.trail.reported):
            return
        with self._lock:
            self._evidence[outcome.destination].add(seen, result.attempt.change.key, self.now())
            self._batch[outcome.destination][seen] += 1
            if seen in {Seen.TROUBLE, Seen.DENIAL}:
                self._trouble[outcome.destination] = (str(outcome.reason), outcome.detail)

    def close_batch(self) -> None:
        """Write what the batch has shown of its destinations, and log how many changes were held."""
        batch, held = dict(self._batch), dict(self._held)
        self._batch.clear()
        self._held.clear()
        for destination, seen in batch.items():
            try:
                self._write(destination, seen)
            except (Temporary, Permanent) as trouble:
                self.log.incomplete(f"the gate of {destination} could not be written: {trouble}")
        for destination, number in held.items():
            gate = self._view[destination]
            self.log.incomplete(f"{number} changes for {destination} are parked: {gate.reason} since {gate.since}")

    def _write(self, destination: str, seen: Counter[Seen]) -> None:
        gate = self._view.get(destination, Gate(destination))
        evidence, now = self._evidence[destination], self.now()
        reason, detail = self._trouble.get(destination, ("", ""))
        if gate.state is GateState.SHUT and seen[Seen.SUCCESS]:
            self.gates.begin_opening(destination, now)
            self._see(opening(gate, now))
        elif gate.state is not GateState.SHUT and evidence.is_down(now, opening=gate.state is GateState.OPENING):
            self.gates.shut(destination, reason, detail, now)
            self._see(shut(gate, reason, detail, now))
        elif gate.state is GateState.OPENING:
            self.gates.count(destination, seen[Seen.SUCCESS] + seen[Seen.ANSWER], seen[Seen.TROUBLE])
        self._write_denials(gate, seen, now)

    def _write_denials(self, gate: Gate, seen: Counter[Seen], now: int) -> None:
        if self._evidence[gate.destination].denies_all and not gate.denied:
            self.gates.note_denied(gate.destination, now, self._trouble[gate.destination][0])
        elif gate.denied and seen[Seen.SUCCESS]:
            self.gates.note_denied(gate.destination, 0, "")
        else:
            return
        self._looked = 0

    def _see(self, gate: Gate) -> None:
        self._view = {**self._view, gate.destination: gate}
        self._evidence[gate.destination] = Evidence()
