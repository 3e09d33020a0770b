"""What SQS answers to requests that are wrong or too large, and to attributes of queues: as it was recorded on AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.plain import Plain, refused

MIB = 1024 * 1024
TEXT = {"DataType": "String", "StringValue": "x"}
TOO_MANY = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"
BAD_ID = "AWS.SimpleQueueService.InvalidBatchEntryId"


@pytest.fixture(scope="module")
def url(aws: Plain) -> str:
    return aws.queue()[0]


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        ({"MessageBody": "a" * (MIB + 1)}, "InvalidParameterValue", "Message must be shorter than 1048576 bytes."),
        ({"MessageBody": "a" * MIB, "MessageAttributes": {"k": TEXT}}, "InvalidParameterValue", "1048576 bytes."),
        ({"MessageBody": ""}, "MissingParameter", "must contain the parameter MessageBody."),
        ({"MessageBody": "\0"}, "InvalidMessageContents", ""),
        (
            {"MessageBody": "a", "MessageAttributes": {"ErrorDetails": {"DataType": "String", "StringValue": ""}}},
            "InvalidParameterValue",
            "attribute 'ErrorDetails' must contain a non-empty value of type 'String'.",
        ),
        (
            {"MessageBody": "a", "MessageAttributes": {f"k{number}": TEXT for number in range(11)}},
            "InvalidParameterValue",
            "[11] exceeds the allowed maximum [10].",
        ),
    ],
    ids=["a body that is too long", "attributes that make it too long", "no body", "a character that is not allowed",
         "an empty attribute", "eleven attributes"],
)  # fmt: skip
def test_a_message_that_sqs_does_not_take_is_refused(
    aws: Plain, url: str, message: dict[str, Any], code: str, words: str
) -> None:
    with refused(code, 400) as error:
        aws.client("sqs").send_message(QueueUrl=url, **message)
    assert words in error["Message"]


def test_in_a_batch_only_the_message_that_is_too_long_for_the_queue_fails(aws: Plain) -> None:
    sqs = aws.client("sqs")
    small = sqs.create_queue(QueueName="small", Attributes={"MaximumMessageSize": "1024"})["QueueUrl"]
    entries = [{"Id": "long", "MessageBody": "a" * 1025}, {"Id": "short", "MessageBody": "a" * 1024}]
    answer = sqs.send_message_batch(QueueUrl=small, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["short"]
    limit = "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes."
    assert answer["Failed"] == [
        {"Id": "long", "SenderFault": True, "Code": "InvalidParameterValue", "Message": limit}
    ]  # fmt: skip


@pytest.mark.parametrize("number", [20], ids=["twenty entries"])
def test_a_batch_has_no_more_than_ten_entries(aws: Plain, url: str, number: int) -> None:
    sqs, ids = aws.client("sqs"), [str(each) for each in range(number)]
    words = f"Maximum number of entries per request are 10. You have sent {number}."
    with refused(TOO_MANY, 400) as error:
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": each, "MessageBody": "a"} for each in ids])
    assert error["Message"] == words
    with refused(TOO_MANY, 400) as error:
        sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": each, "ReceiptHandle": "x"} for each in ids])
    assert error["Message"] == words
    with refused(TOO_MANY, 400) as error:
        entries = [{"Id": each, "ReceiptHandle": "x", "VisibilityTimeout": 1} for each in ids]
        sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
    assert error["Message"] == words


@pytest.mark.parametrize("name", ["", "a" * 100, "a:b"], ids=["empty", "too long", "a colon"])
def test_an_entry_of_a_batch_has_a_plain_id(aws: Plain, url: str, name: str) -> None:
    sqs = aws.client("sqs")
    with refused(BAD_ID, 400):
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": name, "MessageBody": "a"}])
    with refused(BAD_ID, 400):
        sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": name, "ReceiptHandle": "x"}])
    with refused(BAD_ID, 400):
        entry = {"Id": name, "ReceiptHandle": "x", "VisibilityTimeout": 1}
        sqs.change_message_visibility_batch(QueueUrl=url, Entries=[entry])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"MaxNumberOfMessages": 11}, "Value 11 for parameter MaxNumberOfMessages is invalid. "
                                      "Reason: Must be between 1 and 10, if provided."),
        ({"WaitTimeSeconds": 21}, "Value 21 for parameter WaitTimeSeconds is invalid. "
                                  "Reason: Must be >= 0 and <= 20, if provided."),
        ({"WaitTimeSeconds": -1}, "Value -1 for parameter WaitTimeSeconds is invalid. "
                                  "Reason: Must be >= 0 and <= 20, if provided."),
    ],
    ids=["eleven messages", "too long a wait", "a negative wait"],
)  # fmt: skip
def test_no_more_is_received_than_sqs_allows(aws: Plain, url: str, asked: dict[str, int], words: str) -> None:
    with refused("InvalidParameterValue", 400) as error:
        aws.client("sqs").receive_message(QueueUrl=url, **asked)
    assert error["Message"] == words


@pytest.mark.parametrize(
    ("attributes", "code", "words"),
    [
        ({"FifoQueue": "false"}, "InvalidAttributeName", "Unknown Attribute FifoQueue."),
        ({"VisibilityTimeout": "43201"}, "InvalidAttributeValue", "the parameter VisibilityTimeout."),
        ({"MaximumMessageSize": "1048577"}, "InvalidAttributeValue", "the parameter MaximumMessageSize."),
        ({"KmsMasterKeyId": "key", "SqsManagedSseEnabled": "true"}, "InvalidAttributeName", "one type of server-side"),
        ({"RedrivePolicy": json.dumps({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:none",
                                       "maxReceiveCount": "1"})},
         "InvalidParameterValue", "Dead letter target does not exist."),
    ],
    ids=["one of FIFO queues", "too long a timeout", "too large messages", "two kinds of encryption", "no such queue"],
)  # fmt: skip
def test_an_attribute_that_a_queue_cannot_have_is_refused(
    aws: Plain, url: str, attributes: dict[str, str], code: str, words: str
) -> None:
    with refused(code, 400) as error:
        aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)
    assert words in error["Message"]


def test_a_queue_that_exists_with_another_value_is_not_created_again(aws: Plain) -> None:
    sqs = aws.client("sqs")
    first = sqs.create_queue(QueueName="twice", Attributes={"DelaySeconds": "1"})
    assert sqs.create_queue(QueueName="twice", Attributes={"DelaySeconds": "1"})["QueueUrl"] == first["QueueUrl"]
    with refused("QueueAlreadyExists", 400) as error:
        sqs.create_queue(QueueName="twice", Attributes={"DelaySeconds": "2"})
    words = "A queue already exists with the same name and a different value for attribute DelaySeconds"
    assert error["Message"] == words


def test_a_new_queue_has_the_defaults_of_sqs(aws: Plain) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="defaults")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert found.pop("CreatedTimestamp").isdigit()
    assert found.pop("LastModifiedTimestamp").isdigit()
    assert found.pop("QueueArn").endswith(":defaults")
    assert found == {
        "ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesDelayed": "0",
        "ApproximateNumberOfMessagesNotVisible": "0", "DelaySeconds": "0", "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "30",
    }  # fmt: skip


def test_a_kms_key_takes_the_place_of_the_keys_of_sqs(aws: Plain) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="encrypted")["QueueUrl"]
    key = {"KmsMasterKeyId": "testKeyId", "KmsDataKeyReusePeriodSeconds": "6000"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes=key)
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert found["SqsManagedSseEnabled"] == "false"
    assert found.items() >= key.items()
