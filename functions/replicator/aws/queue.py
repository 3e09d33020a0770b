"""The ports `Queue` and `DeadLetters` on SQS: hide a message, send a failure to the dead-letter queue."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from replicator.aws.asking import asking
from replicator.aws.batches import MOST_ENTRIES
from replicator.aws.errors import Side
from replicator.core.outcomes.outcome import Trouble
from replicator.flows.change.record import FailedChange

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import ChangeMessageVisibilityBatchRequestEntryTypeDef

REDRIVEN = "Redriven"
"""Message attribute of a change that `s3replicator failures redrive` sent to the change queue again."""
PARKED = "Parked"
"""Message attribute of a change that was parked: how often."""
TRIED = "Tried"
"""Message attribute of a parked change that was processed before it was parked."""
PROBE = "Probe"
"""Message attribute of a parked change that tries a destination whose gate is shut."""
REASON, DETAIL, RULE, DESTINATION = "Reason", "Detail", "RuleId", "DestinationBucket"
ORIGIN, FIRST_SEEN, ATTEMPTS = "Origin", "FirstSeen", "Attempts"
"""Message attributes of a failure in the dead-letter queue. SQS's own redrive keeps them on the message."""
HIDING_SECONDS = 1.0
"""How long a request of one message waits for that of its batch, which was sent long before."""
LONGEST_MESSAGE = 1024 * 1024  # bytes, including names, types and values of attributes (SQS developer guide, "Quotas")


class SqsQueue:
    """The change queue or the part queue, with its dead-letter queue, by their URLs."""

    def __init__(self, client: "SQSClient", url: str, dead_letter_url: str) -> None:
        self._client = client
        self._url = url
        self._dead_letter_url = dead_letter_url
        self._hiding: threading.Thread | None = None

    def hide_all(self, receipts: Sequence[str], seconds: int) -> None:
        """Set the visibility timeout of messages, in a thread of its own: work on them need not wait for that.

        Raises nothing: on failure, the queue's own timeout applies. One request hides ten messages.
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
        """
        self._hiding = threading.Thread(target=self._hide_all, args=(receipts, seconds), daemon=True)
        self._hiding.start()

    def _hide_all(self, receipts: Sequence[str], seconds: int) -> None:
        entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for number, receipt in enumerate(receipts)
        ]
        for first in range(0, len(entries), MOST_ENTRIES):
            with suppress(Trouble), asking("ChangeMessageVisibilityBatch", Side.QUEUE):
                batch = entries[first : first + MOST_ENTRIES]
                self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=batch)

    def hide(self, receipt: str, seconds: int) -> None:
        """Set a message's visibility timeout. Raises nothing: on failure, the queue's own timeout applies."""
        if self._hiding:
            self._hiding.join(HIDING_SECONDS)  # or else it would undo this
        with suppress(Trouble), asking("ChangeMessageVisibility", Side.QUEUE):
            self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds)

    def dead_letter(self, letter: FailedChange) -> None:
        """Send a failure to the dead-letter queue, with attributes that explain it. Raises Temporary.

        Attributes count towards a message's size limit. A body that leaves no room for them cannot be an event, and is
        cut.
        """
        attributes = _attributes(letter)
        room = LONGEST_MESSAGE - sum(len(text.encode()) for text in _texts(attributes))
        body = letter.body if len(letter.body) * 4 <= room else letter.body.encode()[:room].decode(errors="ignore")
        with asking("SendMessage", Side.QUEUE):
            self._client.send_message(QueueUrl=self._dead_letter_url, MessageBody=body, MessageAttributes=attributes)


def _texts(attributes: Mapping[str, Mapping[str, str]]) -> list[str]:
    return [text for name, value in attributes.items() for text in (name, *value.values())]


def _attributes(letter: FailedChange) -> Any:
    outcome = letter.outcome
    texts = {
        REASON: str(outcome.reason or ""),
        DETAIL: outcome.detail,
        RULE: outcome.rule_id,
        DESTINATION: outcome.destination,
        ORIGIN: str(outcome.origin or ""),
        FIRST_SEEN: datetime.fromtimestamp(letter.first_seen / 1000, UTC).isoformat() if letter.first_seen else "",
    }
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in texts.items() if text}
    return {**attributes, ATTEMPTS: {"DataType": "Number", "StringValue": str(letter.attempts)}}
