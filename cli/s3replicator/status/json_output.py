"""The status of a stack, a source bucket or an object as one JSON document."""

from dataclasses import asdict
from typing import Any

from replicator.core.outcomes.gate import Gate, GateState
from replicator.core.outcomes.threshold import Count, Depth, Route, unseen

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


def stack_document(stack: StackFacts, bucket: str, found: StackStatus) -> dict[str, Any]:
    """Return the status of a stack, or of one source bucket if `bucket` is not empty."""
    pending = found.pending
    return {
        "stack": stack.name,
        "region": stack.region,
        "bucket": bucket,
        "fine": found.is_fine,
        "pending": _count(pending.all, pending.now),
        "ages": {str(age): operations for age, operations in pending.ages().items()},
        "reasons": dict(pending.by_reason),
        "aspects": {str(aspect): operations for aspect, operations in pending.by_aspect.items()},
        "unseen": None if bucket else unseen(pending, found.depths.changes),
        "exact": found.is_exact,
        "gates": [_gate(gate) for gate in found.gates],
        "failed": sum(count.operations for count in found.failed.values()),
        "failed_aspects": {str(aspect): operations for aspect, operations in found.failed_by_aspect.items()},
        "rules": [_route(route, found) for route in found.routes],
        "proofs": None if found.proofs is None else [_proof(each) for each in found.proofs],
        "queues": {
            "changes": _depth(found.depths.changes),
            "backfill": _depth(found.depths.backfill),
            "parts": _depth(found.depths.parts),
            "dead_letters": _depth(found.depths.dead),
        },
    }


def object_document(found: ObjectStatus) -> dict[str, Any]:
    """Return the status of an object."""
    return {
        "bucket": found.bucket,
        "key": found.key,
        "status": str(found.status) if found.versions else None,
        "versions": [_version(version) for version in found.versions],
        "changes_without_version": [_later(each) for each in found.unnamed],
        "sides": [_current(side) for side in found.sides],
        "agree": found.agree,
    }


def _proof(proof: Proof) -> dict[str, Any]:
    """Return what was proven about a pair of buckets, and what its last verification found."""
    entry = proof.entry
    return {
        "source": proof.source,
        "destination": proof.destination,
        "proven_complete_until": (entry.verified if entry else "") or None,
        "verification": asdict(entry.verification) if entry and entry.verification else None,
    }


def _route(route: Route, found: StackStatus) -> dict[str, Any]:
    source, destination, rule = route
    return {
        "source": source,
        "destination": destination,
        "rule": rule,
        "pending": _count(found.pending.by_route.get(route, Count()), found.pending.now),
        "failed": found.failed.get(route, Count()).operations,
    }


def _count(count: Count, now: int) -> dict[str, Any]:
    age = count.age_seconds(now)
    return {"operations": count.operations, "bytes": count.bytes, "oldest_seconds": age, "parked": count.parked}


def _gate(gate: Gate) -> dict[str, Any]:
    troubled = {"reason": gate.reason, "detail": gate.detail} if gate.state is not GateState.OPEN else {}
    denied = {"denied_since": gate.denied, "denied_reason": gate.denied_reason} if gate.denied else {}
    return {"destination": gate.destination, "state": str(gate.state), "since": gate.since, **troubled, **denied}


def _depth(depth: Depth) -> dict[str, int]:
    return {"visible": depth.visible, "in_flight": depth.in_flight, "delayed": depth.delayed}


def _version(version: VersionStatus) -> dict[str, Any]:
    return {
        "version_id": version.version_id,
        "modified": version.modified,
        "delete_marker": version.is_marker,
        "current": version.is_current,
        "status": str(version.status),
        "origin": str(version.origin) if version.origin else None,
        "destinations": [_at_destination(each) for each in version.destinations],
    }


def _at_destination(each: StatusAtDestination) -> dict[str, Any]:
    return {
        "destination": each.destination,
        "rule": each.rule_id,
        "status": str(each.status),
        "reason": each.reason or None,
        "completed": each.completed or None,
        "missed_threshold": each.missed,
        "parked_until": each.release_at or None,
        "progress": asdict(each.progress) if each.progress else None,
        "later_changes": [_later(change) for change in each.later],
    }


def _later(each: LaterStatus) -> dict[str, Any]:
    return {
        "destination": each.destination,
        "aspect": str(each.item.aspect),
        "deletion": each.item.is_deletion,
        "time": each.item.time,
        "seen_at": each.item.seen_at or None,
        "status": str(each.status),
        "reason": each.reason or None,
        "missed_threshold": each.missed,
        "parked_until": each.release_at or None,
    }


def _current(side: CurrentInBucket) -> dict[str, Any]:
    return {
        "bucket": side.bucket,
        "version_id": side.version_id or None,
        "delete_marker": side.is_marker,
        "origin": str(side.origin) if side.origin else None,
        "trouble": side.trouble or None,
    }
