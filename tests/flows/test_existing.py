"""What an operator asks for: versions and delete markers from before the rules, and what must be restored."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.versions.change import Change, ChangeKind, Wish
from replicator.core.versions.events import Record, Unreadable, parse, write
from replicator.core.versions.origin import MARK, Origin, Site, encode_mark

from tests.fakes.rules import rule
from tests.fakes.stored import Content, Stored
from tests.flows.stage import EAST, NORTH, OURS, WEST, Stage

MARKERS = rule(WEST, rule_id="all", delete_markers=True)


def before_the_rules() -> Stage:
    """Return a stage whose source tells nobody what is written."""
    stage = Stage([MARKERS])
    stage.s3.listeners.clear()
    return stage


def asked(stage: Stage, stored: Stored, wish: Wish, kind: ChangeKind | None = None) -> Change:
    kind = kind or (ChangeKind.CREATED if stored.is_version else ChangeKind.MARKED_DELETED)
    return Change(kind, EAST, "k", stored.version_id, time=stage.services.now(), wish=wish)


def ask(stage: Stage, *stored: Stored, wish: Wish = Wish.EXISTING, kind: ChangeKind | None = None) -> None:
    stage.s3.clock.advance(1)
    stage.queue.send(write(*(asked(stage, each, wish, kind) for each in stored)))
    stage.deliver_all()


def shape(history: Sequence[Stored]) -> list[bytes | None]:
    """Return the bytes of each entry, None for a delete marker."""
    return [each.content.body if each.is_version else None for each in history]


def there(stage: Stage, bucket: str = WEST) -> list[bytes | None]:
    return shape(stage.s3.buckets[bucket].history("k"))


def delete(stage: Stage, bucket: str = EAST) -> Stored:
    stage.s3.clock.advance(1)
    marker = stage.s3.delete(bucket, "k")
    assert marker
    return marker


def test_a_history_from_before_the_rules_arrives_entry_by_entry() -> None:
    stage = before_the_rules()
    entries = [stage.put(body=b"1"), delete(stage), stage.put(body=b"2"), delete(stage), delete(stage)]
    ask(stage, *entries)
    assert there(stage) == [b"1", None, b"2", None], "a second marker on a marker shows nothing"
    ask(stage, *entries)
    assert there(stage) == [b"1", None, b"2", None], "and asking again changes nothing"


def test_a_key_that_was_written_since_keeps_its_current_version_on_top() -> None:
    stage = before_the_rules()
    old = [stage.put(body=b"1"), delete(stage), stage.put(body=b"2")]
    stage.s3.listeners.append(stage._send)
    stage.s3.clock.advance(3600)
    stage.put(body=b"3")
    stage.deliver_all()
    ask(stage, *old)
    assert there(stage)[-1] == b"3"
    assert {b"1", b"2"} <= set(there(stage))


def test_what_is_asked_for_is_neither_late_nor_counted() -> None:
    stage = before_the_rules()
    version = stage.put()
    stage.s3.clock.advance(7 * 86_400)
    stage.fail("COPY", Temporary(Reason.THROTTLED, "slow down"), 3)
    stage.queue.send(write(asked(stage, version, Wish.EXISTING)))
    stage.s3.clock.advance(7 * 86_400)
    stage.deliver_all()
    assert there(stage) == [b"bytes"]
    assert stage.measures.recorded == []
    assert stage.notices.published == []


def test_a_failure_of_what_was_asked_for_is_in_the_dead_letter_queue_with_the_wish() -> None:
    stage = before_the_rules()
    version = stage.put()
    stage.fail("COPY", Permanent(Reason.DST_PUT_DENIED, "denied"))
    ask(stage, version, wish=Wish.RESTORE)
    [failed] = stage.queue.dead
    assert '"wish": "restore"' in failed.body
    assert stage.queue.redrive() == 1
    stage.deliver_all()
    assert there(stage) == [b"bytes"]


def ask_for_lone(stage: Stage, stored: Stored) -> list[str]:
    """Ask for a version that listings showed alone; return the requests, but those of a new container."""
    change = replace(asked(stage, stored, Wish.EXISTING), lone=True)
    before = len(stage.points.calls)
    stage.queue.send(write(change))
    stage.deliver_all()
    calls = [call for call in stage.points.calls[before:] if call.side in {"source", "destination", "journal"}]
    return [call.operation for call in calls if call.operation != "READ GATES"]


def test_a_version_that_listings_showed_alone_is_copied_without_reading_histories() -> None:
    stage = before_the_rules()
    version = stage.put()
    assert ask_for_lone(stage, version) == ["READ", "HEAD", "COPY", "SETTLE", "CLOSE"]
    assert there(stage) == [b"bytes"]


def write_there(stage: Stage) -> list[bytes | None]:
    stage.put(body=b"theirs", bucket=WEST)
    return [b"theirs", b"bytes"]


def delete_there(stage: Stage) -> list[bytes | None]:
    """Let a user write and delete: a copy onto nothing does not meet that."""
    stage.put(body=b"theirs", bucket=WEST)
    delete(stage, WEST)
    return [b"theirs", None, b"bytes"]


def write_here(stage: Stage) -> list[bytes | None]:
    stage.s3.clock.advance(5)
    newer = stage.put(body=b"newer")
    stage.queue.send(write(replace(asked(stage, newer, Wish.NONE), sequencer="0A")))
    stage.deliver_all()
    return [b"newer", b"bytes", b"newer"]


@pytest.mark.parametrize("meanwhile", [write_there, delete_there, write_here])
def test_what_happened_since_it_was_listed_alone_is_seen(
    meanwhile: Callable[[Stage], list[bytes | None]],
) -> None:
    stage = before_the_rules()
    version = stage.put()
    expected = meanwhile(stage)
    ask_for_lone(stage, version)
    assert there(stage) == expected


def test_only_the_first_delivery_believes_that_a_version_was_listed_alone() -> None:
    stage = before_the_rules()
    version = stage.put()
    stage.fail("COPY", Temporary(Reason.THROTTLED, "503 SlowDown"))
    assert "LIST" in ask_for_lone(stage, version)
    assert there(stage) == [b"bytes"]


def test_a_failure_of_before_is_closed_by_a_version_that_was_listed_alone() -> None:
    stage = before_the_rules()
    version = stage.put()
    stage.fail("COPY", Permanent(Reason.DST_PUT_DENIED, "denied"))
    ask(stage, version)
    assert list(stage.waiting().values()) == [(Status.FAILED, Reason.DST_PUT_DENIED)]
    ask_for_lone(stage, version)
    assert stage.waiting() == {}


def replicated(body: bytes = b"1") -> tuple[Stage, Stored]:
    stage = Stage([MARKERS])
    version = stage.put(body=body)
    stage.deliver_all()
    assert there(stage) == [body]
    return stage, version


def test_a_replica_that_was_deleted_for_good_comes_back_only_if_it_must_be_restored() -> None:
    stage, version = replicated()
    stage.s3.destroy(WEST, "k", stage.s3.buckets[WEST].history("k")[0].version_id)
    ask(stage, version)
    assert there(stage) == []
    ask(stage, version, wish=Wish.RESTORE)
    assert there(stage) == [b"1"]


@pytest.mark.parametrize("what", ["overwritten", "deleted"])
def test_what_a_user_did_on_top_of_a_replica_is_undone_only_if_it_must_be_restored(what: str) -> None:
    stage, version = replicated()
    if what == "deleted":
        delete(stage, WEST)
    else:
        stage.put(body=b"user", bucket=WEST)
    before = there(stage)
    ask(stage, version)
    assert there(stage) == before
    ask(stage, version, wish=Wish.RESTORE)
    assert there(stage) == [*before, b"1"], "nothing is removed"
    ask(stage, version)
    ask(stage, version, wish=Wish.RESTORE)
    assert there(stage) == [*before, b"1"], "and it stays restored, whoever looks again"
    stage.put(body=b"user again", bucket=WEST)
    ask(stage, version)
    assert there(stage)[-1] == b"user again", "until a user does something new"


def test_a_delete_marker_that_was_removed_at_the_destination_is_restored() -> None:
    stage, _ = replicated()
    marker = delete(stage)
    stage.deliver_all()
    stage.s3.destroy(WEST, "k", stage.s3.buckets[WEST].history("k")[-1].version_id)
    ask(stage, marker)
    ask(stage, marker, wish=Wish.RESTORE)
    assert there(stage) == [b"1", None]


def test_two_way_a_later_write_of_the_other_side_is_not_undone() -> None:
    stage, version = replicated()
    stage.s3.buckets[WEST].listens = True
    stage.put(body=b"theirs", bucket=WEST)
    ask(stage, version, wish=Wish.RESTORE)
    assert there(stage) == [b"1", b"theirs"]


@pytest.mark.parametrize("wish", [Wish.EXISTING, Wish.RESTORE])
def test_a_marker_that_was_undone_from_the_other_side_stays_undone(wish: Wish) -> None:
    stage, version = replicated()
    stage.s3.buckets[WEST].listens = True
    marker = delete(stage)
    stage.deliver_all()
    undone = Origin(EAST, version.version_id, version.modified, undoes=True)
    for bucket in (EAST, WEST):
        stage.s3.clock.advance(1)
        mark = encode_mark(undone, Site(bucket, "k", int(stage.s3.clock.now)))
        stage.s3.put(bucket, "k", Content(b"1", metadata={MARK: mark}), author=OURS)
    before = there(stage)
    ask(stage, *stage.s3.buckets[EAST].history("k"), wish=wish)
    ask(stage, marker, wish=wish)
    assert there(stage) == before == [b"1", None, b"1"]


def test_a_damaged_replica_is_written_once_more_however_often_its_message_comes() -> None:
    stage, version = replicated()
    stage.s3.clock.advance(1)
    stage.queue.send(message := write(asked(stage, version, Wish.REWRITE)))
    stage.deliver_all()
    assert there(stage) == [b"1", b"1"]
    stage.queue.send(message)
    stage.deliver_all()
    assert there(stage) == [b"1", b"1"]


@pytest.mark.parametrize("back", [False, True], ids=["one-way", "modifications of replicas are replicated back"])
def test_tags_that_a_user_changed_at_a_replica_are_settled_whose_event_never_came(back: bool) -> None:
    stage = Stage([rule(WEST, rule_id="all", replica_modifications=back)])
    version = stage.put(tags={"a": "1"})
    stage.deliver_all()
    [replica] = stage.s3.buckets[WEST].history("k")
    stage.s3.tag(WEST, "k", replica.version_id, {"a": "2"})
    ask(stage, version, wish=Wish.RESTORE, kind=ChangeKind.STATE)
    assert tags(stage, WEST) == tags(stage, EAST) == {"a": "2" if back else "1"}


def tags(stage: Stage, bucket: str) -> dict[str, str]:
    found = stage.s3.buckets[bucket].history("k")[-1].content.tags
    return {name: value for name, value in found.items() if not name.startswith("replication-")}


def test_a_replica_is_copied_on_if_somebody_asks_for_replicas_but_never_back() -> None:
    stage, _ = replicated()
    [replica] = stage.s3.buckets[WEST].history("k")
    stage.rule_sets.put(WEST, rule(NORTH, rule_id="on"), rule(EAST, rule_id="back", priority=2))
    for wish in (Wish.EXISTING, Wish.REPLICAS):
        stage.queue.send(write(Change(ChangeKind.CREATED, WEST, "k", replica.version_id, time=1, wish=wish)))
        stage.deliver_all()
        assert there(stage, EAST) == [b"1"]
        assert there(stage, NORTH) == ([b"1"] if wish is Wish.REPLICAS else [])


def test_a_wish_is_read_as_it_was_written() -> None:
    change = Change(ChangeKind.CREATED, EAST, "a b", "v", time=1000, wish=Wish.REWRITE, name="ObjectCreated:Put")
    [read] = parse(write(change))
    assert isinstance(read, Record)
    assert read.change == change
    [unknown] = parse(write(change).replace("rewrite", "erase"))
    assert isinstance(unknown, Unreadable)
    assert "erase" in unknown.why


def test_an_upload_of_content_that_no_event_told_of_is_skipped_where_no_rule_selects_it() -> None:
    stage = Stage([rule(WEST, rule_id="other", prefix="other/")])
    ask(stage, stage.put())
    assert there(stage) == []
    assert {outcome.status for _, outcome in stage.log.outcomes} <= {Status.SKIPPED}
