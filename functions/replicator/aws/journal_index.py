"""The port `Index` on DynamoDB: the journal's sparse index of what waits or failed, oldest first.

Separate from the journal: it reads many items at once, and its cost must not grow with finished work.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from replicator.aws.conditions import Json
from replicator.aws.table import JournalTable, bucket_and_key, shards
from replicator.core.outcomes.outcome import Status
from replicator.core.outcomes.threshold import Pending
from replicator.core.versions.change import Aspect, later_aspect_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class JournalIndex:
    """Reads the index of one journal. `threshold_ms`: the stack's own, for items that have none."""

    def __init__(self, client: "DynamoDBClient", table: str, threshold_ms: int) -> None:
        self._table = JournalTable(client, table)
        self._threshold_ms = threshold_ms

    def shards(self, status: Status) -> list[Callable[[], Iterator[Pending]]]:
        """Return a function for each partition that yields its entries, oldest first, or raises Temporary."""
        return [partial(self._read, partition) for partition in shards(status)]

    def _read(self, partition: str) -> Iterator[Pending]:
        return (pending_of(item, self._threshold_ms) for item in self._table.waiting(partition))


def pending_of(item: Json, threshold_ms: int) -> Pending:
    """Read one item without boto3's deserializer, which would take as long as everything else in the monitor.

    threshold_ms: the stack's own, for items that have none.
    """
    bucket, key = bucket_and_key(item["object"]["S"])
    return Pending(
        bucket=bucket,
        key=key,
        item_id=item["version_id"]["S"],
        destination=item["destination"]["S"],
        rule_id=_text(item, "rule"),
        size=_number(item, "size"),
        first_seen=_number(item, "first_seen"),
        threshold_ms=_number(item, "threshold") or threshold_ms,
        due=_number(item, "due"),
        reason=_text(item, "reason"),
        aspect=_aspect(item),
        counted_against=_flag(item, "against"),
        claimed=_number(item, "missed_at"),
        reported=_flag(item, "missed_told"),
        parked="parked" in item,
    )


def _aspect(item: Json) -> Aspect:
    """Return the aspect. The item id names that of a later change; otherwise a flag says if it is a delete marker."""
    made = Aspect.MARKER if _flag(item, "marker") else Aspect.CONTENT
    return later_aspect_of(item["version_id"]["S"]) or made


def _text(item: Json, name: str) -> str:
    return str(item[name].get("S", "")) if name in item else ""


def _number(item: Json, name: str) -> int:
    return int(item[name].get("N", 0)) if name in item else 0


def _flag(item: Json, name: str) -> bool:
    return bool(item[name].get("BOOL")) if name in item else False
