"""What is found when a key in doubt is examined: every kind of damage has its name, and nothing is written."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from replicator.core.deciding.attempt import Delivery
from replicator.core.outcomes.outcome import Permanent, Reason, Side, Temporary
from replicator.core.rules.rule import Rule
from replicator.core.verifying.differences import Kind
from replicator.core.versions.change import Change, ChangeKind
from replicator.core.versions.origin import MARK, Origin, Site, encode_mark
from replicator.core.versions.version import Encryption, Grant, Lock
from replicator.flows.change.replicate import replicate
from replicator.flows.verify.examine import Examined, Examiner

from tests.contract.stages import EVERYBODY, in_a_year
from tests.fakes.points import READS
from tests.fakes.rules import rule
from tests.fakes.stored import Stored
from tests.flows.stage import EAST, NORTH, WEST, Stage

ALL = rule(WEST, delete_markers=True)


def examined(on: Stage, key: str = "k", *, deep: bool = True, busy: bool = False) -> list[Examined]:
    before = len(on.points.calls)
    examiner = Examiner(on.services, deep=deep, is_busy=lambda: busy)
    found = examiner.examine(EAST, key, on.rule_sets.of(EAST).candidates(key))
    assert {call.operation for call in on.points.calls[before:]} <= READS, "it reads and does nothing else"
    return found


def kinds(on: Stage, **options: Any) -> list[str]:
    (found,) = examined(on, **options)
    return [str(each.kind) for each in found.differences]


def replicated(*rules: Rule, locks: bool = False, acls: bool = False, **content: Any) -> tuple[Stage, Stored, Stored]:
    """Return a stage with a version and its replica."""
    on = Stage(rules or (ALL,))
    for bucket in (EAST, WEST):
        on.s3.buckets[bucket].object_lock = locks
        on.s3.buckets[bucket].acls_enabled = acls
    version = on.put(**content)
    on.deliver_all()
    replica = on.s3.buckets[WEST].current("k")
    assert replica
    on.s3.clock.advance(86_400)
    on.s3.listeners.clear()
    return on, version, replica


def test_what_arrived_differs_in_nothing() -> None:
    on, *_ = replicated(
        locks=True,
        acls=True,
        metadata={"a": "b"},
        headers={"ContentType": "text/plain"},
        tags={"team": "blue"},
        grants=(Grant("READ", EVERYBODY),),
        lock=Lock("GOVERNANCE", in_a_year(), legal_hold=True),
    )
    (found,) = examined(on)
    assert (found.differences, found.pending, found.checked) == ([], [], 1)


def test_a_version_whose_event_never_came_is_missing() -> None:
    on, *_ = replicated()
    version = on.put(body=b"again")
    (found,) = examined(on)
    assert [(each.kind, each.version_id) for each in found.differences] == [(Kind.MISSING, version.version_id)]
    assert found.checked == 2


def test_a_replica_that_was_deleted_for_good_is_told_from_one_that_never_came() -> None:
    on, _, replica = replicated()
    on.s3.destroy(WEST, "k", replica.version_id)
    assert kinds(on) == ["deleted-there"]


def test_what_a_user_wrote_at_the_destination_must_not_be_current() -> None:
    on, *_ = replicated()
    on.put(body=b"theirs", bucket=WEST)
    assert kinds(on) == ["wrong-current"]


def test_a_delete_marker_at_the_destination_alone_hides_what_must_be_current() -> None:
    on, *_ = replicated()
    on.s3.delete(WEST, "k")
    assert kinds(on) == ["wrong-current"]


def test_an_old_version_on_top_is_found() -> None:
    on = Stage([ALL])
    on.put(body=b"1")
    on.deliver_all()
    replica = on.s3.buckets[WEST].current("k")
    on.put(body=b"2")
    on.deliver_all()
    assert kinds(on) == []
    assert replica
    on.s3.put(WEST, "k", replica.content)
    assert kinds(on) == ["wrong-current"]


def test_a_version_that_is_missing_below_a_newer_one_is_no_more_than_missing() -> None:
    on, *_ = replicated()
    on.put(body=b"2")
    on.s3.listeners.append(on._send)
    on.put(body=b"3")
    on.deliver_all()
    assert kinds(on) == ["missing"]


def test_a_delete_marker_that_never_came_is_missing() -> None:
    on, *_ = replicated()
    on.s3.clock.advance(1)
    marker = on.s3.delete(EAST, "k")
    assert marker
    (found,) = examined(on)
    (difference,) = found.differences
    assert (difference.kind, difference.version_id, difference.is_marker) == (
        Kind.MARKER_MISSING, marker.version_id, True,
    )  # fmt: skip


def test_delete_markers_that_no_rule_replicates_are_left_out() -> None:
    on, *_ = replicated(rule(WEST))
    on.s3.delete(EAST, "k")
    (found,) = examined(on)
    assert (found.differences, found.left_out) == ([], Counter({"DeleteMarkersNotSelected": 1}))


def test_versions_that_no_rule_selects_are_left_out() -> None:
    on, *_ = replicated(rule(WEST, tags={"team": "blue"}), tags={"team": "blue"})
    on.put(body=b"other", tags={"team": "red"})
    (found,) = examined(on)
    assert (found.differences, found.left_out) == ([], Counter({"NoMatchingRule": 1}))


@pytest.mark.parametrize(
    ("kind", "damage"),
    {
        "content": {"body": b"other"},
        "metadata": {"metadata": {"a": "c"}},
        "headers": {"headers": {"ContentType": "text/html"}},
        "encryption": {"encryption": Encryption("aws:kms", "key")},
    }.items(),
    ids=["content", "metadata", "headers", "encryption"],
)
def test_a_damaged_replica_under_our_mark_is_found(kind: str, damage: dict[str, Any]) -> None:
    on, _, replica = replicated(metadata={"a": "b"}, headers={"ContentType": "text/plain"})
    mark = {MARK: replica.content.metadata[MARK]}
    if "metadata" in damage:
        damage = {"metadata": damage["metadata"] | mark}
    replica.content = replace(replica.content, **damage)
    assert kinds(on) == ["metadata" if kind == "headers" else kind]


def test_a_storage_class_is_compared_with_what_the_rule_names() -> None:
    on, _, replica = replicated(rule(WEST, storage_class="STANDARD_IA"))
    assert kinds(on) == []
    replica.content = replace(replica.content, storage_class="STANDARD")
    assert kinds(on) == ["storage-class"]
    replica.content = replace(replica.content, storage_class="GLACIER_IR")
    assert kinds(on) == [], "lifecycle moved it"


def test_what_changed_at_the_replica_is_found_by_a_deep_look_only() -> None:
    on, _, replica = replicated(acls=True, tags={"team": "blue"})
    on.s3.tag(WEST, "k", replica.version_id, {"team": "red"})
    on.s3.grant(WEST, "k", replica.version_id, (Grant("READ", EVERYBODY),))
    assert kinds(on, deep=False) == []
    assert sorted(kinds(on)) == ["acl", "tags"]
    (found,) = examined(on)
    tags = next(each for each in found.differences if each.kind is Kind.TAGS)
    assert tags.detail == "tags: team=red, the source has team=blue"


def test_an_annotation_that_the_replica_lacks_is_found() -> None:
    on, version, _ = replicated()
    on.s3.annotate(EAST, "k", version.version_id, "note", b"ours")
    assert kinds(on) == ["annotations"]


def test_a_legal_hold_that_was_lifted_at_the_replica_is_found() -> None:
    on, _, replica = replicated(locks=True, lock=Lock("GOVERNANCE", in_a_year(), legal_hold=True))
    on.s3.hold(WEST, "k", replica.version_id, on=False)
    assert kinds(on) == ["lock"]


def test_a_retention_that_ends_sooner_at_the_replica_is_found() -> None:
    on, version, _ = replicated(locks=True)
    on.s3.retain(EAST, "k", version.version_id, Lock("GOVERNANCE", in_a_year()))
    assert kinds(on) == ["lock"]


def test_a_legal_hold_that_no_event_tells_of_is_found() -> None:
    on, version, _ = replicated(locks=True)
    on.s3.hold(EAST, "k", version.version_id, on=True)
    assert kinds(on) == ["lock"]


def test_a_version_that_cannot_be_copied_has_failed_with_its_reason() -> None:
    on = Stage([ALL])
    on.put(lock=Lock(legal_hold=True))
    (found,) = examined(on)
    assert [(each.kind, each.detail.split(":")[0]) for each in found.differences] == [
        (Kind.FAILED, "DstBucketObjectLockConfigMissing")
    ]


def test_what_the_journal_knows_to_have_failed_says_why() -> None:
    on = Stage([ALL])
    on.put()
    on.fail("COPY", Permanent(Reason.DST_PUT_DENIED, "", Side.DESTINATION))
    on.deliver_all()
    (found,) = examined(on)
    assert [(each.kind, each.detail.split(":")[0]) for each in found.differences] == [
        (Kind.FAILED, "DstPutObjectNotPermitted")
    ]


def test_what_waits_is_pending_and_not_missing() -> None:
    on = Stage([ALL])
    on.put()
    on.fail("COPY", Temporary(Reason.THROTTLED, "", Side.DESTINATION))
    on.deliver()
    (found,) = examined(on)
    assert (found.differences, [each.kind for each in found.pending]) == ([], [Kind.MISSING])


def test_what_is_young_is_pending_while_the_queues_hold_something() -> None:
    on = Stage([ALL])
    on.put()
    (found,) = examined(on, busy=True)
    assert (found.differences, [each.kind for each in found.pending]) == ([], [Kind.MISSING])
    assert kinds(on, busy=False) == ["missing"]
    on.s3.clock.advance(3600)
    assert kinds(on, busy=True) == ["missing"]


def test_what_cannot_be_read_is_neither_equal_nor_missing() -> None:
    on, *_ = replicated()
    on.fail("LIST", Temporary(Reason.THROTTLED, "", Side.SOURCE), 9, bucket=EAST)
    assert kinds(on) == ["unreadable"]


def test_trouble_with_one_destination_leaves_the_others_examined() -> None:
    on = Stage([ALL, rule(NORTH, rule_id="north")])
    on.put()
    on.deliver_all()
    on.fail("LIST", Temporary(Reason.THROTTLED, "", Side.DESTINATION), 9, bucket=NORTH)
    found = {each.destination: [str(kind.kind) for kind in each.differences] for each in examined(on)}
    assert found == {WEST: [], NORTH: ["unreadable"]}


def test_replicas_at_the_source_are_for_the_other_direction_to_prove() -> None:
    on = Stage([ALL])
    on.rule_sets.put(WEST, rule(EAST))
    on.s3.buckets[WEST].listens = on.s3.buckets[EAST].listens = True
    theirs = on.put(body=b"theirs", bucket=WEST)
    replicate(Change(ChangeKind.CREATED, WEST, "k", theirs.version_id), Delivery(), on.services)
    (found,) = examined(on)
    assert (found.checked, found.differences) == (1, [])
    assert found.left_out == {"SourceIsReplica": 1}


def test_what_lies_below_a_replica_of_the_destination_need_not_be_on_top_there() -> None:
    """A delete marker that came from the destination was removed there, and undone here by a replica on top of it."""
    on = Stage([ALL])
    on.rule_sets.put(WEST, rule(EAST))
    on.s3.buckets[WEST].listens = on.s3.buckets[EAST].listens = True
    on.s3.listeners.clear()
    theirs = on.put(body=b"theirs", bucket=WEST)
    replicate(Change(ChangeKind.CREATED, WEST, "k", theirs.version_id), Delivery(), on.services)
    on.s3.clock.advance(1)
    on.s3.delete(EAST, "k")
    assert kinds(on) == ["delete-marker-missing"]
    on.s3.clock.advance(1)
    origin = Origin(WEST, theirs.version_id, theirs.modified, undoes=True)
    mark = encode_mark(origin, Site(EAST, "k", round(on.s3.clock.now)))
    on.put(body=b"theirs", metadata={MARK: mark})
    (found,) = examined(on)
    assert (found.differences, found.left_out) == ([], {"SourceIsReplica": 2})


def test_a_long_history_is_listed_once() -> None:
    on = Stage([ALL])
    for number in range(10):
        on.put(body=bytes([number]))
    on.deliver_all()
    before = len(on.points.calls)
    (found,) = examined(on)
    lists = [call for call in on.points.calls[before:] if call.operation == "LIST"]
    assert (found.checked, found.differences) == (10, [])
    assert [call.bucket for call in lists[:2]] == [WEST, EAST], "the destination before the source"
    assert len(lists) <= 4, "of each bucket, one for versions and one for what may change after the write"
