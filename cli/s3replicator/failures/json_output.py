"""`failures list` and `failures redrive` as JSON documents."""

from collections.abc import Sequence
from typing import Any

from s3replicator.failures.failed_messages import FailedMessage, Group, group


def list_document(groups: Sequence[Group], elsewhere: int) -> dict[str, Any]:
    """Return the document of `failures list`. `elsewhere`: messages that others held."""
    total = sum(each.count for each in groups)
    return {"total": total, "elsewhere": elsewhere, "reasons": [_group(each) for each in groups]}


def redrive_document(messages: Sequence[FailedMessage], elsewhere: int, *, dry_run: bool) -> dict[str, Any]:
    """Return what both forms of `failures redrive` say about the selected messages."""
    return {
        "redriven": 0 if dry_run else len(messages),
        "selected": len(messages),
        "reasons": {each.reason: each.count for each in group(messages)},
        "elsewhere": elsewhere,
    }


def _group(each: Group) -> dict[str, Any]:
    return {
        "reason": each.reason,
        "count": each.count,
        "advice": each.advice,
        "rules": sorted(each.rules),
        "destinations": sorted(each.destinations),
        "examples": [_example(message) for message in each.examples],
    }


def _example(message: FailedMessage) -> dict[str, Any]:
    return {
        "objects": message.objects,
        "versions": [change.version_id for change in message.changes],
        "kinds": [change.kind.value for change in message.changes],
        "destination": message.destination,
        "rule": message.rule_id,
        "first_seen": message.first_seen,
        "attempts": message.attempts,
        "detail": message.detail,
    }
