"""What rclone, s5cmd, `aws s3 sync` and the product take for the same objects on the same server, and what each loses.

All copy small objects between two Regions of one emulator, whose requests take as long as between Regions: requests and
CPU for an object, seconds by the number of copies at a time, memory. The product copies twice: existing objects by
`resync`, and new ones from their events. Then the copies of a few special keys are compared with their source, field by
field. Peers are programs that are installed: those on PATH, or those named. None is downloaded.

    .venv/bin/python -m benchmarks.peers --objects 1000 --rclone /path/to/rclone --s5cmd ... --aws ... --json FILE
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks._fidelity import Kept, compare, histories, write
from benchmarks._measuring import Spent, call, measuring, surroundings
from emulator.running import Options, Running, running

HOME, AWAY = "us-east-1", "us-west-2"
EXISTING, NEW = "existing", "new"
PEERS = ("rclone", "s5cmd", "aws")
STACK = "replicator"
BYTES = 10_000
BATCH = 10
"""Objects that one function copies at a time."""
WRITERS = 8
NAMES = {"aws": "aws s3 sync", EXISTING: "s3replicator resync", NEW: "s3replicator, from events"}
PATIENCE = 1800.0


@dataclass(frozen=True, slots=True)
class Work:
    """What is copied: plain objects, or keys of each special kind. local_ms, far_ms: latency of a request to S3."""

    objects: int = 0
    special: int = 0
    local_ms: float = 0.0
    far_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """What one tool took with so many copies at a time, and what it kept."""

    workers: int
    spent: Spent
    kept: Kept


def destination(name: str) -> str:
    """Return the bucket that a tool copies to."""
    return f"to-{name}"


def world() -> dict[str, Any]:
    """Return the buckets of all tools, and the stack. All have ACLs and Object Lock, so that either may be lost."""
    settings = {"object_lock": True, "ownership": "ObjectWriter", "block_public_access": False}
    sources = [{"name": name, "region": HOME, **settings} for name in (EXISTING, NEW)]
    others = [{"name": destination(name), "region": AWAY, **settings} for name in (*PEERS, EXISTING, NEW)]
    buckets = {"SourceBuckets": f"{EXISTING},{NEW}", "DestinationBuckets": ",".join(map(destination, (EXISTING, NEW)))}
    stack = {"name": STACK, "region": HOME, "parameters": buckets, "rules": {}}
    return {"buckets": [*sources, *others], "stacks": [stack]}


def rules(source: str) -> dict[str, Any]:
    """Return rules that replicate a bucket with its delete markers, parts kept."""
    rule = {
        "ID": "everything",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{destination(source)}"},
        "ReplicatorOptions": {"PreserveETag": "Enabled"},
    }
    return {"Rules": [rule]}


def write_objects(aws: Running, bucket: str, work: Work) -> None:
    """Write the plain objects and the special ones."""
    s3 = aws.client("s3")

    def put(number: int) -> None:
        s3.put_object(Bucket=bucket, Key=f"plain/{number:08}", Body=number.to_bytes(8) * (BYTES // 8))

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(put, range(work.objects)))
    write(s3, bucket, work.special)


def command_of(peer: str, program: str, workers: int, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Return the command that copies the whole bucket with a peer, and what its environment needs besides."""
    source, target = f"s3://{EXISTING}", f"s3://{destination(peer)}"
    if peer == "aws":
        config = folder / "aws-config"
        config.write_text(f"[default]\ns3 =\n  max_concurrent_requests = {workers}\n", encoding="utf-8")
        regions = ["--source-region", HOME, "--region", AWAY]
        return [program, "s3", "sync", source, target, "--only-show-errors", *regions], {"AWS_CONFIG_FILE": str(config)}
    if peer == "s5cmd":
        regions = ["--source-region", HOME, "--destination-region", AWAY]
        return [program, "--numworkers", str(workers), "cp", *regions, f"{source}/*", f"{target}/"], {}
    remotes = {
        f"RCLONE_CONFIG_{name}_{key}": value
        for name, region in (("HOME", HOME), ("AWAY", AWAY))
        for key, value in {"TYPE": "s3", "PROVIDER": "Other", "ENV_AUTH": "true", "REGION": region}.items()
    }
    many = ["--server-side-across-configs", "--transfers", str(workers), "--checkers", str(workers)]
    return [program, "copy", f"home:{EXISTING}", f"away:{destination(peer)}", *many], remotes


