"""What a resync costs in requests and dollars, and how long it takes: an estimate before anything is sent.

The only table of prices of the command. List prices of US East (N. Virginia), November 2026: aws.amazon.com/s3/pricing,
/lambda/pricing, /sqs/pricing and /dynamodb/pricing. Other Regions differ by some 20 %. Storage is not counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

PRICED = "November 2026"
PRICES: Mapping[str, float] = {
    "PUT, COPY or LIST request of S3": 5.00e-6,
    "GET or HEAD request of S3": 0.40e-6,
    "GB between Regions": 0.02,
    "SQS request": 0.40e-6,
    "Lambda request": 0.20e-6,
    "GB-second of Lambda": 0.0000133334,
    "DynamoDB write of 1 KB": 0.625e-6,
    "DynamoDB read of 4 KB": 0.125e-6,
    "job of S3 Batch Operations": 0.25,
    "object of a job of S3 Batch Operations": 1.00e-6,
}
"""Dollars for one."""
GB = 1000**3
BATCH = 10
"""Messages that a function takes at once, and sends in one request."""
LISTED_AT_ONCE = 1000
OBJECT_SECONDS = 0.3
"""How long a function works on ten small objects, side by side (benchmarks/costs.py)."""
MEMORY_GB = 0.5
HISTORY_LISTS, HEADS, COPIES = 2, 1, 1
"""Requests for one existing version: both histories are read, since nobody knows where it belongs."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What would be sent. versions, bytes: to each destination. destinations: how many; far: in other Regions.

    listed: entries of all buckets. concurrency: functions at once. bytes_per_second: of one copy.
    """

    versions: int
    bytes: int
    listed: int = 0
    destinations: int = 1
    far: int = 0
    concurrency: int = 5
    bytes_per_second: int = 50_000_000
    is_batch: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """requests: to S3, Lambda, SQS and DynamoDB together. dollars, seconds: about."""

    requests: int
    dollars: float
    seconds: float


def estimate(work: Workload) -> Estimate:
    """Return what it takes."""
    counts = _counts(work)
    dollars = sum(PRICES[name] * number for name, number in counts.items())
    requests = sum(number for name, number in counts.items() if "request" in name or "DynamoDB" in name)
    return Estimate(round(requests), dollars, _seconds(work))


def _counts(work: Workload) -> dict[str, float]:
    copies = work.versions * work.destinations
    batches = work.versions / BATCH
    return {
        "PUT, COPY or LIST request of S3": copies * (COPIES + HISTORY_LISTS) + work.listed / LISTED_AT_ONCE,
        "GET or HEAD request of S3": work.versions * HEADS,
        "GB between Regions": work.bytes * work.far / GB,
        "SQS request": 0 if work.is_batch else 3 * batches,
        "Lambda request": batches,
        "GB-second of Lambda": batches * OBJECT_SECONDS * MEMORY_GB,
        "DynamoDB write of 1 KB": copies,
        "DynamoDB read of 4 KB": copies,
        "job of S3 Batch Operations": float(work.is_batch),
        "object of a job of S3 Batch Operations": work.versions if work.is_batch else 0,
    }


def _seconds(work: Workload) -> float:
    """Return how long it takes: the number of objects decides, or their size."""
    at_once = work.concurrency * BATCH
    by_number = work.versions * work.destinations * OBJECT_SECONDS / at_once
    by_size = work.bytes * work.destinations / (at_once * work.bytes_per_second)
    return by_number + by_size
