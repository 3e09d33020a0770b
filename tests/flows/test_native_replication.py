"""S3's own replication beside ours, from east to west: its replicas are skipped, nothing loops, both sides agree."""

import pytest
from replicator.core.outcomes.batch import ResultCode, Task
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.outcomes.replication_status import ReplicationStatus
from replicator.flows.batch import process_tasks
from s3replicator.status.object_reader import read_object_status

from tests.fakes.native import NativeReplication
from tests.fakes.rules import rule
from tests.flows.large_stage import SCALE, LargeStage
from tests.flows.stage import EAST, NORTH, WEST, Stage

SKIPPED = (Status.SKIPPED, Reason.REPLICA)


@pytest.fixture
def stage() -> Stage:
    return Stage([rule(WEST, rule_id="all", delete_markers=True)])


def settle(stage: Stage, *natives: NativeReplication, at_most: int = 20) -> None:
    """Deliver events and let S3 replicate until nothing moves."""
    for _ in range(at_most):
        stage.deliver_all()
        if not sum(native.run() for native in natives) and not stage.queue.messages:
            return
    raise AssertionError("it goes round")


def shown(stage: Stage, bucket: str, key: str = "k") -> bytes | None:
    current = stage.s3.buckets[bucket].current(key)
    return current.content.body if current and current.is_version else None


def test_a_replica_by_s3_is_skipped_after_one_head(stage: Stage) -> None:
    there = stage.put(bucket=NORTH, tags={"a": "b"})
    stage.s3.replicate(there, "k", EAST)
    stage.deliver_all()
    assert stage.counted == [SKIPPED]
    assert stage.calls("HEAD", "GET TAGS", "LIST", "COPY") == [f"HEAD east/k {there.version_id}"]


def test_what_s3_replicates_back_is_not_replicated_again(stage: Stage) -> None:
    back = NativeReplication(stage.s3, WEST, EAST)
    for body in (b"1", b"2"):
        stage.put(body=body)
        settle(stage, back)
    assert [len(stage.s3.buckets[name].history("k")) for name in (EAST, WEST)] == [4, 2]
    assert shown(stage, EAST) == shown(stage, WEST) == b"2"
    assert stage.counted.count(SKIPPED) == 2


def test_a_write_of_the_destination_and_one_of_the_source_end_in_the_same_order_on_both_sides(stage: Stage) -> None:
    back = NativeReplication(stage.s3, WEST, EAST)
    stage.put(body=b"source")
    stage.put(body=b"destination", bucket=WEST)
    settle(stage, back)
    assert shown(stage, EAST) == shown(stage, WEST)


def test_a_delete_marker_that_s3_brings_back_late_does_not_hide_what_was_written_since(stage: Stage) -> None:
    back = NativeReplication(stage.s3, WEST, EAST, markers=True)
    stage.put(body=b"1")
    settle(stage, back)
    stage.s3.delete(EAST, "k")
    stage.deliver_all()
    stage.put(body=b"2")
    newest = list(stage.queue.messages.values())
    stage.s3.clock.advance(1)
    back.run()
    echo = [message for message in stage.queue.visible() if message not in newest]
    stage.deliver(*echo)
    assert stage.counted[-1] == SKIPPED
    settle(stage, back)
    assert shown(stage, EAST) == shown(stage, WEST) == b"2"


def test_beside_s3_in_the_same_direction_every_version_arrives_and_both_sides_agree(stage: Stage) -> None:
    same = NativeReplication(stage.s3, EAST, WEST, markers=True)
    for body in (b"1", b"2", b"3"):
        stage.put(body=body)
        same.run()
    settle(stage, same)
    assert shown(stage, EAST) == shown(stage, WEST) == b"3"
    stage.s3.delete(EAST, "k")
    settle(stage, same)
    assert shown(stage, EAST) is shown(stage, WEST) is None


def test_with_s3_in_both_directions_beside_ours_it_comes_to_an_end(stage: Stage) -> None:
    natives = [NativeReplication(stage.s3, *way, markers=True) for way in ((EAST, WEST), (WEST, EAST))]
    for number in range(6):
        stage.put(body=str(number).encode(), bucket=(EAST, WEST)[number % 2])
        natives[number % 2].run()
    settle(stage, *natives)
    assert shown(stage, EAST) == shown(stage, WEST)


def test_what_we_copied_goes_on_by_s3_and_the_ring_ends_there(stage: Stage) -> None:
    on = NativeReplication(stage.s3, WEST, NORTH)
    home = NativeReplication(stage.s3, NORTH, EAST)
    stage.put(body=b"1")
    settle(stage, on, home)
    assert shown(stage, NORTH) == b"1"
    assert len(stage.s3.buckets[EAST].history("k")) == 1


def test_status_says_that_a_replica_by_s3_is_one_and_that_both_sides_agree(stage: Stage) -> None:
    back = NativeReplication(stage.s3, WEST, EAST)
    stage.put(body=b"1")
    settle(stage, back)
    status = read_object_status(EAST, "k", stage.services)
    newest = status.versions[0]
    assert newest.status is ReplicationStatus.REPLICA
    assert str(newest.origin) == f"{newest.version_id} (S3's own replication)"
    assert status.agree


# Batch


def test_a_job_replicates_what_s3_replicated_here_only_if_it_asks(stage: Stage) -> None:
    there = stage.put(body=b"1", bucket=NORTH)
    stage.s3.replicate(there, "k", EAST)
    stage.queue.messages.clear()
    plain, asking = (Task("t", EAST, "k", there.version_id, s3_replicas=asked) for asked in (False, True))
    [skipped] = process_tasks([plain], stage.services, stage.log)
    assert "SKIPPED SourceIsReplica" in skipped.text
    [done] = process_tasks([asking], stage.services, stage.log)
    assert (done.code, done.text) == (ResultCode.SUCCEEDED, "west: COMPLETED")
    assert stage.replicas() == [there.version_id]


def test_what_a_job_asked_for_stays_on_top_when_older_events_come_again(stage: Stage) -> None:
    older = stage.put(body=b"older")
    [message] = stage.queue.visible()
    there = stage.put(body=b"1", bucket=NORTH)
    stage.s3.replicate(there, "k", EAST)
    process_tasks([Task("t", EAST, "k", there.version_id, s3_replicas=True)], stage.services, stage.log)
    stage.deliver(message)
    stage.deliver(message)
    assert stage.replicas() == [older.version_id, there.version_id]


def test_a_job_replicates_a_large_replica_by_s3_in_parts() -> None:
    """The workers that complete it know nothing of the job."""
    stage = LargeStage([rule(WEST, rule_id="all")])
    there = stage.put(body=bytes(range(12)), bucket=NORTH, scale=SCALE)
    stage.s3.replicate(there, "k", EAST)
    stage.deliver_all()
    assert stage.replicas() == []
    [waiting] = process_tasks([Task("t", EAST, "k", there.version_id, s3_replicas=True)], stage.services, stage.log)
    assert "PartsUnderWay" in waiting.text
    stage.deliver_all()
    assert stage.replicas() == [there.version_id]


def test_a_job_that_asks_for_one_replica_by_s3_does_not_copy_others_of_its_key(stage: Stage) -> None:
    first, second = stage.put(body=b"1", bucket=NORTH), stage.put(body=b"2", bucket=NORTH)
    for each in (first, second):
        stage.s3.replicate(each, "k", EAST)
    process_tasks([Task("t", EAST, "k", first.version_id, s3_replicas=True)], stage.services, stage.log)
    assert stage.replicas() == [first.version_id]
