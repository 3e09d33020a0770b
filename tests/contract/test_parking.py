"""What is parked, the gates, and the way back to the queues: in the fakes, and in the adapters to DynamoDB and SQS."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Protocol, TypeVar

import pytest
from replicator.aws.gates import DynamoGates
from replicator.aws.journal import DynamoJournal
from replicator.aws.parked import DynamoParking
from replicator.aws.upload_journal import DynamoUploadJournal
from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.gate import Gate, GateState, opening, shut
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.outcomes.parking import PARTITIONS, Parked
from replicator.flows.large.ports import UploadJournal
from replicator.flows.ports import CLAIM_MS, Earlier, Gates, Journal, Note, Waiting
from replicator.flows.release import ParkedEntry, Parking

from tests.fakes.journal import MemoryJournal
from tests.fakes.parking import MemoryGates, MemoryParking
from tests.fakes.upload_journal import MemoryUploadJournal

NOON = 1_700_000_000_000
THRESHOLD_MS = 900_000
EVER = 2**53
EAST = Pair("east", "west", "key ü/#")
KEYS = (("object", "HASH"), ("target", "RANGE"))
INDEXES = (("ByAge", "waiting", "first_seen"), ("ByRelease", "parked", "release_at"))
_numbers = count(1)
T = TypeVar("T")


class AnyGates(Gates, Protocol):
    """The gates as the functions and the monitor see them."""

    def step(self, before: Gate, after: Gate) -> bool:
        """Write the next step of a gate."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports over one table."""

    journal: Journal
    uploads: UploadJournal
    parking: Parking
    gates: AnyGates

    def parked(self, destination: str = "west", since: int = 0, until: int = EVER) -> list[ParkedEntry]:
        """Return what is parked for a destination, first due first."""
        read = [self.parking.entries(destination, each.name, since, until) for each in PARTITIONS]
        return sorted((entry for entries in read for entry in entries), key=lambda each: (each.release_at, each.item))


def in_memory() -> Ports:
    journal, uploads = MemoryJournal(), MemoryUploadJournal()
    return Ports(journal, uploads, MemoryParking(journal, uploads, THRESHOLD_MS), MemoryGates())


@pytest.fixture
def on_dynamodb(server: Any) -> Ports:
    """Return the adapters over a table of its own."""
    plain, clients = server
    name = f"parking-{next(_numbers)}"
    texts, numbers = ["object", "target", "waiting", "parked"], ["first_seen", "release_at"]
    plain.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": each, "AttributeType": kind}
            for kind, names in (("S", texts), ("N", numbers))
            for each in names
        ],
        KeySchema=[{"AttributeName": each, "KeyType": kind} for each, kind in KEYS],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": partition, "KeyType": "HASH"},
                    {"AttributeName": order, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, partition, order in INDEXES
        ],
    )
    client = clients.dynamodb()
    return Ports(
        DynamoJournal(client, name),
        DynamoUploadJournal(client, name),
        DynamoParking(client, name, THRESHOLD_MS),
        DynamoGates(client, name),
    )


@pytest.fixture(params=["memory", "emulator"])
def ports(request: pytest.FixtureRequest) -> Ports:
    return in_memory() if request.param == "memory" else request.getfixturevalue("on_dynamodb")


def waits(item_id: str = "v1", parked: Parked | None = None, status: Status = Status.PENDING) -> Waiting:
    reason = Reason.SERVICE if status is Status.PENDING else Reason.DST_PUT_DENIED
    note = Note("rule", 5, NOON, 1)
    due = 0 if parked else NOON + 60_000
    return Waiting(status, reason, "why", item_id, note, THRESHOLD_MS, due, receives=1, parked=parked)


def until(release_at: int, *, tried: bool = True) -> Parked:
    return Parked(release_at, '{"Records": []}', tried)


# What is parked


def test_what_is_parked_is_found_when_it_is_due_with_the_body_of_its_message(ports: Ports) -> None:
    ports.journal.wait(EAST, waits(parked=until(NOON + 5)))
    assert ports.parked(until=NOON + 4) == []
    assert ports.parked(since=NOON + 6) == []
    [entry] = ports.parked(since=NOON + 5, until=NOON + 5)
    assert (entry.destination, entry.release_at, entry.parkings) == ("west", NOON + 5, 1)
    assert (entry.body, entry.tried, entry.is_parts) == ('{"Records": []}', True, False)
    assert entry.pending is not None
    assert (entry.pending.key, entry.pending.item_id, entry.pending.parked) == (EAST.key, "v1", True)


