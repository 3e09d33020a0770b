"""A destination that does not answer delays a healthy one by no more than docs/architecture.md says.

Times are those of a fake clock, on which tasks run side by side. Only the last tests run real threads, with calls that
wait until a test lets them.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason, Status
from replicator.core.rules.matching import RuleSet
from replicator.core.versions.version import Grant
from replicator.flows.change.deadline import ALONE_PATIENCE_MS, PATIENCE_MS, TimeLimit
from replicator.threads import FreeThreads

from tests.fakes.objects import MemoryBuckets
from tests.fakes.rules import rule
from tests.flows.stage import EAST, FOR_EVER, FUNCTION_MS, NORTH, WEST, Fault, Stage, to_two
from tests.patience import PATIENCE, until

READ = Grant("READ", 'id="reader"')
LIMIT = TimeLimit.after(0, FUNCTION_MS)
DENIED = Permanent(Reason.SRC_GET_DENIED, "AccessDenied")
WAITING = (Status.PENDING, Reason.TIMED_OUT)
DONE = (Status.COMPLETED, None)


def split() -> Stage:
    """Return a stage whose keys `dead...` go to west, and all others to north."""
    return Stage([rule(WEST, rule_id="west", prefix="dead"), rule(NORTH, rule_id="north", prefix="well")])


# In a batch whose destination west never answers


def test_other_keys_of_the_batch_do_not_wait() -> None:
    stage = split()
    for key in ("dead 1", "well 1", "dead 2", "well 2"):
        stage.put(key)
    start = int(stage.s3.clock.now)
    stage.silent("COPY", 99, bucket=WEST)
    stage.deliver()
    assert {key: history[0].modified - start for key, history in stage.s3.buckets[NORTH].histories.items()} == {
        "well 1": 0,
        "well 2": 0,
    }


def test_the_other_destination_of_a_change_does_not_wait_and_is_concluded() -> None:
    stage = to_two()
    source = stage.put()
    start = stage.s3.clock.milliseconds()
    stage.silent("COPY", 99, bucket=WEST)
    assert len(stage.deliver()) == 1
    assert sorted(stage.counted, key=str) == [DONE, WAITING]
    [done] = [result for result in stage.outcomes if result.status is Status.COMPLETED]
    assert done.destination == NORTH
    assert done.latency_ms == start - source.modified * 1000 < 1000
    assert stage.s3.clock.milliseconds() - start == LIMIT.attempts, "then it is left behind"


def test_what_is_left_behind_comes_back_soon_as_ordinary_trouble_and_is_not_suspected() -> None:
    stage = to_two()
    stage.put()
    stage.silent("COPY", bucket=WEST)
    [waiting] = stage.deliver()
    assert stage.queue.messages[waiting].visible - stage.s3.clock.now <= 2
    assert [*stage.waiting().values()] == [WAITING]
    stage.deliver_all()
    assert stage.calls("BEGIN") == []
    assert len(stage.replicas(bucket=WEST)) == len(stage.replicas(bucket=NORTH)) == 1
    assert stage.waiting() == {}
    assert len(stage.calls("COPY")) == 3, "the healthy one is not copied again"


def test_the_others_of_its_batch_are_deleted_from_the_queue() -> None:
    stage = split()
    for key in ("well 1", "dead", "well 2"):
        stage.put(key)
    dead = [message for message in stage.queue.visible() if '"dead"' in message.body]
    stage.silent("COPY", bucket=WEST)
    assert stage.deliver() == [message.id for message in dead]
    assert [*stage.queue.messages] == [message.id for message in dead]


def test_a_later_change_of_the_same_key_waits_ten_seconds_for_each_one_before_it() -> None:
    stage = to_two()
    for number in range(4):
        stage.put(body=bytes([number]))
    start = int(stage.s3.clock.now)
    stage.silent("COPY", 99, bucket=WEST)
    stage.deliver()
    written = [each.modified - start for each in stage.s3.buckets[NORTH].histories["k"]]
    assert written == [number * PATIENCE_MS // 1000 for number in range(4)]


def test_an_innocent_suspect_waits_for_the_rest_of_its_batch_and_five_seconds_for_each_suspect_before_it() -> None:
    """As after throttled invocations, which raise receive counts and leave no trace in the journal."""
    stage = split()
    keys = [*(f"dead {number}" for number in range(9)), "well"]
    for key in keys:
        stage.put(key)
    for message in stage.queue.messages.values():
        message.receives = 1
    stage.put("dead in the rest")
    start = int(stage.s3.clock.now)
    stage.silent("COPY", 99, bucket=WEST)
    stage.deliver()
    [replica] = stage.s3.buckets[NORTH].histories["well"]
    assert (replica.modified - start) * 1000 == PATIENCE_MS + 9 * ALONE_PATIENCE_MS < FUNCTION_MS / 2


def test_ten_suspects_that_are_all_innocent_end_in_one_delivery() -> None:
    stage = split()
    for number in range(10):
        stage.put(f"well {number}")
    for message in stage.queue.messages.values():
        message.receives = 1
    assert stage.deliver() == []


# What is past its time


def test_an_attempt_that_is_past_its_time_writes_nothing_more() -> None:
    """Its thread was frozen with the container between two requests, and goes on much later."""
    stage = Stage([rule(WEST)])
    stage.put()
    stage.slow("HEAD", FOR_EVER)
    assert len(stage.deliver()) == 1
    assert stage.calls("COPY") == []
    stage.deliver_all()
    assert len(stage.replicas()) == 1


def test_a_delete_marker_is_not_written_past_its_time_either() -> None:
    stage = Stage([rule(WEST, delete_markers=True)])
    stage.put()
    stage.deliver_all()
    stage.s3.delete(EAST, "k")
    stage.slow("LIST", FOR_EVER)
    stage.deliver()
    assert stage.calls("DELETE") == []
    stage.deliver_all()
    assert stage.replicas()[-1] == "-"


def test_a_failure_that_an_attempt_finds_past_its_time_is_not_reported() -> None:
    """Others may have completed the change meanwhile, while the container was frozen."""
    stage = Stage([rule(WEST)])
    stage.put()
    stage.faults.append(Fault("HEAD", DENIED, 1, after=False, key="", bucket=EAST, seconds=FOR_EVER))
    check_that_nothing_was_reported(stage)


def test_a_failure_that_a_record_finds_past_its_time_is_not_reported() -> None:
    stage = Stage([rule(WEST)])
    stage.put()

    def frozen(_: str) -> RuleSet:
        stage.s3.clock.advance(FOR_EVER)
        stage.change_services(rules=stage.rule_sets.of)
        raise DENIED

    stage.change_services(rules=frozen)
    check_that_nothing_was_reported(stage)


def check_that_nothing_was_reported(stage: Stage) -> None:
    assert len(stage.deliver()) == 1
    assert stage.queue.dead == []
    assert stage.counted == [WAITING]
    stage.deliver_all()
    assert len(stage.replicas()) == 1


# With real threads


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
    stage.change_services(buckets=buckets, threads=FreeThreads(stage.s3.clock.milliseconds))
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
