"""The dead-letter queue as an operator's command works with it: taking letters, putting them back, sending them on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from replicator.aws.queue import ATTEMPTS, DESTINATION, DETAIL, FIRST_SEEN, ORIGIN, REASON, REDRIVEN, RULE
from replicator.core.outcomes.outcome import Reason
from replicator.core.outcomes.threshold import Depth

from s3replicator.calls import calling
from s3replicator.failures.failed_messages import FailedMessage
from s3replicator.findings import CallFailed, Obstacle

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

AT_ONCE = 10
LONGEST_VISIBILITY = 12 * 3600


class SqsDeadLetterQueue:
    """The dead-letter queue and the change queue of one stack, by their URLs."""

    def __init__(self, client: "SQSClient", dead: str, changes: str) -> None:
        self._client = client
        self._dead = dead
        self._changes = changes

    def now(self) -> int:
        """Return SQS's own time in epoch milliseconds, rounded up to the second: the operator's clock may be wrong."""
        with calling("sqs:GetQueueAttributes"):
            answer = self._client.get_queue_attributes(QueueUrl=self._dead, AttributeNames=["QueueArn"])
        date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
        moment = parsedate_to_datetime(date) if date else datetime.now(UTC)
        return int(moment.timestamp()) * 1000 + 999

    def depth(self) -> Depth:
        """Count the letters."""
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        with calling("sqs:GetQueueAttributes"):
            attributes = self._client.get_queue_attributes(QueueUrl=self._dead, AttributeNames=names)["Attributes"]
        return Depth(*(int(attributes[name]) for name in names))

    def receive(self, hold_seconds: int) -> list[FailedMessage]:
        """Take a few letters into the hand, for so long; waits a second for one."""
        with calling("sqs:ReceiveMessage"):
            answer = self._client.receive_message(
                QueueUrl=self._dead,
                MaxNumberOfMessages=AT_ONCE,
                VisibilityTimeout=min(hold_seconds, LONGEST_VISIBILITY),
                WaitTimeSeconds=1,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp"],
            )
        return [_letter(message) for message in answer.get("Messages", [])]

    def put_back(self, letters: Sequence[FailedMessage]) -> None:
        """Let others see letters again that were only looked at. One that is back already is fine."""
        entries: Any = [
            {"Id": str(number), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
            for number, letter in enumerate(letters)
        ]
        with calling("sqs:ChangeMessageVisibility"):
            self._client.change_message_visibility_batch(QueueUrl=self._dead, Entries=entries)

    def send_back(self, letters: Sequence[FailedMessage]) -> list[FailedMessage]:
        """Put letters on the change queue again; give those that SQS took."""
        entries: Any = [
            {"Id": str(number), "MessageBody": letter.body, "MessageAttributes": _marks(letter)}
            for number, letter in enumerate(letters)
        ]
        with calling("sqs:SendMessage"):
            answer = self._client.send_message_batch(QueueUrl=self._changes, Entries=entries)
        taken = {entry["Id"] for entry in answer.get("Successful", [])}
        return [letter for number, letter in enumerate(letters) if str(number) in taken]

    def remove(self, letters: Sequence[FailedMessage]) -> None:
        """Delete letters."""
        entries: Any = [{"Id": str(number), "ReceiptHandle": letter.receipt} for number, letter in enumerate(letters)]
        with calling("sqs:DeleteMessage"):
            answer = self._client.delete_message_batch(QueueUrl=self._dead, Entries=entries)
        for failed in answer.get("Failed", []):
            raise CallFailed(Obstacle("sqs:DeleteMessage", failed.get("Code", "Unknown"), failed.get("Message", "")))


def _marks(letter: FailedMessage) -> dict[str, Any]:
    """Say that a change was redriven, and for which destination alone, if that is known."""
    texts = {REDRIVEN: datetime.now(UTC).isoformat(timespec="seconds"), DESTINATION: letter.destination}
    return {name: {"DataType": "String", "StringValue": text} for name, text in texts.items() if text}


def _letter(message: Mapping[str, Any]) -> FailedMessage:
    attributes = message.get("MessageAttributes", {})

    def text(name: str) -> str:
        return str(attributes.get(name, {}).get("StringValue", ""))

    return FailedMessage(
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        sent=int(message.get("Attributes", {}).get("SentTimestamp", 0)),
        reason=text(REASON) or Reason.FUNCTION_DIED,
        detail=text(DETAIL) or ("" if text(REASON) else "SQS gave it up after too many receives"),
        rule_id=text(RULE),
        destination=text(DESTINATION),
        origin=text(ORIGIN),
        first_seen=text(FIRST_SEEN),
        attempts=int(text(ATTEMPTS) or 0),
    )