def test_what_is_parked_for_one_destination_is_not_found_for_another(ports: Ports) -> None:
    ports.journal.wait(EAST, waits(parked=until(NOON)))
    assert ports.parked("north") == []


def test_what_was_released_is_not_parked_any_more_and_waits(ports: Ports) -> None:
    ports.journal.wait(EAST, waits(parked=until(NOON)))
    [entry] = ports.parked()
    ports.parking.note_released(entry, NOON)
    assert ports.parked() == []
    assert ports.journal.close(EAST, "v1", NOON) is not None


def test_what_was_parked_again_meanwhile_stays_parked(ports: Ports) -> None:
    ports.journal.wait(EAST, waits(parked=until(NOON)))
    [entry] = ports.parked()
    ports.journal.wait(EAST, waits(parked=until(NOON + 1)))
    ports.parking.note_released(entry, NOON)
    [again] = ports.parked()
    assert (again.parkings, again.release_at) == (2, NOON + 1)


def test_what_was_completed_meanwhile_does_not_wait_because_it_was_released(ports: Ports) -> None:
    ports.journal.wait(EAST, waits(parked=until(NOON)))
    [entry] = ports.parked()
    ports.journal.close(EAST, "v1", NOON)
    ports.parking.note_released(entry, NOON)
    earlier = ports.journal.earlier(EAST, "v1")
    assert earlier is not None
    assert earlier.status is Status.COMPLETED
    assert ports.parked() == []


@pytest.mark.parametrize("status", [Status.PENDING, Status.FAILED])
def test_what_waits_or_failed_is_not_parked(ports: Ports, status: Status) -> None:
    ports.journal.wait(EAST, waits(parked=until(NOON)))
    ports.journal.wait(EAST, waits(status=status))
    assert ports.parked() == []


def test_what_is_completed_cannot_be_parked(ports: Ports) -> None:
    ports.journal.note_completed(EAST, "v1", "message", NOON)
    before = ports.journal.wait(EAST, waits(parked=until(NOON)))
    assert before is not None
    assert before.status is Status.COMPLETED
    assert ports.parked() == []


def test_once_a_change_was_processed_that_is_known_however_often_it_is_parked(ports: Ports) -> None:
    for tried in (False, True, False):
        ports.journal.wait(EAST, waits(parked=until(NOON, tried=tried)))
    [entry] = ports.parked()
    assert entry.tried


def test_what_was_parked_before_its_destinations_were_known_is_closed_by_itself(ports: Ports) -> None:
    nowhere = replace(EAST, destination="")
    ports.journal.wait(nowhere, waits(parked=until(NOON)))
    ports.journal.wait(EAST, waits(parked=until(NOON)))
    assert [each.destination for each in ports.parked("")] == [""]
    assert ports.journal.close(nowhere, "v1", NOON) is not None
    assert ports.parked("") == []
    assert len(ports.parked()) == 1


def test_a_message_of_parts_is_parked_beside_the_others_of_its_upload_and_replaced_by_itself(ports: Ports) -> None:
    for number, release_at in ((1, NOON), (5, NOON + 1), (1, NOON + 2)):
        ports.uploads.park(EAST, "upload", number, until(release_at))
    found = ports.parked()
    assert [each.release_at for each in found] == [NOON + 1, NOON + 2]
    assert all(each.is_parts for each in found)
    ports.parking.note_released(found[0], NOON)
    assert ports.parked() == found[1:]


def test_a_message_of_parts_that_was_parked_again_meanwhile_stays_parked(ports: Ports) -> None:
    ports.uploads.park(EAST, "upload", 1, until(NOON))
    [entry] = ports.parked()
    ports.uploads.park(EAST, "upload", 1, until(NOON + 1))
    ports.parking.note_released(entry, NOON)
    assert [each.release_at for each in ports.parked()] == [NOON + 1]


# Random conversations


