"""The journal in DynamoDB: one item per pair, and one per version that did not get through at once.

    object (partition)      target (sort)                     what it is
    east/photos/1.jpg       west                              the memory of the pair
    east/photos/1.jpg       west#3sL4kqtJlcpXroDTDmJ          a version that waits, failed, or got through late

Only items of the second kind carry `waiting`, the partition key of the sparse index ByAge: finished work is never
looked at again. Each write has a condition, and each condition has a name.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from zlib import crc32

from botocore.exceptions import BotoCoreError, ClientError

from replicator.aws.errors import Side, is_unmet_condition, translate
from replicator.aws.expressions import Condition, Json, Update, plain
from replicator.core.deciding.journal import Memory, Pair
from replicator.core.outcomes.backoff import OVERDUE_MS
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.versions.change import Aspect
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Replica
from replicator.flows.ports import CLAIM_MS, Earlier, Note, Reported, Waiting

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SHARDS = 8
"""Partitions of the index per status: a day's backlog of a busy bucket must not meet one partition's limit."""
KEEP_SECONDS = 45 * 24 * 3600
"""How long a finished entry is kept: thrice the longest that a message can stay on a queue."""

COMPLETED = {":completed": Status.COMPLETED}
HOLDS_NO_MEMORY = Condition("attribute_not_exists(generation)")  # as every item of a single version
NOT_SETTLED_BEFORE = Condition("attribute_not_exists(generation)")
NOT_COMPLETED = Condition("NOT #status = :completed", COMPLETED)
IS_FAILED = Condition("#status = :failed", {":failed": Status.FAILED})
IS_OPEN = Condition(
    "(attribute_exists(waiting) OR attribute_exists(against) OR attribute_exists(failing_by)) "
    "AND NOT #status = :completed",
    COMPLETED,
)


def nobody_settled_since(generation: int) -> Condition:
    """Say that the entry still is the one that the facts were read under."""
    return Condition("generation = :seen", {":seen": generation})


def nobody_else_tells(now: int, claimant: str) -> Condition:
    """Say that a version was not counted against its threshold yet, or that who claimed to tell so died before it did.

    claimed ------ CLAIM_MS ------ may be claimed by another, unless told
    """
    left_over = "(missed_at < :stale OR missed_by = :claimant) AND attribute_not_exists(missed_told)"
    return Condition(
        f"NOT #status = :completed AND (attribute_not_exists(against) OR ({left_over}))",
        {**COMPLETED, ":stale": now - CLAIM_MS, ":claimant": claimant},
    )


def nobody_else_fails(now: int, claimant: str) -> Condition:
    """Say that a failure is neither told nor another message's to tell, or that this one stays away for too long."""
    return Condition(
        "NOT #status = :completed AND NOT (#status = :failed AND attribute_exists(failed_told)) AND "
        "(attribute_not_exists(failing_by) OR failing_by = :claimant OR failing_at < :stale)",
        {**COMPLETED, ":failed": Status.FAILED, ":stale": now - OVERDUE_MS, ":claimant": claimant},
    )


def waiting_key(status: Status, item: str) -> str:
    """Return the index partition of an item; stable, so that an item stays in its partition."""
    return f"{status}#{crc32(item.encode()) % SHARDS}"


