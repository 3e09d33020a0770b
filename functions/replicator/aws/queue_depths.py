"""The port `Queues` on SQS, for the monitor: how many messages each queue holds, and what SQS gave up.

Separate from queue.py, which handlers use: nothing here removes a message.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from replicator.aws.asking import asking, required
from replicator.aws.errors import Side
from replicator.aws.queue import REASON
from replicator.core.outcomes.outcome import Temporary
from replicator.core.outcomes.threshold import Depth
from replicator.flows.watch.monitor import Depths

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

KEEP_SECONDS = 2.0
AT_ONCE = 10
"""The most messages that one request can receive."""
LOOKS = 3
"""Requests for dead letters in one run: over several runs, enough to find what SQS gave up among other failures."""
HIDDEN_SECONDS = 20
"""How long a dead letter stays hidden if the function crashes before it makes it visible again."""


def queue_account(url: str) -> str:
    """Return the account that owns a queue, by its URL: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME."""
    return url.rpartition("/")[0].rpartition("/")[2]


class QueueDepths:
    """The four queues of one stack whose messages wait for something, by their URLs."""

    def __init__(self, client: "SQSClient", changes: str, parts: str, dead: str, backfill: str) -> None:
        self._client = client
        self._changes = changes
        self._parts = parts
        self._dead = dead
        self._backfill = backfill

    def depths(self) -> Depths:
        """Return how many messages each holds. Raises Temporary."""
        return Depths(*map(self._depth, (self._changes, self._parts, self._dead, self._backfill)))

    def given_up(self) -> list[str]:
        """Return the bodies of a few messages that SQS moved to the dead-letter queue; they stay. Raises Temporary."""
        seen: list[Any] = []
        try:
            for _ in range(LOOKS):
                messages = self._receive()
                seen += messages
                if len(messages) < AT_ONCE:
                    break
        finally:
            for start in range(0, len(seen), AT_ONCE):
                self._put_back(seen[start : start + AT_ONCE])
        return [message["Body"] for message in seen if REASON not in message.get("MessageAttributes", {})]

    def _receive(self) -> list[Any]:
        with asking("ReceiveMessage", Side.QUEUE):
            answer = self._client.receive_message(
                QueueUrl=self._dead,
                MaxNumberOfMessages=AT_ONCE,
                VisibilityTimeout=HIDDEN_SECONDS,
                MessageAttributeNames=[REASON],
            )
        return list(answer.get("Messages", []))

    def _put_back(self, messages: list[Any]) -> None:
        entries: Any = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
            for number, message in enumerate(messages)
        ]
        with asking("ChangeMessageVisibilityBatch", Side.QUEUE):
            self._client.change_message_visibility_batch(QueueUrl=self._dead, Entries=entries)

    def _depth(self, url: str) -> Depth:
        names: Any = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        with asking("GetQueueAttributes", Side.QUEUE):
            answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=names)
            attributes: Any = answer.get("Attributes", {})
            return Depth(*(int(required(attributes, name)) for name in names))


class Traffic:
    """Whether the queues hold changes, asked at most every two seconds. Who cannot know that assumes that they do."""

    def __init__(self, queues: QueueDepths, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a clock in seconds."""
        self._queues = queues
        self._clock = clock
        self._known = (float("-inf"), False)

    def is_busy(self) -> bool:
        """Return whether something may be on its way."""
        asked, busy = self._known
        if self._clock() >= asked + KEEP_SECONDS:
            try:
                depths = self._queues.depths()
                busy = bool(depths.changes.all or depths.parts.all or depths.backfill.all)
            except Temporary:
                busy = True
            self._known = (self._clock(), busy)
        return busy
