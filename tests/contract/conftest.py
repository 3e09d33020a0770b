"""Every test runs twice: on the fakes and on the emulator."""

from collections.abc import Iterator

import pytest
from replicator.aws.clients import Clients

from tests.contract.stages import InMemory, Stage, emulated, on_emulator
from tests.emulator.plain import Plain


@pytest.fixture(scope="module")  # one emulator per process at a time: none outlives its module
def server() -> Iterator[tuple[Plain, Clients]]:
    with emulated() as plain_and_clients:
        yield plain_and_clients


@pytest.fixture(params=["memory", "emulator"])
def stage(request: pytest.FixtureRequest) -> Stage:
    return InMemory() if request.param == "memory" else on_emulator(*request.getfixturevalue("server"))
