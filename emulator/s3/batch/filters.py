"""Which versions S3 lists when it generates a manifest: the filters of a job.

Strings of a key constraint, sizes and times must all match. The statuses are those of S3's own replication, and so is
the eligibility: S3 knows nothing of other replicators.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_JobManifestGeneratorFilter.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_KeyNameConstraint.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ObjectEncryptionFilter.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.s3.models import FakeBucket

from emulator.s3.batch.jobs import is_true
from emulator.s3.native import configuration
from emulator.s3.native.selection import select
from emulator.s3.versions import Encryption, Entry, Version, is_version

Wanted = Mapping[str, Any]
STATUSES = frozenset({"COMPLETED", "FAILED", "REPLICA", "NONE"})
CLASSES = frozenset(
    {"STANDARD", "STANDARD_IA", "ONEZONE_IA", "GLACIER", "INTELLIGENT_TIERING", "DEEP_ARCHIVE", "GLACIER_IR"}
)
_CONSTRAINTS: Mapping[str, Callable[[str, str], bool]] = {
    "MatchAnyPrefix": str.startswith,
    "MatchAnySuffix": str.endswith,
    "MatchAnySubstring": str.__contains__,
}
_ALGORITHMS = {"SSE-S3": "AES256", "SSE-KMS": "aws:kms", "DSSE-KMS": "aws:kms:dsse"}


def matches(entry: Entry, bucket: FakeBucket, wanted: Wanted) -> bool:
    """Return whether an entry of a bucket's history is listed.

    Delete markers are only listed for replication, if its rules select them.
    """
    eligible = is_true(wanted.get("EligibleForReplication"))
    if not is_version(entry) and not eligible:
        return False
    if eligible and not is_eligible(entry, bucket):
        return False
    return _fits_time(entry, wanted) and _fits_key(entry.name, wanted) and _fits_version(entry, wanted)


def is_eligible(entry: Entry, bucket: FakeBucket) -> bool:
    """Return whether a rule of the bucket's own replication selects the entry, had it been written just now."""
    return bool(select(configuration.rules(bucket), entry))


def problems(wanted: Wanted) -> Iterator[str]:
    """Yield why S3 refuses a filter."""
    for name in _CONSTRAINTS:
        found = members(wanted.get("KeyNameConstraint"), name)
        if len(found) > 1 or not all(found):
            yield f"{name} accepts an array with one string"
    if set(members(wanted, "ObjectReplicationStatuses")) - STATUSES:
        yield "ObjectReplicationStatuses must be COMPLETED, FAILED, REPLICA or NONE"
    if set(members(wanted, "MatchAnyStorageClass")) - CLASSES:
        yield f"MatchAnyStorageClass must be one of {', '.join(sorted(CLASSES))}"
    after, before = (_time(wanted, name) for name in ("CreatedAfter", "CreatedBefore"))
    if after and before and after >= before:
        yield "CreatedAfter must be earlier than CreatedBefore"


def members(parent: Any, name: str) -> list[Any]:
    """Return the values of a list in a parsed document."""
    found = (parent or {}).get(name) or {}
    return list(found.get("member") or found.get("ObjectEncryption") or [])


def _fits_time(entry: Entry, wanted: Wanted) -> bool:
    after, before = (_time(wanted, name) for name in ("CreatedAfter", "CreatedBefore"))
    created = entry.last_modified.replace(tzinfo=UTC)
    return (after is None or created > after) and (before is None or created < before)


def _time(wanted: Wanted, name: str) -> datetime | None:
    return datetime.fromisoformat(str(wanted[name])) if wanted.get(name) else None


def _fits_key(key: str, wanted: Wanted) -> bool:
    texts = {name: members(wanted.get("KeyNameConstraint"), name) for name in _CONSTRAINTS}
    return all(any(_CONSTRAINTS[name](key, text) for text in found) for name, found in texts.items() if found)


def _fits_version(entry: Entry, wanted: Wanted) -> bool:
    if not is_version(entry):
        return not {"ObjectReplicationStatuses", "MatchAnyStorageClass", "MatchAnyObjectEncryption"} & wanted.keys()
    statuses, classes = members(wanted, "ObjectReplicationStatuses"), members(wanted, "MatchAnyStorageClass")
    encryptions = members(wanted, "MatchAnyObjectEncryption")
    return (
        (not statuses or (entry.replication_status or "NONE") in statuses)
        and (not classes or entry.storage_class in classes)
        and _fits_size(entry, wanted)
        and all(_fits_encryption(entry.attributes.encryption, each) for each in encryptions)
    )


def _fits_size(version: Version, wanted: Wanted) -> bool:
    above, below = wanted.get("ObjectSizeGreaterThanBytes"), wanted.get("ObjectSizeLessThanBytes")
    return (above is None or version.size > int(above)) and (below is None or version.size < int(below))


def _fits_encryption(encryption: Encryption, wanted: Mapping[str, Any]) -> bool:
    [(kind, details)] = wanted.items()
    details = details or {}
    if kind in ("SSE-C", "NOT-SSE"):  # S3 has encrypted every object since 2023
        return kind == "SSE-C" and encryption.customer_key_md5 is not None
    if encryption.customer_key_md5 is not None or encryption.algorithm != _ALGORITHMS[kind]:
        return False
    key, bucket_key = details.get("KmsKeyArn"), details.get("BucketKeyEnabled")
    return (not key or key == encryption.kms_key_id) and (
        not bucket_key or is_true(bucket_key) == encryption.bucket_key
    )
