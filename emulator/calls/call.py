"""One AWS call as the emulator sees it, and the call that the current thread answers.

The values are what faults, latency and the request log look at; the events need the call's author.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

from emulator.iam.principals import Principal


@dataclass(frozen=True)
class Call:
    """A request, read. `bucket` and `key` are the addressed ones: of a copy, those of the destination."""

    service: str
    operation: str
    region: str
    principal: Principal
    access_key_id: str = ""
    bucket: str | None = None
    key: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    copy_source: str | None = None


current_call: ContextVar[Call | None] = ContextVar("current_call", default=None)
