"""Changes after the write at one destination: what is read, what is written, and which value stands."""

from dataclasses import replace
from typing import Any

import pytest
from replicator.core.aspects.state import GRANTS, TAGS, digest, grant_state, tag_state
from replicator.core.outcomes.outcome import Reason, Status, Temporary
from replicator.core.rules.rule import Rule
from replicator.core.versions.change import UNNAMED, Change, ChangeKind
from replicator.core.versions.events import write
from replicator.core.versions.origin import MARK, Born, Origin, Site, encode_mark, metadata_digest

from tests.fakes.rules import rule
from tests.fakes.stored import Stored
from tests.flows.stage import EAST, WEST, Killed, Stage

ONE_WAY = rule(WEST, rule_id="all")
BOTH_WAYS = rule(WEST, rule_id="all", replica_modifications=True)


def replicated(kind: Rule = ONE_WAY, **content: Any) -> tuple[Stage, Stored, Stored]:
    """Return a stage with a version and its replica."""
    stage = Stage([kind])
    version = stage.put(**content)
    stage.deliver_all()
    replica = stage.s3.buckets[WEST].current("k")
    assert replica is not None
    return stage, version, replica


def tag(stage: Stage, version: Stored, value: str) -> None:
    """Let a user tag a version of the source."""
    stage.s3.tag(EAST, "k", version.version_id, {"a": value})
    stage.deliver_all()


def tag_replica(stage: Stage, version: Stored, replica: Stored, value: str) -> None:
    """Let a user tag a replica, and its stack forward that to the version's."""
    stage.s3.tag(WEST, "k", replica.version_id, {"a": value})
    change = Change(ChangeKind.TAGS, EAST, "k", version.version_id, stage.s3.clock.milliseconds(), seen_at=WEST)
    stage.queue.send(write(change))
    stage.deliver_all()


REQUESTS = ("LEASE", "RELEASE", "READ", "SETTLE", "HEAD", "LIST", "GET TAGS", "PUT TAGS", "COPY")


def requests(stage: Stage) -> list[str]:
    """Return the requests to buckets and journal so far."""
    return [call.operation for call in stage.points.calls if call.operation in REQUESTS]


def tags(stored: Stored) -> str:
    return stored.content.tags.get("a", "")


def test_a_tag_change_of_the_current_version_takes_one_read_and_one_write() -> None:
    stage, version, replica = replicated()
    before = len(requests(stage))
    tag(stage, version, "new")
    assert tags(replica) == "new"
    assert requests(stage)[before:] == ["LEASE", "GET TAGS", "PUT TAGS", "RELEASE"]


def test_a_duplicate_of_its_event_writes_nothing() -> None:
    stage, version, _ = replicated()
    tag(stage, version, "new")
    before = len(requests(stage))
    stage.s3._tell("ObjectTagging:Put", EAST, "k", version, "AWS:USER")
    stage.deliver_all()
    assert requests(stage)[before:] == ["LEASE", "GET TAGS", "RELEASE"]


def test_what_users_change_at_a_replica_stays_until_its_version_changes() -> None:
    stage, version, replica = replicated()
    tag_replica(stage, version, replica, "mine")
    assert (tags(version), tags(replica)) == ("", "mine")
    tag(stage, version, "new")
    assert (tags(version), tags(replica)) == ("new", "new")


def test_a_change_at_a_replica_goes_to_its_version_where_modifications_are_replicated() -> None:
    stage, version, replica = replicated(BOTH_WAYS)
    tag_replica(stage, version, replica, "theirs")
    assert tags(version) == "theirs"


def test_a_value_that_a_user_sets_again_at_a_replica_goes_to_its_version_too() -> None:
    """What the replica was written with is no change only as long as it was not compared with its version."""
    stage, version, replica = replicated(BOTH_WAYS, tags={"a": "first"})
    tag(stage, version, "second")
    assert tags(replica) == "second"
    tag_replica(stage, version, replica, "first")
    assert (tags(version), tags(replica)) == ("first", "first")
    tag(stage, version, "second")
    assert (tags(version), tags(replica)) == ("second", "second")


