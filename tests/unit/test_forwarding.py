"""The queues of other stacks: what is recorded in the control bucket, and the message that is sent to one of them."""

import json
from typing import Any

import pytest
from replicator.aws.forwarding import SqsForwarding
from replicator.aws.peer_queues import KEEP_SECONDS, PeerQueues, document_key
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.versions.change import Change, ChangeKind
from replicator.core.versions.events import write

from tests.unit.wire import Answer, Wire, error

ARN = "arn:aws:sqs:us-west-2:123456789012:changes"
OWN = "https://sqs.us-east-1.amazonaws.com/123456789012/own"
CHANGE = Change(ChangeKind.TAGS, "east", "k", "v1", time=1000, name="ObjectTagging:Put", seen_at="west")


class Document(Answer):
    """An object whose body is read as a stream."""

    def read(self, _amount: int | None = None) -> bytes:
        return self.body.encode()

    def close(self) -> None: ...


def recorded(**queues: str) -> Answer:
    return Document(json.dumps({"queues": queues}))


def peers(wire: Wire, time: list[float]) -> PeerQueues:
    return PeerQueues(wire.clients().reader("us-east-1"), "control", lambda: time[0])


def forwarding(wire: Wire) -> SqsForwarding:
    clients = wire.clients()
    return SqsForwarding(clients.sqs, OWN, lambda bucket, owner: f"{bucket} {owner}")


def sent(wire: Wire) -> dict[str, Any]:
    [request] = wire.requests
    assert isinstance(request.body, bytes)
    return dict(json.loads(request.body))


# What is recorded


def test_the_queue_of_an_owner_is_read_once_for_all_owners() -> None:
    wire = Wire([recorded(west=ARN, north="another")])
    queues = peers(wire, [0.0])
    assert [queues.queue_of("east", owner) for owner in ("west", "north", "west")] == [ARN, "another", ARN]
    assert [request.url.partition("amazonaws.com")[2] for request in wire.requests] == [f"/{document_key('east')}"]


def test_a_record_is_read_again_when_it_is_old() -> None:
    wire, time = Wire([recorded(west="old"), recorded(west=ARN)]), [0.0]
    queues = peers(wire, time)
    before = queues.queue_of("east", "west")
    time[0] += KEEP_SECONDS
    assert (before, queues.queue_of("east", "west")) == ("old", ARN)


def test_an_owner_that_is_not_recorded_is_asked_for_again_by_one_request_each_time() -> None:
    wire = Wire([recorded(), recorded(north="another"), recorded(west=ARN)])
    queues, asked = peers(wire, [0.0]), []
    for _ in range(3):
        found = queues.queue_of("east", "west")
        asked.append((found, len(wire.requests)))
    assert asked == [(None, 1), (None, 2), (ARN, 3)]


def test_an_owner_that_others_asked_for_before_it_was_recorded_is_asked_for_again() -> None:
    queues = peers(Wire([recorded(north="another"), recorded(west=ARN)]), [0.0])
    assert (queues.queue_of("east", "north"), queues.queue_of("east", "west")) == ("another", ARN)


def test_no_record_means_no_queue() -> None:
    assert peers(Wire([error(404, "NoSuchKey")]), [0.0]).queue_of("east", "west") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"queues": 1}', "no JSON"])
def test_a_record_that_cannot_be_read_makes_changes_wait(text: str) -> None:
    with pytest.raises(Temporary) as raised:
        peers(Wire([Document(text)]), [0.0]).queue_of("east", "west")
    assert raised.value.reason is Reason.RULES_UNREADABLE
    assert "s3://control/peers/east.json" in raised.value.detail


# What is sent


def test_a_change_is_sent_to_a_queue_in_its_own_region() -> None:
    wire = Wire([Answer("{}")])
    forwarding(wire).send(ARN, CHANGE)
    [request] = wire.requests
    assert request.url == "https://sqs.us-west-2.amazonaws.com/"
    url = "https://sqs.us-west-2.amazonaws.com/123456789012/changes"
    assert sent(wire) == {"QueueUrl": url, "MessageBody": write(CHANGE)}


def test_without_a_queue_a_change_is_sent_to_the_own_one() -> None:
    wire = Wire([Answer("{}")])
    forwarding(wire).send("", CHANGE)
    assert sent(wire) == {"QueueUrl": OWN, "MessageBody": write(CHANGE)}


def test_who_may_not_send_fails_at_once() -> None:
    denied = Answer(json.dumps({"__type": "com.amazonaws.sqs#AccessDeniedException", "message": "no"}), 403)
    with pytest.raises(Permanent) as raised:
        forwarding(Wire([denied])).send(ARN, CHANGE)
    assert raised.value.reason is Reason.OWNER_DENIED


def test_other_trouble_with_a_queue_is_temporary() -> None:
    gone = Answer(json.dumps({"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no"}), 400)
    with pytest.raises(Temporary):
        forwarding(Wire([gone])).send(ARN, CHANGE)


def test_where_to_is_asked_of_what_was_recorded() -> None:
    assert forwarding(Wire([Answer()])).queue_of("east", "west") == "east west"
