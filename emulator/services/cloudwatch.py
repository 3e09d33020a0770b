"""CloudWatch's statistics: percentiles, which moto lacks, in a time that does not depend on the number of periods.

A value counts for its minute, as in CloudWatch, or for its second if the query's period is shorter than a minute;
periods begin at the query's start. A percentile is the smallest value that at least that share of all values does not
exceed (nearest rank).
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, MetricDatum, cloudwatch_backends

from emulator.calls.call import Call, current_call
from emulator.patching import patch
from emulator.state import active

_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Average": lambda values: sum(values) / len(values),
    "Minimum": min,
    "Maximum": max,
    "SampleCount": len,
}
_PERCENTILE = re.compile(r"[pP](\d{1,3}(?:\.\d+)?)")
_MINUTE = 60

Series = Mapping[tuple[Any, ...], list[tuple[int, float]]]


def count(namespace: str, metric: str, arn: str, **dimensions: str) -> None:
    """Add one to a metric that AWS itself publishes about the resource with this ARN."""
    region, account = arn.split(":")[3:5]
    datum = {
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "Timestamp": datetime.now(UTC).replace(tzinfo=None),
        "Value": 1.0,
        "Unit": "Count",
    }
    cloudwatch_backends[account][region].put_metric_data(namespace, [datum])


@patch(CloudWatchBackend, "get_metric_data")
def _get_metric_data(  # noqa: PLR0913, PLR0917 - as moto's
    original: Any,
    backend: CloudWatchBackend,
    queries: list[dict[str, Any]],
    start_time: datetime,
    end_time: datetime,
    scan_by: str = "TimestampAscending",
) -> list[dict[str, Any]]:
    """Answer queries for statistics of a metric; leave metric math to moto."""
    if any("MetricStat" not in query for query in queries) or not start_time < end_time:
        answers: list[dict[str, Any]] = original(backend, queries, start_time, end_time, scan_by)
        return answers
    step = min(_MINUTE, *(int(query["MetricStat"]["Period"]) for query in queries))
    start, end = _seconds(start_time) // step * step, _seconds(end_time)
    series = _series(backend, start, end, step)
    return [_answer(query, series, start, newest_first=scan_by != "TimestampAscending") for query in queries]


@patch(CloudWatchBackend, "put_metric_data")
def _put_metric_data(original: Any, backend: CloudWatchBackend, namespace: str, data: list[dict[str, Any]]) -> None:
    """Keep what functions publish for the control endpoint too, as it keeps what they log."""
    original(backend, namespace, data)
    call = current_call.get()
    if call is not None and call.principal.function:
        active().metrics.extend(_entry(each, namespace, call) for each in data)


def _entry(datum: Mapping[str, Any], namespace: str, call: Call) -> dict[str, Any]:
    moment = datum.get("Timestamp") or datetime.now(UTC)
    return {
        "time": _seconds(moment) * 1000,
        "namespace": namespace,
        "metric": datum["MetricName"],
        "unit": datum.get("Unit", "None"),
        "dimensions": {each["Name"]: each["Value"] for each in datum.get("Dimensions", [])},
        "values": [float(each) for each in datum.get("Values") or [datum.get("Value", 0)]],
        "region": call.region,
        "function": call.principal.function,
    }


@patch(CloudWatchBackend, "get_filtered_metrics")
def _get_filtered_metrics(
    _original: Any, backend: CloudWatchBackend, metric_name: str, namespace: str, dimensions: list[dict[str, str]]
) -> list[Any]:
    """List each metric once: moto lists it again for every order in which its dimensions were published."""
    listed: dict[tuple[Any, ...], Any] = {}
    for datum in backend.get_all_metrics():
        place = frozenset((each.name, each.value) for each in datum.dimensions)
        named = (datum.namespace, datum.name, place)
        if named not in listed and datum.filter(namespace, metric_name, dimensions):
            listed[named] = datum
    return list(listed.values())


def _series(backend: CloudWatchBackend, start: int, end: int, step: int) -> Series:
    """Group the values in a time range (epoch seconds) by metric; each value with its minute, or shorter step."""
    found: dict[tuple[Any, ...], list[tuple[int, float]]] = defaultdict(list)
    for datum in list(backend.metric_data):
        time = _seconds(datum.timestamp) // step * step
        if isinstance(datum, MetricDatum) and start <= time < end:
            place = frozenset((each.name, each.value) for each in datum.dimensions)
            found[datum.namespace, datum.name, place].append((time, datum.value))
    return found


def _answer(query: Mapping[str, Any], series: Series, start: int, *, newest_first: bool) -> dict[str, Any]:
    stat = query["MetricStat"]
    metric, period = stat["Metric"], int(stat["Period"])
    place = frozenset((each["Name"], each["Value"]) for each in metric.get("Dimensions", []))
    groups: dict[int, list[float]] = defaultdict(list)
    for minute, value in series.get((metric["Namespace"], metric["MetricName"], place), []):
        groups[start + (minute - start) // period * period].append(value)
    times = sorted(groups, reverse=newest_first)
    return {
        "id": query["Id"],
        "label": query.get("Label") or f"{metric['MetricName']} {stat['Stat']}",
        "values": [_statistic(stat["Stat"], groups[time]) for time in times],
        "timestamps": [datetime.fromtimestamp(time, UTC).replace(tzinfo=None) for time in times],
        "status_code": "Complete",
    }


def _statistic(name: str, values: Sequence[float]) -> float:
    if name in _STATISTICS:
        return float(_STATISTICS[name](values))
    match = _PERCENTILE.fullmatch(name)
    if not match:
        raise NotImplementedError(f"The emulator does not implement the statistic {name}.")
    rank = math.ceil(float(match[1]) / 100 * len(values) - 1e-9)
    return sorted(values)[max(rank, 1) - 1]


def _seconds(moment: datetime) -> int:
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
