"""Everything that one running emulator knows beside what moto keeps: the seam between its server and its functions.

moto's backends are global to the process, so there is one emulator per process; `active()` is that one, for the code
that moto calls and that therefore cannot be handed anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from emulator.calls.request_log import RequestLog
from emulator.fault_injection.delivery import Delivery
from emulator.fault_injection.faults import Faults
from emulator.fault_injection.latency import Latency
from emulator.iam.principals import Principals


class FunctionHost(Protocol):
    """The deployed functions and what feeds them. `stack` and `function` are a stack's name and a logical id."""

    def invoke(self, stack: str, function: str, event: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """Run the function with this event and return its answer; `timeout` in seconds."""
        ...

    def fire(self, stack: str, function: str) -> Any:
        """Run a scheduled function now, with the event its schedule sends, and return its answer.

        Raises LookupError, with a message for the caller, when there is no such stack or function.
        """
        ...

    def idle(self) -> bool:
        """Return whether no function runs and the queues that feed functions hold nothing, visible or in flight."""
        ...

    def stop(self) -> None:
        """End every process and thread."""
        ...


class NoFunctions:
    """The functions of an emulator that has no stack: an S3 and nothing behind it."""

    def invoke(self, stack: str, function: str, event: Mapping[str, Any], timeout: float) -> dict[str, Any]:  # noqa: ARG002
        """Refuse: there is no function."""
        raise LookupError(f"No stack is deployed, so there is no function {function} of {stack}.")

    def fire(self, stack: str, function: str) -> Any:
        """Refuse: there is no function."""
        raise LookupError(f"No stack is deployed, so there is no function {function} of {stack}.")

    def idle(self) -> bool:
        """Nothing can run."""
        return True

    def stop(self) -> None:
        """Nothing runs."""


@dataclass
class Limits:
    """S3's limits that tests with small objects lower, and how long a restore from an archive takes."""

    single_copy_bytes: int = 5 * 1024**3
    part_bytes: int = 5 * 1024**2
    restore_seconds: float = 0.0


@dataclass
class Emulator:
    """One per server. `metrics` are embedded-metric-format blobs, `events` what PutEvents was called with."""

    endpoint: str = ""
    principals: Principals = field(default_factory=Principals)
    faults: Faults = field(default_factory=Faults)
    requests: RequestLog = field(default_factory=RequestLog)
    latency: Latency = field(default_factory=Latency)
    delivery: Delivery = field(default_factory=Delivery)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    functions: FunctionHost = field(default_factory=NoFunctions)
    limits: Limits = field(default_factory=Limits)

    def idle(self) -> bool:
        """Return whether nothing is on its way: no write, no undelivered event, no message, no running function.

        A function that was running when the deliveries were looked at may have caused an event before it was looked at
        itself; so deliveries are looked at again, and none may have arrived in between.
        """
        before = self.delivery.delivered
        quiet = self.requests.idle() and self.delivery.idle() and self.functions.idle() and self.delivery.idle()
        return quiet and self.requests.idle() and self.delivery.delivered == before


_active = Emulator()


def active() -> Emulator:
    """Return the emulator whose server runs in this process."""
    return _active


def activate(emulator: Emulator) -> Emulator:
    """Make this the process's emulator; the server does it when it starts."""
    global _active  # noqa: PLW0603 - moto's backends, which it accompanies, are global too
    _active = emulator
    return emulator
