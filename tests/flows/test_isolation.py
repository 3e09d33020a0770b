"""Messages that crash their function: found among the others of their batch, processed alone, and in the end failed."""

import pytest
from replicator.core.outcomes.notices import NoticeKind
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.flows.change.deadline import TimeLimit
from replicator.flows.change.redelivery import MOST_CRASHES

from tests.fakes.rules import rule
from tests.flows.stage import EAST, FUNCTION_MS, NORTH, THRESHOLD_MS, WEST, Killed, Stage, to_two

SLOW = Temporary(Reason.THROTTLED, "SlowDown")
DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")
HIDDEN = TimeLimit.after(0, FUNCTION_MS).hidden
INNOCENT = ("a", "b", "c", "d")


def to_west() -> Stage:
    return Stage([rule(WEST, rule_id="all")])


def test_a_change_that_crashes_its_function_again_and_again_fails_and_harms_no_other() -> None:
    stage = to_west()
    stage.fail("COPY", Killed(), 999, key="bad")
    for key in ("a", "b", "bad", "c", "d"):
        stage.put(key)
    batches = stage.deliver_all()
    assert batches == 1 + MOST_CRASHES + 1, "once with the others, then alone, then given up"
    for key in INNOCENT:
        assert len(stage.replicas(key)) == 1
    [failed] = stage.queue.dead
    assert failed.outcome.reason is Reason.FUNCTION_DIED
    assert '"bad"' in failed.body
    assert [notice.kind for notice in stage.notices.published if notice.key != "bad"] == []
    assert NoticeKind.FAILED in [notice.kind for notice in stage.notices.published]
    assert [status for status, _ in stage.waiting().values()] == [Status.FAILED]


def test_the_others_of_its_batch_are_replicated_by_the_third_delivery_within_their_threshold() -> None:
    """In the first batch nobody knows which message it is; in the next one it is processed last."""
    stage = to_west()
    stage.fail("COPY", Killed(), 999, key="bad")
    for key in ("bad", *INNOCENT):
        stage.put(key)
    began = stage.s3.clock.now
    for _ in range(3):
        stage.deliver()
        stage.s3.clock.advance(min(message.visible for message in stage.queue.messages.values()) - stage.s3.clock.now)
    assert all(len(stage.replicas(key)) == 1 for key in INNOCENT)
    assert [key for (pair, _), _ in stage.journal.waiting.items() for key in [pair.key]] == ["bad"]
    assert all(done.score.within for done in stage.results if done.outcome.status is Status.COMPLETED)
    assert stage.s3.clock.now - began < THRESHOLD_MS / 1000 / 2


@pytest.mark.parametrize("crashes", [1, 2], ids=["in its batch", "alone"])
def test_after_a_crash_a_message_comes_back_sooner_than_the_queue_would_return_it(crashes: int) -> None:
    stage = to_west()
    stage.fail("COPY", Killed(), crashes)
    stage.put()
    stage.deliver()
    for _ in range(crashes - 1):
        stage.s3.clock.advance(HIDDEN)
        stage.deliver()
    [message] = stage.queue.messages.values()
    assert message.visible - stage.s3.clock.now == HIDDEN < stage.queue.timeout / 5


def test_a_suspected_change_counts_as_pending_with_its_reason() -> None:
    stage = to_west()
    stage.fail("COPY", Killed(), 3)
    source = stage.put()
    for _ in range(2):
        stage.deliver()
        stage.s3.clock.advance(stage.queue.timeout)
    assert stage.waiting() == {source.version_id: (Status.PENDING, Reason.FUNCTION_DIED)}
    stage.deliver_all()
    assert stage.waiting() == {}
    assert stage.queue.dead == []


@pytest.mark.parametrize("deaths", [1, MOST_CRASHES], ids=["one crash", "as many crashes as are allowed"])
def test_a_change_that_succeeds_after_crashes_is_no_failure(deaths: int) -> None:
    stage = to_west()
    stage.fail("COPY", Killed(), deaths)
    source = stage.put()
    stage.deliver_all()
    assert stage.replicas() == [source.version_id]
    assert stage.queue.dead == []
    assert stage.waiting() == {}


