"""Faults that a test injects: which calls they apply to, how often, and what then happens to the call.

This module parses, stores and matches them. The gateway acts on them; `emulator.calls.answers` writes the errors.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from emulator.calls.call import Call
from emulator.calls.operations import service_model

ERRORS_INSIDE_SUCCESS = ("CompleteMultipartUpload", "CopyObject", "UploadPartCopy")
MESSAGE = "Injected by a fault of the emulator."
_FIELDS = ("service", "operation", "bucket", "key", "principal", "region", "times", "then")
_DEFAULT_CODES = {400: "InvalidRequest", 403: "AccessDenied", 404: "NotFound", 409: "Conflict", 503: "SlowDown"}
_THEN_FORMS = (
    '{"status": 503, "code": "SlowDown"}, {"ok_with_error": "InternalError"}, {"delay_ms": 500} or {"kill": "before"}'
)


class BadRequestError(ValueError):
    """The body of a request to a control endpoint is invalid; the message says what to send instead."""


@dataclass(frozen=True)
class Status:
    """The call fails with this error and has no effect."""

    status: int
    code: str
    message: str


@dataclass(frozen=True)
class OkWithError:
    """The call has no effect, and its response is status 200 with an <Error> document."""

    code: str


@dataclass(frozen=True)
class Delay:
    """The call is performed after this delay."""

    milliseconds: float


@dataclass(frozen=True)
class Kill:
    """The calling function's process is killed: before the call has any effect, or after it and before the response.

    The user has no process to kill, and only loses the connection.
    """

    when: Literal["before", "after"]


Then = Status | OkWithError | Delay | Kill


@dataclass
class Fault:
    """One fault: the calls that it applies to, and how many times still (None: no limit)."""

    service: str
    operation: str
    then: Then
    bucket: str | None = None
    key: str | None = None
    principal: str | None = None
    region: str | None = None
    times: int | None = None

    def applies_to(self, call: Call) -> bool:
        """Return whether the fault matches this call and is not used up."""
        wanted = (
            (self.bucket, call.bucket),
            (self.key, call.key),
            (self.principal, call.principal.kind),
            (self.region, call.region),
        )
        return (
            self.times != 0
            and self.service in ("*", call.service)
            and self.operation in ("*", call.operation)
            and all(mine is None or mine == its for mine, its in wanted)
        )

    def as_json(self) -> dict[str, Any]:
        """Return the fault in the format of the control endpoint."""
        then: dict[str, Any]
        match self.then:
            case Status():
                then = asdict(self.then)
            case OkWithError(code):
                then = {"ok_with_error": code}
            case Delay(milliseconds):
                then = {"delay_ms": milliseconds}
            case Kill(when):
                then = {"kill": when}
        given = {name: getattr(self, name) for name in ("bucket", "key", "principal", "region", "times")}
        return {
            "service": self.service,
            "operation": self.operation,
            **{name: value for name, value in given.items() if value is not None},
            "then": then,
        }


class Faults:
    """The faults of one emulator. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, faults: Sequence[Fault]) -> None:
        """Append faults to the list. The first fault that applies to a call is the one that happens."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Remove every fault."""
        with self._lock:
            self._faults.clear()

    def all(self) -> list[dict[str, Any]]:
        """Return the faults as JSON; `times` is what is left."""
        with self._lock:
            return [fault.as_json() for fault in self._faults]

    def take(self, call: Call) -> Then | None:
        """Return what happens to this call, None for nothing, and count it."""
        if not self._faults:  # the usual case, without the lock
            return None
        with self._lock:
            fault = next((fault for fault in self._faults if fault.applies_to(call)), None)
            if fault is None:
                return None
            if fault.times is not None:
                fault.times -= 1
            return fault.then


def read_faults(document: object) -> list[Fault]:
    """Read a list of faults, or one fault. Raises BadRequestError."""
    lines = document if isinstance(document, list) else [document]
    return [_read_fault(line, f"fault {number}") for number, line in enumerate(lines, 1)]


def _read_fault(line: object, where: str) -> Fault:
    if not isinstance(line, dict):
        raise BadRequestError(
            f'{where}: must be an object such as {{"service": "s3", "operation": "CopyObject", ...}}.'
        )
    if unknown := [name for name in line if name not in _FIELDS]:
        raise BadRequestError(f"{where}: unknown field {unknown[0]!r}; the fields are {', '.join(_FIELDS)}.")
    texts = {name: line.get(name) for name in ("service", "operation", "bucket", "key", "principal", "region")}
    for name, value in texts.items():
        if not isinstance(value, str) and (value is not None or name in ("service", "operation")):
            raise BadRequestError(f"{where}: {name!r} must be a string, not {value!r}.")
    service, operation = str(line["service"]), str(line["operation"])
    _check_names(service, operation, where)
    if line.get("principal") not in (None, "user", "replicator"):
        raise BadRequestError(f'{where}: \'principal\' must be "user" or "replicator", not {line["principal"]!r}.')
    times = line.get("times")
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
        raise BadRequestError(
            f"{where}: 'times' must be a number of calls, 1 or more; without it the fault has no limit."
        )
    then = _read_then(line.get("then"), operation, where)
    given = {name: line.get(name) for name in ("bucket", "key", "principal", "region")}
    return Fault(service, operation, then, times=times, **given)


def _check_names(service: str, operation: str, where: str) -> None:
    if service == "*":
        return
    model = service_model(service)
    if model is None:
        raise BadRequestError(f"{where}: there is no AWS service {service!r}; use boto3's names, such as s3 or sqs.")
    if operation not in ("*", "PostObject") and operation not in model.operation_names:
        raise BadRequestError(f"{where}: {service} has no operation {operation!r}; use names such as CopyObject, or *.")


def _read_then(then: object, operation: str, where: str) -> Then:
    match then:
        case {"status": int(status), **rest} if 300 <= status <= 599 and rest.keys() <= {"code", "message"}:
            code = str(rest.get("code", _DEFAULT_CODES.get(status, "InternalError")))
            return Status(status, code, str(rest.get("message", MESSAGE)))
        case {"ok_with_error": str(code), **rest} if not rest:
            if operation not in ("*", *ERRORS_INSIDE_SUCCESS):
                raise BadRequestError(f"{where}: 'ok_with_error' is for {', '.join(ERRORS_INSIDE_SUCCESS)}.")
            return OkWithError(code)
        case {"delay_ms": int() | float() as delay, **rest} if delay >= 0 and not rest:
            return Delay(float(delay))
        case {"kill": "before" | "after" as when, **rest} if not rest:
            return Kill(when)
    raise BadRequestError(f"{where}: 'then' must be one of {_THEN_FORMS}, not {then!r}.")
