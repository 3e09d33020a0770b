"""The port `UploadJournal` on DynamoDB: one item per pair, change and copied version.

While an upload is in progress, the monitor finds its item in the index; once it has ended, the item only expires.
Separate from journal.py: the items and conditions are others, and most objects have none.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from replicator.aws.conditions import IS_NO_MEMORY, NO_UPLOAD, Condition, Json, is_upload, nobody_else_reports_upload
from replicator.aws.journal import parked_values
from replicator.aws.table import (
    UPLOADS,
    JournalTable,
    Update,
    bucket_and_key,
    expires_at,
    parts_key,
    plain,
    release_partition_of,
    upload_key,
)
from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.outcome import Reason
from replicator.core.outcomes.parking import Parked
from replicator.core.parts.parts import Cut
from replicator.core.parts.uploads import CopySource, Failure, Upload, UploadRef

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class DynamoUploadJournal:
    """The uploads of one stack."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = JournalTable(client, table)

    def find(self, pair: Pair, source: CopySource, change_id: str) -> Upload | None:
        """Read one upload, consistently; None if there is none or it has ended."""
        item = self._table.get(upload_key(pair, source, change_id))
        return _upload(item) if item and "upload" in item else None

    def open(self, pair: Pair, upload: Upload) -> Upload:
        """Record a new upload unless another one is recorded; return the one that is."""
        update = Update(_written(pair, upload), remove="failed_by, reason, detail")
        if self._table.write(upload_key(pair, upload.source, upload.change_id), update, NO_UPLOAD):
            return upload
        return self.find(pair, upload.source, upload.change_id) or self.open(pair, upload)

    def sent(self, pair: Pair, upload: UploadRef) -> None:
        """Record that all part messages of an upload were sent."""
        self._write(pair, upload, Update({"sent": True}), is_upload(upload.id))

    def fail(self, pair: Pair, upload: UploadRef, failure: Failure) -> bool:
        """Claim to report the failure of an upload. False if another message did, or if the upload has ended."""
        values = {"failed_by": failure.message, "reason": failure.reason, "detail": failure.detail}
        condition = nobody_else_reports_upload(upload.id, failure.message)
        return self._write(pair, upload, Update(values), condition)

    def end(self, pair: Pair, upload: UploadRef) -> None:
        """Remove an upload. Nothing happens if another one is recorded in its place."""
        self._write(pair, upload, Update(remove="upload, waiting"), is_upload(upload.id))

    def retire(self, pair: Pair, upload: UploadRef) -> None:
        """Keep only why it failed, so that no other is started. Nothing happens if another one is in its place."""
        self._write(pair, upload, Update(remove="waiting"), is_upload(upload.id))

    def park(self, pair: Pair, upload_id: str, number: int, parked: Parked) -> None:
        """Park a message of parts. Its item has no place in the index by age: the change's own item has."""
        key = parts_key(pair, upload_id, number)
        values = parked_values(parked, release_partition_of(pair.destination, key))
        self._table.write(key, Update(values, remove="expires_at", count={"parkings": 1}), IS_NO_MEMORY)

    def _write(self, pair: Pair, upload: UploadRef, update: Update, condition: Condition) -> bool:
        return self._table.write(upload_key(pair, upload.source, upload.change_id), update, condition)

    def of(self, pair: Pair) -> Sequence[Upload]:
        """List the uploads of one pair that have not ended, retired ones included."""
        return [_upload(item) for item in map(plain, self._table.uploads(pair)) if "upload" in item]

    def under_way(self) -> Iterable[tuple[Pair, Upload]]:
        """List all uploads that have neither ended nor been retired, oldest first."""
        found = map(plain, self._table.waiting(UPLOADS))
        return [(_pair(item), _upload(item)) for item in found if "upload" in item]


def _written(pair: Pair, upload: Upload) -> dict[str, Any]:
    return {
        "upload": upload.id,
        "waiting": UPLOADS,
        "first_seen": upload.started,
        "expires_at": expires_at(upload.started),
        "destination": pair.destination,
        "source_bucket": upload.source.bucket,
        "version_id": upload.source.version_id,
        "etag": upload.source.etag,
        "account": upload.account,
        "cut": str(upload.cut),
        "per_message": upload.per_message,
        "change_id": upload.change_id,
        "rule": upload.rule_id,
        "begun": upload.begun,
        "onto": upload.onto,
        "sent": upload.sent,
    }


def _upload(item: Json) -> Upload:
    _, key = bucket_and_key(item["object"])
    failed = "failed_by" in item
    return Upload(
        id=item["upload"],
        source=CopySource(item["source_bucket"], key, item["version_id"], item["etag"]),
        account=item["account"],
        cut=Cut.parse(item["cut"]),
        per_message=int(item["per_message"]),
        change_id=item["change_id"],
        rule_id=item["rule"],
        started=int(item["first_seen"]),
        begun=int(item["begun"]),
        onto=item["onto"],
        sent=item["sent"],
        failure=Failure(Reason(item["reason"]), item["detail"], item["failed_by"]) if failed else None,
    )


def _pair(item: Json) -> Pair:
    source, key = bucket_and_key(item["object"])
    return Pair(source, item["destination"], key)
