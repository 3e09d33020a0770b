"""The monitor: what waits by rule and age, what it costs, late versions told once, vanished messages explained."""

from dataclasses import replace

import pytest
from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.backoff import OVERDUE_MS
from replicator.core.outcomes.metrics import METRICS, Metric
from replicator.core.outcomes.notices import NoticeKind
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.outcomes.threshold import Age
from replicator.core.versions.change import Aspect, Change, ChangeKind
from replicator.flows.ports import CLAIM_MS, Note, Waiting
from replicator.flows.watch.monitor import RECHECKED_PER_RUN

from tests.flows.stage import EAST, NORTH, WEST, Killed
from tests.flows.watching import SLOW, Watched, waiting

DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")
MISSED = NoticeKind.MISSED


def through(watched: Watched) -> None:
    watched.on.orders.clear()
    watched.on.rest()


# Counting


def test_what_waits_is_counted_by_rule_and_destination_and_in_all() -> None:
    watched = waiting("a", "b", rules=(WEST, NORTH))
    tally = watched.look()
    assert (tally.all.operations, tally.all.bytes, tally.versions) == (4, 20, 2)
    assert watched.gauges.of(Metric.PENDING, Stack="stack") == [4]
    for destination in (WEST, NORTH):
        place = {"SourceBucket": EAST, "DestinationBucket": destination, "RuleId": f"to {destination}"}
        assert watched.gauges.of(Metric.PENDING, **place) == [2]
        assert watched.gauges.of(Metric.BYTES_PENDING, **place) == [10]


def test_ages_are_told_zeros_included() -> None:
    watched = waiting("a")
    for minutes, age in ((0, Age.UNDER_5), (5, Age.UNDER_10), (5, Age.UNDER_15), (5, Age.LATE)):
        watched.wait(minutes)
        watched.look()
        found = {each: watched.gauges.of(Metric.PENDING_BY_AGE, Age=str(each)) for each in Age}
        assert found[age] == [1]
        assert [values for other, values in found.items() if other not in {age, Age.LATER}] == [[0]] * 4
    watched.wait(24 * 60)
    watched.look()
    assert watched.gauges.of(Metric.PENDING_BY_AGE, Age=str(Age.OVER_DAY)) == [1]
    assert watched.gauges.of(Metric.PENDING_BY_AGE, Age=str(Age.LATE)) == [1]


def test_the_oldest_is_told_to_the_second() -> None:
    watched = waiting("a")
    watched.wait(7)
    watched.on.put("b"), watched.on.deliver()
    watched.look()
    assert watched.gauges.of(Metric.OLDEST, Stack="stack") == [7 * 60 + 1]


def test_when_nothing_waits_any_more_that_is_said_once_by_rule_and_always_in_all() -> None:
    watched = waiting("a")
    watched.look()
    through(watched)
    watched.look()
    assert watched.gauges.of(Metric.PENDING, RuleId="to west") == [0]
    watched.look()
    assert watched.gauges.of(Metric.PENDING, RuleId="to west") == []
    assert watched.gauges.of(Metric.PENDING, Stack="stack") == [0]


def test_work_that_nobody_has_looked_at_is_told_as_unseen() -> None:
    watched = waiting("a", "b")
    for key in ("c", "d", "e"):
        watched.on.put(key)
    watched.look()
    assert watched.gauges.of(Metric.UNSEEN, Stack="stack") == [3]


def test_a_killed_function_leaves_no_hole_in_the_counts() -> None:
    """Its messages are in flight: the journal knows nothing of them, the queue does."""
    watched = Watched()
    watched.on.fail("COPY", Killed(), 1)
    watched.on.put("a"), watched.on.put("b")
    watched.on.deliver()
    watched.look()
    assert watched.gauges.of(Metric.PENDING, Stack="stack") == [0]
    assert watched.gauges.of(Metric.UNSEEN, Stack="stack") == [2]


def test_what_it_costs_does_not_grow_with_what_is_done_or_has_failed() -> None:
    watched = Watched()
    watched.look()
    before, reads = len(watched.on.points.calls), watched.index.reads
    for number in range(20):
        watched.on.put(f"done {number}")
    watched.on.fail("COPY", DENIED, 20)
    for number in range(20):
        watched.on.put(f"failed {number}")
    watched.on.rest()
    asked = len(watched.on.points.calls)
    watched.look()
    assert len(watched.on.points.calls) - asked == before
    assert watched.index.reads == 2 * reads


def test_everything_in_the_table_of_metrics_is_published_by_somebody() -> None:
    """Together with the test on measures, which publishes what outcomes tell."""
    watched = waiting("a")
    watched.look()
    gauged = {metric for metric, _, _ in watched.gauges.values}
    assert gauged >= {Metric.PENDING, Metric.BYTES_PENDING, Metric.OLDEST, Metric.PENDING_BY_AGE, Metric.UNSEEN}
    for metric, _, place in watched.gauges.values:
        assert any(set(names) <= set(place) for names in METRICS[metric].sets), (metric, place)


# Telling


def test_a_late_version_is_told_of_once_however_often_the_monitor_looks() -> None:
    watched = waiting("a", "b")
    watched.wait(16)
    for _ in range(5):
        watched.look()
        watched.wait(2)
    assert watched.told == {(MISSED, "a"): 1, (MISSED, "b"): 1}


