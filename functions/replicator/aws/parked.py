"""The port `Parking` on DynamoDB: the journal's sparse index of what is parked, by when it is due.

Separate from the journal, which parks: only the monitor and the function that releases read this index.
"""

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from replicator.aws.conditions import Json, parked_last_at
from replicator.aws.journal_index import pending_of
from replicator.aws.table import UNPARKED, JournalTable, Update, bucket_and_key, expires_at, release_partition, shard_of
from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.backoff import OVERDUE_MS
from replicator.core.outcomes.outcome import Status
from replicator.flows.release import ParkedEntry

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class DynamoParking:
    """What is parked in one journal. `threshold_ms`: the stack's own, for items that have none."""

    def __init__(self, client: "DynamoDBClient", table: str, threshold_ms: int) -> None:
        self._table = JournalTable(client, table)
        self._threshold_ms = threshold_ms

    def entries(self, destination: str, partition: str, since: int, until: int) -> Iterator[ParkedEntry]:
        """Yield the entries of a partition that are due between these (epoch ms), in that order. Raises Temporary."""
        for item in self._table.parked(release_partition(destination, partition), since, until):
            yield self._entry(item, destination)

    def note_released(self, entry: ParkedEntry, now: int) -> None:
        """Record that an entry is on its queue again, unless it was parked once more since it was read."""
        place, target = entry.item
        bucket, key = bucket_and_key(place)
        values: dict[str, Any] = {"expires_at": expires_at(now)}
        if entry.pending:
            pair = Pair(bucket, entry.destination, key)
            values = {"waiting": shard_of(Status.PENDING, pair), "due": now + OVERDUE_MS}
        item = {"object": {"S": place}, "target": {"S": target}}
        self._table.write(item, Update(values, remove=UNPARKED), parked_last_at(entry.parkings))

    def _entry(self, item: Json, destination: str) -> ParkedEntry:
        return ParkedEntry(
            item=(item["object"]["S"], item["target"]["S"]),
            destination=destination,
            release_at=int(item["release_at"]["N"]),
            parkings=int(item["parkings"]["N"]),
            body=zlib.decompress(bytes(item["parked_body"]["B"])).decode(),
            tried="tried" in item,
            pending=pending_of(item, self._threshold_ms) if "first_seen" in item else None,
        )
