"""SQS where the emulator corrects moto: what a request may carry."""

from __future__ import annotations

from tests.emulator.plain import Plain, refused

ATTRIBUTE = {"n": {"DataType": "String", "StringValue": "é"}}
OF_THE_ATTRIBUTE = len("n") + len("String") + len("é".encode())


def test_a_batch_of_messages_has_1_mib_in_all_attributes_included(aws: Plain) -> None:
    (url, _), sqs = aws.queue(), aws.client("sqs")
    room = 1024 * 1024 - OF_THE_ATTRIBUTE
    whole = {"Id": "0", "MessageBody": "é" * (room // 2) + "x" * (room % 2), "MessageAttributes": ATTRIBUTE}
    assert sqs.send_message_batch(QueueUrl=url, Entries=[whole])["Successful"]
    with refused("AWS.SimpleQueueService.BatchRequestTooLong", 400):
        sqs.send_message_batch(QueueUrl=url, Entries=[whole, {"Id": "1", "MessageBody": "x"}])
