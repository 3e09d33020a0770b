"""A destination that fails for everyone: what goes out meanwhile, what waits where, and how the backlog is drained."""

import itertools
import random
from collections import Counter
from dataclasses import replace

from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.batch import ResultCode, Task
from replicator.core.outcomes.gate import FIRST_RATE, GROWTH, GateState
from replicator.core.outcomes.notices import NoticeKind
from replicator.core.outcomes.outcome import Permanent, Reason, Side, Status, Temporary
from replicator.flows.batch import process_tasks

from tests.fakes.notifications import notification
from tests.fakes.rules import rule
from tests.fakes.s3 import Happening
from tests.flows.monitored_stage import MonitoredStage
from tests.flows.stage import EAST, NORTH, WEST, Stage, to_two, to_west

DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied", Side.DESTINATION)
DOWN = Temporary(Reason.SERVICE, "500 InternalError", Side.DESTINATION)


def out_of_order(stage: Stage) -> None:
    """Let west fail for everybody, and messages come back at any moment of their delays."""
    draw = random.Random(7)  # noqa: S311 - a test's choice, not a secret
    recorder = replace(stage.recorder, jitter=draw.random)
    stage.consumer = replace(stage.consumer, jitter=draw.random)
    stage.change_closing(recorder=recorder)
    for operation in ("COPY", "HEAD", "LIST", "DELETE"):
        stage.fail(operation, DOWN, 10**9, bucket=WEST)


def pass_minute(stage: Stage) -> int:
    """Let a minute pass second by second, messages being delivered; return the requests to west."""
    before = len(to_bucket(stage))
    for _ in range(60):
        while stage.queue.visible():
            stage.deliver(*stage.queue.visible()[:10])
        stage.s3.clock.advance(1)
    stage.release_parked()
    return len(to_bucket(stage)) - before


def to_bucket(stage: Stage, bucket: str = WEST) -> list[str]:
    """Return the calls to a bucket so far, as text."""
    return [call.operation for call in stage.points.calls if call.bucket == bucket]


def shut(stage: Stage, keys: int = 40) -> None:
    """Write some keys while west is down, until its gate is shut and all of them are parked."""
    out_of_order(stage)
    for number in range(keys):
        stage.put(str(number))
    for _ in range(4):
        pass_minute(stage)
    assert stage.gates.gates[WEST].state is GateState.SHUT
    assert len(stage.parked()) == keys or stage.queue.messages


def test_while_a_destination_is_down_for_a_day_one_probe_a_minute_goes_out_and_nothing_fails() -> None:
    stage = to_west()
    shut(stage)
    requests = [pass_minute(stage) for _ in range(24 * 60)]
    assert max(requests) == 1
    assert sum(requests) > 24 * 60 * 0.9
    assert stage.queue.dead == []
    assert len(stage.queue.messages) <= 1


def test_a_batch_task_for_a_destination_that_is_down_asks_nothing_and_is_repeated_by_s3() -> None:
    stage = to_west()
    shut(stage)
    before = len(to_bucket(stage))
    [result] = process_tasks([Task("t", EAST, "0")], stage.services, stage.log)
    assert result.code is ResultCode.TEMPORARY
    assert result.text.startswith("west: PENDING ServiceError (all of west fails")
    assert len(to_bucket(stage)) == before


def test_probes_try_one_key_after_the_other() -> None:
    """A key that fails on its own must not keep the gate shut."""
    stage = to_west()
    shut(stage, keys=10)
    before = len(stage.points.calls)
    for _ in range(40):
        pass_minute(stage)
    tried = Counter(call.key for call in stage.points.calls[before:] if call.bucket == WEST)
    assert len(tried) == 10


def test_new_changes_for_a_shut_destination_are_parked_after_one_write_and_no_request_to_a_bucket() -> None:
    stage = to_west()
    shut(stage)
    stage.put("new")
    before = len(stage.points.calls)
    stage.deliver(*[message for message in stage.queue.visible() if '"new"' in message.body])
    assert [call.operation for call in stage.points.calls[before:] if call.operation != "READ GATES"] == ["WAIT"]
    assert stage.queue.messages == {} or all(message.parked for message in stage.queue.messages.values())


