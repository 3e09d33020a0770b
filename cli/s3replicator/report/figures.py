"""What replication came to in a span of time: shares within the threshold, latencies, misses and failures by rule.

Values and arithmetic only. Where they come from (CloudWatch) and how they look (a page, JSON) lies elsewhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from replicator.core.outcomes.metrics import SLA
from replicator.core.outcomes.threshold import Route

QUANTILES = (0.5, 0.9, 0.99, 0.999)
MINUTE, HOUR, DAY = 60, 3600, 86400
PERIODS = (60, 300, 900, 1800, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY)
POINTS = 100
"""As many points of a curve as a page has room for."""
KEPT = ((15 * DAY, 60), (63 * DAY, 300), (455 * DAY, HOUR))
"""CloudWatch keeps data of so many seconds ago in periods of so many seconds (API reference, GetMetricData)."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time in epoch seconds; the end is not part of it."""

    start: int
    end: int

    @property
    def seconds(self) -> int:
        """How long it is."""
        return self.end - self.start

    def aligned(self, now: int) -> "Span":
        """Widen it to whole periods of what CloudWatch still keeps."""
        grain = _grain(now - self.start)
        return Span(
            self.start // grain * grain, max(-(-self.end // grain) * grain, self.start // grain * grain + grain)
        )

    def period(self, now: int) -> int:
        """Choose the period of a curve: few enough points, and no finer than what is still kept."""
        wanted = max(_grain(now - self.start), self.seconds / POINTS)
        return next((period for period in PERIODS if period >= wanted), PERIODS[-1])


def _grain(age: int) -> int:
    return next((period for kept, period in KEPT if age <= kept), HOUR)


@dataclass(frozen=True, slots=True)
class Latency:
    """Quantiles of a latency in seconds, of so many objects. Empty if nothing was measured."""

    count: int = 0
    quantiles: Mapping[float, float] = field(default_factory=dict)
    shortest: float = 0.0
    longest: float = 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of some objects. `within` and `outside` count objects for and against the threshold."""

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
        """Return whether enough objects were within the threshold; so it is if there were none."""
        return self.share is None or self.share >= SLA


def _share(within: int, outside: int) -> float | None:
    return within / (within + outside) if within + outside else None


@dataclass(frozen=True, slots=True)
class Moment:
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
    """Why objects of a rule missed the threshold, or failed. `kind`: "missed" or "failed"."""

    route: Route
    kind: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the page shows."""

    stack: str
    region: str
    span: Span
    made: int
    threshold_minutes: float
    period: int
    total: Figures
    by_rule: Mapping[Route, Figures]
    moments: Sequence[Moment]
    reasons_counted: Sequence[ReasonCount]

    @property
    def is_fine(self) -> bool:
        """Return whether the share was kept and nothing failed."""
        return self.total.keeps_sla and not self.total.failed


def merge(latencies: Iterable[Latency]) -> Latency:
    """Put latencies of neighbouring periods together; exact if there is only one.

    CloudWatch may cut a span in two where its own clock says so. Between known quantiles a straight line is assumed.
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
