"""Messages of invocations that failed or were throttled: hidden for the queue's visibility timeout, as on AWS.

Separate from the other tests of the poller, which shorten that time with `Options.crash_visibility`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Options, Running, running
from emulator.world.document import World, WorldStack
from tests.emulator import sample_stack
from tests.patience import until

REGION = "eu-west-1"
VISIBILITY = 3
"""Seconds: of the queue, one more than the functions' timeout."""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    template = sample_stack.write(tmp_path_factory.mktemp("stack"))
    with running(World(stacks=(WorldStack("sample", REGION),)), Options(template=template)) as up:
        timeout = {"VisibilityTimeout": str(VISIBILITY)}
        up.client("sqs", REGION).set_queue_attributes(QueueUrl=up.outputs("sample")["Queue"], Attributes=timeout)
        yield up


@pytest.fixture(autouse=True)
def fresh(emulator: Running) -> Iterator[None]:
    """Leave an empty queue, an empty log and a function that may run."""
    yield
    reserve(emulator, None)
    assert emulator.idle()
    emulator.host.functions._outputs["sample-record"].lines.clear()


def send(emulator: Running, body: dict[str, Any]) -> str:
    url = emulator.outputs("sample")["Queue"]
    return str(emulator.client("sqs", REGION).send_message(QueueUrl=url, MessageBody=json.dumps(body))["MessageId"])


def receives(emulator: Running) -> list[tuple[str, str]]:
    """Return the id and the receive count of each message that the function has got, in order."""
    got = [line.removeprefix("GOT ") for line in emulator.logs("sample", "RecordFunction") if line.startswith("GOT ")]
    records = [json.loads(line)["record"] for line in got]
    return [(each["messageId"], each["attributes"]["ApproximateReceiveCount"]) for each in records]


def reserve(emulator: Running, concurrency: int | None) -> None:
    """Reserve concurrency for the function; None reserves none."""
    functions, name = emulator.client("lambda", REGION), emulator.outputs("sample")["RecordFunction"]
    if concurrency is None:
        functions.delete_function_concurrency(FunctionName=name)
    else:
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=concurrency)


def dead(emulator: Running) -> list[tuple[str, str]]:
    """Return the id and the receive count of a message in the dead-letter queue, and delete it."""
    sqs, url = emulator.client("sqs", REGION), emulator.outputs("sample")["DeadQueue"]
    messages = sqs.receive_message(QueueUrl=url, AttributeNames=["All"], WaitTimeSeconds=1).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [(each["MessageId"], each["Attributes"]["ApproximateReceiveCount"]) for each in messages]


@pytest.mark.parametrize(
    "what",
    [{"do": "raise"}, {"do": "exit"}, {"do": "sleep", "seconds": 60}],
    ids=["an exception", "an exit", "a timeout"],
)
def test_the_messages_of_a_failed_invocation_are_hidden_for_the_visibility_timeout(
    emulator: Running, what: dict[str, Any]
) -> None:
    began = time.monotonic()
    sent = send(emulator, {**what, "times": 1})
    assert emulator.idle()
    assert time.monotonic() - began >= VISIBILITY
    assert receives(emulator) == [(sent, "1"), (sent, "2")]


def test_the_visibility_that_a_function_set_before_it_died_is_kept(emulator: Running) -> None:
    began = time.monotonic()
    sent = send(emulator, {"do": "hide and exit", "seconds": 1, "times": 1})
    assert emulator.idle()
    assert time.monotonic() - began >= 1
    assert receives(emulator) == [(sent, "1"), (sent, "2")]
    sent = send(emulator, {"do": "hide and exit", "seconds": VISIBILITY + 2, "times": 1})
    assert not emulator.idle(timeout=VISIBILITY + 1)
    assert receives(emulator)[2:] == [(sent, "1")]


def test_a_throttled_batch_is_received_and_processed_once_the_function_may_run(emulator: Running) -> None:
    reserve(emulator, 0)
    sent = send(emulator, {"do": "nothing"})
    until(lambda: in_flight(emulator) == "1")
    reserve(emulator, None)
    assert emulator.idle()
    assert receives(emulator) in ([(sent, "1")], [(sent, "2")]), "a slow machine may have let the first receive pass"


def test_a_message_whose_invocations_are_all_throttled_ends_in_the_dead_letter_queue(emulator: Running) -> None:
    """It has been received three times, as often as the redrive policy allows, without any invocation."""
    reserve(emulator, 0)
    began = time.monotonic()
    sent = send(emulator, {"do": "nothing"})
    assert emulator.idle()
    assert time.monotonic() - began >= 3 * VISIBILITY
    assert receives(emulator) == []
    assert [message for message, _ in dead(emulator)] == [sent]


def in_flight(emulator: Running) -> str:
    sqs, url = emulator.client("sqs", REGION), emulator.outputs("sample")["Queue"]
    name = "ApproximateNumberOfMessagesNotVisible"
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])