def test_once_a_probe_succeeds_the_gate_opens_slowly_and_everything_arrives() -> None:
    stage = to_west()
    shut(stage, keys=400)
    stage.faults.clear()
    copied = [0, to_bucket(stage).count("COPY")]
    for _ in range(8):
        pass_minute(stage)
        copied.append(to_bucket(stage).count("COPY"))
    assert all(len(stage.replicas(str(number))) == 1 for number in range(400))
    assert stage.parked() == {}
    assert stage.waiting() == {}
    assert stage.gates.gates[WEST].state is GateState.OPEN
    _, probe, first, second, rest, *_ = [after - before for before, after in itertools.pairwise(copied)]
    assert probe == 1
    assert first <= FIRST_RATE
    assert second <= FIRST_RATE * GROWTH
    assert first + second + rest == 399


def test_what_was_parked_before_it_was_tried_costs_as_much_as_any_other_change() -> None:
    stage = to_west()
    shut(stage)
    stage.put("new")
    stage.deliver(*[message for message in stage.queue.visible() if '"new"' in message.body])
    stage.faults.clear()
    before = len(stage.points.calls)
    for _ in range(5):
        pass_minute(stage)
    asked = [call.operation for call in stage.points.calls[before:] if call.key == "new" and call.side != "journal"]
    assert asked == ["HEAD", "COPY"]


def test_a_change_that_was_parked_is_written_down_as_often_as_the_model_of_an_outage_counts() -> None:
    """benchmarks/_outage_costs.py has the price of each step."""
    stage = to_west()
    shut(stage)
    before = len(stage.points.calls)
    stage.put("new")
    stage.deliver(*[message for message in stage.queue.visible() if '"new"' in message.body])
    stage.s3.clock.advance(3600)
    stage.faults.clear()
    for _ in range(5):
        pass_minute(stage)
    calls = stage.points.calls[before:]
    asked = [call.operation for call in calls if call.key == "new"]
    assert asked == ["WAIT", "READ", "HEAD", "COPY", "SETTLE", "CLAIM MISSED", "PUBLISH", "CLOSE"]
    notes = [call for call in calls if call.operation == "NOTE RELEASED" and "new" in call.detail]
    assert len(notes) == 1


def test_what_is_due_first_is_sent_for_first() -> None:
    stage = to_west()
    shut(stage, keys=300)
    stage.faults.clear()
    due = stage.parked()
    pass_minute(stage)
    left = {each: when for each, when in due.items() if each in stage.parked()}
    gone = sorted(when for each, when in due.items() if each not in left)
    assert gone
    assert left
    assert gone[-2] <= min(left.values()), "all but the probe, which may be any of the oldest"


def test_a_gate_that_opens_too_far_is_shut_again() -> None:
    stage = to_west()
    shut(stage, keys=200)
    stage.faults.clear()
    while stage.gates.gates[WEST].state is GateState.SHUT:
        pass_minute(stage)
    stage.fail("COPY", DOWN, 10**9, bucket=WEST)
    for _ in range(3):
        pass_minute(stage)
    assert stage.gates.gates[WEST].state is GateState.SHUT
    assert max(pass_minute(stage) for _ in range(10)) <= 2
    assert stage.queue.dead == []


def test_new_changes_wait_behind_the_others_while_the_gate_opens() -> None:
    stage = to_west()
    shut(stage, keys=400)
    stage.faults.clear()
    while stage.gates.gates[WEST].state is not GateState.OPENING:
        pass_minute(stage)
    stage.put("new")
    stage.deliver(*[message for message in stage.queue.visible() if '"new"' in message.body])
    assert (WEST, stage.s3.buckets[EAST].current("new").version_id) in stage.parked()  # type: ignore[union-attr]


def test_other_destinations_of_the_same_changes_get_their_replicas_at_once() -> None:
    stage = to_two()
    out_of_order(stage)
    for number in range(30):
        stage.put(str(number))
        stage.deliver()
        assert len(stage.replicas(str(number), NORTH)) == 1
    for _ in range(5):
        pass_minute(stage)
    assert len(stage.parked()) >= 29
    assert {destination for destination, _ in stage.parked()} == {WEST}
    assert len(to_bucket(stage, NORTH)) <= 30 * 2, "and their requests are not made again"


