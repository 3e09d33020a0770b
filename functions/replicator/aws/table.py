"""The journal table: its items, keys, conditions and index, and the requests that its three adapters make.

    object (partition)      target (sort)                           what it is
    east/photos/1.jpg       west                                    the memory of the pair
    east/photos/1.jpg       west#3sL4kqtJlcpXroDTDmJ                a version that waits, failed, or completed late
    east/photos/1.mov       west#upload#3sL4kq.../east/3sL4kq...    a multipart upload, in progress or ended

    east/photos/1.mov       west#parts#3sL4kq.../1              a message of parts that was parked
    east/photos/1.jpg       west#agreed#3sL4kqtJlcpXroDTDmJ     what a version and its replicas last agreed on
    gates                   west                                the gate of a destination

Only items that are not finished have the attribute `waiting`, the partition key of the sparse index ByAge, whose sort
key is `first_seen`, or, if they are parked, the attribute `parked`, the partition key of the sparse index ByRelease,
whose sort key is `release_at`. So finished work costs nothing there. Every write has a condition (conditions.py).
docs/architecture.md ("The journal") explains the attributes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from zlib import crc32

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from replicator.aws.asking import asking, expecting
from replicator.aws.conditions import Condition, Json
from replicator.aws.errors import Side
from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.outcome import Status
from replicator.core.outcomes.parking import partition_of
from replicator.core.parts.uploads import CopySource

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

INDEX = "ByAge"
RELEASES = "ByRelease"
GATES = "gates"
"""The partition of all gates. No object is kept there: the name of every other partition has a slash."""
NOWHERE = "-"
"""The sort key of the gate of what is parked before its destinations are known. No bucket's name is so short."""
CLAIM = "failing_by, failing_at"
"""The attributes of a claim to report a failure."""
LEASE = "lease_by, lease_until"
"""The attributes of a lease."""
UNPARKED = "parked, parked_body"
"""What an item has only while it is parked; attributes to remove."""
SHARDS = 8
"""Partitions of the index per status, so that a day's backlog of a busy bucket stays below the limit of each."""
UPLOADS = "UPLOAD"
"""The one partition of the index for uploads in progress."""
KEEP_SECONDS = 45 * 24 * 3600
"""How long a finished item is kept: three times as long as a message can stay on a queue."""
MOST_READ = 100
"""Items that one BatchGetItem may ask for (DynamoDB API reference)."""
CONDITION_FAILED = frozenset({"ConditionalCheckFailedException"})

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


# Keys and partitions


def object_of(pair: Pair) -> str:
    """Return the partition key of all items about one key of a source bucket."""
    return f"{pair.source}/{pair.key}"


def bucket_and_key(partition: str) -> tuple[str, str]:
    """Return the source bucket and the key that a partition key names."""
    bucket, _, key = partition.partition("/")
    return bucket, key


def named(item: Json) -> tuple[str, str]:
    """Return the primary key of an item, or of a primary key itself, as a value that can be looked up."""
    return item["object"]["S"], item["target"]["S"]


def memory_key(pair: Pair) -> Json:
    """Return the primary key of a pair's memory."""
    return _key(pair, pair.destination)


def version_key(pair: Pair, version_id: str) -> Json:
    """Return the primary key of one version at one destination. version_id: its item id."""
    return _key(pair, f"{pair.destination}#{version_id}")


def item_id_of(pair: Pair, item: Mapping[str, Any]) -> str:
    """Return the item id in the primary key of an item that `version_key` names."""
    return str(item["target"]).removeprefix(f"{pair.destination}#")


def upload_key(pair: Pair, source: CopySource, change_id: str) -> Json:
    """Return the primary key of the upload that copies `source` for one change."""
    return _key(pair, f"{_uploads_of(pair)}{change_id}/{source.bucket}/{source.version_id}")


def parts_key(pair: Pair, upload_id: str, number: int) -> Json:
    """Return the primary key of a parked message of parts. number: of its first part."""
    return _key(pair, f"{pair.destination}#parts#{upload_id}/{number}")


