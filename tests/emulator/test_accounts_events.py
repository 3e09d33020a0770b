"""Events between accounts: queues in another account, and buses that rules of another account send events to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.accounts import OTHERS, OURS, THEIRS, allow, function, policy, role, using
from tests.emulator.plain import refused

WORLD: dict[str, Any] = {
    "accounts": [OTHERS],
    "buckets": [
        {"name": "ours", "region": "us-east-1"},
        {"name": "theirs", "region": "us-east-1", "account": THEIRS},
    ],
}
Client = Callable[..., Any]
PUT_EVENTS = "events:PutEvents"
_numbers = count(1)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as up:
        yield up


@pytest.fixture
def client(emulator: Running) -> Client:
    return emulator.client


class Inbox:
    """A queue of an account."""

    def __init__(self, emulator: Running, account: str) -> None:
        self._emulator, self._sqs = emulator, emulator.client("sqs", account=account)
        name = f"inbox-{next(_numbers)}"
        self.url, self.arn = (
            self._sqs.create_queue(QueueName=name)["QueueUrl"],
            f"arn:aws:sqs:us-east-1:{account}:{name}",
        )

    def admit(self, principal: dict[str, str], **condition: Any) -> Inbox:
        statement = allow("sqs:SendMessage", self.arn, Principal=principal)
        document = policy(statement | ({"Condition": condition} if condition else {}))
        self._sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": document})
        return self

    def take(self) -> list[dict[str, Any]]:
        """Wait until everything has arrived, and take it."""
        assert self._emulator.idle()
        bodies = []
        while got := self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in got:
                bodies.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


# S3's notifications to a queue of another account


def notify(s3: Any, bucket: str, queue: Inbox) -> None:
    entry = {"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [entry]})


@pytest.mark.parametrize(
    ("condition", "works"),
    [
        ({"StringEquals": {"aws:SourceAccount": THEIRS}}, True),
        ({"StringEquals": {"aws:SourceAccount": OURS}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::theirs"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::ours"}}, False),
    ],
)
def test_a_queue_of_another_account_receives_what_its_policy_allows(
    emulator: Running, client: Client, condition: dict[str, Any], works: bool
) -> None:
    queue = Inbox(emulator, OURS).admit({"Service": "s3.amazonaws.com"}, **condition)
    s3 = client("s3", account=THEIRS)
    if not works:
        with refused("InvalidArgument", 400) as error:
            notify(s3, "theirs", queue)
        assert error["Message"] == "Unable to validate the following destination configurations"
        return
    notify(s3, "theirs", queue)
    s3.put_object(Bucket="theirs", Key="key", Body=b"1")
    test_event, message = queue.take()
    assert test_event["Event"] == "s3:TestEvent"
    assert [record["s3"]["bucket"]["name"] for record in message["Records"]] == ["theirs"]
    queue.admit({"Service": "s3.amazonaws.com"}, StringEquals={"aws:SourceAccount": OTHERS})
    s3.put_object(Bucket="theirs", Key="key", Body=b"1")
    assert queue.take() == []
    s3.put_bucket_notification_configuration(Bucket="theirs", NotificationConfiguration={})


# EventBridge


def bus_policy(client: Client, account: str, statement: dict[str, Any] | None) -> str:
    """Set the policy of an account's default bus; return the bus's ARN."""
    events, arn = client("events", account=account), f"arn:aws:events:us-east-1:{account}:event-bus/default"
    if events.describe_event_bus().get("Policy"):
        events.remove_permission(RemoveAllPermissions=True)
    if statement:
        document = {"Version": "2012-10-17", "Statement": [{"Sid": "one", "Resource": arn, **statement}]}
        events.put_permission(Policy=json.dumps(document))
    return arn


def put_rule(client: Client, account: str, target: str, role_arn: str = "") -> str:
    """Send S3's events of an account on to a target; return the rule's name."""
    events, name = client("events", account=account), f"rule-{next(_numbers)}"
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.s3"]}))
    to = {"Id": "1", "Arn": target} | ({"RoleArn": role_arn} if role_arn else {})
    events.put_targets(Rule=name, Targets=[to])
    return name


def remove_rule(emulator: Running, account: str, name: str) -> None:
    """Remove a rule once every event has passed it."""
    assert emulator.idle()
    events = emulator.client("events", account=account)
    events.remove_targets(Rule=name, Ids=["1"])
    events.delete_rule(Name=name)


@pytest.fixture
def received(emulator: Running, client: Client) -> Iterator[Inbox]:
    """Return the queue that our default bus sends S3's events to; buckets send theirs to EventBridge."""
    for bucket, account in (("ours", OURS), ("theirs", THEIRS)):
        client("s3", account=account).put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    inbox = Inbox(emulator, OURS).admit({"Service": "events.amazonaws.com"})
    name = put_rule(client, OURS, inbox.arn)
    yield inbox
    remove_rule(emulator, OURS, name)


