"""Faults of mutations.py that concern parking, gates and the release of what is parked.

Separate because they need worlds of their own, in which a destination fails for minutes or hours.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from replicator.core.outcomes import gate, release
from replicator.core.outcomes.backoff import OVERDUE_MS
from replicator.core.outcomes.gate import Gate, GateState
from replicator.core.outcomes.parking import Parked
from replicator.flows import copy_parts
from replicator.flows import release as releasing
from replicator.flows.change.gatekeeper import Gatekeeper
from replicator.flows.change.record import Recorder
from replicator.flows.watch import parked as watching

from tests.fakes.journal import MemoryJournal
from tests.fakes.parking import MemoryGates, MemoryOutbox, MemoryParking
from tests.fakes.upload_journal import MemoryUploadJournal

WAIT = Recorder._wait
PARKED = Recorder._parked
JOURNAL_WAIT = MemoryJournal._wait
HOLD = Gatekeeper.hold
PARK_PARTS = MemoryUploadJournal._park
STEP = gate.step


def note_first(order: Any, chunk: Any, services: Any) -> int:
    """Mark as released, then send."""
    for entry, _ in chunk:
        services.parking.note_released(entry, services.now())
    return len(services.outbox.send(chunk, probe=order.probe))


def delete_first(self: Recorder, result: Any) -> Any:
    """Take the message off its queue, then park its change."""
    if self._parked(result):
        self.dead_letters.delete([result.attempt.delivery.message])  # type: ignore[attr-defined]
    return WAIT(self, result)


def untried(self: Recorder, result: Any) -> Parked | None:
    """Forget that the change was processed before."""
    found = PARKED(self, result)
    return replace(found, tried=False) if found else None


def note_whatever(self: MemoryParking, entry: Any, now: int) -> None:
    """Take an entry out of what is parked, even if it was parked once more."""
    if entry.is_parts and self.uploads:
        self.uploads.parked.pop(entry.item, None)
    for item, waiting in self.journal.waiting.items():
        pair, item_id = item
        if (f"{pair.source}/{pair.key}", f"{pair.destination}#{item_id}") == entry.item and waiting.parked:
            self.journal.waiting[item] = replace(waiting, parked=None, due=now + OVERDUE_MS)


def never_found(self: Any, destination: str) -> None:
    """Park, and let nobody know."""


def stays_shut(self: MemoryGates, destination: str, now: int) -> None:
    """Let no success open a gate."""


def always_the_oldest(destination: str, sample: Any, minute: int) -> Any:
    """Try the same change each minute."""
    return release.probe(destination, sample, 0)


def stays_parked(self: MemoryJournal, pair: Any, waiting: Any) -> Any:
    """Let a change that waits on its queue stay in the index of what is parked."""
    before = self.waiting.get((pair, waiting.item_id))
    kept = waiting.parked or (before.parked if before else None)
    earlier = JOURNAL_WAIT(self, pair, waiting)
    if (pair, waiting.item_id) in self.waiting:
        self.waiting[pair, waiting.item_id] = replace(waiting, parked=kept)
    return earlier


def forget_nowhere(self: Recorder, results: Any) -> list[Any]:
    """Leave what was parked without a destination as it is."""
    return list(results)


def hold_nothing(self: Gatekeeper, attempt: Any) -> None:
    """Let everything through a gate that is shut."""


def hold_probes(self: Gatekeeper, attempt: Any) -> Any:
    """Let nothing through a gate that is shut."""
    return HOLD(self, replace(attempt, delivery=replace(attempt.delivery, probe=False)))


def all_at_once(before: Gate, now: int, due: int, full: int) -> Any:
    """Send for all that is due, as soon as the gate opens."""
    taken = STEP(before, now, due, full)
    return taken if taken.probe or taken.gate.state is GateState.SHUT else replace(taken, releases=due)


def step_whatever(self: MemoryGates, before: Gate, after: Gate) -> bool:
    """Let every run of the monitor take the step."""
    self.gates[before.destination] = after
    return True


def forget_mine(self: Any, before: Gate, after: Gate) -> bool:
    """Take a gate for one behind which nothing is parked."""
    return STEP_GATE(self, before, replace(after, quiet=after.quiet or 1))


STEP_GATE = MemoryGates._step


def one_for_all(self: MemoryUploadJournal, pair: Any, upload_id: str, number: int, parked: Parked) -> None:
    """Keep one parked message of each upload."""
    PARK_PARTS(self, pair, upload_id, 1, parked)


def drop_parts(self: Any, came: int = 0) -> bool:
    """Let a message of parts go that meets a gate, without parking it."""
    return True


def parked_whatever(self: Recorder, result: Any) -> Any:
    """Let the message go even if parking failed."""
    try:
        return WAIT(self, result)
    except Exception:
        return result.with_trail(parked=self._parked(result) is not None)


def as_sent(self: MemoryOutbox, entries: Any, *, probe: bool) -> Any:
    """Take every entry for sent, though SQS takes only the first of a request."""
    OUTBOX_SEND(self, entries[:1], probe=probe)
    return [entry for entry, _ in entries]


OUTBOX_SEND = MemoryOutbox._send


def open_again(self: Gatekeeper, destination: str) -> None:
    """Take a gate for open behind which something is parked for the first time."""
    now = self.now()
    if destination not in self._view or self._view[destination].quiet:
        self.gates.enlist(destination, now)
        self._view = {**self._view, destination: Gate(destination, since=now)}


def probe_at_once(before: Gate, now: int, due: int) -> Any:
    """Send a probe whenever the monitor runs."""
    return gate.Step(replace(before, probed=now), 1, probe=True) if due else gate.Step(before)


ONE = ("outage, one-way",)
BASIC = ("outage, one-way", "outage, two-way", "outage, one of three")
HOT = ("outage, one key", "outage, two-way, one key")
LARGE = ("outage, large", "outage, large, two-way")

Patches = Sequence[tuple[object, str, object]]
Fault = (
    tuple[str, Patches, Sequence[str]]
    | tuple[str, Patches, Sequence[str], int]
    | tuple[str, Patches, Sequence[str], int, bool]
)
"""What a `Mutation` is made of: its name, patches and worlds, and perhaps its first seed, and whether it is rare."""

FAULTS: tuple[Fault, ...] = (
    ("what is parked is marked as released before it is sent", [(releasing, "_send", note_first)], ONE),
    ("a message is deleted before its change is parked", [(Recorder, "_wait", delete_first)], ONE),
    ("a message goes although its change could not be parked", [(Recorder, "_wait", parked_whatever)], ONE, 339),
    ("a parked change forgets that it was processed before", [(Recorder, "_parked", untried)], HOT, 0, True),
    (
        "what was parked again meanwhile is marked as released",
        [(MemoryParking, "_note_released", note_whatever)],
        BASIC,
    ),
    ("what is parked is entered behind no gate", [(Gatekeeper, "enlist", never_found)], ONE),
    ("a gate behind which something is parked counts as quiet", [(MemoryGates, "_step", forget_mine)], ONE, 0, True),
    ("no success opens a gate", [(MemoryGates, "_begin_opening", stays_shut)], ONE),
    ("every probe is the same change", [(watching, "probe", always_the_oldest)], ONE),
    ("a shut gate lets everything through", [(Gatekeeper, "hold", hold_nothing)], ONE),
    ("a shut gate holds its probes, too", [(Gatekeeper, "hold", hold_probes)], ONE),
    ("two runs of the monitor take the same step", [(MemoryGates, "_step", step_whatever)], ONE),
    ("each run of the monitor sends a probe", [(gate, "_probe", probe_at_once)], ONE),
    ("a gate that opens lets everything out", [(watching, "step", all_at_once)], ONE),
    ("a gate is taken for open once something is parked behind it", [(Gatekeeper, "enlist", open_again)], ONE),
    ("a change is parked and waits on its queue", [(MemoryJournal, "_wait", stays_parked)], BASIC),
    (
        "what was parked without a destination is not closed",
        [(Recorder, "close_nowhere", forget_nowhere)],
        BASIC,
    ),
    ("what SQS did not take counts as sent", [(MemoryOutbox, "_send", as_sent)], ONE),
    ("one message of parts is parked for each upload", [(MemoryUploadJournal, "_park", one_for_all)], LARGE),
    ("a message of parts goes without being parked", [(copy_parts._Worker, "park", drop_parts)], LARGE),
)