def test_a_value_that_is_set_and_set_back_before_anybody_looked_changes_nothing() -> None:
    stage, version, replica = replicated(BOTH_WAYS, tags={"a": "first"})
    tag(stage, version, "second")
    before = len(requests(stage))
    for value in ("third", "second"):
        stage.s3.tag(EAST, "k", version.version_id, {"a": value})
    stage.deliver_all()
    assert "PUT TAGS" not in requests(stage)[before:]
    assert (tags(version), tags(replica)) == ("second", "second")


def test_what_was_set_back_before_anybody_looked_is_overwritten_by_a_change_of_the_other_side() -> None:
    stage, version, replica = replicated(BOTH_WAYS, tags={"a": "first"})
    tag(stage, version, "second")
    for value in ("third", "second"):
        stage.s3.tag(EAST, "k", version.version_id, {"a": value})
    tag_replica(stage, version, replica, "theirs")
    assert (tags(version), tags(replica)) == ("theirs", "theirs")


def test_a_replica_that_was_deleted_for_good_fails_once_and_does_not_come_back() -> None:
    stage, version, replica = replicated()
    stage.s3.destroy(WEST, "k", replica.version_id)
    tag(stage, version, "new")
    assert [(each.status, each.reason) for each in stage.outcomes][-1] == (
        Status.FAILED,
        Reason.DST_VERSION_NOT_FOUND,
    )
    assert stage.s3.buckets[WEST].history("k") == []
    assert len(stage.queue.dead) == 1


def test_a_change_that_another_message_completed_ends_though_its_replica_was_deleted_for_good_meanwhile() -> None:
    stage, version, replica = replicated()
    stage.s3.tag(EAST, "k", version.version_id, {"a": "new"})
    [message] = stage.queue.visible()
    other = stage.queue.send(message.body)
    stage.fail("LEASE", Temporary(Reason.THROTTLED, "503 SlowDown"), times=2)
    stage.deliver()
    stage.s3.clock.advance(60)
    stage.deliver(other)
    stage.s3.destroy(WEST, "k", replica.version_id)
    stage.deliver_all()
    assert stage.counted[-1] == (Status.COMPLETED, None)
    assert len(stage.calls("LEASE")) == 4
    assert stage.queue.dead == []


def test_a_version_that_is_tagged_before_it_was_copied_is_copied_with_its_tags() -> None:
    stage = Stage([ONE_WAY])
    version = stage.put(tags={"a": "old"})
    created = stage.queue.visible()
    stage.s3.tag(EAST, "k", version.version_id, {"a": "new"})
    tagged = [each for each in stage.queue.visible() if each not in created]
    stage.deliver(*tagged)
    stage.deliver_all()
    history = stage.s3.buckets[WEST].history("k")
    assert [tags(each) for each in history] == ["new"]


def annotations(stage: Stage, bucket: str) -> dict[str, bytes]:
    """Return the annotations of a bucket's current version."""
    current = stage.s3.buckets[bucket].current("k")
    assert current is not None
    return stage.s3.annotations.get((bucket, "k", current.version_id), {})


REMOVES = rule(WEST, rule_id="all", replica_modifications=True, annotation_deletions=True)


@pytest.mark.parametrize("then", [b"2", None], ids=["overwritten", "deleted"])
def test_an_annotation_that_changes_while_it_is_copied_is_left_to_its_next_event(then: bytes | None) -> None:
    stage, version, replica = replicated(REMOVES)
    stage.s3.annotate(WEST, "k", replica.version_id, "note", b"0")
    stage.s3.annotate(EAST, "k", version.version_id, "note", b"1")
    stage.just_before("GET ANNOTATION", lambda: stage.s3.annotate(EAST, "k", version.version_id, "note", then))
    stage.deliver_all()
    wanted = {} if then is None else {"note": then}
    assert (annotations(stage, EAST), annotations(stage, WEST)) == (wanted, wanted)


@pytest.mark.parametrize("bucket", [EAST, WEST])
def test_a_bucket_that_says_for_a_while_that_it_has_no_annotations_deletes_none_on_the_other_side(bucket: str) -> None:
    stage, version, _ = replicated(REMOVES)
    stage.s3.annotate(EAST, "k", version.version_id, "note", b"1")
    stage.deliver_all()
    stage.s3.without_annotations.add(bucket)
    for seen_at in ("", WEST):
        time = stage.s3.clock.milliseconds()
        change = Change(ChangeKind.ANNOTATIONS, EAST, "k", version.version_id, time, seen_at=seen_at)
        stage.queue.send(write(change))
        stage.deliver_all()
    stage.s3.without_annotations.clear()
    assert (annotations(stage, EAST), annotations(stage, WEST)) == ({"note": b"1"}, {"note": b"1"})


