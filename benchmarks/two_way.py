"""A sustained load on two stacks that replicate each other's buckets: what is lost, refused and given up.

It uses the real handlers, queues, tables and filters on the emulator, whose loop detection refuses batches as Lambda
does. Users write new keys on both sides in turn, as many a second as are offered or as the machine takes. With known
peers, each stack drops the echoes of the other; without, each echo invokes a function and lends its chain to its batch.

    .venv/bin/python -m benchmarks.two_way --writes 200 --seconds 300
    .venv/bin/python -m benchmarks.two_way --peers unknown --patience 900
"""

import argparse
import itertools
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.running import Options, Running, running

SIDES = {"east": "us-east-1", "west": "us-west-2"}
OTHER = {"east": "west", "west": "east"}
STRANGERS = "AROASTRANGERS:of-no-stack"
WRITERS = 8
"""Threads that write. Each waits for its turn, or writes at once if it is late."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is offered: writes a second on both sides together, for so many seconds.

    known_peers: echoes are dropped. latency_ms: of each request to another Region. concurrency: the invocations that a
    queue may have at once. The slower and fewer the invocations, the more messages share a batch and its chain.
    """

    writes: float
    seconds: float
    known_peers: bool = True
    latency_ms: float = 0.0
    concurrency: int = 4

    @property
    def world(self) -> dict[str, Any]:
        """Return the world: two buckets, and a stack beside each."""
        parameters = {"MaximumConcurrency": str(self.concurrency)}
        if not self.known_peers:
            parameters["PeerPrincipals"] = STRANGERS
        rules = {side: {side: {"Rules": [_rule(side)]}} for side in SIDES}
        stacks = [
            {"name": f"rep-{side}", "region": region, "rules": rules[side], "parameters": parameters}
            for side, region in SIDES.items()
        ]
        return {"buckets": [{"name": side, "region": region} for side, region in SIDES.items()], "stacks": stacks}


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the load. missing: writes without a replica in the end. seconds: until all was at rest.

    delivered: messages that functions received, as often as they did.
    """

    written: int
    write_seconds: float
    seconds: float
    at_rest: bool
    missing: int
    waiting: int
    refused: int
    dead_letters: int
    invocations: int
    delivered: int

    @property
    def lost(self) -> int | None:
        """Return the writes that have no replica; None while some may still be on their way to one."""
        return self.missing if self.at_rest else None


def run(load: Load, patience: float = 120.0, options: Options | None = None) -> Counts:
    """Offer the load, wait up to `patience` seconds until all is at rest, and count."""
    with running(load.world, options or Options()) as aws:
        aws.post("/latency", {"local_ms": 0, "cross_region_ms": load.latency_ms})
        functions = aws.host.functions
        before = functions.invocations.total()
        began = time.monotonic()
        keys = _write(aws, load)
        wrote = time.monotonic()
        at_rest = aws.idle(patience)
        return Counts(
            written=len(keys),
            write_seconds=wrote - began,
            seconds=time.monotonic() - began,
            at_rest=at_rest,
            missing=len(keys - _present(aws)),
            waiting=sum(_messages(aws, side, "ChangeQueue") for side in SIDES),
            refused=sum(_refused(aws, side) for side in SIDES),
            dead_letters=sum(_messages(aws, side, "DeadLetterQueue") for side in SIDES),
            invocations=functions.invocations.total() - before,
            delivered=functions.messages.total(),
        )


def _rule(side: str) -> dict[str, Any]:
    return {
        "ID": f"{side} to {OTHER[side]}",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{OTHER[side]}"},
    }


def _write(aws: Running, load: Load) -> set[tuple[str, str]]:
    """Write new keys for the time of the load; return (the bucket that must have a replica, key) of each."""
    clients = {side: aws.client("s3", region) for side, region in SIDES.items()}
    numbers, written, lock = itertools.count(), set(), threading.Lock()
    began = time.monotonic()

    def work() -> None:
        while True:
            with lock:
                number = next(numbers)
            due = began + number / load.writes
            if due >= began + load.seconds or time.monotonic() >= began + load.seconds:
                return
            time.sleep(max(0.0, due - time.monotonic()))
            side = ("east", "west")[number % 2]
            clients[side].put_object(Bucket=side, Key=f"{side}-{number:07d}", Body=b"x")
            with lock:
                written.add((OTHER[side], f"{side}-{number:07d}"))

    threads = [threading.Thread(target=work, name=f"writer {number}") for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return written


def _present(aws: Running) -> set[tuple[str, str]]:
    return {
        (side, each["Key"])
        for side, region in SIDES.items()
        for page in aws.client("s3", region).get_paginator("list_objects_v2").paginate(Bucket=side)
        for each in page.get("Contents", [])
    }


def _messages(aws: Running, side: str, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = aws.outputs(f"rep-{side}")[queue]
    answer = aws.client("sqs", SIDES[side]).get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(value) for value in answer["Attributes"].values())


def _refused(aws: Running, side: str) -> int:
    """Return how many batches were refused by loop detection: the metric that the stack's alarm watches."""
    now = datetime.now(UTC)
    answer = aws.client("cloudwatch", SIDES[side]).get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="RecursiveInvocationsDropped",
        Dimensions=[{"Name": "FunctionName", "Value": f"rep-{side}-replicate"}],
        StartTime=now - timedelta(days=1),
        EndTime=now + timedelta(hours=1),
        Period=3600 * 25,
        Statistics=["Sum"],
    )
    return int(sum(each["Sum"] for each in answer["Datapoints"]))


