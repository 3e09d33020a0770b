"""Message bodies -> changes, and back: S3's notifications, the same wrapped by SNS, EventBridge's and CloudTrail's.

Separate because formats evolve (S3's eventVersion goes from 2.1 to 2.6 and on) and changes do not. Unknown fields and
newer 2.x versions are accepted. What cannot be read becomes a value with the reason: nothing is raised or dropped.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from replicator.core.versions.change import ASPECTS, UNNAMED, Aspect, Change, ChangeKind, Wish
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
    ("ObjectLegalHold:", ChangeKind.LEGAL_HOLD),  # not S3's: as a change that came from CloudTrail is written
    ("ObjectAnnotation:", ChangeKind.ANNOTATIONS),
    ("ObjectState:", ChangeKind.STATE),  # not S3's: a message of ours
)

EVENTBRIDGE_KINDS: Mapping[str, ChangeKind] = {
    "Object Created": ChangeKind.CREATED,
    "Object Restore Completed": ChangeKind.RESTORED,
    "Object Tags Added": ChangeKind.TAGS,
    "Object Tags Deleted": ChangeKind.TAGS,
    "Object ACL Updated": ChangeKind.ACL,
    "Object Retention Updated": ChangeKind.RETENTION,
}

CLOUDTRAIL = "AWS API Call via CloudTrail"
"""The detail type of CloudTrail's events on EventBridge (EventBridge user guide, "AWS service events delivered via AWS
CloudTrail"). They tell what somebody asked S3 for, also if S3 refused."""
CLOUDTRAIL_KINDS: Mapping[str, ChangeKind] = {"PutObjectLegalHold": ChangeKind.LEGAL_HOLD}
"""The only calls whose effect S3 sends no event of."""

OURS = "replicator"
"""The field of a record that S3 does not write: where a forwarded change was seen, and what an operator asks for."""
LONGEST_TEXT = 1024
"""Bytes of UTF-8 in a key (S3 user guide, "Naming Amazon S3 objects"); taken as the limit of every other name too."""
LONGEST_MESSAGE = 128 * 1024
"""Bytes of the longest message that is read. An event has 64 KB at most (S3 user guide, "Amazon S3 Event
Notifications"); anything longer is not one, and rewriting it could make it too long for a queue."""
LARGEST_SIZE = 2**63 - 1
YEAR_10000 = 253_402_300_800_000  # epoch milliseconds; datetime ends here