def put_back(stage: Stage, version: Stored, bucket: str = EAST, **annotations: bytes) -> Stored:
    """Put a version back on top, as a function does; in its own bucket, as that of the other direction does."""
    origin = Origin(EAST, version.version_id, version.modified)
    tags, grants = tag_state(version.content.tags)[TAGS], grant_state(version.content.grants)[GRANTS]
    born = Born(digest(tags), digest(grants), hold=False, metadata=metadata_digest({}))
    mark = encode_mark(origin, Site(bucket, "k", int(stage.s3.clock.now)), born)
    content = replace(version.content, metadata={MARK: mark})
    return stage.s3.put(bucket, "k", content, "AWS:ROLE:other", parent=version, annotations=annotations)


@pytest.mark.parametrize("kind", [ONE_WAY, REMOVES], ids=["one-way", "back"])
def test_an_annotation_that_a_put_back_replica_was_written_with_late_is_no_users(kind: Rule) -> None:
    stage, version, _ = replicated(kind)
    for payload in (b"old", b"new"):
        stage.s3.annotate(EAST, "k", version.version_id, "note", payload)
        stage.deliver_all()
    put_back(stage, version, WEST, note=b"old")
    time = stage.s3.clock.milliseconds()
    change = Change(ChangeKind.ANNOTATIONS, EAST, "k", version.version_id, time, seen_at=WEST)
    stage.queue.send(write(change if kind is REMOVES else replace(change, seen_at="")))
    stage.deliver_all()
    assert (annotations(stage, EAST), annotations(stage, WEST)) == ({"note": b"new"}, {"note": b"new"})


def test_a_change_of_a_version_that_was_put_back_in_its_own_bucket_copies_one_that_was_never_copied() -> None:
    stage = Stage([BOTH_WAYS])
    version = stage.put()
    twin = put_back(stage, version)
    created = stage.queue.visible()
    stage.s3.tag(EAST, "k", twin.version_id, {"a": "new"})
    stage.deliver(*[each for each in stage.queue.visible() if each not in created])
    assert [tags(each) for each in (version, *stage.s3.buckets[WEST].history("k"))] == ["new", "new"]


def test_a_change_of_a_put_back_version_is_not_undone_by_the_value_that_it_was_put_back_with() -> None:
    """Its user has seen that value, though the other replica has not got it yet."""
    stage, version, replica = replicated(BOTH_WAYS)
    stage.s3.tag(EAST, "k", version.version_id, {"a": "1"})
    twin = put_back(stage, version)
    stage.s3.tag(EAST, "k", twin.version_id, {"a": "2"})
    stage.deliver_all()
    assert [tags(each) for each in (version, twin, replica)] == ["2", "2", "2"]


def test_what_is_on_top_is_looked_at_again_once_however_many_versions_the_key_has() -> None:
    """An event that names no version, and comes back, may have left a plan half done for any of them."""
    stage = Stage([BOTH_WAYS])
    *_, version = [stage.put(), stage.put(), stage.put()]
    stage.deliver_all()
    put_back(stage, version, WEST)
    before = requests(stage).count("LEASE")
    stage.fail("LEASE", Temporary(Reason.THROTTLED, "503 SlowDown"))
    stage.queue.send(write(Change(ChangeKind.TAGS, EAST, "k", UNNAMED, stage.s3.clock.milliseconds())))
    stage.deliver_all()
    looks, again, failed = 3, 1, 1
    assert requests(stage).count("LEASE") - before == looks + again + failed


