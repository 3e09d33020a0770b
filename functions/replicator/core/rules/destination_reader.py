"""Reads a rule's `Destination` and checks its restrictions: bucket, account, storage class, KMS key, threshold.

Separate from the rest of a rule because half of the restrictions are here. They are S3's (PutBucketReplication), with
one exception: S3 accepts only 15 minutes as a threshold, and here any number works, fractions included.
"""

import re

from replicator.core.rules.document_node import Node
from replicator.core.rules.rule import Destination, Problem

RTC_MINUTES = 15
# What CopyObject accepts for a general purpose bucket; the API model's other classes are for other kinds of buckets.
REPLICA_STORAGE_CLASSES = (
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
    "REDUCED_REDUNDANCY",
)
_BUCKET_ARN = re.compile(r"arn:[a-z0-9-]+:s3:::(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9])")
_KEY_ARN = re.compile(r"arn:[a-z0-9-]+:kms:[a-z0-9-]+:\d{12}:(key|alias)/[A-Za-z0-9/_.-]+")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


def read_destination(bucket: str, node: Node) -> Destination:
    """Read where the replicas of a source `bucket` go and what they look like there."""
    translation = node.node("AccessControlTranslation")
    override = translation is not None and translation.choice("Owner", ("Destination",), required=True) is not None
    account = node.text("Account")
    if account is not None and not _ACCOUNT.fullmatch(account):
        node.refuse("Account", f"must be the 12 digits of an AWS account, not {account!r}")
    if "AccessControlTranslation" in node and "Account" not in node:
        node.refuse("Account", "is missing; AccessControlTranslation needs the destination bucket's account")
    encryption = node.node("EncryptionConfiguration")
    return Destination(
        bucket=_destination_bucket(bucket, node),
        account=account,
        storage_class=node.choice("StorageClass", REPLICA_STORAGE_CLASSES),
        kms_key=_kms_key(encryption) if encryption else None,
        owner_override=override,
    )


def _destination_bucket(source: str, node: Node) -> str:
    arn = node.text("Bucket", required=True)
    if arn is None:
        return ""
    match = _BUCKET_ARN.fullmatch(arn)
    if match is None:
        node.refuse("Bucket", f"must be a bucket's ARN such as arn:aws:s3:::{source}-replica, not {arn!r}")
        return ""
    if match["bucket"] == source:
        node.refuse("Bucket", f"{source!r} is the source bucket; a bucket cannot be its own destination")
    return match["bucket"]


def _kms_key(node: Node) -> str | None:
    key = node.text("ReplicaKmsKeyID", required=True)
    if key is not None and not _KEY_ARN.fullmatch(key):
        node.refuse(
            "ReplicaKmsKeyID", f"must be the ARN of a KMS key or alias in the destination's Region, not {key!r}"
        )
    return key


def check_encryption(criteria: Node | None, destination: Node | None, *, kms_selected: bool) -> None:
    """Check that a rule names a KMS key for replicas if, and only if, it selects KMS-encrypted objects."""
    if destination is None:
        return
    if kms_selected and "EncryptionConfiguration" not in destination:
        destination.refuse(
            "EncryptionConfiguration.ReplicaKmsKeyID", "is missing; SseKmsEncryptedObjects needs a key for the replicas"
        )
    if "EncryptionConfiguration" in destination and (criteria is None or "SseKmsEncryptedObjects" not in criteria):
        destination.problems.append(
            Problem(
                destination.rule,
                "SourceSelectionCriteria.SseKmsEncryptedObjects",
                "is missing; Destination.EncryptionConfiguration needs it",
            )
        )


def read_threshold(node: Node, version: int, warnings: list[Problem]) -> float | None:
    """Read after how many minutes an object counts as late; None for the stack's own threshold."""
    rtc, metrics = node.node("ReplicationTime"), node.node("Metrics")
    if rtc is not None and version == 1:
        node.refuse("ReplicationTime", "needs a rule with Filter")
    if rtc is not None and "Metrics" not in node:
        node.refuse("Metrics", "is missing; ReplicationTime needs it")
    if rtc is not None and metrics is not None and _is_on(rtc) and not _is_on(metrics):
        metrics.refuse("Status", "must be Enabled; ReplicationTime needs it")
    promised = _minutes(rtc, "Time", warnings, required=True) if rtc else None
    threshold = _minutes(metrics, "EventThreshold", warnings, required=False) if metrics else None
    if promised and threshold and promised != threshold:
        node.refuse(
            "Metrics.EventThreshold.Minutes",
            f"is {threshold}, but ReplicationTime.Time.Minutes is {promised}; they must be equal",
        )
    return promised or threshold


def _is_on(node: Node) -> bool:
    return node.members.get("Status") == "Enabled"


def _minutes(node: Node, name: str, warnings: list[Problem], *, required: bool) -> float | None:
    enabled = node.enabled()
    time = node.node(name)
    if time is None:
        if required and name not in node:
            node.refuse(name, 'is missing; it must be {"Minutes": 15}, or another number')
        return None
    minutes = time.quantity("Minutes", required=required and enabled)
    if minutes is not None and minutes != RTC_MINUTES:
        warnings.append(
            Problem(node.rule, time.at("Minutes"), f"is {minutes}; S3 itself accepts only {RTC_MINUTES} minutes here")
        )
    return minutes if enabled else None
