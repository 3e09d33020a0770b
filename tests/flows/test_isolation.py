"""Messages that kill their function: found among their neighbours, worked on alone, and given up with a reason."""

import pytest
from replicator.core.outcomes.notices import NoticeKind
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.flows.change.consume import SUSPECT_VISIBILITY_SECONDS
from replicator.flows.change.redelivery import MOST_CRASHES

from tests.fakes.rules import rule
from tests.flows.stage import EAST, NORTH, THRESHOLD_MS, WEST, Killed, Stage, to_two

SLOW = Temporary(Reason.THROTTLED, "SlowDown")
DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")
INNOCENT = ("a", "b", "c", "d")


def stage() -> Stage:
    return Stage([rule(WEST, rule_id="all")])


def test_what_kills_its_function_again_and_again_fails_and_harms_no_neighbour() -> None:
    on = stage()
    on.fail("COPY", Killed(), 999, key="bad")
    for key in ("a", "b", "bad", "c", "d"):
        on.put(key)
    batches = on.rest()
    assert batches == 1 + MOST_CRASHES + 1, "once with the others, then alone, then given up"
    for key in INNOCENT:
        assert len(on.replicas(key)) == 1
    [letter] = on.queue.dead
    assert letter.outcome.reason is Reason.FUNCTION_DIED
    assert '"bad"' in letter.body
    assert [notice.kind for notice in on.notices.published if notice.key != "bad"] == []
    assert NoticeKind.FAILED in [notice.kind for notice in on.notices.published]
    assert [status for status, _ in on.waiting().values()] == [Status.FAILED]


def test_neighbours_are_done_with_the_third_delivery_and_within_the_threshold() -> None:
    """In the first batch alone nobody knows the culprit; in the next it comes last, and soon."""
    on = stage()
    on.fail("COPY", Killed(), 999, key="bad")
    for key in ("bad", *INNOCENT):
        on.put(key)
    began = on.s3.clock.now
    for _ in range(3):
        on.deliver()
        on.s3.clock.advance(min(letter.visible for letter in on.queue.letters.values()) - on.s3.clock.now)
    assert all(len(on.replicas(key)) == 1 for key in INNOCENT)
    assert [key for (pair, _), _ in on.journal.waiting.items() for key in [pair.key]] == ["bad"]
    assert all(done.score.within for done in on.results if done.outcome.status is Status.COMPLETED)
    assert on.s3.clock.now - began < THRESHOLD_MS / 1000 + SUSPECT_VISIBILITY_SECONDS


def test_after_a_death_alone_it_comes_back_sooner_than_its_queue_says() -> None:
    on = stage()
    on.fail("COPY", Killed(), 2)
    on.put()
    on.deliver()
    on.s3.clock.advance(on.queue.timeout)
    on.deliver()
    [letter] = on.queue.letters.values()
    assert letter.visible - on.s3.clock.now == SUSPECT_VISIBILITY_SECONDS < on.queue.timeout


def test_while_it_is_suspected_it_counts_as_pending_with_the_reason() -> None:
    on = stage()
    on.fail("COPY", Killed(), 3)
    source = on.put()
    for _ in range(2):
        on.deliver()
        on.s3.clock.advance(on.queue.timeout)
    assert on.waiting() == {source.version_id: (Status.PENDING, Reason.FUNCTION_DIED)}
    on.rest()
    assert on.waiting() == {}
    assert on.queue.dead == []


@pytest.mark.parametrize("deaths", [1, MOST_CRASHES])
def test_what_gets_through_in_the_end_is_no_failure(deaths: int) -> None:
    on = stage()
    on.fail("COPY", Killed(), deaths)
    source = on.put()
    on.rest()
    assert on.replicas() == [source.version_id]
    assert on.queue.dead == []
    assert on.waiting() == {}


def test_a_delivery_that_ends_clears_the_suspicion() -> None:
    on = stage()
    on.fail("COPY", Killed(), MOST_CRASHES)
    on.fail("COPY", SLOW, 1)
    on.fail("COPY", Killed(), MOST_CRASHES)
    source = on.put()
    on.rest(100)
    assert on.replicas() == [source.version_id]
    assert on.queue.dead == []


def test_what_comes_back_for_other_reasons_is_not_suspected() -> None:
    on = stage()
    on.fail("COPY", SLOW, 5)
    on.put()
    on.rest()
    assert on.calls("BEGIN") == []


def test_a_destination_that_needs_nothing_does_not_make_the_other_suspected() -> None:
    on = Stage([rule(WEST, rule_id="west"), rule(NORTH, rule_id="north", tags={"team": "blue"})])
    on.fail("COPY", SLOW, 3, bucket=WEST)
    on.put()
    on.rest()
    assert (Status.SKIPPED, Reason.NO_RULE) in on.told
    assert on.calls("BEGIN") == []


def test_a_destination_that_is_done_does_not_make_the_other_suspected() -> None:
    on = to_two()
    on.fail("COPY", SLOW, 3, bucket=WEST)
    on.fail("COPY", DENIED, 1, bucket=NORTH)
    on.put()
    on.rest()
    assert on.calls("BEGIN") == []


def test_the_likeliest_culprit_comes_last() -> None:
    on = stage()
    on.fail("COPY", Killed(), 4, key="bad")
    on.put("bad")
    for _ in range(3):
        on.deliver()
        on.s3.clock.advance(on.queue.timeout)
    on.put("a"), on.put("b")
    for letter in on.queue.letters.values():
        letter.receives = max(letter.receives, 1)
    on.deliver()
    begun = [call.split()[1] for call in on.calls("BEGIN")]
    assert begun[-3:] == [f"{EAST}/a", f"{EAST}/b", f"{EAST}/bad"]
    assert all(len(on.replicas(key)) == 1 for key in ("a", "b"))


def test_nothing_is_begun_alone_so_late_that_the_functions_time_may_run_out() -> None:
    on = stage()
    on.put("a"), on.put("slow")
    suspect, _ = on.queue.visible()
    suspect.receives = 1
    on.meanwhile("COPY", lambda: on.s3.clock.advance(60))
    assert on.deliver() == [suspect.id]
    assert on.calls("BEGIN") == []
    on.rest()
    assert len(on.replicas("a")) == 1


def test_what_was_measured_before_the_death_is_not_lost() -> None:
    on = stage()
    on.put("bad")
    suspect = on.queue.visible()[0]
    suspect.receives = 1
    on.put("a")
    on.fail("COPY", Killed(), 1, key="bad")
    on.deliver()
    assert on.told == [(Status.COMPLETED, None)]
    assert on.measures.flushes == 1


def test_redriven_after_the_repair_it_completes() -> None:
    on = stage()
    on.fail("COPY", Killed(), 1 + MOST_CRASHES)
    source = on.put()
    on.rest()
    assert len(on.queue.dead) == 1
    on.queue.redrive()
    on.rest()
    assert on.replicas() == [source.version_id]
    assert on.waiting() == {}


def test_redriven_too_early_it_gets_as_many_chances_again() -> None:
    on = stage()
    on.fail("COPY", Killed(), 2 * (1 + MOST_CRASHES))
    on.put()
    on.rest()
    on.queue.redrive()
    assert on.rest() == 1 + MOST_CRASHES + 1
    assert len(on.queue.dead) == 1