def with_peer(aws: Running, peer: str, program: str, workers: int, folder: Path) -> Spent:
    """Copy the bucket with a peer."""
    command, more = command_of(peer, program, workers, folder)
    environment = {**surroundings(aws), **more}
    if peer == "rclone":
        environment |= {f"RCLONE_CONFIG_{name}_ENDPOINT": aws.endpoint for name in ("HOME", "AWAY")}
    if peer == "s5cmd":
        environment["S3_ENDPOINT_URL"] = aws.endpoint
    found: list[Spent] = []
    with measuring(NAMES.get(peer, peer), aws, found.append) as spent:
        call(command, environment, spent)
    return found[0]


def with_resync(aws: Running, folder: Path) -> Spent:
    """Copy the objects from before the rules."""
    product(aws, folder, "rules", "put", EXISTING, rules_file(folder, EXISTING))
    found: list[Spent] = []
    with measuring(NAMES[EXISTING], aws, found.append):
        product(aws, folder, "resync", EXISTING, "--yes")
    return found[0]


def with_events(aws: Running, folder: Path, work: Work) -> Spent:
    """Copy new objects from their events, which wait until all are written: only the copying is measured."""
    product(aws, folder, "rules", "put", NEW, rules_file(folder, NEW))
    with held_back(aws):
        write_objects(aws, NEW, work)
    found: list[Spent] = []
    with measuring(NAMES[NEW], aws, found.append):
        switch(aws, on=True)
        if not aws.idle(PATIENCE):
            raise RuntimeError("the events are not all processed: there are no figures")
    return found[0]


@contextmanager
def held_back(aws: Running) -> Iterator[None]:
    """Let the events of the block wait on their queue. The latency of requests is that of others."""
    latency = aws.get("/latency")
    switch(aws, on=False)
    aws.post("/latency", {})
    yield
    aws.post("/latency", latency)


def switch(aws: Running, *, on: bool) -> None:
    """Let Lambda poll the change queue, or stop that."""
    client = aws.client("lambda", HOME)
    queue = aws.outputs(STACK)["ChangeQueue"].rpartition("/")[2]
    for each in client.list_event_source_mappings(FunctionName=f"{STACK}-replicate")["EventSourceMappings"]:
        if each["EventSourceArn"].endswith(f":{queue}"):
            client.update_event_source_mapping(UUID=each["UUID"], Enabled=on)


def rules_file(folder: Path, source: str) -> str:
    """Write the rules of a bucket, and return the path."""
    path = folder / f"{source}.json"
    path.write_text(json.dumps(rules(source)), encoding="utf-8")
    return str(path)


def product(aws: Running, folder: Path, *arguments: str) -> None:
    """Call the command of the product."""
    command = shutil.which("s3replicator", path=Path(sys.executable).parent) or "s3replicator"
    environment = {**surroundings(aws), "S3REPLICATOR_STACK": STACK, "HOME": str(folder)}
    call([command, *arguments], environment)


