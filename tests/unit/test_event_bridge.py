"""Events on the wire: ten at a time, what is refused again, what is denied given up."""

import json
from typing import Any

import pytest
from replicator.aws.notices import EventBridge
from replicator.core.outcomes.notices import Notice, NoticeKind
from replicator.core.outcomes.outcome import Temporary

from tests.unit.wire import Answer, Wire

JSON = {"content-type": "application/x-amz-json-1.1"}


def taken(*codes: str) -> Answer:
    """Answer for so many entries; an empty code is one that was taken."""
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
    wire = Wire([taken("")])
    publish(wire, 1)
    [[entry]] = sent(wire)
    assert (entry["Source"], entry["DetailType"]) == ("s3-replicator", "OperationFailedReplication")
    assert json.loads(entry["Detail"])["s3"]["object"]["key"] == "0"
    assert entry.get("EventBusName") is None


def test_ten_go_with_each_request() -> None:
    wire = Wire([taken(*[""] * 10), taken(*[""] * 10), taken(*[""] * 3)])
    publish(wire, 23)
    assert [len(entries) for entries in sent(wire)] == [10, 10, 3]


def test_what_is_refused_inside_an_answer_is_sent_again_and_nothing_else() -> None:
    wire = Wire([taken("", "ThrottlingException", ""), taken("")])
    publish(wire, 3)
    again = sent(wire)[1]
    assert [json.loads(entry["Detail"])["object"]["key"] for entry in again] == ["1"]


def test_what_is_refused_again_and_again_is_temporary_trouble() -> None:
    with pytest.raises(Temporary):
        publish(Wire([taken("InternalFailure")]), 1)


def test_trouble_of_the_whole_request_is_temporary() -> None:
    with pytest.raises(Temporary):
        publish(Wire([refusal(400, "ValidationException")]), 1)


def test_replication_does_not_wait_for_a_permission_that_only_events_need(caplog: pytest.LogCaptureFixture) -> None:
    publish(Wire([refusal(400, "AccessDeniedException")]), 1)
    assert "events are not sent" in caplog.text


def test_no_client_is_made_before_there_is_an_event() -> None:
    def never() -> Any:
        raise AssertionError

    EventBridge(never, "us-east-1", lambda: 0).publish([])
