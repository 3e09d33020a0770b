"""The coverage records -> metrics: how long ago each destination was last proven complete, and what was found then.

Published every minute by the monitor, not by whoever verifies: so the age grows, and its alarm is raised, if
verifications stop without a word. What an operator's command has proven counts as well.
"""

from collections.abc import Callable, Iterable

from replicator.core.outcomes.metrics import DESTINATION, SOURCE, STACK, Metric
from replicator.core.outcomes.recovery import Buckets
from replicator.core.rules.coverage import Record

Gauge = Callable[[Metric, float, dict[str, str]], None]
"""Adds a value of a metric under a route."""


def publish_proofs(
    pairs: Iterable[Buckets], record_of: Callable[[str], Record], gauge: Gauge, stack: str, now: int
) -> None:
    """Publish what is on record about pairs of buckets that were verified. now: epoch milliseconds."""
    for source, destination in pairs:
        entry = record_of(source).get(destination)
        if entry is None or entry.verification is None:
            continue
        route = {SOURCE: source, DESTINATION: destination, STACK: stack}
        gauge(Metric.PROOF_AGE, max(0, now - entry.unproven_ms) / 1000, route)
        gauge(Metric.VERIFIED, entry.verification.checked, route)
        gauge(Metric.VERIFIED_PENDING, entry.verification.pending, route)
        gauge(Metric.VERIFIED_DIFFERENT, entry.verification.different, route)
