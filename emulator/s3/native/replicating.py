"""Runs S3's own replication: each new version or delete marker is replicated in the background after its write.

What S3 replicated itself is not replicated again; whatever else writes, S3 Replicator included, is. Deletions of
versions are never replicated, and later changes of a version's tags, ACL or lock are not either here, unlike on AWS.
Failures are final. S3 announces replicas to the destination's notifications as ObjectCreated:Put. Users saw that, and
the session name in the principal, on AWS; its pages do not say so.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

from contextvars import Context
from functools import partial
from hashlib import sha256

from moto.s3.models import FakeBucket

from emulator.calls.call import Call, current_call
from emulator.iam.principals import Principal
from emulator.s3 import event_records
from emulator.s3.histories import find, insert, lock, on_push
from emulator.s3.native import configuration
from emulator.s3.native.replicas import Failed, destination_of, replica_of
from emulator.s3.native.selection import Rule, select
from emulator.s3.sending import timestamp
from emulator.s3.versions import Entry, is_version
from emulator.state import active

SESSION = "s3-replication"


@on_push
def begin(bucket: FakeBucket, entry: Entry) -> None:
    """Queue a new entry for the destinations of the bucket's rules; its status is PENDING from now on."""
    if bucket.versioning_status != "Enabled" or not configuration.is_configured(bucket):
        return
    for destination, rule in select(configuration.rules(bucket), entry).items():
        if is_version(entry):
            entry.native_status[destination] = "PENDING"
        # In an empty context: what S3 does later carries no trace of the invocation that wrote.
        Context().run(active().replication.send, partial(_replicate, bucket, entry, rule))


def _replicate(source: FakeBucket, entry: Entry, rule: Rule) -> None:
    """Replicate one entry to one destination, unless it was deleted in the meantime."""
    if find(source, entry.name, entry.version_id) is not entry:
        return
    token = current_call.set(_call(source))
    try:
        _write(entry, destination_of(rule, source), rule)
        status = "COMPLETED"
    except Failed as failed:
        status = "FAILED"
        _announce_failure(source, entry, rule, failed.reason)
    finally:
        current_call.reset(token)
    if is_version(entry):
        entry.native_status[rule.destination] = status


def _write(entry: Entry, bucket: FakeBucket, rule: Rule) -> None:
    replica = replica_of(entry, bucket, rule)
    with lock(bucket):
        if find(bucket, entry.name, entry.version_id) is not None:
            return
        insert(bucket, replica)
    event = "ObjectCreated:Put" if is_version(replica) else "ObjectRemoved:DeleteMarkerCreated"
    event_records.announce(event, bucket, replica)


def _call(source: FakeBucket) -> Call:
    """Return the call as which S3 replicates: that of a session of the configuration's role."""
    role = configuration.role(source)
    role_id = "AROA" + sha256(role.encode()).hexdigest()[:17].upper()
    principal = Principal("user", f"AWS:{role_id}:{SESSION}", SESSION, source.region_name, role)
    return Call("s3", "PutObject", source.region_name, principal)


def _announce_failure(source: FakeBucket, entry: Entry, rule: Rule, reason: str) -> None:
    """Send the event about a failed replication; S3 sends it for rules with metrics or RTC."""
    if not rule.sends_events or not is_version(entry):
        return
    data = {
        "replicationRuleId": rule.id,
        "destinationBucket": str(rule.target["Bucket"]),
        "s3Operation": "OBJECT_PUT",
        "requestTime": timestamp(entry.last_modified),
        "failureReason": reason,
    }
    event_records.announce("Replication:OperationFailedReplication", source, entry, {"replicationEventData": data})
