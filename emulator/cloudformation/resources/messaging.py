"""CloudFormation resources of SQS, EventBridge and SNS: queues, queue and topic policies, rules and schedules."""

from __future__ import annotations

import json
from typing import Any

from emulator.clients import suppressed
from emulator.cloudformation.resources.base import Properties, Resource

_NO_SUCH_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
_QUEUE_ATTRIBUTES = (
    "ContentBasedDeduplication",
    "DelaySeconds",
    "FifoQueue",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)


class Queue(Resource):
    """AWS::SQS::Queue."""

    kind = "AWS::SQS::Queue"
    name_property = "QueueName"
    longest_name = 80

    def create(self) -> None:
        sqs = self.client("sqs")
        attributes = _queue_attributes(self.properties)
        url = sqs.create_queue(QueueName=self.name, Attributes=attributes, tags=self.tags)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.physical_resource_id = url
        self.attributes = {"Arn": arn, "QueueName": self.name, "QueueUrl": url}

    def update(self, before: Properties) -> None:
        changed = _queue_attributes(self.properties)
        removed = {"RedrivePolicy": ""} if "RedrivePolicy" in before and "RedrivePolicy" not in changed else {}
        sqs, url = self.client("sqs"), self.physical_resource_id
        sqs.set_queue_attributes(QueueUrl=url, Attributes=changed | removed)
        if gone := [tag["Key"] for tag in before.get("Tags", []) if tag["Key"] not in self.tags]:
            sqs.untag_queue(QueueUrl=url, TagKeys=gone)
        if self.tags:
            sqs.tag_queue(QueueUrl=url, Tags=self.tags)

    def destroy(self) -> None:
        self.client("sqs").delete_queue(QueueUrl=self.physical_resource_id)


def _queue_attributes(properties: Properties) -> dict[str, str]:
    return {name: _text(properties[name]) for name in _QUEUE_ATTRIBUTES if name in properties}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class QueuePolicy(Resource):
    """AWS::SQS::QueuePolicy."""

    kind = "AWS::SQS::QueuePolicy"

    def create(self) -> None:
        self._put(json.dumps(self.properties["PolicyDocument"]))

    def update(self, before: Properties) -> None:
        for url in set(before["Queues"]) - set(self.properties["Queues"]):
            self.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
        self.create()

    def destroy(self) -> None:
        self._put("")

    def _put(self, policy: str) -> None:
        sqs = self.client("sqs")
        for url in self.properties["Queues"]:
            with suppressed(*(() if policy else _NO_SUCH_QUEUE)):
                sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


class Schedule(Resource):
    """AWS::Scheduler::Schedule."""

    kind = "AWS::Scheduler::Schedule"
    name_property = "Name"
    longest_name = 64

    def create(self) -> None:
        answer = self.call("scheduler", "create_schedule", Name=self.name)
        self.attributes = {"Arn": answer["ScheduleArn"]}

    def update(self, before: Properties) -> None:
        self.call("scheduler", "update_schedule", Name=self.name)

    def destroy(self) -> None:
        group = {name: self.properties[name] for name in ("GroupName",) if name in self.properties}
        self.client("scheduler").delete_schedule(Name=self.name, **group)


class Rule(Resource):
    """AWS::Events::Rule."""

    kind = "AWS::Events::Rule"
    name_property = "Name"
    longest_name = 64

    def create(self) -> None:
        pattern = self.properties.get("EventPattern")
        extra = {"EventPattern": _text(pattern)} if pattern else {}
        self.attributes = {"Arn": self.call("events", "put_rule", Name=self.name, **extra)["RuleArn"]}
        if self.properties.get("Targets"):
            self.call("events", "put_targets", Rule=self.name)

    def update(self, before: Properties) -> None:
        gone = [target["Id"] for target in before.get("Targets", [])]
        if gone:
            self.client("events").remove_targets(Rule=self.name, Ids=gone, **self._bus)
        self.create()

    def destroy(self) -> None:
        events = self.client("events")
        if ids := [target["Id"] for target in self.properties.get("Targets", [])]:
            events.remove_targets(Rule=self.name, Ids=ids, **self._bus)
        events.delete_rule(Name=self.name, **self._bus)

    @property
    def _bus(self) -> dict[str, str]:
        return {name: self.properties[name] for name in ("EventBusName",) if name in self.properties}


class EventBusPolicy(Resource):
    """AWS::Events::EventBusPolicy: one statement of the policy of a bus.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbuspolicy.html
    """

    kind = "AWS::Events::EventBusPolicy"

    def create(self) -> None:
        statement = self.properties.get("Statement")
        if not statement:
            self.call("events", "put_permission")
            return
        named = {**statement, "Sid": self.properties["StatementId"]}
        document = {"Version": "2012-10-17", "Statement": [*self._others(), named]}
        self.client("events").put_permission(Policy=json.dumps(document), **self._bus)

    def update(self, before: Properties) -> None:
        self._remove(str(before["StatementId"]))
        self.create()

    def destroy(self) -> None:
        self._remove(str(self.properties["StatementId"]))

    def replaced_by(self, properties: Properties) -> bool:
        return any(properties.get(name) != self.properties.get(name) for name in ("EventBusName", "StatementId"))

    def _others(self) -> list[Any]:
        document = json.loads(self.client("events").describe_event_bus(**self._named).get("Policy") or "{}")
        return [each for each in document.get("Statement", []) if each["Sid"] != self.properties["StatementId"]]

    def _remove(self, statement: str) -> None:
        with suppressed("ResourceNotFoundException"):
            self.client("events").remove_permission(StatementId=statement, **self._bus)

    @property
    def _bus(self) -> dict[str, str]:
        return {name: self.properties[name] for name in ("EventBusName",) if name in self.properties}

    @property
    def _named(self) -> dict[str, str]:
        return {"Name": str(self.properties.get("EventBusName", "default"))}


class TopicPolicy(Resource):
    """AWS::SNS::TopicPolicy."""

    kind = "AWS::SNS::TopicPolicy"

    def create(self) -> None:
        for topic in self.properties["Topics"]:
            self.client("sns").set_topic_attributes(
                TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(self.properties["PolicyDocument"])
            )

    def update(self, before: Properties) -> None:
        self.create()

    def destroy(self) -> None:
        """Do nothing: a topic always has a policy, and is deleted with its stack."""
