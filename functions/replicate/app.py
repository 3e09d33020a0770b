"""ReplicateFunction: a batch of S3 events from the change queue -> flows.consume. Decides nothing."""

from collections.abc import Mapping
from typing import Any

from replicator.aws.clients import Clients
from replicator.aws.queue import DESTINATION, is_redriven
from replicator.flows.change.consume import Message, consume
from replicator.runtime import Settings, make_consumer

_consumer = make_consumer(Settings.read(), Clients())


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Work off one batch; the messages named in the answer come back, all others are done."""
    waiting = consume([_message(record) for record in event.get("Records", ())], _consumer())
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in waiting]}


def _message(record: Mapping[str, Any]) -> Message:
    attributes = record.get("messageAttributes", {})
    return Message(
        id=record["messageId"],
        receipt=record["receiptHandle"],
        body=record["body"],
        receives=int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
        redriven=is_redriven(attributes),
        only=attributes.get(DESTINATION, {}).get("stringValue", "") if is_redriven(attributes) else "",
    )
