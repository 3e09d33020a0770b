"""What a change does when the world moves under it: it looks again, at everything, and needs no other delivery."""

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


def stage() -> Stage:
    return Stage([replace(rule(WEST, rule_id="all", delete_markers=True), threshold_minutes=20)])


def repeated(on: Stage) -> None:
    """Let the next delivery be a repeated one, which takes nothing on trust."""
    on.fail("COPY", SLOW)
    on.deliver()
    on.s3.clock.advance(60)


def test_a_journal_that_moved_on_meanwhile_is_read_again() -> None:
    on = stage()
    source = on.put()
    on.meanwhile("SETTLE", lambda: on.journal.entries.update({PAIR: Memory(7)}))
    assert on.deliver() == []
    assert on.told == [DONE]
    assert on.journal.entries[PAIR].generation == 8
    assert on.replicas() == [source.version_id]
    assert not any(WEST in call for call in on.calls("HEAD")), "what was written here is known without a look"


def test_a_destination_that_moved_on_since_the_plan_was_made_is_listed_again() -> None:
    on = stage()
    source = on.put()
    repeated(on)
    on.meanwhile("COPY", lambda: on.s3.put(WEST, "k", Content(b"theirs")))
    assert on.deliver() == []
    assert on.replicas() == ["-", source.version_id]


def test_what_was_to_be_put_back_and_is_deleted_for_good_meanwhile_stays_gone() -> None:
    on = stage()
    first, _ = on.put(body=b"one"), on.put(body=b"two")
    early, late = on.queue.visible()
    on.deliver(late)
    [replica] = on.s3.buckets[WEST].history("k")

    def once_the_first_step_is_done(happening: Happening) -> None:
        if happening.bucket == WEST and happening.stored.is_version:
            on.s3.destroy(WEST, "k", replica.version_id)

    on.s3.listeners.append(once_the_first_step_is_done)
    assert on.deliver(early) == []
    assert on.replicas() == [first.version_id]
    assert on.log.errors == []


def test_two_way_the_destination_is_looked_at_beside_the_source() -> None:
    on = stage()
    on.s3.buckets[WEST].listens = True
    theirs = on.s3.put(WEST, "k", Content(b"theirs"))
    ours = on.put()
    on.deliver()
    assert f"HEAD {WEST}/k current" in on.calls("HEAD")
    assert on.replicas() == ["-", ours.version_id]
    assert theirs.modified < ours.modified


def test_a_delete_marker_destroys_nothing_where_no_versions_are_kept() -> None:
    on = stage()
    on.s3.buckets[WEST].versioning = "Off"
    theirs = on.s3.put(WEST, "k", Content(b"theirs"))
    on.s3.delete(EAST, "k")
    on.rest()
    assert on.told == [(Status.FAILED, Reason.DST_UNVERSIONED)]
    assert on.s3.buckets[WEST].history("k") == [theirs]


def test_what_is_copied_along_counts_like_what_comes_by_itself() -> None:
    on = stage()
    on.s3.buckets[EAST].skew = 7
    first, second = on.put(body=b"one"), on.put(body=b"three")
    _, late = on.queue.visible()
    on.fail("COPY", SLOW)
    on.deliver(late)
    on.s3.clock.advance(60)
    on.deliver(late)
    done = [outcome for outcome in on.outcomes if outcome.status is Status.COMPLETED]
    assert {(each.rule_id, each.size, each.threshold_ms) for each in done} == {
        ("all", 3, 1_200_000),
        ("all", 5, 1_200_000),
    }
    assert all(60_000 - 8_000 <= each.latency_ms <= 70_000 for each in done)
    assert {each.origin.modified for each in done if each.origin} == {first.modified, second.modified}


def test_when_it_was_completed_does_not_move_with_a_message_that_comes_again() -> None:
    on = stage()
    on.put()
    done = on.s3.clock.milliseconds()
    on.fail("SETTLE", Temporary(Reason.TIMED_OUT, "the answer was lost"), after=True)
    on.deliver()
    on.s3.clock.advance(60)
    on.deliver()
    assert on.queue.letters == {}
    assert on.journal.notes[PAIR].completed == done


def test_who_fails_in_the_middle_of_a_plan_that_a_duplicate_completed_looks_at_what_it_left_on_top() -> None:
    """What the duplicate put back has the bytes of what it was put over, so no guard tells of it."""
    on = stage()
    first, second = on.put(body=b"one"), on.put(body=b"two")
    early, late = on.queue.visible()
    duplicate = on.queue.send(early.body)
    on.deliver(late)
    on.fail("COPY", SLOW)
    on.deliver(duplicate)

    def a_duplicate_is_faster_and_then_the_destination_denies() -> None:
        on.deliver(duplicate)
        on.meanwhile("COPY", lambda: on.fail("COPY", Permanent(Reason.DST_PUT_DENIED)))

    on.meanwhile("COPY", a_duplicate_is_faster_and_then_the_destination_denies)
    assert on.deliver(early) == [early.id]
    assert on.replicas()[-1] == first.version_id
    on.rest()
    assert on.replicas()[-1] == second.version_id
    assert on.queue.dead == []
    assert on.waiting() == {}


def test_what_an_earlier_delivery_left_on_top_is_looked_at_however_often_that_is_denied() -> None:
    """A copy onto nothing goes over a delete marker, too; whoever wrote it died before he could put the marker back."""
    on = stage()
    on.put()
    [early] = on.queue.visible()
    duplicate = on.queue.send(early.body)
    on.fail("COPY", SLOW)
    on.deliver(duplicate)
    on.s3.delete(EAST, "k")
    deleted = on.queue.visible()[-1]

    def others_complete_it_before_it_writes_and_dies() -> None:
        on.deliver(duplicate, deleted)
        on.fail("COPY", Killed(), after=True)

    on.meanwhile("COPY", others_complete_it_before_it_writes_and_dies)
    on.deliver(early)
    assert on.replicas()[-1] != "-"
    on.fail("DELETE", Permanent(Reason.DST_DELETE_DENIED), times=2)
    for _ in range(2):
        assert on.deliver(early) == [early.id]
    on.rest()
    assert on.replicas()[-1] == "-"
    assert on.queue.dead == []
    assert on.waiting() == {}
