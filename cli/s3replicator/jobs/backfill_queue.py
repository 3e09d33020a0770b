"""The backfill queue on SQS, for operators: send changes of existing versions, no more than the queue may hold.

Separate from the queues of the functions: only commands send here. Live changes have another queue.
"""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from replicator.aws.batches import in_batches
from replicator.aws.queue import DESTINATION, REDRIVEN

from s3replicator.calls import calling

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

MOST_MESSAGES = 10_000
"""What the queue may hold before senders wait: some minutes of work, and far below SQS's 120,000 in flight."""
POLL_SECONDS = 0.5
TRIES = 5
"""Requests for a message that SQS does not take: it names no reason that waiting does not cure."""
COUNTS: Any = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]


class Interrupted(Exception):
    """Somebody has stopped the command while it waited for room."""


class Unsent(Exception):
    """SQS did not take a message, however often it was sent."""


class BackfillQueue:
    """The backfill queue of one stack, and its part queue. sleep: waits seconds. Thread-safe."""

    def __init__(
        self, client: "SQSClient", url: str, parts_url: str, sleep: Callable[[float], None], most: int = MOST_MESSAGES
    ) -> None:
        self._client = client
        self._url = url
        self._parts_url = parts_url
        self._sleep = sleep
        self._most = most
        self._room = 0
        self._lock = threading.Lock()

    def send(self, bodies: Sequence[str], destination: str, is_stopped: Callable[[], bool]) -> None:
        """Send messages as soon as the queue has room. destination: the only one; empty for all of the rules.

        Raises CallFailed or Unsent, and Interrupted if there is no room and `is_stopped`: as long as there is, what was
        begun is ended, so that it can be noted.
        """
        attributes = _attributes(destination)
        entries: Any = [{"Id": str(number), "MessageBody": body, **attributes} for number, body in enumerate(bodies)]
        for batch in in_batches(entries):
            self._wait_for_room(len(batch), is_stopped)
            self._send(batch)

    def held(self) -> int:
        """Return how many messages the backfill queue and the part queue hold, about. Raises CallFailed."""
        return self._count(self._url) + self._count(self._parts_url)

    def _send(self, batch: Any) -> None:
        for attempt in range(TRIES):
            with calling("sqs:SendMessage"):
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=batch)
            refused = {each["Id"] for each in answer.get("Failed", ())}
            batch = [entry for entry in batch if entry["Id"] in refused]
            if not batch:
                return
            self._sleep(POLL_SECONDS * 2**attempt)
        raise Unsent(f"SQS did not take {len(batch)} messages: {answer['Failed'][0].get('Message', '')}")

    def _wait_for_room(self, wanted: int, is_stopped: Callable[[], bool]) -> None:
        """Take some of the room that the queue had when it was counted last; count again once that is used up."""
        while True:
            with self._lock:
                if self._room < wanted:
                    self._room = self._most - self._count(self._url)
                if self._room >= wanted:
                    self._room -= wanted
                    return
            if is_stopped():
                raise Interrupted
            self._sleep(POLL_SECONDS)

    def _count(self, url: str) -> int:
        with calling("sqs:GetQueueAttributes"):
            answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=COUNTS)
            attributes: Any = answer["Attributes"]
            return sum(int(attributes[name]) for name in COUNTS)


def _attributes(destination: str) -> dict[str, Any]:
    """Return the attributes of a message that is for one destination only: those of a redriven one."""
    if not destination:
        return {}
    texts = {REDRIVEN: "resync", DESTINATION: destination}
    return {"MessageAttributes": {name: {"DataType": "String", "StringValue": text} for name, text in texts.items()}}