def gate_key(destination: str) -> Json:
    """Return the primary key of the gate of a destination."""
    return {"object": {"S": GATES}, "target": {"S": destination or NOWHERE}}


def agreement_key(pair: Pair, version_id: str) -> Json:
    """Return the primary key of what a version and its replicas at one destination last agreed on."""
    return _key(pair, f"{pair.destination}#agreed#{version_id}")


def _uploads_of(pair: Pair) -> str:
    return f"{pair.destination}#upload#"


def _key(pair: Pair, target: str) -> Json:
    return {"object": {"S": object_of(pair)}, "target": {"S": target}}


def shard_of(status: Status, pair: Pair) -> str:
    """Return the index partition of a version that waits or failed: always the same one for the same pair."""
    return f"{status}#{crc32(object_of(pair).encode()) % SHARDS}"


def shards(status: Status) -> list[str]:
    """Return all index partitions of one status."""
    return [f"{status}#{number}" for number in range(SHARDS)]


def release_partition(destination: str, partition: str) -> str:
    """Return the index partition of what is parked for a destination, by the name of one of PARTITIONS."""
    return f"{destination}#{partition}"


def release_partition_of(destination: str, key: Json) -> str:
    """Return the index partition of the item with this primary key while it is parked."""
    name = f"{key['object']['S']} {key['target']['S']}"
    return release_partition(destination, partition_of(name))


def expires_at(finished_ms: int) -> int:
    """Return when DynamoDB may delete a finished item: epoch seconds, as its time to live requires."""
    return finished_ms // 1000 + KEEP_SECONDS


# Requests


@dataclass(frozen=True, slots=True)
class Update:
    """What an update sets, which attributes it removes (names joined by commas), and what it adds to which others."""

    values: Json = field(default_factory=dict)
    remove: str = ""
    count: Mapping[str, int] = field(default_factory=dict)

    def arguments(self, condition: Condition) -> dict[str, Any]:
        """Return the arguments of UpdateItem, without table and key. DynamoDB refuses empty maps."""
        named = self.values.keys() | {name for name in ("status", "state") if f"#{name}" in condition.expression}
        values = {f":{name}": value for name, value in self.values.items()}
        values |= condition.compared
        values |= {f":more_{name}": more for name, more in self.count.items()}
        arguments: dict[str, Any] = {
            "UpdateExpression": _update_expression(tuple(self.values), self.remove, tuple(self.count)),
            "ConditionExpression": condition.expression,
        }
        if named:
            arguments["ExpressionAttributeNames"] = {f"#{name}": name for name in sorted(named)}
        if values:
            arguments["ExpressionAttributeValues"] = {name: _serialize(value) for name, value in values.items()}
        return arguments


@cache
def _update_expression(names: tuple[str, ...], remove: str, count: tuple[str, ...]) -> str:
    """Write the update expression. Names that are set are placeholders: DynamoDB reserves many words."""
    parts = ["SET " + ", ".join(f"#{name} = :{name}" for name in names)] if names else []
    parts += [f"REMOVE {remove}"] if remove else []
    parts += ["ADD " + ", ".join(f"{name} :more_{name}" for name in count)] if count else []
    return " ".join(parts)


def plain(item: Json) -> dict[str, Any]:
    """Turn an item with DynamoDB's types into Python values."""
    return {name: _deserialize(value) for name, value in item.items()}


