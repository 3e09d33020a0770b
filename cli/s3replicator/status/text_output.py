"""The status of a stack, a source bucket or an object as text for people."""

from collections.abc import Mapping
from datetime import datetime

from replicator.core.outcomes.gate import GateState
from replicator.core.outcomes.replication_status import ReplicationStatus
from replicator.core.outcomes.threshold import Count, Depth, Route, unseen
from replicator.core.versions.change import AMENDED, Aspect

from s3replicator.formatting import duration, plural, size, utc_minute, utc_second
from s3replicator.output import Output
from s3replicator.stack_facts import StackFacts
from s3replicator.status.object_status import (
    CurrentInBucket,
    LaterStatus,
    ObjectStatus,
    StatusAtDestination,
    VersionStatus,
)
from s3replicator.status.proofs import Proof
from s3replicator.status.stack_status import StackStatus

_COLOURS = {
    ReplicationStatus.FAILED: "bold red",
    ReplicationStatus.PENDING: "yellow",
    ReplicationStatus.COMPLETED: "green",
    ReplicationStatus.REPLICA: "cyan",
}
_LATER = frozenset({*AMENDED, Aspect.STATE})
_NAMES = {Aspect.ACL: "ACL", Aspect.STATE: "tags, ACL, lock or annotations"}


def print_stack(stack: StackFacts, bucket: str, found: StackStatus, output: Output) -> None:
    """Print the status of a stack, or of one source bucket if `bucket` is not empty."""
    output.line(f"{stack.name} in {stack.region}" + (f", source bucket {bucket}" if bucket else ""), style="bold")
    count = found.pending.all
    if found.is_fine and not count.operations:
        output.line("nothing is pending, nothing has failed", style="green")
    else:
        oldest = f", the oldest for {duration(count.age_seconds(found.pending.now))}" if count.operations else ""
        about = "" if found.is_exact else "about "
        output.line(f"{about}{plural(count.operations, 'operation')} pending ({size(count.bytes)}){oldest}")
        if ages := [f"{age}: {operations}" for age, operations in found.pending.ages().items() if operations]:
            output.line("  " + ", ".join(ages))
        _print_later("pending", found.pending.by_aspect, output)
        _print_later("failed", found.failed_by_aspect, output)
        _print_routes(found, output)
    _print_gates(found, output)
    _print_proofs(found, output)
    if not bucket:
        _print_queues(found, output)


def _print_later(state: str, by_aspect: Mapping[Aspect, int], output: Output) -> None:
    """Print how many changes after the write are among what is pending or has failed."""
    later = {aspect: number for aspect, number in by_aspect.items() if aspect in _LATER and number}
    if later:
        each = ", ".join(f"{_NAMES.get(aspect, aspect)} {number}" for aspect, number in later.items())
        output.line(f"  changes after the write, {state}: {each}")


def print_object(found: ObjectStatus, output: Output) -> None:
    """Print the status of an object."""
    address = f"s3://{found.bucket}/{found.key}"
    if not found.versions:
        output.line(f"{address}: there is no such object", style="red")
        return
    status = found.status
    output.line(f"{address}: {status}", style=_COLOURS.get(status, ""))
    columns = ("version", "time (UTC)", "status", "destinations")
    output.table(columns, [_version_row(version) for version in found.versions])
    for each in (*found.later, *found.unnamed):
        output.line(_later(each), style=_COLOURS.get(each.status, ""))
    output.line("")
    for side in found.sides:
        output.line(f"current in {side.bucket}: {_current(side)}")
    if not found.agree:
        output.line("the buckets do not have the same current version", style="yellow")


