"""The messages that S3 sends of what happened, in both of its shapes."""

import json
from datetime import UTC, datetime
from urllib.parse import quote_plus

from tests.fakes.s3 import Happening

EVENTBRIDGE_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "LifecycleExpiration": "Object Deleted",
    "ObjectTagging": "Object Tags Added",
}


def notification(happening: Happening) -> str:
    """Write an S3 event notification with one record."""
    stored = happening.stored
    entity: dict[str, object] = {"key": quote_plus(happening.key, safe="/"), "versionId": stored.version_id}
    if happening.name.startswith(("ObjectCreated:", "ObjectRemoved:", "LifecycleExpiration:")):
        entity["sequencer"] = stored.sequencer
    if stored.is_version:
        entity |= {"size": stored.size, "eTag": stored.etag.strip('"')}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventTime": _iso(happening.time),
        "eventName": happening.name,
        "userIdentity": {"principalId": happening.principal},
        "s3": {"bucket": {"name": happening.bucket}, "object": entity},
    }
    return json.dumps({"Records": [record]})


def eventbridge(happening: Happening) -> str:
    """Write the same as EventBridge brings it: the key as it is, and no word about who wrote it."""
    stored = happening.stored
    kind = happening.name.partition(":")[0]
    entity: dict[str, object] = {"key": happening.key, "version-id": stored.version_id, "sequencer": stored.sequencer}
    if stored.is_version:
        entity |= {"size": stored.size, "etag": stored.etag.strip('"')}
    detail: dict[str, object] = {"version": "0", "bucket": {"name": happening.bucket}, "object": entity}
    if kind == "LifecycleExpiration":
        detail |= {"reason": "Lifecycle Expiration", "deletion-type": "Delete Marker Created"}
    elif kind == "ObjectRemoved":
        marked = happening.name.endswith("DeleteMarkerCreated")
        detail |= {
            "reason": "DeleteObject",
            "deletion-type": "Delete Marker Created" if marked else "Permanently Deleted",
        }
    return json.dumps(
        {"source": "aws.s3", "detail-type": EVENTBRIDGE_TYPES[kind], "time": _iso(happening.time), "detail": detail}
    )


def _iso(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
