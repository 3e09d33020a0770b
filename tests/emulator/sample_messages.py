"""Messages to the sample stack's functions: sending them, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moto.sqs.models import sqs_backends

from emulator.running import Options, Running, running
from emulator.services import sqs as queues
from emulator.world.document import World, WorldStack
from tests.emulator import sample_stack

REGION = "eu-west-1"


@contextmanager
def sampled(folder: Path) -> Iterator[Running]:
    """Run an emulator with the sample stack, which is written into a folder."""
    options = Options(template=sample_stack.write(folder), crash_visibility=0.05)
    with running(World(stacks=(WorldStack("sample", REGION, {"CreateSourceBucket": "looping"}),)), options) as up:
        yield up


def begin_afresh(emulator: Running) -> None:
    """Empty the queues and the log."""
    empty(emulator, "Queue")
    empty(emulator, "DeadQueue")
    assert emulator.idle()
    if (output := emulator.host.functions._outputs.get("sample-record")) is not None:
        output.lines.clear()


def empty(emulator: Running, name: str) -> None:
    """Delete every message; SQS's own purge works once a minute."""
    found = sqs_backends["123456789012"][REGION].queues[emulator.outputs("sample")[name].rpartition("/")[2]]
    for message in list(found._messages):
        queues.discard(found, message)


def send(emulator: Running, *bodies: dict[str, Any], queue: str = "Queue") -> list[str]:
    """Send messages; return their ids."""
    sqs, url = emulator.client("sqs", REGION), emulator.outputs("sample")[queue]
    return [str(sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))["MessageId"]) for body in bodies]


def switch(emulator: Running, *, on: bool) -> None:
    """Let Lambda take messages of the queue, or not."""
    functions, queue = emulator.client("lambda", REGION), emulator.outputs("sample")["QueueArn"]
    [mapping] = functions.list_event_source_mappings(EventSourceArn=queue)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)


def got(emulator: Running) -> list[dict[str, Any]]:
    """Return what the function says that it has got, in order."""
    lines = emulator.logs("sample", "RecordFunction")
    return [json.loads(line.removeprefix("GOT ")) for line in lines if line.startswith("GOT ")]


def tries(emulator: Running) -> dict[str, int]:
    """Return how often the function has got each message."""
    counts: dict[str, int] = {}
    for each in got(emulator):
        counts[each["id"]] = counts.get(each["id"], 0) + 1
    return counts


def dead(emulator: Running) -> list[dict[str, Any]]:
    url = emulator.outputs("sample")["DeadQueue"]
    return list(
        emulator.client("sqs", REGION)
        .receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        .get("Messages", [])
    )


def waiting(emulator: Running, queue: str = "Queue") -> dict[str, str]:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = emulator.outputs("sample")[queue]
    return dict(emulator.client("sqs", REGION).get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"])
