"""Queues into functions: batches, partial answers, crashes, redrive, filters, windows, schedules."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from moto.sqs.models import Message, sqs_backends

from emulator.functions.poller import Poller
from emulator.functions.schedules import Clock, schedules
from emulator.running import Running
from emulator.services import sqs as queues
from tests.emulator.sample_messages import REGION, begin_afresh, dead, empty, got, sampled, send, switch, tries, waiting
from tests.patience import until


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with sampled(tmp_path_factory.mktemp("stack")) as up:
        yield up


@pytest.fixture(autouse=True)
def fresh(emulator: Running) -> None:
    """Begin each test with empty queues and an empty log."""
    begin_afresh(emulator)


def test_a_message_arrives_the_way_lambda_passes_it_on(emulator: Running) -> None:
    sqs, url = emulator.client("sqs", REGION), emulator.outputs("sample")["Queue"]
    sent = sqs.send_message(
        QueueUrl=url,
        MessageBody='{"do": "nothing"}',
        MessageAttributes={"Reason": {"DataType": "String", "StringValue": "why"}},
    )
    assert emulator.idle()
    (only,) = got(emulator)
    record = only["record"]
    assert record["messageId"] == sent["MessageId"]
    assert record["md5OfBody"] == sent["MD5OfMessageBody"]
    assert record["md5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert record["body"] == '{"do": "nothing"}'
    assert record["messageAttributes"] == {
        "Reason": {"stringValue": "why", "stringListValues": [], "binaryListValues": [], "dataType": "String"}
    }
    assert record["attributes"].keys() == {
        "ApproximateReceiveCount",
        "ApproximateFirstReceiveTimestamp",
        "SenderId",
        "SentTimestamp",
    }
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == emulator.outputs("sample")["QueueArn"]
    assert record["awsRegion"] == REGION


def test_every_message_arrives_once_and_is_deleted(emulator: Running) -> None:
    sent = send(emulator, *({"do": "nothing", "number": number} for number in range(40)))
    assert emulator.idle()
    assert tries(emulator) == dict.fromkeys(sent, 1)
    assert waiting(emulator) == {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"}


def test_messages_that_wait_come_together_up_to_the_batch_size(emulator: Running) -> None:
    switch(emulator, on=False)
    send(emulator, *({"do": "nothing"} for _ in range(25)))
    switch(emulator, on=True)
    assert emulator.idle()
    sizes = {each["records"] for each in got(emulator)}
    assert max(sizes) == 10


def test_only_the_messages_that_failed_come_back(emulator: Running) -> None:
    """The others of its batch are deleted, however often it is tried."""
    blocker, failing, *others = send(
        emulator,
        {"do": "sleep", "seconds": 0.2},
        {"do": "hide", "seconds": 0, "times": 2},
        {"do": "nothing"},
        {"do": "nothing"},
    )
    assert emulator.idle()
    assert tries(emulator) == {blocker: 1, failing: 3, **dict.fromkeys(others, 1)}


def test_the_visibility_that_a_function_sets_is_honoured(emulator: Running) -> None:
    send(emulator, {"do": "hide", "seconds": 1, "times": 1})
    assert emulator.idle()
    first, second = got(emulator)
    assert second["record"]["attributes"]["ApproximateReceiveCount"] == "2"
    assert not dead(emulator)
    assert first["id"] == second["id"]


def test_a_reported_failure_stays_hidden_as_long_as_its_queue_says(emulator: Running) -> None:
    """Sixty seconds here: as on AWS, nothing shortens that but the function itself."""
    send(emulator, {"do": "fail"})
    until(lambda: bool(got(emulator)))
    assert not emulator.idle(timeout=0.5)
    assert len(got(emulator)) == 1
    assert waiting(emulator)["ApproximateNumberOfMessagesNotVisible"] == "1"
    empty(emulator, "Queue")
    assert emulator.idle()


@pytest.mark.parametrize(
    "what",
    [{"do": "raise"}, {"do": "exit"}, {"do": "sleep", "seconds": 60}],
    ids=["an exception", "an exit", "a timeout"],
)
def test_the_messages_of_a_crash_come_back_soon(emulator: Running, what: dict[str, Any]) -> None:
    (sent,) = send(emulator, {**what, "times": 1})
    assert emulator.idle()
    assert tries(emulator) == {sent: 2}
    assert not dead(emulator)


def test_a_crash_overrides_the_visibility_that_its_function_had_set(emulator: Running) -> None:
    (sent,) = send(emulator, {"do": "hide and exit", "seconds": 60, "times": 1})
    assert emulator.idle()
    assert tries(emulator) == {sent: 2}


def test_after_an_error_the_visibility_that_its_function_had_set_is_kept(emulator: Running) -> None:
    send(emulator, {"do": "hide and raise", "seconds": 30})
    until(lambda: bool(got(emulator)))
    assert not emulator.idle(timeout=0.5)
    assert len(got(emulator)) == 1
    assert waiting(emulator)["ApproximateNumberOfMessagesNotVisible"] == "1"


def test_a_message_that_always_kills_its_function_ends_in_the_dead_letter_queue(emulator: Running) -> None:
    (sent,) = send(emulator, {"do": "exit"})
    assert emulator.idle()
    assert tries(emulator) == {sent: 3}
    (buried,) = dead(emulator)
    assert json.loads(buried["Body"]) == {"do": "exit"}
    assert buried["MessageId"] == sent


@pytest.mark.parametrize(
    "answer",
    [{"batchItemFailures": [{"itemIdentifier": "unknown"}]}, {"batchItemFailures": [{}]}, "text", [1]],
    ids=["an id that is not in the batch", "no id", "a text", "a list"],
)
def test_a_malformed_answer_fails_the_whole_batch(emulator: Running, answer: Any) -> None:
    (sent,) = send(emulator, {"do": "answer", "answer": answer})
    assert emulator.idle()
    assert tries(emulator) == {sent: 3}
    assert len(dead(emulator)) == 1


def test_deletions_at_the_same_time_bring_no_message_back(emulator: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deletion rewrites the queue's list: two of them must not each write what the other has taken out."""
    backend = sqs_backends["123456789012"][REGION]
    backend.create_queue("busy")
    backend.send_message("busy", "one")
    backend.send_message("busy", "other")
    one, other = (str(message.receipt_handle) for message in backend.receive_message("busy", 2, 0, 300))
    second = threading.Thread(target=backend.delete_message, args=("busy", other))
    had = Message.had_receipt_handle

    def meanwhile(message: Message, handle: str) -> bool:
        if handle == one and not second.ident:
            second.start()
            second.join(0.2)
        return had(message, handle)

    monkeypatch.setattr(Message, "had_receipt_handle", meanwhile)
    backend.delete_message("busy", one)
    second.join()
    assert queues.length(backend.get_queue("busy")) == 0