def test_events_go_to_the_bus_of_the_buckets_owner(client: Client, received: Inbox) -> None:
    client("s3", account=THEIRS).put_object(Bucket="theirs", Key="key", Body=b"1")
    assert received.take() == []
    client("s3").put_object(Bucket="ours", Key="key", Body=b"1")
    assert [event["account"] for event in received.take()] == [OURS]


ALLOWED = {"Effect": "Allow", "Principal": {"AWS": THEIRS}, "Action": PUT_EVENTS}


@pytest.mark.parametrize(
    ("statement", "works"),
    [
        (ALLOWED, True),
        (None, False),
        (ALLOWED | {"Principal": {"AWS": OTHERS}}, False),
        (ALLOWED | {"Action": "events:PutRule"}, False),
        (ALLOWED | {"Condition": {"StringEquals": {"events:source": "aws.s3"}}}, True),
        (ALLOWED | {"Condition": {"StringEquals": {"events:source": "aws.ec2"}}}, False),
        (ALLOWED | {"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:events:*:{OTHERS}:rule/*"}}}, False),
    ],
)
def test_a_bus_of_another_account_takes_what_its_policy_allows(
    emulator: Running, client: Client, received: Inbox, statement: dict[str, Any] | None, works: bool
) -> None:
    name = put_rule(client, THEIRS, bus_policy(client, OURS, statement))
    client("s3", account=THEIRS).put_object(Bucket="theirs", Key="forwarded", Body=b"1")
    remove_rule(emulator, THEIRS, name)
    arrived = received.take()
    assert [event["detail"]["object"]["key"] for event in arrived] == ["forwarded"] * works
    for event in arrived:
        assert (event["account"], event["region"]) == (THEIRS, "us-east-1")
        assert event["resources"] == ["arn:aws:s3:::theirs"]


@pytest.mark.parametrize(
    ("settings", "works"),
    [
        (("events.amazonaws.com", PUT_EVENTS), True),
        (("lambda.amazonaws.com", PUT_EVENTS), False),
        (("events.amazonaws.com", "events:PutRule"), False),
    ],
)
def test_the_role_of_a_target_must_be_assumable_and_allow_it(
    emulator: Running, client: Client, received: Inbox, settings: tuple[str, str], works: bool
) -> None:
    trusted, allowed = settings
    service = {"Effect": "Allow", "Principal": {"Service": trusted}, "Action": "sts:AssumeRole"}
    arn = role(emulator, THEIRS, service, allow(allowed))
    name = put_rule(client, THEIRS, bus_policy(client, OURS, ALLOWED | {"Principal": {"AWS": arn}}), arn)
    client("s3", account=THEIRS).put_object(Bucket="theirs", Key="by-role", Body=b"1")
    remove_rule(emulator, THEIRS, name)
    assert len(received.take()) == works


