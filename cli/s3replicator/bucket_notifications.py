"""Merge our event notification into a bucket's notification configuration, and take it out again.

Pure, because S3 can only replace the whole configuration: what is computed here decides whether somebody else's
notification survives. Configurations have S3's own shape, as GetBucketNotificationConfiguration returns it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ANNOTATIONS = "s3:ObjectAnnotation:*"
RETENTION = "s3:ObjectRetention:Put"
EVENTS = (
    "s3:ObjectCreated:*",
    "s3:ObjectRemoved:*",
    "s3:ObjectRestore:Completed",
    "s3:ObjectTagging:*",
    "s3:ObjectAcl:Put",
    RETENTION,
    ANNOTATIONS,
)
NOT_BY_EVENT_BRIDGE = (RETENTION, ANNOTATIONS)
"""S3 sends these by notifications only (S3 user guide, "Using EventBridge")."""
_MEMBERS = {
    "s3:ObjectCreated:*": ("Put", "Post", "Copy", "CompleteMultipartUpload"),
    "s3:ObjectRemoved:*": ("Delete", "DeleteMarkerCreated"),
    "s3:ObjectTagging:*": ("Put", "Delete"),
    ANNOTATIONS: ("Put", "Delete"),
}
"""What the wildcards stand for (S3 user guide, "Supported event types for SQS, SNS, and Lambda")."""
_ESSENTIAL = ("s3:ObjectCreated:", "s3:ObjectRemoved:DeleteMarkerCreated", "s3:ObjectRestore:Completed")
"""Without these, versions and delete markers do not arrive at all."""
ID_PREFIX = "s3replicator-"
WITHOUT_ANNOTATIONS = ".without-annotations"
"""The end of the notification's Id where S3 refused annotation events. No stack's name can have a full stop."""
EVENT_BRIDGE = "EventBridgeConfiguration"
QUEUES = "QueueConfigurations"
# List of the configuration -> what messages call its entries, and the field that names an entry's target.
_LISTS = {
    "QueueConfigurations": ("queue", "QueueArn"),
    "TopicConfigurations": ("topic", "TopicArn"),
    "LambdaFunctionConfigurations": ("function", "LambdaFunctionArn"),
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """What must change so that a bucket's events reach the change queue.

    `wanted`: the whole configuration to put, None if nothing must change. `conflicts`: one line for each notification
    that prevents it; then nothing can be attached. `through`: "queue" or "EventBridge", how the events arrive.
    `missing`: our events that do not arrive yet. `left_out`: one line for each notification that takes events of later
    changes, so that the others are attached without these.
    """

    wanted: Mapping[str, Any] | None = None
    conflicts: tuple[str, ...] = ()
    through: str = "queue"
    missing: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def attach(
    configuration: Mapping[str, Any], queue_arn: str, stack: str, *, event_bridge: bool, annotations: bool = True
) -> Attachment:
    """Plan the notification of a bucket to the change queue of a stack.

    `event_bridge`: the stack receives S3's events from EventBridge, too. A bucket that sends them there needs a
    notification only for what EventBridge does not send; otherwise changes would be delivered twice. `annotations`:
    False if S3 knows no events of annotations there.
    """
    rest = _without_ours(configuration, queue_arn)
    bridged = event_bridge and EVENT_BRIDGE in configuration
    needed = [each for each in (NOT_BY_EVENT_BRIDGE if bridged else EVENTS) if annotations or each != ANNOTATIONS]
    lacking = [part for event in needed for part in _lacking(rest, queue_arn, event)]
    parts = [part for event in lacking for part in _free_or_split(rest, event)]
    taken = [part for part in parts if any(_conflicts(rest, [part]))]
    through = "EventBridge" if bridged else "queue"
    if conflicts := tuple(_conflicts(rest, [part for part in taken if part.startswith(_ESSENTIAL)])):
        return Attachment(conflicts=conflicts, through=through)
    wanted = dict(rest)
    if ours := [part for part in parts if part not in taken]:
        name = f"{ID_PREFIX}{stack}{'' if annotations else WITHOUT_ANNOTATIONS}"
        wanted[QUEUES] = [*rest.get(QUEUES, []), {"Id": name, "QueueArn": queue_arn, "Events": ours}]
    missing = tuple(part for event in ours for part in _lacking(configuration, queue_arn, event))
    unchanged = _same(wanted, configuration)
    return Attachment(None if unchanged else wanted, (), through, missing, tuple(_conflicts(rest, taken)))


def is_without_annotations(configuration: Mapping[str, Any], queue_arn: str) -> bool:
    """Return whether our notification was attached without events of annotations, because S3 refused them."""
    ours = (each for each in configuration.get(QUEUES, []) if _is_ours(each, queue_arn))
    return any(str(each["Id"]).endswith(WITHOUT_ANNOTATIONS) for each in ours)


def detach(configuration: Mapping[str, Any], queue_arn: str) -> Mapping[str, Any] | None:
    """Return the configuration without what `attach` added, or None if it added nothing."""
    rest = _without_ours(configuration, queue_arn)
    return None if _same(rest, configuration) else rest


def still_delivered(configuration: Mapping[str, Any], queue_arn: str) -> bool:
    """Return whether something that `attach` did not add sends events to the queue, for example the stack itself."""
    rest = _without_ours(configuration, queue_arn)
    return any(entry.get("QueueArn") == queue_arn for entry in rest.get(QUEUES, []))


def lost(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, ...]:
    """Describe what was put but is missing when read back: somebody else wrote at the same time."""
    present = {_canonical(name, entry) for name, entry in _entries(found)}
    return tuple(_describe(name, entry) for name, entry in _entries(wanted) if _canonical(name, entry) not in present)


def _without_ours(configuration: Mapping[str, Any], queue_arn: str) -> Mapping[str, Any]:
    kept = [entry for entry in configuration.get(QUEUES, []) if not _is_ours(entry, queue_arn)]
    rest = {name: value for name, value in configuration.items() if name in _LISTS or name == EVENT_BRIDGE}
    rest.pop(QUEUES, None)
    return {**rest, QUEUES: kept} if kept else rest


def _is_ours(entry: Mapping[str, Any], queue_arn: str) -> bool:
    return str(entry.get("Id", "")).startswith(ID_PREFIX) and entry.get("QueueArn") == queue_arn


def _lacking(configuration: Mapping[str, Any], queue_arn: str, event: str) -> list[str]:
    """Return what of an event does not reach the queue: all of it as it is written, or the members that are missing."""
    if _delivered(configuration, queue_arn, event):
        return []
    members = _members(event)
    absent = [each for each in members if not _delivered(configuration, queue_arn, each)]
    return [event] if absent == members else absent


def _members(event: str) -> list[str]:
    return [f"{event[:-1]}{each}" for each in _MEMBERS.get(event, ())]


def _free_or_split(configuration: Mapping[str, Any], event: str) -> list[str]:
    """Return an event as it is, or its members if somebody else receives some of them."""
    members = _members(event)
    return members if members and any(_conflicts(configuration, [event])) else [event]


def _delivered(configuration: Mapping[str, Any], queue_arn: str, event: str) -> bool:
    return any(
        entry.get("QueueArn") == queue_arn
        and not _filter_rules(entry)
        and any(_covers(e, event) for e in entry.get("Events", ()))
        for entry in configuration.get(QUEUES, [])
    )


def _conflicts(configuration: Mapping[str, Any], events: list[str]) -> Iterator[str]:
    for name, entry in _entries(configuration):
        shared = [event for event in entry.get("Events", ()) if any(_overlaps(event, ours) for ours in events)]
        if shared:
            yield f"{_describe(name, entry)} already receives {', '.join(shared)}"


def _covers(event: str, other: str) -> bool:
    return event == other or (event.endswith("*") and other.startswith(event[:-1]))


def _overlaps(event: str, other: str) -> bool:
    return _covers(event, other) or _covers(other, event)


def _entries(configuration: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in _LISTS:
        for entry in configuration.get(name, []):
            yield name, entry


def _filter_rules(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return sorted((str(rule.get("Name", "")).lower(), str(rule.get("Value", ""))) for rule in rules)


def _describe(name: str, entry: Mapping[str, Any]) -> str:
    kind, target = _LISTS[name]
    return f"the notification {entry.get('Id') or 'without a name'} to the {kind} {entry.get(target)}"


def _canonical(name: str, entry: Mapping[str, Any]) -> str:
    target = entry.get(_LISTS[name][1])
    return json.dumps([name, entry.get("Id"), target, sorted(entry.get("Events", ())), _filter_rules(entry)])


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return sorted(_canonical(*each) for each in _entries(one)) == sorted(_canonical(*each) for each in _entries(other))
