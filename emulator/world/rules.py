"""Putting a world's rules in place, as an operator does once a stack is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from emulator import clients
from emulator.world.document import WorldStack

_EVENTS = ["s3:ObjectCreated:*", "s3:ObjectRemoved:DeleteMarkerCreated", "s3:ObjectRestore:Completed"]


def put_rules(stack: WorldStack, outputs: Mapping[str, str], bucket: str, document: Mapping[str, Any]) -> None:
    """Store the rules of a source bucket in the control bucket and attach the bucket's events to the change queue.

    The notification has the Id that the operator's command gives it, so that the command finds and detaches it.
    """
    s3 = clients.client("s3", stack.region)
    s3.put_object(
        Bucket=outputs["ControlBucket"],
        Key=f"rules/{bucket}.json",
        Body=json.dumps(document).encode(),
        ContentType="application/json",
    )
    there = s3.get_bucket_notification_configuration(Bucket=bucket)
    there.pop("ResponseMetadata", None)
    queues = [each for each in there.get("QueueConfigurations", []) if each["QueueArn"] != outputs["ChangeQueueArn"]]
    there["QueueConfigurations"] = [
        *queues,
        {"Id": f"s3replicator-{stack.name}", "QueueArn": outputs["ChangeQueueArn"], "Events": _EVENTS},
    ]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=there)