def test_a_message_that_a_filter_drops_is_deleted_unseen(emulator: Running) -> None:
    _, seen = send(emulator, {"do": "filtered"}, {"do": "nothing"})
    assert emulator.idle()
    assert tries(emulator) == {seen: 1}


def test_a_batching_window_gathers_a_batch(emulator: Running) -> None:
    send(emulator, {"do": "nothing"}, {"do": "nothing"}, queue="SlowQueue")
    assert emulator.idle()
    assert [each["records"] for each in got(emulator)] == [2, 2]


def test_a_full_batch_does_not_wait_for_its_window(emulator: Running) -> None:
    send(emulator, *({"do": "nothing"} for _ in range(6)), queue="SlowQueue")
    assert emulator.idle()
    assert {each["records"] for each in got(emulator)} == {3}


def test_a_backlog_is_worked_on_by_as_many_processes_as_the_mapping_allows(emulator: Running) -> None:
    send(emulator, *({"do": "sleep", "seconds": 0.1} for _ in range(60)))
    assert emulator.idle()
    assert 1 < len({each["pid"] for each in got(emulator)}) <= 5, "the stack's MaximumConcurrency"


def test_a_delayed_message_counts_as_work_to_come(emulator: Running) -> None:
    url = emulator.outputs("sample")["Queue"]
    emulator.client("sqs", REGION).send_message(QueueUrl=url, MessageBody='{"do": "nothing"}', DelaySeconds=1)
    assert not emulator.emulator.idle()
    assert emulator.idle()
    assert len(got(emulator)) == 1


