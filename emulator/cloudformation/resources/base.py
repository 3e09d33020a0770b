"""What a kind of CloudFormation resource is to the emulator: boto3 calls against the emulator itself.

moto's own models of resources leave out much of what templates say (versioning, TTL, notifications, updates). These
take their place in moto's CloudFormation, which keeps the stacks and follows the references.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.model import OperationModel, Shape, StructureShape
from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel

from emulator import clients

Properties = Mapping[str, Any]


class Resource(CloudFormationModel):
    """One resource of a stack. A kind says how to create, change and delete itself; `attributes` answer Fn::GetAtt."""

    kind: ClassVar[str]
    name_property: ClassVar[str] = ""
    longest_name: ClassVar[int] = 255

    def __init__(self, name: str, properties: Properties, region: str, logical_id: str = "") -> None:
        self.name = name[: self.longest_name]
        self.properties = properties
        self.region = region
        self.logical_id = logical_id
        self.physical_resource_id = self.name
        self.attributes: dict[str, Any] = {}

    def create(self) -> None:
        """Create it and set `physical_resource_id` and `attributes`."""
        raise NotImplementedError

    def update(self, before: Properties) -> None:
        """Make what exists agree with `properties`; `before` are those it was created with."""
        raise NotImplementedError

    def destroy(self) -> None:
        """Delete it."""
        raise NotImplementedError

    def replaced_by(self, properties: Properties) -> bool:
        """Return whether these properties can only be had by a new resource: by default, when it gets another name."""
        return bool(self.name_property) and properties.get(self.name_property, self.name) != self.name

    def client(self, service: str) -> Any:
        """Return a client of the emulator in the stack's Region, which takes values as templates write them."""
        client = clients.client(service, self.region)
        client.meta.events.register("provide-client-params.*.*", _typed, unique_id="cloudformation-types")
        return client

    def call(self, service: str, operation: str, **extra: Any) -> Any:
        """Call an operation with those properties that it knows by the same name."""
        return getattr(self.client(service), operation)(**{**self.properties, **extra})

    # What moto's CloudFormation calls, with the arguments that it calls them with.

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:  # noqa: ARG003 - it asks before there is a resource to look at
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
        account_id: str,  # noqa: ARG003
        region_name: str,
        **kwargs: Any,
    ) -> Resource:
        resource = cls(resource_name, cloudformation_json["Properties"], region_name, kwargs.get("LogicalId", ""))
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
    """A resource of a kind that the emulator does not have: it exists in the stack and does nothing."""

    def create(self) -> None:
        """Exist."""
        self.attributes = _AnyAttribute(self.name, self.region)

    def update(self, before: Properties) -> None:
        """Have no effect."""

    def destroy(self) -> None:
        """Leave nothing, as there was nothing."""


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
    """Return the value in the types of an API. CloudFormation takes numbers and switches as texts too; boto3 does not.

    What the API does not know is left out: properties of a resource are often spread over several operations.
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
