"""What counting and releasing parked changes costs in CPU, and how wrong a count by sample is.

Real items, as the journal's adapter writes them, are read, sent and noted by the real adapters; botocore builds, signs
and parses every request, and only the network is left out. A count by sample is the monitor's own: random names are
hashed up to 100,000, beyond that the partitions get the numbers that a perfect hash would give them.

    .venv/bin/python -m benchmarks.parked               CPU, and errors of 200 counts of each population
    .venv/bin/python -m benchmarks.parked --json --counts 1000
"""

import argparse
import base64
import json
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from typing import Any, TypeVar

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from replicator.aws.journal import DynamoJournal
from replicator.aws.outbox import SqsOutbox
from replicator.aws.parked import DynamoParking
from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.gate import Gate
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.outcomes.parking import PARTITIONS, Parked, partition_of
from replicator.core.outcomes.release import MOST_PER_ORDER, Order
from replicator.flows.ports import Note, Waiting
from replicator.flows.release import ParkedEntry, Parking, ReleaseServices, release
from replicator.flows.watch.parked import READ_LEAST, READ_MOST, Behind, look_behind

NOW = 1_795_000_000_000
VCPU_MB = 1769
"""Memory at which Lambda gives a function one vCPU; less memory, less CPU (guide, "Configure Lambda function memory").

https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""
MONITOR_MB, RELEASE_MB = 1024, 512
PAGE_BYTES = 1024 * 1024
"""What one Query reads at most."""
T = TypeVar("T")
DESTINATIONS = (1, 5, 20)
POPULATIONS = (100, 3_000, 10_000, 100_000, 1_000_000, 10_000_000, 86_400_000)
MOST_HASHED = 100_000


def message_body(number: int) -> str:
    """Return an S3 event as it is parked: one record, a key of 60 characters, all that S3 sends."""
    entity = {
        "key": f"tenants/4711/uploads/2026/11/28/{number:028x}",
        "size": 10_000,
        "eTag": f"{number * 2654435761 % 2**128:032x}",
        "versionId": f"{number:032x}",
        "sequencer": f"{0x0068A1B2C3D4E5F6 + number:016X}",
    }
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-28T01:02:03.456Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AROAEXAMPLEEXAMPLE12:uploader"},
        "requestParameters": {"sourceIPAddress": "203.0.113.7"},
        "responseElements": {"x-amz-request-id": f"{number:016X}", "x-amz-id-2": base64.b64encode(bytes(56)).decode()},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "s3-replicator",
            "bucket": {
                "name": "east",
                "ownerIdentity": {"principalId": "A1EXAMPLE"},
                "arn": "arn:aws:s3:::east",
            },
            "object": entity,
        },
    }
    return json.dumps({"Records": [record]})


class Wire:
    """Clients whose requests get an answer from a function instead of the network."""

    def __init__(self) -> None:
        self.requests = 0
        self._session = boto3.Session("AKEXAMPLE", "secret", region_name="us-east-1")
        self._config = Config(retries={"total_max_attempts": 1}, max_pool_connections=32)

    def client(self, service: str, answer: Callable[[Any], bytes]) -> Any:
        """Return a client that gets these bodies as answers."""

        def respond(request: Any, **_: Any) -> AWSResponse:
            self.requests += 1
            return _Answer(request.url, answer(request))

        client: Any = self._session.client(service, config=self._config)  # type: ignore[call-overload]
        client.meta.events.register("before-send", respond)
        return client


class _Answer(AWSResponse):
    """A response whose body is already read."""

    def __init__(self, url: str, body: bytes) -> None:
        headers: Any = {"x-amzn-requestid": "1"}
        super().__init__(url, 200, headers, None)
        self._content = body


def parked_item(number: int, detail: str = "all of west fails: 503 Service Unavailable") -> dict[str, Any]:
    """Return the item of a parked change, as the journal writes it, with DynamoDB's types."""
    made: dict[str, Any] = {}

    class Writer:
        def update_item(self, **asked: Any) -> dict[str, Any]:
            values, names = asked["ExpressionAttributeValues"], asked["ExpressionAttributeNames"]
            made.update(asked["Key"])
            made.update({name: values[f":{name}"] for name in names.values() if f":{name}" in values})
            made["parkings"] = values[":more_parkings"]
            return {}

    body = message_body(number)
    key = json.loads(body)["Records"][0]["s3"]["object"]["key"]
    waiting = Waiting(
        Status.PENDING,
        Reason.SERVICE,
        detail,
        f"{number:032x}",
        Note("everything", 10_000, NOW - number % 86_400_000, 1),
        threshold_ms=900_000,
        receives=1,
        parked=Parked(NOW - number % 86_400_000, body, tried=False),
    )
    client: Any = Writer()
    DynamoJournal(client, "journal").wait(Pair("east", "west", key), waiting)
    return made


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the size of an item as DynamoDB bills it: names and values; a number takes about half its digits."""
    return sum(len(name) + _value_bytes(*next(iter(value.items()))) for name, value in item.items())


def _value_bytes(kind: str, value: Any) -> int:
    if kind == "N":
        return len(str(value)) // 2 + 2
    if kind == "BOOL":
        return 1
    return len(value.encode() if isinstance(value, str) else bytes(value))


def page(start: int, number: int) -> tuple[bytes, int]:
    """Return the body of one page of the index, and how many items are in it."""
    items, total = list[Any](), 0
    for place in range(start, start + number):
        item = parked_item(place)
        total += item_bytes(item)
        if total > PAGE_BYTES:
            break
        item["parked_body"] = {"B": base64.b64encode(bytes(item["parked_body"]["B"])).decode()}
        items.append(item)
    return json.dumps({"Items": items, "Count": len(items)}).encode(), len(items)


class _OnePage:
    """A parking whose first partition of full size holds a page, and all others nothing."""

    def __init__(self, parking: DynamoParking) -> None:
        self._parking = parking

    def entries(self, destination: str, partition: str, since: int, until: int) -> Iterator[ParkedEntry]:
        """Yield the entries of a partition."""
        return self._parking.entries(destination, partition, since, until) if partition == "1" else iter(())

    def note_released(self, entry: ParkedEntry, now: int) -> None:
        """Note it."""
        self._parking.note_released(entry, now)


def _look(gates: Sequence[Gate], parking: Parking) -> list[Behind]:
    return look_behind(gates, parking, in_turn, NOW)


def cpu_of_reading(rounds: int = 5) -> float:
    """Return the milliseconds of CPU that the monitor needs for an entry: request, parsing, counting."""
    body, number = page(0, 5000)
    parking = DynamoParking(Wire().client("dynamodb", lambda _: body), "journal", 900_000)
    gates = [Gate("west")]
    _look(gates, _OnePage(parking))
    spent = time.process_time()
    for _ in range(rounds):
        _look(gates, _OnePage(parking))
    return (time.process_time() - spent) * 1000 / rounds / number


def cpu_of_releasing(rounds: int = 5) -> float:
    """Return the milliseconds of CPU that the function which releases needs for a change."""
    body, number = page(0, 5000)
    wire = Wire()
    parking = DynamoParking(
        wire.client("dynamodb", lambda request: body if b"parkings = :seen" not in request.body else b"{}"),
        "journal",
        900_000,
    )
    outbox = SqsOutbox(wire.client("sqs", _taken), "https://changes", "https://parts", "https://backfill")
    services = ReleaseServices(parking, outbox, in_turn, lambda: NOW, Silent())
    order = Order("west", NOW, ("1",), number)
    release(order, services)
    spent = time.process_time()
    sent = sum(release(order, services) for _ in range(rounds))
    return (time.process_time() - spent) * 1000 / sent


def _taken(request: Any) -> bytes:
    entries = json.loads(request.body)["Entries"]
    done = [{"Id": each["Id"], "MessageId": "m", "MD5OfMessageBody": ""} for each in entries]
    return json.dumps({"Successful": done, "Failed": []}).encode()


# Errors of counts


class Population:
    """Parked changes of many destinations, of which only their numbers in each partition matter."""

    def __init__(self, numbers: Callable[[], Mapping[str, int]]) -> None:
        self._numbers = numbers
        self._of: dict[str, Mapping[str, int]] = {}

    def entries(self, destination: str, partition: str, _since: int, _until: int) -> Iterator[ParkedEntry]:
        """Yield the entries of a partition."""
        if destination not in self._of:
            self._of = {destination: self._numbers()}
        return repeat(_ENTRY, self._of[destination].get(partition, 0))

    def note_released(self, _entry: ParkedEntry, _now: int) -> None:
        """Nothing is released here."""


_ENTRY = ParkedEntry(("east/k", "west#v"), "west", NOW, 1, "")


def hashed(population: int, chance: random.Random) -> Mapping[str, int]:
    """Return how many of so many random names are in each partition."""
    return Counter(partition_of(f"east/{chance.getrandbits(64):016x} west#v") for _ in range(population))


def drawn(population: int, chance: random.Random) -> Mapping[str, int]:
    """Return how many of so many names a perfect hash would put into each partition."""
    found, left, rest = {}, population, 1.0
    for partition in PARTITIONS:
        mean = left * partition.share / rest
        number = round(chance.gauss(mean, math.sqrt(mean * (1 - partition.share / rest))))
        found[partition.name] = min(left, max(0, number))
        left, rest = left - found[partition.name], max(1e-12, rest - partition.share)
    return found


def errors(population: int, destinations: int, counts: int, seed: int = 1) -> list[float]:
    """Return the errors of many counts, as shares, if that many are parked for each of so many destinations."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    draw = hashed if population <= MOST_HASHED else drawn
    found = list[float]()
    while len(found) < counts:
        gates = [Gate(str(number)) for number in range(destinations)]
        behind = _look(gates, Population(partial(draw, population, chance)))
        found += [each.sample.due_until(NOW) / population - 1 for each in behind]
    return found


