"""The port `Outbox` on SQS: parked messages go to their queues again, each after a delay of its own.

Separate from the queues of the handlers: only the function that releases what is parked sends changes.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from replicator.aws.asking import asking
from replicator.aws.batches import in_batches
from replicator.aws.errors import Side
from replicator.aws.queue import DESTINATION, PARKED, PROBE, TRIED
from replicator.core.outcomes.release import Order
from replicator.flows.release import ParkedEntry

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


class SqsOutbox:
    """The change queue, the part queue and the backfill queue of one stack, by their URLs."""

    def __init__(self, client: "SQSClient", changes: str, parts: str, backfill: str) -> None:
        self._client = client
        self._changes = changes
        self._parts = parts
        self._backfill = backfill

    def send(self, entries: Sequence[tuple[ParkedEntry, int]], *, probe: bool) -> list[ParkedEntry]:
        """Send entries, each after some seconds; return those that were taken. Raises Temporary."""
        taken: list[ParkedEntry] = []
        by_queue: dict[str, list[tuple[ParkedEntry, int]]] = {}
        for each in entries:
            by_queue.setdefault(self._queue_of(each[0]), []).append(each)
        for url, mine in by_queue.items():
            messages = [_message(str(place), *each, probe=probe) for place, each in enumerate(mine)]
            for batch in in_batches(messages):
                taken += [mine[int(place)][0] for place in self._send(url, batch)]
        return taken

    def _queue_of(self, entry: ParkedEntry) -> str:
        if entry.is_parts:
            return self._parts
        return self._backfill if entry.is_existing else self._changes

    def _send(self, url: str, batch: Sequence[Any]) -> list[str]:
        with asking("SendMessageBatch", Side.QUEUE):
            answer = self._client.send_message_batch(QueueUrl=url, Entries=batch)
        return [each["Id"] for each in answer.get("Successful", ())]


def _message(identifier: str, entry: ParkedEntry, delay: int, *, probe: bool) -> dict[str, Any]:
    flags = {PROBE: probe, TRIED: entry.tried}
    texts = {DESTINATION: entry.destination, **{name: "true" for name, is_set in flags.items() if is_set}}
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in texts.items() if text}
    attributes[PARKED] = {"DataType": "Number", "StringValue": str(entry.parkings)}
    return {"Id": identifier, "MessageBody": entry.body, "DelaySeconds": delay, "MessageAttributes": attributes}


class SqsOrders:
    """The queue of orders, for the monitor. `client` returns the client, made on first use: most runs send none."""

    def __init__(self, client: Callable[[], "SQSClient"], url: str) -> None:
        self._client = client
        self._url = url

    def send(self, orders: Sequence[Order]) -> None:
        """Send orders. Raises Temporary. One that SQS refuses is not sent again: the next minute has its own."""
        messages: Any = [{"Id": str(place), "MessageBody": order.encode()} for place, order in enumerate(orders)]
        for batch in in_batches(messages):
            with asking("SendMessageBatch", Side.QUEUE):
                self._client().send_message_batch(QueueUrl=self._url, Entries=batch)
