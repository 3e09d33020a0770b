"""How an explanation reads: the same facts and actions as lines for people and as one JSON document.

Separate from the command, which only fetches it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from replicator.core.deciding.actions import CopyVersion, Decided, FastCopy, Finish, MarkDeleted, Step
from replicator.core.deciding.facts import Facts, Histories, Ref
from replicator.core.deciding.journal import Memory
from replicator.core.outcomes.outcome import Status, Temporary
from replicator.core.rules.matching import Match, MatchResult
from replicator.core.versions.version import Entry, MarkerHead, StoredVersion
from replicator.flows.ports import Earlier

from s3replicator.explain.explanation import Explanation, View
from s3replicator.output import Output

ENTRIES_SHOWN = 12


def as_document(found: Explanation) -> dict[str, Any]:
    """Return an explanation as it stands in JSON output."""
    return {
        "bucket": found.change.bucket,
        "key": found.change.key,
        "version_id": found.change.version_id or None,
        "is": _kind(found),
        **(_described(found.subject) if isinstance(found.subject, StoredVersion) else {}),
        "replica_of": str(found.stands_for) if found.stands_for else None,
        "rules": [_rule(match) for match in found.matches],
        "destinations": [_destination(view) for view in found.views],
    }


def _kind(found: Explanation) -> str:
    return {StoredVersion: "version", MarkerHead: "delete marker"}.get(type(found.subject), "absent")


def _described(subject: StoredVersion) -> dict[str, Any]:
    head = subject.head
    return {
        "size": head.size,
        "last_modified": _time(head.modified),
        "storage_class": head.storage_class,
        "encryption": head.encryption.algorithm or None,
        "tags": dict(subject.tags),
    }


def _rule(match: Match) -> dict[str, str]:
    destination = match.rule.destination.bucket
    return {"id": match.rule.id, "destination": destination, "verdict": match.result.value, "reason": match.reason}


def _destination(view: View) -> dict[str, Any]:
    facts = view.facts
    return {
        "bucket": view.destination,
        "trouble": str(view.trouble) if view.trouble else None,
        "two_way": facts.two_way if facts else None,
        "earlier": {"status": view.earlier.status, "reason": view.earlier.reason} if view.earlier else None,
        "journal": _memory(facts.memory) if facts else None,
        "source_history": _history(facts, facts.pair.source) if facts else [],
        "destination_history": _history(facts, facts.pair.destination) if facts else [],
        "finished": _finished(view.decision),
        "actions": [_action(step) for step in _steps(view.decision)],
    }


def _memory(memory: Memory) -> dict[str, Any]:
    top = memory.top
    return {
        "generation": memory.generation,
        "top": {"version_id": top.version_id, "stands_for": str(top.origin)} if top else None,
        "settled": list(memory.settled),
    }


def _history(facts: Facts, bucket: str) -> list[dict[str, Any]]:
    """Return one side's entries, newest first, as far as they were read."""
    histories = facts.histories or Histories((), ())
    entries = histories.source if bucket == facts.pair.source else histories.destination
    return [_entry(facts, bucket, entry) for entry in reversed(entries)]


def _entry(facts: Facts, bucket: str, entry: Entry) -> dict[str, Any]:
    document = {"version_id": entry.version_id, "kind": entry.kind.value, "last_modified": _time(entry.modified)}
    ref = Ref(bucket, entry.version_id)
    if entry.is_version and ref in facts.marks:
        mark = facts.marks[ref]
        return document | {"size": entry.size, "replica_of": str(mark) if mark else None}
    return document | ({"size": entry.size} if entry.is_version else {})


def _finished(decision: Decided | None) -> dict[str, Any] | None:
    if not isinstance(decision, Finish):
        return None
    return {"status": decision.status, "reason": decision.reason, "detail": decision.detail}


def _steps(decision: Decided | None) -> tuple[Step, ...]:
    if decision is None or isinstance(decision, Finish):
        return ()
    return (decision.copy,) if isinstance(decision, FastCopy) else decision.steps


def _action(step: Step) -> dict[str, str]:
    if isinstance(step, MarkDeleted):
        return {"action": "write a delete marker", "why": step.why}
    if isinstance(step, CopyVersion):
        return {"action": "copy", "version_id": step.version_id, "rule": step.rule.id, "why": step.why}
    return {"action": "put back", "version_id": step.version_id, "stands_for": str(step.origin), "why": step.why}


