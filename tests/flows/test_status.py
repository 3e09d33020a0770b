"""Where a key or a stack stands, from what the journal keeps and the buckets show."""

import pytest
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.outcomes.replication_status import ReplicationStatus
from replicator.core.outcomes.threshold import Age
from s3replicator.status.object_reader import NEWEST, read_object_status
from s3replicator.status.object_status import ObjectStatus
from s3replicator.status.stack_status import JournalViews, StackStatus, read_stack_status

from tests.fakes.monitoring import MemoryIndex, MemoryQueues
from tests.fakes.reporting import in_turn
from tests.fakes.rules import rule
from tests.flows.stage import EAST, NORTH, THRESHOLD_MS, WEST, Stage, to_two

SLOW = Temporary(Reason.THROTTLED, "SlowDown")
DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")


def stack_status(on: Stage, bucket: str = "") -> StackStatus:
    views = JournalViews(MemoryIndex(on.journal, THRESHOLD_MS), on.gates, on.parking)
    return read_stack_status(views, MemoryQueues(on.queue), in_turn, on.s3.clock.milliseconds(), bucket)


def look(on: Stage, key: str = "k") -> ObjectStatus:
    return read_object_status(EAST, key, on.services)


def at(found: ObjectStatus, version: int = 0) -> dict[str, ReplicationStatus]:
    return {each.destination: each.status for each in found.versions[version].destinations}


def test_what_arrived_everywhere_is_completed() -> None:
    on = to_two()
    on.put()
    on.deliver_all()
    found = look(on)
    assert found.versions[0].status is ReplicationStatus.COMPLETED
    assert at(found) == {WEST: ReplicationStatus.COMPLETED, NORTH: ReplicationStatus.COMPLETED}
    assert found.agree


def test_the_status_rolls_up_and_each_destination_says_its_own_and_why() -> None:
    on = to_two()
    on.fail("COPY", SLOW, 99, bucket=WEST)
    on.fail("COPY", DENIED, 1, bucket=NORTH)
    on.put()
    on.deliver()
    found = look(on)
    assert at(found) == {WEST: ReplicationStatus.PENDING, NORTH: ReplicationStatus.FAILED}
    assert {each.reason for each in found.versions[0].destinations} == {"Throttled", "DstPutObjectNotPermitted"}
    assert found.versions[0].status is ReplicationStatus.FAILED
    assert not found.agree


def test_what_nobody_has_looked_at_is_unknown_not_completed() -> None:
    on = to_two()
    on.put()
    assert at(look(on)) == {WEST: ReplicationStatus.UNKNOWN, NORTH: ReplicationStatus.UNKNOWN}
    assert look(on).versions[0].status is ReplicationStatus.UNKNOWN


def test_what_waited_and_then_arrived_is_completed() -> None:
    on = to_two()
    on.fail("COPY", SLOW, 2)
    on.put()
    on.deliver_all()
    assert at(look(on)) == {WEST: ReplicationStatus.COMPLETED, NORTH: ReplicationStatus.COMPLETED}


def test_each_version_stands_for_itself_newest_first() -> None:
    on = Stage([rule(WEST, rule_id="west")])
    first = on.put(body=b"1")
    on.deliver_all()
    on.fail("COPY", SLOW, 9)
    second = on.put(body=b"2")
    on.deliver()
    found = look(on)
    assert [each.version_id for each in found.versions] == [second.version_id, first.version_id]
    assert [each.is_current for each in found.versions] == [True, False]
    assert [each.status for each in found.versions] == [ReplicationStatus.PENDING, ReplicationStatus.COMPLETED]


def test_only_the_newest_versions_are_looked_at() -> None:
    on = Stage([rule(WEST, rule_id="west")])
    for number in range(NEWEST + 5):
        on.put(body=bytes([number]))
    on.deliver_all()
    assert len(look(on).versions) == NEWEST


