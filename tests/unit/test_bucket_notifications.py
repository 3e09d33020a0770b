"""Merging our notification into somebody else's: nothing of theirs changes, and ours is there exactly once."""

from typing import Any

import pytest
from s3replicator.rules.bucket_notifications import EVENTS, attach, detach, lost, still_delivered

QUEUE = "arn:aws:sqs:us-east-1:111122223333:changes"
OTHER = "arn:aws:sqs:us-east-1:111122223333:somebody"
TOPIC = "arn:aws:sns:us-east-1:111122223333:topic"
FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:f"
OURS = {"Id": "s3replicator-prod", "QueueArn": QUEUE, "Events": list(EVENTS)}


def queue(*events: str, name: str = "theirs", arn: str = OTHER, prefix: str = "") -> dict[str, Any]:
    entry: dict[str, Any] = {"Id": name, "QueueArn": arn, "Events": list(events)}
    if prefix:
        entry["Filter"] = {"Key": {"FilterRules": [{"Name": "Prefix", "Value": prefix}]}}
    return entry


def topic(*events: str) -> dict[str, Any]:
    return {"Id": "t", "TopicArn": TOPIC, "Events": list(events)}


def function(*events: str) -> dict[str, Any]:
    return {"Id": "f", "LambdaFunctionArn": FUNCTION, "Events": list(events)}


THEIRS: dict[str, Any] = {
    "QueueConfigurations": [queue("s3:ObjectRemoved:Delete", prefix="a/")],
    "TopicConfigurations": [topic("s3:ObjectTagging:*")],
    "LambdaFunctionConfigurations": [function("s3:LifecycleExpiration:*", "s3:ObjectRestore:Post")],
    "EventBridgeConfiguration": {},
}


def attached(configuration: dict[str, Any], *, event_bridge: bool = False) -> dict[str, Any]:
    wanted = attach(configuration, QUEUE, "prod", event_bridge=event_bridge).wanted
    assert wanted is not None
    return dict(wanted)


def test_attaching_to_a_bucket_without_notifications() -> None:
    assert attached({}) == {"QueueConfigurations": [OURS]}


def test_attaching_keeps_everything_that_is_there() -> None:
    assert attached(THEIRS) == THEIRS | {"QueueConfigurations": [*THEIRS["QueueConfigurations"], OURS]}


def test_attaching_twice_changes_nothing() -> None:
    assert attach(attached(THEIRS), QUEUE, "prod", event_bridge=False).wanted is None


def test_attaching_replaces_what_an_older_release_attached() -> None:
    older = queue("s3:ObjectCreated:Put", name="s3replicator-old", arn=QUEUE)
    assert attached({"QueueConfigurations": [older]}) == {"QueueConfigurations": [OURS]}


def test_what_already_comes_to_our_queue_is_not_attached_again() -> None:
    """A bucket that the stack itself created has its notification from the template."""
    template = [queue(event, name=event, arn=QUEUE) for event in (*EVENTS, "s3:ObjectTagging:*")]
    assert attach({"QueueConfigurations": template}, QUEUE, "prod", event_bridge=False).wanted is None
    part = {"QueueConfigurations": [queue("s3:ObjectCreated:*", name="part", arn=QUEUE)]}
    assert attached(part)["QueueConfigurations"][1]["Events"] == list(EVENTS[1:])


