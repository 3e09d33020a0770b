"""What the journal table remembers of multipart uploads: one item per pair, change and copied version.

    object (partition)      target (sort)                              what it is
    east/photos/1.mov       west#upload#3sL4kq.../east/3sL4kq...       an upload under way, or one that has ended

An item under way carries `waiting` = UPLOAD, a partition of its own in the sparse index ByAge, where the monitor finds
it; one that has ended carries nothing but its expiry. Separate from the journal of pairs and versions: other items,
other conditions, and the functions of small objects never touch them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from replicator.aws.errors import Side, is_unmet_condition, translate
from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.outcome import Reason
from replicator.core.parts.parts import Cut
from replicator.core.parts.uploads import CopySource, Failure, Upload, UploadRef

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

UNDER_WAY = "UPLOAD"
KEEP_SECONDS = 45 * 24 * 3600
"""How long an item is kept: thrice the longest that a message can stay on a queue."""

Json = Mapping[str, Any]

NONE_UNDER_WAY = "attribute_not_exists(upload)"
IS_THIS_ONE = "upload = :upload"
FAILED_BY_NOBODY_ELSE = "upload = :upload AND (attribute_not_exists(failed_by) OR failed_by = :message)"

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class DynamoUploadJournal:
    """The uploads of one stack."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def find(self, pair: Pair, source: CopySource, change_id: str) -> Upload | None:
        """Read what is remembered, consistently; None if nothing is, or if that upload has ended."""
        item = self._get(_key(pair, source, change_id))
        return _upload(item) if item and "upload" in item else None

    def open(self, pair: Pair, upload: Upload) -> Upload:
        """Remember a new upload, unless another one is; return the one that counts."""
        values = _written(pair, upload)
        names = {f"#{name}": name for name in values}
        sets = ", ".join(f"#{name} = :{name}" for name in values)
        opened = self._update(
            _key(pair, upload.source, upload.change_id),
            f"SET {sets} REMOVE failed_by, reason, detail",
            NONE_UNDER_WAY,
            {f":{name}": value for name, value in values.items()},
            ExpressionAttributeNames=names,
        )
        if opened:
            return upload
        return self.find(pair, upload.source, upload.change_id) or self.open(pair, upload)

    def sent(self, pair: Pair, upload: UploadRef) -> None:
        """Remember that all its messages are on their way."""
        self._change(pair, upload, "SET sent = :yes", IS_THIS_ONE, {":yes": True})

    def fail(self, pair: Pair, upload: UploadRef, failure: Failure) -> bool:
        """Claim to tell of its failure; False if that is another message's to tell, or the upload has ended."""
        return self._change(
            pair,
            upload,
            "SET failed_by = :message, reason = :reason, detail = :detail",
            FAILED_BY_NOBODY_ELSE,
            {":message": failure.message, ":reason": failure.reason, ":detail": failure.detail},
        )

    def end(self, pair: Pair, upload: UploadRef) -> None:
        """Forget it; nothing happens if another one took its place."""
        self._change(pair, upload, "REMOVE upload, waiting", IS_THIS_ONE, {})

    def retire(self, pair: Pair, upload: UploadRef) -> None:
        """Keep only why it failed, so that nobody begins anew; nothing happens if another one took its place."""
        self._change(pair, upload, "REMOVE waiting", IS_THIS_ONE, {})

    def of(self, pair: Pair) -> Sequence[Upload]:
        """List what has not ended for one pair, what was retired included."""
        condition = "#object = :object AND begins_with(#target, :target)"
        values = {":object": _object(pair), ":target": f"{pair.destination}#upload#"}
        items = self._query(
            KeyConditionExpression=condition,
            ExpressionAttributeNames={"#object": "object", "#target": "target"},
            ExpressionAttributeValues={name: _serialize(value) for name, value in values.items()},
            ConsistentRead=True,
        )
        return [_upload(item) for item in items if "upload" in item]

    def under_way(self) -> Iterable[tuple[Pair, Upload]]:
        """List what has neither ended nor been retired, oldest first."""
        items = self._query(
            IndexName="ByAge",
            KeyConditionExpression="waiting = :waiting",
            ExpressionAttributeValues={":waiting": _serialize(UNDER_WAY)},
        )
        return [(_pair(item), _upload(item)) for item in items if "upload" in item]

    def _get(self, key: Json) -> dict[str, Any] | None:
        try:
            answer = self._client.get_item(
                TableName=self._table,
                Key={name: _serialize(value) for name, value in key.items()},
                ConsistentRead=True,
            )
        except (ClientError, BotoCoreError) as error:
            raise translate(error, "GetItem", Side.JOURNAL) from error
        return _plain(answer["Item"]) if "Item" in answer else None

    def _change(self, pair: Pair, upload: UploadRef, expression: str, condition: str, values: Json) -> bool:
        """Change the item of just this upload; False if it is another one's, or the condition does not hold."""
        key = _key(pair, upload.source, upload.change_id)
        return self._update(key, expression, condition, {**values, ":upload": upload.id})

    def _update(self, key: Json, expression: str, condition: str, values: Json, **names: Any) -> bool:
        try:
            self._client.update_item(
                TableName=self._table,
                Key={name: _serialize(value) for name, value in key.items()},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues={name: _serialize(value) for name, value in values.items()},
                **names,
            )
        except (ClientError, BotoCoreError) as error:
            if is_unmet_condition(error):
                return False
            raise translate(error, "UpdateItem", Side.JOURNAL) from error
        return True

    def _query(self, **arguments: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        page: dict[str, Any] = {}
        while True:
            try:
                answer = self._client.query(TableName=self._table, **arguments, **page)
            except (ClientError, BotoCoreError) as error:
                raise translate(error, "Query", Side.JOURNAL) from error
            items += [_plain(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return items
            page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _object(pair: Pair) -> str:
    return f"{pair.source}/{pair.key}"


def _key(pair: Pair, source: CopySource, change_id: str) -> dict[str, str]:
    target = f"{pair.destination}#upload#{change_id}/{source.bucket}/{source.version_id}"
    return {"object": _object(pair), "target": target}


def _written(pair: Pair, upload: Upload) -> dict[str, Any]:
    return {
        "upload": upload.id,
        "waiting": UNDER_WAY,
        "first_seen": upload.started,
        "expires_at": upload.started // 1000 + KEEP_SECONDS,
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
    key = item["object"].partition("/")[2]
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
    source, _, key = item["object"].partition("/")
    return Pair(source, item["destination"], key)


def _plain(item: Json) -> dict[str, Any]:
    return {name: _deserialize(value) for name, value in item.items()}
