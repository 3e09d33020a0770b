"""Events about replication in S3's own words: OperationFailedReplication, OperationMissedThreshold, ...AfterThreshold.

Separate because their form is a promise to others. The detail of an event is the record that S3 would send ("Event
message structure" in its user guide, `replicationEventData` as its SDKs read it), with `bucket` and `object` as S3
sends them to EventBridge beside it, so that patterns made for either match.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote_plus

from replicator.core.outcomes.outcome import Outcome
from replicator.core.versions.change import Change

SOURCE = "s3-replicator"


class NoticeKind(StrEnum):
    """S3's event types for replication, without their prefix `s3:Replication:`."""

    FAILED = "OperationFailedReplication"
    MISSED = "OperationMissedThreshold"
    AFTER = "OperationReplicatedAfterThreshold"


@dataclass(frozen=True, slots=True)
class Notice:
    """One event about one version at one destination. Times are epoch milliseconds, durations milliseconds.

    `latency_ms` is known only once the replica is there; `marker`: the version is a delete marker.
    """

    kind: NoticeKind
    bucket: str
    key: str
    version_id: str
    destination: str
    rule_id: str
    requested: int
    threshold_ms: int
    size: int = 0
    marker: bool = False
    reason: str = ""
    latency_ms: int = 0


def notice(kind: NoticeKind, change: Change, outcome: Outcome) -> Notice:
    """Make the event that tells of an outcome."""
    return Notice(
        kind=kind,
        bucket=change.bucket,
        key=change.key,
        version_id=change.version_id,
        destination=outcome.destination,
        rule_id=outcome.rule_id,
        requested=change.time,
        threshold_ms=outcome.threshold_ms,
        size=outcome.size,
        marker=not change.is_version,
        reason=str(outcome.reason or "") if kind is NoticeKind.FAILED else "",
        latency_ms=outcome.latency_ms if kind is NoticeKind.AFTER else 0,
    )


def detail(told: Notice, region: str, now: int) -> dict[str, Any]:
    """Write the event's detail; `region` is the source's, `now` epoch milliseconds."""
    partition = _partition(region)
    return {
        "eventVersion": "2.2",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": _iso(now),
        "eventName": f"Replication:{told.kind}",
        "userIdentity": {"principalId": SOURCE},
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": told.bucket, "arn": f"arn:{partition}:s3:::{told.bucket}"},
            "object": {"key": quote_plus(told.key, safe="/"), "size": told.size, "versionId": told.version_id},
        },
        "replicationEventData": _replication(told, partition),
        "bucket": {"name": told.bucket},
        "object": {"key": told.key, "size": told.size, "version-id": told.version_id},
    }


def _replication(told: Notice, partition: str) -> dict[str, str]:
    optional = {
        "failureReason": told.reason,
        "threshold": f"{told.threshold_ms / 60_000:g}" if told.kind is not NoticeKind.FAILED else "",
        "replicationTime": f"{told.latency_ms / 1000:.3f}" if told.kind is NoticeKind.AFTER else "",
    }
    return {
        "replicationRuleId": told.rule_id,
        "destinationBucket": f"arn:{partition}:s3:::{told.destination}",
        "s3Operation": "OBJECT_DELETE" if told.marker else "OBJECT_PUT",
        "requestTime": _iso(told.requested),
        **{name: text for name, text in optional.items() if text},
    }


def _partition(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _iso(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
