"""A bound on the requests of one process: each waits until its turn, the same time after the one before it.

Separate because only verification on a schedule has time to wait; live replication never does. Retries count, too.
"""

import threading
import time
from collections.abc import Callable

import boto3
from botocore.config import Config

from replicator.aws.clients import READ, Clients
from replicator.core.deciding.accounts import Accounts

EVENT = "before-send"
"""botocore's event before each attempt to send a request, of all services and operations."""


class Pace:
    """Lets so many requests a second go. Thread-safe: may be registered with several clients."""

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take a clock and what waits, both in seconds."""
        self._between = 1 / per_second
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0
        self._lock = threading.Lock()

    def __call__(self, **_: object) -> None:
        """Return when the request may go."""
        with self._lock:
            turn = max(self._clock(), self._next)
            self._next = turn + self._between
        self._sleep(max(0.0, turn - self._clock()))


class PacedClients(Clients):
    """Clients whose requests are bounded together."""

    def __init__(self, pace: Pace, accounts: Accounts | None = None) -> None:
        super().__init__(accounts=accounts)
        self._pace = pace

    def _make(self, service: str, region: str, config: Config = READ, session: boto3.Session | None = None) -> object:
        client = super()._make(service, region, config, session)
        client.meta.events.register(EVENT, self._pace)
        return client
