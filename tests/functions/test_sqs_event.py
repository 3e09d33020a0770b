"""What Lambda hands over from a queue, and what it wants back; the functions of both queues read it alike."""

from itertools import count
from typing import Any

import pytest
from replicator.aws.sqs_event import answer, queue_name, read_messages
from replicator.flows.change.consume import Message

from tests.fakes.rules import rule
from tests.flows.large_stage import LargeStage
from tests.flows.stage import WEST


def event(**attributes: str) -> dict[str, Any]:
    record = {
        "messageId": "id",
        "receiptHandle": "receipt",
        "body": "body",
        "attributes": {"ApproximateReceiveCount": "3"},
        "messageAttributes": {name: {"stringValue": text, "dataType": "String"} for name, text in attributes.items()},
    }
    return {"Records": [record]}


def test_a_message_has_what_sqs_knows_of_it() -> None:
    assert read_messages(event()) == [Message("id", "receipt", "body", 3)]


@pytest.mark.parametrize("attribute", ["Redriven", "Reason"])
def test_it_was_redriven_if_our_command_says_so_or_if_it_was_a_dead_letter(attribute: str) -> None:
    """SQS itself moves a dead letter back with the attributes that it has."""
    [message] = read_messages(event(**{attribute: "x"}, DestinationBucket="west"))
    assert (message.redriven, message.only) == (True, "west")


def test_other_attributes_mean_nothing() -> None:
    [message] = read_messages(event(DestinationBucket="west", Colour="blue"))
    assert (message.redriven, message.only) == (False, "")


def test_a_message_needs_a_new_chain_if_only_its_invocation_has_a_long_one() -> None:
    batch, trace = event(), "Root=1-2-3;Sampled=0;Lineage=25:037bed70:12"
    [users] = batch["Records"]
    echo = {**users, "attributes": {**users["attributes"], "AWSTraceHeader": trace}}
    batch["Records"].append(echo)
    assert [message.needs_new_chain for message in read_messages(batch, trace)] == [True, False]
    assert [message.needs_new_chain for message in read_messages(batch)] == [False, False]


def test_a_record_without_attributes_is_a_first_delivery() -> None:
    [record] = event()["Records"]
    bare = {name: record[name] for name in ("messageId", "receiptHandle", "body")}
    assert read_messages({"Records": [bare]}) == [Message("id", "receipt", "body", 1)]
    assert read_messages({}) == []


def test_a_batch_says_which_queue_it_came_from() -> None:
    batch = event()
    batch["Records"][0]["eventSourceARN"] = "arn:aws-cn:sqs:cn-north-1:123456789012:stack-BackfillQueue-1"
    assert queue_name(batch) == "stack-BackfillQueue-1"
    assert queue_name(event()) == queue_name({"Records": []}) == ""


def test_the_answer_names_the_messages_that_must_come_back() -> None:
    assert answer(["a", "b"]) == {"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}


@pytest.mark.parametrize("body", [b"seven77", b""], ids=["parts", "no object"])
def test_a_message_of_parts_is_processed_alike_whether_it_was_redriven_or_not(body: bytes) -> None:
    """So one reading serves both queues: workers ask the journal what became of their upload, not the message."""

    def run(*, redriven: bool) -> tuple[object, ...]:
        stage, numbers = LargeStage([rule(WEST)]), count(1)
        stage.s3.new_id = lambda: f"v{next(numbers)}"
        if body:
            stage.put_large(body)
            stage.deliver()
        else:
            stage.part_queue.send("no parts in here")
        for message in stage.part_queue.messages.values():
            message.redriven = redriven
        stage.deliver_all()
        return stage.body(), stage.counted, stage.calls("COPY PART", "COMPLETE", "BURY"), stage.queue.dead

    assert run(redriven=True) == run(redriven=False)
