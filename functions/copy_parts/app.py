"""CopyPartsFunction: messages of parts from the part queue -> flows.copy_parts. Decides nothing."""

import time
from collections.abc import Mapping
from typing import Any

from replicator.aws.clients import Clients
from replicator.aws.queue import REDRIVEN
from replicator.flows.change.consume import Message
from replicator.flows.copy_parts import TimeBudget, copy_parts
from replicator.runtime import Settings, make_consumer

_settings = Settings.read()
_consumer = make_consumer(_settings, Clients(), _settings.part_queue_url)
LEEWAY_SECONDS = 15


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Work off messages of parts; those named in the answer come back, all others are done."""
    left = context.get_remaining_time_in_millis() / 1000
    half_time = time.monotonic() + left / 2
    budget = TimeBudget(lambda: time.monotonic() < half_time, hidden=int(left) + LEEWAY_SECONDS)
    waiting = copy_parts([_message(record) for record in event.get("Records", ())], _consumer(), budget)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in waiting]}


def _message(record: Mapping[str, Any]) -> Message:
    return Message(
        id=record["messageId"],
        receipt=record["receiptHandle"],
        body=record["body"],
        receives=int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
        redriven=REDRIVEN in record.get("messageAttributes", {}),
    )
