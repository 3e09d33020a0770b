"""How much CPU a small object takes, beside the boto3 calls that replicating it takes at least.

All sides copy the same small objects on the same emulator, alternately, in batches of ten with the same threads: the
product's handler; naive calls (HEAD, CopyObject, GetItem, UpdateItem for each object, with boto3's clients as they
come); and the same calls with the product's clients. Only the CPU time of this process counts: the emulator is another
one. The result is a ratio, since machines differ.

    make bench                    or    .venv/bin/python -m benchmarks.overhead --rounds 15
"""

import argparse
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3

BATCH = 10
OBJECTS = 50
WORLD = {
    "buckets": [
        {"name": "control", "region": "us-east-1"},
        {"name": "east", "region": "us-east-1"},
        {"name": "west", "region": "us-east-1"},
    ],
    "stacks": [],
}
FUNCTIONS = Path(__file__).parent.parent / "functions"


@contextlib.contextmanager
def local_aws() -> Iterator[Mapping[str, Any]]:
    """Run the emulator in a process of its own, so that its CPU time does not count; yield its ready file."""
    with tempfile.TemporaryDirectory() as folder:
        world, ready = Path(folder, "world.json"), Path(folder, "ready.json")
        world.write_text(json.dumps(WORLD), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "s3replicator",
            "emulate",
            str(world),
            "--port",
            "0",
            "--ready-file",
            str(ready),
        ]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            try:
                while not ready.exists() and server.poll() is None:
                    time.sleep(0.05)
                yield json.loads(ready.read_text(encoding="utf-8"))
            finally:
                server.terminate()


def set_up(ready: Mapping[str, Any]) -> None:
    """Set the environment variables of a stack, and create its rules and its table."""
    os.environ.update(
        AWS_ENDPOINT_URL=ready["endpoint"],
        AWS_ACCESS_KEY_ID=ready["access_key_id"],
        AWS_SECRET_ACCESS_KEY=ready["secret_access_key"],
        AWS_DEFAULT_REGION="us-east-1",
        CONTROL_BUCKET="control",
        JOURNAL_TABLE="journal",
        POWERTOOLS_LOG_LEVEL="WARNING",
    )
    rule = {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::west"}}
    boto3.client("s3").put_object(Bucket="control", Key="rules/east.json", Body=json.dumps({"Rules": [rule]}))
    names = (("object", "HASH"), ("target", "RANGE"))
    boto3.client("dynamodb").create_table(
        TableName="journal",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in names],
    )


class Context:
    """What the handler asks of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the whole timeout of the function."""
        return 120_000


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects to copy, each as key and version id."""

    versions: list[tuple[str, str]]

    @classmethod
    def write(cls, label: str) -> "Objects":
        """Write the objects of one round."""
        s3 = boto3.client("s3")
        keys = [f"{label}/{number}" for number in range(OBJECTS)]
        return cls([(key, s3.put_object(Bucket="east", Key=key, Body=b"x")["VersionId"]) for key in keys])

    def batches(self) -> Iterator[list[tuple[str, str]]]:
        """Yield the objects in batches, as Lambda would pass them."""
        for start in range(0, len(self.versions), BATCH):
            yield self.versions[start : start + BATCH]


Run = Callable[[Objects], None]


def product() -> Run:
    """Return a function that copies objects with the product's handler."""
    from replicate.app import handler  # noqa: PLC0415 - reads the environment that set_up made

    def run(objects: Objects) -> None:
        for batch in objects.batches():
            with contextlib.redirect_stdout(io.StringIO()):
                answer = handler({"Records": [_message(key, version) for key, version in batch]}, Context())
            if answer["batchItemFailures"]:
                raise RuntimeError("the handler failed for some objects, so there are no meaningful figures")

    return run


def _message(key: str, version: str) -> dict[str, Any]:
    entity = {"key": key, "versionId": version, "size": 1, "sequencer": "0055AED6DCD90281E5"}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventTime": datetime.now(UTC).isoformat(),  # an old time would send threshold events, too
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "east"}, "object": entity},
    }
    return {"messageId": key, "receiptHandle": key, "attributes": {}, "body": json.dumps({"Records": [record]})}


def calls(reader: Any, writer: Any, table: Any) -> Run:
    """Return a function that copies objects with the four calls alone."""
    from replicator.threads import side_by_side  # noqa: PLC0415 - needs the path that main adds

    def one(key: str, version: str) -> None:
        item = {"object": {"S": f"east/{key}"}, "target": {"S": "west"}}
        table.get_item(TableName="journal", Key=item, ConsistentRead=True)
        head = reader.head_object(Bucket="east", Key=key, VersionId=version, ChecksumMode="ENABLED")
        writer.copy_object(
            Bucket="west",
            Key=key,
            CopySource={"Bucket": "east", "Key": key, "VersionId": version},
            CopySourceIfMatch=head["ETag"],
            IfNoneMatch="*",
            MetadataDirective="REPLACE",
            Metadata={"replication-origin": f"east/{version}/0/00000000"},
            ContentType=head["ContentType"],
            TaggingDirective="REPLACE",
            Tagging="replication-status=REPLICA",
            StorageClass="STANDARD",
        )
        table.update_item(
            TableName="journal",
            Key=item,
            UpdateExpression="SET generation = :one, #status = :done",
            ConditionExpression="attribute_not_exists(generation)",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":one": {"N": "1"}, ":done": {"S": "COMPLETED"}},
        )

    def run(objects: Objects) -> None:
        for batch in objects.batches():
            side_by_side([partial(one, key, version) for key, version in batch])

    return run


def naive() -> Run:
    """Return a function that makes the calls with boto3's clients as they come."""
    s3 = boto3.client("s3")
    return calls(s3, s3, boto3.client("dynamodb"))


def tuned() -> Run:
    """Return a function that makes the calls with the product's clients."""
    from replicator.aws.clients import Clients  # noqa: PLC0415 - reads the environment that set_up made

    clients = Clients()
    return calls(clients.reader("us-east-1"), clients.writer("us-east-1"), clients.dynamodb())


def cpu(run: Run, objects: Objects) -> float:
    """Return the CPU time per object in milliseconds."""
    before = time.process_time()
    run(objects)
    return (time.process_time() - before) * 1000 / OBJECTS


def measure(rounds: int) -> dict[str, Any]:
    """Run all sides alternately, after one round of warm-up."""
    ways = {"product": product(), "naive": naive(), "tuned": tuned()}
    figures: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, run in ways.items():
            spent = cpu(run, Objects.write(f"{name}/{number}"))
            if number:
                figures[name].append(spent)
    found: dict[str, Any] = {"rounds": rounds, "objects_per_round": OBJECTS}
    found |= {f"{name}_cpu_ms": round(statistics.median(each), 2) for name, each in figures.items()}
    for name in ("naive", "tuned"):
        ratios = sorted(ours / theirs for ours, theirs in zip(figures["product"], figures[name], strict=True))
        found[f"to_{name}"] = {
            "median": round(statistics.median(ratios), 3),
            "lowest": round(ratios[0], 3),
            "highest": round(ratios[-1], 3),
        }
    return found


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    sys.path.insert(0, str(FUNCTIONS))
    with local_aws() as ready:
        set_up(ready)
        print(json.dumps(measure(arguments.rounds), indent=2))


if __name__ == "__main__":
    main()
