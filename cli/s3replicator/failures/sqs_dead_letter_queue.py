"""The port `DeadLetterQueue` on SQS: receive failed messages, put them back, send them to the change queue.

Separate from the queue adapters of the functions, which never take a message out of the dead-letter queue.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from replicator.aws.batches import in_batches
from replicator.aws.queue import ATTEMPTS, DESTINATION, DETAIL, FIRST_SEEN, ORIGIN, REASON, REDRIVEN, RULE
from replicator.core.outcomes.outcome import Reason
from replicator.core.outcomes.threshold import Depth

from s3replicator.calls import calling
from s3replicator.failed_calls import CallFailed, FailedCall
from s3replicator.failures.failed_messages import FailedMessage
from s3replicator.failures.queue_scan import AT_ONCE

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

TOO_LONG = frozenset({"AWS.SimpleQueueService.BatchRequestTooLong", "BatchRequestTooLong"})
"""SQS's code for a request whose messages are too large; here only for a message that alone is."""
LONGEST_VISIBILITY = 12 * 3600
"""Seconds; SQS's limit for a visibility timeout."""


class SqsDeadLetterQueue:
    """The dead-letter queue and the change queue of one stack, by their URLs."""

    def __init__(self, client: "SQSClient", dead_letter_url: str, change_url: str) -> None:
        self._client = client
        self._dead_letter_url = dead_letter_url
        self._change_url = change_url

    def now(self) -> int:
        """Return SQS's time in epoch milliseconds, the end of its second: the operator's clock may be wrong."""
        with calling("sqs:GetQueueAttributes"):
            answer = self._client.get_queue_attributes(QueueUrl=self._dead_letter_url, AttributeNames=["QueueArn"])
        date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
        moment = parsedate_to_datetime(date) if date else datetime.now(UTC)
        return int(moment.timestamp()) * 1000 + 999

    def depth(self) -> Depth:
        """Return the approximate number of messages."""
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        with calling("sqs:GetQueueAttributes"):
            answer = self._client.get_queue_attributes(QueueUrl=self._dead_letter_url, AttributeNames=names)
            return Depth(*(int(answer["Attributes"][name]) for name in names))

    def receive(self, hold_seconds: int) -> list[FailedMessage]:
        """Receive a few messages and hide them for so long. Waits a second for one."""
        with calling("sqs:ReceiveMessage"):
            answer = self._client.receive_message(
                QueueUrl=self._dead_letter_url,
                MaxNumberOfMessages=AT_ONCE,
                VisibilityTimeout=min(hold_seconds, LONGEST_VISIBILITY),
                WaitTimeSeconds=1,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp"],
            )
        return [_failed_message(message) for message in answer.get("Messages", [])]

    def put_back(self, messages: Sequence[FailedMessage]) -> None:
        """Make received messages visible to others again. It does no harm if some already are."""
        entries: Any = [
            {"Id": str(number), "ReceiptHandle": message.receipt, "VisibilityTimeout": 0}
            for number, message in enumerate(messages)
        ]
        with calling("sqs:ChangeMessageVisibility"):
            self._client.change_message_visibility_batch(QueueUrl=self._dead_letter_url, Entries=entries)

    def send_back(self, messages: Sequence[FailedMessage]) -> list[FailedMessage]:
        """Send messages to the change queue; return those that SQS accepted."""
        entries: Any = [
            {"Id": str(number), "MessageBody": message.body, "MessageAttributes": _redrive_attributes(message)}
            for number, message in enumerate(messages)
        ]
        accepted = {number for batch in in_batches(entries) for number in self._send(batch)}
        return [message for number, message in enumerate(messages) if str(number) in accepted]

    def _send(self, entries: Any) -> list[str]:
        """Send what one request takes; return the ids of what SQS accepted. None, if it cannot take the request."""
        try:
            with calling("sqs:SendMessage"):
                answer = self._client.send_message_batch(QueueUrl=self._change_url, Entries=entries)
        except CallFailed as failed:
            if failed.call.code not in TOO_LONG:
                raise
            return []
        return [entry["Id"] for entry in answer.get("Successful", [])]

    def remove(self, messages: Sequence[FailedMessage]) -> None:
        """Delete messages."""
        entries: Any = [
            {"Id": str(number), "ReceiptHandle": message.receipt} for number, message in enumerate(messages)
        ]
        with calling("sqs:DeleteMessage"):
            answer = self._client.delete_message_batch(QueueUrl=self._dead_letter_url, Entries=entries)
        for failed in answer.get("Failed", []):
            raise CallFailed(FailedCall("sqs:DeleteMessage", failed.get("Code", "Unknown"), failed.get("Message", "")))


def _redrive_attributes(message: FailedMessage) -> dict[str, Any]:
    """Return the message attributes that say when a change was redriven and, if known, for which destination alone."""
    texts = {REDRIVEN: datetime.now(UTC).isoformat(timespec="seconds"), DESTINATION: message.destination}
    return {name: {"DataType": "String", "StringValue": text} for name, text in texts.items() if text}


def _failed_message(message: Mapping[str, Any]) -> FailedMessage:
    attributes = message.get("MessageAttributes", {})

    def text(name: str) -> str:
        return str(attributes.get(name, {}).get("StringValue", ""))

    return FailedMessage(
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        sent=int(message.get("Attributes", {}).get("SentTimestamp", 0)),
        reason=text(REASON) or Reason.FUNCTION_DIED,
        detail=text(DETAIL) or ("" if text(REASON) else "SQS moved it there after too many receives"),
        rule_id=text(RULE),
        destination=text(DESTINATION),
        origin=text(ORIGIN),
        first_seen=text(FIRST_SEEN),
        attempts=int(text(ATTEMPTS) or 0),
    )
