"""A replica as S3 writes it: version id, creation time, metadata, tags and kind of encryption are its source's.

So are the lock, or else the destination's default retention applies, and owner and ACL, unless the destination disables
ACLs or the rule changes the owner. The rule may name another storage class. Where a replica stands in the history of
its key follows from its creation time; for two writers of one key, AWS's pages do not say so.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-and-other-bucket-configs.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
"""

from __future__ import annotations

from dataclasses import replace

from moto.s3.models import FakeBucket

from emulator.calls.answers import S3Error
from emulator.iam.actions import TO_ENCRYPT
from emulator.s3 import kms_keys, locks, owners
from emulator.s3.histories import find_bucket
from emulator.s3.native.selection import Rule
from emulator.s3.versions import Attributes, Encryption, Entry, Marker, Version, is_version


class Failed(Exception):
    """S3 cannot replicate an entry; `reason` is the failureReason of its event."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def destination_of(rule: Rule, source: FakeBucket) -> FakeBucket:
    """Return the destination bucket of a rule. Raises Failed if nothing can be replicated there."""
    bucket = find_bucket(rule.destination)
    if bucket is None:
        raise Failed("DstBucketNotFound")
    if bucket.versioning_status != "Enabled":
        raise Failed("DstBucketUnversioned")
    if source.object_lock_enabled and not bucket.object_lock_enabled:
        raise Failed("DstBucketObjectLockConfigMissing")
    return bucket


def replica_of(entry: Entry, bucket: FakeBucket, rule: Rule) -> Entry:
    """Return the entry that S3 writes to the destination bucket. Raises Failed."""
    if not is_version(entry):
        return Marker(entry.name, bucket, entry.version_id, (entry.place, entry.last_modified))
    replica = Version(
        entry.name,
        entry.value,
        _attributes(entry.attributes, bucket, rule),
        bucket=bucket,
        checksum=entry.checksum,
        etag=entry.etag.strip('"'),
        parts=entry.parts,
        begun=(entry.place, entry.last_modified),
        version_id=entry.version_id,
    )
    replica.annotations = dict(entry.annotations)
    replica.native_status = {"": "REPLICA"}
    return replica


def _attributes(source: Attributes, bucket: FakeBucket, rule: Rule) -> Attributes:
    keeps_owner = not owners.is_enforced(bucket) and "AccessControlTranslation" not in rule.target
    return replace(
        source,
        storage_class=str(rule.target.get("StorageClass") or source.storage_class),
        encryption=_encryption(source.encryption, bucket, rule),
        lock=source.lock if source.lock.mode or source.lock.legal_hold == "ON" else locks.default(bucket),
        acl=source.acl if keeps_owner else owners.full_control(bucket.account_id),
        owner=source.owner if keeps_owner else bucket.account_id,
    )


def _encryption(source: Encryption, bucket: FakeBucket, rule: Rule) -> Encryption:
    if source.kms_key_id is None:
        return source
    try:
        encryption = replace(source, kms_key_id=kms_keys.arn_of(rule.kms_key, bucket))
        kms_keys.check(TO_ENCRYPT, encryption, bucket)
    except S3Error as error:
        missing = error.code == "KMS.NotFoundException"
        raise Failed("DstKmsKeyNotFound" if missing else "DstKmsKeyInvalidState") from None
    return encryption
