"""The base class of CloudFormation resources: each creates, updates and deletes itself by boto3 calls to the emulator.

moto's own resource models ignore many properties (versioning, TTL, notifications) and most updates. These classes
replace them in moto's CloudFormation, which stores the stacks and resolves the references.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.model import OperationModel, Shape, StructureShape
from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel

from emulator import clients
from emulator.cloudformation.resources.quotas import check_name
from emulator.iam.principals import ACCOUNT

Properties = Mapping[str, Any]


class Resource(CloudFormationModel):
    """One resource of a stack. A subclass implements one type; `attributes` are the values of Fn::GetAtt."""

    kind: ClassVar[str]
    name_property: ClassVar[str] = ""
    longest_name: ClassVar[int] = 255
    account = ACCOUNT

    def __init__(self, name: str, properties: Properties, region: str, logical_id: str = "") -> None:
        if self.name_property in properties:
            check_name(self.name_property, str(properties[self.name_property]), self.longest_name)
        self.name = name[: self.longest_name]
        self.properties = properties
        self.region = region
        self.logical_id = logical_id
        self.physical_resource_id = self.name
        self.attributes: dict[str, Any] = {}

    def create(self) -> None:
        """Create the resource, and set `physical_resource_id` and `attributes`."""
        raise NotImplementedError

    def update(self, before: Properties) -> None:
        """Update the resource to `properties`; `before` are the previous ones."""
        raise NotImplementedError

    def destroy(self) -> None:
        """Delete the resource."""
        raise NotImplementedError

    def replaced_by(self, properties: Properties) -> bool:
        """Return whether these properties require a replacement: by default, if the name changes."""
        return bool(self.name_property) and properties.get(self.name_property, self.name) != self.name

    def client(self, service: str) -> Any:
        """Return a client in the stack's Region and account.

        It accepts values as templates write them: numbers as strings.
        """
        client = clients.client(service, self.region, self.account)
        client.meta.events.register("provide-client-params.*.*", _typed, unique_id="cloudformation-types")
        return client

    @property
    def tags(self) -> dict[str, str]:
        """Return the tags as a mapping, as some APIs take them."""
        return {tag["Key"]: tag["Value"] for tag in self.properties.get("Tags", [])}

    def call(self, service: str, operation: str, **extra: Any) -> Any:
        """Call an operation with those properties that are parameters of it."""
        return getattr(self.client(service), operation)(**{**self.properties, **extra})

    # The interface of moto's CloudFormation.

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:  # noqa: ARG003 - called before the resource exists
        return True

    def get_cfn_attribute(self, attribute_name: str) -> Any:
        if attribute_name not in self.attributes:
            raise ValidationError(
                message=f"Template error: resource {self.logical_id} does not support attribute type {attribute_name}"
                " in Fn::GetAtt"
            )
        return self.attributes[attribute_name]

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> Resource:
        resource = cls(resource_name, cloudformation_json["Properties"], region_name, kwargs.get("LogicalId", ""))
        resource.account = account_id
        resource.create()
        return resource

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Resource,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Resource:
        properties = cloudformation_json["Properties"]
        if original_resource.replaced_by(properties):
            replacement = cls.create_from_cloudformation_json(
                new_resource_name, cloudformation_json, account_id, region_name, LogicalId=original_resource.logical_id
            )
            if cloudformation_json.get("UpdateReplacePolicy", "Delete") == "Delete":
                original_resource.destroy()
            return replacement
        before, original_resource.properties = original_resource.properties, properties
        original_resource.update(before)
        return original_resource

    def delete(self, account_id: str, region_name: str) -> None:
        self.destroy()


class Placeholder(Resource):
    """A resource of a type that the emulator does not implement: it exists in the stack and does nothing."""

    def create(self) -> None:
        """Accept every attribute."""
        self.attributes = _AnyAttribute(self.name, self.region)

    def update(self, before: Properties) -> None:
        """Do nothing."""

    def destroy(self) -> None:
        """Do nothing: nothing was created."""


class _AnyAttribute(dict[str, str]):
    def __init__(self, name: str, region: str) -> None:
        super().__init__(Arn=f"arn:aws:emulator:{region}::{name}")

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return f"{name}-{secrets.token_hex(4)}"


def _typed(params: dict[str, Any], model: OperationModel, **_: Any) -> dict[str, Any]:
    typed: dict[str, Any] = _in_shape(params, model.input_shape) if model.input_shape else {}
    return typed


def _in_shape(value: Any, shape: Shape) -> Any:
    """Return the value in the types of an API: CloudFormation accepts numbers and booleans as strings, boto3 does not.

    What the API does not know is left out, since the properties of a resource often belong to several operations.
    """
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {name: _in_shape(each, shape.members[name]) for name, each in value.items() if name in shape.members}
    if shape.type_name == "list" and isinstance(value, list):
        return [_in_shape(each, shape.member) for each in value]  # type: ignore[attr-defined]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {name: _in_shape(each, shape.value) for name, each in value.items()}  # type: ignore[attr-defined]
    return _scalar(value, shape.type_name)


def _scalar(value: Any, kind: str) -> Any:
    if kind in {"integer", "long"}:
        return int(value)
    if kind in {"float", "double"}:
        return float(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if kind == "string" and isinstance(value, bool):
        return str(value).lower()
    return str(value) if kind == "string" else value