def show(found: Explanation, output: Output) -> None:
    """Print an explanation for people."""
    output.line(f"s3://{found.change.bucket}/{found.change.key}", style="bold")
    for line in _subject_lines(found):
        output.line(f"  {line}")
    output.line("")
    output.line(f"Rules of {found.change.bucket}", style="bold")
    if not found.matches:
        output.line("  none are stored; put some with `s3replicator rules put`")
    for match in found.matches:
        fires = match.result is MatchResult.MATCHES
        output.line(f"  {'✓' if fires else '·'} {match}", style="green" if fires else "dim")
    for view in found.views:
        _show_view(view, output)


def _subject_lines(found: Explanation) -> Iterator[str]:
    if isinstance(found.subject, MarkerHead):
        yield f"delete marker {found.change.version_id}, of {_time(found.change.time // 1000)}"
    elif isinstance(found.subject, StoredVersion):
        head, tags = found.subject.head, ", ".join(f"{name}={value}" for name, value in found.subject.tags.items())
        parts = [f"{head.size:,} bytes", _time(head.modified), head.storage_class, head.encryption.algorithm]
        yield f"version {head.version_id}: {', '.join(part for part in parts if part)}"
        if tags:
            yield f"tagged {tags}"
        if found.stands_for:
            yield f"a replica of {found.stands_for}: replicas are not replicated again"
    else:
        yield f"there is no version {found.change.version_id}" if found.change.version_id else "there is no such key"


def _show_view(view: View, output: Output) -> None:
    output.line("")
    output.line(f"Destination {view.destination}", style="bold")
    if view.trouble:
        status = Status.PENDING if isinstance(view.trouble, Temporary) else Status.FAILED
        output.line(f"  now       {status} {view.trouble}", style="red")
        return
    if view.facts:
        output.line(f"  journal   {_memory_line(view.facts.memory)}")
    if view.earlier:
        output.line(f"  earlier   {_earlier_line(view.earlier)}")
    if view.facts and view.facts.histories:
        _show_histories(view.facts, output)
    _show_decision(view, output)


def _memory_line(memory: Memory) -> str:
    if not memory.generation:
        return "knows nothing of this key"
    top = (
        f"{memory.top.version_id}, which stands for {memory.top.origin}" if memory.top else "a delete marker or nothing"
    )
    times = "once" if memory.generation == 1 else f"{memory.generation} times"
    return f"settled {times}; last left on top: {top}"


def _earlier_line(earlier: Earlier) -> str:
    reason = f" {earlier.reason}" if earlier.reason else ""
    where = "; it lies in the dead-letter queue until it is redriven" if earlier.status == "FAILED" else ""
    return f"{earlier.status}{reason}{where}"


def _show_histories(facts: Facts, output: Output) -> None:
    for bucket in (facts.pair.source, facts.pair.destination):
        entries = _history(facts, bucket)
        output.line(f"  {bucket}, newest first" if entries else f"  {bucket} has no entry of this key")
        for entry in entries[:ENTRIES_SHOWN]:
            output.line(f"    {entry['version_id']}  {entry['last_modified']}  {_words(entry)}")
        if len(entries) > ENTRIES_SHOWN:
            output.line(f"    and {len(entries) - ENTRIES_SHOWN} older ones")


def _words(entry: dict[str, Any]) -> str:
    if entry["kind"] != "version":
        return str(entry["kind"])
    if "replica_of" not in entry:
        return "not looked at"
    return f"replica of {entry['replica_of']}" if entry["replica_of"] else "written by a user"


def _show_decision(view: View, output: Output) -> None:
    finished = _finished(view.decision)
    if finished:
        detail = f": {finished['detail']}" if finished["detail"] else ""
        output.line(f"  now       {finished['status']} {finished['reason']}{detail}", style="yellow")
        return
    steps = _steps(view.decision)
    if not steps:
        output.line("  now       nothing is to be done", style="green")
    for number, step in enumerate(steps, start=1):
        output.line(f"  {'now' if number == 1 else '   '}       {number}. {_in_words(step, view)}", style="cyan")


def _in_words(step: Step, view: View) -> str:
    action = _action(step)
    if "version_id" not in action:
        return f"write a delete marker: {action['why']}"
    return f"{action['action']} version {action['version_id']} on top of {view.destination}: {action['why']}"


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
