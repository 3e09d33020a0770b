"""The log of authorizations: each permission that a call of a function was checked for, and what was decided.

Tests evaluate its rows again with other policies, and so find what a role lacks or has in excess.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from emulator.iam.policies import Identity, RequestContext


class Authorization(NamedTuple):
    """One row. `function` is the name of the function that made the call, `reason` why it was denied.

    `operation` is what was called; empty for what Lambda does with the role of a function.
    """

    function: str
    role: str
    action: str
    resource: str
    account: str
    conditions: Mapping[str, str | Sequence[str]]
    allowed: bool
    reason: str
    operation: str = ""

    def context(self) -> RequestContext:
        """Return what was evaluated."""
        account = self.role.split(":")[4]
        identity = Identity(frozenset({self.role}), account)
        return RequestContext(identity, self.action, self.resource, self.conditions, self.account)


class Authorizations:
    """The rows in the order of the checks. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: list[Authorization] = []

    def add(self, row: Authorization) -> None:
        """Append a row."""
        with self._lock:
            self._rows.append(row)

    def __iter__(self) -> Any:
        """Iterate over the rows as JSON has them."""
        with self._lock:
            return iter([row._asdict() for row in self._rows])

    def clear(self) -> None:
        """Remove every row."""
        with self._lock:
            self._rows.clear()
