"""The monitor counts what waits by rule and age, reports late versions once, and closes entries that are settled."""

from dataclasses import replace

import pytest
from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.backoff import OVERDUE_MS
from replicator.core.outcomes.metrics import METRICS, Metric
from replicator.core.outcomes.notices import NoticeKind
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.outcomes.threshold import Age, Depth
from replicator.core.versions.change import Aspect, Change, ChangeKind
from replicator.flows.ports import CLAIM_MS, Note, Waiting
from replicator.flows.watch.monitor import RECHECKED_PER_RUN

from tests.flows.monitored_stage import SLOW, MonitoredStage, with_waiting
from tests.flows.stage import EAST, NORTH, WEST, Killed

DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")
MISSED = NoticeKind.MISSED


def repair(monitored: MonitoredStage) -> None:
    """End all trouble, and deliver what waits."""
    monitored.stage.faults.clear()
    monitored.stage.deliver_all()


# Counting


def test_waiting_versions_are_counted_by_rule_and_destination_and_for_the_stack() -> None:
    monitored = with_waiting("a", "b", rules=(WEST, NORTH))
    tally = monitored.run_monitor()
    assert (tally.all.operations, tally.all.bytes, tally.versions) == (4, 20, 2)
    assert monitored.gauges.of(Metric.PENDING, Stack="stack") == [4]
    for destination in (WEST, NORTH):
        place = {"SourceBucket": EAST, "DestinationBucket": destination, "RuleId": f"to {destination}"}
        assert monitored.gauges.of(Metric.PENDING, **place) == [2]
        assert monitored.gauges.of(Metric.BYTES_PENDING, **place) == [10]


def test_waiting_versions_are_counted_by_age_with_zeros_for_empty_groups() -> None:
    monitored = with_waiting("a")
    for minutes, age in ((0, Age.UNDER_5), (5, Age.UNDER_10), (5, Age.UNDER_15), (5, Age.LATE)):
        monitored.pass_minutes(minutes)
        monitored.run_monitor()
        found = {each: monitored.gauges.of(Metric.PENDING_BY_AGE, Age=str(each)) for each in Age}
        assert found[age] == [1]
        assert [values for other, values in found.items() if other not in {age, Age.LATER}] == [[0]] * 4
    monitored.pass_minutes(24 * 60)
    monitored.run_monitor()
    assert monitored.gauges.of(Metric.PENDING_BY_AGE, Age=str(Age.OVER_DAY)) == [1]
    assert monitored.gauges.of(Metric.PENDING_BY_AGE, Age=str(Age.LATE)) == [1]


def test_the_age_of_the_oldest_waiting_version_is_published_in_seconds() -> None:
    monitored = with_waiting("a")
    monitored.pass_minutes(7)
    monitored.stage.put("b"), monitored.stage.deliver()
    monitored.run_monitor()
    assert monitored.gauges.of(Metric.OLDEST, Stack="stack") == [7 * 60 + 1]


def test_when_nothing_waits_any_more_a_zero_is_published_once_for_the_rule_and_always_for_the_stack() -> None:
    monitored = with_waiting("a")
    monitored.run_monitor()
    repair(monitored)
    monitored.run_monitor()
    assert monitored.gauges.of(Metric.PENDING, RuleId="to west") == [0]
    monitored.run_monitor()
    assert monitored.gauges.of(Metric.PENDING, RuleId="to west") == []
    assert monitored.gauges.of(Metric.PENDING, Stack="stack") == [0]


def test_messages_that_were_never_received_are_counted_as_unseen() -> None:
    monitored = with_waiting("a", "b")
    for key in ("c", "d", "e"):
        monitored.stage.put(key)
    monitored.run_monitor()
    assert monitored.gauges.of(Metric.UNSEEN, Stack="stack") == [3]


def test_existing_objects_that_wait_are_counted_for_themselves() -> None:
    monitored = with_waiting("a")
    monitored.queues.backfill = Depth(7, 2, 1)
    monitored.run_monitor()
    assert monitored.gauges.of(Metric.BACKFILL, Stack="stack") == [10]
    assert monitored.gauges.of(Metric.UNSEEN, Stack="stack") == [0]
    assert monitored.gauges.of(Metric.PENDING, Stack="stack") == [1]