@dataclass(frozen=True, slots=True)
class Record:
    """One change, with a message body that contains just this change."""

    change: Change
    body: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message, or a record of one, that could not be read, and why."""

    why: str
    body: str


def parse(body: str) -> list[Record | Unreadable]:
    """Read one message.

    Return nothing for S3's test event, which only shows that S3 may write to the queue, and nothing for CloudTrail's
    event of a call that failed.
    """
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
    if message.get("source") == "aws.s3" and message.get("detail-type") == CLOUDTRAIL:
        return [] if _failed(message) else [_read_record(_from_cloudtrail, message, body)]
    if message.get("source") == "aws.s3":
        return [_read_record(_from_eventbridge, message, body)]
    records = message.get("Records")
    if not isinstance(records, list) or not records:
        return [
            Unreadable("neither S3's notification (no list 'Records') nor EventBridge's (no source 'aws.s3')", body)
        ]
    return _merge_unreadable([_read_record(_from_notification, record, _message_of(record)) for record in records])


def _message_of(*records: Any) -> str:
    return json.dumps({"Records": records})


def _merge_unreadable(read: list[Record | Unreadable]) -> list[Record | Unreadable]:
    """Merge the unreadable records of one message into one, so that a message causes at most one such failure."""
    bad = [each for each in read if isinstance(each, Unreadable)]
    if len(bad) < 2:
        return read
    records = [record for each in bad for record in json.loads(each.body)["Records"]]
    together = Unreadable(f"{len(bad)} records, the first: {bad[0].why}", _message_of(*records))
    return [*(each for each in read if isinstance(each, Record)), together]


def _read_record(read: Any, record: Any, body: str) -> Record | Unreadable:
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
    entity, kind, ours = record["s3"]["object"], _kind(name), record.get(OURS) or {}
    return Change(
        kind=kind,
        bucket=_text(record["s3"]["bucket"]["name"]),
        key=_text(unquote_plus(entity["key"]), printable=False),
        version_id=_text(entity.get("versionId") or _unnamed(kind), empty=True),
        time=_milliseconds(record["eventTime"]),
        size=_size(entity.get("size") or 0),
        sequencer=_text(entity.get("sequencer") or "", empty=True),
        principal=str((record.get("userIdentity") or {}).get("principalId") or ""),
        name=name,
        seen_at=_text(ours.get("seenAt") or "", empty=True),
        wish=Wish(ours.get("wish") or ""),
        lone=ours.get("lone") is True,
    )


def _unnamed(kind: ChangeKind) -> str:
    """Return the version id that an event means which names none.

    Of a creation or a deletion it is the null version. Whether events of later changes name the version is documented
    nowhere; those of null versions do not.
    """
    return NULL_VERSION if ASPECTS.get(kind) in {Aspect.CONTENT, Aspect.MARKER, Aspect.REMOVAL, None} else UNNAMED


def _kind(name: str) -> ChangeKind:
    return next((kind for start, kind in NOTIFICATION_KINDS if name.startswith(start)), ChangeKind.UNKNOWN)


def _from_eventbridge(event: Json) -> Change:
    detail = event["detail"]
    entity = detail["object"]
    name = str(event["detail-type"])
    key = _text(entity["key"], printable=False)
    kind = _deleted(detail) if name == "Object Deleted" else EVENTBRIDGE_KINDS.get(name, ChangeKind.UNKNOWN)
    return Change(
        kind=kind,
        bucket=_text(detail["bucket"]["name"]),
        key=key,
        version_id=_text(entity.get("version-id") or _unnamed(kind), empty=True),
        time=_milliseconds(event["time"]),
        size=_size(entity.get("size") or 0),
        sequencer=_text(entity.get("sequencer") or "", empty=True),
        name=f"{name} ({detail.get('reason', '')})",
        other_key=_decoded(key),
    )


def _failed(event: Json) -> bool:
    detail = event.get("detail")
    return isinstance(detail, dict) and bool(detail.get("errorCode"))


def _from_cloudtrail(event: Json) -> Change:
    """Read a call: of the version that the request named, or of the one that was current then, which nothing names.

    Shape: CloudTrail user guide, "CloudTrail record contents"; S3 user guide, "CloudTrail log file entries".
    """
    detail = event["detail"]
    asked, name = detail["requestParameters"], _text(detail["eventName"])
    principal = (detail.get("userIdentity") or {}).get("principalId")
    return Change(
        kind=CLOUDTRAIL_KINDS.get(name, ChangeKind.UNKNOWN),
        bucket=_text(asked["bucketName"]),
        key=_text(asked["key"], printable=False),
        version_id=_text(asked.get("versionId") or UNNAMED, empty=True),
        time=_milliseconds(event["time"]),
        principal=f"AWS:{principal}" if principal else "",
        name=f"{name} ({CLOUDTRAIL})",
        other_key=_decoded(asked["key"]),
    )


def _decoded(key: str) -> str:
    """Return what a key is if the events on EventBridge encode it as notifications do; empty if that is the same.

    AWS does not say. Other implementations differ.
    """
    decoded = unquote_plus(key)
    return decoded if decoded != key else ""


def _deleted(detail: Json) -> ChangeKind:
    if detail.get("reason") == "Lifecycle Expiration":
        return ChangeKind.EXPIRED
    return ChangeKind.MARKED_DELETED if detail.get("deletion-type") == "Delete Marker Created" else ChangeKind.REMOVED


def _text(value: object, *, empty: bool = False, printable: bool = True) -> str:
    """Read a string. Only keys may be unprintable; names go into message attributes, where SQS refuses that."""
    if not isinstance(value, str) or not (value or empty) or (printable and not value.isprintable()):
        raise ValueError(f"{value!r} is not a valid string")
    if len(value.encode()) > LONGEST_TEXT:
        raise ValueError(f"{value[:40]!r}... has more than {LONGEST_TEXT} bytes")
    return value


def _size(value: Any) -> int:
    size = int(value)
    if not 0 <= size <= LARGEST_SIZE:
        raise ValueError(f"{size:.3g} is not a size")
    return size


def _milliseconds(text: str) -> int:
    """Convert ISO 8601 to epoch milliseconds."""
    time = datetime.fromisoformat(text)
    milliseconds = int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    if not 0 <= milliseconds < YEAR_10000:
        raise ValueError(f"{text!r} is not a time since 1970")
    return milliseconds


WRITTEN_NAMES: Mapping[ChangeKind, str] = {
    ChangeKind.CREATED: "ObjectCreated:Put",
    ChangeKind.MARKED_DELETED: "ObjectRemoved:DeleteMarkerCreated",
    ChangeKind.RESTORED: "ObjectRestore:Completed",
    ChangeKind.REMOVED: "ObjectRemoved:Delete",
    ChangeKind.TAGS: "ObjectTagging:Put",
    ChangeKind.ACL: "ObjectAcl:Put",
    ChangeKind.RETENTION: "ObjectRetention:Put",
    ChangeKind.LEGAL_HOLD: "ObjectLegalHold:Put",
    ChangeKind.ANNOTATIONS: "ObjectAnnotation:Put",
    ChangeKind.STATE: "ObjectState:Check",
}


def write(*changes: Change) -> str:
    """Write a message that contains these changes, in the format of S3's notifications.

    Only for kinds that are replicated, else KeyError. Part messages, failures, and what operators ask for use this
    format, wherever a change came from.
    """
    return _message_of(*map(_record_of, changes))


def _record_of(change: Change) -> Json:
    name = change.name if _kind(change.name) is change.kind else WRITTEN_NAMES[change.kind]
    entity = {"key": quote_plus(change.key, safe="/"), "versionId": change.version_id, "size": change.size}
    if change.sequencer:
        entity["sequencer"] = change.sequencer
    if change.version_id == UNNAMED:
        del entity["versionId"]
    marked = (("seenAt", change.seen_at), ("wish", str(change.wish)), ("lone", change.lone))
    ours = {name: value for name, value in marked if value}
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventTime": datetime.fromtimestamp(change.time / 1000, UTC).isoformat(timespec="milliseconds"),
        "eventName": name,
        "userIdentity": {"principalId": change.principal},
        "s3": {"bucket": {"name": change.bucket}, "object": entity},
        **({OURS: ours} if ours else {}),
    }
