"""Lambda's recursive loop detection: how often each function ran in the chain of invocations that led to a message.

AWS carries the count in the trace header, as `Lineage=<invocations>:<hash of a function>:<rounds>`; a function that
runs for the first time is in round 0. No page describes that; the form is that of headers that people have published
since 2024. The emulator knows who makes a call, and so which messages caused it; functions only see the header.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
https://github.com/open-telemetry/opentelemetry-java-contrib/pull/1671
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

from moto.sqs.models import Message

from emulator.calls.call import current_call

# Lambda stops a chain after about this many invocations of one function.
LIMIT = 16


def _new_root() -> str:
    return f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"


@dataclass(frozen=True)
class Lineage:
    """How often each function (by ARN) ran in a chain, how many invocations it has, and the id of its trace."""

    counts: Mapping[str, int] = field(default_factory=dict)
    invocations: int = 0
    root: str = field(default_factory=_new_root)

    @property
    def longest(self) -> int:
        """Return how often the function that ran most often did."""
        return max(self.counts.values(), default=0)

    def header(self) -> str:
        """Return the trace header, as a function has it in `_X_AMZN_TRACE_ID` and a message in `AWSTraceHeader`."""
        name = max(self.counts, key=lambda each: self.counts[each])
        lineage = f"{self.invocations}:{hashlib.sha256(name.encode()).hexdigest()[:8]}:{self.longest - 1}"
        return f"Root={self.root};Parent={secrets.token_hex(8)};Sampled=0;Lineage={lineage}"


_NONE = Lineage(root="")
_carried: ContextVar[Lineage | None] = ContextVar("carried", default=None)


class Lineages:
    """The lineage of each running invocation, by the access key of its process."""

    def __init__(self) -> None:
        self._running: dict[str, Lineage] = {}
        self._lock = threading.Lock()

    def begin(self, access_key_id: str, function: str, messages: Iterable[Message]) -> Lineage:
        """Record and return the lineage of an invocation that begins now: that of its messages, each at its longest."""
        found = sorted((lineage_of(message) for message in messages), key=lambda each: each.longest)
        counts: dict[str, int] = {}
        for lineage in found:
            for name, count in lineage.counts.items():
                counts[name] = max(count, counts.get(name, 0))
        counts[function] = counts.get(function, 0) + 1
        invocations = max((each.invocations for each in found), default=0) + 1
        root = found[-1].root if found else ""
        merged = Lineage(counts, invocations, root or _new_root())
        with self._lock:
            self._running[access_key_id] = merged
        return merged

    def end(self, access_key_id: str) -> None:
        """Remove the lineage of an invocation that has ended."""
        with self._lock:
            self._running.pop(access_key_id, None)

    def _of_call(self) -> Lineage | None:
        call = current_call.get()
        return self._running.get(call.process) if call else _carried.get()

    def carry(self, deliver: Callable[[], None]) -> Callable[[], None]:
        """Return `deliver` with the lineage of the current call bound to it, to be run later by another thread."""
        lineage = self._of_call()
        if lineage is None:
            return deliver

        def carrying() -> None:
            token = _carried.set(lineage)
            try:
                deliver()
            finally:
                _carried.reset(token)

        return carrying

    def mark(self, message: Message) -> None:
        """Attach the lineage of the call that sends a message to the message."""
        lineage = self._of_call()
        if lineage:
            message.lineage = lineage  # type: ignore[attr-defined]


def lineage_of(message: Message) -> Lineage:
    """Return the lineage of the chain that led to a message; an empty one if no function sent it."""
    lineage: Lineage = getattr(message, "lineage", _NONE)
    return lineage


lineages = Lineages()
