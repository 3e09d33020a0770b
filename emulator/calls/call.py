"""One AWS API call as a value, and the call that the current thread is answering.

Faults, latency and the request log read its fields; S3's events name its caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

from emulator.iam.principals import Principal

NO_LENGTH = "emulator.no_length"
"""Key of the WSGI environment: whether the request said nothing about the length of its body."""


@dataclass(frozen=True)
class Call:
    """A call. `bucket` and `key` are those of the URL: for a copy, the destination's."""

    service: str
    operation: str
    region: str
    principal: Principal
    access_key_id: str = ""
    bucket: str | None = None
    key: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    copy_source: str | None = None

    @property
    def process(self) -> str:
        """Return the access key of the process that makes the call, also with credentials of a role that it assumed."""
        return self.principal.process or self.access_key_id


current_call: ContextVar[Call | None] = ContextVar("current_call", default=None)
