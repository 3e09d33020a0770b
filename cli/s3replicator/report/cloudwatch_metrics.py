"""Figures of a stack and its rules, curves and reasons, read from the metrics in CloudWatch.

Only the command reads metrics; the functions publish them (`replicator.aws.measures`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from replicator.core.outcomes.metrics import DESTINATION, NAMESPACE, REASON, RULE, SOURCE, STACK, Metric
from replicator.core.outcomes.threshold import Route
from replicator.core.rules.dimension import as_dimension, from_dimension

from s3replicator.calls import calling
from s3replicator.report.figures import QUANTILES, CurvePoint, Figures, Latency, ReasonCount, merge
from s3replicator.report.time_span import Span

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient

QUERIES = 500
"""The most metrics that one request can ask for (API reference, GetMetricData)."""
SAMPLES, SUM, SHORTEST, LONGEST = "SampleCount", "Sum", "Minimum", "Maximum"
PERCENTILES = {quantile: f"p{quantile * 100:g}" for quantile in QUANTILES}
LATENCY_STATISTICS = (SAMPLES, SHORTEST, LONGEST, *PERCENTILES.values())
KINDS = {Metric.MISSED: "missed", Metric.FAILED: "failed"}
COUNTED: Mapping[str, tuple[Metric, str]] = {
    "replicated": (Metric.REPLICATED, SUM),
    "bytes": (Metric.BYTES_REPLICATED, SUM),
    "counted": (Metric.WITHIN, SAMPLES),
    "within": (Metric.WITHIN, SUM),
    "bytes_within": (Metric.BYTES_WITHIN, SUM),
    "bytes_outside": (Metric.BYTES_OUTSIDE, SUM),
    "missed": (Metric.MISSED, SUM),
    "failed": (Metric.FAILED, SUM),
}

Dimensions = tuple[tuple[str, str], ...]
Wanted = tuple[Metric, str, Dimensions]
"""A metric, a statistic of it, and its dimensions."""
Points = Mapping[int, float]
"""Values by the time (epoch seconds) at which their period begins."""


@dataclass(slots=True)
class Measured:
    """Values of metrics over one span of time, in periods of one length."""

    points: dict[Wanted, Points] = field(default_factory=dict)

    def total(self, metric: Metric, statistic: str, dimensions: Dimensions) -> int:
        """Add up a statistic."""
        return round(sum(self.points[metric, statistic, dimensions].values()))

    def times(self, metric: Metric, dimensions: Dimensions) -> list[int]:
        """Return when the periods begin that a metric has values in."""
        return sorted(self.points[metric, SAMPLES, dimensions])

    def latency(self, dimensions: Dimensions, time: int) -> Latency:
        """Return the latency of one period."""
        values = {name: self.points[Metric.LATENCY, name, dimensions].get(time, 0.0) for name in LATENCY_STATISTICS}
        quantiles = {quantile: values[name] for quantile, name in PERCENTILES.items()}
        samples = round(values[SAMPLES])
        return Latency(samples, quantiles if samples else {}, values[SHORTEST], values[LONGEST])

    def figures(self, dimensions: Dimensions) -> Figures:
        """Return all figures under one set of dimensions."""
        counts = {name: self.total(metric, statistic, dimensions) for name, (metric, statistic) in COUNTED.items()}
        latencies = [self.latency(dimensions, time) for time in self.times(Metric.LATENCY, dimensions)]
        return Figures(
            outside=counts["counted"] - counts["within"],
            latency=merge(latencies),
            **{name: value for name, value in counts.items() if name != "counted"},
        )


class CloudWatchMetrics:
    """The metrics of one stack. Spans are whole minutes. Every method raises CallFailed."""

    def __init__(self, client: "CloudWatchClient", stack: str, sources: Collection[str]) -> None:
        """Take the stack's source buckets, too: metrics of a rule name their buckets, but no stack."""
        self._client = client
        self._stack: Dimensions = ((STACK, stack),)
        self._sources = sources

    def figures(self, span: Span, known: Iterable[Route]) -> tuple[Figures, dict[Route, Figures]]:
        """Return the figures of a span, in total and by rule. `known`: routes that ListMetrics may have forgotten."""
        listed = self._listed(Metric.REPLICATED) | self._listed(Metric.FAILED) | self._listed(Metric.MISSED)
        routes = sorted({*known, *listed})
        dimension_sets = [self._stack, *map(_dimensions_of, routes)]
        wanted = [
            *_latencies(dimension_sets),
            *((metric, name, dimensions) for metric, name in COUNTED.values() for dimensions in dimension_sets),
        ]
        measured = self._ask(wanted, span, span.seconds)
        by_rule = {route: measured.figures(_dimensions_of(route)) for route in routes}
        return measured.figures(self._stack), {route: each for route, each in by_rule.items() if each != Figures()}

    def curve(self, span: Span, period: int) -> list[CurvePoint]:
        """Return the points of the stack's curves over time."""
        wanted = [*_latencies([self._stack]), *((Metric.WITHIN, name, self._stack) for name in (SAMPLES, SUM))]
        measured = self._ask(wanted, span, period)
        counted, within = (measured.points[Metric.WITHIN, name, self._stack] for name in (SAMPLES, SUM))
        return [
            CurvePoint(
                time,
                measured.latency(self._stack, time),
                round(within.get(time, 0)),
                round(counted.get(time, 0)) - round(within.get(time, 0)),
            )
            for time in sorted({*measured.times(Metric.LATENCY, self._stack), *counted})
        ]

    def reasons(self, span: Span) -> list[ReasonCount]:
        """Count why objects missed the threshold or failed, the most frequent reason first."""
        wanted = [
            (metric, SUM, tuple(sorted(each.items())))
            for metric in KINDS
            for each in self._published(metric)
            if REASON in each
        ]
        measured = self._ask(wanted, span, span.seconds)
        found = [
            ReasonCount(_route(dict(each)), KINDS[metric], dict(each)[REASON], measured.total(metric, SUM, each))
            for metric, _, each in wanted
        ]
        return sorted((each for each in found if each.count), key=lambda each: (-each.count, each.reason))

    def _listed(self, metric: Metric) -> set[Route]:
        return {_route(each) for each in self._published(metric) if set(each) == {SOURCE, DESTINATION, RULE}}

    def _published(self, metric: Metric) -> Iterator[dict[str, str]]:
        """Yield the sets of dimensions that a metric of our buckets was published under in the last two weeks."""
        with calling("cloudwatch:ListMetrics"):
            pages = self._client.get_paginator("list_metrics").paginate(Namespace=NAMESPACE, MetricName=metric)
            listed = [each.get("Dimensions", ()) for page in pages for each in page["Metrics"]]
        once = {frozenset((each["Name"], each["Value"]) for each in dimensions): None for dimensions in listed}
        yield from (named for named in map(dict, once) if named.get(SOURCE) in self._sources)

    def _ask(self, wanted: Sequence[Wanted], span: Span, period: int) -> Measured:
        measured = Measured({each: {} for each in wanted})
        for start in range(0, len(wanted), QUERIES):
            group = dict(zip((f"q{number}" for number in count()), wanted[start : start + QUERIES], strict=False))
            found: dict[str, dict[int, float]] = defaultdict(dict)
            for result in self._results(group, span, period):
                times = [int(moment.timestamp()) for moment in result.get("Timestamps", ())]
                found[result["Id"]].update(zip(times, result.get("Values", ()), strict=True))
            measured.points.update({group[name]: points for name, points in found.items()})
        return measured

    def _results(self, group: Mapping[str, Wanted], span: Span, period: int) -> list[Any]:
        queries: Any = [_query(name, *wanted, period) for name, wanted in group.items()]
        with calling("cloudwatch:GetMetricData"):
            pages = self._client.get_paginator("get_metric_data").paginate(
                MetricDataQueries=queries,
                StartTime=datetime.fromtimestamp(span.start, UTC),
                EndTime=datetime.fromtimestamp(span.end, UTC),
                ScanBy="TimestampAscending",
            )
            return [result for page in pages for result in page["MetricDataResults"]]


def _latencies(dimension_sets: Iterable[Dimensions]) -> Iterator[Wanted]:
    return ((Metric.LATENCY, name, dimensions) for dimensions in dimension_sets for name in LATENCY_STATISTICS)


def _query(name: str, metric: Metric, statistic: str, dimensions: Dimensions, period: int) -> dict[str, Any]:
    named = [{"Name": key, "Value": value} for key, value in dimensions]
    described = {"Namespace": NAMESPACE, "MetricName": str(metric), "Dimensions": named}
    return {"Id": name, "MetricStat": {"Metric": described, "Period": period, "Stat": statistic}}


def _dimensions_of(route: Route) -> Dimensions:
    source, destination, rule_id = route
    return (SOURCE, source), (DESTINATION, destination), (RULE, as_dimension(rule_id))


def _route(named: Mapping[str, str]) -> Route:
    return named.get(SOURCE, ""), named.get(DESTINATION, ""), from_dimension(named.get(RULE, ""))
