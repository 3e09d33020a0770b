"""What replication costs in dollars, by object size and features, beside S3 Replication with and without RTC.

A model, not a measurement: it counts the requests that tests hold the product to, and multiplies them by AWS's list
prices. README quotes its tables, and tests/house/test_costs.py holds README to them.

    .venv/bin/python -m benchmarks.costs                the tables, as README has them
    .venv/bin/python -m benchmarks.costs --size 5GB --tags --annotations 3
"""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from replicator.core.parts.cost import CostModel
from replicator.core.parts.layout import CopyMethod, plan_parts

PRICED = "November 2026"
PRICES: Mapping[str, float] = {
    "PUT, COPY or LIST request of S3": 5.00e-6,
    "GET or HEAD request of S3": 0.40e-6,
    "GB between Regions": 0.02,
    "GB read from an IA class": 0.01,
    "GB with Replication Time Control": 0.015,
    "object tag, a month": 0.65e-6,
    "SQS request": 0.40e-6,
    "Lambda request": 0.20e-6,
    "GB-second of Lambda": 0.0000133334,
    "DynamoDB write of 1 KB": 0.625e-6,
    "DynamoDB read of 4 KB": 0.125e-6,
    "GB of DynamoDB, a month": 0.25,
    "GB of DynamoDB's backups, a month": 0.20,
    "event of EventBridge": 1.00e-6,
    "CloudWatch metric, a month": 0.30,
    "alarm's metric, a month": 0.10,
}
"""List prices of US East (N. Virginia) as of PRICED, in dollars for one."""
KB, MB, GB = 1000, 1000**2, 1000**3
MONTH = 30 * 24 * 3600

BATCH = 10
BATCH_SECONDS = 0.3
MEMORY_GB = 0.5
JOURNAL_MONTHS = 1.5
"""The 45 days that an entry is kept, with point-in-time recovery."""
JOURNAL_BYTES = 700
"""An entry with a key of 60 characters, and the 100 bytes that DynamoDB adds to each item."""
POLLERS, POLL_SECONDS, QUEUES = 5, 20, 2
"""Long polls of an idle queue by Lambda: with MaximumConcurrency, five at a time (guide, "Using Lambda with SQS")."""
QUIET_METRICS, ALARM_METRICS, MONITOR_A_MONTH = 26, 16, 1.00
"""What docs/metrics.md says of a quiet stack with one rule."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One object. size: bytes. source_ia: its source is in an IA class. two_way: its replica sends an event, too."""

    size: int = 10 * KB
    tags: bool = False
    acl: bool = False
    annotations: int = 0
    source_ia: bool = False
    two_way: bool = False
    replica_tag: bool = True


@dataclass(frozen=True, slots=True)
class Requests:
    """What one object needs when nothing goes wrong. `puts`: priced as PUT, COPY or LIST; `gets`: as GET or HEAD.

    `sqs`: requests for its messages of parts. Those for its own message are shared by a batch.
    """

    puts: int
    gets: int
    writes: int = 1
    reads: int = 1
    sqs: float = 0.0


def requests(parts: int, messages: int, annotations: int) -> Requests:
    """Count the requests for one object. `parts`: 0 if one request copies it; `messages`: 0 if one function does."""
    if not parts:
        return Requests(1 + annotations, 1)
    listings = 4 + 2 * (annotations > 0)  # the histories, and the annotations on either side, each twice
    if not messages:
        return Requests(parts + 2 + listings + annotations, 3 + annotations, 4, 4)
    listings += 2 + messages + 1 + 1  # the histories once more; the parts, by each worker; the uploads of the key
    return Requests(parts + 2 + listings + annotations, 4 + annotations, 6, 6, (0.1 + 3) * messages)


