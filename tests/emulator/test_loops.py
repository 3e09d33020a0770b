"""Lambda's loop detection: chains are counted, inherited by all that a batch sends, and stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from moto.sqs.models import sqs_backends
from replicator.aws.sqs_event import read_messages

from emulator.calls.lineage import LIMIT, Lineage
from emulator.running import Running
from tests.emulator.sample_messages import REGION, begin_afresh, dead, got, sampled, send, switch

ROUNDS = [(invocations, invocations - 1) for invocations in range(1, LIMIT + 1)]
"""The chain of each invocation of a loop: how many there were, and in which round its function is."""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with sampled(tmp_path_factory.mktemp("stack")) as up:
        yield up


@pytest.fixture(autouse=True)
def fresh(emulator: Running) -> None:
    """Begin each test with empty queues and an empty log."""
    begin_afresh(emulator)


def lend(emulator: Running, count: int) -> None:
    """Make the first message look as if a chain with so many invocations of the function had led to it."""
    name = emulator.outputs("sample")["Queue"].rpartition("/")[2]
    function = emulator.client("lambda", REGION).get_function(FunctionName="sample-record")["Configuration"]
    first, *_ = sqs_backends["123456789012"][REGION].queues[name]._messages
    first.lineage = Lineage({function["FunctionArn"]: count}, count)  # type: ignore[attr-defined] # as the emulator marks it


def chain(header: str) -> tuple[int, int]:
    """Return the invocations and the rounds in a trace header."""
    lineage = dict(each.split("=") for each in header.split(";"))["Lineage"]
    invocations, tag, rounds = lineage.split(":")
    assert len(tag) == 8
    return int(invocations), int(rounds)


def refused(emulator: Running) -> int:
    now = datetime.now(UTC)
    answer = emulator.client("cloudwatch", REGION).get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="RecursiveInvocationsDropped",
        Dimensions=[{"Name": "FunctionName", "Value": "sample-record"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["Sum"],
    )
    return int(sum(each["Sum"] for each in answer["Datapoints"]))


def test_an_endless_loop_is_stopped_after_sixteen_rounds(emulator: Running) -> None:
    send(emulator, {"do": "send"})
    assert emulator.idle()
    assert len(got(emulator)) == 16
    assert len(dead(emulator)) == 1


def test_a_function_sees_its_chain_and_each_message_its_own(emulator: Running) -> None:
    """As in headers from AWS: the first function of a chain is in round 0, and a user's message has no header."""
    send(emulator, {"do": "send"})
    assert emulator.idle()
    assert [chain(each["trace"]) for each in got(emulator)] == ROUNDS
    own = [each["record"]["attributes"].get("AWSTraceHeader") for each in got(emulator)]
    assert own[0] is None
    assert [chain(each) for each in own[1:]] == ROUNDS[:-1]
    roots = {text.split(";")[0] for text in [*own[1:], *(each["trace"] for each in got(emulator))]}
    assert len(roots) == 1, "all of a chain is one trace"


def test_what_a_batch_sends_inherits_the_longest_chain_of_its_messages(emulator: Running) -> None:
    switch(emulator, on=False)
    send(emulator, {"do": "nothing"}, {"do": "nothing"}, {"do": "send"})
    lend(emulator, 10)
    switch(emulator, on=True)
    assert emulator.idle()
    first, *others = [each for each in got(emulator) if each["body"]["do"] == "send"]
    assert (first["records"], chain(first["trace"])) == (3, (11, 10))
    assert "AWSTraceHeader" not in first["record"]["attributes"]
    assert [chain(each["trace"])[1] for each in others] == [11, 12, 13, 14, 15]


def test_the_product_sees_in_these_headers_whose_chain_a_batch_has(emulator: Running) -> None:
    switch(emulator, on=False)
    send(emulator, {"do": "nothing", "is": "an echo"}, {"do": "nothing", "is": "a user's"})
    lend(emulator, LIMIT - 1)
    switch(emulator, on=True)
    assert emulator.idle()
    seen = got(emulator)
    messages = read_messages({"Records": [each["record"] for each in seen]}, seen[0]["trace"])
    assert {json.loads(message.body)["is"]: message.needs_new_chain for message in messages} == {
        "an echo": False,
        "a user's": True,
    }


def test_a_refused_batch_is_counted_as_lambda_counts_it(emulator: Running) -> None:
    """The metric that the alarm on dropped recursions watches."""
    before = refused(emulator)
    send(emulator, {"do": "send"})
    assert emulator.idle()
    assert refused(emulator) == before + 3, "the message was received three times, the queue's maxReceiveCount"


def test_a_loop_through_the_events_of_a_bucket_is_stopped_as_well(emulator: Running) -> None:
    emulator.client("s3", REGION).put_object(Bucket="looping", Key="round-and-round")
    assert emulator.idle()
    assert len(got(emulator)) == 16
    assert len(dead(emulator)) == 1


def test_a_batch_with_a_message_of_a_loop_is_refused_as_a_whole(emulator: Running) -> None:
    """A batch has one trace: innocent messages share the fate of the loop, and end in the dead-letter queue."""
    switch(emulator, on=False)
    send(emulator, {"do": "nothing"}, {"do": "nothing"})
    lend(emulator, LIMIT)
    switch(emulator, on=True)
    assert emulator.idle()
    assert (got(emulator), len(dead(emulator))) == ([], 2)
