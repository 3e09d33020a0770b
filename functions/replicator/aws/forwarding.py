"""The port `Forwarding` on SQS: the change queues of the stacks that own the versions of replicas.

Separate from queue.py because these queues may be in other Regions, and belong to other stacks.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from replicator.aws.asking import asking
from replicator.aws.errors import Side
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.versions.change import Change
from replicator.core.versions.events import write

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


class SqsForwarding:
    """Sends changes to change queues. client: returns the client of a Region. find: see `queue_of`."""

    def __init__(
        self, client: Callable[[str], "SQSClient"], own_queue: str, find: Callable[[str, str], str | None]
    ) -> None:
        self._client = client
        self._own_queue = own_queue
        self._find = find

    def queue_of(self, bucket: str, owner: str) -> str | None:
        """Return the ARN of the queue of the stack that serves the bucket `owner`, as recorded for `bucket`."""
        return self._find(bucket, owner)

    def send(self, queue: str, change: Change) -> None:
        """Send a change to a queue by its ARN, to this stack's own if it is empty.

        Raises Temporary; Permanent if it is denied, which repeating does not cure.
        """
        client, url = self._address(queue)
        try:
            with asking("SendMessage", Side.QUEUE):
                client.send_message(QueueUrl=url, MessageBody=write(change))
        except Temporary as trouble:
            if trouble.reason is Reason.JOURNAL_DENIED:
                raise Permanent(Reason.OWNER_DENIED, trouble.detail, Side.QUEUE) from trouble
            raise

    def _address(self, queue: str) -> "tuple[SQSClient, str]":
        if not queue:
            return self._client(""), self._own_queue
        *_, region, account, name = queue.split(":")
        client = self._client(region)
        return client, f"{client.meta.endpoint_url}/{account}/{name}"