def _print_gates(found: StackStatus, output: Output) -> None:
    """Print the destinations that fail for everyone, and those that deny everything."""
    for gate in found.troubled_gates:
        name, since = gate.destination or "rules", utc_second(gate.since // 1000)
        if gate.state is GateState.SHUT:
            output.line(f"{name}: shut since {since} UTC, one change a minute tries it: {gate.reason}", style="red")
            output.line(f"  {gate.detail}")
        elif gate.state is GateState.OPENING:
            output.line(f"{name}: opening since {since} UTC, {gate.rate} changes a minute", style="yellow")
        if gate.denied:
            denied = utc_second(gate.denied // 1000)
            output.line(f"{name}: denies everything since {denied} UTC: {gate.denied_reason}", style="red")


def _print_proofs(found: StackStatus, output: Output) -> None:
    """Print when each destination was last proven complete."""
    if found.proofs is None:
        output.line("when destinations were proven complete cannot be read: see the documentation for the permissions")
    for each in found.proofs or ():
        seen = each.entry.verification if each.entry else None
        differs = bool(seen and seen.different)
        output.line(f"{each.source} -> {each.destination}: {_proven(each)}", style="red" if differs else "")
        if seen and differs:
            kinds = ", ".join(f"{count} {kind}" for kind, count in seen.differences.items())
            output.line(f"  differences at {_utc(seen.at)}: {kinds}; see s3replicator verify {each.source}")


def _proven(proof: Proof) -> str:
    verified, seen = (proof.entry.verified, proof.entry.verification) if proof.entry else ("", None)
    if not verified:
        return "never proven complete"
    checked = f", {plural(seen.checked, 'version')} checked" if seen else ""
    return f"last proven complete {_utc(verified)}{checked}"


def _utc(moment: str) -> str:
    return f"{utc_minute(int(datetime.fromisoformat(moment).timestamp()))} UTC"


def _print_routes(found: StackStatus, output: Output) -> None:
    columns = ("from -> to", "rule", "pending", "parked", "bytes", "oldest", "failed")
    if rows := [_route_row(route, found) for route in found.routes]:
        output.table(columns, rows)


def _route_row(route: Route, found: StackStatus) -> tuple[str, ...]:
    source, destination, rule = route
    pending, failed = found.pending.by_route.get(route, Count()), found.failed.get(route, Count())
    age = duration(pending.age_seconds(found.pending.now)) if pending.operations else "-"
    direction, rule = f"{source} -> {destination}", rule or "-"
    parked = str(pending.parked) if pending.parked else "-"
    return direction, rule, str(pending.operations), parked, size(pending.bytes), age, str(failed.operations)


def _print_queues(found: StackStatus, output: Output) -> None:
    changes, dead = found.depths.changes, found.depths.dead.all
    hidden = unseen(found.pending, changes)
    note = f"; about {hidden} of them not received yet, or duplicates of an event" if hidden else ""
    output.line(f"change queue: {_depth(changes)}{note}")
    output.line(f"backfill queue: {_depth(found.depths.backfill)}")
    output.line(f"part queue: {_depth(found.depths.parts)}")
    output.line(f"dead-letter queue: {plural(dead, 'message')}" + ("; see s3replicator failures list" if dead else ""))


def _depth(depth: Depth) -> str:
    visible = plural(depth.visible, "message")
    return f"{visible} visible, {depth.in_flight} in flight or waiting for a retry, {depth.delayed} delayed"


def _version_row(version: VersionStatus) -> tuple[str, ...]:
    name = f"{version.version_id}{' (delete marker)' if version.is_marker else ''}"
    of = [f"replica of {version.origin}"] if version.origin else []
    where = [_at_destination(each) for each in version.destinations]
    return name, utc_second(version.modified), str(version.status), "; ".join(of + where) or "no rule selects it"


def _at_destination(each: StatusAtDestination) -> str:
    reason = f" {each.reason}" if each.reason else ""
    progress = f", {each.progress}" if each.progress else ""
    parked = ", parked" if each.release_at else ""
    return f"{each.destination}: {each.status}{reason}{progress}{parked}{', late' if each.missed else ''}"


def _later(each: LaterStatus) -> str:
    """Write what was changed, when and where, and how far that has come."""
    item = each.item
    what = f"{_NAMES.get(item.aspect, item.aspect)}{' (deletion)' if item.is_deletion else ''}"
    version = f"of version {item.version_id}" if item.version_id else "of a version that its event does not name"
    where = f", changed at its replica in {item.seen_at}" if item.seen_at else ""
    reason = f" {each.reason}" if each.reason else ""
    state = f"{each.status}{reason}{', parked' if each.release_at else ''}{', late' if each.missed else ''}"
    return f"{what} {version}, {utc_second(item.time // 1000)} UTC{where}: {each.destination}: {state}"


def _current(side: CurrentInBucket) -> str:
    if side.trouble:
        return f"cannot be read: {side.trouble}"
    if not side.version_id:
        return "nothing"
    what = f"{side.version_id}, {utc_second(side.modified)} UTC"
    if side.is_marker:
        return f"delete marker {what}"
    return f"version {what}, a replica of {side.origin}" if side.origin else f"version {what}, written there"