@dataclass
class Both:
    """The fakes and the adapters, asked the same in the same order; `asked` has the whole conversation."""

    fake: Ports
    real: Ports
    draw: random.Random
    asked: list[str] = field(default_factory=list)

    def ask(self, name: str, question: Callable[[Ports], T]) -> T:
        fake, real = question(self.fake), question(self.real)
        self.asked.append(f"{name}: {fake}")
        assert fake == real, "\n".join(self.asked)
        return fake

    def converse(self, pair: Pair, item_id: str, now: int, stale: list[ParkedEntry]) -> None:
        """Do one thing that a handler, the monitor or the release of parked changes may do."""
        about = f"{pair.destination} {item_id} {now}"
        match self.draw.choice(("park", "park", "wait", "fail", "begin", "close", "note", "release", "claim")):
            case "park":
                which = waits(item_id, until(now, tried=self.draw.random() < 0.5))
                self.ask(f"park {about} {which}", lambda ports: _known(ports.journal.wait(pair, which)))
            case "wait":
                self.ask(f"wait {about}", lambda ports: _known(ports.journal.wait(pair, waits(item_id))))
            case "fail":
                which = waits(item_id, status=Status.FAILED)
                self.ask(f"fail {about}", lambda ports: _known(ports.journal.wait(pair, which)))
            case "begin":
                self.ask(f"begin {about}", lambda ports: ports.journal.begin(pair, waits(item_id)))
            case "close":
                self.ask(f"close {about}", lambda ports: ports.journal.close(pair, item_id, now))
            case "note":
                self.ask(f"note {about}", lambda ports: ports.journal.note_completed(pair, item_id, "message", now))
            case "claim":
                self.ask(f"claim {about}", lambda ports: ports.journal.claim_missed(pair, item_id, now, "one"))
            case _ if stale:
                entry = self.draw.choice(stale)
                self.ask(f"release {entry}", lambda ports: ports.parking.note_released(entry, now))


def _known(earlier: Earlier | None) -> object:
    """Of a completed version nothing but that matters."""
    return Status.COMPLETED if earlier and earlier.status is Status.COMPLETED else earlier


def test_the_fakes_park_and_release_as_dynamodb_does_whatever_they_are_asked(on_dynamodb: Ports) -> None:
    for seed in range(8):
        draw, now, stale = random.Random(seed), NOON, list[ParkedEntry]()  # noqa: S311 - a conversation, not a secret
        both = Both(in_memory(), on_dynamodb, draw, [f"seed {seed}"])
        for _ in range(25):
            now += draw.choice((0, 1, 1000, CLAIM_MS))
            pair = Pair("east", draw.choice((f"west{seed}", "")), f"random {seed}")
            both.converse(pair, draw.choice(("v1", "v2")), now, stale)
            stale += both.ask("parked", lambda ports, pair=pair: _of(ports, pair))  # type: ignore[misc]


def _of(ports: Ports, pair: Pair) -> list[ParkedEntry]:
    """Return what is parked of one key."""
    return [each for each in ports.parked(pair.destination) if each.item[0] == f"{pair.source}/{pair.key}"]


# Gates


def test_a_destination_without_a_gate_gets_an_open_one_once_something_is_parked_for_it(ports: Ports) -> None:
    ports.gates.enlist("west", NOON)
    ports.gates.enlist("west", NOON + 1)
    ports.gates.enlist("", NOON)
    assert ports.gates.all() == {"west": Gate("west", since=NOON), "": Gate("", since=NOON)}


def test_what_is_parked_behind_a_quiet_gate_is_looked_for_again_and_the_gate_stays_as_it_is(ports: Ports) -> None:
    ports.gates.shut("west", "ServiceError", "500", NOON)
    gate = ports.gates.all()["west"]
    assert ports.gates.step(gate, replace(gate, quiet=NOON))
    ports.gates.enlist("west", NOON + 1)
    assert ports.gates.all()["west"] == gate


def test_a_gate_that_is_shut_stays_shut_since_it_was(ports: Ports) -> None:
    ports.gates.shut("west", "ServiceError", "500", NOON)
    ports.gates.shut("west", "Throttled", "503", NOON + 1)
    gate = ports.gates.all()["west"]
    assert (gate.state, gate.since, gate.reason, gate.detail) == (GateState.SHUT, NOON, "ServiceError", "500")