class JournalTable:
    """The journal table of one stack. Every method raises Temporary if DynamoDB refuses or fails."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Json) -> dict[str, Any] | None:
        """Read an item, consistently; None if there is none."""
        with asking("GetItem", Side.JOURNAL):
            answer = self._client.get_item(TableName=self._name, Key=key, ConsistentRead=True)
        item = answer.get("Item")
        return plain(item) if item else None

    def get_all(self, keys: Sequence[Json]) -> dict[tuple[str, str], dict[str, Any] | None]:
        """Read items, each consistently, by their `named` key; None for one that there is not.

        What DynamoDB leaves unprocessed is not in the answer.
        """
        found: dict[tuple[str, str], dict[str, Any] | None] = {}
        for start in range(0, len(keys), MOST_READ):
            asked = keys[start : start + MOST_READ]
            with asking("BatchGetItem", Side.JOURNAL):
                requested: Any = {self._name: {"Keys": asked, "ConsistentRead": True}}
                answer = self._client.batch_get_item(RequestItems=requested)
            left: Any = answer.get("UnprocessedKeys", {}).get(self._name, {})
            found |= dict.fromkeys(map(named, asked))
            found |= {named(item): plain(item) for item in answer.get("Responses", {}).get(self._name, ())}
            for key in left.get("Keys", ()):
                found.pop(named(key), None)
        return found

    def write(self, key: Json, update: Update, condition: Condition) -> bool:
        """Change an item; False if the condition does not hold."""
        return self._update(key, update, condition, "NONE") is not None

    def write_over(self, key: Json, update: Update, condition: Condition) -> dict[str, Any] | None:
        """Change an item and return it as it was, empty if it is new; None if the condition does not hold."""
        answer = self._update(key, update, condition, "ALL_OLD")
        return None if answer is None else plain(answer.get("Attributes", {}))

    def _update(self, key: Json, update: Update, condition: Condition, returned: Any) -> Json | None:
        with expecting("UpdateItem", Side.JOURNAL, CONDITION_FAILED):
            return self._client.update_item(
                TableName=self._name, Key=key, ReturnValues=returned, **update.arguments(condition)
            )
        return None

    def claim(self, key: Json, update: Update, condition: Condition) -> dict[str, Any] | None:
        """Change an item; None if the condition holds, else the item as it is."""
        with expecting("UpdateItem", Side.JOURNAL, CONDITION_FAILED) as asked:
            self._client.update_item(
                TableName=self._name,
                Key=key,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **update.arguments(condition),
            )
            return None
        return plain(asked.response.get("Item", {}))

    def waiting(self, partition: str) -> Iterator[Json]:
        """Read one partition of the index, oldest first: items with DynamoDB's types, page by page."""
        return self._query(
            IndexName=INDEX,
            KeyConditionExpression="waiting = :partition",
            ExpressionAttributeValues={":partition": _serialize(partition)},
        )

    def parked(self, partition: str, since: int, until: int) -> Iterator[Json]:
        """Read one partition of what is parked and due between these (epoch ms), first due first: as `waiting` does."""
        return self._query(
            IndexName=RELEASES,
            KeyConditionExpression="parked = :partition AND release_at BETWEEN :since AND :until",
            ExpressionAttributeValues={
                ":partition": _serialize(partition),
                ":since": _serialize(since),
                ":until": _serialize(until),
            },
        )

    def gates(self) -> Iterator[Json]:
        """Read all gates, consistently: items with DynamoDB's types, page by page."""
        return self._query(
            KeyConditionExpression="#object = :gates",
            ExpressionAttributeNames={"#object": "object"},
            ExpressionAttributeValues={":gates": _serialize(GATES)},
            ConsistentRead=True,
        )

    def uploads(self, pair: Pair) -> Iterator[Json]:
        """Read the items of a pair's uploads, consistently: with DynamoDB's types, page by page."""
        return self._beginning_with(pair, _uploads_of(pair))

    def of_version(self, pair: Pair, version_id: str) -> Iterator[Json]:
        """Read the items of one version and its later changes, and of versions whose ids begin with its id: alike.

        An empty id: the items of later changes that named no version.
        """
        return self._beginning_with(pair, f"{pair.destination}#{version_id or '@'}")

    def _beginning_with(self, pair: Pair, target: str) -> Iterator[Json]:
        return self._query(
            KeyConditionExpression="#object = :object AND begins_with(#target, :target)",
            ExpressionAttributeNames={"#object": "object", "#target": "target"},
            ExpressionAttributeValues={":object": _serialize(object_of(pair)), ":target": _serialize(target)},
            ConsistentRead=True,
        )

    def _query(self, **arguments: Any) -> Iterator[Json]:
        page: dict[str, Any] = {}
        while True:
            with asking("Query", Side.JOURNAL):
                answer = self._client.query(TableName=self._name, **arguments, **page)
            yield from answer.get("Items", ())
            if "LastEvaluatedKey" not in answer:
                return
            page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
