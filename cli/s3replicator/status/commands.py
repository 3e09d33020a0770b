"""`s3replicator status`: where a stack, a source bucket or an object stands.

Reads arguments and prints; what is looked at is the flow `status`.
"""

import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from replicator.aws.journal_index import JournalIndex
from replicator.aws.queue_depths import QueueDepths
from replicator.core.outcomes.outcome import Permanent, Temporary
from replicator.core.outcomes.replication_status import ReplicationStatus
from replicator.core.outcomes.threshold import Count, Depth, unseen

from s3replicator.operator_services import operator_services
from s3replicator.output import FINE, FOUND, Output, fail
from s3replicator.stack import JsonOption, ProfileOption, RegionOption, Stack, StackOption, open_stack
from s3replicator.status.object_reader import StackStatus, of_object, of_stack
from s3replicator.status.object_status import KeyInBucket, ObjectStatus, VersionStatus

_COLOURS = {
    ReplicationStatus.FAILED: "bold red",
    ReplicationStatus.PENDING: "yellow",
    ReplicationStatus.COMPLETED: "green",
    ReplicationStatus.REPLICA: "cyan",
}


def status(
    uri: Annotated[
        str,
        typer.Argument(metavar="[s3://BUCKET[/KEY]]", help="One source bucket, or one object.", show_default=False),
    ] = "",
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what waits, what failed and what lies on the queues; of an object, how it stands at each destination."""
    bucket, key = _split(uri)
    opened, output = open_stack(stack, region, profile), Output(as_json=as_json)
    try:
        fine = _object(opened, bucket, key, output) if key else _stack(opened, bucket, output)
    except (Temporary, Permanent) as trouble:
        output.document({"bucket": bucket, "key": key, "error": str(trouble)})
        output.line(f"the status cannot be read: {trouble}", style="red")
        raise typer.Exit(FOUND) from None
    raise typer.Exit(FINE if fine else FOUND)


def _split(uri: str) -> tuple[str, str]:
    """Take an address apart; what follows the bucket's name is the key as it is, slashes and all."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if uri and (not uri.startswith("s3://") or not bucket):
        fail(f"{uri!r} is no address; write s3://BUCKET or s3://BUCKET/KEY")
    return bucket, key


def _stack(opened: Stack, bucket: str, output: Output) -> bool:
    threshold_minutes = float(opened.parameters.get("ThresholdMinutes") or 15)
    outputs, sqs = opened.outputs, opened.client("sqs")
    index = JournalIndex(opened.client("dynamodb"), outputs["JournalTable"], round(threshold_minutes * 60_000))
    queues = QueueDepths(sqs, outputs["ChangeQueue"], outputs["PartQueue"], outputs["DeadLetterQueue"])
    found = of_stack(index, queues, time.time_ns() // 1_000_000, bucket)
    _print_stack(opened.facts.name, opened.facts.region, bucket, found, output)
    output.document(_stack_document(opened, bucket, found))
    return found.is_fine


def _print_stack(name: str, region: str, bucket: str, found: StackStatus, output: Output) -> None:
    output.line(f"{name} in {region}" + (f", source bucket {bucket}" if bucket else ""), style="bold")
    count = found.pending.all
    if found.is_fine and not count.operations:
        output.line("nothing waits, nothing has failed", style="green")
    else:
        oldest = f", the oldest for {_duration(count.age_seconds(found.pending.now))}" if count.operations else ""
        output.line(f"{count.operations} operations wait ({_bytes(count.bytes)}){oldest}")
        if ages := [f"{age}: {operations}" for age, operations in found.pending.ages().items() if operations]:
            output.line("  " + ", ".join(ages))
        _print_routes(found, output)
    changes = found.depths.changes
    if not bucket:
        hidden = unseen(found.pending, changes)
        note = f"; about {hidden} of them not looked at yet, or second copies of an event" if hidden else ""
        output.line(f"change queue: {_depth(changes)}{note}")
        output.line(f"part queue: {_depth(found.depths.parts)}")
        dead = found.depths.dead.all
        output.line(f"dead-letter queue: {dead}" + ("; see s3replicator failures list" if dead else ""))


def _print_routes(found: StackStatus, output: Output) -> None:
    now, rows = found.pending.now, []
    for route in found.routes:
        source, destination, rule = route
        waiting, failed = found.pending.by_route.get(route, Count()), found.failed.get(route, Count())
        age = _duration(waiting.age_seconds(now)) if waiting.operations else "-"
        rows.append((f"{source} -> {destination}", rule or "-", str(waiting.operations), _bytes(waiting.bytes), age,
                     str(failed.operations)))  # fmt: skip
    if rows:
        output.table(("from -> to", "rule", "pending", "bytes", "oldest", "failed"), rows)


def _stack_document(opened: Stack, bucket: str, found: StackStatus) -> dict[str, Any]:
    pending = found.pending
    return {
        "stack": opened.facts.name,
        "region": opened.facts.region,
        "bucket": bucket,
        "fine": found.is_fine,
        "pending": _count(pending.all, pending.now),
        "ages": {str(age): operations for age, operations in pending.ages().items()},
        "reasons": dict(pending.by_reason),
        "unseen": None if bucket else unseen(pending, found.depths.changes),
        "failed": sum(count.operations for count in found.failed.values()),
        "rules": [
            {
                "source": route[0],
                "destination": route[1],
                "rule": route[2],
                "pending": _count(pending.by_route.get(route, Count()), pending.now),
                "failed": found.failed.get(route, Count()).operations,
            }
            for route in found.routes
        ],
        "queues": {
            "changes": _depth_document(found.depths.changes),
            "parts": _depth_document(found.depths.parts),
            "dead_letters": _depth_document(found.depths.dead),
        },
    }


def _count(count: Count, now: int) -> dict[str, Any]:
    return {"operations": count.operations, "bytes": count.bytes, "oldest_seconds": count.age_seconds(now)}


def _depth_document(depth: Depth) -> dict[str, int]:
    return {"visible": depth.visible, "in_flight": depth.in_flight, "delayed": depth.delayed}


def _object(opened: Stack, bucket: str, key: str, output: Output) -> bool:
    found = of_object(bucket, key, operator_services(opened))
    output.document(_object_document(found))
    if not found.versions:
        output.line(f"s3://{bucket}/{key}: there is no such object", style="red")
        return False
    output.line(
        f"s3://{bucket}/{key}: {found.versions[0].standing}", style=_COLOURS.get(found.versions[0].standing, "")
    )
    output.table(("version", "time", "status", "destinations"), [_version_row(version) for version in found.versions])
    output.line("")
    for side in found.sides:
        output.line(f"{side.bucket} shows {_shown(side)}")
    if not found.agree:
        output.line("the buckets do not show the same", style="yellow")
    return found.versions[0].standing not in {ReplicationStatus.FAILED, ReplicationStatus.UNKNOWN}


def _version_row(version: VersionStatus) -> tuple[str, ...]:
    name = f"{version.version_id}{' (delete marker)' if version.is_marker else ''}"
    where = [
        f"{each.destination}: {each.standing}{f' {each.reason}' if each.reason else ''}"
        f"{f', {each.progress}' if each.progress else ''}{', late' if each.missed else ''}"
        for each in version.destinations
    ]
    of = [f"replica of {version.origin}"] if version.origin else []
    return name, _time(version.modified), str(version.standing), "; ".join(of + where) or "no rule wants it"


def _shown(side: KeyInBucket) -> str:
    if side.trouble:
        return f"- (it could not be asked: {side.trouble})"
    if not side.version_id:
        return "nothing"
    what = f"{side.version_id} of {_time(side.modified)}"
    if side.is_marker:
        return f"a delete marker, {what}"
    return f"{what}, a replica of {side.origin}" if side.origin else f"{what}, written there"


def _object_document(found: ObjectStatus) -> dict[str, Any]:
    return {
        "bucket": found.bucket,
        "key": found.key,
        "status": str(found.versions[0].standing) if found.versions else None,
        "versions": [
            {
                "version_id": version.version_id,
                "modified": version.modified,
                "delete_marker": version.is_marker,
                "current": version.is_current,
                "status": str(version.standing),
                "origin": str(version.origin) if version.origin else None,
                "destinations": [
                    {
                        "destination": each.destination,
                        "rule": each.rule_id,
                        "status": str(each.standing),
                        "reason": each.reason or None,
                        "completed": each.completed or None,
                        "missed_threshold": each.missed,
                        "progress": asdict(each.progress) if each.progress else None,
                    }
                    for each in version.destinations
                ],
            }
            for version in found.versions
        ],
        "sides": [
            {
                "bucket": side.bucket,
                "version_id": side.version_id or None,
                "delete_marker": side.is_marker,
                "origin": str(side.origin) if side.origin else None,
                "trouble": side.trouble or None,
            }
            for side in found.sides
        ],
        "agree": found.agree,
    }


def _depth(depth: Depth) -> str:
    return f"{depth.visible} to be received, {depth.in_flight} in flight or waiting, {depth.delayed} delayed"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _bytes(count: int) -> str:
    amount, units = float(count), ["B", "kB", "MB", "GB", "TB", "PB"]
    while amount >= 1000 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{amount:.0f} {units[0]}" if units[0] == "B" else f"{amount:.1f} {units[0]}"


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
