"""How much CPU the product adds to the bare boto3 calls that a small object needs.

Both sides make the same four requests (HEAD, CopyObject, GetItem, UpdateItem) to the same local server, with the same
kind of clients and threads, alternately. Only the CPU time of this process counts. The result is a ratio, since
machines differ.

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
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3

BATCH = 10
OBJECTS = 50
SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def local_aws() -> Iterator[str]:
    """Run a local AWS server in a separate process, so that its CPU time does not count; yield its URL."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        if server.stdout is None:
            raise RuntimeError("the server has no output to read its port from")
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        server.terminate()


def set_up(endpoint: str) -> None:
    """Set the environment variables of a stack, and create its resources."""
    os.environ.update(
        AWS_ENDPOINT_URL=endpoint,
        AWS_ACCESS_KEY_ID="benchmark",
        AWS_SECRET_ACCESS_KEY="benchmark",  # noqa: S106 - the local server accepts any
        AWS_DEFAULT_REGION="us-east-1",
        CONTROL_BUCKET="control",
        JOURNAL_TABLE="journal",
        POWERTOOLS_LOG_LEVEL="WARNING",
    )
    s3 = boto3.client("s3")
    for bucket in ("control", "east", "west"):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        owner: Any = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=owner)
    rule = {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::west"}}
    s3.put_object(Bucket="control", Key="rules/east.json", Body=json.dumps({"Rules": [rule]}))
    names = (("object", "HASH"), ("target", "RANGE"))
    boto3.client("dynamodb").create_table(
        TableName="journal",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in names],
    )


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


def product() -> Callable[[Objects], None]:
    """Return a function that copies objects with the product's handler."""
    from replicate.app import handler  # noqa: PLC0415 - reads the environment that set_up made

    def run(objects: Objects) -> None:
        for batch in objects.batches():
            with contextlib.redirect_stdout(io.StringIO()):
                answer = handler({"Records": [_message(key, version) for key, version in batch]}, None)
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


def bare() -> Callable[[Objects], None]:
    """Return a function that copies objects with the four calls alone."""
    from replicator.aws.clients import Clients  # noqa: PLC0415 - reads the environment that set_up made
    from replicator.threads import side_by_side  # noqa: PLC0415

    clients = Clients()
    reader, writer, table = clients.reader("us-east-1"), clients.writer("us-east-1"), clients.dynamodb()

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


def cpu(run: Callable[[Objects], None], objects: Objects) -> float:
    """Return the CPU time per object in milliseconds."""
    before = time.process_time()
    run(objects)
    return (time.process_time() - before) * 1000 / OBJECTS


def measure(rounds: int) -> dict[str, Any]:
    """Run both sides alternately, after one round of warm-up."""
    ways = {"product": product(), "bare": bare()}
    figures: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, run in ways.items():
            spent = cpu(run, Objects.write(f"{name}/{number}"))
            if number:
                figures[name].append(spent)
    ratios = [ours / theirs for ours, theirs in zip(figures["product"], figures["bare"], strict=True)]
    return {
        "rounds": rounds,
        "objects_per_round": OBJECTS,
        "product_cpu_ms": round(statistics.median(figures["product"]), 2),
        "bare_cpu_ms": round(statistics.median(figures["bare"]), 2),
        "ratio_median": round(statistics.median(ratios), 3),
        "ratio_min": round(min(ratios), 3),
        "ratio_max": round(max(ratios), 3),
    }


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent.parent / "functions"))
    with local_aws() as endpoint:
        set_up(endpoint)
        print(json.dumps(measure(arguments.rounds), indent=2))


if __name__ == "__main__":
    main()
