"""`s3replicator failures` against a deployed stack: what it says, and that a redrive may be killed at any moment."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from emulator.running import Running, running
from tests.emulator.watched import (
    STACK,
    document,
    events,
    fail,
    measured,
    place,
    put,
    run,
    start_anew,
    versions,
    world,
)

DENIED = "DstPutObjectNotPermitted"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(world()) as emulator:
        yield emulator


@pytest.fixture
def aws(emulator: Running) -> Running:
    start_anew(emulator)
    return emulator


def failed(aws: Running, *keys: str) -> None:
    """Let objects fail, and the cause be repaired."""
    fail(aws, None, status=403, code="AccessDenied")
    put(aws, *keys)
    assert aws.idle()
    aws.delete("/faults")


def test_failures_are_listed_by_reason_with_examples_and_advice(aws: Running) -> None:
    failed(aws, "photos/1", "photos/2")
    aws.client("sqs").send_message(QueueUrl=aws.outputs(STACK)["ChangeQueue"], MessageBody="garbage")
    assert aws.idle()
    done = run(aws, "failures", "list")
    assert done.exit_code == 1
    for text in (f"{DENIED}: 2", "s3://east/photos/1 -> west", "rule all", "s3:PutObject", "MalformedEvent: 1"):
        assert text in done.stdout, text
    found = document(aws, "failures", "list", "--key-prefix", "photos/2")
    assert found["total"] == 1
    [example] = found["reasons"][0]["examples"]
    assert (example["objects"], example["kinds"]) == (["s3://east/photos/2"], ["created"])


def test_a_dry_run_sends_nothing(aws: Running) -> None:
    found = document(aws, "failures", "redrive", "--dry-run", "--reason", DENIED.lower())
    assert (found["selected"], found["redriven"]) == (2, 0)
    assert document(aws, "failures", "list")["total"] == 3


def test_a_redrive_takes_what_is_meant_and_leaves_the_rest(aws: Running) -> None:
    found = document(aws, "failures", "redrive", "--key-prefix", "photos/1")
    assert (found["redriven"], found["left"]) == (1, 2)
    assert aws.idle()
    assert len(versions(aws, "west", "photos/1")) == 1
    assert versions(aws, "west", "photos/2") == []


def test_a_redrive_without_a_filter_takes_everything_that_can_be_read(aws: Running) -> None:
    done = run(aws, "failures", "redrive")
    assert done.exit_code == 0
    assert "sent 1 of 2 failures to the change queue again" in done.stdout
    assert aws.idle()
    assert document(aws, "failures", "list")["reasons"][0]["reason"] == "MalformedEvent"
    aws.client("sqs").purge_queue(QueueUrl=aws.outputs(STACK)["DeadLetterQueue"])
    assert run(aws, "failures", "list").exit_code == 0


def test_what_was_repaired_in_part_fails_again_with_its_destination_only(aws: Running) -> None:
    failed(aws, "again")
    fail(aws, None, status=403, code="AccessDenied")
    assert run(aws, "failures", "redrive").exit_code == 0
    assert aws.idle()
    assert document(aws, "failures", "list")["total"] == 1
    assert events(aws)["OperationFailedReplication", "again"] == 2
    aws.delete("/faults")
    assert run(aws, "failures", "redrive").exit_code == 0
    assert aws.idle()
    assert document(aws, "status", "s3://east/again")["status"] == "COMPLETED"


def test_events_that_arrive_twice_fail_once_and_complete_once(aws: Running) -> None:
    keys = [f"twice/{number}" for number in range(12)]
    aws.post("/delivery", {"duplicate": 1.0, "shuffle": True, "seed": 4})
    try:
        failed(aws, *keys)
    finally:
        aws.post("/delivery", {})
    found = document(aws, "failures", "list")
    assert (found["total"], document(aws, "status")["queues"]["dead_letters"]["visible"]) == (12, 12)
    assert events(aws) == {("OperationFailedReplication", key): 1 for key in keys}
    assert sum(measured(aws, "OperationsFailedReplication", **place())) == 12
    assert measured(aws, "WithinThreshold", **place()) == [0] * 12
    assert document(aws, "failures", "redrive")["redriven"] == 12
    assert aws.idle()
    assert document(aws, "failures", "list")["total"] == 0
    for key in keys:
        assert len(versions(aws, "west", key)) == 1


@pytest.mark.parametrize("arguments", [["--reason", "DstPutObjectNotPermited"], ["--nope"]])
def test_a_wrong_call_ends_with_2_and_a_message(aws: Running, arguments: list[str]) -> None:
    done = run(aws, "failures", "redrive", *arguments)
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert DENIED in done.output or "--nope" in done.output


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_a_random_moment_and_repeated_every_object_completes_once(aws: Running, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a moment, not a secret
    keys = [f"killed {seed}/{number}" for number in range(40)]
    failed(aws, *keys)
    environment = {**os.environ, **aws.environment("us-east-1"), "S3REPLICATOR_STACK": STACK}
    command = [sys.executable, "-m", "s3replicator.main", "failures", "redrive"]
    redrive = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    aws.delete("/requests")
    while redrive.poll() is None and not any(each["operation"] == "SendMessageBatch" for each in aws.get("/requests")):
        time.sleep(0.01)
    time.sleep(draw.random() * 0.15)
    redrive.send_signal(draw.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
    redrive.wait()
    assert run(aws, "failures", "redrive").exit_code == 0
    assert aws.idle()
    assert document(aws, "failures", "list")["total"] == 0
    assert document(aws, "status")["failed"] == 0
    for key in keys:
        assert len(versions(aws, "west", key)) == 1
