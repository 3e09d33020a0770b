"""How long 1, 2, 4 and 8 real workers take to copy one object on the emulator, compared with the ideal and the model.

It uses the real handlers, queues and table, with one process per worker. Each part takes a fixed time, so that the
result depends on the fan-out and not on the machine. In the ideal, every lane copies without a pause from the event to
the replica; the model is that of fan_out.py, with the time of a request measured in the same run.

    .venv/bin/python -m benchmarks.workers --parts 32 --part-seconds 4
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from replicator.core.parts.cost import CostModel
from replicator.core.parts.parts import MIB

from benchmarks.fan_out import run
from emulator.running import Options, Running, running

PART = 5 * MIB
WORKERS = (1, 2, 4, 8)
WARMING = 1.0
"""Seconds that each part takes during warm-up: long enough for every worker to start."""
RULE = {
    "ID": "everything", "Priority": 1, "Status": "Enabled", "Filter": {"Prefix": ""},
    "DeleteMarkerReplication": {"Status": "Disabled"}, "Destination": {"Bucket": "arn:aws:s3:::west"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setup:
    """What is measured. `lanes`: how many parts a worker copies at a time."""

    parts: int
    part_seconds: float
    lanes: int

    @property
    def size(self) -> int:
        """Return the size of the object in bytes."""
        return self.parts * PART

    def ideal(self, workers: int) -> float:
        """Return the seconds if every lane copies without a pause."""
        return -(-self.parts // (workers * self.lanes)) * self.part_seconds

    def modelled(self, workers: int, request_seconds: float) -> float:
        """Return the seconds that the model predicts with workers already started."""
        model = CostModel(
            multipart_from=PART,
            spread_from=PART,
            part_size=PART,
            bytes_per_second=PART / self.part_seconds,
            request_seconds=request_seconds,
            side_by_side=self.lanes,
            functions=workers,
            first_functions=workers,
            start_seconds=0.0,
        )
        return run(self.size, model).seconds


@contextmanager
def stack(workers: int, setup: Setup) -> Iterator[Running]:
    """Run an emulator whose stack spreads every object of more than one part over this many workers."""
    world: dict[str, Any] = {
        "buckets": [{"name": "east", "region": "us-east-1"}, {"name": "west", "region": "us-west-2"}],
        "stacks": [
            {
                "name": "bench",
                "region": "us-east-1",
                "parameters": {
                    "DestinationBuckets": "west",
                    "MultipartThreshold": str(PART),
                    "SpreadThreshold": str(PART),
                    "PartSize": str(PART),
                    "PartsSideBySide": str(setup.lanes),
                    "MaximumConcurrency": str(max(2, workers)),
                    "CopyBytesPerSecond": str(round(PART / setup.part_seconds)),
                },
                "rules": {"east": {"Rules": [RULE]}},
            }
        ],
    }
    with running(world, Options(processes_per_function=workers)) as emulator:
        slow_down(emulator, WARMING)
        copy(emulator, "warm", workers * setup.lanes * 2)
        slow_down(emulator, setup.part_seconds)
        yield emulator


def slow_down(emulator: Running, seconds: float) -> None:
    """Make each part take this many seconds."""
    emulator.delete("faults")
    emulator.post("faults", [{"service": "s3", "operation": "UploadPartCopy", "then": {"delay_ms": seconds * 1000}}])


def copy(emulator: Running, key: str, parts: int) -> float:
    """Write an object of this many parts, and return the seconds until its replica exists."""
    emulator.client("s3").put_object(Bucket="east", Key=key, Body=bytes(parts * PART))
    began = time.monotonic()
    there = emulator.client("s3", "us-west-2")
    while not there.list_object_versions(Bucket="west", Prefix=key).get("Versions"):
        time.sleep(0.05)
    taken = time.monotonic() - began
    emulator.idle()
    return taken


def seconds_of_a_request(emulator: Running) -> float:
    """Return the median time of a request while nothing else runs."""
    s3, taken = emulator.client("s3"), []
    for _ in range(20):
        began = time.monotonic()
        s3.head_object(Bucket="east", Key="warm")
        taken.append(time.monotonic() - began)
    return median(taken)


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers", description=__doc__.partition("\n")[0])
    parser.add_argument("--parts", type=int, default=32, help="parts of the object, 5 MiB each")
    parser.add_argument("--part-seconds", type=float, default=4.0, help="seconds that each part takes")
    parser.add_argument("--lanes", type=int, default=2, help="parts that a worker copies at a time")
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS, help="numbers of workers to measure")
    options = parser.parse_args()
    setup = Setup(options.parts, options.part_seconds, options.lanes)
    print(f"{setup.parts} parts of {setup.part_seconds} s; each worker copies {setup.lanes} at a time")
    print("The longer a part takes, the less the machine matters.")
    print(f"{'workers':>7} {'ideal':>6} {'seconds':>8} {'efficiency':>10} {'model':>6} {'efficiency':>10}")
    for workers in options.workers:
        with stack(workers, setup) as emulator:
            request = seconds_of_a_request(emulator)
            taken = copy(emulator, "measured", setup.parts)
        ideal, model = setup.ideal(workers), setup.modelled(workers, request)
        print(
            f"{workers:>7} {ideal:>6.1f} {taken:>8.1f} {ideal / taken:>10.0%} {model:>6.1f} {ideal / model:>10.0%}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
