"""The figures of a report: shares within the threshold, latencies, misses and failures by rule.

Values and arithmetic only. Reading them from CloudWatch and writing them as a page or as JSON are modules of their own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from replicator.core.outcomes.metrics import SLA
from replicator.core.outcomes.threshold import Route

from s3replicator.report.time_span import Span

QUANTILES = (0.5, 0.9, 0.99, 0.999)


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency of `count` objects in seconds: quantiles (0.5 is the median), shortest and longest."""

    count: int = 0
    quantiles: Mapping[float, float] = field(default_factory=dict)
    shortest: float = 0.0
    longest: float = 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Totals of a stack or of one rule. `within` and `outside` count objects within and outside their threshold."""

    replicated: int = 0
    bytes: int = 0
    within: int = 0
    outside: int = 0
    bytes_within: int = 0
    bytes_outside: int = 0
    missed: int = 0
    failed: int = 0
    latency: Latency = field(default_factory=Latency)

    @property
    def share(self) -> float | None:
        """Return the share of objects within the threshold; None if none was counted."""
        return _share(self.within, self.outside)

    @property
    def share_of_bytes(self) -> float | None:
        """Return the share of bytes within the threshold; None if none were counted."""
        return _share(self.bytes_within, self.bytes_outside)

    @property
    def keeps_sla(self) -> bool:
        """Return whether enough objects were within the threshold, which is also so if there were none."""
        return self.share is None or self.share >= SLA


def _share(within: int, outside: int) -> float | None:
    return within / (within + outside) if within + outside else None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One point of the curves. `time`: epoch seconds at which its period begins."""

    time: int
    latency: Latency
    within: int = 0
    outside: int = 0

    @property
    def share(self) -> float | None:
        """Return the share of objects within the threshold; None if none was counted."""
        return _share(self.within, self.outside)


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many objects of a rule missed the threshold or failed for one reason. `kind`: "missed" or "failed"."""

    route: Route
    kind: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the page shows. `made`: when, in epoch seconds. `period`: seconds between points of the curve."""

    stack: str
    region: str
    span: Span
    made: int
    threshold_minutes: float
    period: int
    total: Figures
    by_rule: Mapping[Route, Figures]
    curve: Sequence[CurvePoint]
    reasons: Sequence[ReasonCount]

    @property
    def is_fine(self) -> bool:
        """Return whether enough objects were within the threshold and nothing failed."""
        return self.total.keeps_sla and not self.total.failed


def merge(latencies: Iterable[Latency]) -> Latency:
    """Merge the latencies of neighbouring periods; exact if there is only one.

    CloudWatch may split a span in two, by its own clock. Values between known quantiles are interpolated.
    """
    parts = [latency for latency in latencies if latency.count]
    if len(parts) < 2:
        return parts[0] if parts else Latency()
    samples = sorted((_at(part, (step + 0.5) / 1000), part.count / 1000) for part in parts for step in range(1000))
    count = sum(part.count for part in parts)
    quantiles = {quantile: _weighted(samples, quantile * count) for quantile in QUANTILES}
    return Latency(count, quantiles, min(part.shortest for part in parts), max(part.longest for part in parts))


def _at(latency: Latency, share: float) -> float:
    known = [(0.0, latency.shortest), *sorted(latency.quantiles.items()), (1.0, latency.longest)]
    for (low, below), (high, above) in pairwise(known):
        if share <= high:
            return below + (above - below) * (share - low) / (high - low)
    return latency.longest


def _weighted(samples: Sequence[tuple[float, float]], rank: float) -> float:
    reached = 0.0
    for value, weight in samples:
        reached += weight
        if reached >= rank:
            return value
    return samples[-1][0]