def test_a_look_that_one_of_our_own_messages_asks_for_copies_nothing_and_asks_for_no_other_look() -> None:
    """However often it comes: otherwise two stacks would ask each other for ever."""
    stage = Stage([BOTH_WAYS])
    version, over = stage.put(), stage.put(bucket=WEST)
    change = Change(ChangeKind.STATE, EAST, "k", version.version_id, stage.s3.clock.milliseconds())
    stage.queue.delete([each.id for each in stage.queue.visible()])
    for _ in range(2):
        stage.queue.send(write(change))
        stage.fail("LIST", Temporary(Reason.THROTTLED, "503 SlowDown"))
        stage.deliver_all()
    assert stage.s3.buckets[WEST].history("k") == [over]
    assert stage.calls("FORWARD", "COPY") == []
    assert stage.counted[-1] == (Status.SKIPPED, Reason.NOT_COPIED)


def test_a_lease_that_another_function_holds_makes_a_change_wait() -> None:
    stage, version, replica = replicated()
    now = stage.s3.clock.milliseconds()
    pair = next(iter(stage.journal.entries))
    stage.journal.lease(pair, "another", now, now + 5_000)
    tag(stage, version, "new")
    assert tags(replica) == "new"
    assert (Status.PENDING, Reason.BUSY) in stage.counted


def test_however_often_a_version_comes_one_look_at_its_replicas_waits_for_the_lease() -> None:
    """By a clock that is behind as well, when that look is over already: what was copied since is looked at too."""
    stage = Stage([ONE_WAY])
    version = stage.put()
    created = stage.queue.visible()
    stage.deliver_all()
    put_back(stage, version, WEST)
    pair, clock = next(iter(stage.journal.entries)), stage.s3.clock
    begun = clock.now
    for _ in range(2):
        stage.journal.lease(pair, "another", clock.milliseconds(), clock.milliseconds() + 5_000)
        late, clock.now = max(clock.now, begun + 5), begun
        for _ in range(5):
            stage.queue.send(created[0].body)
            stage.deliver(*[replace(each, receives=2) for each in stage.queue.visible()])
            clock.now += 1
        assert len(stage.parked()) == 1
        clock.now = late
        stage.deliver_all()
        assert stage.parked() == {}


def test_looks_that_another_stack_asks_for_are_one_while_the_pair_is_busy() -> None:
    """It asks once for each of its handlers, and each would be in the way of the others."""
    stage, version, _ = replicated()
    pair, clock = next(iter(stage.journal.entries)), stage.s3.clock
    stage.journal.lease(pair, "another", clock.milliseconds(), clock.milliseconds() + 9_000)
    for _ in range(3):
        clock.now += 1
        stage.queue.send(write(Change(ChangeKind.STATE, EAST, "k", version.version_id, clock.milliseconds())))
        stage.deliver(*stage.queue.visible())
    assert (len(stage.parked()), stage.queue.messages) == (1, {})
    clock.now += 9
    stage.deliver_all()
    assert stage.parked() == {}
    assert stage.calls("RELEASE") == [stage.calls("RELEASE")[0]]


def test_a_version_that_is_deleted_while_it_is_looked_at_is_not_one_whose_annotations_were_deleted() -> None:
    stage, version, replica = replicated(rule(WEST, rule_id="all", annotation_deletions=True))
    stage.s3.annotate(EAST, "k", version.version_id, "note", b"1")
    stage.deliver_all()
    stage.just_before("LIST ANNOTATIONS", lambda: stage.s3.destroy(EAST, "k", version.version_id))
    stage.s3._tell("ObjectAnnotation:Delete", EAST, "k", version, "AWS:USER")
    stage.deliver_all()
    assert stage.s3.annotations[WEST, "k", replica.version_id] == {"note": b"1"}
    assert Reason.SRC_VERSION_NOT_FOUND in [outcome.reason for outcome in stage.outcomes]


def test_who_changes_what_a_crashed_function_wrote_is_not_overwritten_by_it() -> None:
    """The value joined the base before it was written: else both would look changed, and the version would win."""
    stage, version, replica = replicated(BOTH_WAYS)
    stage.just_before("PUT TAGS", lambda: stage.fail("KEEP BASES", Killed()))
    stage.s3.tag(EAST, "k", version.version_id, {"a": "first"})
    stage.deliver()
    assert tags(replica) == "first"
    stage.s3.clock.advance(300)  # the lease has ended, and the message is not back yet
    tag_replica(stage, version, replica, "second")
    assert (tags(version), tags(replica)) == ("second", "second")