def costs(work: Workload, model: CostModel = CostModel()) -> dict[str, float]:  # noqa: B008 - frozen
    """Return the dollars that one object costs, by service; `tag` is for one month."""
    layout = plan_parts(work.size, model)
    large = layout.method is not CopyMethod.ONE_REQUEST
    messages = -(-layout.cut.count // layout.per_message) if layout.per_message else 0
    need = requests(layout.cut.count if large else 0, messages, work.annotations)
    gets = need.gets + work.tags + work.acl + 2 * work.two_way
    deliveries, size = 1 + work.two_way, work.size / GB
    copying = work.size / model.bytes_per_second / model.side_by_side if large else 0
    seconds = deliveries * BATCH_SECONDS / BATCH + copying
    return {
        "S3 requests": need.puts * PRICES["PUT, COPY or LIST request of S3"]
        + gets * PRICES["GET or HEAD request of S3"],
        "transfer": size * PRICES["GB between Regions"],
        "retrieval": size * PRICES["GB read from an IA class"] * work.source_ia,
        "tag": PRICES["object tag, a month"] * work.replica_tag,
        "DynamoDB": need.writes * PRICES["DynamoDB write of 1 KB"] + need.reads * PRICES["DynamoDB read of 4 KB"],
        "journal": JOURNAL_BYTES / GB * JOURNAL_MONTHS * _dynamodb_gb(),
        "Lambda": (deliveries / BATCH + messages) * PRICES["Lambda request"]
        + seconds * MEMORY_GB * PRICES["GB-second of Lambda"],
        "SQS": (deliveries * (1 + 3 / BATCH) + need.sqs) * PRICES["SQS request"],
    }


def _dynamodb_gb() -> float:
    return PRICES["GB of DynamoDB, a month"] + PRICES["GB of DynamoDB's backups, a month"]


def total(work: Workload) -> float:
    """Return the dollars that one object costs, a month of its replica's tag included."""
    return sum(costs(work).values())


def native(work: Workload, *, rtc: bool) -> float:
    """Return what S3 Replication costs for one object: a PUT for it and for each annotation, transfer, and RTC."""
    size = work.size / GB
    per_gb = PRICES["GB between Regions"] + PRICES["GB with Replication Time Control"] * rtc
    per_gb += PRICES["GB read from an IA class"] * work.source_ia
    return (1 + work.annotations) * PRICES["PUT, COPY or LIST request of S3"] + size * per_gb


def idle_polling() -> float:
    """Return the dollars a month that Lambda's polls of the two queues cost while nothing happens."""
    return QUEUES * POLLERS * MONTH / POLL_SECONDS * PRICES["SQS request"]


def monthly() -> dict[str, float]:
    """Return the dollars a month that a stack with one rule costs by itself."""
    return {
        "metrics": QUIET_METRICS * PRICES["CloudWatch metric, a month"],
        "alarms": ALARM_METRICS * PRICES["alarm's metric, a month"],
        "idle polling of two queues": idle_polling(),
        "the monitor": MONITOR_A_MONTH,
    }


SMALL = Workload()
SIZES = {"10 KB": 10 * KB, "1 MB": MB, "100 MB": 100 * MB, "1 GB": GB, "100 GB": 100 * GB}
FEATURES: Mapping[str, Workload] = {
    "tags, or an ACL": replace(SMALL, tags=True),
    "one annotation": replace(SMALL, annotations=1),
    "two-way": replace(SMALL, two_way=True),
    "no replica tag (`ReplicaTag: Disabled`)": replace(SMALL, replica_tag=False),
}


def tables() -> Iterator[str]:
    """Yield the tables of README as Markdown, without the headings around them."""
    yield "\n".join(_by_service())
    yield "\n".join(_by_size())
    yield "\n".join(_by_feature())
    yield "\n".join(_by_month())


def _by_service() -> Iterator[str]:
    words = {
        "S3 requests": "S3: one HEAD, one COPY",
        "tag": "the replica's tag, for a month",
        "DynamoDB": "DynamoDB: one write, one read",
        "journal": "the journal's entry: 45 days, with backups",
        "Lambda": "Lambda, in batches of 10, 512 MB, about 300 ms a batch",
        "SQS": "SQS: one send by S3; receives, hiding and deletes are shared by the batch",
    }
    found = costs(SMALL)
    yield "| a million objects of 10 KB | dollars |"
    yield "| --- | --- |"
    yield from (f"| {text} | {found[name] * 1e6:.2f} |" for name, text in words.items())
    yield f"| between Regions, 0.02 per GB | {found['transfer'] * 1e6:.2f} |"
    yield f"| **together** | **{total(SMALL) * 1e6:.2f}** |"


def _by_size() -> Iterator[str]:
    yield "| a thousand objects of | S3 Replicator | S3 Replication | with RTC |"
    yield "| --- | --- | --- | --- |"
    for name, size in SIZES.items():
        work = replace(SMALL, size=size)
        prices = (total(work), native(work, rtc=False), native(work, rtc=True))
        yield f"| {name} | " + " | ".join(_dollars(price * 1000) for price in prices) + " |"


def _by_feature() -> Iterator[str]:
    yield "| what else a million objects cost | dollars |"
    yield "| --- | --- |"
    for name, work in FEATURES.items():
        yield f"| {name} | {(total(work) - total(SMALL)) * 1e6:+.2f} |"
    ia = replace(SMALL, source_ia=True, size=GB)
    yield f"| source in an IA class | {total(ia) - total(replace(ia, source_ia=False)):+.2f} per GB |"


def _by_month() -> Iterator[str]:
    yield "| a stack with one rule, a month | dollars |"
    yield "| --- | --- |"
    yield from (f"| {name} | {price:.2f} |" for name, price in monthly().items())


def _dollars(amount: float) -> str:
    return f"{amount:,.4f}" if amount < 1 else f"{amount:,.2f}"


def _bytes(text: str) -> int:
    units = {"KB": KB, "MB": MB, "GB": GB, "TB": 1000 * GB}
    number, unit = text[:-2], text[-2:].upper()
    return int(float(number) * units[unit]) if unit in units else int(text)


def main() -> None:
    """Print the tables, or one workload."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=_bytes, help="of an object, such as 10KB or 5GB")
    parser.add_argument("--annotations", type=int, default=0)
    for flag in ("tags", "acl", "source-ia", "two-way"):
        parser.add_argument(f"--{flag}", action="store_true")
    given = parser.parse_args()
    if given.size is None:
        print(*tables(), sep="\n\n")
        return
    work = Workload(given.size, given.tags, given.acl, given.annotations, given.source_ia, given.two_way)
    for name, price in {**costs(work), "together": total(work)}.items():
        print(f"{name:12} {price * 1e6:14.4f} dollars per million")
    for name, rtc in (("S3 Replication", False), ("with RTC", True)):
        print(f"{name:12} {native(work, rtc=rtc) * 1e6:14.4f}")


if __name__ == "__main__":
    main()
