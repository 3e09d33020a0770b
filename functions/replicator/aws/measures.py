"""The port `Measures` on CloudWatch's embedded metric format: one log line per batch and set of dimensions.

The table in core/outcomes/metrics.py defines the metrics and their dimensions; this module writes them.
"""

from collections import defaultdict
from collections.abc import Mapping

from aws_lambda_powertools.metrics import EphemeralMetrics

from replicator.core.deciding.result import Result
from replicator.core.outcomes.metrics import DESTINATION, METRICS, REASON, RULE, SOURCE, STACK, Metric
from replicator.core.outcomes.outcome import Status
from replicator.core.rules.dimension import as_dimension

Dimensions = tuple[tuple[str, str], ...]
Sets = tuple[Dimensions, ...]


class EmbeddedMetrics:
    """Collects values until they are published; one instance per batch. `stack`: empty for no metrics by stack."""

    def __init__(self, namespace: str, stack: str = "") -> None:
        self._namespace = namespace
        self._stack = stack
        self._values: dict[Sets, list[tuple[Metric, float]]] = defaultdict(list)

    def record(self, result: Result) -> None:
        """Add one result. PENDING counts only if the journal has no entry: the monitor counts what waits."""
        outcome, score, source = result.outcome, result.score, result.attempt.change.bucket
        route = {SOURCE: source, DESTINATION: outcome.destination, RULE: outcome.rule_id, STACK: self._stack}
        explained = {**route, REASON: str(outcome.reason or "")}
        if outcome.status is Status.COMPLETED:
            self.add(Metric.LATENCY, outcome.latency_ms / 1000, route)
            self.add(Metric.REPLICATED, 1, route)
            self.add(Metric.BYTES_REPLICATED, outcome.size, route)
        elif outcome.status is Status.FAILED:
            self.add(Metric.FAILED, 1, explained)
        elif outcome.status is Status.SKIPPED:
            self.add(Metric.SKIPPED, 1, explained)
        elif result.trail.unrecorded or not outcome.destination:
            self.add(Metric.UNRECORDED, 1, route)
        if score.missed:
            self.add(Metric.MISSED, 1, explained)
        if score.within is not None:
            self.add(Metric.WITHIN, int(score.within), route)
            self.add(Metric.BYTES_WITHIN if score.within else Metric.BYTES_OUTSIDE, outcome.size, route)

    def add(self, metric: Metric, value: float, route: Mapping[str, str]) -> None:
        """Add one value under every set of the metric's dimensions that the route has a value for."""
        named = {**route, RULE: as_dimension(route.get(RULE, ""))}
        sets = tuple(tuple((name, named[name]) for name in names if named.get(name)) for names in METRICS[metric].sets)
        self._values[tuple(dict.fromkeys(filter(None, sets)))].append((metric, value))

    def flush(self) -> None:
        """Print what was added, and start anew."""
        values, self._values = self._values, defaultdict(list)
        for sets, measured in values.items():
            metrics = EphemeralMetrics(namespace=self._namespace, service="")  # no dimension beside S3's own
            for number, dimensions in enumerate(sets):
                if number:
                    metrics.add_dimensions(**dict(dimensions))
                else:
                    for name, text in dimensions:
                        metrics.add_dimension(name, text)
            for metric, value in measured:
                metrics.add_metric(metric, METRICS[metric].unit, value)
            metrics.flush_metrics()
