"""Lambda's SQS event -> messages, and ids of messages that must come back -> the response that Lambda expects.

Separate from the queues' adapters: nothing here makes a request, and the functions of both queues share it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from replicator.aws.queue import DESTINATION, PARKED, PROBE, REASON, REDRIVEN, TRIED
from replicator.core.outcomes.chain import needs_new_chain
from replicator.flows.change.consume import Message

TRACE = "AWSTraceHeader"
"""SQS's own attribute: the trace of the request that sent the message (SQS API reference, "ReceiveMessage")."""


def read_messages(event: Mapping[str, Any], trace: str = "") -> list[Message]:
    """Return the messages of one batch. trace: the trace header of the invocation, empty if it has none."""
    records = event.get("Records", ())
    traces = [_attribute(record, TRACE) for record in records]
    return [
        _message(record, new_chain=needs_new_chain(trace, own, traces))
        for record, own in zip(records, traces, strict=True)
    ]


def queue_name(event: Mapping[str, Any]) -> str:
    """Return the name of the queue that a batch came from, empty if it does not say. A batch has one source.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    arns = [str(record.get("eventSourceARN", "")) for record in event.get("Records", ())]
    return arns[0].rpartition(":")[2] if arns else ""


def answer(waiting: Sequence[str]) -> dict[str, Any]:
    """Return the response (ReportBatchItemFailures) that keeps these messages; Lambda deletes all others."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in waiting]}


def _attribute(record: Mapping[str, Any], name: str) -> str:
    return str(record.get("attributes", {}).get(name, ""))


def _message(record: Mapping[str, Any], *, new_chain: bool) -> Message:
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
        receive_count=int(_attribute(record, "ApproximateReceiveCount") or 1),
        redriven=redriven,
        only=attributes.get(DESTINATION, {}).get("stringValue", "") if redriven or parked else "",
        parked=parked,
        tried=TRIED in attributes,
        probe=PROBE in attributes,
        needs_new_chain=new_chain,
    )
