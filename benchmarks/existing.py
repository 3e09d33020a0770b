"""What `s3replicator resync` takes for objects from before the rules, beside `aws s3 sync` on the same emulator.

Both copy the same small objects between two buckets of one run: time, CPU of whoever copies, requests for an object,
and what arrives. The server is this process, and its CPU is told apart. The peer is any AWS CLI; without one, only the
product is measured.

    .venv/bin/python -m benchmarks.existing --objects 10000 --peer /path/to/aws
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks._measuring import Spent, call, measuring, surroundings
from emulator.running import Running, running

SOURCE, OURS, THEIRS = "east", "west", "north"
WORLD = {
    "buckets": [
        {"name": SOURCE, "region": "us-east-1"},
        {"name": OURS, "region": "us-west-2"},
        {"name": THEIRS, "region": "eu-west-1"},
    ],
    "stacks": [
        {
            "name": "replicator",
            "region": "us-east-1",
            "parameters": {"SourceBuckets": SOURCE, "DestinationBuckets": OURS},
            "rules": {},
        }
    ],
}
RULES = {"Rules": [{"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": f"arn:aws:s3:::{OURS}"}}]}
BYTES = 10_000
WITH_TAGS, WITH_HISTORY = 10, 20
"""Every tenth object has a tag, every twentieth an older version below it."""
WRITERS = 8


@dataclass(frozen=True, slots=True)
class Measured:
    """One way of copying: what it took, and the versions and tags at the destination."""

    spent: Spent
    arrived: tuple[int, int]


def write_objects(aws: Running, objects: int) -> None:
    """Write the objects, with tags and older versions for some."""
    s3 = aws.client("s3")

    def write(number: int) -> None:
        more = {"Tagging": "team=blue"} if number % WITH_TAGS == 0 else {}
        for _ in range(1 + (number % WITH_HISTORY == 0)):
            s3.put_object(Bucket=SOURCE, Key=f"{number % 16:x}/{number:08}", Body=os.urandom(BYTES), **more)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(objects)))


def arrived(aws: Running, bucket: str) -> tuple[int, int]:
    """Return the number of versions at a destination, and of tags of users on those that have some."""
    s3, versions, tags = aws.client("s3"), 0, 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in page.get("Versions", ()):
            versions += 1
            if int(each["Key"].rpartition("/")[2]) % WITH_TAGS == 0:
                found = s3.get_object_tagging(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])["TagSet"]
                tags += any(tag["Key"] == "team" for tag in found)
    return versions, tags


def measure(objects: int, peer: str | None) -> list[Measured]:
    """Copy objects with both."""
    spent, found = list[Spent](), list[Measured]()
    with running(WORLD) as aws, tempfile.TemporaryDirectory() as folder:
        environment = {**surroundings(aws), "S3REPLICATOR_STACK": "replicator"}
        rules = Path(folder, "rules.json")
        write_objects(aws, objects)
        rules.write_text(json.dumps(RULES), encoding="utf-8")
        command = shutil.which("s3replicator", path=Path(sys.executable).parent) or "s3replicator"
        call([command, "rules", "put", SOURCE, str(rules)], environment)
        if peer:
            with measuring("aws s3 sync", aws, spent.append):
                regions = ["--source-region", "us-east-1", "--region", "eu-west-1"]
                sync = [peer, "s3", "sync", f"s3://{SOURCE}", f"s3://{THEIRS}", "--only-show-errors", *regions]
                call(sync, environment)
            found.append(Measured(spent[-1], arrived(aws, THEIRS)))
        with measuring("s3replicator resync", aws, spent.append):
            call([command, "resync", SOURCE], environment)
        found.append(Measured(spent[-1], arrived(aws, OURS)))
    return found


def table(measured: Sequence[Measured], objects: int) -> Iterator[str]:
    """Yield the lines of the report."""
    yield f"{objects:,} objects of {BYTES:,} bytes, {os.cpu_count()} cores"
    yield ""
    yield "| | seconds | objects/s | CPU ms/object | server CPU ms/object | requests/object | versions | tags |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for each in measured:
        spent = each.spent
        cpu, served = 1000 * spent.cpu / objects, 1000 * spent.served / objects
        yield (
            f"| {spent.name} | {spent.seconds:.1f} | {objects / spent.seconds:.0f} | {cpu:.1f} | {served:.1f} | "
            f"{spent.requests.total() / objects:.2f} | {each.arrived[0]:,} | {each.arrived[1]:,} |"
        )
    yield ""
    for each in measured:
        often = [f"{name} {count:,}" for name, count in each.spent.requests.most_common() if count >= objects / 50]
        yield f"- {each.spent.name}: {', '.join(often)}"


def main() -> int:
    """Read the command line, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--objects", type=int, default=1_000)
    parser.add_argument("--peer", default=shutil.which("aws"), help="the AWS CLI to compare with")
    options: Any = parser.parse_args()
    if options.objects < 1:
        parser.error("--objects must be at least 1")
    print("\n".join(table(measure(options.objects, options.peer), options.objects)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
