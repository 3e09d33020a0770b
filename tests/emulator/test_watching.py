"""The monitor on the emulator: a destination that is unavailable, what a run costs, and functions that are killed."""

import time
from collections.abc import Iterator

import pytest
from moto.sqs.models import Message, Queue

from emulator.running import Options, Running, running
from emulator.services import sqs as queues
from tests.emulator.watched import (
    STACK,
    document,
    events,
    fail,
    look,
    measured,
    place,
    put,
    run,
    start_anew,
    versions,
    world,
)
from tests.patience import until

MISSED, AFTER, FAILED = "OperationMissedThreshold", "OperationReplicatedAfterThreshold", "OperationFailedReplication"
LATE = "over the threshold"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(world(ThresholdMinutes="0.1"), Options(crash_visibility=0.05)) as emulator:
        yield emulator


@pytest.fixture
def aws(emulator: Running) -> Running:
    start_anew(emulator)
    return emulator


def test_objects_for_an_unavailable_destination_are_counted_and_reported_until_it_recovers(aws: Running) -> None:
    fail(aws, None, status=503, code="SlowDown")
    put(aws, "a", "b", "c")
    until(lambda: look(aws)["pending"] == 3)
    assert measured(aws, "OperationsPendingReplication", **place())[-1] == 3
    assert measured(aws, "BytesPendingReplication", **place())[-1] == 15
    until(lambda: look(aws)["ages"][LATE] == 3 and len(events(aws)) == 3)
    look(aws)
    assert events(aws) == {(MISSED, key): 1 for key in "abc"}
    until(lambda: measured(aws, "OperationsMissedThreshold", **place(Reason="Throttled")) == [1, 1, 1])
    aws.delete("/faults")
    assert aws.idle()
    assert events(aws) == {(kind, key): 1 for kind in (MISSED, AFTER) for key in "abc"}
    assert look(aws)["pending"] == 0
    assert measured(aws, "OperationsPendingReplication", **place())[-1] == 0
    assert measured(aws, "WithinThreshold", Stack=STACK) == [0, 0, 0]


def test_the_latency_of_an_object_is_measured_to_the_second(aws: Running) -> None:
    """S3 has whole seconds. A difference of more than one is what the machine took after the replica was written."""
    fail(aws, "late", status=503, code="SlowDown")
    began = time.monotonic()
    put(aws, "late")
    until(lambda: look(aws)["ages"][LATE] == 1)
    aws.delete("/faults")
    assert aws.idle()
    whole = time.monotonic() - began
    [seconds] = measured(aws, "ReplicationLatency", **place())
    source, replica = (versions(aws, bucket, "late")[0]["LastModified"] for bucket in ("east", "west"))
    assert (replica - source).total_seconds() - 1 < seconds < whole
    assert measured(aws, "ReplicationLatency", Stack=STACK) == [seconds]
    [after] = [each for each in aws.get("/events") if each["detail-type"] == AFTER]
    assert float(after["detail"]["replicationEventData"]["replicationTime"]) == seconds


def asked(aws: Running) -> list[str]:
    """Return the requests of one run of the monitor: the fewest of several, as it also runs by itself every minute."""
    runs = []
    for _ in range(3):
        aws.delete("/requests")
        look(aws)
        runs.append(sorted(each["operation"] for each in aws.get("/requests") if each["principal"] == "replicator"))
    return min(runs, key=len)


def test_a_run_of_the_monitor_costs_the_same_however_much_is_completed(aws: Running) -> None:
    asked(aws)
    before = asked(aws)
    put(aws, *(f"done/{number}" for number in range(15)))
    assert aws.idle()
    assert asked(aws) == before
    # Eight partitions of what waits, eight of what failed, one of uploads, one of gates. No gate has parked anything.
    assert before.count("Query") <= 18