def test_what_came_from_another_account_is_not_sent_to_a_third(emulator: Running, client: Client) -> None:
    inbox = Inbox(emulator, OTHERS).admit({"Service": "events.amazonaws.com"})
    rules = [
        (OTHERS, put_rule(client, OTHERS, inbox.arn)),
        (OURS, put_rule(client, OURS, bus_policy(client, OTHERS, ALLOWED | {"Principal": {"AWS": OURS}}))),
        (THEIRS, put_rule(client, THEIRS, bus_policy(client, OURS, ALLOWED))),
    ]
    for bucket, account in (("ours", OURS), ("theirs", THEIRS)):
        s3 = client("s3", account=account)
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        s3.put_object(Bucket=bucket, Key="key", Body=b"1")
    arrived = inbox.take()
    for account, name in rules:
        remove_rule(emulator, account, name)
    assert [event["account"] for event in arrived] == [OURS]


@pytest.mark.parametrize("with_role", [True, False])
def test_a_queue_of_another_account_is_a_target_by_a_role_only(
    emulator: Running, client: Client, with_role: bool
) -> None:
    service = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = role(emulator, OURS, service, allow("sqs:SendMessage"))
    inbox = Inbox(emulator, THEIRS).admit({"AWS": OURS})
    name = put_rule(client, OURS, inbox.arn, arn if with_role else "")
    s3 = client("s3")
    s3.put_bucket_notification_configuration(Bucket="ours", NotificationConfiguration={"EventBridgeConfiguration": {}})
    s3.put_object(Bucket="ours", Key="key", Body=b"1")
    arrived = inbox.take()
    remove_rule(emulator, OURS, name)
    assert [event["detail-type"] for event in arrived] == ["Object Created"] * with_role


@pytest.mark.parametrize("admitted", [True, False])
def test_a_stranger_puts_events_on_a_bus_whose_policy_admits_it(
    emulator: Running, client: Client, admitted: bool
) -> None:
    bus = bus_policy(client, OURS, ALLOWED if admitted else None)
    inbox = Inbox(emulator, OURS).admit({"Service": "events.amazonaws.com"})
    events = client("events")
    events.put_rule(Name="own", EventPattern=json.dumps({"account": [THEIRS], "source": ["own"]}))
    events.put_targets(Rule="own", Targets=[{"Id": "1", "Arn": inbox.arn}])
    entry = {"Source": "own", "DetailType": "d", "Detail": '{"a": 1}', "EventBusName": bus}
    stranger = using(emulator, function(emulator, role(emulator, THEIRS, None, allow(PUT_EVENTS))), "events")
    if admitted:
        assert stranger.put_events(Entries=[entry])["FailedEntryCount"] == 0
    else:
        with refused("AccessDeniedException", 400):
            stranger.put_events(Entries=[entry])
    assert [event["detail"] for event in inbox.take()] == [{"a": 1}] * admitted
    remove_rule(emulator, OURS, "own")


def test_a_stack_adds_one_statement_to_the_policy_of_a_bus(client: Client) -> None:
    bus_policy(client, THEIRS, ALLOWED | {"Principal": {"AWS": OTHERS}})
    bus = f"arn:aws:events:us-east-1:{THEIRS}:event-bus/default"
    statement = {"Effect": "Allow", "Principal": {"AWS": OURS}, "Action": PUT_EVENTS, "Resource": bus}
    properties = {"StatementId": "two", "Statement": statement}
    template = {"Resources": {"Two": {"Type": "AWS::Events::EventBusPolicy", "Properties": properties}}}
    cloudformation, events = client("cloudformation", account=THEIRS), client("events", account=THEIRS)

    def admitted() -> dict[str, str]:
        statements = json.loads(events.describe_event_bus()["Policy"])["Statement"]
        return {each["Sid"]: each["Principal"]["AWS"] for each in statements}

    cloudformation.create_stack(StackName="bus", TemplateBody=json.dumps(template))
    assert admitted() == {"one": OTHERS, "two": OURS}
    statement["Principal"] = {"AWS": "444444444444"}
    cloudformation.update_stack(StackName="bus", TemplateBody=json.dumps(template))
    assert admitted() == {"one": OTHERS, "two": "444444444444"}
    cloudformation.delete_stack(StackName="bus")
    assert admitted() == {"one": OTHERS}