def table(load: Load, counts: Counts) -> Iterator[str]:
    """Yield the lines of the report."""
    yield f"{'peers':28}{'known' if load.known_peers else 'unknown'}"
    yield f"{'latency between Regions':28}{load.latency_ms:.0f} ms"
    yield f"{'concurrency of a queue':28}{load.concurrency}"
    yield f"{'writes a second, offered':28}{load.writes:.0f}"
    yield f"{'writes a second, accepted':28}{counts.written / counts.write_seconds:.0f}"
    yield f"{'written':28}{counts.written:,}"
    yield f"{'at rest after':28}{counts.seconds:.0f} s{'' if counts.at_rest else ', not at rest'}"
    yield f"{'lost':28}{'not known yet' if counts.lost is None else counts.lost}"
    yield f"{'without a replica':28}{counts.missing:,}"
    yield f"{'messages waiting':28}{counts.waiting:,}"
    yield f"{'batches refused':28}{counts.refused:,}"
    yield f"{'dead letters':28}{counts.dead_letters:,}"
    yield f"{'invocations':28}{counts.invocations:,}"
    yield f"{'messages in these':28}{counts.delivered:,}"


def main() -> int:
    """Run the load with known peers, with unknown ones, or both, and print what became of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.two_way", description=__doc__.partition("\n")[0])
    parser.add_argument("--writes", type=float, default=20, help="writes a second, both sides together")
    parser.add_argument("--seconds", type=float, default=20, help="how long they are offered")
    parser.add_argument("--peers", choices=("known", "unknown", "both"), default="known")
    parser.add_argument("--patience", type=float, default=120, help="seconds to wait afterwards until all is at rest")
    parser.add_argument("--latency", type=float, default=0, help="milliseconds of each request to another Region")
    parser.add_argument("--concurrency", type=int, default=4, help="invocations that a queue may have at once")
    options = parser.parse_args()
    peers = {"known": (True,), "unknown": (False,), "both": (True, False)}[options.peers]
    bad = False
    for known in peers:
        load = Load(options.writes, options.seconds, known, options.latency, options.concurrency)
        counts = run(load, options.patience)
        print("\n".join(table(load, counts)), flush=True)
        bad = bad or bool(counts.lost or counts.refused or counts.dead_letters or not counts.at_rest)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
