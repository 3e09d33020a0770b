"""S3's event notifications: their content, in the format for queues and in EventBridge's.

Operations that change an object announce it here; `emulator.fault_injection.delivery` delivers the events. The events
of a null version carry no version id. Only writes, deletions and restores carry a sequencer and a size. EventBridge
gets no retention and no annotations: its pages list no detail type for them.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-mapping-troubleshooting.html
https://github.com/aws/aws-sdk-java-v2, module s3-event-notifications: the data of ObjectRetention:Put
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote_plus
from uuid import uuid4

from moto.s3.models import FakeBucket

from emulator.calls.answers import request_id
from emulator.calls.call import current_call
from emulator.iam.principals import ACCOUNT
from emulator.s3 import notifications
from emulator.s3.sending import send_message, send_to_rules, timestamp
from emulator.s3.version_ids import NULL
from emulator.s3.versions import Entry, Lock, Marker, is_version, next_sequence
from emulator.state import active

_OWNER_ID = "A3EMULATOROWNER"
_EMPTY_ETAG = "d41d8cd98f00b204e9800998ecf8427e"
_LATER_CHANGES = ("ObjectTagging:", "ObjectAcl:", "ObjectRetention:", "ObjectAnnotation:")
_WITH_SEQUENCER = ("ObjectCreated:", "ObjectRemoved:", "ObjectRestore:")
_DETAIL_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
    "ObjectAcl:Put": "Object ACL Updated",
    "ObjectRestore:Post": "Object Restore Initiated",
    "ObjectRestore:Completed": "Object Restore Completed",
}
_DELETION_TYPES = {
    "ObjectRemoved:Delete": "Permanently Deleted",
    "ObjectRemoved:DeleteMarkerCreated": "Delete Marker Created",
}
_REASONS = {"Copy": "CopyObject", "CompleteMultipartUpload": "CompleteMultipartUpload", "Post": "PostObject"}


@dataclass(frozen=True)
class Absent:
    """What a deletion names where nothing is. It has an event, too."""

    name: str
    version_id: str = NULL
    sequence: int = 0


def announce(event: str, bucket: FakeBucket, entry: Entry | Absent, extra: dict[str, Any] | None = None) -> None:
    """Send an event, such as "ObjectCreated:Put", to the destinations in the bucket's notification configuration.

    The destinations are chosen now: the configuration may have changed when the event is delivered.
    """
    configuration = notifications.configuration(bucket)
    subscribed = [each for each in configuration.destinations if each.wants(f"s3:{event}", entry.name)]
    if not subscribed and not configuration.event_bridge:
        return
    happened = _Happened(event, bucket, entry, extra or {})
    send = active().delivery.send
    for each in subscribed:
        if each.kind == "Queue":
            send(partial(send_message, bucket, each.arn, json.dumps({"Records": [happened.record(each.id)]})))
    if configuration.event_bridge and (detail_type := happened.detail_type()):
        send(partial(send_to_rules, bucket, happened.detail(detail_type)))


class _Happened:
    """What happened to an object, and when."""

    def __init__(self, event: str, bucket: FakeBucket, entry: Entry | Absent, extra: dict[str, Any]) -> None:
        self.event, self.bucket, self.entry, self.extra = event, bucket, entry, extra
        self.time = datetime.now(UTC)
        # A deletion is later than the version that it deletes; a creation has the sequence of what it creates.
        created = event != "ObjectRemoved:Delete" and not event.startswith("ObjectRestore")
        sequence = entry.sequence if created else next_sequence()
        self.sequence = sequence if event.startswith(_WITH_SEQUENCER) else None
        self.request_id = request_id()
        self.principal_id = _principal_id(event, bucket)
        call = current_call.get()
        self.requester = call.principal.account if call else ""
        self.names_version = entry.version_id != NULL and (
            active().delivery.settings.version_ids or not event.startswith(_LATER_CHANGES)
        )

    def object(self, key: str, etag_name: str, version_name: str, sequencer: str | None) -> dict[str, Any]:
        """Return the description of the object, with the field names of either format."""
        fields: dict[str, Any] = {"key": key}
        if is_version(self.entry) and self.event != "ObjectRemoved:Delete":
            if sequencer:
                fields["size"] = self.entry.size
            fields[etag_name] = self.entry.etag.strip('"')
        elif isinstance(self.entry, Marker) and self.event == "ObjectRemoved:DeleteMarkerCreated":
            fields[etag_name] = _EMPTY_ETAG
        if self.names_version:
            fields[version_name] = self.entry.version_id
        if sequencer:
            fields["sequencer"] = sequencer
        return fields

    def record(self, configuration_id: str) -> dict[str, Any]:
        """Return a record in the format for queues, with the key URL-encoded."""
        key = quote_plus(self.entry.name, safe="/*")
        sequencer = None if self.sequence is None else active().delivery.sequencer(self.sequence)
        return {
            "eventVersion": self._version(),
            "eventSource": "aws:s3",
            "awsRegion": self.bucket.region_name,
            "eventTime": timestamp(self.time),
            "eventName": self.event,
            "userIdentity": {"principalId": self.principal_id},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {"x-amz-request-id": self.request_id, "x-amz-id-2": "emulator"},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration_id,
                "bucket": {
                    "name": self.bucket.name,
                    "ownerIdentity": {"principalId": _owner_id(self.bucket)},
                    "arn": self.bucket.arn,
                },
                "object": self.object(key, "eTag", "versionId", sequencer),
            },
            **self.extra,
        }

    def _version(self) -> str:
        if self.sequence is not None:
            return "2.1"
        return "2.5" if self.event.startswith("ObjectRetention:") else "2.3"

    def detail_type(self) -> str | None:
        """Return EventBridge's detail type; None for an event that EventBridge does not receive."""
        return _DETAIL_TYPES.get(self.event) or _DETAIL_TYPES.get(self.event.partition(":")[0])

    def detail(self, detail_type: str) -> dict[str, Any]:
        """Return the event in EventBridge's format: the key unencoded, 16 digits, the requester's account."""
        sequencer = None if self.sequence is None else f"{self.sequence:016x}"
        detail: dict[str, Any] = {
            "version": "0",
            "bucket": {"name": self.bucket.name},
            "object": self.object(self.entry.name, "etag", "version-id", sequencer),
            "request-id": self.request_id,
            "requester": self.requester or self.bucket.account_id,
            "source-ip-address": "127.0.0.1",
        }
        if self.event.startswith("ObjectCreated:"):
            detail["reason"] = _REASONS.get(self.event.partition(":")[2], "PutObject")
        if self.event.startswith("ObjectRestore:"):
            self._describe_restore(detail)
        if deletion := _DELETION_TYPES.get(self.event):
            detail |= {"reason": "DeleteObject", "deletion-type": deletion}
        return {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": detail_type,
            "source": "aws.s3",
            "account": self.bucket.account_id,
            "time": self.time.timestamp(),  # moto formats it when it sends the event
            "region": self.bucket.region_name,
            "resources": [self.bucket.arn],
            "detail": detail,
        }

    def _describe_restore(self, detail: dict[str, Any]) -> None:
        """Change the detail as recorded: without a sequencer; the end of a restore has no caller's address."""
        detail["object"].pop("sequencer", None)
        if is_version(self.entry):
            detail["source-storage-class"] = self.entry.storage_class
        if data := self.extra.get("glacierEventData"):
            detail["restore-expiry-time"] = data["restoreEventData"]["lifecycleRestorationExpiryTime"]
            del detail["source-ip-address"]


