"""Requests to EventBridge: ten events each, what is refused is sent again, what is denied is given up."""

import json
from typing import Any

import pytest
from replicator.aws.notices import EventBridge
from replicator.core.outcomes.notices import Notice, NoticeKind
from replicator.core.outcomes.outcome import Temporary

from tests.unit.wire import Answer, Wire

JSON = {"content-type": "application/x-amz-json-1.1"}


def accepted(*codes: str) -> Answer:
    """Return an answer with the error code of each entry; an empty code: it was accepted."""
    entries = [{"ErrorCode": code} if code else {"EventId": "1"} for code in codes]
    return Answer(json.dumps({"FailedEntryCount": sum(map(bool, codes)), "Entries": entries}), headers=JSON)


def refusal(status: int, code: str) -> Answer:
    return Answer(json.dumps({"__type": code, "message": "words"}), status, JSON)


def notices(count: int) -> list[Notice]:
    return [Notice(NoticeKind.FAILED, "east", str(n), "v1", "west", "all", 0, 900_000) for n in range(count)]


def publish(wire: Wire, count: int) -> None:
    clients = wire.clients()
    EventBridge(clients.events, "us-east-1", lambda: 1_700_000_000_000).publish(notices(count))


def sent(wire: Wire) -> list[list[dict[str, Any]]]:
    return [json.loads(str(request.body, "utf-8"))["Entries"] for request in wire.requests]  # type: ignore[arg-type]


def test_an_event_names_its_source_its_kind_and_its_object() -> None:
    wire = Wire([accepted("")])
    publish(wire, 1)
    [[entry]] = sent(wire)
    assert (entry["Source"], entry["DetailType"]) == ("s3-replicator", "OperationFailedReplication")
    assert json.loads(entry["Detail"])["s3"]["object"]["key"] == "0"
    assert entry.get("EventBusName") is None


def test_a_request_has_ten_events() -> None:
    wire = Wire([accepted(*[""] * 10), accepted(*[""] * 10), accepted(*[""] * 3)])
    publish(wire, 23)
    assert [len(entries) for entries in sent(wire)] == [10, 10, 3]


def test_an_event_that_is_refused_is_sent_again_without_the_others() -> None:
    wire = Wire([accepted("", "ThrottlingException", ""), accepted("")])
    publish(wire, 3)
    again = sent(wire)[1]
    assert [json.loads(entry["Detail"])["object"]["key"] for entry in again] == ["1"]


def test_an_event_that_is_refused_again_and_again_is_temporary_trouble() -> None:
    with pytest.raises(Temporary):
        publish(Wire([accepted("InternalFailure")]), 1)


def test_a_request_that_fails_as_a_whole_is_temporary_trouble() -> None:
    with pytest.raises(Temporary):
        publish(Wire([refusal(400, "ValidationException")]), 1)


def test_replication_does_not_wait_for_events_that_may_not_be_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    publish(Wire([refusal(400, "AccessDeniedException")]), 1)
    assert "events are not sent" in caplog.text


def test_the_client_is_created_with_the_first_event() -> None:
    def never() -> Any:
        raise AssertionError

    EventBridge(never, "us-east-1", lambda: 0).publish([])
