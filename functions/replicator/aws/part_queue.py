"""The port `PartQueue` on SQS, for sending only: Lambda delivers the messages to the workers."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from replicator.aws.asking import asking
from replicator.aws.batches import in_batches
from replicator.aws.errors import Side
from replicator.core.outcomes.outcome import Reason, Temporary
from replicator.core.parts.uploads import PartsMessage
from replicator.flows.ports import SideBySide

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef


class SqsPartQueue:
    """One part queue, by its URL. `client` returns the client, made on first use: most functions never send parts."""

    def __init__(self, client: Callable[[], "SQSClient"], url: str, side_by_side: SideBySide) -> None:
        self._client = client
        self._url = url
        self._side_by_side = side_by_side

    def send(self, messages: Sequence[PartsMessage]) -> None:
        """Send them all. Raises Temporary if any may not have been taken."""
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "MessageBody": message.encode()} for number, message in enumerate(messages)
        ]
        self._side_by_side([partial(self._send_batch, batch) for batch in in_batches(entries)])

    def _send_batch(self, entries: "Sequence[SendMessageBatchRequestEntryTypeDef]") -> None:
        with asking("SendMessageBatch", Side.QUEUE):
            answer = self._client().send_message_batch(QueueUrl=self._url, Entries=entries)
        if refused := answer.get("Failed"):
            raise Temporary(Reason.SERVICE, f"SendMessageBatch (queue): {refused[0]['Code']}")