@pytest.mark.parametrize(
    ("configuration", "told"),
    [
        ({"QueueConfigurations": [queue("s3:ObjectCreated:Put")]}, ["queue", OTHER, "s3:ObjectCreated:Put"]),
        ({"QueueConfigurations": [queue("s3:ObjectCreated:*", prefix="a/")]}, ["theirs", "s3:ObjectCreated:*"]),
        ({"TopicConfigurations": [topic("s3:ObjectRemoved:*")]}, ["topic", TOPIC, "s3:ObjectRemoved:*"]),
        ({"LambdaFunctionConfigurations": [function("s3:ObjectRestore:Completed")]}, ["function", FUNCTION]),
        ({"QueueConfigurations": [queue("s3:ObjectCreated:*", arn=QUEUE, prefix="a/")]}, [QUEUE]),
        ({"QueueConfigurations": [queue("s3:ObjectCreated:*", name="s3replicator-other")]}, ["s3replicator-other"]),
    ],
    ids=[
        "a queue for a part of our events",
        "a queue for some keys",
        "a topic",
        "a function",
        "our queue for some keys",
        "another stack",
    ],
)
def test_somebody_elses_notification_for_the_same_events_is_a_conflict_that_names_it(
    configuration: dict[str, Any], told: list[str]
) -> None:
    attachment = attach(configuration, QUEUE, "prod", event_bridge=False)
    assert attachment.wanted is None
    (conflict,) = attachment.conflicts
    assert all(part in conflict for part in told)


@pytest.mark.parametrize(
    "event", ["s3:ObjectRemoved:Delete", "s3:ObjectRestore:Post", "s3:ObjectTagging:*", "s3:LifecycleExpiration:*"]
)
def test_other_events_are_no_conflict(event: str) -> None:
    assert attach({"QueueConfigurations": [queue(event)]}, QUEUE, "prod", event_bridge=False).conflicts == ()


def test_with_eventbridge_on_both_sides_no_notification_is_attached() -> None:
    taken = {"EventBridgeConfiguration": {}, "QueueConfigurations": [queue("s3:ObjectCreated:*")]}
    attachment = attach(taken, QUEUE, "prod", event_bridge=True)
    assert (attachment.wanted, attachment.conflicts, attachment.through) == (None, (), "EventBridge")


def test_moving_to_eventbridge_takes_our_notification_away() -> None:
    """Otherwise every change would come twice."""
    assert attached({"EventBridgeConfiguration": {}, "QueueConfigurations": [OURS]}, event_bridge=True) == {
        "EventBridgeConfiguration": {}
    }


@pytest.mark.parametrize("configuration", [{}, {"EventBridgeConfiguration": {}}], ids=["bucket off", "stack off"])
def test_eventbridge_on_one_side_only_does_not_count(configuration: dict[str, Any]) -> None:
    attachment = attach(configuration, QUEUE, "prod", event_bridge=not configuration)
    assert attachment.through == "queue"
    assert attachment.wanted is not None


def test_detaching_takes_only_what_was_attached() -> None:
    assert detach(attached(THEIRS), QUEUE) == THEIRS
    assert detach(attached({}), QUEUE) == {}


def test_detaching_where_nothing_was_attached_changes_nothing() -> None:
    theirs = {"QueueConfigurations": [queue("s3:ObjectCreated:*", arn=QUEUE), queue("s3:ObjectTagging:*", name="b")]}
    assert detach(theirs, QUEUE) is None
    assert detach({}, QUEUE) is None


def test_detaching_leaves_another_stacks_notification() -> None:
    assert detach({"QueueConfigurations": [queue("s3:ObjectCreated:*", name="s3replicator-other")]}, QUEUE) is None


def test_what_still_sends_events_to_the_queue_is_told() -> None:
    assert still_delivered({"QueueConfigurations": [queue("s3:ObjectCreated:*", arn=QUEUE)]}, QUEUE)
    assert not still_delivered(attached(THEIRS), QUEUE)


def test_reading_back_finds_what_somebody_elses_write_has_replaced() -> None:
    wanted = attached(THEIRS)
    found = {**wanted, "TopicConfigurations": [], "QueueConfigurations": [OURS]}
    assert len(lost(wanted, found)) == 2
    assert any(TOPIC in each for each in lost(wanted, found))


def test_reading_back_ignores_how_s3_writes_the_same_thing() -> None:
    other_way = queue("s3:ObjectRemoved:Delete", prefix="a/")
    other_way["Filter"]["Key"]["FilterRules"][0]["Name"] = "prefix"
    assert lost(THEIRS, THEIRS | {"QueueConfigurations": [other_way]}) == ()
