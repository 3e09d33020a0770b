"""The conditions of writes to the journal table, each with a name.

Every write has one, so that whoever comes late or twice changes nothing. Separate from table.py, which turns them into
requests. docs/architecture.md ("The journal") explains the attributes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from replicator.core.outcomes.backoff import OVERDUE_MS
from replicator.core.outcomes.gate import Gate, GateState
from replicator.core.outcomes.outcome import Status
from replicator.flows.ports import CLAIM_MS

Json = Mapping[str, Any]
"""Attributes by name: DynamoDB's types in an item, otherwise Python values."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition expression and its values."""

    expression: str
    compared: Json = field(default_factory=dict)


COMPLETED = {":completed": Status.COMPLETED}
IS_NEW = Condition("attribute_not_exists(generation)")
IS_NO_MEMORY = Condition("attribute_not_exists(generation)")  # true of every version's item
NOT_COMPLETED = Condition("NOT #status = :completed", COMPLETED)
IS_FAILED = Condition("#status = :failed", {":failed": Status.FAILED})
IS_OPEN = Condition(
    "(attribute_exists(waiting) OR attribute_exists(parked) OR attribute_exists(against) "
    "OR attribute_exists(failing_by)) "
    "AND NOT #status = :completed",
    COMPLETED,
)
NO_UPLOAD = Condition("attribute_not_exists(upload)")
NO_GATE = Condition("attribute_not_exists(since)")
IS_NOT_SHUT = Condition("attribute_not_exists(since) OR NOT #state = :shut", {":shut": GateState.SHUT})
IS_SHUT = Condition("#state = :shut", {":shut": GateState.SHUT})
IS_OPENING = Condition("#state = :opening", {":opening": GateState.OPENING})
HAS_GATE = Condition("attribute_exists(since)")


def settled_last_at(generation: int) -> Condition:
    """Require that nobody has settled the pair since its memory was read."""
    return Condition("generation = :seen", {":seen": generation})


def nobody_else_reports_missed(now: int, claimant: str) -> Condition:
    """Require that the version was not counted as late yet, or that its claim is this claimant's or has expired.

    claimed ------ CLAIM_MS ------ others may claim it, unless it was reported
    """
    left_over = "(missed_at < :stale OR missed_by = :claimant) AND attribute_not_exists(missed_told)"
    return Condition(
        f"NOT #status = :completed AND (attribute_not_exists(against) OR ({left_over}))",
        {**COMPLETED, ":stale": now - CLAIM_MS, ":claimant": claimant},
    )


def nobody_else_reports_failed(now: int, claimant: str) -> Condition:
    """Require that the failure was not reported yet, and that no other message holds a valid claim.

    claimed ------ OVERDUE_MS ------ others may claim it, unless it was reported
    """
    return Condition(
        "NOT #status = :completed AND NOT (#status = :failed AND attribute_exists(failed_told)) AND "
        "(attribute_not_exists(failing_by) OR failing_by = :claimant OR failing_at < :stale)",
        {**COMPLETED, ":failed": Status.FAILED, ":stale": now - OVERDUE_MS, ":claimant": claimant},
    )


def parked_last_at(parkings: int) -> Condition:
    """Require that the item is parked, and was not parked again since it was read."""
    return Condition("attribute_exists(parked) AND parkings = :seen", {":seen": parkings})


def is_free(now: int, holder: str) -> Condition:
    """Require that nobody else holds the lease of the pair: its holder may ask again, if the response was lost.

    taken ------ until ------ others may take it, whoever crashed before that
    """
    return Condition(
        "attribute_not_exists(lease_until) OR lease_until < :now OR lease_by = :holder",
        {":now": now, ":holder": holder},
    )


def held_by(holder: str) -> Condition:
    """Require that the lease is still this holder's."""
    return Condition("lease_by = :holder", {":holder": holder})


def held_and_settled_at(holder: str, generation: int) -> Condition:
    """Require that the lease is still this holder's, and that nobody has settled the pair since its memory was read."""
    return Condition("lease_by = :holder AND generation = :seen", {":holder": holder, ":seen": generation})


def is_gate(gate: Gate) -> Condition:
    """Require that the gate is in the state in which it was read, and that nobody else has taken its next step."""
    read = {"state": gate.state, "since": gate.since, "stepped": gate.stepped, "probed": gate.probed}
    read["quiet"] = gate.quiet
    expression = " AND ".join(f"{'#state' if name == 'state' else name} = :was_{name}" for name in read)
    return Condition(expression, {f":was_{name}": value for name, value in read.items()})


def is_upload(upload_id: str) -> Condition:
    """Require that the item is still about this upload."""
    return Condition("upload = :upload", {":upload": upload_id})


def nobody_else_reports_upload(upload_id: str, message: str) -> Condition:
    """Require that the item is still about this upload, and that no other message has claimed to report its failure."""
    return Condition(
        "upload = :upload AND (attribute_not_exists(failed_by) OR failed_by = :message)",
        {":upload": upload_id, ":message": message},
    )
