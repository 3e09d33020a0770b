"""Which memory, batch size and concurrency a stack needs: dollars and latency by memory, and what limits each rate.

A model; it makes no AWS call. It runs the records of a batch as the handler does, one thread each on one processor,
whose share of a CPU Lambda grants by memory (`_invocation`). What is measured, and what is assumed of AWS, are
constants; prices are those of `costs`. The template's defaults are the model's choice, which a test holds them to.

    .venv/bin/python -m benchmarks.sizing                      the tables
    .venv/bin/python -m benchmarks.sizing --plot docs          the charts: memory.svg, rates.svg
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks._chart import Chart, Line
from benchmarks._invocation import Handler, batch_seconds
from benchmarks.costs import PRICES, SMALL, costs

MEMORIES = (128, 256, 384, 512, 768, 1024, 1280, 1536, 1769, 2048, 3008)
FLOOR_MB = 256
"""A function takes about 75 MB (`soak`), and more with many rules: half must stay free."""
AS_GOOD = 1.05
"""A size is as good as the best if its time times its price is at most so much larger."""
CONCURRENCY = 100
"""The default of MaximumConcurrency: about what one prefix of S3 takes."""
BATCHES = (1, 2, 5, 10)
RATES = (1, 10, 100, 300, 1_000, 3_000, 10_000, 30_000)
CONCURRENCIES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000)


@dataclass(frozen=True, slots=True)
class Quota:
    """Something that ends at a number of objects a second. then: what to do about it."""

    name: str
    objects_per_second: float
    then: str


ACCOUNT_CONCURRENCY = 1_000
"""Invocations at once of all functions of an account and Region, unless AWS raises it.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""
FIRST_INVOCATIONS, MORE_A_MINUTE, MOST_BY_PARAMETER = 5, 300, 1_000
"""Of the event source mapping of a queue: at first, more each minute, and the most that MaximumConcurrency allows.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""
BY_POLLER, PROVISIONED_A_MINUTE, MOST_PROVISIONED = 10, 1_000, 20_000
"""Of provisioned pollers: invocations of each at once, more in a minute, and the most of a mapping. The same page."""
PREFIX_WRITES, PREFIX_READS = 3_500, 5_500
"""S3's, for each prefix once it has grown: a replica is one write; its source one HEAD and one read by the copy.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
"""
TABLE_FIRST_WRITES, TABLE_WRITES = 4_000, 40_000
"""DynamoDB's, for a new on-demand table, and for any unless AWS raises it. An object is one write of 1 KB.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput-scenarios.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""
QUOTAS = (
    Quota("S3: reads of one source prefix", PREFIX_READS / 2, "more prefixes: S3 splits those that are busy"),
    Quota("S3: writes to one destination prefix", PREFIX_WRITES, "more prefixes: S3 splits those that are busy"),
    Quota("DynamoDB: a new table", TABLE_FIRST_WRITES, "warm the table, or let traffic double within half an hour"),
    Quota("DynamoDB: a table", TABLE_WRITES, "ask AWS for more, or use several stacks"),
)


@dataclass(frozen=True, slots=True)
class Memory:
    """One memory size. one_ms, batch_ms: of one object, of a full batch. dollars: Lambda's, a million; total: all."""

    mb: int
    one_ms: float
    batch_ms: float
    dollars: float
    total: float


def by_memory(handler: Handler, batch: int = 10, sizes: Sequence[int] = MEMORIES) -> list[Memory]:
    """Return latency and dollars for each memory size."""
    others = sum(price for name, price in costs(SMALL).items() if name != "Lambda")
    found = []
    for mb in sizes:
        one, full = batch_seconds(handler, mb, 1), batch_seconds(handler, mb, batch)
        dollars = 1e6 * lambda_dollars(full, mb, batch)
        found.append(Memory(mb, 1000 * one, 1000 * full, dollars, 1e6 * others + dollars))
    return found


def lambda_dollars(seconds: float, mb: int, batch: int) -> float:
    """Return what Lambda costs for one object of a batch that takes so long."""
    return (PRICES["Lambda request"] + seconds * mb / 1024 * PRICES["GB-second of Lambda"]) / batch


def best_memory(handler: Handler) -> Memory:
    """Return the smallest size that is as good as the best: where a full batch's time times Lambda's price is least.

    Twice as fast for twice the price is neither better nor worse. A batch of one object is cheapest with little memory,
    but a stack that has few objects does not pay much for them.
    """
    sizes = [each for each in by_memory(handler) if each.mb >= FLOOR_MB]
    least = min(each.batch_ms * each.dollars for each in sizes)
    return next(each for each in sizes if each.batch_ms * each.dollars <= AS_GOOD * least)


@dataclass(frozen=True, slots=True)
class Need:
    """What a rate of objects needs. minutes: until Lambda has as many invocations, from an idle queue.

    provisioned: pollers for it. limits: what ends below this rate, in the order in which it does.
    """

    rate: float
    invocations: int
    minutes: float
    provisioned: int
    limits: tuple[Quota, ...]


