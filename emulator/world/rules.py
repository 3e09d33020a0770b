"""Putting a world's rules in place, as an operator does after deploying a stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from emulator import clients
from emulator.world.document import WorldStack

_EVENTS = ["s3:ObjectCreated:*", "s3:ObjectRemoved:DeleteMarkerCreated", "s3:ObjectRestore:Completed"]


def put_rules(stack: WorldStack, outputs: Mapping[str, str], bucket: str, document: Mapping[str, Any]) -> None:
    """Store a source bucket's rules in the control bucket, and send the bucket's events to the change queue.

    The notification has the same Id as one from `s3replicator rules put`, so that the command finds and detaches it.
    """
    s3 = clients.client("s3", stack.region)
    s3.put_object(
        Bucket=outputs["ControlBucket"],
        Key=f"rules/{bucket}.json",
        Body=json.dumps(document).encode(),
        ContentType="application/json",
    )
    configuration = s3.get_bucket_notification_configuration(Bucket=bucket)
    configuration.pop("ResponseMetadata", None)
    queues = [
        each for each in configuration.get("QueueConfigurations", []) if each["QueueArn"] != outputs["ChangeQueueArn"]
    ]
    configuration["QueueConfigurations"] = [
        *queues,
        {"Id": f"s3replicator-{stack.name}", "QueueArn": outputs["ChangeQueueArn"], "Events": _EVENTS},
    ]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
