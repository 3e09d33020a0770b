"""One of three destinations is away: changes for it are parked, the others do not notice, and everything arrives."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from replicator.aws.gates import DynamoGates
from replicator.core.outcomes.gate import GateState

from emulator.running import Options, Running, running
from tests.emulator.failures import take_failures
from tests.emulator.likeness import Comparison, Side
from tests.emulator.worlds import bucket, fault, rule
from tests.patience import until

HEALTHY = ("north", "south")
WORLD: dict[str, Any] = {
    "buckets": [bucket(name) for name in ("east", "west", *HEALTHY)],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {"DestinationBuckets": "west,north,south"},
            "rules": {
                "east": {
                    "Rules": [
                        rule("east", name, ID=name, Priority=number) for number, name in enumerate(("west", *HEALTHY))
                    ]
                }
            },
        }
    ],
}
KEYS = {f"k/{number}" for number in range(25)}
QUOTA = 30


@pytest.fixture
def emulator() -> Iterator[Running]:
    with running(WORLD, Options(crash_visibility=1.0)) as emulator:
        yield emulator


def gates(emulator: Running) -> DynamoGates:
    return DynamoGates(emulator.client("dynamodb"), emulator.outputs("prod")["JournalTable"])


def waiting(emulator: Running, attribute: str) -> int:
    """Count the items of the journal with an attribute: `parked` or `waiting`."""
    items = emulator.client("dynamodb").scan(TableName=emulator.outputs("prod")["JournalTable"])["Items"]
    return sum(attribute in item for item in items)


def keys(emulator: Running, name: str) -> set[str]:
    found = emulator.client("s3").list_objects_v2(Bucket=name).get("Contents", [])
    return {each["Key"] for each in found}


def of_functions(emulator: Running, name: str) -> list[str]:
    """Return the operations that functions asked a bucket for."""
    rows = emulator.get("requests")
    return [row["operation"] for row in rows if row["bucket"] == name and row["principal"] == "replicator"]


def kills(operation: str, service: str, times: int) -> list[dict[str, Any]]:
    return [fault(operation, {"kill": moment}, service, times=times) for moment in ("before", "after")]


def test_a_destination_that_is_away_delays_no_other_and_gets_everything_once_it_is_back(emulator: Running) -> None:
    """Functions are killed while they park and release, events come twice and in disorder, and few may be in flight."""
    emulator.post("limits", {"sqs_in_flight": QUOTA})
    emulator.post("delivery", {"duplicate": 0.2, "shuffle": True, "seed": 1})
    away = fault("*", {"status": 503, "code": "ServiceUnavailable"}, bucket="west")
    emulator.post("faults", [away, *kills("UpdateItem", "dynamodb", 2)])
    gates(emulator).shut("west", "ServiceError", "CopyObject (destination): 503", time.time_ns() // 1_000_000)
    for key in sorted(KEYS):
        emulator.client("s3").put_object(Bucket="east", Key=key, Body=key.encode())
    until(lambda: all(keys(emulator, name) == KEYS for name in HEALTHY))
    until(lambda: waiting(emulator, "parked") >= len(KEYS) - 1)  # one may be on its way as a probe
    assert len(of_functions(emulator, "west")) <= 6, "a request or two for each minute's probe"
    emulator.delete("faults")
    emulator.post("faults", [*kills("SendMessageBatch", "sqs", 1), *kills("UpdateItem", "dynamodb", 1)])
    until(lambda: fired_until_open(emulator))
    assert emulator.idle()
    assert Comparison(Side.of(emulator, "east"), Side.of(emulator, "west")).differences(KEYS) == []
    assert (waiting(emulator, "parked"), waiting(emulator, "waiting")) == (0, 0)
    assert take_failures(emulator) == []


def fired_until_open(emulator: Running) -> bool:
    emulator.post("fire", {"stack": "prod", "function": "MonitorFunction"})
    return gates(emulator).all()["west"].state is GateState.OPEN
