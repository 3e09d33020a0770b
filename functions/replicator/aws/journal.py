"""The port `Journal` on DynamoDB: the memory of each pair, and each version that did not succeed at once.

This module turns values into attributes and back; docs/architecture.md ("The journal") explains every attribute. Keys
and conditions are in table.py.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from replicator.aws.conditions import (
    IS_FAILED,
    IS_NEW,
    IS_NO_MEMORY,
    IS_OPEN,
    NOT_COMPLETED,
    Json,
    held_and_settled_at,
    held_by,
    is_free,
    nobody_else_reports_failed,
    nobody_else_reports_missed,
    settled_last_at,
)
from replicator.aws.table import (
    CLAIM,
    LEASE,
    UNPARKED,
    JournalTable,
    Update,
    agreement_key,
    expires_at,
    item_id_of,
    memory_key,
    named,
    plain,
    release_partition_of,
    shard_of,
    version_key,
)
from replicator.core.aspects.base import Agreement, Base, of_digest
from replicator.core.deciding.journal import Memory, Pair
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.outcomes.parking import Parked
from replicator.core.versions.change import Aspect, version_of
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Replica
from replicator.flows.ports import Earlier, Note, Reported, Waiting

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class DynamoJournal:
    """The journal of one stack."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = JournalTable(client, table)

    def read(self, pair: Pair) -> Memory:
        """Read the entry of a pair, consistently."""
        return _memory(self._table.get(memory_key(pair)) or {})

    def read_all(self, pairs: Sequence[Pair]) -> dict[Pair, Memory]:
        """Read the entries of pairs by as few requests as possible; without those that DynamoDB left unprocessed."""
        keys = {pair: memory_key(pair) for pair in pairs}
        found = self._table.get_all([*keys.values()])
        return {pair: _memory(found[name] or {}) for pair, key in keys.items() if (name := named(key)) in found}

    def lease(self, pair: Pair, holder: str, now: int, until: int) -> Memory | None:
        """Take the lease of a pair until then, and return its entry; None if another holds it.

        botocore sends the request again if its response is lost.
        """
        update = Update({"lease_by": holder, "lease_until": until})
        before = self._table.write_over(memory_key(pair), update, is_free(now, holder))
        return None if before is None else _memory(before)

    def release(
        self, pair: Pair, holder: str, memory: Memory, now: int, given: Mapping[str, str] | None = None
    ) -> None:
        """End a lease if it is still this holder's. given: what the top has, unless the pair was settled since."""
        if memory.generation == 0:  # the item is nothing but a lease
            expiry = Update({"expires_at": expires_at(now)}, remove=LEASE)
            self._table.write(memory_key(pair), expiry, held_by(holder))
            return
        if given is not None and given != memory.given:
            condition = held_and_settled_at(holder, memory.generation)
            if self._table.write(memory_key(pair), Update({"given": dict(given)}, remove=LEASE), condition):
                return
        self._table.write(memory_key(pair), Update(remove=LEASE), held_by(holder))

    def agreement(self, pair: Pair, version_id: str) -> Agreement:
        """Read what one version and its replicas at one destination agreed on, consistently."""
        item = self._table.get(agreement_key(pair, version_id)) or {}
        return Agreement(
            {name: _base(kept) for name, kept in item.get("bases", {}).items()},
            {aspect: tuple(ids) for aspect, ids in item.get("synced", {}).items()},
        )

    def keep_agreement(self, pair: Pair, version_id: str, agreement: Agreement) -> None:
        """Replace what was agreed on."""
        values = {
            "bases": {name: _base_item(base) for name, base in agreement.bases.items()},
            "synced": {aspect: list(ids) for aspect, ids in agreement.synced.items()},
        }
        self._table.write(agreement_key(pair, version_id), Update(values), IS_NO_MEMORY)

    def settle(self, pair: Pair, before: Memory, after: Memory, note: Note) -> bool:
        """Replace the entry if its generation is still that of `before`, and return whether it was."""
        values = {
            "generation": after.generation,
            "top": _replica(after.top),
            "sequencer": after.sequencer,
            "settled": list(after.settled),
            "rule": note.rule_id,
            "size": note.size,
            "first_seen": note.first_seen,
            "attempts": note.attempts,
            **_closed(note.completed),
        }
        rare = {"given": dict(after.given), "marker": after.marker}
        update = Update({**values, **{name: value for name, value in rare.items() if value}})
        gone = ", ".join(name for name, value in rare.items() if not value)
        condition = settled_last_at(before.generation) if before.generation else IS_NEW
        return self._table.write(memory_key(pair), replace(update, remove=gone), condition)

    def wait(self, pair: Pair, waiting: Waiting) -> Earlier | None:
        """Record a change that waits or failed, unless it is completed. Return what was recorded before."""
        failed, key = waiting.status is Status.FAILED, version_key(pair, waiting.item_id)
        values = {
            **_waiting(pair, waiting),
            "begun": 0,
            # A failure that is redriven and a change that was parked come back in another message.
            "finished": 0 if failed or waiting.parked else waiting.receives,
            **({"against": True} if failed else {}),
        }
        removed = ["failed_told"] if failed else []
        if waiting.parked:
            values |= parked_values(waiting.parked, release_partition_of(pair.destination, key))
            # Its message goes, and with it the claim to report a failure: another message will bring the change.
            update = Update(values, remove=", ".join(["waiting", CLAIM, *removed]), count={"parkings": 1})
        else:
            values["waiting"] = shard_of(waiting.status, pair)
            update = Update(values, remove=", ".join([UNPARKED, *removed]))
        before = self._table.write_over(key, update, NOT_COMPLETED)
        if before is None:
            return Earlier(Status.COMPLETED)
        return _earlier(before) if before else None

    def begin(self, pair: Pair, waiting: Waiting) -> None:
        """Record and count that a delivery begins to process a change alone, unless the change is completed."""
        values = {**_waiting(pair, waiting), "waiting": shard_of(waiting.status, pair)}
        update = Update(values, remove=UNPARKED, count={"begun": 1})
        self._table.write(version_key(pair, waiting.item_id), update, NOT_COMPLETED)

    def earlier(self, pair: Pair, version_id: str) -> Earlier | None:
        """Read what earlier deliveries of a change recorded; None if it never waited."""
        item = self._table.get(version_key(pair, version_id))
        return _earlier(item) if item else None

    def recorded(self, pair: Pair, version_id: str) -> Mapping[str, Earlier]:
        """Read, consistently, what is recorded of a version and its later changes, by item id."""
        items = ((item_id_of(pair, item), item) for item in map(plain, self._table.of_version(pair, version_id)))
        return {item_id: _earlier(item) for item_id, item in items if version_of(item_id) == version_id}

    def claim_missed(self, pair: Pair, version_id: str, now: int, claimant: str) -> bool:
        """Claim to report that a change missed its threshold. False if another claim is valid, or it was reported."""
        update = Update({"against": True, "missed_at": now, "missed_by": claimant})
        condition = nobody_else_reports_missed(now, claimant)
        return self._table.write(version_key(pair, version_id), update, condition)

    def claim_failure(self, pair: Pair, version_id: str, now: int, claimant: str) -> Earlier | None:
        """Claim to report that a change failed. None if that was granted, else what is recorded about the change."""
        update = Update({"failing_at": now, "failing_by": claimant})
        condition = nobody_else_reports_failed(now, claimant)
        instead = self._table.claim(version_key(pair, version_id), update, condition)
        return _earlier(instead) if instead is not None else None

    def note_reported(self, pair: Pair, version_id: str, told: Reported) -> None:
        """Record that an event was published."""
        failed = told is Reported.FAILED
        update = Update({f"{told}_told": True}, remove="failing_by" if failed else "")
        condition = IS_FAILED if failed else IS_NO_MEMORY
        self._table.write(version_key(pair, version_id), update, condition)

    def note_completed(self, pair: Pair, version_id: str, message: str, completed: int) -> None:
        """Record that the handler of this message completed a change, because the message will come back."""
        update = Update({**_closed(completed), "message": message}, remove=f"waiting, {UNPARKED}")
        self._table.write(version_key(pair, version_id), update, IS_NO_MEMORY)

    def close(self, pair: Pair, version_id: str, completed: int) -> Earlier | None:
        """Mark a change that waited as completed, and return what was recorded. Nothing happens if it never waited."""
        update = Update(_closed(completed), remove=f"waiting, {UNPARKED}")
        before = self._table.write_over(version_key(pair, version_id), update, IS_OPEN)
        return _earlier(before) if before else None


