"""How much longer a change takes than the HEAD and the COPY that it needs, and how long a function takes to start.

The handler runs in this process, and the emulator in another one makes each request take as long as within a Region and
between two. DynamoDB and SQS answer at once, unless --others says how long they take. The same version is copied by
bare boto3 and by the handler, alternately, to two buckets of one Region.

    .venv/bin/python -m benchmarks.latency --rounds 200 --latency 5 80 --json FILE
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks._handler import AWAY, HOME, STACK, Handle, Stage, load_handler, stage

SOURCE, OURS, BARE = "east", "west", "north"
BATCH = 10
RULE = {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": f"arn:aws:s3:::{OURS}"}}
WORLD = {
    "buckets": [
        {"name": SOURCE, "region": HOME},
        {"name": OURS, "region": AWAY},
        {"name": BARE, "region": AWAY},
    ],
    "stacks": [{"name": STACK, "region": HOME, "rules": {SOURCE: {"Rules": [RULE]}}}],
}
GOAL_P50, GOAL_P99, GOAL_BATCH = 1.15, 1.5, 1.3
GOAL_IMPORT, GOAL_FIRST = 2.0, 1.0
"""Of a cold start: as a multiple of importing boto3 alone, and seconds of the first change beyond a later one."""
STARTS = 5
COLD = """
import time
began = time.perf_counter()
import boto3
boto3.client("s3")
print(time.perf_counter() - began)
"""
START = """
import json, sys, time
records = json.loads(open(sys.argv[1]).read())
class Context:
    def get_remaining_time_in_millis(self):
        return 120_000
loaded = time.perf_counter()
from replicate.app import handler
imported = time.perf_counter()
first = handler({"Records": records[:1]}, Context())
done = time.perf_counter()
second = handler({"Records": records[1:2]}, Context())
print(json.dumps([imported - loaded, done - imported, time.perf_counter() - done]))
"""


@dataclass(slots=True)
class Times:
    """Seconds of each round. bare, handled: of one object. slowest, batches: of ten side by side, by either way."""

    bare: list[float] = field(default_factory=list)
    handled: list[float] = field(default_factory=list)
    slowest: list[float] = field(default_factory=list)
    batches: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Starts:
    """Seconds of cold starts. boto3: importing it and making one client, for comparison. later: a second change."""

    boto3: list[float] = field(default_factory=list)
    imports: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    later: list[float] = field(default_factory=list)


def write(there: Stage, keys: Sequence[str]) -> dict[str, str]:
    """Write objects; return the version of each key."""
    s3 = there.client("s3")
    return {key: s3.put_object(Bucket=SOURCE, Key=key, Body=b"x" * 10_000)["VersionId"] for key in keys}


def copy_bare(there: Stage, key: str, version: str) -> float:
    """Make the two requests that a copy needs, and return their seconds."""
    reader, writer = there.client("s3"), there.client("s3", AWAY)
    began = time.perf_counter()
    head = reader.head_object(Bucket=SOURCE, Key=key, VersionId=version, ChecksumMode="ENABLED")
    writer.copy_object(
        Bucket=BARE,
        Key=key,
        CopySource={"Bucket": SOURCE, "Key": key, "VersionId": version},
        CopySourceIfMatch=head["ETag"],
        IfNoneMatch="*",
        MetadataDirective="REPLACE",
        Metadata={"replication-origin": f"{SOURCE}/{version}/0/00000000"},
        TaggingDirective="REPLACE",
        Tagging="replication-status=REPLICA",
    )
    return time.perf_counter() - began


def measure(there: Stage, handle: Handle, rounds: int) -> Times:
    """Copy objects one by one, then ten by ten, by either way in turn."""
    times = Times()
    one_by_one(there, handle, "warm", 5, Times())
    one_by_one(there, handle, "one", rounds, times)
    ten_by_ten(there, handle, max(5, rounds // BATCH), times)
    return times


def one_by_one(there: Stage, handle: Handle, label: str, rounds: int, times: Times) -> None:
    """Copy one object in each round."""
    for number in range(rounds):
        ((key, version),) = write(there, [f"{label}/{number:06}"]).items()
        records = there.receive(1)
        if number % 2:
            times.bare.append(copy_bare(there, key, version))
        times.handled.append(handle(records))
        if not number % 2:
            times.bare.append(copy_bare(there, key, version))
        there.delete(records)


def ten_by_ten(there: Stage, handle: Handle, rounds: int, times: Times) -> None:
    """Copy ten objects side by side in each round; the slowest of the bare copies is what a batch cannot beat."""
    with ThreadPoolExecutor(BATCH) as pool:
        for number in range(rounds):
            versions = write(there, [f"ten/{number:06}/{place}" for place in range(BATCH)])
            records = there.receive(BATCH)
            batch = [handle(records)]
            taken = list(pool.map(lambda each: copy_bare(there, *each), versions.items()))
            if number:  # the first one makes the connections of its threads
                times.batches += batch
                times.slowest.append(max(taken))
            there.delete(records)


def cold_starts(there: Stage, count: int) -> Starts:
    """Start new processes, each of which imports the handler and processes two changes."""
    starts = Starts()
    surroundings = {"PATH": os.environ["PATH"], **there.function_environment()}
    for number in range(count + 1):
        write(there, [f"cold/{number}/{place}" for place in range(2)])
        records = there.receive(2)
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump(records, file)
            file.flush()
            imported, first, later = json.loads(_python(START, surroundings, file.name))
        there.delete(records)
        if number:  # the first one compiles
            starts.boto3.append(float(_python(COLD, surroundings)))
            starts.imports.append(imported)
            starts.first.append(first)
            starts.later.append(later)
    return starts


def _python(script: str, surroundings: Mapping[str, str], *arguments: str) -> str:
    """Run a script in a new process, and return the last line that it printed."""
    command = [sys.executable, "-c", script, *arguments]
    run = subprocess.run(command, env=dict(surroundings), check=True, capture_output=True, text=True)
    return run.stdout.splitlines()[-1]


def at(share: float, values: Sequence[float]) -> float:
    """Return the value that this share of all values does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def figures(times: Times, starts: Starts) -> dict[str, Any]:
    """Return the figures of a run: milliseconds, ratios and goals."""
    return {
        "one_object": {
            name: {
                "head_and_copy_ms": round(1000 * at(share, times.bare), 1),
                "change_ms": round(1000 * at(share, times.handled), 1),
                "ratio": round(at(share, times.handled) / at(share, times.bare), 3),
                "goal": goal,
            }
            for name, share, goal in (("p50", 0.5, GOAL_P50), ("p99", 0.99, GOAL_P99))
        },
        "batch_of_ten": {
            "slowest_record_ms": round(1000 * statistics.median(times.slowest), 1),
            "batch_ms": round(1000 * statistics.median(times.batches), 1),
            "ratio": round(statistics.median(times.batches) / statistics.median(times.slowest), 3),
            "goal": GOAL_BATCH,
        },
        "cold_start": {
            "boto3_ms": round(1000 * statistics.median(starts.boto3), 1),
            "import_ms": round(1000 * statistics.median(starts.imports), 1),
            "first_change_ms": round(1000 * statistics.median(starts.first), 1),
            "later_change_ms": round(1000 * statistics.median(starts.later), 1),
            "import_ratio": round(statistics.median(starts.imports) / statistics.median(starts.boto3), 2),
            "import_goal": GOAL_IMPORT,
            "first_extra_seconds": round(statistics.median(starts.first) - statistics.median(starts.later), 3),
            "first_goal": GOAL_FIRST,
        },
    }


