"""CloudTrail's events become changes: of a legal hold S3 sends none of its own."""

import json
from typing import Any

import pytest
from replicator.core.versions.change import UNNAMED, Aspect, Change, ChangeKind
from replicator.core.versions.events import Record, Unreadable, parse, write


def call(name: str = "PutObjectLegalHold", *, key: str = "a", version: str = "", **detail: Any) -> dict[str, Any]:
    """Return the event of a call, as EventBridge delivers it."""
    asked = {"bucketName": "east", "Host": "east.s3.amazonaws.com", "key": key, "legal-hold": ""}
    return {
        "version": "0",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.s3",
        "account": "123456789012",
        "time": "2023-11-14T22:13:20Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": {"type": "AssumedRole", "principalId": "AROA1:stack-replicate"},
            "eventTime": "2023-11-14T22:13:19Z",
            "eventSource": "s3.amazonaws.com",
            "eventName": name,
            "requestParameters": {**asked, **({"versionId": version} if version else {})},
            "responseElements": None,
            **detail,
        },
    }


def only(event: dict[str, Any]) -> Change:
    [found] = parse(json.dumps(event))
    assert isinstance(found, Record), found
    return found.change


def test_a_legal_hold_is_a_change_of_the_lock_of_the_version_that_was_named() -> None:
    change = only(call(version="v1"))
    assert change == Change(
        kind=ChangeKind.LEGAL_HOLD,
        bucket="east",
        key="a",
        version_id="v1",
        time=1_700_000_000_000,
        principal="AWS:AROA1:stack-replicate",
        name="PutObjectLegalHold (AWS API Call via CloudTrail)",
    )
    assert change.aspect is Aspect.LOCK
    assert change.is_replicated


def test_a_request_without_a_version_id_leaves_open_which_version_it_was() -> None:
    assert only(call()).version_id == UNNAMED
    assert only(call(version="null")).version_id == "null"


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidRequest"])
def test_a_call_that_failed_changed_nothing(code: str) -> None:
    assert parse(json.dumps(call(errorCode=code, errorMessage="no"))) == []


def test_another_call_is_not_replicated() -> None:
    assert only(call("PutObject")).kind is ChangeKind.UNKNOWN


def test_a_caller_that_is_not_named_is_nobody() -> None:
    assert only(call(userIdentity={"type": "AWSAccount", "principalId": ""})).principal == ""


def test_a_key_may_be_encoded_or_not() -> None:
    change = only(call(key="a+b%20c"))
    assert (change.key, change.other_key) == ("a+b%20c", "a b c")


@pytest.mark.parametrize("missing", ["requestParameters", "eventName"])
def test_an_event_that_lacks_something_is_a_failure_that_names_it(missing: str) -> None:
    event = call()
    del event["detail"][missing]
    [found] = parse(json.dumps(event))
    assert isinstance(found, Unreadable)
    assert missing in found.why


def test_the_change_can_be_written_and_read_again() -> None:
    change = only(call(version="v1"))
    again = only(json.loads(write(change)))
    assert (again.kind, again.version_id, again.principal) == (change.kind, "v1", change.principal)
