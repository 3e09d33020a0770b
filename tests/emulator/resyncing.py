"""What tests of `resync` and `jobs` share: a world whose rules are stored after its objects, and what arrived where."""

import csv
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from replicator.aws.listing import EVENT, keep_order, page_of

from emulator.running import Running
from tests.emulator.watched import STACK, document
from tests.emulator.worlds import bucket, rule

MIB = 1024**2
MARKERS = {"DeleteMarkerReplication": {"Status": "Enabled"}}
WORLD: dict[str, Any] = {
    "buckets": [bucket("east"), bucket("west"), bucket("north-west")],
    "stacks": [
        {
            "name": STACK,
            "region": "us-east-1",
            "parameters": {
                "SourceBuckets": "east",
                "DestinationBuckets": "west,north-west",
                "MultipartThreshold": str(5 * MIB),
                "SpreadThreshold": str(6 * MIB),
                "PartSize": str(5 * MIB),
            },
        }
    ],
}


@contextmanager
def fresh(world: Running) -> Iterator[Running]:
    """Yield the emulator with empty buckets, without jobs, and with one rule that was stored after all objects."""
    for name in ("east", "west", "north-west"):
        empty(world, name)
    empty(world, world.outputs(STACK)["ControlBucket"], "jobs/")
    put_rules(world, rule("east", "west", **MARKERS))
    world.delete("requests")
    yield world
    world.delete("faults")


def empty(aws: Running, name: str, prefix: str = "") -> None:
    s3 = aws.client("s3", region(name))
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name, Prefix=prefix):
        for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            s3.delete_object(Bucket=name, Key=each["Key"], VersionId=each["VersionId"])


def region(name: str) -> str:
    return "us-west-2" if name.endswith("west") else "us-east-1"


def put_rules(aws: Running, *rules: dict[str, Any]) -> None:
    """Store rules without attaching events to the bucket, and have the functions and the command read them anew."""
    control, text = aws.outputs(STACK)["ControlBucket"], json.dumps({"Rules": list(rules)})
    aws.client("s3").put_object(Bucket=control, Key="rules/east.json", Body=text)
    functions, name = aws.client("lambda"), aws.outputs(STACK)["ReplicateFunction"]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    again = {**variables, "RULES": str(len(text) + hash(text))}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": again})


def put(aws: Running, count: int, prefix: str = "one/", body: str = "") -> set[str]:
    keys = {f"{prefix}{number:04}" for number in range(count)}
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(lambda key: aws.client("s3").put_object(Bucket="east", Key=key, Body=(body or key).encode()), keys)
        )
    return keys


def write_history(aws: Running, key: str, *steps: str | None) -> None:
    """Write versions of a key, oldest first; None puts a delete marker."""
    s3 = aws.client("s3")
    for step in steps:
        if step is None:
            s3.delete_object(Bucket="east", Key=key)
        else:
            s3.put_object(Bucket="east", Key=key, Body=step.encode())


def history(aws: Running, name: str, key: str) -> list[str | None]:
    """Return the bytes of each entry of a key, oldest first; None for a delete marker."""
    s3 = aws.session(region(name)).client("s3")
    s3.meta.events.register(EVENT, keep_order)
    entries = page_of(s3.list_object_versions(Bucket=name, Prefix=key), key).entries
    return [
        s3.get_object(Bucket=name, Key=key, VersionId=each.version_id)["Body"].read().decode()
        if each.is_version
        else None
        for each in reversed(entries)
    ]


def there(aws: Running, name: str = "west") -> set[str]:
    pages = aws.client("s3", region(name)).get_paginator("list_objects_v2").paginate(Bucket=name)
    return {each["Key"] for page in pages for each in page.get("Contents", ())}


def copies(aws: Running) -> int:
    rows = aws.get("requests")
    return sum(row["operation"] == "CopyObject" and row["status"] == 200 for row in rows)


def jobs(aws: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document(aws, "jobs", "list")["jobs"]
    return found


def rows(text: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text)) if row]


def in_a_terminal(aws: Running, *arguments: str) -> tuple[str, int]:
    """Run the command with a terminal of its own, and confirm what it asks.

    Return all that it wrote there, and its exit status.
    """
    mine, its = pty.openpty()
    command = [sys.executable, "-m", "s3replicator", *arguments]
    environment = os.environ | aws.environment() | {"S3REPLICATOR_STACK": STACK, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(command, env=environment, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        os.write(mine, b"y\n")
        shown = b"".join(iter(lambda: _read(mine), b""))
    os.close(mine)
    return shown.decode(), process.returncode


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other end is closed
        return b""


def start(aws: Running, *arguments: str) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "s3replicator", *arguments],
        env={**os.environ, **aws.environment(), "S3REPLICATOR_STACK": STACK},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sent(aws: Running) -> int:
    return sum(row["operation"] == "SendMessageBatch" for row in aws.get("requests"))
