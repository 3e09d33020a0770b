"""Whether an object costs as much after a million others, and with a thousand rules, as the first one with one rule.

By objects: the flows run on the fakes of the tests, which forget what is done, so that all that grows is the product's.
By rules: the real handler copies objects of several buckets on an emulator in another process, in turns; the buckets
differ in the number of their rules, of which the last one applies.

    .venv/bin/python -m benchmarks.growth --objects 1000000 --rules 1 10 100 1000 --json FILE
"""

import argparse
import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from replicator.flows.change.consume import consume

from benchmarks._handler import AWAY, HOME, STACK, Handle, Stage, load_handler, stage
from tests.fakes.rules import rule
from tests.fakes.stored import Content
from tests.flows import stage as flows

BATCH = 10
SLICE = 1_000
"""Objects over which CPU is measured: the last ones before each number."""
OBJECTS_A_ROUND = 50
DESTINATION = "west"
FIRST = 1_000


@dataclass(frozen=True, slots=True)
class Point:
    """Figures after so many objects, or with so many rules. cpu_us: of one object. grown_kb: memory since the start."""

    count: int
    cpu_us: float
    grown_kb: float = 0.0
    ratio: float = 1.0


def by_objects(most: int) -> list[Point]:
    """Copy this many small objects on fakes, and measure the last thousand of 1,000, 10,000, and so on."""
    there = flows.Stage([rule(flows.WEST)])
    points, at, spent, start = list[Point](), FIRST, 0.0, 0
    for done in range(BATCH, most + 1, BATCH):
        keys = [f"key/{number:09}" for number in range(done - BATCH, done)]
        for key in keys:
            there.s3.put(flows.EAST, key, Content(b"bytes"))
        spent += _consume(there)
        _forget(there, keys)
        if done % SLICE == 0:
            if done == at:
                start = start or _resident()
                points.append(Point(done, 1e6 * spent / SLICE, (_resident() - start) / 1024))
                at = min(10 * at, most) if at < most else most + 1
            spent = 0.0
    return points


def _consume(there: flows.Stage) -> float:
    """Deliver what is on the queue as one batch; return the CPU seconds."""
    messages = [there.queue.receive(message) for message in there.queue.visible()]
    began = time.process_time()
    waiting = consume(messages, there.consumer, there.time_limit())
    taken = time.process_time() - began
    if waiting:
        raise RuntimeError("changes are not done: there are no figures")
    there.queue.delete([message.id for message in messages])
    return taken


def _forget(there: flows.Stage, keys: Sequence[str]) -> None:
    """Empty the fakes: on AWS, none of this is in the function's memory."""
    for bucket in there.s3.buckets.values():
        for key in keys:
            bucket.histories.pop(key, None)
    there.points.calls.clear()
    there.measures.recorded.clear()
    there.log.outcomes.clear()
    there.journal.entries.clear()
    there.journal.notes.clear()


def _resident() -> int:
    """Return the bytes of memory that this process has now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def bucket_of(rules: int) -> str:
    """Return the name of the source bucket with this many rules."""
    return f"rules-{rules}"


def world(counts: Sequence[int]) -> dict[str, Any]:
    """Return a world with a source bucket for each number of rules."""
    sources = [bucket_of(count) for count in counts]
    return {
        "buckets": [{"name": DESTINATION, "region": AWAY}, *({"name": name, "region": HOME} for name in sources)],
        "stacks": [
            {
                "name": STACK,
                "region": HOME,
                "parameters": {"SourceBuckets": ",".join(sources), "DestinationBuckets": DESTINATION},
                "rules": {bucket_of(count): {"Rules": list(_rules(count))} for count in counts},
            }
        ],
    }


def _rules(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "ID": f"folder {number}",
            "Priority": number,
            "Status": "Enabled",
            "Filter": {"Prefix": f"folder-{number:04}/"},
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": f"arn:aws:s3:::{DESTINATION}"},
        }


def by_rules(counts: Sequence[int], rounds: int) -> list[Point]:
    """Copy objects of each bucket in turn; compare each round with that of the fewest rules."""
    with stage(world(counts)) as there:
        handle = load_handler(there.function_environment())
        found: dict[int, list[float]] = {count: [] for count in counts}
        for number in range(rounds + 1):
            for count in counts:
                spent = _copy(there, handle, count, f"{number}")
                if number:  # in the first one, rules are read and connections made
                    found[count].append(spent)
    first = found[counts[0]]
    ratios = {count: [each / base for each, base in zip(found[count], first, strict=True)] for count in counts}
    return [
        Point(count, 1e6 * statistics.median(found[count]), ratio=statistics.median(ratios[count])) for count in counts
    ]


def _copy(there: Stage, handle: Handle, rules: int, label: str) -> float:
    """Copy some objects of the bucket with this many rules; return the CPU seconds of one."""
    s3, bucket = there.client("s3"), bucket_of(rules)
    for number in range(OBJECTS_A_ROUND):
        s3.put_object(Bucket=bucket, Key=f"folder-{rules - 1:04}/{label}/{rules}/{number}", Body=b"x")
    records = there.receive(OBJECTS_A_ROUND)
    batches = [records[start : start + BATCH] for start in range(0, len(records), BATCH)]
    began = time.process_time()
    for batch in batches:
        handle(batch)
    spent = time.process_time() - began
    there.delete(records)
    return spent / OBJECTS_A_ROUND


def table(objects: Sequence[Point], rules: Sequence[Point]) -> Iterator[str]:
    """Yield the lines of the report, as Markdown."""
    yield "| objects so far | CPU of the flows, us/object | memory since the first 1,000, KB |"
    yield "| ---: | ---: | ---: |"
    for each in objects:
        yield f"| {each.count:,} | {each.cpu_us:.0f} | {each.grown_kb:,.0f} |"
    yield ""
    yield "| rules of the bucket | CPU of the handler, us/object | beside the first, in the same round |"
    yield "| ---: | ---: | ---: |"
    for each in rules:
        yield f"| {each.count:,} | {each.cpu_us:,.0f} | {each.ratio:.2f} |"


def document(objects: Sequence[Point], rules: Sequence[Point]) -> Mapping[str, Any]:
    """Return all figures as one value."""
    by = {"objects": [asdict(each) for each in objects], "rules": [asdict(each) for each in rules]}
    return {"machine": f"{os.cpu_count()} cores", **by}


def main() -> int:
    """Read the command line, measure, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__.partition("\n")[0])
    parser.add_argument("--objects", type=int, default=100_000, help="how many are copied on fakes; whole thousands")
    parser.add_argument("--rules", type=int, nargs="+", default=(1, 10, 100, 1_000))
    parser.add_argument("--rounds", type=int, default=8, help=f"of {OBJECTS_A_ROUND} objects, for each number of rules")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options: Any = parser.parse_args()
    if options.objects % FIRST or not options.objects or not all(0 < each <= 1_000 for each in options.rules):
        parser.error("--objects must be whole thousands, --rules 1 to 1,000")
    objects, rules = by_objects(options.objects), by_rules(options.rules, options.rounds)
    if options.json:
        options.json.write_text(json.dumps(document(objects, rules), indent=2) + "\n", encoding="utf-8")
    print("\n".join(table(objects, rules)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