def _memory(item: Json) -> Memory:
    if "generation" not in item:
        return Memory()
    top = item.get("top")
    return Memory(
        generation=int(item["generation"]),
        top=Replica(top["version_id"], top["etag"], _origin(top["origin"])) if top else None,
        sequencer=item.get("sequencer", ""),
        settled=tuple(item.get("settled", ())),
        completed=int(item.get("completed", 0)),
        given=item.get("given", {}),
        marker=item.get("marker", ""),
    )


def _base(kept: str | Mapping[str, Any]) -> Base:
    """Read a base: one digest where both sides agreed, else what each may have."""
    if isinstance(kept, str):
        return of_digest(kept)
    return Base(tuple(kept["source"]), tuple(kept["replica"]), kept["wanted"], tuple(kept.get("past", ())))


def _base_item(base: Base) -> str | dict[str, Any]:
    if base == of_digest(base.wanted):
        return base.wanted
    sides = {"source": list(base.source), "replica": list(base.replica), "wanted": base.wanted}
    return sides | ({"past": list(base.past)} if base.past else {})


def _waiting(pair: Pair, waiting: Waiting) -> dict[str, Any]:
    """Return the attributes of a change that waits or failed, for the monitor and for people."""
    note = waiting.note
    return {
        "status": waiting.status,
        "reason": waiting.reason,
        "detail": waiting.detail,
        "version_id": waiting.item_id,
        "marker": waiting.aspect is Aspect.MARKER,
        "destination": pair.destination,
        "rule": note.rule_id,
        "size": note.size,
        "first_seen": note.first_seen,
        "threshold": waiting.threshold_ms,
        "attempts": note.attempts,
        "due": waiting.due,
    }


