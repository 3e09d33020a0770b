"""The part queue, to send to. Workers get its messages from Lambda, as those of any queue."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from replicator.aws.asking import asking
from replicator.aws.errors import Side
from replicator.core.outcomes.outcome import Reason, Temporary
from replicator.core.parts.uploads import PartsMessage
from replicator.flows.ports import SideBySide

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MOST_ENTRIES = 10  # in one SendMessageBatch
MOST_BYTES = 200_000  # well below what SQS takes at once


class SqsPartQueue:
    """One part queue, by its URL. `client` returns the client, made on first use: most functions never send parts."""

    def __init__(self, client: Callable[[], "SQSClient"], url: str, side_by_side: SideBySide) -> None:
        self._client = client
        self._url = url
        self._side_by_side = side_by_side

    def send(self, messages: Sequence[PartsMessage]) -> None:
        """Send them all. Raises Temporary if any may not have been taken."""
        bodies = [message.encode() for message in messages]
        self._side_by_side([partial(self._send_batch, batch) for batch in _batches(bodies)])

    def _send_batch(self, bodies: Sequence[str]) -> None:
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)
        ]
        with asking("SendMessageBatch", Side.QUEUE):
            answer = self._client().send_message_batch(QueueUrl=self._url, Entries=entries)
        if refused := answer.get("Failed"):
            raise Temporary(Reason.SERVICE, f"SendMessageBatch (queue): {refused[0]['Code']}")


def _batches(bodies: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        if batch and (len(batch) == MOST_ENTRIES or size + len(body) > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += len(body)
    if batch:
        yield batch
