"""Message bodies -> changes: S3's notifications, the same wrapped by SNS, and EventBridge's form of them; and back.

Separate because formats move (S3's eventVersion goes from 2.1 to 2.6 and on) and changes do not. Unknown fields and
newer 2.x versions are fine; what cannot be understood becomes a value that says why, never a crash and never silence.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from replicator.core.versions.change import Change, ChangeKind
from replicator.core.versions.origin import NULL_VERSION

Json = Mapping[str, Any]

NOTIFICATION_KINDS: tuple[tuple[str, ChangeKind], ...] = (
    ("ObjectCreated:", ChangeKind.CREATED),
    ("ObjectRemoved:DeleteMarkerCreated", ChangeKind.MARKED_DELETED),
    ("ObjectRemoved:Delete", ChangeKind.REMOVED),
    ("LifecycleExpiration:", ChangeKind.EXPIRED),
    ("ObjectRestore:Completed", ChangeKind.RESTORED),
    ("ObjectTagging:", ChangeKind.TAGS),
    ("ObjectAcl:", ChangeKind.ACL),
    ("ObjectRetention:", ChangeKind.RETENTION),
    ("ObjectAnnotation:", ChangeKind.ANNOTATIONS),
)

EVENTBRIDGE_KINDS: Mapping[str, ChangeKind] = {
    "Object Created": ChangeKind.CREATED,
    "Object Restore Completed": ChangeKind.RESTORED,
    "Object Tags Added": ChangeKind.TAGS,
    "Object Tags Deleted": ChangeKind.TAGS,
    "Object ACL Updated": ChangeKind.ACL,
    "Object Retention Updated": ChangeKind.RETENTION,
}


LONGEST_TEXT = 1024
"""Bytes of UTF-8 in a key (S3 user guide, "Naming Amazon S3 objects"), and in anything else that names something."""
LONGEST_MESSAGE = 128 * 1024
"""Bytes of a message that is read at all. An event has 64 KB at most (S3 user guide, "Amazon S3 Event Notifications");
anything longer is none, and writing it anew could make it too long for a queue."""
LARGEST_SIZE = 2**63 - 1
YEAR_10000 = 253_402_300_800_000  # epoch milliseconds; no date can be written from there on


@dataclass(frozen=True, slots=True)
class Record:
    """One change, with the message body that would bring just this change again."""

    change: Change
    body: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What could not be understood, and why."""

    why: str
    body: str


def parse(body: str) -> list[Record | Unreadable]:
    """Read one message. Empty for S3's test event, which says only that the queue may be written to."""
    if (length := len(body.encode(errors="surrogatepass"))) > LONGEST_MESSAGE:
        return [Unreadable(f"{length:,} bytes, and no event has more than {LONGEST_MESSAGE:,}", body)]
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        return [Unreadable(f"not JSON: {error}", body)]
    if not isinstance(message, dict):
        return [Unreadable("not a JSON object", body)]
    if message.get("Type") == "Notification" and isinstance(message.get("Message"), str):
        return parse(message["Message"])
    return _read(message, body)


def _read(message: Json, body: str) -> list[Record | Unreadable]:
    if message.get("Event") == "s3:TestEvent":
        return []
    if message.get("source") == "aws.s3":
        return [_attempt(_from_eventbridge, message, body)]
    records = message.get("Records")
    if not isinstance(records, list) or not records:
        return [
            Unreadable("neither S3's notification (no list 'Records') nor EventBridge's (no source 'aws.s3')", body)
        ]
    return _gather([_attempt(_from_notification, record, _alone(record)) for record in records])


def _alone(*records: Any) -> str:
    return json.dumps({"Records": records})


def _gather(read: list[Record | Unreadable]) -> list[Record | Unreadable]:
    """Make one of all that cannot be read, however many: a message must not become a flood of failures."""
    bad = [each for each in read if isinstance(each, Unreadable)]
    if len(bad) < 2:
        return read
    records = [record for each in bad for record in json.loads(each.body)["Records"]]
    together = Unreadable(f"{len(bad)} records, the first: {bad[0].why}", _alone(*records))
    return [*(each for each in read if isinstance(each, Record)), together]


def _attempt(read: Any, record: Any, body: str) -> Record | Unreadable:
    try:
        return Record(read(record), body)
    except KeyError as error:
        return Unreadable(f"the field {error} is missing", body)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        return Unreadable(f"a field has an unexpected form: {error}", body)


