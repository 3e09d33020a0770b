"""A destination that does not answer delays no other one: real threads, and calls that wait until a test lets them."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from replicator.core.deciding.target import Target
from replicator.core.versions.version import Grant
from replicator.runtime import side_by_side

from tests.fakes.objects import MemoryBuckets
from tests.flows.stage import EAST, NORTH, WEST, Stage, to_two
from tests.patience import PATIENCE, until

READ = Grant("READ", 'id="reader"')


@dataclass(slots=True)
class BlackHole(MemoryBuckets):
    """Buckets of which west does not tell its settings before it is told to."""

    asked: threading.Event = field(default_factory=threading.Event)
    answer: threading.Event = field(default_factory=threading.Event)

    def describe(self, target: Target, *, recent: bool = False) -> Target:
        if target.bucket == WEST:
            self.asked.set()
            assert self.answer.wait(PATIENCE)
        return MemoryBuckets.describe(self, target, recent=recent)


@contextmanager
def west_silent(stage: Stage) -> Iterator[BlackHole]:
    """Run the stage with real threads, and without west's settings. At the end west answers."""
    buckets = BlackHole(stage.s3, stage.points)
    stage.change_services(buckets=buckets, side_by_side=side_by_side)
    try:
        yield buckets
    finally:
        buckets.answer.set()


@pytest.mark.parametrize("acls", [False, True], ids=["without ACLs", "with ACLs"])
def test_another_destination_of_the_same_change_does_not_wait_for_its_settings(acls: bool) -> None:
    stage = to_two()
    for name in (EAST, WEST, NORTH):
        stage.s3.buckets[name].acls_enabled = acls
    stage.put(grants=(READ,))
    with ThreadPoolExecutor(1) as pool, west_silent(stage) as buckets:
        delivery = pool.submit(stage.deliver)
        assert buckets.asked.wait(PATIENCE)
        until(lambda: len(stage.replicas(bucket=NORTH)) == 1)
        assert not delivery.done()
        assert stage.replicas(bucket=WEST) == []
        buckets.answer.set()
        assert delivery.result(PATIENCE) == []
    assert len(stage.replicas(bucket=WEST)) == 1
