"""An explanation as one JSON document."""

from typing import Any

from replicator.core.deciding.actions import CopyVersion, Finish, MarkDeleted, Step
from replicator.core.deciding.facts import Facts, Histories, Ref
from replicator.core.deciding.journal import Memory
from replicator.core.rules.matching import Match
from replicator.core.versions.version import Entry, MarkerHead, StoredVersion
from replicator.flows.ports import Earlier

from s3replicator.explain.explanation import AtDestination, Explanation
from s3replicator.explain.later_changes import rows_of
from s3replicator.formatting import utc_iso


def explanation_document(found: Explanation) -> dict[str, Any]:
    """Return an explanation as JSON output has it."""
    return {
        "bucket": found.change.bucket,
        "key": found.change.key,
        "version_id": found.change.version_id or None,
        "is": _kind(found),
        **(_version(found.subject) if isinstance(found.subject, StoredVersion) else {}),
        "replica_of": str(found.origin) if found.origin else None,
        "rules": [_rule(match) for match in found.matches],
        "destinations": [_destination(each) for each in found.destinations],
    }


def _kind(found: Explanation) -> str:
    return {StoredVersion: "version", MarkerHead: "delete marker"}.get(type(found.subject), "absent")


def _version(subject: StoredVersion) -> dict[str, Any]:
    head = subject.head
    return {
        "size": head.size,
        "last_modified": utc_iso(head.modified),
        "storage_class": head.storage_class,
        "encryption": head.encryption.algorithm or None,
        "tags": dict(subject.tags),
    }


def _rule(match: Match) -> dict[str, str]:
    destination = match.rule.destination.bucket
    return {"id": match.rule.id, "destination": destination, "verdict": match.result.value, "reason": match.reason}


def _destination(each: AtDestination) -> dict[str, Any]:
    facts = each.facts
    return {
        "bucket": each.destination,
        "trouble": str(each.trouble) if each.trouble else None,
        "two_way": facts.two_way if facts else None,
        "earlier": _earlier(each.earlier) if each.earlier else None,
        "journal": _memory(facts.memory) if facts else None,
        "source_history": _history(facts, facts.pair.source) if facts else [],
        "destination_history": _history(facts, facts.pair.destination) if facts else [],
        "finished": _finish(each.decision) if isinstance(each.decision, Finish) else None,
        "actions": [_step(step) for step in each.steps],
        "after_the_write": [row.document() for row in rows_of(each.later)],
        "after_the_write_trouble": str(each.later_trouble) if each.later_trouble else None,
    }


def _memory(memory: Memory) -> dict[str, Any]:
    top = memory.top
    return {
        "generation": memory.generation,
        "top": {"version_id": top.version_id, "stands_for": str(top.origin)} if top else None,
        "settled": list(memory.settled),
    }


def _history(facts: Facts, bucket: str) -> list[dict[str, Any]]:
    """Return the entries of one bucket's history, newest first, as far as they were read."""
    histories = facts.histories or Histories((), ())
    entries = histories.source if bucket == facts.pair.source else histories.destination
    return [_entry(facts, bucket, entry) for entry in reversed(entries)]


def _entry(facts: Facts, bucket: str, entry: Entry) -> dict[str, Any]:
    document = {"version_id": entry.version_id, "kind": entry.kind.value, "last_modified": utc_iso(entry.modified)}
    ref = Ref(bucket, entry.version_id)
    if entry.is_version and ref in facts.marks:
        mark = facts.marks[ref]
        return document | {"size": entry.size, "replica_of": str(mark) if mark else None}
    return document | ({"size": entry.size} if entry.is_version else {})


def _finish(decision: Finish) -> dict[str, Any]:
    return {"status": decision.status, "reason": decision.reason, "detail": decision.detail}


def _step(step: Step) -> dict[str, str]:
    if isinstance(step, MarkDeleted):
        return {"action": "write a delete marker", "why": step.why}
    if isinstance(step, CopyVersion):
        return {"action": "copy", "version_id": step.version_id, "rule": step.rule.id, "why": step.why}
    return {"action": "put back", "version_id": step.version_id, "stands_for": str(step.origin), "why": step.why}


def _earlier(earlier: Earlier) -> dict[str, Any]:
    parked = {"parked_until": earlier.release_at} if earlier.release_at else {}
    return {"status": earlier.status, "reason": earlier.reason, **parked}
