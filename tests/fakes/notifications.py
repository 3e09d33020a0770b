"""The messages that S3 sends of what happened, in both of its shapes."""

import json
from datetime import UTC, datetime
from urllib.parse import quote_plus

from tests.fakes.s3 import Happening

EVENTBRIDGE_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "LifecycleExpiration": "Object Deleted",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
    "ObjectAcl": "Object ACL Updated",
    "ObjectRetention": "Object Retention Updated",
}
"""None is documented for annotations: EventBridge gets no event of them."""
LATER = ("ObjectTagging:", "ObjectAcl:", "ObjectRetention:", "ObjectAnnotation:")
"""Events that carry neither a size nor a sequencer."""


def notification(happening: Happening) -> str:
    """Write an S3 event notification with one record."""
    stored = happening.stored
    entity: dict[str, object] = {"key": quote_plus(happening.key, safe="/")}
    if happening.names_version:
        entity["versionId"] = stored.version_id
    entity |= _described(happening, "eTag")
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
    """Write the same as EventBridge brings it: the key as it is, and no word about who wrote it. No annotations."""
    kind = happening.name.partition(":")[0]
    entity: dict[str, object] = {"key": happening.key}
    if happening.names_version:
        entity["version-id"] = happening.stored.version_id
    entity |= _described(happening, "etag")
    detail: dict[str, object] = {"version": "0", "bucket": {"name": happening.bucket}, "object": entity}
    if kind == "LifecycleExpiration":
        detail |= {"reason": "Lifecycle Expiration", "deletion-type": "Delete Marker Created"}
    elif kind == "ObjectRemoved":
        marked = happening.name.endswith("DeleteMarkerCreated")
        detail |= {
            "reason": "DeleteObject",
            "deletion-type": "Delete Marker Created" if marked else "Permanently Deleted",
        }
    name = EVENTBRIDGE_TYPES.get(happening.name) or EVENTBRIDGE_TYPES[kind]
    return json.dumps({"source": "aws.s3", "detail-type": name, "time": _iso(happening.time), "detail": detail})


def _described(happening: Happening, etag: str) -> dict[str, object]:
    """Return an object's fields but its key and version id. etag: the name of that field."""
    stored, later = happening.stored, happening.name.startswith(LATER)
    fields: dict[str, object] = {} if later else {"sequencer": stored.sequencer}
    if stored.is_version:
        fields |= {etag: stored.etag.strip('"')} | ({} if later else {"size": stored.size})
    return fields


def _iso(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
