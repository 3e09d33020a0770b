"""The objects of the demo, and what became of each: read from journal, log and dead-letter queue."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.running import Running
from s3replicator.demo.world import EAST, PRIVATE, REPLICATOR_EAST, SHOP_EAST, SHOP_WEST

SHOWN = "photos/cat.jpg"
DENIED = f"{PRIVATE}passport.jpg"


@dataclass(frozen=True, slots=True)
class DemoObject:
    """An object of the demo: its key, what it shows, and how it is written. `times`: how often."""

    key: str
    what: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b"Meow."
    times: int = 1


OBJECTS = (
    DemoObject(
        SHOWN,
        "metadata, headers, tags and an ACL",
        {
            "Metadata": {"photographer": "Ada", "camera": "brass, hand-made"},
            "ContentType": "image/jpeg",
            "CacheControl": "max-age=86400",
            "ContentDisposition": 'inline; filename="cat.jpg"',
            "Expires": dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
            "Tagging": "album=pets&year=2026",
            "ACL": "public-read",
            "ChecksumAlgorithm": "SHA256",
        },
    ),
    DemoObject("photos/猫 + ü/100% 😀.jpg", "a key in any script"),
    DemoObject("photos/empty", "an empty object", body=b""),
    DemoObject("photos/again.txt", "overwritten twice", body=b"take ", times=3),
    DemoObject("reports/2026.csv", "tagged class=public: another storage class", {"Tagging": "class=public"}),
    DemoObject("reports/draft.csv", "without the tag that its rule needs"),
    DemoObject("tmp/scratch.bin", "no rule for its prefix"),
    DemoObject(DENIED, "denied by the destination's bucket policy"),
)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one object. `latency_ms`: from S3's event to the replica of its last version."""

    demo_object: DemoObject
    status: str
    reason: str = ""
    latency_ms: int | None = None
    replicas: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A message of the dead-letter queue: its attributes, and the event in its body."""

    attributes: Mapping[str, str]
    record: Mapping[str, Any]


def write(emulator: Running, demo_object: DemoObject) -> None:
    """Write one object, as a user does."""
    s3 = emulator.client("s3", EAST)
    for number in range(demo_object.times):
        body = demo_object.body if demo_object.times == 1 else demo_object.body + str(number + 1).encode()
        s3.put_object(Bucket=SHOP_EAST, Key=demo_object.key, Body=body, **demo_object.fields)


def results(emulator: Running) -> list[Result]:
    """Return what became of each object, once replication is idle."""
    lines = _log_lines(emulator)
    failed = {failure.record["s3"]["object"]["key"]: failure for failure in failures(emulator)}
    return [_result(emulator, each, lines.get(each.key, {}), failed) for each in OBJECTS]


def _result(
    emulator: Running, demo_object: DemoObject, line: Mapping[str, Any], failed: Mapping[str, Failure]
) -> Result:
    replicas = _replicas(emulator, demo_object.key)
    if replicas:
        return Result(demo_object, "COMPLETED", latency_ms=_latency(emulator, demo_object.key), replicas=replicas)
    if failure := failed.get(demo_object.key):
        return Result(demo_object, "FAILED", failure.attributes["Reason"])
    status, _, reason = str(line.get("message", "PENDING")).partition(" ")
    return Result(demo_object, status, reason)


def _replicas(emulator: Running, key: str) -> int:
    answer = emulator.client("s3", "us-west-2").list_object_versions(Bucket=SHOP_WEST, Prefix=key)
    return sum(entry["Key"] == key for entry in answer.get("Versions", []))


def _latency(emulator: Running, key: str) -> int | None:
    """Read the latency from the journal's entry."""
    named = {"object": {"S": f"{SHOP_EAST}/{key}"}, "target": {"S": SHOP_WEST}}
    table = emulator.outputs(REPLICATOR_EAST)["JournalTable"]
    item = emulator.client("dynamodb", EAST).get_item(TableName=table, Key=named).get("Item")
    return int(item["completed"]["N"]) - int(item["first_seen"]["N"]) if item else None


def _log_lines(emulator: Running) -> dict[str, Mapping[str, Any]]:
    """Return the last log line about each key. The function logs every outcome that is not COMPLETED."""
    lines: dict[str, Mapping[str, Any]] = {}
    for text in emulator.logs(REPLICATOR_EAST, "ReplicateFunction"):
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and "key" in line:
            lines[line["key"]] = line
    return lines


def failures(emulator: Running) -> list[Failure]:
    """Read the messages in the dead-letter queue, and leave them there."""
    sqs, url = emulator.client("sqs", EAST), emulator.outputs(REPLICATOR_EAST)["DeadLetterQueue"]
    answer = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
    )
    return [
        Failure(
            {name: value["StringValue"] for name, value in message["MessageAttributes"].items()},
            json.loads(message["Body"])["Records"][0],
        )
        for message in answer.get("Messages", [])
    ]
