"""The stack's queues, for a verification: do they hold something, and messages that mend what differs.

Also whether the source bucket still sends its events to the stack: without, nothing new is replicated.
"""

import time
from collections.abc import Iterable
from typing import Any

from replicator.aws.batches import in_batches

from s3replicator.calls import calling
from s3replicator.stack import Stack

QUEUES = ("ChangeQueue", "PartQueue", "ReleaseQueue", "BackfillQueue")
"""Outputs of the queues that changes wait on; a stack of an older release lacks the last one."""
DEPTHS = tuple(f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed"))
KEEP_SECONDS = 2.0


class StackTraffic:
    """The port `Traffic` on SQS and S3. Every method raises CallFailed."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._sqs = stack.client("sqs")
        self._known = (0.0, False)

    def is_busy(self) -> bool:
        """Return whether a queue holds messages; asked at most every two seconds."""
        asked, busy = self._known
        if time.monotonic() > asked + KEEP_SECONDS:
            busy = any(self._depth(self._stack.outputs[name]) for name in QUEUES if name in self._stack.outputs)
            self._known = (time.monotonic(), busy)
        return busy

    def _depth(self, url: str) -> int:
        with calling("sqs:GetQueueAttributes"):
            answer: Any = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(DEPTHS))
            return sum(int(answer["Attributes"][name]) for name in DEPTHS)

    def send(self, bodies: Iterable[str]) -> int:
        """Send messages to the queue of what operators ask for, and return how many."""
        url = self._stack.outputs.get("BackfillQueue") or self._stack.facts.change_queue_url
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        for batch in in_batches(entries):
            with calling("sqs:SendMessage"):
                answer = self._sqs.send_message_batch(QueueUrl=url, Entries=batch)
            for refused in answer.get("Failed", ()):
                again = next(each for each in batch if each["Id"] == refused["Id"])
                with calling("sqs:SendMessage"):
                    self._sqs.send_message(QueueUrl=url, MessageBody=again["MessageBody"])
        self._known = (time.monotonic(), bool(entries))
        return len(entries)

    def hears_of(self, bucket: str) -> bool:
        """Return whether a source bucket sends events to the stack's queue, or to EventBridge if the stack uses it."""
        with calling("s3:GetBucketNotification"):
            found: Any = self._stack.client("s3").get_bucket_notification_configuration(Bucket=bucket)
        queues = {each["QueueArn"] for each in found.get("QueueConfigurations", ())}
        bridge = self._stack.facts.event_bridge and "EventBridgeConfiguration" in found
        return bridge or self._stack.facts.change_queue_arn in queues or "TopicConfigurations" in found
