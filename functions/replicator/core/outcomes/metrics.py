"""Every metric that S3 Replicator publishes: its name, unit, and sets of dimensions.

One table for the code that publishes, for the report, and for the tests of alarms, dashboard and documentation. Names,
units and dimensions are S3's own wherever S3 Replication has such a metric (S3 user guide, "Using S3 Replication
metrics"), so that dashboards made for S3's metrics work with these.
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
BY_BUCKETS = (SOURCE, DESTINATION)
SLA = 0.999
"""The share of objects within the threshold that S3 Replication Time Control promises per month."""


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
    BACKFILL = "BackfillMessages"
    PARKED = "OperationsParked"
    SHUT = "DestinationsShut"
    DENIED = "DestinationsDenied"
    UNRECORDED = "ChangesUnrecorded"
    RECOVERY_AGE = "RecoveryPointAge"
    RECOVERY_POINT = "RecoveryPoint"
    FAILED_NOW = "OperationsFailedNow"
    UNVERIFIED = "DestinationUnverified"
    OLDEST_MISSING = "OldestMissing"
    GATE = "DestinationGate"
    UNEXPLAINED = "ChangesUnexplained"
    PROOF_AGE = "LastProofAge"
    VERIFIED = "VersionsVerified"
    VERIFIED_PENDING = "VersionsVerifiedPending"
    VERIFIED_DIFFERENT = "DifferencesFound"
    RULES_SAME_REGION = "RulesInSameRegion"
    RULES_CROSS_REGION = "RulesAcrossRegions"
    RULES_SAME_ACCOUNT = "RulesInSameAccount"
    RULES_CROSS_ACCOUNT = "RulesAcrossAccounts"
    RULES_INVALID = "RulesWithInvalidDestination"


class Unit(StrEnum):
    """CloudWatch's units, those that are used here."""

    COUNT = "Count"
    BYTES = "Bytes"
    SECONDS = "Seconds"


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """A metric's unit, and the sets of dimensions that it is published with.

    A dimension that has no value is left out of its set.
    """

    unit: Unit
    sets: tuple[tuple[str, ...], ...] = (BY_RULE, BY_STACK)


METRICS: Mapping[Metric, MetricDefinition] = {
    Metric.LATENCY: MetricDefinition(Unit.SECONDS),
    Metric.REPLICATED: MetricDefinition(Unit.COUNT),
    Metric.BYTES_REPLICATED: MetricDefinition(Unit.BYTES),
    Metric.WITHIN: MetricDefinition(Unit.COUNT),
    Metric.BYTES_WITHIN: MetricDefinition(Unit.BYTES),
    Metric.BYTES_OUTSIDE: MetricDefinition(Unit.BYTES),
    Metric.FAILED: MetricDefinition(Unit.COUNT, (BY_RULE, BY_REASON, BY_STACK)),
    Metric.MISSED: MetricDefinition(Unit.COUNT, (BY_RULE, BY_REASON, BY_STACK)),
    Metric.SKIPPED: MetricDefinition(Unit.COUNT, (BY_REASON,)),
    Metric.PENDING: MetricDefinition(Unit.COUNT),
    Metric.BYTES_PENDING: MetricDefinition(Unit.BYTES),
    Metric.OLDEST: MetricDefinition(Unit.SECONDS),
    Metric.PENDING_BY_AGE: MetricDefinition(Unit.COUNT, (BY_AGE,)),
    Metric.UNSEEN: MetricDefinition(Unit.COUNT, (BY_STACK,)),
    Metric.BACKFILL: MetricDefinition(Unit.COUNT, (BY_STACK,)),
    Metric.PARKED: MetricDefinition(Unit.COUNT),
    Metric.SHUT: MetricDefinition(Unit.COUNT, (BY_STACK,)),
    Metric.DENIED: MetricDefinition(Unit.COUNT, (BY_STACK,)),
    Metric.UNRECORDED: MetricDefinition(Unit.COUNT, (BY_STACK,)),
    Metric.RECOVERY_AGE: MetricDefinition(Unit.SECONDS, (BY_STACK,)),
    Metric.PROOF_AGE: MetricDefinition(Unit.SECONDS, (BY_BUCKETS, BY_STACK)),
    Metric.VERIFIED: MetricDefinition(Unit.COUNT, (BY_BUCKETS, BY_STACK)),
    Metric.VERIFIED_PENDING: MetricDefinition(Unit.COUNT, (BY_BUCKETS, BY_STACK)),
    Metric.VERIFIED_DIFFERENT: MetricDefinition(Unit.COUNT, (BY_BUCKETS, BY_STACK)),
    Metric.RULES_SAME_REGION: MetricDefinition(Unit.COUNT, (BY_STACK,)),
    Metric.RULES_CROSS_REGION: MetricDefinition(Unit.COUNT, (BY_STACK,)),
    Metric.RULES_SAME_ACCOUNT: MetricDefinition(Unit.COUNT, (BY_STACK,)),
    Metric.RULES_CROSS_ACCOUNT: MetricDefinition(Unit.COUNT, (BY_STACK,)),
    Metric.RULES_INVALID: MetricDefinition(Unit.COUNT, (BY_STACK,)),
}

FIGURES: Mapping[Metric, MetricDefinition] = {
    Metric.PENDING: MetricDefinition(Unit.COUNT, (BY_BUCKETS,)),
    Metric.BYTES_PENDING: MetricDefinition(Unit.BYTES, (BY_BUCKETS,)),
    Metric.FAILED_NOW: MetricDefinition(Unit.COUNT, (BY_BUCKETS,)),
    Metric.UNVERIFIED: MetricDefinition(Unit.COUNT, (BY_BUCKETS,)),
    Metric.RECOVERY_POINT: MetricDefinition(Unit.SECONDS, (BY_BUCKETS,)),
    Metric.OLDEST_MISSING: MetricDefinition(Unit.SECONDS, (BY_BUCKETS,)),
    Metric.PARKED: MetricDefinition(Unit.COUNT, (BY_BUCKETS,)),
    Metric.GATE: MetricDefinition(Unit.COUNT, (BY_BUCKETS,)),
    Metric.UNEXPLAINED: MetricDefinition(Unit.COUNT, (BY_BUCKETS,)),
}
"""What the monitor publishes about each pair of buckets in the destination's Region. The first four always, the others
only if they are known and not 0: CloudWatch bills metrics by the hour in which they have a value."""
