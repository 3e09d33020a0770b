"""Whether an object costs as much in a stack with a thousand buckets of a thousand rules as in one with one of each.

The real handler copies objects on an emulator in another process, in turns: of a bucket with one rule, and of many
buckets with many rules each, the next one for each object, so that no bucket comes again before all others did. New
processes, each with one object of either kind, show what a cold start costs.

    .venv/bin/python -m benchmarks.many --buckets 1000 --rules 1000 --json FILE
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks._handler import AWAY, HOME, STACK, Handle, Stage, load_handler, stage

BATCH, A_ROUND = 10, 50
ONE = "one-bucket"
DESTINATION = "west"
START = """
import json, sys, time
with open(sys.argv[1]) as file:
    records = json.load(file)
wall, began = time.perf_counter(), time.process_time()
sys.path.insert(0, "functions")
from replicate.app import handler
import contextlib, io
class Context:
    get_remaining_time_in_millis = staticmethod(lambda: 120_000)
with contextlib.redirect_stdout(io.StringIO()):
    answer = handler({"Records": records}, Context())
assert not answer["batchItemFailures"]
print(json.dumps([time.process_time() - began, time.perf_counter() - wall]))
"""
"""A cold start: everything is imported, and one object copied. CPU and wall seconds."""


@dataclass(slots=True)
class Side:
    """One kind of bucket. cpu: seconds of the handler for one object, by round; requests: by operation, of all rounds.

    cold_cpu, cold_wall: seconds of new processes that copy one object.
    """

    cpu: list[float] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    objects: int = 0
    cold_cpu: list[float] = field(default_factory=list)
    cold_wall: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """Return the medians, and the requests for one object."""
        return {
            "cpu_ms": round(1000 * statistics.median(self.cpu), 3),
            "requests": round(self.requests.total() / self.objects, 3),
            "by_operation": {name: round(each / self.objects, 3) for name, each in self.requests.most_common()},
            "cold_cpu_ms": round(1000 * statistics.median(self.cold_cpu), 1),
            "cold_wall_ms": round(1000 * statistics.median(self.cold_wall), 1),
        }


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured. memory_mb: of the process with the handler, before and after it had served all buckets."""

    buckets: int
    rules: int
    one: Side
    many: Side
    first_pass: float
    memory_mb: tuple[float, float]

    def ratio(self, name: str) -> float:
        """Return how a figure compares between the two sides, taken round by round."""
        many: list[float] = getattr(self.many, name)
        one: list[float] = getattr(self.one, name)
        return statistics.median(each / base for each, base in zip(many, one, strict=True))

    def document(self) -> Mapping[str, Any]:
        """Return all figures as one value."""
        own = {name: each for name, each in asdict(self).items() if name not in ("one", "many")}
        sides = {"one": self.one.figures(), "many": self.many.figures()}
        return {"machine": f"{os.cpu_count()} cores", **own, **sides, "ratios": self.ratios()}

    def ratios(self) -> dict[str, float]:
        """Return the ratios that have a goal."""
        per_object = [side.requests.total() / side.objects for side in (self.many, self.one)]
        ratios = {name: self.ratio(name) for name in ("cpu", "cold_cpu", "cold_wall")}
        return {name: round(each, 3) for name, each in (ratios | {"requests": per_object[0] / per_object[1]}).items()}


def names(buckets: int) -> list[str]:
    """Return the names of the many buckets."""
    return [f"team-{number:04}-bucket" for number in range(buckets)]


def world() -> dict[str, Any]:
    """Return a world whose stack serves one bucket with one rule, and all buckets that match a pattern."""
    parameters = {"SourceBuckets": f"{ONE},team-*", "DestinationBuckets": f"{DESTINATION},copy-*"}
    buckets = [{"name": ONE, "region": HOME}, {"name": DESTINATION, "region": AWAY}]
    rules = {ONE: {"Rules": list(documents(1))}}
    return {"buckets": buckets, "stacks": [{"name": STACK, "region": HOME, "parameters": parameters, "rules": rules}]}


def documents(count: int) -> Iterator[dict[str, Any]]:
    """Yield so many rules, each of a folder of its own; the last is the one that objects match."""
    for number in range(count):
        yield {
            "ID": f"folder {number}",
            "Priority": number,
            "Status": "Enabled",
            "Filter": {"Prefix": f"folder-{count - number:04}/"},
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": f"arn:aws:s3:::{DESTINATION}"},
        }


def prepare(there: Stage, buckets: int, rules: int) -> list[str]:
    """Create the many buckets with their rules and notifications; return their names."""
    s3, control = there.client("s3"), there.outputs["ControlBucket"]
    body = json.dumps({"Role": "", "Rules": list(documents(rules))}).encode()
    queue = {"QueueArn": there.outputs["ChangeQueueArn"], "Events": ["s3:ObjectCreated:*"]}
    for name in names(buckets):
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=control, Key=f"rules/{name}.json", Body=body)
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"QueueConfigurations": [queue]}
        )
    there.client("sqs").purge_queue(QueueUrl=there.outputs["ChangeQueue"])  # S3's test events
    return names(buckets)


