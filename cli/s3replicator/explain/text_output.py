"""An explanation as text for people."""

from collections.abc import Iterator

from replicator.core.deciding.actions import CopyVersion, Finish, MarkDeleted, Step
from replicator.core.deciding.facts import Facts, Histories, Ref
from replicator.core.deciding.journal import Memory
from replicator.core.outcomes.outcome import Status, Temporary
from replicator.core.rules.matching import MatchResult
from replicator.core.versions.version import Entry, MarkerHead, StoredVersion
from replicator.flows.ports import Earlier

from s3replicator.explain.explanation import AtDestination, Explanation
from s3replicator.explain.later_changes import rows_of
from s3replicator.formatting import utc_second
from s3replicator.output import Output

ENTRIES_SHOWN = 12


def print_explanation(found: Explanation, output: Output) -> None:
    """Print an explanation."""
    output.line(f"s3://{found.change.bucket}/{found.change.key}", style="bold")
    for line in _subject_lines(found):
        output.line(f"  {line}")
    output.line("")
    output.line(f"Rules of {found.change.bucket}", style="bold")
    if not found.matches:
        output.line("  none are stored; store some with `s3replicator rules put`")
    for match in found.matches:
        matches = match.result is MatchResult.MATCHES
        sign = output.sign("✓", "+") if matches else output.sign("·", "-")
        output.line(f"  {sign} {match}", style="green" if matches else "dim")
    for each in found.destinations:
        _print_destination(each, output)


def _subject_lines(found: Explanation) -> Iterator[str]:
    if isinstance(found.subject, MarkerHead):
        yield f"delete marker {found.change.version_id}, {utc_second(found.change.time // 1000)} UTC"
    elif isinstance(found.subject, StoredVersion):
        head, tags = found.subject.head, ", ".join(f"{name}={value}" for name, value in found.subject.tags.items())
        modified = f"{utc_second(head.modified)} UTC"
        parts = [f"{head.size:,} bytes", modified, head.storage_class, head.encryption.algorithm]
        yield f"version {head.version_id}: {', '.join(part for part in parts if part)}"
        if tags:
            yield f"tags: {tags}"
        if found.origin:
            yield f"a replica of {found.origin}; replicas are not replicated again"
    else:
        yield f"there is no version {found.change.version_id}" if found.change.version_id else "there is no such key"


def _print_destination(each: AtDestination, output: Output) -> None:
    output.line("")
    output.line(f"Destination {each.destination}", style="bold")
    if each.trouble:
        status = Status.PENDING if isinstance(each.trouble, Temporary) else Status.FAILED
        output.line(f"  now       {status} {each.trouble}", style="red")
        return
    if each.facts:
        output.line(f"  journal   {_memory(each.facts.memory)}")
    if each.earlier:
        output.line(f"  earlier   {_earlier(each.earlier)}")
    if each.facts and each.facts.histories:
        _print_histories(each.facts, each.facts.histories, output)
    _print_decision(each, output)
    if each.later_trouble:
        output.line(f"  later     tags, ACL, lock and annotations are not compared: {each.later_trouble}", style="red")
    for row in rows_of(each.later):
        for number, line in enumerate(row.lines()):
            output.line(f"  {row.field:10}{line}" if number == 0 else f"            {line}", style=row.style)


def _memory(memory: Memory) -> str:
    if not memory.generation:
        return "has no entry for this key"
    times = "once" if memory.generation == 1 else f"{memory.generation} times"
    if not memory.top:
        return f"synchronised {times}; a delete marker or nothing was current after that"
    return f"synchronised {times}; {memory.top.version_id}, a replica of {memory.top.origin}, was current after that"


def _earlier(earlier: Earlier) -> str:
    reason = f" {earlier.reason}" if earlier.reason else ""
    where = "; its message is in the dead-letter queue until it is redriven" if earlier.status == "FAILED" else ""
    if earlier.release_at:
        where = f"; parked, due at {utc_second(earlier.release_at // 1000)} UTC if its destination is open then"
    return f"{earlier.status}{reason}{where}"


def _print_histories(facts: Facts, histories: Histories, output: Output) -> None:
    sides = ((facts.pair.source, histories.source), (facts.pair.destination, histories.destination))
    for bucket, entries in sides:
        output.line(f"  {bucket}, newest first" if entries else f"  {bucket} has no version of this key")
        for entry in entries[::-1][:ENTRIES_SHOWN]:
            what = _entry(entry, facts, Ref(bucket, entry.version_id))
            output.line(f"    {entry.version_id}  {utc_second(entry.modified)} UTC  {what}")
        if len(entries) > ENTRIES_SHOWN:
            output.line(f"    and {len(entries) - ENTRIES_SHOWN} older ones")


def _entry(entry: Entry, facts: Facts, ref: Ref) -> str:
    if not entry.is_version:
        return entry.kind.value
    if ref not in facts.marks:
        return "not read"
    return f"replica of {facts.marks[ref]}" if facts.marks[ref] else "written by a user"


def _print_decision(each: AtDestination, output: Output) -> None:
    if isinstance(each.decision, Finish):
        detail = f": {each.decision.detail}" if each.decision.detail else ""
        output.line(f"  now       {each.decision.status} {each.decision.reason}{detail}", style="yellow")
        return
    if not each.steps:
        output.line("  now       nothing to do", style="green")
    for number, step in enumerate(each.steps, start=1):
        heading = "now" if number == 1 else "   "
        output.line(f"  {heading}       {number}. {_step(step, each.destination)}", style="cyan")


def _step(step: Step, destination: str) -> str:
    if isinstance(step, MarkDeleted):
        return f"write a delete marker: {step.why}"
    action = "copy version" if isinstance(step, CopyVersion) else "put back version"
    return f"{action} {step.version_id} on top of {destination}: {step.why}"