class DynamoJournal:
    """The journal of one stack."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def read(self, pair: Pair) -> Memory:
        """Read an entry, consistently."""
        item = self._get(_key(pair, pair.destination))
        if item is None or "generation" not in item:
            return Memory()
        top = item.get("top")
        return Memory(
            generation=int(item["generation"]),
            top=Replica(top["version_id"], top["etag"], _origin(top["origin"])) if top else None,
            sequencer=item.get("sequencer", ""),
            settled=tuple(item.get("settled", ())),
            completed=int(item.get("completed", 0)),
        )

    def settle(self, pair: Pair, before: Memory, after: Memory, note: Note) -> bool:
        """Replace an entry if its generation still is that of `before`; False if somebody settled meanwhile."""
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
        condition = nobody_settled_since(before.generation) if before.generation else NOT_SETTLED_BEFORE
        return self._set(_key(pair, pair.destination), Update(values), condition)

    def wait(self, pair: Pair, waiting: Waiting) -> Earlier | None:
        """Remember a version that waits or failed, never over a completed one; return what was remembered before."""
        failed = waiting.status is Status.FAILED
        values = {
            **_waiting(pair, waiting),
            "begun": 0,
            "finished": 0 if failed else waiting.note.attempts,  # the dead-letter queue gives back another message
            **({"against": True} if failed else {}),
        }
        update = Update(values, remove="failed_told" if failed else "")
        answer = self._update(_version_key(pair, waiting.version_id), update, NOT_COMPLETED, "ALL_OLD")
        return _before(answer) if answer is not None else Earlier(Status.COMPLETED)

    def begin(self, pair: Pair, waiting: Waiting) -> None:
        """Remember that a delivery begins to work on a version alone, and count it; never over a completed one."""
        update = Update(_waiting(pair, waiting), count="begun")
        self._set(_version_key(pair, waiting.version_id), update, NOT_COMPLETED)

    def earlier(self, pair: Pair, version_id: str) -> Earlier | None:
        """Tell what earlier deliveries of a version left behind; None if it never waited."""
        item = self._get(_version_key(pair, version_id))
        return _earlier(item) if item else None

    def claim_missed(self, pair: Pair, version_id: str, now: int, claimant: str) -> bool:
        """Claim to tell that a version missed its threshold; False if that is somebody else's to tell, or was told."""
        update = Update({"against": True, "missed_at": now, "missed_by": claimant})
        return self._set(_version_key(pair, version_id), update, nobody_else_tells(now, claimant))

    def claim_failure(self, pair: Pair, version_id: str, now: int, claimant: str) -> Earlier | None:
        """Claim to tell that a version failed; None if that was granted, else what was remembered instead."""
        update = Update({"failing_at": now, "failing_by": claimant}).arguments(nobody_else_fails(now, claimant))
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_version_key(pair, version_id),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **update,
            )
        except (ClientError, BotoCoreError) as error:
            if is_unmet_condition(error):
                item: Any = error.response.get("Item", {})
                return _earlier(plain(item))
            raise translate(error, "UpdateItem", Side.JOURNAL) from error
        return None

    def note_reported(self, pair: Pair, version_id: str, told: Reported) -> None:
        """Remember that an event was sent."""
        failed = told is Reported.FAILED
        update = Update({f"{told}_told": True}, remove="failing_by" if failed else "")
        self._set(_version_key(pair, version_id), update, IS_FAILED if failed else HOLDS_NO_MEMORY)

    def note_completed(self, pair: Pair, version_id: str, message: str, completed: int) -> None:
        """Remember that the handler of this very message completed a version, since the message must come back."""
        update = Update({**_closed(completed), "message": message}, remove="waiting")
        self._set(_version_key(pair, version_id), update, HOLDS_NO_MEMORY)

    def close(self, pair: Pair, version_id: str, completed: int) -> Earlier | None:
        """Forget that a version waited, and return what was remembered; nothing happens if it never did."""
        update = Update(_closed(completed), remove="waiting")
        answer = self._update(_version_key(pair, version_id), update, IS_OPEN, "ALL_OLD")
        return _before(answer) if answer is not None else None

    def _get(self, key: Json) -> dict[str, Any] | None:
        try:
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        except (ClientError, BotoCoreError) as error:
            raise translate(error, "GetItem", Side.JOURNAL) from error
        item = answer.get("Item")
        return plain(item) if item else None

    def _set(self, key: Json, update: Update, condition: Condition) -> bool:
        """Write attributes under a condition; False if it does not hold."""
        return self._update(key, update, condition, "NONE") is not None

    def _update(self, key: Json, update: Update, condition: Condition, wanted: Any) -> Mapping[str, Any] | None:
        """Make one request; None if the condition does not hold."""
        try:
            return self._client.update_item(
                TableName=self._table, Key=key, ReturnValues=wanted, **update.arguments(condition)
            )
        except (ClientError, BotoCoreError) as error:
            if is_unmet_condition(error):
                return None
            raise translate(error, "UpdateItem", Side.JOURNAL) from error


def _object(pair: Pair) -> str:
    return f"{pair.source}/{pair.key}"


def _key(pair: Pair, target: str) -> Json:
    return {"object": {"S": _object(pair)}, "target": {"S": target}}


def _version_key(pair: Pair, version_id: str) -> Json:
    return _key(pair, f"{pair.destination}#{version_id}")


def _waiting(pair: Pair, waiting: Waiting) -> dict[str, Any]:
    """Write what the monitor and people want to know of a version that waits or failed."""
    note = waiting.note
    return {
        "status": waiting.status,
        "waiting": waiting_key(waiting.status, _object(pair)),
        "reason": waiting.reason,
        "detail": waiting.detail,
        "version_id": waiting.version_id,
        "marker": waiting.aspect is Aspect.MARKER,
        "destination": pair.destination,
        "rule": note.rule_id,
        "size": note.size,
        "first_seen": note.first_seen,
        "threshold": waiting.threshold_ms,
        "attempts": note.attempts,
        "due": waiting.due,
    }


def _earlier(item: Json) -> Earlier:
    status = Status(item.get("status", Status.PENDING))  # a claim may be all that there is
    return Earlier(
        status=status,
        reason=Reason(item["reason"]) if "reason" in item and status is not Status.COMPLETED else None,
        message=item.get("message", ""),
        finished=int(item.get("finished", 0)),
        begun=int(item.get("begun", 0)),
        against=item.get("against", False),
        missed="missed_at" in item,
        failed=item.get("failed_told", False),
    )


def _before(answer: Mapping[str, Any]) -> Earlier | None:
    """Read what an update found there."""
    item = answer.get("Attributes")
    return _earlier(plain(item)) if item else None


def _replica(top: Replica | None) -> dict[str, Any] | None:
    if top is None:
        return None
    origin = {"bucket": top.origin.bucket, "version_id": top.origin.version_id, "modified": top.origin.modified}
    return {"version_id": top.version_id, "etag": top.etag, "origin": origin}


def _closed(completed: int) -> dict[str, Any]:
    """Return what a finished item says; it expires."""
    return {"status": Status.COMPLETED, "completed": completed, "expires_at": completed // 1000 + KEEP_SECONDS}


def _origin(item: Mapping[str, Any]) -> Origin:
    return Origin(item["bucket"], item["version_id"], int(item["modified"]))