def test_each_destination_is_told_of_by_itself() -> None:
    watched = waiting("a", rules=(WEST, NORTH))
    watched.wait(16)
    watched.look()
    assert sorted(notice.destination for notice in watched.on.notices.published) == [NORTH, WEST]


def test_misses_are_counted_with_the_reason_that_they_wait_for() -> None:
    watched = waiting("a")
    watched.wait(16)
    watched.look()
    assert watched.gauges.of(Metric.MISSED, RuleId="to west", Reason="Throttled", Stack="stack") == [1]
    assert watched.gauges.of(Metric.WITHIN, RuleId="to west", Stack="stack") == [0]
    assert watched.gauges.of(Metric.BYTES_OUTSIDE, RuleId="to west", Stack="stack") == [5]


def test_many_late_versions_are_told_of_in_groups() -> None:
    watched = waiting(*map(str, range(25)))
    watched.wait(16)
    watched.look()
    assert len(watched.kinds()) == 25
    assert len(watched.on.calls("PUBLISH")) == 3


def test_two_monitors_at_once_tell_of_it_once() -> None:
    watched = waiting("a")
    watched.wait(16)
    watched.on.meanwhile("PUBLISH", watched.look)
    watched.look()
    assert watched.kinds() == [MISSED]


@pytest.mark.parametrize("step", ["MISS", "PUBLISH"])
def test_who_dies_before_the_event_is_followed_by_the_next(step: str) -> None:
    watched = waiting("a")
    watched.wait(16)
    watched.on.fail(step, Killed(), 1, after=step == "MISS")
    with pytest.raises(Killed):
        watched.look()
    assert watched.kinds() == []
    watched.look()
    assert watched.kinds() == [], "the claim is still good"
    watched.wait(CLAIM_MS / 60_000 + 0.1)
    watched.look()
    assert watched.kinds() == [MISSED]


def test_what_it_counted_is_published_even_if_it_cannot_tell() -> None:
    watched = waiting("a")
    watched.wait(16)
    watched.on.fail("PUBLISH", SLOW)
    with pytest.raises(Temporary):
        watched.look()
    assert watched.gauges.of(Metric.PENDING, Stack="stack") == [1]
    assert watched.gauges.flushes == 2


def test_what_it_has_no_time_to_tell_is_told_in_the_next_minute() -> None:
    watched = waiting(*map(str, range(15)))
    watched.wait(16)
    watched.on.meanwhile("PUBLISH", lambda: watched.wait(0.75))
    watched.look()
    assert len(watched.kinds()) == 10
    assert "5 late versions" in watched.log.remarks[0]
    watched.look()
    assert len(watched.kinds()) == 15


def test_a_note_that_somebody_slower_left_behind_is_closed_and_not_told() -> None:
    """A message was in two hands: one got through, the other failed afterwards and noted that it waits."""
    watched = Watched()
    source = watched.on.put("a")
    watched.on.rest()
    pair = Pair(EAST, WEST, "a")
    note = Note("all", 5, watched.on.s3.clock.milliseconds(), 1)
    watched.on.journal.wait(pair, Waiting(Status.PENDING, Reason.THROTTLED, "", source.version_id, note))
    assert len(watched.on.waiting()) == 1
    watched.wait(16)
    watched.look()
    assert watched.kinds() == []
    assert watched.on.waiting() == {}


def test_what_waits_for_the_tags_of_a_settled_version_is_not_closed() -> None:
    watched = Watched()
    source = watched.on.put("a")
    watched.on.rest()
    note = Note("all", 5, watched.on.s3.clock.milliseconds(), 1)
    item = Change(ChangeKind.TAGS, EAST, "a", source.version_id).item_id
    waiting = Waiting(Status.PENDING, Reason.THROTTLED, "", item, note, aspect=Aspect.TAGS)
    watched.on.journal.wait(Pair(EAST, WEST, "a"), waiting)
    watched.wait(16)
    watched.look()
    assert list(watched.on.waiting()) == [item]


def test_such_a_note_is_closed_once_it_is_overdue_even_if_its_threshold_is_far_away() -> None:
    watched = Watched()
    source = watched.on.put("a")
    watched.on.rest()
    now = watched.on.s3.clock.milliseconds()
    waits = Waiting(Status.PENDING, Reason.THROTTLED, "", source.version_id, Note("all", 5, now, 1))
    waits = replace(waits, threshold_ms=10**9, due=now + OVERDUE_MS)
    watched.on.journal.wait(Pair(EAST, WEST, "a"), waits)
    watched.wait(29)
    watched.look()
    assert len(watched.on.waiting()) == 1
    watched.wait(2)
    watched.look()
    assert watched.on.waiting() == {}


def test_a_backlog_that_is_overdue_is_looked_at_a_part_each_minute() -> None:
    watched = waiting(*map(str, range(120)))
    watched.wait(31)
    watched.look()
    seen: set[str] = set()
    for _ in range(4):
        watched.wait(1)
        watched.on.points.calls.clear()
        watched.look()
        looked_at = {call.key for call in watched.on.points.calls if call.operation == "READ"}
        assert len(looked_at) == RECHECKED_PER_RUN
        seen |= looked_at
    assert len(seen) == 120
