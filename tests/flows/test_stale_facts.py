"""A change whose facts become stale while it is processed: it reads them again, in the same delivery."""

from dataclasses import replace

from replicator.core.deciding.journal import Memory, Pair
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary

from tests.fakes.rules import rule
from tests.fakes.s3 import Happening
from tests.fakes.stored import Content
from tests.flows.stage import EAST, WEST, Killed, Stage

PAIR = Pair(EAST, WEST, "k")
DONE = (Status.COMPLETED, None)
SLOW = Temporary(Reason.THROTTLED, "SlowDown")


def new_stage() -> Stage:
    return Stage([replace(rule(WEST, rule_id="all", delete_markers=True), threshold_minutes=20)])


def repeated(stage: Stage) -> None:
    """Let the next delivery be a repeated one, which trusts nothing that the journal says."""
    stage.fail("COPY", SLOW)
    stage.deliver()
    stage.s3.clock.advance(60)


def test_a_journal_entry_that_another_handler_changed_meanwhile_is_read_again() -> None:
    stage = new_stage()
    source = stage.put()
    stage.just_before("SETTLE", lambda: stage.journal.entries.update({PAIR: Memory(7)}))
    assert stage.deliver() == []
    assert stage.counted == [DONE]
    assert stage.journal.entries[PAIR].generation == 8
    assert stage.replicas() == [source.version_id]
    assert not any(WEST in call for call in stage.calls("HEAD")), "what it wrote itself is known without a HEAD"


def test_a_destination_that_changed_since_the_plan_was_made_is_listed_again() -> None:
    stage = new_stage()
    source = stage.put()
    repeated(stage)
    stage.just_before("COPY", lambda: stage.s3.put(WEST, "k", Content(b"theirs")))
    assert stage.deliver() == []
    assert stage.replicas() == ["-", source.version_id]


def test_a_version_that_is_deleted_for_good_before_it_is_put_back_stays_gone() -> None:
    stage = new_stage()
    first, _ = stage.put(body=b"one"), stage.put(body=b"two")
    early, late = stage.queue.visible()
    stage.deliver(late)
    [replica] = stage.s3.buckets[WEST].history("k")

    def after_the_first_step(happening: Happening) -> None:
        if happening.bucket == WEST and happening.stored.is_version:
            stage.s3.destroy(WEST, "k", replica.version_id)

    stage.s3.listeners.append(after_the_first_step)
    assert stage.deliver(early) == []
    assert stage.replicas() == [first.version_id]
    assert stage.log.errors == []


def test_two_way_the_current_version_of_the_destination_is_read_too() -> None:
    stage = new_stage()
    stage.s3.buckets[WEST].listens = True
    theirs = stage.s3.put(WEST, "k", Content(b"theirs"))
    ours = stage.put()
    stage.deliver()
    assert f"HEAD {WEST}/k current" in stage.calls("HEAD")
    assert stage.replicas() == ["-", ours.version_id]
    assert theirs.modified < ours.modified


def test_a_delete_marker_is_not_written_where_it_would_destroy_an_object_without_versions() -> None:
    stage = new_stage()
    stage.s3.buckets[WEST].versioning = "Off"
    theirs = stage.s3.put(WEST, "k", Content(b"theirs"))
    stage.s3.delete(EAST, "k")
    stage.deliver_all()
    assert stage.counted == [(Status.FAILED, Reason.DST_UNVERSIONED)]
    assert stage.s3.buckets[WEST].history("k") == [theirs]


def test_an_older_version_that_is_copied_along_counts_with_its_own_rule_size_and_latency() -> None:
    stage = new_stage()
    stage.s3.buckets[EAST].skew = 7
    first, second = stage.put(body=b"one"), stage.put(body=b"three")
    _, late = stage.queue.visible()
    stage.fail("COPY", SLOW)
    stage.deliver(late)
    stage.s3.clock.advance(60)
    stage.deliver(late)
    done = [outcome for outcome in stage.outcomes if outcome.status is Status.COMPLETED]
    assert {(each.rule_id, each.size, each.threshold_ms) for each in done} == {
        ("all", 3, 1_200_000),
        ("all", 5, 1_200_000),
    }
    assert all(60_000 - 8_000 <= each.latency_ms <= 70_000 for each in done)
    assert {each.origin.modified for each in done if each.origin} == {first.modified, second.modified}


def test_the_time_of_completion_does_not_change_when_the_message_comes_again() -> None:
    stage = new_stage()
    stage.put()
    done = stage.s3.clock.milliseconds()
    stage.fail("SETTLE", Temporary(Reason.TIMED_OUT, "the answer was lost"), after=True)
    stage.deliver()
    stage.s3.clock.advance(60)
    stage.deliver()
    assert stage.queue.messages == {}
    assert stage.journal.notes[PAIR].completed == done


def test_a_handler_that_fails_in_a_plan_that_a_duplicate_completed_checks_what_it_left_on_top() -> None:
    """What the duplicate put back has the bytes of what was below it, so that no guard notices it."""
    stage = new_stage()
    first, second = stage.put(body=b"one"), stage.put(body=b"two")
    early, late = stage.queue.visible()
    duplicate = stage.queue.send(early.body)
    stage.deliver(late)
    stage.fail("COPY", SLOW)
    stage.deliver(duplicate)

    def a_duplicate_is_faster_and_then_the_destination_denies() -> None:
        stage.deliver(duplicate)
        stage.just_before("COPY", lambda: stage.fail("COPY", Permanent(Reason.DST_PUT_DENIED)))

    stage.just_before("COPY", a_duplicate_is_faster_and_then_the_destination_denies)
    assert stage.deliver(early) == [early.id]
    assert stage.replicas()[-1] == first.version_id
    stage.deliver_all()
    assert stage.replicas()[-1] == second.version_id
    assert stage.queue.dead == []
    assert stage.waiting() == {}


def test_what_an_earlier_delivery_left_on_top_is_checked_however_often_that_is_denied() -> None:
    """A copy guarded by nothing there goes on top of a delete marker too; its handler died before it put that back."""
    stage = new_stage()
    stage.put()
    [early] = stage.queue.visible()
    duplicate = stage.queue.send(early.body)
    stage.fail("COPY", SLOW)
    stage.deliver(duplicate)
    stage.s3.delete(EAST, "k")
    deleted = stage.queue.visible()[-1]

    def others_complete_it_before_it_writes_and_dies() -> None:
        stage.deliver(duplicate, deleted)
        stage.fail("COPY", Killed(), after=True)

    stage.just_before("COPY", others_complete_it_before_it_writes_and_dies)
    stage.deliver(early)
    assert stage.replicas()[-1] != "-"
    stage.fail("DELETE", Permanent(Reason.DST_DELETE_DENIED), times=2)
    for _ in range(2):
        assert stage.deliver(early) == [early.id]
    stage.deliver_all()
    assert stage.replicas()[-1] == "-"
    assert stage.queue.dead == []
    assert stage.waiting() == {}
