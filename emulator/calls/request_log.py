"""The log of AWS API calls, in the order of their responses. Tests count requests with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emulator.calls.call import Call
from emulator.iam.principals import ACCOUNT


class RequestLog:
    """Rows of `{"service", "operation", "bucket", "key", "status", "principal", "region"}` and extras. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: list[dict[str, Any]] = []
        self._open = 0

    @contextmanager
    def open(self, call: Call) -> Iterator[None]:
        """Count an S3 call as in progress. Others do not count: they cause no events, and some of them wait."""
        counts = call.service == "s3"
        with self._lock:
            self._open += counts
        try:
            yield
        finally:
            with self._lock:
                self._open -= counts

    def idle(self) -> bool:
        """Return whether no call is in progress that could still change a bucket."""
        return self._open == 0

    def add(self, call: Call, status: int, error: str | None = None, fault: str | None = None) -> None:
        """Append a call. Status 0 means that its caller was killed before the response."""
        row: dict[str, Any] = {
            "service": call.service,
            "operation": call.operation,
            "bucket": call.bucket,
            "key": call.key,
            "status": status,
            "principal": call.principal.kind,
            "region": call.region,
        }
        extras = {
            "function": call.principal.function or None,
            "account": call.principal.account if call.principal.account not in ("", ACCOUNT) else None,
            "copy_source": call.copy_source,
            "version_id": call.query.get("versionId"),
            "error": error,
            "fault": fault,
        }
        with self._lock:
            self._rows.append(row | {name: value for name, value in extras.items() if value is not None})

    def rows(self) -> list[dict[str, Any]]:
        """Return all rows, oldest first."""
        with self._lock:
            return list(self._rows)

    def clear(self) -> None:
        """Remove every row."""
        with self._lock:
            self._rows.clear()