def test_only_a_gate_that_is_shut_begins_to_open(ports: Ports) -> None:
    ports.gates.enlist("west", NOON)
    ports.gates.begin_opening("west", NOON + 1)
    assert ports.gates.all()["west"].state is GateState.OPEN
    ports.gates.shut("west", "ServiceError", "500", NOON + 2)
    ports.gates.begin_opening("west", NOON + 3)
    ports.gates.begin_opening("west", NOON + 4)
    gate = ports.gates.all()["west"]
    assert gate == opening(shut(Gate("west"), "ServiceError", "500", NOON + 2), NOON + 3)


def test_changes_are_counted_only_while_the_gate_opens(ports: Ports) -> None:
    ports.gates.shut("west", "ServiceError", "500", NOON)
    ports.gates.count("west", 1, 1)
    ports.gates.begin_opening("west", NOON + 1)
    ports.gates.count("west", 2, 3)
    ports.gates.count("west", 4, 5)
    gate = ports.gates.all()["west"]
    assert (gate.succeeded, gate.troubled) == (6, 8)


def test_of_two_runs_of_the_monitor_one_takes_the_step(ports: Ports) -> None:
    ports.gates.shut("west", "ServiceError", "500", NOON)
    before = ports.gates.all()["west"]
    assert ports.gates.step(before, replace(before, probed=NOON + 1))
    assert not ports.gates.step(before, replace(before, probed=NOON + 2))
    assert ports.gates.all()["west"].probed == NOON + 1


def test_a_step_does_not_undo_what_was_written_meanwhile(ports: Ports) -> None:
    ports.gates.shut("west", "ServiceError", "500", NOON)
    before = ports.gates.all()["west"]
    ports.gates.begin_opening("west", NOON + 1)
    assert not ports.gates.step(before, replace(before, probed=NOON + 2))
    assert ports.gates.all()["west"].state is GateState.OPENING


def test_what_is_denied_stays_recorded_whatever_the_gate_does(ports: Ports) -> None:
    ports.gates.note_denied("west", NOON, "DstPutObjectNotPermitted")
    before = ports.gates.all()["west"]
    ports.gates.shut("west", "ServiceError", "500", NOON + 1)
    ports.gates.begin_opening("west", NOON + 2)
    gate = ports.gates.all()["west"]
    assert ports.gates.step(gate, replace(gate, state=GateState.OPEN, denied=0, denied_reason=""))
    assert ports.gates.all()["west"].denied == before.denied == NOON
    ports.gates.note_denied("west", 0, "")
    assert ports.gates.all()["west"].denied == 0


def test_the_gates_in_memory_change_as_those_in_dynamodb_whatever_they_are_asked(on_dynamodb: Ports) -> None:
    draw = random.Random(1)  # noqa: S311 - a conversation, not a secret
    both = Both(in_memory(), on_dynamodb, draw)
    stale: list[Gate] = []
    for now in range(NOON, NOON + 250):
        destination = draw.choice(("west", "north", ""))
        match draw.choice(("enlist", "shut", "open", "count", "denied", "step", "step")):
            case "enlist":
                both.ask(f"enlist {destination}", lambda ports, d=destination, n=now: ports.gates.enlist(d, n))  # type: ignore[misc]
            case "shut":
                both.ask(f"shut {destination}", lambda ports, d=destination, n=now: ports.gates.shut(d, "r", "d", n))  # type: ignore[misc]
            case "open":
                both.ask(f"open {destination}", lambda ports, d=destination, n=now: ports.gates.begin_opening(d, n))  # type: ignore[misc]
            case "count":
                both.ask(f"count {destination}", lambda ports, d=destination: ports.gates.count(d, 1, 2))  # type: ignore[misc]
            case "denied":
                since = draw.choice((0, now))
                both.ask(
                    f"denied {destination}",
                    lambda ports, d=destination, s=since: ports.gates.note_denied(d, s, "denied" if s else ""),  # type: ignore[misc]
                )
            case _ if stale:
                before = draw.choice(stale[-4:])
                after = replace(before, stepped=now, quiet=draw.choice((0, now)), succeeded=0, troubled=0)
                both.ask(f"step {before} {after}", lambda ports, b=before, a=after: ports.gates.step(b, a))  # type: ignore[misc]
        stale += both.ask("gates", lambda ports: dict(ports.gates.all())).values()
