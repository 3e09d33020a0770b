"""Requests to SQS carry at most ten messages and 1 MiB in all, attributes included (SendMessageBatch)."""

import json
from typing import Any

import pytest
from replicator.aws.batches import MOST_BYTES, MOST_ENTRIES, in_batches, size_of
from replicator.aws.part_queue import SqsPartQueue
from s3replicator.failures.failed_messages import FailedMessage
from s3replicator.failures.sqs_dead_letter_queue import SqsDeadLetterQueue

from tests.fakes.reporting import in_turn
from tests.unit.wire import Answer, Wire

JSON = {"content-type": "application/x-amz-json-1.0"}


class Parts:
    """A message of parts, as far as the queue looks at it."""

    def __init__(self, body: str) -> None:
        self.body = body

    def encode(self) -> str:
        return self.body


def requests(wire: Wire) -> list[list[dict[str, Any]]]:
    """Return the entries of each request."""
    bodies = [request.body.decode() if isinstance(request.body, bytes) else request.body for request in wire.requests]
    return [json.loads(str(body))["Entries"] for body in bodies]


def accepted(*ids: str) -> Answer:
    return Answer(json.dumps({"Successful": [{"Id": each} for each in ids], "Failed": []}), headers=JSON)


def failed(number: int, body: str, destination: str = "west") -> FailedMessage:
    return FailedMessage(str(number), "receipt", body, 0, "Reason", "", "rule", destination, "", "", 1)


def too_large(entries: list[list[dict[str, Any]]]) -> list[int]:
    sizes = [sum(map(size_of, batch)) for batch in entries]
    return [size for size, batch in zip(sizes, entries, strict=True) if size > MOST_BYTES or len(batch) > MOST_ENTRIES]


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f600"], ids=["one byte", "two bytes", "four bytes"])
@pytest.mark.parametrize("share", [1, 2, 3, 10, 25])
def test_nothing_is_lost_or_reordered_and_no_request_is_too_large(letter: str, share: int) -> None:
    body = letter * (MOST_BYTES // share // len(letter.encode()))
    entries = [{"Id": str(number), "MessageBody": body} for number in range(30)]
    batches = list(in_batches(entries))
    assert [entry for batch in batches for entry in batch] == entries
    assert too_large(batches) == []


def test_messages_of_parts_are_sent_by_bytes() -> None:
    wire = Wire([accepted()])
    parts: Any = [Parts("é" * 200_000) for _ in range(5)]
    SqsPartQueue(wire.clients().sqs, "https://sqs/parts", in_turn).send(parts)
    assert [len(batch) for batch in requests(wire)] == [2, 2, 1]


def test_a_redrive_sends_large_failures_by_bytes_with_their_attributes() -> None:
    wire = Wire([accepted("0"), accepted("1", "2", "3")])
    queue = SqsDeadLetterQueue(wire.clients().sqs(), "https://sqs/dead", "https://sqs/changes")
    half = MOST_BYTES // 2
    messages = [failed(0, "x" * half), failed(1, "x" * half), failed(2, "{}"), failed(3, "{}")]
    assert queue.send_back(messages) == messages
    assert too_large(requests(wire)) == []
    assert [[entry["Id"] for entry in batch] for batch in requests(wire)] == [["0"], ["1", "2", "3"]]


def test_a_failure_that_is_too_large_by_itself_stays_and_stops_no_other() -> None:
    refusal = {"__type": "com.amazonaws.sqs#BatchRequestTooLong", "message": "Batch requests cannot be longer"}
    wire = Wire([Answer(json.dumps(refusal), 400, JSON), accepted("1")])
    queue = SqsDeadLetterQueue(wire.clients().sqs(), "https://sqs/dead", "https://sqs/changes")
    messages = [failed(0, "x" * MOST_BYTES), failed(1, "{}")]
    assert queue.send_back(messages) == messages[1:]