def test_a_run_of_the_monitor_costs_at_most_one_look_at_the_dead_letter_queue_more_with_failures(aws: Running) -> None:
    before = asked(aws)
    fail(aws, None, status=403, code="AccessDenied")
    put(aws, *(f"denied/{number}" for number in range(5)))
    assert aws.idle()
    more = asked(aws)
    for operation in before:
        more.remove(operation)
    assert more == ["ChangeMessageVisibilityBatch", "ReceiveMessage"]
    assert run(aws, "failures", "redrive", "--key-prefix", "denied/").exit_code == 0
    assert aws.idle()
    aws.delete("/faults")
    assert run(aws, "failures", "redrive", "--key-prefix", "denied/").exit_code == 0
    assert aws.idle()


def test_a_message_that_kills_its_function_every_time_fails_with_that_reason(aws: Running) -> None:
    put(aws, "neighbour 1")
    fail(aws, "deadly", kill="before")
    put(aws, "deadly", "neighbour 2")
    assert aws.idle()
    aws.delete("/faults")
    [group] = document(aws, "failures", "list")["reasons"]
    assert (group["reason"], group["count"]) == ("FunctionDied", 1)
    assert group["examples"][0]["objects"] == ["s3://east/deadly"]
    assert "memory" in group["advice"]
    assert events(aws)[FAILED, "deadly"] == 1
    for key in ("neighbour 1", "neighbour 2"):
        assert len(versions(aws, "west", key)) == 1
    assert run(aws, "failures", "redrive").exit_code == 0
    assert aws.idle()
    assert len(versions(aws, "west", "deadly")) == 1
    assert document(aws, "failures", "list")["total"] == 0
    assert look(aws)["pending"] == 0


def test_a_batch_is_hidden_for_a_little_longer_than_its_function_may_run_and_after_a_crash_processed_one_by_one(
    aws: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on AWS: a crash leaves the messages hidden as long as the function has said, which is cut short here."""
    monkeypatch.setattr(aws.host._poller, "_crash_visibility", None)
    url, keys = aws.outputs(STACK)["ChangeQueue"], ("killer", "beside 1", "beside 2")
    arn = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    queue = queues.queue_of(arn)
    assert queue is not None
    fail(aws, "killer", kill="before")
    put(aws, *keys)
    for _ in ("in its batch", "alone"):
        until(lambda: aws.host.functions.idle() and bool(hidden_by_function(queue)))
        bring_back(queue)
    until(lambda: aws.host.functions.idle() and bool(hidden_by_function(queue)))
    aws.delete("/faults")
    bring_back(queue)
    assert aws.idle()
    assert [len(versions(aws, "west", key)) for key in keys] == [1, 1, 1]
    assert document(aws, "status", "s3://east/killer")["status"] == "COMPLETED"


def hidden_by_function(queue: Queue) -> list[Message]:
    """Return the messages that a function has hidden: for 135 seconds, where the queue would for 720."""
    return [each for each in queue._messages if 100_000 < each.visible_at - time.time() * 1000 < 136_000]


def bring_back(queue: Queue) -> None:
    for message in list(queue._messages):
        queues.hide(queue, message, 0)


def test_a_message_that_sqs_gave_up_is_explained_by_the_monitor(aws: Running) -> None:
    """Here after two receives instead of 210."""
    sqs, outputs = aws.client("sqs"), aws.outputs(STACK)
    policy = sqs.get_queue_attributes(QueueUrl=outputs["ChangeQueue"], AttributeNames=["RedrivePolicy"])["Attributes"]
    hasty = {"RedrivePolicy": policy["RedrivePolicy"].replace("210", "2")}
    sqs.set_queue_attributes(QueueUrl=outputs["ChangeQueue"], Attributes=hasty)
    try:
        fail(aws, "mute", kill="before")
        put(aws, "mute")
        until(lambda: document(aws, "status")["queues"]["dead_letters"]["visible"] == 1)
    finally:
        sqs.set_queue_attributes(QueueUrl=outputs["ChangeQueue"], Attributes=policy)
        aws.delete("/faults")
    look(aws)
    look(aws)
    assert events(aws)[FAILED, "mute"] == 1
    assert document(aws, "status", "s3://east/mute")["status"] == "FAILED"
    [group] = document(aws, "failures", "list")["reasons"]
    assert group["reason"] == "FunctionDied"
    assert run(aws, "failures", "redrive").exit_code == 0
    assert aws.idle()
    assert document(aws, "status", "s3://east/mute")["status"] == "COMPLETED"