def written(there: Stage, buckets: Sequence[str], label: str) -> list[dict[str, Any]]:
    """Write an object into each of these buckets, and return the messages of their events."""
    for number, name in enumerate(buckets):
        there.client("s3").put_object(Bucket=name, Key=f"folder-0001/{label}/{name}/{number}", Body=b"x")
    return there.receive(len(buckets))


def copied(there: Stage, handle: Handle, buckets: Sequence[str], label: str, side: Side | None = None) -> float:
    """Copy an object of each of these buckets; return the CPU seconds of one, and note what it took."""
    records = written(there, buckets, label)
    there.control("DELETE", "requests")
    began = time.process_time()
    for start in range(0, len(records), BATCH):
        handle(records[start : start + BATCH])
    spent = (time.process_time() - began) / len(buckets)
    if side is not None:
        side.cpu.append(spent)
        side.objects += len(buckets)
        requests = there.control("GET", "requests")  # those of the monitor have its role as their principal
        side.requests.update(each["operation"] for each in requests if each["principal"] == "user")
    there.delete(records)
    return spent


def measure(buckets: int, rules: int, rounds: int, starts: int) -> Found:
    """Measure everything."""
    one, many = Side(), Side()
    with stage(world()) as there:
        served = prepare(there, buckets, rules)
        handle = load_handler(there.function_environment())
        copied(there, handle, [ONE] * A_ROUND, "first")
        before = _resident_mb()
        first = [copied(there, handle, served[at : at + A_ROUND], "first") for at in range(0, buckets, A_ROUND)]
        after, turn = _resident_mb(), cycle(served)
        for number in range(rounds):
            copied(there, handle, [ONE] * A_ROUND, f"{number}", one)
            copied(there, handle, list(islice(turn, A_ROUND)), f"{number}", many)
        for number in range(starts + 1):
            for side, name in ((one, ONE), (many, served[number % buckets])):
                cpu, wall = _cold_start(there, name, f"cold-{number}")
                if number:  # the first one compiles
                    side.cold_cpu.append(cpu)
                    side.cold_wall.append(wall)
    return Found(buckets, rules, one, many, statistics.mean(first), (before, after))


def _cold_start(there: Stage, bucket: str, label: str) -> tuple[float, float]:
    records = written(there, [bucket], label)
    surroundings = {"PATH": os.environ["PATH"], **there.function_environment()}
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(records, file)
        file.flush()
        command = [sys.executable, "-c", START, file.name]
        run = subprocess.run(command, env=surroundings, check=True, capture_output=True, text=True)
    there.delete(records)
    cpu, wall = json.loads(run.stdout.splitlines()[-1])
    return cpu, wall


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def table(found: Found) -> Iterator[str]:
    """Yield the lines of the report, as Markdown."""
    one, many, ratios = found.one.figures(), found.many.figures(), found.ratios()
    yield f"| | one bucket, one rule | {found.buckets:,} buckets, {found.rules:,} rules each | ratio |"
    yield "| --- | ---: | ---: | ---: |"
    for name, label, ratio in (
        ("cpu_ms", "CPU of the handler, ms/object", "cpu"),
        ("requests", "requests/object", "requests"),
        ("cold_cpu_ms", "CPU of a cold start and one object, ms", "cold_cpu"),
        ("cold_wall_ms", "the same in time, ms", "cold_wall"),
    ):
        yield f"| {label} | {one[name]:,} | {many[name]:,} | {ratios[ratio]:.2f} |"
    yield ""
    yield f"The first object of a bucket in a container: {1000 * found.first_pass:.1f} ms of CPU."
    yield f"Memory of the container before and after it had served all buckets: {found.memory_mb[0]:.0f} and "
    yield f"{found.memory_mb[1]:.0f} MB."


def main() -> int:
    """Read the command line, measure, and print the table. Status 1: a ratio is above the goal, 1.1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many", description=__doc__.partition("\n")[0])
    parser.add_argument("--buckets", type=int, default=1_000, help="a multiple of 50")
    parser.add_argument("--rules", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=20, help=f"of {A_ROUND} objects, for each side")
    parser.add_argument("--starts", type=int, default=10, help="cold starts, for each side")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options: Any = parser.parse_args()
    if options.buckets < A_ROUND or options.buckets % A_ROUND or not 0 < options.rules <= 1_000:
        parser.error(f"--buckets must be a multiple of {A_ROUND}, --rules 1 to 1,000")
    found = measure(options.buckets, options.rules, options.rounds, options.starts)
    if options.json:
        options.json.write_text(json.dumps(found.document(), indent=2) + "\n", encoding="utf-8")
    print("\n".join(table(found)))
    return int(any(each > 1.1 for each in found.ratios().values()))


if __name__ == "__main__":
    sys.exit(main())
