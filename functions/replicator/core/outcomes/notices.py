"""Notices: events about replication, published as S3's own (OperationFailedReplication, OperationMissedThreshold, ...).

Separate because others depend on their format. The detail of an event is the record that S3 would send ("Event message
structure" in its user guide, `replicationEventData` as its SDKs read it), plus `bucket` and `object` as S3 sends them
to EventBridge, so that event patterns written for either format match.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote_plus

from replicator.core.outcomes.outcome import Outcome
from replicator.core.versions.change import Aspect, Change

SOURCE = "s3-replicator"


S3_OPERATIONS: Mapping[Aspect, str] = {
    Aspect.CONTENT: "OBJECT_PUT",
    Aspect.MARKER: "OBJECT_DELETE",
    Aspect.REMOVAL: "OBJECT_DELETE",
    Aspect.TAGS: "OBJECT_TAGGING",
    Aspect.ACL: "OBJECT_ACL",
    Aspect.LOCK: "OBJECT_RETENTION",
    Aspect.ANNOTATIONS: "OBJECT_ANNOTATION",
    Aspect.STATE: "OBJECT_PUT",
}
"""The value of `s3Operation` for every aspect. AWS documents those of the first two."""


class NoticeKind(StrEnum):
    """S3's event types for replication, without their prefix `s3:Replication:`."""

    FAILED = "OperationFailedReplication"
    MISSED = "OperationMissedThreshold"
    AFTER = "OperationReplicatedAfterThreshold"


@dataclass(frozen=True, slots=True)
class Notice:
    """One event about one version at one destination. Times are epoch milliseconds, durations milliseconds.

    latency_ms: 0 unless the replica is completed.
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
    aspect: Aspect = Aspect.CONTENT
    reason: str = ""
    latency_ms: int = 0


def notice_of(kind: NoticeKind, change: Change, outcome: Outcome) -> Notice:
    """Return the event that reports an outcome."""
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
        aspect=change.aspect or Aspect.CONTENT,
        reason=str(outcome.reason or "") if kind is NoticeKind.FAILED else "",
        latency_ms=outcome.latency_ms if kind is NoticeKind.AFTER else 0,
    )


def detail(notice: Notice, region: str, now: int) -> dict[str, Any]:
    """Return the event's detail. region: the source's; now: epoch milliseconds."""
    partition = _partition(region)
    return {
        "eventVersion": "2.2",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": _iso(now),
        "eventName": f"Replication:{notice.kind}",
        "userIdentity": {"principalId": SOURCE},
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": notice.bucket, "arn": f"arn:{partition}:s3:::{notice.bucket}"},
            "object": {"key": quote_plus(notice.key, safe="/"), "size": notice.size, "versionId": notice.version_id},
        },
        "replicationEventData": _replication(notice, partition),
        "bucket": {"name": notice.bucket},
        "object": {"key": notice.key, "size": notice.size, "version-id": notice.version_id},
    }


def _replication(notice: Notice, partition: str) -> dict[str, str]:
    optional = {
        "failureReason": notice.reason,
        "threshold": f"{notice.threshold_ms / 60_000:g}" if notice.kind is not NoticeKind.FAILED else "",
        "replicationTime": f"{notice.latency_ms / 1000:.3f}" if notice.kind is NoticeKind.AFTER else "",
    }
    return {
        "replicationRuleId": notice.rule_id,
        "destinationBucket": f"arn:{partition}:s3:::{notice.destination}",
        "s3Operation": S3_OPERATIONS[notice.aspect],
        "requestTime": _iso(notice.requested),
        **{name: text for name, text in optional.items() if text},
    }


def _partition(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _iso(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