def test_trouble_of_a_few_keys_shuts_no_gate_and_they_arrive_when_it_ends() -> None:
    stage = to_west()
    stage.fail("COPY", DOWN, 60, key="bad 1")
    stage.fail("COPY", DOWN, 60, key="bad 2")
    for _ in range(20):
        stage.put("bad 1")
        stage.put("bad 2")
        stage.put("good")
        pass_minute(stage)
    assert stage.gates.gates[WEST].state is GateState.OPEN
    stage.deliver_all()
    assert all(len(stage.replicas(key)) == 20 for key in ("bad 1", "bad 2", "good"))


def test_short_trouble_is_left_to_the_queue() -> None:
    stage = to_west()
    stage.fail("COPY", DOWN, 30, bucket=WEST)
    for number in range(10):
        stage.put(str(number))
    for _ in range(40):
        stage.deliver()
        stage.s3.clock.advance(1)
    assert stage.gates.gates == {}
    assert stage.queue.messages == {}
    assert all(len(stage.replicas(str(number))) == 1 for number in range(10))


def test_what_is_parked_counts_as_pending_until_it_arrives() -> None:
    monitored = MonitoredStage()
    stage = monitored.stage
    shut(stage, keys=20)
    stage.s3.clock.advance(20 * 60)
    tally = monitored.run_monitor()
    assert (tally.all.operations, tally.all.parked) == (20, len(stage.parked()))
    assert monitored.event_counts == {(NoticeKind.MISSED, str(number)): 1 for number in range(20)}
    stage.faults.clear()
    for _ in range(6):
        pass_minute(stage)
    assert monitored.run_monitor().all.operations == 0
    assert {count for (kind, _), count in monitored.event_counts.items() if kind is NoticeKind.AFTER} == {1}
    assert stage.queue.dead == []


def test_a_destination_that_denies_everything_fails_each_change_once_and_a_redrive_completes_them() -> None:
    monitored = MonitoredStage()
    stage = monitored.stage
    stage.fail("COPY", DENIED, 30)
    for number in range(30):
        stage.put(str(number))
    stage.deliver_all()
    assert monitored.event_counts == {(NoticeKind.FAILED, str(number)): 1 for number in range(30)}
    assert {failed.outcome.reason for failed in stage.queue.dead} == {Reason.DST_PUT_DENIED}
    gate = stage.gates.gates[WEST]
    assert (gate.state, gate.denied_reason) == (GateState.OPEN, Reason.DST_PUT_DENIED)
    assert gate.denied
    stage.s3.clock.advance(20)
    stage.queue.redrive()
    stage.deliver_all()
    assert all(len(stage.replicas(str(number))) == 1 for number in range(30))
    assert stage.waiting() == {}
    assert stage.queue.dead == []
    assert not stage.gates.gates[WEST].denied


def test_a_change_that_would_inherit_a_long_chain_is_parked_before_it_writes_and_begins_a_new_one() -> None:
    stage = to_west()
    version = stage.put()
    stage.deliver(chained=True)
    assert to_bucket(stage).count("COPY") == 0
    assert stage.waiting() == {version.version_id: (Status.PENDING, Reason.NEW_CHAIN)}
    assert stage.queue.messages == {}
    stage.deliver_all()
    assert stage.replicas() == [version.version_id]


def test_an_echo_in_a_long_chain_ends_there() -> None:
    stage = to_west()
    stage.put()
    stage.deliver_all()
    [replica] = stage.s3.buckets[WEST].history("k")
    stage.rule_sets.put(WEST, rule(EAST, rule_id="back"))
    stage.queue.send(notification(Happening("ObjectCreated:Copy", WEST, "k", replica, "AWS:PEER", stage.s3.clock.now)))
    stage.deliver(chained=True)
    assert stage.counted[1:] == [(Status.SKIPPED, Reason.REPLICA)]
    assert stage.parked() == {}


def test_a_message_whose_change_another_one_completed_is_checked_past_a_shut_gate_and_does_not_stay() -> None:
    """It cannot be parked, and once nothing else is, nothing would open the gate for it."""
    stage = to_west()
    shut(stage)
    version = stage.put("new").version_id
    stage.journal.note_completed(Pair(EAST, WEST, "new"), version, "another message", stage.s3.clock.milliseconds())
    [message] = [each for each in stage.queue.visible() if '"new"' in each.body]
    assert stage.deliver(message) == [message.id]
    stage.faults.clear()
    assert stage.deliver(message) == []
    assert len(stage.replicas("new")) == 1
