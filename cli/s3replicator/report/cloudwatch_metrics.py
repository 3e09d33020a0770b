"""Published metrics read back from CloudWatch: figures of a stack and of its rules, curves over time, reasons.

The other side of measures.py. Only the operator's command reads; the functions write.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from replicator.core.outcomes.metrics import DESTINATION, NAMESPACE, REASON, RULE, SOURCE, STACK, Metric
from replicator.core.outcomes.threshold import Route

from s3replicator.calls import calling
from s3replicator.report.figures import QUANTILES, Figures, Latency, Moment, ReasonCount, Span, merge

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient

QUERIES = 500
"""As many metrics as one request may ask for (API reference, GetMetricData)."""
SAMPLES, SUM, SHORTEST, LONGEST = "SampleCount", "Sum", "Minimum", "Maximum"
PERCENTILES = {quantile: f"p{quantile * 100:g}" for quantile in QUANTILES}
LATENCY_STATISTICS = (SAMPLES, SHORTEST, LONGEST, *PERCENTILES.values())
BLAMED = {"missed": Metric.MISSED, "failed": Metric.FAILED}
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
"""A metric, a statistic of it, and where."""
Points = Mapping[int, float]
"""Values by the time (epoch seconds) at which their period begins."""


@dataclass(slots=True)
class Measured:
    """Answers from one span of time in periods of one length."""

    points: dict[Wanted, Points] = field(default_factory=dict)

    def total(self, metric: Metric, statistic: str, where: Dimensions) -> int:
        """Add up a statistic."""
        return round(sum(self.points[metric, statistic, where].values()))

    def times(self, metric: Metric, where: Dimensions) -> list[int]:
        """Return the beginnings of all periods that a metric has values in."""
        return sorted(self.points[metric, SAMPLES, where])

    def latency(self, where: Dimensions, time: int) -> Latency:
        """Return the latency of one period."""
        values = {name: self.points[Metric.LATENCY, name, where].get(time, 0.0) for name in LATENCY_STATISTICS}
        quantiles = {quantile: values[name] for quantile, name in PERCENTILES.items()}
        samples = round(values[SAMPLES])
        return Latency(samples, quantiles if samples else {}, values[SHORTEST], values[LONGEST])

    def figures(self, where: Dimensions) -> Figures:
        """Put everything together that was counted somewhere."""
        counts = {name: self.total(metric, statistic, where) for name, (metric, statistic) in COUNTED.items()}
        latencies = [self.latency(where, time) for time in self.times(Metric.LATENCY, where)]
        return Figures(
            outside=counts["counted"] - counts["within"],
            latency=merge(latencies),
            **{name: value for name, value in counts.items() if name != "counted"},
        )


class CloudWatchReader:
    """The metrics of one stack. Spans are whole minutes. Every method raises CallFailed."""

    def __init__(self, client: "CloudWatchClient", stack: str, sources: Collection[str]) -> None:
        """Take the source buckets that belong to the stack: metrics of a rule name no stack."""
        self._client = client
        self._stack: Dimensions = ((STACK, stack),)
        self._sources = sources

    def figures(self, span: Span, known: Iterable[Route]) -> tuple[Figures, dict[Route, Figures]]:
        """Return what came of a span, in all and by rule; `known` are rules that may have been silent for long."""
        listed = self._listed(Metric.REPLICATED) | self._listed(Metric.FAILED) | self._listed(Metric.MISSED)
        routes = sorted({*known, *listed})
        wheres = [self._stack, *map(_where, routes)]
        wanted = [
            *_latencies(wheres),
            *((metric, name, where) for metric, name in COUNTED.values() for where in wheres),
        ]
        measured = self._ask(wanted, span, span.seconds)
        by_rule = {route: measured.figures(_where(route)) for route in routes}
        return measured.figures(self._stack), {route: it for route, it in by_rule.items() if it != Figures()}

    def moments(self, span: Span, period: int) -> list[Moment]:
        """Return the curves of the stack over time."""
        wanted = [*_latencies([self._stack]), *((Metric.WITHIN, name, self._stack) for name in (SAMPLES, SUM))]
        measured = self._ask(wanted, span, period)
        counted, within = (measured.points[Metric.WITHIN, name, self._stack] for name in (SAMPLES, SUM))
        return [
            Moment(
                time,
                measured.latency(self._stack, time),
                round(within.get(time, 0)),
                round(counted.get(time, 0)) - round(within.get(time, 0)),
            )
            for time in sorted({*measured.times(Metric.LATENCY, self._stack), *counted})
        ]

    def reasons_counted(self, span: Span) -> list[ReasonCount]:
        """Say why objects missed the threshold or failed, the most frequent reason first."""
        reasons = [
            (kind, each) for kind, metric in BLAMED.items() for each in self._dimensions(metric) if REASON in each
        ]
        wheres = {index: tuple(sorted(each.items())) for index, (_, each) in enumerate(reasons)}
        measured = self._ask(
            [(BLAMED[kind], SUM, wheres[i]) for i, (kind, _) in enumerate(reasons)], span, span.seconds
        )
        found = [
            ReasonCount(_route(each), kind, each[REASON], measured.total(BLAMED[kind], SUM, wheres[index]))
            for index, (kind, each) in enumerate(reasons)
        ]
        return sorted((each for each in found if each.count), key=lambda each: (-each.count, each.reason))

    def _listed(self, metric: Metric) -> set[Route]:
        return {_route(each) for each in self._dimensions(metric) if set(each) == {SOURCE, DESTINATION, RULE}}

    def _dimensions(self, metric: Metric) -> Iterator[dict[str, str]]:
        """Return the sets of dimensions that a metric was published under in the last two weeks, for our buckets."""
        with calling("cloudwatch:ListMetrics"):
            pages = self._client.get_paginator("list_metrics").paginate(Namespace=NAMESPACE, MetricName=metric)
            listed = [each["Dimensions"] for page in pages for each in page["Metrics"]]
        once = {frozenset((each["Name"], each["Value"]) for each in dimensions): None for dimensions in listed}
        yield from (named for named in map(dict, once) if named.get(SOURCE) in self._sources)

    def _ask(self, wanted: Sequence[Wanted], span: Span, period: int) -> Measured:
        measured = Measured({each: {} for each in wanted})
        for start in range(0, len(wanted), QUERIES):
            group = dict(zip((f"q{number}" for number in count()), wanted[start : start + QUERIES], strict=False))
            found: dict[str, dict[int, float]] = defaultdict(dict)
            for result in self._results(group, span, period):
                times = [int(moment.timestamp()) for moment in result["Timestamps"]]
                found[result["Id"]].update(zip(times, result["Values"], strict=True))
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


def _latencies(wheres: Iterable[Dimensions]) -> Iterator[Wanted]:
    return ((Metric.LATENCY, name, where) for where in wheres for name in LATENCY_STATISTICS)


def _query(name: str, metric: Metric, statistic: str, where: Dimensions, period: int) -> dict[str, Any]:
    dimensions = [{"Name": key, "Value": value} for key, value in where]
    asked = {"Namespace": NAMESPACE, "MetricName": str(metric), "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": asked, "Period": period, "Stat": statistic}}


def _where(route: Route) -> Dimensions:
    return tuple(zip((SOURCE, DESTINATION, RULE), route, strict=True))


def _route(named: Mapping[str, str]) -> Route:
    return named.get(SOURCE, ""), named.get(DESTINATION, ""), named.get(RULE, "")