def table(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the report, as Markdown."""
    yield "| | HEAD and COPY alone, ms | as a change, ms | ratio | goal |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for name, row in found["one_object"].items():
        bare, taken = row["head_and_copy_ms"], row["change_ms"]
        yield f"| one object, {name} | {bare} | {taken} | {row['ratio']} | {row['goal']} |"
    row = found["batch_of_ten"]
    slowest, batch = row["slowest_record_ms"], row["batch_ms"]
    yield f"| ten objects, beside the slowest | {slowest} | {batch} | {row['ratio']} | {row['goal']} |"
    row = found["cold_start"]
    yield ""
    yield "| cold start | ms | budget |"
    yield "| --- | ---: | --- |"
    yield f"| importing boto3, making a client | {row['boto3_ms']} | |"
    yield f"| importing the handler | {row['import_ms']} | {GOAL_IMPORT:g} times that: {row['import_ratio']} |"
    yield f"| the first change | {row['first_change_ms']} | {GOAL_FIRST:g} s more than a later one |"
    yield f"| a later change | {row['later_change_ms']} | |"


def main() -> int:
    """Read the command line, measure, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--latency", type=float, nargs=2, default=(5.0, 80.0), metavar=("LOCAL_MS", "FAR_MS"))
    parser.add_argument("--others", type=float, default=0.0, help="milliseconds of each request to DynamoDB and SQS")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options: Any = parser.parse_args()
    with stage(WORLD) as there:
        handle = load_handler(there.function_environment())
        there.control("POST", "latency", {"local_ms": options.latency[0], "cross_region_ms": options.latency[1]})
        if options.others:
            delays = [
                {"service": name, "operation": "*", "principal": "user", "then": {"delay_ms": options.others}}
                for name in ("dynamodb", "sqs")
            ]
            there.control("POST", "faults", delays)
        found = figures(measure(there, handle, options.rounds), cold_starts(there, STARTS))
    found |= {"latency_ms": options.latency, "others_ms": options.others, "machine": f"{os.cpu_count()} cores"}
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print("\n".join(table(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
