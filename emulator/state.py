"""Everything that one running emulator knows, apart from what moto stores.

Separate because the server and the functions meet only here. moto's backends are global to the process, so there is
one emulator per process: `active()` returns it to code that moto calls and that receives no arguments of ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from emulator.background import Background
from emulator.calls.request_log import RequestLog
from emulator.fault_injection.delivery import Delivery
from emulator.fault_injection.faults import Faults
from emulator.fault_injection.latency import Latency
from emulator.iam.authorizations import Authorizations
from emulator.iam.principals import Principals


class FunctionHost(Protocol):
    """The deployed functions and what invokes them. `stack` is a stack's name, `function` a logical id."""

    def fire(self, stack: str, function: str) -> Any:
        """Run a scheduled function now with the event that its schedule sends, and return its result.

        Raises LookupError, with a message for the caller, if there is no such stack or function.
        """
        ...

    def invoke_by_arn(self, arn: str, event: Any) -> Any:
        """Invoke a function; the result has the fields `value` and `error`.

        Raises LookupError if the function does not exist, TimeoutError if it stays busy.
        """
        ...

    def idle(self) -> bool:
        """Return whether no function runs and the queues with an event source mapping are empty, in flight included."""
        ...

    def stop(self) -> None:
        """End every process and thread."""
        ...


class NoFunctions:
    """The functions of an emulator without stacks: none."""

    def fire(self, stack: str, function: str) -> Any:
        """Raise LookupError: there is no function."""
        raise LookupError(f"No stack is deployed, so stack {stack} has no function {function}.")

    def invoke_by_arn(self, arn: str, _event: Any) -> Any:
        """Raise LookupError: there is no function."""
        raise LookupError(f"There is no function {arn}.")

    def idle(self) -> bool:
        """Return True: nothing can run."""
        return True

    def stop(self) -> None:
        """Do nothing: nothing runs."""


@dataclass
class Limits:
    """Limits that tests lower to work with little, and the seconds that a restore takes.

    `in_flight_messages`: of a queue, at once (SQS developer guide, "Amazon SQS message quotas"). `retry_seconds`: how
    long an asynchronous invocation that failed waits for its first and its second repetition.

    `redrives`: how often S3 Batch Operations repeats a task that failed temporarily, `redrive_seconds`: how long it
    waits before. AWS says neither.

    `unranged_bytes`: no range of a source of so many bytes is copied. The API reference of UploadPartCopy says 5 MB;
    recordings show that AWS copies ranges of ten bytes. A test sets it to hold a client to the documentation.
    """

    single_copy_bytes: int = 5 * 1024**3
    part_bytes: int = 5 * 1024**2
    unranged_bytes: int = 0
    restore_seconds: float = 0.0
    in_flight_messages: int = 120_000
    retry_seconds: tuple[float, float] = (60.0, 120.0)
    redrives: int = 4
    redrive_seconds: float = 0.1


@dataclass(frozen=True)
class NewBuckets:
    """What CreateBucket gives a bucket unless the request says otherwise: since April 2023, no ACLs, nothing public."""

    ownership: str = "BucketOwnerEnforced"
    block_public_access: bool = True


@dataclass
class Emulator:
    """One per server. `metrics`: what functions logged in embedded metric format; `events`: what PutEvents received.

    `replication`: what S3's own replication has to do; nothing duplicates or reorders it. `jobs`: those of S3 Batch
    Operations.
    `explains_denials`: S3 names the action and the policy, as it does within an account; otherwise "Access Denied".
    """

    endpoint: str = ""
    principals: Principals = field(default_factory=Principals)
    faults: Faults = field(default_factory=Faults)
    requests: RequestLog = field(default_factory=RequestLog)
    authorizations: Authorizations = field(default_factory=Authorizations)
    latency: Latency = field(default_factory=Latency)
    delivery: Delivery = field(default_factory=Delivery)
    replication: Delivery = field(default_factory=Delivery)
    jobs: Background = field(default_factory=Background)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    functions: FunctionHost = field(default_factory=NoFunctions)
    limits: Limits = field(default_factory=Limits)
    explains_denials: bool = True
    new_buckets: NewBuckets = NewBuckets()

    def idle(self) -> bool:
        """Return whether nothing is in flight: no write, no undelivered event, no message, no running function.

        A function may cause an event after deliveries were checked and end before functions are checked. So deliveries
        are checked again, and none may have completed in between.
        """
        before = self._done()
        quiet = self._delivered() and self.functions.idle() and self._delivered()
        return quiet and self._done() == before

    def _done(self) -> int:
        return self.jobs.done + self.replication.delivered + self.delivery.delivered

    def _delivered(self) -> bool:
        """Return whether every write is done, and what S3 does after it: first replicas, then their events."""
        return self.jobs.idle() and self.requests.idle() and self.replication.idle() and self.delivery.idle()


_active = Emulator()


def active() -> Emulator:
    """Return the emulator whose server runs in this process."""
    return _active


def activate(emulator: Emulator) -> Emulator:
    """Make this the process's emulator; the server calls it when it is created."""
    global _active  # noqa: PLW0603 - moto's backends, which it accompanies, are global too
    _active = emulator
    return emulator