def measure(work: Work, workers: int, programs: Mapping[str, str]) -> list[Found]:
    """Copy the same objects with everything that is there, one after the other."""
    options = Options(processes_per_function=max(1, workers // BATCH))
    with running(world(), options) as aws, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_objects(aws, EXISTING, work)
        aws.post("/latency", {"local_ms": work.local_ms, "cross_region_ms": work.far_ms})
        found = {peer: with_peer(aws, peer, program, workers, folder) for peer, program in programs.items()}
        found[EXISTING] = with_resync(aws, folder)
        found[NEW] = with_events(aws, folder, work)
        aws.post("/latency", {})
        return [Found(workers, spent, _kept(aws, tool)) for tool, spent in found.items()]


def _kept(aws: Running, tool: str) -> Kept:
    source = NEW if tool == NEW else EXISTING
    return compare(histories(aws.client("s3"), source), histories(aws.client("s3", AWAY), destination(tool)))


def version(program: str) -> str:
    """Return what a program says of its version."""
    argument = "--version" if Path(program).name.startswith("aws") else "version"
    lines = subprocess.run([program, argument], check=True, capture_output=True, text=True).stdout.splitlines()
    return lines[0] if lines else "unknown"


def document(work: Work, found: Sequence[Found], kept: Sequence[Found], programs: Mapping[str, str]) -> dict[str, Any]:
    """Return all figures as one value."""
    return {
        "machine": f"{os.cpu_count()} cores",
        "objects": work.objects,
        "bytes": BYTES,
        "latency_ms": {"local": work.local_ms, "cross_region": work.far_ms},
        "versions": {peer: version(program) for peer, program in programs.items()},
        "measured": [
            {"tool": each.spent.name, "workers": each.workers, **each.spent.per(work.objects)} for each in found
        ],
        "kept": {
            each.spent.name: {name: [each.kept.kept[name], each.kept.had[name]] for name in each.kept.had}
            for each in kept
        },
    }


def table(work: Work, found: Sequence[Found], kept: Sequence[Found]) -> Iterator[str]:
    """Yield the lines of the report, as Markdown."""
    latency = f"requests take {work.local_ms:g} ms, between Regions {work.far_ms:g} ms"
    yield f"{work.objects:,} objects of {BYTES:,} bytes, {os.cpu_count()} cores; {latency}"
    yield ""
    yield "| | at a time | seconds | objects/s | CPU ms/object | requests/object | MB at most | server CPU ms/object |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for each in found:
        row = each.spent.per(work.objects)
        yield (
            f"| {each.spent.name} | {each.workers} | {row['seconds']:.1f} | {row['objects_per_second']:.0f} | "
            f"{row['cpu_ms']:.1f} | {row['requests']:.2f} | {row['peak_mb']:.0f} | {row['server_cpu_ms']:.1f} |"
        )
    yield ""
    for each in found[-len({every.spent.name for every in found}) :]:
        often = each.spent.per(work.objects)["by_operation"].items()
        yield f"- {each.spent.name}: {', '.join(f'{name} {count:g}' for name, count in often if count >= 0.02)}"
    yield ""
    yield f"| kept at the destination | {' | '.join(each.spent.name for each in kept)} |"
    yield f"| --- |{' --- |' * len(kept)}"
    for name in kept[0].kept.had:
        yield f"| {name} | {' | '.join(each.kept.words(name) for each in kept)} |"


def main() -> int:
    """Read the command line, measure, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__.partition("\n")[0])
    parser.add_argument("--objects", type=int, default=1_000)
    parser.add_argument("--workers", type=int, nargs="+", default=(10, 40), help="copies at a time, tens of them")
    parser.add_argument("--special", type=int, default=5, help="keys of each kind that are compared field by field")
    parser.add_argument("--latency", type=float, nargs=2, default=(5.0, 80.0), metavar=("LOCAL_MS", "FAR_MS"))
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    for peer in PEERS:
        parser.add_argument(f"--{peer}", default=shutil.which(peer), help=f"the program (default: {peer} on PATH)")
    options: Any = parser.parse_args()
    if options.objects < 1 or options.special < 1 or any(each < 1 for each in options.workers):
        parser.error("--objects, --special and --workers must be at least 1")
    programs = {peer: program for peer in PEERS if (program := getattr(options, peer))}
    for peer in sorted(set(PEERS) - set(programs)):
        print(f"{peer} is not on PATH: left out (or name it with --{peer})", file=sys.stderr)
    work = Work(options.objects, 0, *options.latency)
    found = [each for workers in options.workers for each in measure(work, workers, programs)]
    kept = measure(Work(special=options.special), options.workers[0], programs)
    if options.json:
        options.json.write_text(json.dumps(document(work, found, kept, programs), indent=2) + "\n", encoding="utf-8")
    print("\n".join(table(work, found, kept)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