def test_messages_of_a_function_that_was_killed_are_counted_as_unseen() -> None:
    """Its messages are in flight: the journal has no entries of them, but the queue counts them."""
    monitored = MonitoredStage()
    monitored.stage.fail("COPY", Killed(), 1)
    monitored.stage.put("a"), monitored.stage.put("b")
    monitored.stage.deliver()
    monitored.run_monitor()
    assert monitored.gauges.of(Metric.PENDING, Stack="stack") == [0]
    assert monitored.gauges.of(Metric.UNSEEN, Stack="stack") == [2]


def test_the_monitors_requests_do_not_grow_with_what_is_completed_or_has_failed() -> None:
    monitored = MonitoredStage()
    monitored.run_monitor()
    before, reads = len(monitored.stage.points.calls), monitored.index.reads
    for number in range(20):
        monitored.stage.put(f"done {number}")
    monitored.stage.fail("COPY", DENIED, 20)
    for number in range(20):
        monitored.stage.put(f"failed {number}")
    monitored.stage.deliver_all()
    asked = len(monitored.stage.points.calls)
    monitored.run_monitor()
    assert len(monitored.stage.points.calls) - asked == before
    assert monitored.index.reads == 2 * reads


def test_every_metric_of_the_monitor_is_published_with_its_dimensions() -> None:
    """Metrics of results are published by the functions: tests/unit/test_measures.py."""
    monitored = with_waiting("a")
    monitored.run_monitor()
    gauged = {metric for metric, _, _ in monitored.gauges.values}
    assert gauged >= {Metric.PENDING, Metric.BYTES_PENDING, Metric.OLDEST, Metric.PENDING_BY_AGE, Metric.UNSEEN}
    for metric, _, place in monitored.gauges.values:
        assert any(set(names) <= set(place) for names in METRICS[metric].sets), (metric, place)


# Late versions


def test_a_late_version_is_reported_once_however_often_the_monitor_runs() -> None:
    monitored = with_waiting("a", "b")
    monitored.pass_minutes(16)
    for _ in range(5):
        monitored.run_monitor()
        monitored.pass_minutes(2)
    assert monitored.event_counts == {(MISSED, "a"): 1, (MISSED, "b"): 1}


def test_a_late_version_is_reported_for_each_destination() -> None:
    monitored = with_waiting("a", rules=(WEST, NORTH))
    monitored.pass_minutes(16)
    monitored.run_monitor()
    assert sorted(notice.destination for notice in monitored.stage.notices.published) == [NORTH, WEST]


def test_a_missed_threshold_is_counted_with_the_reason_for_which_the_version_waits() -> None:
    monitored = with_waiting("a")
    monitored.pass_minutes(16)
    monitored.run_monitor()
    assert monitored.gauges.of(Metric.MISSED, RuleId="to west", Reason="Throttled", Stack="stack") == [1]
    assert monitored.gauges.of(Metric.WITHIN, RuleId="to west", Stack="stack") == [0]
    assert monitored.gauges.of(Metric.BYTES_OUTSIDE, RuleId="to west", Stack="stack") == [5]


def test_many_late_versions_are_reported_with_ten_events_per_request() -> None:
    monitored = with_waiting(*map(str, range(25)))
    monitored.pass_minutes(16)
    monitored.run_monitor()
    assert len(monitored.event_kinds()) == 25
    assert len(monitored.stage.calls("PUBLISH")) == 3


def test_two_monitors_at_the_same_time_report_a_late_version_once() -> None:
    monitored = with_waiting("a")
    monitored.pass_minutes(16)
    monitored.stage.just_before("PUBLISH", monitored.run_monitor)
    monitored.run_monitor()
    assert monitored.event_kinds() == [MISSED]


@pytest.mark.parametrize("step", ["CLAIM MISSED", "PUBLISH"])
def test_a_late_version_whose_monitor_died_before_the_event_is_reported_by_a_later_run(step: str) -> None:
    monitored = with_waiting("a")
    monitored.pass_minutes(16)
    monitored.stage.fail(step, Killed(), 1, after=step == "CLAIM MISSED")
    with pytest.raises(Killed):
        monitored.run_monitor()
    assert monitored.event_kinds() == []
    monitored.run_monitor()
    assert monitored.event_kinds() == [], "another monitor may still be at it"
    monitored.pass_minutes(CLAIM_MS / 60_000 + 0.1)
    monitored.run_monitor()
    assert monitored.event_kinds() == [MISSED]


