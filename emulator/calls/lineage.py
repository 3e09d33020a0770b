"""Lambda's recursive loop detection: how often each function ran in the chain of invocations that led to a message.

AWS carries the count in the trace header. The emulator knows who makes a call, and so which messages caused it.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from types import MappingProxyType

from moto.sqs.models import Message

from emulator.calls.call import current_call

# Lambda stops a chain after about this many invocations of one function.
LIMIT = 16
_NONE: Mapping[str, int] = MappingProxyType({})
_carried: ContextVar[Mapping[str, int] | None] = ContextVar("carried", default=None)


class Lineages:
    """The lineage of each running invocation, by the access key of its process."""

    def __init__(self) -> None:
        self._running: dict[str, Mapping[str, int]] = {}
        self._lock = threading.Lock()

    def begin(self, access_key_id: str, function: str, messages: Iterable[Message]) -> None:
        """Record the lineage of an invocation that begins now with these messages."""
        longest: dict[str, int] = {}
        for message in messages:
            for name, count in lineage_of(message).items():
                longest[name] = max(count, longest.get(name, 0))
        longest[function] = longest.get(function, 0) + 1
        with self._lock:
            self._running[access_key_id] = longest

    def end(self, access_key_id: str) -> None:
        """Remove the lineage of an invocation that has ended."""
        with self._lock:
            self._running.pop(access_key_id, None)

    def _of_call(self) -> Mapping[str, int] | None:
        call = current_call.get()
        return self._running.get(call.access_key_id) if call else _carried.get()

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


def lineage_of(message: Message) -> Mapping[str, int]:
    """Return how often each function (by ARN) ran in the chain that led to this message."""
    lineage: Mapping[str, int] = getattr(message, "lineage", _NONE)
    return lineage


lineages = Lineages()
