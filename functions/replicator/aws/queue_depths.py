"""The stack's queues as the monitor sees them: how much lies on each, and a look at the dead letters.

Separate from the adapter that consumes: nothing here takes a message away.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from replicator.aws.errors import Side, translate
from replicator.aws.queue import REASON
from replicator.core.outcomes.threshold import Depth
from replicator.flows.watch.monitor import Depths

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

T = TypeVar("T")

AT_ONCE = 10
LOOKS = 3
"""Requests of ten letters each: enough to explain what SQS gave up, however many failures lie around it."""
HIDDEN_SECONDS = 20
"""For so long nobody else sees a letter that is looked at, should the function die before it puts it back."""


class QueueDepths:
    """The three queues of one stack, by their URLs."""

    def __init__(self, client: "SQSClient", changes: str, parts: str, dead: str) -> None:
        self._client = client
        self._changes = changes
        self._parts = parts
        self._dead = dead

    def depths(self) -> Depths:
        """Count what lies on each. Raises Temporary."""
        return Depths(self._depth(self._changes), self._depth(self._parts), self._depth(self._dead))

    def given_up(self) -> list[str]:
        """Look at a few dead letters, return those that SQS put there, and leave them all. Raises Temporary."""
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
        answer = _ask(
            "ReceiveMessage",
            lambda: self._client.receive_message(
                QueueUrl=self._dead,
                MaxNumberOfMessages=AT_ONCE,
                VisibilityTimeout=HIDDEN_SECONDS,
                MessageAttributeNames=[REASON],
            ),
        )
        return list(answer.get("Messages", []))

    def _put_back(self, messages: list[Any]) -> None:
        entries: Any = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
            for number, message in enumerate(messages)
        ]
        _ask(
            "ChangeMessageVisibility",
            lambda: self._client.change_message_visibility_batch(QueueUrl=self._dead, Entries=entries),
        )

    def _depth(self, url: str) -> Depth:
        names: Any = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        attributes = _ask(
            "GetQueueAttributes",
            lambda: self._client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"],
        )
        return Depth(*(int(attributes[name]) for name in names))


def _ask(operation: str, call: Callable[[], T]) -> T:
    try:
        return call()
    except (ClientError, BotoCoreError) as error:
        raise translate(error, operation, Side.QUEUE) from error
