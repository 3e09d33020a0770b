"""CloudFormation resources of Lambda and IAM: functions, their event sources and settings, and their roles."""

from __future__ import annotations

import json
from typing import Any

from emulator.clients import suppressed
from emulator.cloudformation.resources.base import Properties, Resource
from emulator.cloudformation.resources.quotas import check_environment, check_inline_policies
from emulator.functions.code import zipped

_CONFIGURATION = (
    "Description",
    "Environment",
    "EphemeralStorage",
    "Handler",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "Timeout",
    "TracingConfig",
)


class Function(Resource):
    """AWS::Lambda::Function."""

    kind = "AWS::Lambda::Function"
    name_property = "FunctionName"
    longest_name = 64

    def create(self) -> None:
        self._check_environment()
        answer = self.call(
            "lambda", "create_function", FunctionName=self.name, Code=zipped(self.properties["Code"]), Tags=self.tags
        )
        self.attributes = {"Arn": answer["FunctionArn"]}
        self._limit()

    def _check_environment(self) -> None:
        check_environment(self.properties.get("Environment", {}).get("Variables", {}))

    def update(self, before: Properties) -> None:
        self._check_environment()
        lambda_ = self.client("lambda")
        if self.properties["Code"] != before["Code"]:
            lambda_.update_function_code(FunctionName=self.name, **zipped(self.properties["Code"]))
        if any(self.properties.get(name) != before.get(name) for name in _CONFIGURATION):
            environment = self.properties.get("Environment", {"Variables": {}})
            self.call("lambda", "update_function_configuration", FunctionName=self.name, Environment=environment)
        self._limit()

    def _limit(self) -> None:
        if (limit := self.properties.get("ReservedConcurrentExecutions")) is not None:
            self.client("lambda").put_function_concurrency(
                FunctionName=self.name, ReservedConcurrentExecutions=int(limit)
            )

    def destroy(self) -> None:
        self.client("lambda").delete_function(FunctionName=self.name)


class EventSourceMapping(Resource):
    """AWS::Lambda::EventSourceMapping."""

    kind = "AWS::Lambda::EventSourceMapping"

    def create(self) -> None:
        answer = self.call("lambda", "create_event_source_mapping")
        self.physical_resource_id = answer["UUID"]
        self.attributes = {"Id": answer["UUID"], "EventSourceMappingArn": answer.get("EventSourceMappingArn", "")}

    def update(self, before: Properties) -> None:
        empty: dict[str, Any] = {"FilterCriteria": {}, "ScalingConfig": {}, "FunctionResponseTypes": []}
        emptied = {name: empty[name] for name in empty if name in before and name not in self.properties}
        self.call("lambda", "update_event_source_mapping", UUID=self.physical_resource_id, **emptied)

    def replaced_by(self, properties: Properties) -> bool:
        return bool(properties["EventSourceArn"] != self.properties["EventSourceArn"])

    def destroy(self) -> None:
        with suppressed("ResourceNotFoundException"):
            self.client("lambda").delete_event_source_mapping(UUID=self.physical_resource_id)


class Permission(Resource):
    """AWS::Lambda::Permission."""

    kind = "AWS::Lambda::Permission"
    longest_name = 100

    def create(self) -> None:
        self.call("lambda", "add_permission", StatementId=self.name)
        self.attributes = {"Id": self.name}

    def update(self, before: Properties) -> None:
        self._remove(before)
        self.create()

    def destroy(self) -> None:
        self._remove(self.properties)

    def _remove(self, properties: Properties) -> None:
        with suppressed("ResourceNotFoundException"):
            self.client("lambda").remove_permission(FunctionName=properties["FunctionName"], StatementId=self.name)


class EventInvokeConfig(Resource):
    """AWS::Lambda::EventInvokeConfig."""

    kind = "AWS::Lambda::EventInvokeConfig"

    def create(self) -> None:
        self.call("lambda", "put_function_event_invoke_config")

    def update(self, before: Properties) -> None:
        self.create()

    def destroy(self) -> None:
        """Do nothing: it is deleted with its function."""


class Role(Resource):
    """AWS::IAM::Role, with inline and managed policies."""

    kind = "AWS::IAM::Role"
    name_property = "RoleName"
    longest_name = 64

    def create(self) -> None:
        check_inline_policies(self.name, _inline(self.properties).values())
        role = self.call(
            "iam",
            "create_role",
            RoleName=self.name,
            AssumeRolePolicyDocument=json.dumps(self.properties["AssumeRolePolicyDocument"]),
        )["Role"]
        self.attributes = {"Arn": role["Arn"], "RoleId": role["RoleId"]}
        self._put_policies({})

    def update(self, before: Properties) -> None:
        check_inline_policies(self.name, _inline(self.properties).values())
        self.client("iam").update_assume_role_policy(
            RoleName=self.name, PolicyDocument=json.dumps(self.properties["AssumeRolePolicyDocument"])
        )
        self._put_policies(before)

    def _put_policies(self, before: Properties) -> None:
        iam = self.client("iam")
        old, new = (_inline(each) for each in (before, self.properties))
        for name in old.keys() - new.keys():
            iam.delete_role_policy(RoleName=self.name, PolicyName=name)
        for name, document in new.items():
            iam.put_role_policy(RoleName=self.name, PolicyName=name, PolicyDocument=json.dumps(document))
        attached, wanted = (_managed(each) for each in (before, self.properties))
        for arn in attached - wanted:
            iam.detach_role_policy(RoleName=self.name, PolicyArn=arn)
        for arn in wanted - attached:
            iam.attach_role_policy(RoleName=self.name, PolicyArn=arn)

    def destroy(self) -> None:
        iam = self.client("iam")
        for name in _inline(self.properties):
            iam.delete_role_policy(RoleName=self.name, PolicyName=name)
        for arn in _managed(self.properties):
            iam.detach_role_policy(RoleName=self.name, PolicyArn=arn)
        iam.delete_role(RoleName=self.name)


def _inline(properties: Properties) -> dict[str, Any]:
    """Return the inline policies by name. SAM's have no Version, which AWS accepts and moto does not."""
    return {
        policy["PolicyName"]: {"Version": "2012-10-17", **policy["PolicyDocument"]}
        for policy in properties.get("Policies", [])
    }


def _managed(properties: Properties) -> set[str]:
    return set(properties.get("ManagedPolicyArns", []))
