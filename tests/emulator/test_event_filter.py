"""The filter of the change queue's mapping: an echo invokes no function, and nothing else is dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from replicator.aws.queue import REASON
from replicator.core.outcomes.outcome import Reason

from emulator.running import Running, running
from emulator.services.event_filters import passes
from tests.emulator.failures import take_failures
from tests.emulator.worlds import bucket, rule

WORLD: dict[str, Any] = {
    "buckets": [bucket("east"), bucket("west")],
    "stacks": [
        {"name": "rep-east", "region": "us-east-1", "rules": {"east": {"Rules": [rule("east", "west")]}}},
        {"name": "rep-west", "region": "us-west-2", "rules": {"west": {"Rules": [rule("west", "east")]}}},
    ],
}


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    with running(WORLD) as up:
        yield up


def record(principal: str | None, key: str = "key") -> dict[str, Any]:
    """Return a record as S3 sends it, of a key that is not there; None: it does not say who wrote it."""
    s3 = {"bucket": {"name": "east"}, "object": {"key": key, "versionId": "none", "sequencer": "1" * 18, "size": 1}}
    who = {} if principal is None else {"userIdentity": {"principalId": principal}}
    fields = {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": s3}
    return {**fields, "eventTime": "2026-01-01T00:00:00.000Z", **who}


def records(*principals: str | None) -> str:
    return json.dumps({"Records": [record(each, f"key-{number}") for number, each in enumerate(principals)]})


USER = "AWS:AIDAUSER"
OTHER_FUNCTION = "AWS:AROAOTHERROLE:rep-east-replicate"
EVENT = {"source": "aws.s3", "detail-type": "Object Created", "time": "2026-01-01T00:00:00Z", "version": "0"}
DETAIL = {"bucket": {"name": "east"}, "object": {"key": "key", "version-id": "none"}, "requester": "123456789012"}


def kinds(own: str, peer: str) -> dict[str, tuple[str, bool]]:
    """Return a message of each kind, and whether it is delivered."""
    echo = records(own)
    return {
        "an echo of the stack itself": (echo, False),
        "an echo of a peer": (records(peer), False),
        "two echoes": (records(own, peer), False),
        "a user's": (records(USER), True),
        "a function's that is no replicator": (records(OTHER_FUNCTION), True),
        "an echo and a user's": (records(own, USER), True),
        "a user's and an echo": (records(USER, peer), True),
        "nobody's": (records(None), True),
        "an echo and nobody's": (records(own, None), True),
        "nobody's and an echo": (records(None, own), True),
        "an event of EventBridge": (json.dumps({**EVENT, "detail": DETAIL}), True),
        "a user's in a message of SNS": (json.dumps({"Type": "Notification", "Message": records(USER)}), True),
        "an echo in a message of SNS": (json.dumps({"Type": "Notification", "Message": echo}), True),
        "a test event": (json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "east"}), True),
        "no record": ('{"Records": []}', True),
        "records that are none": ('{"Records": [1, null]}', True),
        "a principal that is null": (json.dumps({"Records": [{"userIdentity": {"principalId": None}}]}), True),
        "an identity that is a text": (json.dumps({"Records": [{"userIdentity": own}]}), True),
        "JSON that is no object": ("[]", True),
        "a number": ("1", True),
        "no JSON": ("{", True),
        "a text": ("hello", True),
    }


def writers(aws: Running, stack: str) -> list[str]:
    return [f"AWS:{each}" for each in aws.outputs(stack)["ReplicatorPrincipals"].split(",")]


def of_mapping(aws: Running, stack: str) -> dict[str, Any]:
    """Return the criteria of the mapping of the stack's change queue, as Lambda returns them."""
    functions, queue = aws.client("lambda", "us-east-1"), aws.outputs(stack)["ChangeQueueArn"]
    [mapping] = functions.list_event_source_mappings(EventSourceArn=queue)["EventSourceMappings"]
    criteria: dict[str, Any] = mapping["FilterCriteria"]
    return criteria


def test_only_echoes_are_dropped(aws: Running) -> None:
    criteria = of_mapping(aws, "rep-east")
    wrong = {
        (own, peer, name): body
        for own in writers(aws, "rep-east")
        for peer in writers(aws, "rep-west")
        for name, (body, delivered) in kinds(own, peer).items()
        if passes(criteria, {"body": body}) is not delivered
    }
    assert wrong == {}


def test_an_echo_invokes_nothing_and_everything_else_does(aws: Running) -> None:
    """A message by itself is a batch; what becomes of it is another matter."""
    own, peer = writers(aws, "rep-east")[0], writers(aws, "rep-west")[0]
    sqs, counts = aws.client("sqs", "us-east-1"), aws.host.functions.invocations
    invoked = {}
    for name, (body, _) in kinds(own, peer).items():
        before = counts["rep-east-replicate"]
        sqs.send_message(QueueUrl=aws.outputs("rep-east")["ChangeQueue"], MessageBody=body)
        assert aws.idle()
        invoked[name] = counts["rep-east-replicate"] > before
    assert invoked == {name: delivered for name, (_, delivered) in kinds(own, peer).items()}
    failed = take_failures(aws, "rep-east")
    assert {each.body for each in failed if each.attributes[REASON] == Reason.MALFORMED} >= {"{", "hello", "1", "[]"}


def test_a_write_of_a_user_invokes_one_function_and_its_echo_none(aws: Running) -> None:
    counts = aws.host.functions.invocations
    before = dict(counts)
    for name, region in (("east", "us-east-1"), ("west", "us-west-2")):
        aws.client("s3", region).put_object(Bucket=name, Key=f"written-in-{name}", Body=b"x")
        assert aws.idle()
    assert {key for key in ("written-in-east", "written-in-west") if not is_in_both(aws, key)} == set()
    assert {name: counts[name] - before.get(name, 0) for name in ("rep-east-replicate", "rep-west-replicate")} == {
        "rep-east-replicate": 1,
        "rep-west-replicate": 1,
    }


def is_in_both(aws: Running, key: str) -> bool:
    s3 = aws.client("s3", "us-east-1")
    return all(
        any(each["Key"] == key for each in s3.list_objects_v2(Bucket=name).get("Contents", []))
        for name in ("east", "west")
    )