def parked_values(parked: Parked, partition: str) -> dict[str, Any]:
    """Return the attributes that park an item. Its message is compressed: so most items stay below one write unit."""
    body = zlib.compress(parked.body.encode())
    values = {"parked": partition, "release_at": parked.release_at, "parked_body": body}
    return {**values, "tried": True} if parked.tried else values  # of several messages, one may have been processed


def _earlier(item: Json) -> Earlier:
    status = Status(item.get("status", Status.PENDING))  # an item may hold nothing but a claim
    return Earlier(
        status=status,
        reason=Reason(item["reason"]) if "reason" in item and status is not Status.COMPLETED else None,
        message=item.get("message", ""),
        finished=int(item.get("finished", 0)),
        tried_alone=int(item.get("begun", 0)),
        counted_against=item.get("against", False),
        missed_claimed="missed_at" in item,
        failure_reported=item.get("failed_told", False),
        release_at=int(item["release_at"]) if "parked" in item else 0,
    )


def _replica(top: Replica | None) -> dict[str, Any] | None:
    if top is None:
        return None
    origin = {"bucket": top.origin.bucket, "version_id": top.origin.version_id, "modified": top.origin.modified}
    return {"version_id": top.version_id, "etag": top.etag, "origin": origin}


def _closed(completed: int) -> dict[str, Any]:
    """Return the attributes of a completed change, its expiry included."""
    return {"status": Status.COMPLETED, "completed": completed, "expires_at": expires_at(completed)}


def _origin(item: Mapping[str, Any]) -> Origin:
    return Origin(item["bucket"], item["version_id"], int(item["modified"]))
