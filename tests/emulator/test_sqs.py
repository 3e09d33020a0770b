"""SQS where the emulator corrects moto: what a request may carry."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.services import sqs as queues
from tests.emulator.plain import Plain, refused

QUOTA = 5
ATTRIBUTE = {"n": {"DataType": "String", "StringValue": "é"}}
OF_THE_ATTRIBUTE = len("n") + len("String") + len("é".encode())


def test_a_batch_of_messages_has_1_mib_in_all_attributes_included(aws: Plain) -> None:
    (url, _), sqs = aws.queue(), aws.client("sqs")
    room = 1024 * 1024 - OF_THE_ATTRIBUTE
    whole = {"Id": "0", "MessageBody": "é" * (room // 2) + "x" * (room % 2), "MessageAttributes": ATTRIBUTE}
    assert sqs.send_message_batch(QueueUrl=url, Entries=[whole])["Successful"]
    with refused("AWS.SimpleQueueService.BatchRequestTooLong", 400):
        sqs.send_message_batch(QueueUrl=url, Entries=[whole, {"Id": "1", "MessageBody": "x"}])


def test_the_policy_of_a_queue_stays_when_other_attributes_are_set(aws: Plain) -> None:
    (url, _), sqs = aws.queue(), aws.client("sqs")
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "3"})
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"] == before
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])


@pytest.fixture
def small_quota(aws: Plain) -> Iterator[None]:
    """Let no more than five messages be in flight."""
    before, aws.emulator.limits.in_flight_messages = aws.emulator.limits.in_flight_messages, QUOTA
    yield
    aws.emulator.limits.in_flight_messages = before


def fill(aws: Plain, messages: int) -> str:
    """Return a queue with so many messages."""
    (url, _), sqs = aws.queue(), aws.client("sqs")
    for number in range(messages):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    return url


def arn_of(aws: Plain, url: str) -> str:
    names = ["QueueArn"]
    return str(aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]["QueueArn"])


@pytest.mark.usefixtures("small_quota")
def test_no_more_messages_than_the_quota_are_in_flight(aws: Plain) -> None:
    url, sqs = fill(aws, 8), aws.client("sqs")
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert len(received) == QUOTA
    with refused("OverLimit"):
        sqs.receive_message(QueueUrl=url)
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1), "long polling gets no error"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=received[0]["ReceiptHandle"])
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=received[1]["ReceiptHandle"], VisibilityTimeout=0)
    assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 2


@pytest.mark.usefixtures("small_quota")
def test_pollers_of_lambda_take_no_more_than_the_quota_allows(aws: Plain) -> None:
    queue = queues.queue_of(arn_of(aws, fill(aws, 8)))
    assert queue is not None
    assert len(queues.take(queue, 10)) == QUOTA
    assert queues.take(queue, 10) == []


def test_the_quota_is_that_of_sqs(aws: Plain) -> None:
    assert aws.emulator.limits.in_flight_messages == 120_000