def bound(destinations: int) -> float:
    """Return what flows/watch/parked.py says of the error of a count, as a share."""
    return 3 / math.sqrt(max(READ_LEAST, READ_MOST // destinations) / 2)


def in_turn(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Run tasks one after the other."""
    return [task() for task in tasks]


class Silent:
    """A log that nobody reads."""

    def incomplete(self, text: str) -> None:
        """Drop a line."""

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_, **__: None


def measure(counts: int) -> dict[str, Any]:
    """Return all figures."""
    reading, releasing = cpu_of_reading(), cpu_of_releasing()
    share = MONITOR_MB / VCPU_MB
    return {
        "bytes of an item": item_bytes(parked_item(1)),
        "reading, ms of CPU an entry": round(reading, 3),
        "releasing, ms of CPU a change": round(releasing, 2),
        "releasing, seconds of CPU an order": round(MOST_PER_ORDER * releasing / 1000 * VCPU_MB / RELEASE_MB, 1),
        "monitor, seconds of CPU": {
            str(number): round(max(READ_LEAST, READ_MOST // number) * number * reading / 1000 / share, 1)
            for number in DESTINATIONS
        },
        "errors": [
            _summary(population, number, errors(population, number, counts))
            for number in DESTINATIONS
            for population in POPULATIONS
        ],
    }


def _summary(population: int, destinations: int, found: Sequence[float]) -> dict[str, Any]:
    sizes = sorted(abs(error) for error in found)
    return {
        "destinations": destinations,
        "parked for each": population,
        "mean": round(sum(found) / len(found), 4),
        "997 of 1,000 within": round(sizes[min(len(sizes) - 1, math.ceil(0.997 * len(sizes)) - 1)], 4),
        "bound": round(bound(destinations), 3),
        "beyond": sum(1 for size in sizes if size > bound(destinations)),
    }


def main() -> int:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parked", description=__doc__.partition("\n")[0])
    parser.add_argument("--counts", type=int, default=200, help="counts of each population")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    figures = measure(options.counts)
    if options.json:
        print(json.dumps(figures, indent=2))
        return 0
    rows = figures.pop("errors")
    for name, value in figures.items():
        print(f"{name:>40}: {value}")
    print(("{:>22}" * len(rows[0])).format(*rows[0]))
    for row in rows:
        print(("{:>22}" * len(row)).format(*(f"{value:,}" for value in row.values())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
