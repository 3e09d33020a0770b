"""What a stack uses while many objects go through it: memory of its functions, CPU and requests for an object, backlog.

The real handlers, queues and table on the emulator, for as long as the objects take. Each sample is taken after the
same number of objects, so that a function that keeps something of each object shows.

    .venv/bin/python -m benchmarks.soak --objects 100000 --json FILE --plot docs/soak.svg
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks._chart import Chart, Line
from benchmarks._measuring import cpu_of_children, resident_of_children
from emulator.running import Running, running

SOURCE, DESTINATION = "east", "west"
RULE = {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": f"arn:aws:s3:::{DESTINATION}"}}
WORLD = {
    "buckets": [{"name": SOURCE, "region": "us-east-1"}, {"name": DESTINATION, "region": "us-west-2"}],
    "stacks": [{"name": "soak", "region": "us-east-1", "rules": {SOURCE: {"Rules": [RULE]}}}],
}
SAMPLES = 20
AHEAD = 200
"""Objects that may be written before those in front of them are replicated."""
PATIENCE = 300.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Figures after so many objects. memory_mb: of the largest process of a function. waiting: messages at most.

    cpu_ms and requests are those of one object, since the sample before.
    """

    objects: int
    seconds: float
    memory_mb: float
    cpu_ms: float
    requests: float
    waiting: int


class Soak:
    """One run: writes objects, no faster than they are replicated, and samples."""

    def __init__(self, aws: Running) -> None:
        self._aws = aws
        self._s3 = aws.client("s3")
        self._began = time.monotonic()
        self._cpu = cpu_of_children()
        self._most = 0

    def run(self, objects: int) -> list[Sample]:
        """Write the objects, and return a sample of each twentieth of them."""
        step, samples = max(1, objects // SAMPLES), list[Sample]()
        for written in range(1, objects + 1):
            self._s3.put_object(Bucket=SOURCE, Key=f"{written:09}", Body=b"x")
            if written % AHEAD == 0:
                self._wait()
            if written % step == 0:
                samples.append(self._sample(written, step))
        return samples

    def _wait(self) -> None:
        self._most = max(self._most, self._waiting())
        if not self._aws.idle(PATIENCE):
            raise RuntimeError("the stack does not come to rest")

    def _waiting(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self._aws.outputs("soak")["ChangeQueue"]
        answer = self._aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(map(int, answer["Attributes"].values()))

    def _sample(self, written: int, step: int) -> Sample:
        self._wait()
        cpu, requests = cpu_of_children(), self._aws.get("/requests")
        self._aws.delete("/requests")
        ours = [each for each in requests if each["principal"] == "replicator"]
        sample = Sample(
            written,
            round(time.monotonic() - self._began, 1),
            round(resident_of_children() / 1e6, 1),
            round(1000 * (cpu - self._cpu) / step, 2),
            round(len(ours) / step, 3),
            self._most,
        )
        self._cpu, self._most = cpu, 0
        return sample


def plot(samples: Sequence[Sample]) -> Chart:
    """Return a chart of memory and CPU by objects; the dashed lines stay at the first sample."""
    chart = Chart(
        title="What a function uses while objects go through it",
        across="objects so far",
        up="MB, ms",
        dots="now",
        is_linear=True,
    )
    series = {
        "memory, MB": [(each.objects, each.memory_mb) for each in samples],
        "CPU, ms/object": [(each.objects, each.cpu_ms) for each in samples],
    }
    for name, points in series.items():
        flat = [(each, points[0][1]) for each, _ in points]
        chart.add(Line(name, points, flat, points[-1]))
    return chart


def table(samples: Sequence[Sample]) -> Iterator[str]:
    """Yield the lines of the report, as Markdown."""
    yield "| objects | seconds | MB of a function | CPU ms/object | requests/object | messages waiting at most |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: |"
    for each in samples:
        yield (
            f"| {each.objects:,} | {each.seconds:,.0f} | {each.memory_mb:.1f} | {each.cpu_ms:.1f} | "
            f"{each.requests:.2f} | {each.waiting:,} |"
        )


def replicated(aws: Running) -> int:
    """Return the number of objects at the destination."""
    pages = aws.client("s3", "us-west-2").get_paginator("list_objects_v2").paginate(Bucket=DESTINATION)
    return sum(len(page.get("Contents", ())) for page in pages)


def document(samples: Sequence[Sample], arrived: int) -> Mapping[str, Any]:
    """Return all figures as one value."""
    return {"machine": f"{os.cpu_count()} cores", "replicated": arrived, "samples": [asdict(each) for each in samples]}


def main() -> int:
    """Read the command line, run, and print the table. Status 1: objects are missing at the destination."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--objects", type=int, default=2_000)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--plot", type=Path, help="write the chart to this SVG file")
    options: Any = parser.parse_args()
    if options.objects < SAMPLES:
        parser.error(f"--objects must be at least {SAMPLES}")
    with running(WORLD) as aws:
        aws.idle()
        samples = Soak(aws).run(options.objects)
        arrived = replicated(aws)
    if options.json:
        options.json.write_text(json.dumps(document(samples, arrived), indent=2) + "\n", encoding="utf-8")
    if options.plot:
        options.plot.write_text(plot(samples).svg(), encoding="utf-8")
    print("\n".join(table(samples)))
    print(f"\n{arrived:,} of {options.objects:,} are replicated")
    return 0 if arrived == options.objects else 1


if __name__ == "__main__":
    sys.exit(main())
