"""Merging our notification into somebody else's: nothing of theirs changes, and ours is there exactly once."""

from typing import Any

import pytest
from s3replicator.bucket_notifications import (
    EVENTS,
    attach,
    detach,
    is_without_annotations,
    lost,
    still_delivered,
)

QUEUE = "arn:aws:sqs:us-east-1:111122223333:changes"
OTHER = "arn:aws:sqs:us-east-1:111122223333:somebody"
TOPIC = "arn:aws:sns:us-east-1:111122223333:topic"
FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:f"
OURS = {"Id": "s3replicator-prod", "QueueArn": QUEUE, "Events": list(EVENTS)}


BEFORE = ("s3:ObjectCreated:*", "s3:ObjectRemoved:DeleteMarkerCreated", "s3:ObjectRestore:Completed")
"""What the first release attached."""


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
    "QueueConfigurations": [queue("s3:IntelligentTiering", prefix="a/")],
    "TopicConfigurations": [topic("s3:Replication:*")],
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
    older = queue(*BEFORE, name="s3replicator-old", arn=QUEUE)
    assert attached({"QueueConfigurations": [older]}) == {"QueueConfigurations": [OURS]}


def test_what_an_older_release_did_not_attach_is_missing() -> None:
    older = {"QueueConfigurations": [queue(*BEFORE, name="s3replicator-prod", arn=QUEUE)]}
    assert attach(older, QUEUE, "prod", event_bridge=False).missing == (
        "s3:ObjectRemoved:Delete", "s3:ObjectTagging:*", "s3:ObjectAcl:Put", "s3:ObjectRetention:Put",
        "s3:ObjectAnnotation:*",
    )  # fmt: skip
    assert attach({"QueueConfigurations": [OURS]}, QUEUE, "prod", event_bridge=False).missing == ()


def test_what_already_comes_to_our_queue_is_not_attached_again() -> None:
    """A bucket that the stack itself created has its notification from the template."""
    template = [queue(event, name=event, arn=QUEUE) for event in EVENTS]
    assert attach({"QueueConfigurations": template}, QUEUE, "prod", event_bridge=False).wanted is None
    part = {"QueueConfigurations": [queue("s3:ObjectCreated:*", name="part", arn=QUEUE)]}
    assert attached(part)["QueueConfigurations"][1]["Events"] == list(EVENTS[1:])


def test_what_a_stack_of_an_older_release_does_not_send_is_attached_beside_it() -> None:
    """S3 would refuse a wildcard that overlaps with the template's own notification."""
    template = {"QueueConfigurations": [queue(event, name=event, arn=QUEUE) for event in BEFORE]}
    assert attached(template)["QueueConfigurations"][3]["Events"] == ["s3:ObjectRemoved:Delete", *EVENTS[3:]]


def test_without_annotation_events_the_notification_says_so_in_its_name() -> None:
    attachment = attach({}, QUEUE, "prod", event_bridge=False, annotations=False)
    assert attachment.wanted == {
        "QueueConfigurations": [OURS | {"Id": "s3replicator-prod.without-annotations", "Events": list(EVENTS[:-1])}]
    }
    assert is_without_annotations(attachment.wanted, QUEUE)
    assert not is_without_annotations({"QueueConfigurations": [OURS]}, QUEUE)
    assert detach(attachment.wanted, QUEUE) == {}


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
    ("theirs", "ours"),
    [
        ("s3:ObjectRemoved:Delete", {"s3:ObjectRemoved:*": ["s3:ObjectRemoved:DeleteMarkerCreated"]}),
        ("s3:ObjectTagging:*", {"s3:ObjectTagging:*": []}),
        ("s3:ObjectTagging:Put", {"s3:ObjectTagging:*": ["s3:ObjectTagging:Delete"]}),
        ("s3:ObjectRetention:Put", {"s3:ObjectRetention:Put": []}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_somebody_else_receives_of_later_changes_is_left_out_and_named(
    theirs: str, ours: dict[str, list[str]]
) -> None:
    attachment = attach({"QueueConfigurations": [queue(theirs)]}, QUEUE, "prod", event_bridge=False)
    assert attachment.conflicts == ()
    assert attachment.wanted is not None
    expected = [each for event in EVENTS for each in ours.get(event, [event])]
    assert attachment.wanted["QueueConfigurations"][1]["Events"] == expected
    [line] = attachment.left_out
    assert line == f"the notification theirs to the queue {OTHER} already receives {theirs}"


@pytest.mark.parametrize("event", ["s3:ObjectRestore:Post", "s3:LifecycleExpiration:*", "s3:Replication:*"])
def test_other_events_are_no_conflict(event: str) -> None:
    assert attach({"QueueConfigurations": [queue(event)]}, QUEUE, "prod", event_bridge=False).conflicts == ()


def test_with_eventbridge_on_both_sides_only_what_it_does_not_send_is_attached() -> None:
    taken = {"EventBridgeConfiguration": {}, "QueueConfigurations": [queue("s3:ObjectCreated:*", "s3:ObjectTagging:*")]}
    attachment = attach(taken, QUEUE, "prod", event_bridge=True)
    bridged = OURS | {"Events": ["s3:ObjectRetention:Put", "s3:ObjectAnnotation:*"]}
    assert attachment.wanted == taken | {"QueueConfigurations": [*taken["QueueConfigurations"], bridged]}
    assert (attachment.conflicts, attachment.left_out, attachment.through) == ((), (), "EventBridge")


def test_moving_to_eventbridge_takes_our_notification_of_all_other_events_away() -> None:
    """Otherwise every change would come twice."""
    wanted = attached({"EventBridgeConfiguration": {}, "QueueConfigurations": [OURS]}, event_bridge=True)
    assert [each["Events"] for each in wanted["QueueConfigurations"]] == [list(EVENTS[-2:])]


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
    other_way = queue("s3:IntelligentTiering", prefix="a/")
    other_way["Filter"]["Key"]["FilterRules"][0]["Name"] = "prefix"
    assert lost(THEIRS, THEIRS | {"QueueConfigurations": [other_way]}) == ()