def _from_notification(record: Json) -> Change:
    if record.get("eventSource", "aws:s3") != "aws:s3":
        raise ValueError(f"eventSource is {record['eventSource']!r}")
    if not str(record.get("eventVersion", "2.1")).startswith("2."):
        raise ValueError(f"eventVersion {record['eventVersion']!r} is not 2.x")
    name = _text(record["eventName"]).removeprefix("s3:")
    entity = record["s3"]["object"]
    return Change(
        kind=_kind(name),
        bucket=_text(record["s3"]["bucket"]["name"]),
        key=_text(unquote_plus(entity["key"]), printable=False),
        version_id=_text(entity.get("versionId") or NULL_VERSION),
        time=_milliseconds(record["eventTime"]),
        size=_size(entity.get("size") or 0),
        sequencer=_text(entity.get("sequencer") or "", empty=True),
        principal=str((record.get("userIdentity") or {}).get("principalId") or ""),
        name=name,
    )


def _kind(name: str) -> ChangeKind:
    return next((kind for start, kind in NOTIFICATION_KINDS if name.startswith(start)), ChangeKind.UNKNOWN)


def _from_eventbridge(event: Json) -> Change:
    detail = event["detail"]
    entity = detail["object"]
    name = str(event["detail-type"])
    return Change(
        kind=_deleted(detail) if name == "Object Deleted" else EVENTBRIDGE_KINDS.get(name, ChangeKind.UNKNOWN),
        bucket=_text(detail["bucket"]["name"]),
        key=_text(entity["key"], printable=False),
        version_id=_text(entity.get("version-id") or NULL_VERSION),
        time=_milliseconds(event["time"]),
        size=_size(entity.get("size") or 0),
        sequencer=_text(entity.get("sequencer") or "", empty=True),
        name=f"{name} ({detail.get('reason', '')})",
    )


def _deleted(detail: Json) -> ChangeKind:
    if detail.get("reason") == "Lifecycle Expiration":
        return ChangeKind.EXPIRED
    return ChangeKind.MARKED_DELETED if detail.get("deletion-type") == "Delete Marker Created" else ChangeKind.REMOVED


def _text(value: object, *, empty: bool = False, printable: bool = True) -> str:
    """Read a text. Only keys may hold what cannot be printed: names go into message attributes, and SQS refuses it."""
    if not isinstance(value, str) or not (value or empty) or (printable and not value.isprintable()):
        raise ValueError(f"{value!r} is not a text")
    if len(value.encode()) > LONGEST_TEXT:
        raise ValueError(f"{value[:40]!r}... has more than {LONGEST_TEXT} bytes")
    return value


def _size(value: Any) -> int:
    size = int(value)
    if not 0 <= size <= LARGEST_SIZE:
        raise ValueError(f"{size:.3g} is not a size")
    return size


def _milliseconds(text: str) -> int:
    """Turn ISO 8601 into epoch milliseconds."""
    time = datetime.fromisoformat(text)
    milliseconds = int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    if not 0 <= milliseconds < YEAR_10000:
        raise ValueError(f"{text!r} is not a time since 1970")
    return milliseconds


WRITTEN_NAMES: Mapping[ChangeKind, str] = {
    ChangeKind.CREATED: "ObjectCreated:Put",
    ChangeKind.MARKED_DELETED: "ObjectRemoved:DeleteMarkerCreated",
    ChangeKind.RESTORED: "ObjectRestore:Completed",
}


def write(change: Change) -> str:
    """Write the message that brings this change again, in the shape of S3's notifications. Raises KeyError.

    Only for changes that lead to copies; wherever such a change came from, its parts and its failures speak one format.
    """
    name = change.name if _kind(change.name) is change.kind else WRITTEN_NAMES[change.kind]
    entity = {"key": quote_plus(change.key, safe="/"), "versionId": change.version_id, "size": change.size}
    if change.sequencer:
        entity["sequencer"] = change.sequencer
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventTime": datetime.fromtimestamp(change.time / 1000, UTC).isoformat(timespec="milliseconds"),
        "eventName": name,
        "userIdentity": {"principalId": change.principal},
        "s3": {"bucket": {"name": change.bucket}, "object": entity},
    }
    return json.dumps({"Records": [record]})
