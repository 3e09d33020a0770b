"""CloudFormation resources of Lambda: functions, their event sources and settings."""

from __future__ import annotations

from typing import Any

from emulator.clients import suppressed
from emulator.cloudformation.resources.base import Properties, Resource
from emulator.cloudformation.resources.quotas import check_environment
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
        empty: dict[str, Any] = {"FilterCriteria": {}, "FunctionResponseTypes": []}
        empty |= {"ScalingConfig": {}, "ProvisionedPollerConfig": {}}
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
