"""No test here reaches a network: a socket that is opened fails the test that opened it."""

import pytest


@pytest.fixture(autouse=True)
def no_network(socket_disabled: None) -> None: ...