def test_counts_are_published_even_if_events_cannot_be_sent() -> None:
    monitored = with_waiting("a")
    monitored.pass_minutes(16)
    monitored.stage.fail("PUBLISH", SLOW)
    with pytest.raises(Temporary):
        monitored.run_monitor()
    assert monitored.gauges.of(Metric.PENDING, Stack="stack") == [1]
    assert monitored.gauges.flushes == 2


def test_late_versions_that_there_is_no_time_for_are_reported_by_the_next_run() -> None:
    monitored = with_waiting(*map(str, range(15)))
    monitored.pass_minutes(16)
    monitored.stage.just_before("PUBLISH", lambda: monitored.pass_minutes(0.75))
    monitored.run_monitor()
    assert len(monitored.event_kinds()) == 10
    assert "5 late versions" in monitored.log.remarks[0]
    monitored.run_monitor()
    assert len(monitored.event_kinds()) == 15


def test_an_entry_that_waits_although_its_version_is_settled_is_closed_and_not_reported() -> None:
    """Two handlers had the same message: one completed the change, then the other failed and noted that it waits."""
    monitored = MonitoredStage()
    source = monitored.stage.put("a")
    monitored.stage.deliver_all()
    pair = Pair(EAST, WEST, "a")
    note = Note("all", 5, monitored.stage.s3.clock.milliseconds(), 1)
    monitored.stage.journal.wait(pair, Waiting(Status.PENDING, Reason.THROTTLED, "", source.version_id, note))
    assert len(monitored.stage.waiting()) == 1
    monitored.pass_minutes(16)
    monitored.run_monitor()
    assert monitored.event_kinds() == []
    assert monitored.stage.waiting() == {}


def test_an_entry_that_waits_for_the_tags_of_a_settled_version_is_not_closed() -> None:
    monitored = MonitoredStage()
    source = monitored.stage.put("a")
    monitored.stage.deliver_all()
    note = Note("all", 5, monitored.stage.s3.clock.milliseconds(), 1)
    item = Change(ChangeKind.TAGS, EAST, "a", source.version_id).item_id
    waiting = Waiting(Status.PENDING, Reason.THROTTLED, "", item, note, aspect=Aspect.TAGS)
    monitored.stage.journal.wait(Pair(EAST, WEST, "a"), waiting)
    monitored.pass_minutes(16)
    monitored.run_monitor()
    assert list(monitored.stage.waiting()) == [item]


def test_an_entry_that_waits_although_its_version_is_settled_is_closed_once_it_is_overdue() -> None:
    monitored = MonitoredStage()
    source = monitored.stage.put("a")
    monitored.stage.deliver_all()
    now = monitored.stage.s3.clock.milliseconds()
    waits = Waiting(Status.PENDING, Reason.THROTTLED, "", source.version_id, Note("all", 5, now, 1))
    waits = replace(waits, threshold_ms=10**9, due=now + OVERDUE_MS)
    monitored.stage.journal.wait(Pair(EAST, WEST, "a"), waits)
    monitored.pass_minutes(29)
    monitored.run_monitor()
    assert len(monitored.stage.waiting()) == 1
    monitored.pass_minutes(2)
    monitored.run_monitor()
    assert monitored.stage.waiting() == {}


def test_of_many_overdue_entries_some_are_checked_in_each_run() -> None:
    monitored = with_waiting(*map(str, range(120)))
    monitored.pass_minutes(31)
    monitored.run_monitor()
    seen: set[str] = set()
    for _ in range(4):
        monitored.pass_minutes(1)
        monitored.stage.points.calls.clear()
        monitored.run_monitor()
        looked_at = {call.key for call in monitored.stage.points.calls if call.operation == "READ"}
        assert len(looked_at) == RECHECKED_PER_RUN
        seen |= looked_at
    assert len(seen) == 120