def need(rate: float, handler: Handler, mb: int, batch: int = 10) -> Need:
    """Return what a rate needs: Little's law, with full batches."""
    seconds = batch_seconds(handler, mb, batch)
    invocations = max(1, -(-rate * seconds // batch))
    limits = [each for each in (*QUOTAS, *_of_lambda(seconds, batch)) if each.objects_per_second < rate]
    return Need(
        rate,
        int(invocations),
        max(0.0, invocations - FIRST_INVOCATIONS) / MORE_A_MINUTE,
        max(2, int(-(-invocations // BY_POLLER))),
        tuple(sorted(limits, key=lambda each: each.objects_per_second)),
    )


def _of_lambda(seconds: float, batch: int) -> Iterator[Quota]:
    """Yield what ends at a number of invocations at once."""
    by_invocation = batch / seconds
    yield Quota(
        f"Lambda: MaximumConcurrency of {CONCURRENCY}",
        CONCURRENCY * by_invocation,
        "raise MaximumConcurrency, to 1,000 at most",
    )
    yield Quota("Lambda: an account", ACCOUNT_CONCURRENCY * by_invocation, "ask AWS for more concurrency")
    yield Quota("Lambda: a mapping", MOST_BY_PARAMETER * by_invocation, "MinimumPollers and MaximumPollers")
    yield Quota("Lambda: provisioned pollers", MOST_PROVISIONED * by_invocation, "several stacks")


def memory_chart(handler: Handler) -> Chart:
    """Return time and dollars by memory; dashed, what they were if the CPU took no time."""
    idle = Handler(cpu=0.0, waits=handler.waits)
    chosen = best_memory(handler)
    chart = Chart(
        title="Batches of ten: their time, and Lambda's price of a million objects",
        across="MB of memory",
        up="ms, cents",
        dots="default",
    )
    sizes, ideal = by_memory(handler), by_memory(idle)
    for name, value, times in (("time, ms", "batch_ms", 1), ("price, cents", "dollars", 100)):
        points, dashed = ([(each.mb, times * getattr(each, value)) for each in line] for line in (sizes, ideal))
        chart.add(Line(name, points, dashed, (chosen.mb, times * getattr(chosen, value))))
    return chart


def rates_chart(handler: Handler, mb: int) -> Chart:
    """Return objects a second by invocations at once, in full batches and one by one, and where quotas end them."""
    chart = Chart(
        title=f"Objects a second, by invocations at once ({mb} MB)",
        across="invocations at once",
        up="objects/s",
        marks={each.objects_per_second: each.name for each in (QUOTAS[0], QUOTAS[-1])},
        dots="MaximumConcurrency's default",
    )
    ideal = Handler(cpu=0.0, waits=handler.waits)
    for batch in (10, 1):
        points = [(count, count * batch / batch_seconds(handler, mb, batch)) for count in CONCURRENCIES]
        dashed = [(count, count * batch / batch_seconds(ideal, mb, batch)) for count in CONCURRENCIES]
        chart.add(Line(f"batches of {batch}", points, dashed, points[CONCURRENCIES.index(CONCURRENCY)]))
    return chart


def tables(handler: Handler) -> Iterator[str]:
    """Yield the lines of the report, as Markdown."""
    chosen = best_memory(handler)
    yield "| MB | one object, ms | ten objects, ms | Lambda, $ per million | all together, $ per million |"
    yield "| ---: | ---: | ---: | ---: | ---: |"
    for size in by_memory(handler):
        mark = "**" if size.mb == chosen.mb else ""
        times = f"{size.one_ms:,.0f} | {size.batch_ms:,.0f}"
        yield f"| {mark}{size.mb:,}{mark} | {times} | {size.dollars:.2f} | {size.total:.2f} |"
    yield ""
    yield f"| objects in a batch, {chosen.mb} MB | ms | Lambda, $ per million | objects/s of an invocation |"
    yield "| ---: | ---: | ---: | ---: |"
    for batch in BATCHES:
        seconds = batch_seconds(handler, chosen.mb, batch)
        dollars = 1e6 * lambda_dollars(seconds, chosen.mb, batch)
        yield f"| {batch} | {1000 * seconds:,.0f} | {dollars:.2f} | {batch / seconds:.1f} |"
    yield ""
    yield "| objects/s | invocations at once | minutes until then | provisioned pollers | what ends before |"
    yield "| ---: | ---: | ---: | ---: | --- |"
    for rate in RATES:
        needed = need(rate, handler, chosen.mb)
        ends = ", ".join(f"{each.name} ({each.objects_per_second:,.0f})" for each in needed.limits)
        yield f"| {rate:,} | {needed.invocations:,} | {needed.minutes:.1f} | {needed.provisioned:,} | {ends} |"


def document(handler: Handler) -> Mapping[str, Any]:
    """Return all figures as one value."""
    chosen = best_memory(handler)
    return {
        "handler": asdict(handler),
        "default_mb": chosen.mb,
        "by_memory": [asdict(each) for each in by_memory(handler)],
        "by_rate": [asdict(need(rate, handler, chosen.mb)) for rate in RATES],
    }


def main() -> int:
    """Print the tables, and write the charts if requested."""
    usual = Handler()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sizing", description=__doc__.partition("\n")[0])
    parser.add_argument("--cpu", type=float, default=1000 * usual.cpu, help="ms of CPU for an object, on a whole CPU")
    parser.add_argument("--copy", type=float, default=1000 * usual.waits[2], help="ms that S3 takes for a copy")
    parser.add_argument("--plot", type=Path, help="write the charts to this folder")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options: Any = parser.parse_args()
    before, head, _, *after = usual.waits
    handler = Handler(options.cpu / 1000, (before, head, options.copy / 1000, *after))
    if options.json:
        options.json.write_text(json.dumps(document(handler), indent=2) + "\n", encoding="utf-8")
    if options.plot:
        (options.plot / "memory.svg").write_text(memory_chart(handler).svg(), encoding="utf-8")
        (options.plot / "rates.svg").write_text(rates_chart(handler, best_memory(handler).mb).svg(), encoding="utf-8")
    print("\n".join(tables(handler)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
