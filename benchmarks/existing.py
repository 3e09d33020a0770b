"""What `s3replicator resync` takes for objects from before the rules, beside `aws s3 sync` on the same emulator.

Both copy the same small objects between two buckets of one run: time, CPU of whoever copies, requests for an object,
and what arrives. The server is this process, and its CPU is told apart. The peer is any AWS CLI; without one, only the
product is measured.

    .venv/bin/python -m benchmarks.existing --objects 10000 --peer /path/to/aws
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    """One way of copying. seconds: from start to end. cpu, served: seconds of whoever copies, and of the server.

    requests: by operation. arrived: versions and tags at the destination.
    """

    name: str
    seconds: float
    cpu: float
    served: float
    requests: Counter[str]
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


def requests(aws: Running) -> Counter[str]:
    """Return the requests since they were last forgotten, by operation."""
    return Counter(each["operation"] for each in aws.get("/requests"))


@contextmanager
def measuring(name: str, aws: Running, bucket: str, keep: Callable[[Measured], object]) -> Iterator[None]:
    """Measure what is done in the block."""
    aws.delete("/requests")
    began, cpu, served = time.monotonic(), _cpu_of_children(), time.process_time()
    yield
    took, spent, answered = time.monotonic() - began, _cpu_of_children() - cpu, time.process_time() - served
    keep(Measured(name, took, spent, answered, requests(aws), arrived(aws, bucket)))


def _cpu_of_children() -> float:
    """Return the CPU seconds of processes that have ended, and of those that run: functions, and who forks them."""
    used, running = resource.getrusage(resource.RUSAGE_CHILDREN), dict[int, tuple[int, int]]()
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            fields = (path / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            running[int(path.name)] = int(fields[1]), sum(map(int, fields[11:15]))  # with children that it waited for
    family = {os.getpid()}
    while more := {pid for pid, (parent, _) in running.items() if parent in family} - family:
        family |= more
    ticks = sum(running[pid][1] for pid in family if pid != os.getpid())
    return used.ru_utime + used.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def call(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a command. Raises CalledProcessError with what it printed."""
    subprocess.run(command, env=environment, check=True, capture_output=True, text=True)


def measure(objects: int, peer: str | None) -> list[Measured]:
    """Copy objects with both."""
    found: list[Measured] = []
    with running(WORLD) as aws, tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **aws.environment(), "S3REPLICATOR_STACK": "replicator"}
        rules = Path(folder, "rules.json")
        write_objects(aws, objects)
        rules.write_text(json.dumps(RULES), encoding="utf-8")
        command = shutil.which("s3replicator", path=Path(sys.executable).parent) or "s3replicator"
        call([command, "rules", "put", SOURCE, str(rules)], environment)
        if peer:
            with measuring("aws s3 sync", aws, THEIRS, found.append):
                regions = ["--source-region", "us-east-1", "--region", "eu-west-1"]
                sync = [peer, "s3", "sync", f"s3://{SOURCE}", f"s3://{THEIRS}", "--only-show-errors", *regions]
                call(sync, environment)
        with measuring("s3replicator resync", aws, OURS, found.append):
            call([command, "resync", SOURCE], environment)
    return found


def table(measured: Sequence[Measured], objects: int) -> Iterator[str]:
    """Yield the lines of the report."""
    yield f"{objects:,} objects of {BYTES:,} bytes, {os.cpu_count()} cores"
    yield ""
    yield "| | seconds | objects/s | CPU ms/object | server CPU ms/object | requests/object | versions | tags |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for each in measured:
        cpu, served = 1000 * each.cpu / objects, 1000 * each.served / objects
        yield (
            f"| {each.name} | {each.seconds:.1f} | {objects / each.seconds:.0f} | {cpu:.1f} | {served:.1f} | "
            f"{each.requests.total() / objects:.2f} | {each.arrived[0]:,} | {each.arrived[1]:,} |"
        )
    yield ""
    for each in measured:
        often = [f"{name} {count:,}" for name, count in each.requests.most_common() if count >= objects / 50]
        yield f"- {each.name}: {', '.join(often)}"


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
