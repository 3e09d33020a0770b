"""Sending an event to its destination: a queue, or the rules of the default event bus.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from typing import Any

from moto.events.models import events_backends
from moto.s3.models import FakeBucket
from moto.sqs.models import sqs_backends

from emulator.calls.answers import request_id
from emulator.services import sqs
from emulator.services.queue_policies import S3, may_send
from emulator.state import active


def timestamp(time: datetime) -> str:
    """Return a time in the format of events, with milliseconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


def send_test_event(bucket: FakeBucket, queue_arn: str) -> None:
    """Send the test message that S3 sends to each queue of a new notification configuration."""
    body = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": timestamp(datetime.now(UTC)),
        "Bucket": bucket.name,
        "RequestId": request_id(),
        "HostId": "emulator",
    }
    active().delivery.send(partial(send_message, bucket, queue_arn, json.dumps(body)))


def send_message(bucket: FakeBucket, queue_arn: str, body: str) -> None:
    """Send a message to a queue now. It is lost if the queue no longer exists, or no longer lets S3 send to it."""
    queue = sqs.queue_of(queue_arn)
    if queue is not None and may_send(S3, queue, bucket.arn, bucket.account_id):
        sqs_backends[queue.account_id][queue.region].send_message(queue_name=queue.name, message_body=body)


def send_to_rules(bucket: FakeBucket, event: dict[str, Any]) -> None:
    """Send an event to the rules of the default event bus in the bucket's Region now."""
    backend = events_backends[bucket.account_id][bucket.region_name]
    for rule in list(backend.event_buses["default"].rules.values()):
        if rule.state == "ENABLED":
            rule.send_to_targets(event, transform_input=False)  # type: ignore[arg-type]
