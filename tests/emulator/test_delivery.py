"""Event delivery: at least once, in any order when asked, and idle only when everything has arrived."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.fault_injection.delivery import Delivery, DeliverySettings
from emulator.state import Emulator
from tests.emulator.plain import Plain
from tests.patience import PATIENCE


def keys(aws: Plain, count: int, **settings: Any) -> list[str]:
    """Write that many objects, and return the keys of the events as they arrived."""
    bucket, (url, arn) = aws.bucket(), aws.queue()
    aws.notify(bucket, arn)
    aws.post("delivery", settings)
    for number in range(count):
        aws.client().put_object(Bucket=bucket, Key=f"{number:02d}", Body=b"x")
    return [record["s3"]["object"]["key"] for record in aws.records(url)]


@pytest.fixture(autouse=True)
def ordinary(aws: Plain) -> Iterator[None]:
    yield
    aws.post("delivery", {})


def test_events_arrive_once_and_in_order_unless_told_otherwise(aws: Plain) -> None:
    assert keys(aws, 20) == [f"{number:02d}" for number in range(20)]


def test_some_events_arrive_twice_when_duplicates_are_asked_for(aws: Plain) -> None:
    times = Counter(keys(aws, 30, duplicate=0.5, seed=1))
    assert len(times) == 30
    assert set(times.values()) == {1, 2}


def test_shuffled_events_lose_their_order_and_nothing_else(aws: Plain) -> None:
    arrived = keys(aws, 30, shuffle=True, seed=1)
    assert arrived != sorted(arrived)
    assert sorted(arrived) == [f"{number:02d}" for number in range(30)]


def test_the_same_seed_duplicates_the_same_events() -> None:
    def duplicated(seed: int) -> list[int]:
        delivery, arrived, done = Delivery(), [], threading.Event()
        delivery.configure(DeliverySettings(duplicate=0.5, seed=seed))
        for number in range(20):
            delivery.send(lambda number=number: arrived.append(number))  # type: ignore[misc]
        delivery.configure(DeliverySettings())
        delivery.send(done.set)
        assert done.wait(PATIENCE)
        return arrived

    assert duplicated(7) == duplicated(7) != duplicated(8)


def test_an_emulator_with_an_event_under_way_is_not_idle() -> None:
    delivery, gate, arrived = Delivery(), threading.Event(), threading.Event()

    def deliver() -> None:
        gate.wait(PATIENCE)
        arrived.set()

    delivery.send(deliver)
    assert not delivery.idle()
    gate.set()
    assert arrived.wait(PATIENCE)
    delivery.send(gate.clear)
    while not delivery.idle():
        time.sleep(0.001)


def test_an_event_that_cannot_be_delivered_does_not_stop_the_others() -> None:
    delivery, arrived = Delivery(), threading.Event()

    def fail() -> None:
        raise RuntimeError("the queue is gone")

    delivery.send(fail)
    delivery.send(arrived.set)
    assert arrived.wait(PATIENCE)


def test_an_emulator_whose_event_arrives_while_idle_looks_at_functions_is_not_idle() -> None:
    class Host:
        """Functions that are quiet by the time they are asked, but caused an event just before."""

        def idle(self) -> bool:
            arrived = threading.Event()
            emulator.delivery.send(arrived.set)
            return arrived.wait(PATIENCE)

    emulator = Emulator(functions=Host())  # type: ignore[arg-type]
    assert not emulator.idle()


def test_the_delivery_settings_can_be_read(aws: Plain) -> None:
    settings = {"duplicate": 0.25, "shuffle": True, "seed": 3, "unequal_sequencers": True, "version_ids": False}
    aws.post("delivery", settings)
    assert aws.get("delivery") == settings