def _owner_id(bucket: FakeBucket) -> str:
    """Return the customer id of the bucket's owner."""
    return _OWNER_ID if bucket.account_id == ACCOUNT else f"A3{bucket.account_id}"


def _principal_id(event: str, bucket: FakeBucket) -> str:
    """Return who caused an event; of the end of a restore, which nobody asks for, it is the owner of the bucket."""
    if event == "ObjectRestore:Completed":
        return f"AmazonCustomer:{_owner_id(bucket)}"
    call = current_call.get()
    return call.principal.id if call else "AWS:AIDAEMULATORITSELF000"


def retained(lock: Lock, until: str | None) -> dict[str, Any]:
    """Return the additional fields of a record about a retention that was put; none if it was taken away.

    `until`: when it ends, in ISO 8601; under an event hold, when it would end if the hold were released now.
    """
    if not lock.mode or until is None:
        return {}
    data: dict[str, Any] = {"mode": lock.mode, "retainUntilDate": timestamp(datetime.fromisoformat(until))}
    if hold := lock.event_hold:
        data |= {"eventHold": "ON", "eventHoldDuration": {hold.unit.lower(): hold.number}}
    return {"objectRetentionEventData": data}


def restored(ready: datetime, days: int, storage_class: str) -> dict[str, Any]:
    """Return the additional fields of a record about a completed restore."""
    expiry = timestamp(ready + timedelta(days=days))
    data = {"lifecycleRestorationExpiryTime": expiry, "lifecycleRestoreStorageClass": storage_class}
    return {"glacierEventData": {"restoreEventData": data}}