def test_a_rule_that_does_not_want_a_version_is_no_destination_of_it() -> None:
    on = Stage([rule(WEST, rule_id="blue", tags={"team": "blue"}), rule(NORTH, rule_id="north")])
    on.put()
    on.deliver_all()
    assert at(look(on)) == {NORTH: ReplicationStatus.COMPLETED}


def test_a_delete_marker_counts_where_the_rule_replicates_them() -> None:
    on = Stage([rule(WEST, rule_id="west", delete_markers=True), rule(NORTH, rule_id="north")])
    on.put()
    on.deliver_all()
    on.s3.delete(EAST, "k")
    on.deliver_all()
    found = look(on)
    assert found.versions[0].is_marker
    assert at(found) == {WEST: ReplicationStatus.COMPLETED}


def test_a_destination_that_cannot_be_asked_is_said_to_be() -> None:
    on = Stage([rule(WEST, rule_id="west")])
    on.put()
    on.deliver_all()
    on.fail("HEAD", Permanent(Reason.DST_BUCKET_NOT_FOUND, "gone"), 1, bucket=WEST)
    [_, far] = look(on).sides
    assert "DstBucketNotFound" in far.trouble


def test_what_a_head_finds_is_current_at_a_destination_whatever_its_lists_lack() -> None:
    on = Stage([rule(WEST, rule_id="west")])
    on.put()
    on.deliver_all()
    on.s3.buckets[WEST].lists_all = False
    assert look(on).agree


@pytest.mark.parametrize("bucket", [EAST, WEST])
def test_a_list_that_lacks_what_is_current_is_trouble_not_an_answer(bucket: str) -> None:
    on = Stage([rule(WEST, rule_id="west", delete_markers=True)])
    on.s3.delete(EAST, "k")
    on.s3.delete(WEST, "k")
    on.s3.buckets[bucket].lists_all = False
    if bucket == EAST:
        with pytest.raises(Temporary, match="which HEAD finds"):
            look(on)
    else:
        assert "which HEAD finds" in look(on).sides[1].trouble


def test_a_stack_says_what_waits_and_what_failed_by_rule_or_for_one_bucket() -> None:
    on = to_two()
    on.fail("COPY", SLOW, 99, bucket=WEST)
    on.fail("COPY", DENIED, 1, bucket=NORTH)
    on.put(body=b"12345")
    on.deliver()
    found = stack_status(on)
    assert found.routes == [(EAST, NORTH, "north"), (EAST, WEST, "west")]
    assert (found.pending.all.operations, found.pending.all.bytes) == (1, 5)
    assert found.failed[EAST, NORTH, "north"].operations == 1
    assert not found.is_fine
    assert stack_status(on, "south").pending.all.operations == 0


def test_what_waits_within_its_threshold_is_fine() -> None:
    on = Stage([rule(WEST, rule_id="west")])
    on.fail("COPY", SLOW, 99)
    on.put()
    on.deliver()
    assert stack_status(on).is_fine
    on.s3.clock.advance(THRESHOLD_MS / 1000)
    late = stack_status(on)
    assert late.pending.by_age[Age.LATE] == 1
    assert not late.is_fine


def test_what_is_parked_is_pending_and_its_gate_is_shown() -> None:
    on = to_two()
    on.fail("COPY", SLOW, 9999, bucket=WEST)
    on.put(body=b"12345")
    for _ in range(5):
        on.deliver(*on.queue.messages.values())
    on.gates.shut(WEST, "Throttled", "SlowDown", on.s3.clock.milliseconds())
    found = stack_status(on)
    assert (found.pending.all.operations, found.pending.all.parked, found.is_exact) == (1, 1, True)
    assert [gate.destination for gate in found.troubled_gates] == [WEST]
    assert stack_status(on, "south").pending.all.operations == 0
    assert look(on).versions[0].destinations[0].release_at > on.s3.clock.milliseconds()
