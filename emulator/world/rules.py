"""Putting a world's rules in place, as an operator does after deploying a stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from emulator import clients
from emulator.world.document import World, WorldStack

EVENTS = [
    "s3:ObjectCreated:*",
    "s3:ObjectRemoved:*",
    "s3:ObjectRestore:Completed",
    "s3:ObjectTagging:*",
    "s3:ObjectAcl:Put",
    "s3:ObjectRetention:Put",
    "s3:ObjectAnnotation:*",
]
"""What the change queue receives, as from `s3replicator rules put`."""


def put_rules(
    stack: WorldStack, outputs: Mapping[str, str], bucket: str, document: Mapping[str, Any], owner: str
) -> None:
    """Store a source bucket's rules in the control bucket, and send the bucket's events to the change queue.

    The notification has the same Id as one from `s3replicator rules put`, so that the command finds and detaches it;
    and as that command does, it records what each destination has, which is everything, of a bucket without versions.
    `owner` is the account of the source bucket, which alone may say where its events go.
    """
    control, s3 = (clients.client("s3", stack.region, account) for account in (stack.account, owner))
    _store(control, outputs, f"rules/{bucket}.json", document)
    configuration = s3.get_bucket_notification_configuration(Bucket=bucket)
    configuration.pop("ResponseMetadata", None)
    queues = [
        each for each in configuration.get("QueueConfigurations", []) if each["QueueArn"] != outputs["ChangeQueueArn"]
    ]
    configuration["QueueConfigurations"] = [
        *queues,
        {"Id": f"s3replicator-{stack.name}", "QueueArn": outputs["ChangeQueueArn"], "Events": EVENTS},
    ]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    _store(control, outputs, f"coverage/{bucket}.json", _coverage(s3, bucket, document))


def put_owners(world: World, outputs: Mapping[str, Mapping[str, str]]) -> None:
    """Record in each control bucket where the changes of replicas go: the queues of the stacks that own the versions.

    `outputs`: those of each stack, by its name. A source bucket gets `peers/<bucket>.json` with the queue's ARN for
    each of its destinations that is the source of another stack.
    """
    found = {stack.name: outputs[stack.name].get("ChangeQueueArn") for stack in world.stacks}
    queues = {
        bucket: (stack.name, arn) for stack in world.stacks if (arn := found[stack.name]) for bucket in stack.rules
    }
    for stack in world.stacks:
        s3 = clients.client("s3", stack.region, stack.account)
        for bucket, document in stack.rules.items():
            owners = {each: queues[each] for each in _destinations(document) if each in queues}
            others = {each: arn for each, (owner, arn) in owners.items() if owner != stack.name}
            _store(s3, outputs[stack.name], f"peers/{bucket}.json", {"queues": others})


def _store(s3: Any, outputs: Mapping[str, str], key: str, document: Mapping[str, Any]) -> None:
    body = json.dumps(document, indent=2).encode()
    s3.put_object(Bucket=outputs["ControlBucket"], Key=key, Body=body, ContentType="application/json")


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