def test_dead_letters_do_not_count_as_work(emulator: Running) -> None:
    send(emulator, {"left": "alone"}, queue="DeadQueue")
    assert emulator.idle(timeout=0)


def test_a_disabled_mapping_receives_nothing(emulator: Running) -> None:
    switch(emulator, on=False)
    send(emulator, {"do": "nothing"})
    assert emulator.idle()
    assert waiting(emulator)["ApproximateNumberOfMessages"] == "1"
    switch(emulator, on=True)
    assert emulator.idle()
    assert len(got(emulator)) == 1


def test_firing_a_function_sends_the_event_of_its_schedule(emulator: Running) -> None:
    event = emulator.host.fire("sample", "LookFunction")["event"]
    assert (event["source"], event["detail-type"], event["region"]) == ("aws.events", "Scheduled Event", REGION)
    emulator.emulator.metrics.clear()
    emulator.host.fire("sample", "MeasureFunction")
    assert {each["time"] for each in emulator.emulator.metrics} == {1700000000000}


@pytest.mark.parametrize(
    ("stack", "function", "complaint"),
    [
        ("sample", "RecordFunction", "RecordFunction of sample has no schedule"),
        ("sample", "Queue", "The stack sample has no function Queue"),
        ("sample", "Nothing", "The stack sample has no function Nothing"),
        ("other", "LookFunction", "There is no stack other; deployed: sample"),
    ],
    ids=["a function without a schedule", "a queue", "an unknown function", "an unknown stack"],
)
def test_firing_what_has_no_schedule_is_refused_by_name(
    emulator: Running, stack: str, function: str, complaint: str
) -> None:
    with pytest.raises(LookupError, match=complaint):
        emulator.host.fire(stack, function)


def test_schedules_run_once_per_period(emulator: Running) -> None:
    names = {each.target.rpartition(":")[2]: each.period for each in schedules()}
    assert names == {"sample-look": 3600.0, "sample-measure": 300.0}
    clock = Clock(lambda arn, event: None)

    def due(now: float) -> set[str]:
        return {each.target.rpartition(":")[2] for each in clock.take_due(now)}

    assert due(0) == set()
    assert due(299) == set()
    assert due(300) == {"sample-measure"}
    assert due(301) == set()
    assert due(3600) == {"sample-measure", "sample-look"}


def test_an_emulator_that_runs_a_function_while_idle_looks_at_queues_is_not_idle(
    emulator: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have moved a message from a queue that was not looked at yet to one that was."""

    def look(_: Any) -> bool:
        with emulator.host.functions.running():
            return True

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Poller, "idle", look)
        assert not emulator.host.idle()
    assert emulator.host.idle()


def deny_to_function(emulator: Running, action: str) -> None:
    """Deny the function's role an action of SQS; an empty one denies nothing."""
    iam, name = emulator.client("iam", REGION), "denied"
    function = emulator.client("lambda", REGION).get_function(FunctionName="sample-record")["Configuration"]
    role = function["Role"].rpartition("/")[2]
    statement = {"Effect": "Deny", "Action": action or "sqs:PurgeQueue", "Resource": "*"}
    iam.put_role_policy(
        RoleName=role, PolicyName=name, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )


@pytest.mark.parametrize("action", ["sqs:ReceiveMessage", "sqs:GetQueueAttributes"])
def test_messages_stay_on_the_queue_while_the_role_may_not_receive_them(emulator: Running, action: str) -> None:
    deny_to_function(emulator, action)
    try:
        [message] = send(emulator, {"do": "nothing"})
        assert not emulator.idle(timeout=0.5)
        assert tries(emulator) == {}
    finally:
        deny_to_function(emulator, "")
    until(lambda: tries(emulator) == {message: 1})


def test_a_message_that_the_role_may_not_delete_stays_hidden_and_comes_back(emulator: Running) -> None:
    deny_to_function(emulator, "sqs:DeleteMessage")
    try:
        [message] = send(emulator, {"do": "nothing"})
        until(lambda: tries(emulator) == {message: 1})
        assert not emulator.idle(timeout=0.5), "it is in flight"
    finally:
        deny_to_function(emulator, "")
        empty(emulator, "Queue")
