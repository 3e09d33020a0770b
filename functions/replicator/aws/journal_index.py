"""The journal's sparse index by age: only versions that wait or failed are in it, oldest first.

Separate from the journal: it reads many entries and never one, and must stay cheap however much work is finished.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from replicator.aws.errors import Side, translate
from replicator.aws.journal import SHARDS
from replicator.core.outcomes.outcome import Status
from replicator.core.outcomes.threshold import Pending
from replicator.core.versions.change import Aspect, later_aspect_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

INDEX = "ByAge"
Item = Mapping[str, Any]


class JournalIndex:
    """Reads the index of one journal. `threshold_ms` is the stack's own, for entries that name none."""

    def __init__(self, client: "DynamoDBClient", table: str, threshold_ms: int) -> None:
        self._client = client
        self._table = table
        self._threshold_ms = threshold_ms

    def shards(self, status: Status) -> list[Callable[[], Iterator[Pending]]]:
        """Return one way to read for each partition of a status; each may be read by a thread of its own."""
        return [lambda number=number: self._read(f"{status}#{number}") for number in range(SHARDS)]  # type: ignore[misc]

    def _read(self, partition: str) -> Iterator[Pending]:
        """Read one partition, page by page. Raises Temporary."""
        start: dict[str, Any] = {}
        while True:
            try:
                page = self._client.query(
                    TableName=self._table,
                    IndexName=INDEX,
                    KeyConditionExpression="waiting = :partition",
                    ExpressionAttributeValues={":partition": {"S": partition}},
                    **start,
                )
            except (ClientError, BotoCoreError) as error:
                raise translate(error, "Query", Side.JOURNAL) from error
            yield from (self._pending(item) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _pending(self, item: Item) -> Pending:
        """Read one entry by hand: boto3's own deserializer costs as much as the rest of the monitor together."""
        bucket, _, key = item["object"]["S"].partition("/")
        return Pending(
            bucket=bucket,
            key=key,
            item_id=item["version_id"]["S"],
            destination=item["destination"]["S"],
            rule_id=_text(item, "rule"),
            size=_number(item, "size"),
            first_seen=_number(item, "first_seen"),
            threshold_ms=_number(item, "threshold") or self._threshold_ms,
            due=_number(item, "due"),
            attempts=_number(item, "attempts"),
            reason=_text(item, "reason"),
            aspect=_aspect(item),
            against=_flag(item, "against"),
            claimed=_number(item, "missed_at"),
            told=_flag(item, "missed_told"),
        )


def _aspect(item: Item) -> Aspect:
    """Return what of the version waits: items of later changes name it, of the others a flag tells delete markers."""
    made = Aspect.MARKER if _flag(item, "marker") else Aspect.CONTENT
    return later_aspect_of(item["version_id"]["S"]) or made


def _text(item: Item, name: str) -> str:
    return str(item[name].get("S", "")) if name in item else ""


def _number(item: Item, name: str) -> int:
    return int(item[name].get("N", 0)) if name in item else 0


def _flag(item: Item, name: str) -> bool:
    return bool(item[name].get("BOOL")) if name in item else False
