"""What functions write to standard output: metrics in embedded metric format, and log lines.

Separate from the processes because CloudWatch does this on AWS: it turns each metric directive of a line into values.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_KEPT_LINES = 5000
_LONGEST_DIMENSION_VALUE = 255


def metrics_of(line: str) -> list[dict[str, Any]] | None:
    """Return the metrics of a line in embedded metric format; None if it is a log line.

    There is one entry per metric and dimension set: `time` (epoch milliseconds), `namespace`, `metric`, `unit`,
    `dimensions`, `values`. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    if '"_aws"' not in line:
        return None
    try:
        blob = json.loads(line)
        header = blob["_aws"]
        return [entry for directive in header["CloudWatchMetrics"] for entry in _entries(directive, blob, header)]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _entries(
    directive: Mapping[str, Any], blob: Mapping[str, Any], header: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    for names in directive["Dimensions"] or [[]]:
        if not all(_is_dimension_value(str(blob[name])) for name in names):
            continue  # as CloudWatch does, which only counts an EMFValidationError
        for metric in directive["Metrics"]:
            value = blob[metric["Name"]]
            yield {
                "time": header["Timestamp"],
                "namespace": directive["Namespace"],
                "metric": metric["Name"],
                "unit": metric.get("Unit", "None"),
                "dimensions": {name: str(blob[name]) for name in names},
                "values": value if isinstance(value, list) else [value],
            }


def _is_dimension_value(value: str) -> bool:
    """Return whether CloudWatch takes a value (API reference, Dimension)."""
    return value.isascii() and value.isprintable() and bool(value.strip()) and len(value) <= _LONGEST_DIMENSION_VALUE


class Output:
    """The output of one function: metrics are passed on, and the last lines of the log are kept."""

    def __init__(
        self, function: str, on_metrics: Callable[[list[dict[str, Any]]], None], echo: Callable[[str], None] | None
    ) -> None:
        self._function = function
        self._on_metrics = on_metrics
        self._echo = echo
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)

    def write(self, line: str) -> None:
        """Process one line."""
        metrics = metrics_of(line)
        if metrics is not None:
            self._on_metrics([{**entry, "function": self._function} for entry in metrics])
            return
        self.lines.append(line)
        if self._echo and line:
            self._echo(f"{self._function} | {line}")
