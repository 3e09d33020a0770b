"""The telling objects of the demo, and what became of each: read back from journal, log and dead-letter queue."""

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
class Telling:
    """An object that shows something: its key, what it shows, and the fields it is written with."""

    key: str
    what: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b"Meow."
    times: int = 1


OBJECTS = (
    Telling(
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
    Telling("photos/猫 + ü/100% 😀.jpg", "a key in any script"),
    Telling("photos/empty", "no bytes at all", body=b""),
    Telling("photos/again.txt", "overwritten twice", body=b"take ", times=3),
    Telling("reports/2026.csv", "tagged class=public: a cheaper class", {"Tagging": "class=public"}),
    Telling("reports/draft.csv", "its rule wants the tag class=public"),
    Telling("tmp/scratch.bin", "no rule has its prefix"),
    Telling(DENIED, "the destination's bucket policy denies it"),
)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one object. `latency_ms`: from S3's event to the replica, of its last version."""

    telling: Telling
    status: str
    reason: str = ""
    latency_ms: int | None = None
    replicas: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A message of the dead-letter queue: what it says of itself, and the event that it keeps."""

    attributes: Mapping[str, str]
    record: Mapping[str, Any]


def write(emulator: Running, telling: Telling) -> None:
    """Write one object as a user does, as often as it says."""
    s3 = emulator.client("s3", EAST)
    for number in range(telling.times):
        body = telling.body if telling.times == 1 else telling.body + str(number + 1).encode()
        s3.put_object(Bucket=SHOP_EAST, Key=telling.key, Body=body, **telling.fields)


def fates(emulator: Running) -> list[Fate]:
    """Say what became of each object, once nothing is on its way any more."""
    told = _log_lines(emulator)
    failed = {failure.record["s3"]["object"]["key"]: failure for failure in failures(emulator)}
    return [_fate(emulator, telling, told.get(telling.key, {}), failed) for telling in OBJECTS]


def _fate(emulator: Running, telling: Telling, line: Mapping[str, Any], failed: Mapping[str, Failure]) -> Fate:
    replicas = _replicas(emulator, telling.key)
    if replicas:
        return Fate(telling, "COMPLETED", latency_ms=_latency(emulator, telling.key), replicas=replicas)
    if failure := failed.get(telling.key):
        return Fate(telling, "FAILED", failure.attributes["Reason"])
    status, _, reason = str(line.get("message", "PENDING")).partition(" ")
    return Fate(telling, status, reason)


def _replicas(emulator: Running, key: str) -> int:
    answer = emulator.client("s3", "us-west-2").list_object_versions(Bucket=SHOP_WEST, Prefix=key)
    return sum(entry["Key"] == key for entry in answer.get("Versions", []))


def _latency(emulator: Running, key: str) -> int | None:
    """Read from the journal's entry when the event was first seen and when its replica was complete."""
    named = {"object": {"S": f"{SHOP_EAST}/{key}"}, "target": {"S": SHOP_WEST}}
    table = emulator.outputs(REPLICATOR_EAST)["JournalTable"]
    item = emulator.client("dynamodb", EAST).get_item(TableName=table, Key=named).get("Item")
    return int(item["completed"]["N"]) - int(item["first_seen"]["N"]) if item else None


def _log_lines(emulator: Running) -> dict[str, Mapping[str, Any]]:
    """Return the last line that the function logged of each key: one for every outcome that is not COMPLETED."""
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
    """Look into the dead-letter queue and leave everything there."""
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
