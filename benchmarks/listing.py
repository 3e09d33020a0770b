"""What a survey of whole buckets costs: CPU per listed entry, seconds by workers, memory by entries.

CPU: pages of a thousand entries, as S3 writes them, are answered right where a request would be sent, so that nothing
but this process is measured: boto3's paginator on one bucket, the product's listing on the same, and a survey of two
equal buckets, alternately. Workers: buckets that a generator makes up, each request of which takes a fixed time, as it
does over a network. Memory: the most resident bytes of a process of its own that surveys so many entries.

    .venv/bin/python -m benchmarks.listing --most 10000000
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import boto3
from replicator.aws.bucket_listing import BucketListing
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Side
from replicator.core.rules.matching import RuleSet
from replicator.core.verifying.listed import Listed, Span
from replicator.flows.verify.ports import Listing
from replicator.flows.verify.survey import Batch, Survey

from tests.fakes.listings import PAGE, GeneratedListing
from tests.fakes.rules import rule
from tests.unit.wire import Answer, Wire

PAGES = 20
RULES = RuleSet("east", (rule("west"),))
ENTRY = (
    "<Version><Key>data%2F2026%2F11%2F{number:010d}.bin</Key>"
    "<VersionId>3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40{number:010d}</VersionId><IsLatest>true</IsLatest>"
    "<LastModified>2026-11-01T10:11:12.000Z</LastModified><ETag>&quot;{number:032x}&quot;</ETag>"
    "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>1234</Size>"
    "<StorageClass>STANDARD</StorageClass><Owner><ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea5</ID>"
    "</Owner></Version>"
)


class Counting:
    """A consumer that counts keys and doubts."""

    def __init__(self) -> None:
        self.keys = 0
        self.doubts = 0

    def examine(self, batch: Batch) -> Batch:
        """Return the batch."""
        return batch

    def keep(self, found: Batch, left: Sequence[Span]) -> None:
        """Count."""
        del left
        self.keys += found.keys
        self.doubts += len(found.doubts)


def survey(listing: Listing, workers: int = 1) -> Counting:
    """Survey two buckets; nothing may be in doubt."""
    counting = Counting()
    Survey(RULES, listing, counting, workers=workers).run()
    if counting.doubts:
        raise RuntimeError(f"{counting.doubts} keys are in doubt")
    return counting


# CPU


def page(number: int, last: int) -> Answer:
    """Return one page, as S3 writes it."""
    entries = "".join(ENTRY.format(number=each) for each in range(number * PAGE, (number + 1) * PAGE))
    more = str(number < last).lower()
    return Answer(
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>east</Name><Prefix></Prefix><KeyMarker></KeyMarker><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>"
        f"<IsTruncated>{more}</IsTruncated><NextKeyMarker>k{number}</NextKeyMarker>"
        f"<NextVersionIdMarker>v{number}</NextVersionIdMarker>{entries}</ListVersionsResult>"
    )


PAGE_ANSWERS = [page(number, PAGES - 1) for number in range(PAGES)]


def bare(wire: Wire) -> int:
    """List a bucket with boto3's own paginator."""
    client: Any = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")  # noqa: S106
    client.meta.events.register("before-send.s3.*", lambda request, **_: wire.answer(request))
    pages = client.get_paginator("list_object_versions").paginate(Bucket="east")
    return sum(len(each["Versions"]) for each in pages)


def listing_of(wire: Wire) -> BucketListing:
    """Return the product's listing."""
    clients = wire.clients()
    return BucketListing(lambda _target, _side: clients.lister("us-east-1"))


def listed(wire: Wire) -> int:
    """List a bucket as a survey does."""
    return sum(len(each) for each in listing_of(wire).pages(Target("east"), Side.SOURCE, Span()))


def surveyed(wire: Wire) -> int:
    """Survey two equal buckets, and return how many entries were listed."""
    wire.answers[:] = [each for each in PAGE_ANSWERS for _ in ("east", "west")]
    return 2 * survey(listing_of(wire)).keys


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to list, and the microseconds of CPU that an entry takes, in each run."""

    name: str
    microseconds: list[float]


def measure_cpu(runs: int) -> Iterator[tuple[str, float]]:
    """Yield each way to list, with the median microseconds of CPU for each entry."""
    ways = {bare: _Way("boto3's paginator", []), listed: _Way("the listing", []), surveyed: _Way("a survey of two", [])}
    for _ in range(runs):
        for way, found in ways.items():
            wire = Wire(list(PAGE_ANSWERS))
            began = time.process_time()
            count = way(wire)
            found.microseconds.append((time.process_time() - began) * 1e6 / count)
    yield from ((found.name, median(found.microseconds)) for found in ways.values())


# Seconds by workers


@dataclass(slots=True)
class Distant(GeneratedListing):
    """A generated listing each request of which takes some time. seconds: of a request."""

    seconds: float = 0.05

    def pages(self, target: Target, side: Side, span: Span) -> Iterator[Sequence[Listed]]:
        """Yield the entries of a span."""
        time.sleep(self.seconds)
        for each in GeneratedListing.pages(self, target, side, span):
            yield each
            time.sleep(self.seconds)

    def first_key(self, target: Target, side: Side, span: Span) -> str | None:
        """Return the first key of a span."""
        time.sleep(self.seconds)
        return GeneratedListing.first_key(self, target, side, span)


def measure_workers(entries: int, seconds: float) -> Iterator[tuple[int, float, int]]:
    """Yield workers, the seconds that a survey takes, and the requests that it makes."""
    for workers in (1, 2, 4, 8, 16, 32):
        distant = Distant(entries // 2, seconds=seconds)
        began = time.monotonic()
        survey(distant, workers)
        yield workers, time.monotonic() - began, distant.requests


# Memory


def measure_memory(most: int) -> Iterator[tuple[int, float, float]]:
    """Yield listed entries, the most megabytes of a process that surveys so many, and its seconds of CPU."""
    entries = 1_000
    while entries <= most:
        command = [sys.executable, "-m", "benchmarks.listing", "--survey", str(entries)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        yield entries, float(answer[0]), float(answer[1])
        entries *= 10


def survey_generated(entries: int) -> None:
    """Survey two generated buckets, and print megabytes and seconds."""
    survey(GeneratedListing(entries // 2))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.process_time())


def main() -> None:
    """Measure everything, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--entries", type=int, default=400_000, help="listed for the curve by workers")
    parser.add_argument("--seconds", type=float, default=0.1, help="of a request")
    parser.add_argument("--most", type=int, default=1_000_000, help="entries for the memory")
    parser.add_argument("--survey", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.survey:
        survey_generated(options.survey)
        return
    cpu = list(measure_cpu(options.runs))
    print("| way | CPU per entry | of the paginator |\n| --- | --- | --- |")
    for name, microseconds in cpu:
        print(f"| {name} | {microseconds:.1f} us | {microseconds / cpu[0][1]:.0%} |")
    print(f"\n| workers | {options.entries:,} entries | entries a second | requests |\n| --- | --- | --- | --- |")
    for workers, taken, requests in measure_workers(options.entries, options.seconds):
        print(f"| {workers} | {taken:.1f} s | {options.entries / taken:,.0f} | {requests} |")
    print("\n| entries | most resident | CPU |\n| --- | --- | --- |")
    for entries, megabytes, seconds in measure_memory(options.most):
        print(f"| {entries:,} | {megabytes:.0f} MB | {seconds:.1f} s |")


if __name__ == "__main__":
    main()