def test_a_delivery_that_ends_starts_the_count_of_crashes_again() -> None:
    stage = to_west()
    stage.fail("COPY", Killed(), MOST_CRASHES)
    stage.fail("COPY", SLOW, 1)
    stage.fail("COPY", Killed(), MOST_CRASHES)
    source = stage.put()
    stage.deliver_all(100)
    assert stage.replicas() == [source.version_id]
    assert stage.queue.dead == []


def test_a_message_that_comes_back_for_another_reason_is_not_suspected() -> None:
    stage = to_west()
    stage.fail("COPY", SLOW, 5)
    stage.put()
    stage.deliver_all()
    assert stage.calls("BEGIN") == []


def test_a_destination_that_skips_a_change_does_not_make_the_other_suspected() -> None:
    stage = Stage([rule(WEST, rule_id="west"), rule(NORTH, rule_id="north", tags={"team": "blue"})])
    stage.fail("COPY", SLOW, 3, bucket=WEST)
    stage.put()
    stage.deliver_all()
    assert (Status.SKIPPED, Reason.NO_RULE) in stage.counted
    assert stage.calls("BEGIN") == []


def test_a_destination_that_failed_does_not_make_the_other_suspected() -> None:
    stage = to_two()
    stage.fail("COPY", SLOW, 3, bucket=WEST)
    stage.fail("COPY", DENIED, 1, bucket=NORTH)
    stage.put()
    stage.deliver_all()
    assert stage.calls("BEGIN") == []


def test_of_several_suspected_messages_the_likeliest_one_is_processed_last() -> None:
    stage = to_west()
    stage.fail("COPY", Killed(), 4, key="bad")
    stage.put("bad")
    for _ in range(3):
        stage.deliver()
        stage.s3.clock.advance(stage.queue.timeout)
    stage.put("a"), stage.put("b")
    for message in stage.queue.messages.values():
        message.receives = max(message.receives, 1)
    stage.deliver()
    begun = [call.split()[1] for call in stage.calls("BEGIN")]
    assert begun[-3:] == [f"{EAST}/a", f"{EAST}/b", f"{EAST}/bad"]
    assert all(len(stage.replicas(key)) == 1 for key in ("a", "b"))


def test_a_suspected_message_waits_if_there_is_no_time_left_to_process_it_alone() -> None:
    stage = to_west()
    keys = [f"{number:02}" for number in range(14)]
    for key in keys:
        stage.put(key)
    for message in stage.queue.messages.values():
        message.receives = 1
    stage.slow("COPY", 20, times=14)
    waiting = stage.deliver()
    assert len(stage.calls("BEGIN")) == 12, "one each five seconds, for half of the function's time"
    assert len(waiting) == 2
    stage.deliver_all()
    assert all(len(stage.replicas(key)) == 1 for key in keys)


def test_the_metrics_of_the_others_are_published_before_a_suspected_message_is_processed() -> None:
    stage = to_west()
    stage.put("bad")
    suspect = stage.queue.visible()[0]
    suspect.receives = 1
    stage.put("a")
    stage.fail("COPY", Killed(), 1, key="bad")
    stage.deliver()
    assert stage.counted == [(Status.COMPLETED, None)]
    assert stage.measures.flushes == 1


def test_a_failure_by_crashes_completes_when_it_is_redriven_after_the_repair() -> None:
    stage = to_west()
    stage.fail("COPY", Killed(), 1 + MOST_CRASHES)
    source = stage.put()
    stage.deliver_all()
    assert len(stage.queue.dead) == 1
    stage.queue.redrive()
    stage.deliver_all()
    assert stage.replicas() == [source.version_id]
    assert stage.waiting() == {}


def test_a_failure_by_crashes_that_is_redriven_too_early_gets_as_many_attempts_again() -> None:
    stage = to_west()
    stage.fail("COPY", Killed(), 2 * (1 + MOST_CRASHES))
    stage.put()
    stage.deliver_all()
    stage.queue.redrive()
    assert stage.deliver_all() == 1 + MOST_CRASHES + 1
    assert len(stage.queue.dead) == 1
