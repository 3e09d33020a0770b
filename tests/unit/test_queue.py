"""Requests to SQS: a failure's message has all that explains it, and a message is hidden until its next attempt."""

import json

import pytest
from replicator.aws.queue import SqsQueue
from replicator.core.outcomes.outcome import Outcome, Reason, Status, Temporary
from replicator.core.versions.origin import Origin
from replicator.flows.change.record import FailedChange

from tests.unit.wire import Answer, Wire

FAILED = Outcome(
    Status.FAILED, Reason.DST_PUT_DENIED, "CopyObject (destination): AccessDenied 403", "all", "west",
    Origin("east", "v1", 1_700_000_000),
)  # fmt: skip
SENT = Answer("{}", headers={"content-type": "application/x-amz-json-1.0"})


def queue(wire: Wire) -> SqsQueue:
    return SqsQueue(wire.clients().sqs(), "https://sqs/changes", "https://sqs/dead-letters")


def sent(wire: Wire) -> dict[str, object]:
    [request] = wire.requests
    text = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
    return dict(json.loads(text))


def text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def test_a_failure_is_dead_lettered_with_its_event_and_all_that_explains_it() -> None:
    wire = Wire([SENT])
    queue(wire).dead_letter(FailedChange('{"Records": []}', FAILED, 1_700_000_000_123, 2))
    assert sent(wire) == {
        "QueueUrl": "https://sqs/dead-letters",
        "MessageBody": '{"Records": []}',
        "MessageAttributes": {
            "Reason": text("DstPutObjectNotPermitted"),
            "Detail": text("CopyObject (destination): AccessDenied 403"),
            "RuleId": text("all"),
            "DestinationBucket": text("west"),
            "Origin": text("east/v1"),
            "FirstSeen": text("2023-11-14T22:13:20.123000+00:00"),
            "Attempts": {"DataType": "Number", "StringValue": "2"},
        },
    }


def test_an_attribute_that_is_not_known_is_left_out_since_sqs_accepts_no_empty_one() -> None:
    wire = Wire([SENT])
    queue(wire).dead_letter(FailedChange("?", Outcome(Status.FAILED, Reason.MALFORMED), 0, 1))
    attributes = sent(wire)["MessageAttributes"]
    assert isinstance(attributes, dict)
    assert attributes.keys() == {"Reason", "Attempts"}


@pytest.mark.parametrize("character", ["x", "é", "\U0001f600"], ids=["one byte", "two bytes", "four bytes"])
def test_a_body_that_leaves_no_room_for_its_reason_is_cut(character: str) -> None:
    """A message of the largest size must not stay on the change queue for lack of room for its reason."""
    wire, longest = Wire([SENT]), character * (1024 * 1024 // len(character.encode()))
    queue(wire).dead_letter(FailedChange(longest, FAILED, 0, 1))
    message = sent(wire)
    text, attributes = str(message["MessageBody"]), message["MessageAttributes"]
    assert isinstance(attributes, dict)
    explained = sum(len(name) + sum(map(len, value.values())) for name, value in attributes.items())
    assert len(text.encode()) + explained <= 1024 * 1024
    assert longest.startswith(text)
    assert len(text) > len(longest) * 0.99


def test_a_failure_that_cannot_be_sent_is_temporary_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    wire = Wire([Answer('{"__type": "AccessDenied"}', 403)])
    with pytest.raises(Temporary):
        queue(wire).dead_letter(FailedChange("?", FAILED, 0, 1))


def test_hiding_a_message_sets_its_visibility_timeout() -> None:
    wire = Wire([SENT])
    queue(wire).hide("receipt", 7)
    assert sent(wire) == {"QueueUrl": "https://sqs/changes", "ReceiptHandle": "receipt", "VisibilityTimeout": 7}


def test_the_messages_of_a_batch_are_hidden_ten_at_a_time_before_one_of_them_is_hidden_for_another_time() -> None:
    wire = Wire([SENT])
    changes = queue(wire)
    changes.hide_all([f"receipt {number}" for number in range(12)], 135)
    changes.hide("receipt 7", 2)
    bodies = [json.loads(str(request.body.decode())) for request in wire.requests]  # type: ignore[union-attr]
    assert [request.headers["X-Amz-Target"] for request in wire.requests] == [
        b"AmazonSQS.ChangeMessageVisibilityBatch",
        b"AmazonSQS.ChangeMessageVisibilityBatch",
        b"AmazonSQS.ChangeMessageVisibility",
    ]
    assert [len(body.get("Entries", ())) for body in bodies] == [10, 2, 0]
    assert {entry["VisibilityTimeout"] for body in bodies[:2] for entry in body["Entries"]} == {135}
    assert [len({entry["Id"] for entry in body["Entries"]}) for body in bodies[:2]] == [10, 2], "ids are distinct"


def test_a_batch_that_cannot_be_hidden_is_no_trouble_either() -> None:
    changes = queue(Wire([Answer('{"__type": "AccessDenied"}', 403), Answer('{"__type": "AccessDenied"}', 403)]))
    changes.hide_all(["receipt"], 135)
    changes.hide("receipt", 7)


def test_a_message_that_cannot_be_hidden_is_no_trouble_since_the_queue_hides_it() -> None:
    queue(Wire([Answer('{"__type": "ReceiptHandleIsInvalid"}', 404)])).hide("receipt", 7)
