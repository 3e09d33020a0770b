"""Every metric that S3 Replicator publishes: its name, its unit, and the sets of dimensions that it appears under.

One table, read by whoever publishes, by the report, and by the tests that hold alarms, dashboard and documentation to
it. Names, units and dimensions are S3's own wherever S3 Replication has such a metric (S3 user guide, "Using S3
Replication metrics"), so that what was made for S3's reads ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

NAMESPACE = "S3Replicator"

SOURCE, DESTINATION, RULE, REASON, AGE, STACK = (
    "SourceBucket",
    "DestinationBucket",
    "RuleId",
    "Reason",
    "Age",
    "Stack",
)
BY_RULE = (SOURCE, DESTINATION, RULE)
BY_REASON = (*BY_RULE, REASON)
BY_STACK = (STACK,)
BY_AGE = (STACK, AGE)
SLA = 0.999
"""The share within the threshold that S3's Replication Time Control promises per month."""


class Metric(StrEnum):
    """The metrics by name."""

    LATENCY = "ReplicationLatency"
    REPLICATED = "OperationsReplicated"
    BYTES_REPLICATED = "BytesReplicated"
    WITHIN = "WithinThreshold"
    BYTES_WITHIN = "BytesWithinThreshold"
    BYTES_OUTSIDE = "BytesOutsideThreshold"
    FAILED = "OperationsFailedReplication"
    MISSED = "OperationsMissedThreshold"
    SKIPPED = "OperationsSkipped"
    PENDING = "OperationsPendingReplication"
    BYTES_PENDING = "BytesPendingReplication"
    OLDEST = "OldestPendingAge"
    PENDING_BY_AGE = "OperationsPendingByAge"
    UNSEEN = "ChangesUnseen"


class Unit(StrEnum):
    """CloudWatch's units, as far as they are used."""

    COUNT = "Count"
    BYTES = "Bytes"
    SECONDS = "Seconds"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a metric is measured in, and under which sets of dimensions it appears.

    A dimension that has no value is left out of its set.
    """

    unit: Unit
    sets: tuple[tuple[str, ...], ...] = (BY_RULE, BY_STACK)


METRICS: Mapping[Metric, Kind] = {
    Metric.LATENCY: Kind(Unit.SECONDS),
    Metric.REPLICATED: Kind(Unit.COUNT),
    Metric.BYTES_REPLICATED: Kind(Unit.BYTES),
    Metric.WITHIN: Kind(Unit.COUNT),
    Metric.BYTES_WITHIN: Kind(Unit.BYTES),
    Metric.BYTES_OUTSIDE: Kind(Unit.BYTES),
    Metric.FAILED: Kind(Unit.COUNT, (BY_RULE, BY_REASON, BY_STACK)),
    Metric.MISSED: Kind(Unit.COUNT, (BY_RULE, BY_REASON, BY_STACK)),
    Metric.SKIPPED: Kind(Unit.COUNT, (BY_REASON,)),
    Metric.PENDING: Kind(Unit.COUNT),
    Metric.BYTES_PENDING: Kind(Unit.BYTES),
    Metric.OLDEST: Kind(Unit.SECONDS),
    Metric.PENDING_BY_AGE: Kind(Unit.COUNT, (BY_AGE,)),
    Metric.UNSEEN: Kind(Unit.COUNT, (BY_STACK,)),
}
