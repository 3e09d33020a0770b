"""Putting a world's rules in place, as an operator does after deploying a stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from emulator import clients
from emulator.world.document import WorldStack

_EVENTS = ["s3:ObjectCreated:*", "s3:ObjectRemoved:DeleteMarkerCreated", "s3:ObjectRestore:Completed"]


def put_rules(stack: WorldStack, outputs: Mapping[str, str], bucket: str, document: Mapping[str, Any]) -> None:
    """Store a source bucket's rules in the control bucket, and send the bucket's events to the change queue.

    The notification has the same Id as one from `s3replicator rules put`, so that the command finds and detaches it;
    and as that command does, it records what each destination has, which is everything, of a bucket without versions.
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
    s3.put_object(
        Bucket=outputs["ControlBucket"],
        Key=f"coverage/{bucket}.json",
        Body=json.dumps(_coverage(s3, bucket, document), indent=2).encode(),
        ContentType="application/json",
    )


def _coverage(s3: Any, bucket: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
    listed = s3.list_object_versions(Bucket=bucket, MaxKeys=1)
    entry = {
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "had_versions": bool(listed.get("Versions") or listed.get("DeleteMarkers")),
        "verified": None,
    }
    return {"destinations": dict.fromkeys(_destinations(document), entry)}


def _destinations(document: Mapping[str, Any]) -> list[str]:
    """Return the destination buckets of the enabled rules, by name."""
    rules = document.get("ReplicationConfiguration", document).get("Rules", [])
    enabled = (rule for rule in rules if rule.get("Status") == "Enabled")
    return sorted({str(rule["Destination"]["Bucket"]).rpartition(":")[2] for rule in enabled})
