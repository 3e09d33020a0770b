"""Where a key or a stack stands, from what the journal keeps and the buckets show."""

import pytest
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.outcomes.replication_status import ReplicationStatus
from replicator.core.outcomes.threshold import Age
from replicator.core.versions.change import UNNAMED, Aspect, Change, ChangeKind
from replicator.core.versions.events import write
from s3replicator.status.object_reader import NEWEST, read_object_status
from s3replicator.status.object_status import ObjectStatus
from s3replicator.status.stack_status import JournalViews, StackStatus, read_stack_status

from tests.fakes.monitoring import MemoryIndex, MemoryQueues
from tests.fakes.reporting import in_turn
from tests.fakes.rules import rule
from tests.flows.stage import EAST, NORTH, THRESHOLD_MS, WEST, Stage, to_two

SLOW = Temporary(Reason.THROTTLED, "SlowDown")
DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")
TAGS_DENIED = Permanent(Reason.DST_PUT_TAGS_DENIED, "AccessDenied")


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


# Changes after the write


def later(found: ObjectStatus, version: int = 0) -> list[tuple[str, Aspect, ReplicationStatus, str]]:
    changes = [each for there in found.versions[version].destinations for each in there.later]
    return [(each.destination, each.item.aspect, each.status, each.reason) for each in changes]


def test_later_changes_that_wait_or_failed_are_shown_for_their_version_and_destination() -> None:
    on = to_two()
    version = on.put()
    on.deliver_all()
    on.fail("PUT TAGS", SLOW, 99, bucket=WEST)
    on.fail("PUT TAGS", TAGS_DENIED, 1, bucket=NORTH)
    on.s3.tag(EAST, "k", version.version_id, {"a": "1"})
    on.deliver()
    found = look(on)
    assert at(found) == {WEST: ReplicationStatus.COMPLETED, NORTH: ReplicationStatus.COMPLETED}
    assert later(found) == [
        (WEST, Aspect.TAGS, ReplicationStatus.PENDING, "Throttled"),
        (NORTH, Aspect.TAGS, ReplicationStatus.FAILED, "DstPutTaggingNotPermitted"),
    ]
    assert found.versions[0].status is found.status is ReplicationStatus.FAILED


def test_a_later_change_that_arrived_is_shown_no_more() -> None:
    on = Stage([rule(WEST, rule_id="west")])
    version = on.put()
    on.deliver_all()
    on.fail("PUT TAGS", SLOW, 1)
    on.s3.tag(EAST, "k", version.version_id, {"a": "1"})
    on.deliver()
    assert look(on).status is ReplicationStatus.PENDING
    on.deliver_all()
    assert later(look(on)) == []
    assert look(on).status is ReplicationStatus.COMPLETED


def test_a_later_change_of_an_older_version_leaves_the_current_one_completed() -> None:
    on = Stage([rule(WEST, rule_id="west")])
    older = on.put(body=b"1")
    on.put(body=b"2")
    on.deliver_all()
    on.fail("PUT TAGS", TAGS_DENIED, 1)
    on.s3.tag(EAST, "k", older.version_id, {"a": "1"})
    on.deliver_all()
    found = look(on)
    assert [each.status for each in found.versions] == [ReplicationStatus.COMPLETED, ReplicationStatus.FAILED]
    assert found.status is ReplicationStatus.COMPLETED


def test_what_names_no_version_is_shown_for_the_key() -> None:
    on = Stage([rule(WEST, rule_id="west")])
    version = on.put()
    on.deliver_all()
    on.fail("PUT TAGS", TAGS_DENIED, 1)
    on.s3.tag(EAST, "k", version.version_id, {"a": "1"})
    on.queue.messages.clear()
    on.queue.send(write(Change(ChangeKind.TAGS, EAST, "k", UNNAMED, on.s3.clock.milliseconds())))
    on.deliver_all()
    found = look(on)
    [unnamed] = found.unnamed
    assert (unnamed.destination, unnamed.item.aspect, unnamed.status) == (WEST, Aspect.TAGS, ReplicationStatus.FAILED)
    assert (later(found), found.status) == ([], ReplicationStatus.FAILED)
    assert version.version_id == found.versions[0].version_id


def test_a_replica_whose_change_did_not_get_to_its_owner_says_so() -> None:
    """As S3's own: a replica is not REPLICA while its own change is under way or has failed."""
    on = Stage([rule(WEST, rule_id="west", replica_modifications=True)])
    on.rule_sets.put(WEST, rule(EAST, rule_id="back", replica_modifications=True))
    theirs = on.put(bucket=WEST)
    on.queue.send(write(Change(ChangeKind.CREATED, WEST, "k", theirs.version_id, on.s3.clock.milliseconds())))
    on.deliver_all()
    assert look(on).status is ReplicationStatus.REPLICA
    [replica] = on.s3.buckets[EAST].history("k")
    on.rule_sets.put(WEST)
    on.s3.tag(EAST, "k", replica.version_id, {"a": "1"})
    on.deliver()
    assert later(look(on)) == [(WEST, Aspect.TAGS, ReplicationStatus.FAILED, "OwnerQueueUnknown")]
    assert look(on).status is ReplicationStatus.FAILED


def test_a_replica_that_follows_though_its_tags_match_no_more_shows_what_fails() -> None:
    on = Stage([rule(WEST, rule_id="blue", tags={"team": "blue"})])
    version = on.put(tags={"team": "blue"})
    on.deliver_all()
    on.fail("PUT TAGS", TAGS_DENIED, 1)
    on.s3.tag(EAST, "k", version.version_id, {"team": "red"})
    on.deliver_all()
    assert later(look(on)) == [(WEST, Aspect.TAGS, ReplicationStatus.FAILED, "DstPutTaggingNotPermitted")]


def test_a_stack_says_how_many_of_what_waits_and_what_failed_are_later_changes() -> None:
    on = to_two()
    version = on.put()
    on.deliver_all()
    on.fail("PUT TAGS", SLOW, 99, bucket=WEST)
    on.fail("PUT TAGS", TAGS_DENIED, 1, bucket=NORTH)
    on.s3.tag(EAST, "k", version.version_id, {"a": "1"})
    on.deliver()
    on.fail("COPY", DENIED, 1, bucket=NORTH, key="new")
    on.put("new")
    on.deliver()
    found = stack_status(on)
    assert found.pending.by_aspect == {Aspect.TAGS: 1}
    assert found.failed_by_aspect == {Aspect.TAGS: 1, Aspect.CONTENT: 1}
    assert not found.is_fine
