"""How often a function has run in the chain of invocations that led to a message: Lambda's recursive loop detection.

AWS carries this in the trace header; here it is known who makes a call, and so what the call follows from.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from types import MappingProxyType

from moto.sqs.models import Message

from emulator.calls.call import current_call

# How many invocations of one function may follow from each other before Lambda drops the message.
LIMIT = 16
_NONE: Mapping[str, int] = MappingProxyType({})
_carried: ContextVar[Mapping[str, int] | None] = ContextVar("carried", default=None)


class Lineages:
    """What the running invocations follow from, by the credentials of their process."""

    def __init__(self) -> None:
        self._running: dict[str, Mapping[str, int]] = {}
        self._lock = threading.Lock()

    def begin(self, access_key_id: str, function: str, messages: Iterable[Message]) -> None:
        """Remember what an invocation that begins now follows from."""
        longest: dict[str, int] = {}
        for message in messages:
            for name, count in lineage_of(message).items():
                longest[name] = max(count, longest.get(name, 0))
        longest[function] = longest.get(function, 0) + 1
        with self._lock:
            self._running[access_key_id] = longest

    def end(self, access_key_id: str) -> None:
        """Forget an invocation that has ended."""
        with self._lock:
            self._running.pop(access_key_id, None)

    def _of_call(self) -> Mapping[str, int] | None:
        call = current_call.get()
        return self._running.get(call.access_key_id) if call else _carried.get()

    def carry(self, deliver: Callable[[], None]) -> Callable[[], None]:
        """Return `deliver` for another thread and a later time, following from what the current call follows from."""
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
        """Note on a message that is being sent what the call that causes it follows from."""
        lineage = self._of_call()
        if lineage:
            message.lineage = lineage  # type: ignore[attr-defined]


def lineage_of(message: Message) -> Mapping[str, int]:
    """Return how often each function has run before this message came about."""
    lineage: Mapping[str, int] = getattr(message, "lineage", _NONE)
    return lineage


lineages = Lineages()
