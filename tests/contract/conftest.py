"""Every test runs twice: on the fakes and on the emulator."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from replicator.aws.clients import Clients
from replicator.aws.journal import DynamoJournal
from replicator.core.deciding.journal import Pair
from replicator.flows.ports import Journal

from tests.contract.stages import InMemory, Stage, emulated, on_emulator
from tests.emulator.plain import Plain
from tests.fakes.journal import MemoryJournal

KEYS = (("object", "HASH"), ("target", "RANGE"))
_numbers = count(1)


@pytest.fixture(scope="module")  # one emulator per process at a time: none outlives its module
def server() -> Iterator[tuple[Plain, Clients]]:
    with emulated() as plain_and_clients:
        yield plain_and_clients


@pytest.fixture(params=["memory", "emulator"])
def stage(request: pytest.FixtureRequest) -> Stage:
    return InMemory() if request.param == "memory" else on_emulator(*request.getfixturevalue("server"))


@pytest.fixture(scope="module")
def table(server: Any) -> DynamoJournal:
    plain, clients = server
    plain.client("dynamodb").create_table(
        TableName="journal",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in KEYS],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in KEYS],
    )
    return DynamoJournal(clients.dynamodb(), "journal")


@pytest.fixture(params=["memory", "emulator"])
def journal(request: pytest.FixtureRequest) -> Journal:
    return MemoryJournal() if request.param == "memory" else request.getfixturevalue("table")


@pytest.fixture
def pair() -> Pair:
    return Pair("east", "west", f"key {next(_numbers)} ü/#")
