"""Lambda's SQS event -> messages, and ids of messages that must come back -> the response that Lambda expects.

Separate from the queues' adapters: nothing here makes a request, and the functions of both queues share it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from replicator.aws.queue import DESTINATION, PARKED, PROBE, REASON, REDRIVEN, TRIED
from replicator.flows.change.consume import Message


def read_messages(event: Mapping[str, Any]) -> list[Message]:
    """Return the messages of one batch."""
    return [_message(record) for record in event.get("Records", ())]


def answer(waiting: Sequence[str]) -> dict[str, Any]:
    """Return the response (ReportBatchItemFailures) that keeps these messages; Lambda deletes all others."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in waiting]}


def _message(record: Mapping[str, Any]) -> Message:
    """Read one record. It was redriven if our command marked it, or if it has the attributes of a failure.

    SQS's own redrive keeps the attributes of a message that was parked, too: it is a failure since.
    """
    attributes = record.get("messageAttributes", {})
    redriven = REDRIVEN in attributes or REASON in attributes
    parked = int(attributes.get(PARKED, {}).get("stringValue", 0))
    return Message(
        id=record["messageId"],
        receipt=record["receiptHandle"],
        body=record["body"],
        receive_count=int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
        redriven=redriven,
        only=attributes.get(DESTINATION, {}).get("stringValue", "") if redriven or parked else "",
        parked=parked,
        tried=TRIED in attributes,
        probe=PROBE in attributes,
    )
