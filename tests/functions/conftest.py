"""No test here reaches a network: a socket that is opened fails the test that opened it."""

import pytest
import replicator.runtime  # urllib3, when it is imported, opens a socket to see whether there is IPv6


@pytest.fixture(autouse=True)
def no_network(socket_disabled: None) -> None:
    assert replicator.runtime
