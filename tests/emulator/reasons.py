"""What tests of reason codes share: where a code is seen, and the redrive that its advice ends with."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from replicator.aws.buckets import RECENT_SECONDS
from s3replicator.main import app
from typer.testing import CliRunner

from emulator.running import Running
from tests.emulator.failures import FailedMessage, take_failures
from tests.patience import until

STACK = "prod"
FUNCTION = "ReplicateFunction"


def logged(emulator: Running, function: str = FUNCTION) -> set[tuple[str, str]]:
    """Return what a function logged of changes that are not COMPLETED: key, and status with reason."""
    found = set()
    for line in emulator.logs(STACK, function):
        if line.startswith("{"):
            row = json.loads(line)
            found.add((str(row.get("key", "")), str(row.get("message", ""))))
    return found


def waiting(emulator: Running) -> dict[str, str]:
    """Return the reasons of the changes that the journal has PENDING, by `bucket/key`."""
    table = emulator.outputs(STACK)["JournalTable"]
    items = emulator.client("dynamodb").scan(TableName=table, IndexName="ByAge")["Items"]
    return {item["object"]["S"]: item["reason"]["S"] for item in items if item.get("status", {}).get("S") == "PENDING"}


def reasons(failures: Iterable[FailedMessage]) -> dict[str, str]:
    """Return the reason of each failure, by the object's key."""
    return {str(failure.s3_object["key"]): failure.attributes["Reason"] for failure in failures}


def redrive(emulator: Running, failures: Iterable[FailedMessage], stack: str = STACK) -> dict[str, str]:
    """Send failures to the change queue again, as `s3replicator failures redrive` does; return what fails again.

    A second later, because functions remember the settings of a bucket for that long even for what is redriven.
    """
    ready = time.monotonic() + RECENT_SECONDS
    until(lambda: time.monotonic() > ready)
    queues = emulator.client("sqs", emulator.stacks[stack].region)
    for failure in failures:
        queues.send_message(
            QueueUrl=emulator.outputs(stack)["ChangeQueue"],
            MessageBody=failure.body,
            MessageAttributes={"Redriven": {"DataType": "String", "StringValue": "true"}},
        )
    assert emulator.idle()
    return reasons(take_failures(emulator, stack))


def run_task(emulator: Running, bucket: str, key: str, version: str | None = None) -> str:
    """Invoke the batch function as S3 Batch Operations does; return what it says of the task."""
    task = {"taskId": "1", "s3Key": key, "s3VersionId": version, "s3BucketArn": f"arn:aws:s3:::{bucket}"}
    event = {"invocationSchemaVersion": "1.0", "invocationId": "1", "job": {"id": "1"}, "tasks": [task]}
    answer = emulator.client("lambda").invoke(FunctionName=f"{STACK}-batch", Payload=json.dumps(event))
    [result] = json.loads(answer["Payload"].read())["results"]
    return str(result["resultString"])


def command(emulator: Running, *arguments: str) -> Any:
    """Run the operator's command in this process."""
    environment = {**emulator.environment(), "S3REPLICATOR_STACK": STACK, "COLUMNS": "200"}
    return CliRunner().invoke(app, list(arguments), env=environment)
