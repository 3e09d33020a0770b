"""CloudFormation: moto's stacks with the SAM transform, conditions, rollbacks, and updates of only what changes.

Separate from the resources because this is about stacks as a whole. moto's API code calls these classes instead of its
own, for `sam deploy`, boto3 and the emulator alike.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

from moto.cloudformation import models, parsing, responses
from moto.cloudformation.utils import get_stack_from_s3_url
from moto.core.common_models import CloudFormationModel

from emulator.cloudformation.resources import KINDS, Placeholder
from emulator.cloudformation.template import StackIdentity, parse, plain_template

LOG = logging.getLogger(__name__)
_KEPT = ("Retain", "RetainExceptOnCreate", "Snapshot")
_KEPT_ON_CREATE = ("Retain", "Snapshot")


class Stack(models.Stack):
    """A stack. `template` is what the user wrote, `template_dict` the resolved document."""

    def __init__(self, stack_id: str, name: str, template: Any, parameters: dict[str, str], **others: Any) -> None:
        self._identity = StackIdentity(name, others["region_name"], others["account_id"])
        self.parameters = parameters
        super().__init__(stack_id=stack_id, name=name, template=template, parameters=parameters, **others)

    def _parse_template(self) -> None:
        self.template_dict = self.plain(self.template, self._given)

    @property
    def parameters(self) -> dict[str, str]:
        """Return the value of every parameter, defaults included."""
        declared = getattr(self, "template_dict", {}).get("Parameters", {})
        return {name: slot["Default"] for name, slot in declared.items()} | self._given

    @parameters.setter
    def parameters(self, given: dict[str, str]) -> None:
        self._given = {name: value for name, value in given.items() if value is not None}

    def plain(self, template: Any, parameters: dict[str, str]) -> dict[str, Any]:
        """Return a template resolved for this stack."""
        text = template if isinstance(template, str) else json.dumps(template)
        plain = plain_template(text, parameters, self._identity)
        for name, resource in plain["Resources"].items():
            if resource["Type"] == "AWS::SQS::Queue":
                self._tag(name, resource.setdefault("Properties", {}))
        return plain

    def _tag(self, name: str, properties: dict[str, Any]) -> None:
        """Add the tags that CloudFormation itself gives a resource.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
        """
        own = {"aws:cloudformation:stack-name": self._identity.name, "aws:cloudformation:logical-id": name}
        added = [{"Key": key, "Value": value} for key, value in own.items()]
        properties["Tags"] = [*properties.get("Tags", []), *added]

    def has_template(self, other_template: str) -> bool:
        """Return whether this is the stack's current template."""
        return bool(parse(str(self.template)) == parse(other_template))

    def has_parameters(self, other_parameters: dict[str, Any]) -> bool:
        """Return whether these are the stack's current parameters; missing ones have their defaults."""
        return bool(self.plain(self.template, other_parameters)["Parameters"] == self.template_dict["Parameters"])

    @property
    def outputs(self) -> list[dict[str, Any]] | None:
        """Return the outputs; None after the resources have been deleted."""
        return None if cast(ResourceMap, self.resource_map).gone else super().outputs

    def create_resources(self) -> None:
        """Create the resources. After a failure, roll back and give the reason in the stack's events."""
        self._attempt("CREATE", super().create_resources)

    def update(
        self,
        template: str,
        role_arn: str | None = None,
        parameters: dict[str, Any] | None = None,
        tags: dict[str, str] | None = None,
    ) -> None:
        """Update the stack to the template; unchanged resources are not touched."""
        self.parameters = parameters or {}
        self._attempt("UPDATE", lambda: super(Stack, self).update(template, role_arn, parameters, tags))

    def apply(self, change_set: models.ChangeSet) -> None:
        """Execute a change set. One that creates is an update of a stack without resources."""
        self.template, self.parameters = change_set.template, change_set.parameters
        self._parse_template()
        self.description = self.template_dict.get("Description")
        self._attempt(change_set.change_set_type, self._change_resources)

    def _change_resources(self) -> None:
        self.resource_map.update(self.template_dict, self.parameters)
        self.output_map = self._create_output_map()

    def _attempt(self, what: str, action: Callable[[], None]) -> None:
        """Run an action; after a failure, roll back. The caller sees it in the stack's status and events."""
        self.failed = False
        try:
            action()
        except Exception as error:
            LOG.info("Stack %s: %s failed: %s", self.name, what.lower(), error)
            self.failed = True
            self._add_stack_event(f"{what}_FAILED", resource_status_reason=str(error))
            rollback = "ROLLBACK_COMPLETE" if what == "CREATE" else "UPDATE_ROLLBACK_COMPLETE"
            if what == "CREATE":
                self._undo()
            self._add_stack_event(rollback, resource_status_reason=str(error))
            self.status = rollback
            self.stack_status_reason = str(error)
        else:
            self.status = f"{what}_COMPLETE"

    def _undo(self) -> None:
        try:
            cast(ResourceMap, self.resource_map).delete(created=True)
        except Exception:
            LOG.info("Stack %s: rollback could not delete every resource", self.name, exc_info=True)


class ChangeSet(models.ChangeSet):
    """A change set of the resolved template."""

    def _parse_template(self) -> None:
        self.template_dict = cast(Stack, self.stack).plain(self.template, self.parameters)

    def apply(self) -> None:
        """Execute the change set."""
        cast(Stack, self.stack).apply(self)


class ResourceMap(parsing.ResourceMap):
    """The resources of a stack. Those whose DeletionPolicy retains them outlive the stack.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """

    gone = False
    _kept: tuple[str, ...] = _KEPT

    def __getitem__(self, key: str) -> Any:
        """Return a resource, creating it if it does not exist yet, unless the stack has been deleted."""
        return self._parsed_resources.get(key) if self.gone else super().__getitem__(key)

    def update(self, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
        """Update the resources to the template."""
        removed = self._resource_json_map.keys() - template["Resources"].keys()
        super().update(template, parameters)
        for name in removed:
            self._parsed_resources.pop(name, None)

    def delete(self, *, created: bool = False) -> None:
        """Delete every resource that its DeletionPolicy does not retain. `created`: by the operation that is undone."""
        self._kept = _KEPT_ON_CREATE if created else _KEPT
        super().delete()
        self.gone = True

    def _delete_resource(self, parsed_resource: Any, resource_json: dict[str, Any]) -> None:
        if resource_json.get("DeletionPolicy") not in self._kept and parsed_resource is not None:
            super()._delete_resource(parsed_resource, resource_json)


_execute_change_set = models.CloudFormationBackend.execute_change_set
_resource_class = parsing.resource_class_from_type
_name_property = parsing.resource_name_property_from_type


def _execute(self: models.CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
    """Keep the status of a stack that failed: moto sets COMPLETE even then."""
    change_set = self.describe_change_set(change_set_name)
    _execute_change_set(self, change_set_name, stack_name)
    stack = cast(Stack, cast(models.ChangeSet, change_set).stack)
    if stack.failed:
        stack.events.pop()
        stack.status = stack.events[-1].resource_status


def _class_of(resource_type: str) -> type[CloudFormationModel]:
    """Return a placeholder for a type that nothing implements, so that the rest of its template can be deployed."""
    known: type[CloudFormationModel] | None = None
    if resource_type in parsing.get_model_map() or resource_type.startswith("Custom::"):
        known = _resource_class(resource_type)
    return known or Placeholder


def _name_property_of(resource_type: str) -> str | None:
    """Look into our own types first: moto looks only into its models, some of which have no name."""
    ours = next((kind for kind in KINDS if kind.kind == resource_type), None)
    return ours.name_property if ours else _name_property(resource_type)


def _template_at(url: str, account_id: str, partition: str) -> str:
    """Read a template from S3. The SAM CLI addresses it by the emulator's URL, with the bucket in the path."""
    parts = urlsplit(url)
    in_path = url if parts.netloc.endswith("amazonaws.com") else f"https://s3.amazonaws.com{parts.path}"
    return get_stack_from_s3_url(in_path, account_id, partition)


def install() -> None:
    """Replace moto's classes by these. Idempotent."""
    logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)  # warns about metrics that only AWS collects
    for name, replacement in (("Stack", Stack), ("ChangeSet", ChangeSet), ("ResourceMap", ResourceMap)):
        setattr(models, name, replacement)
    models.CloudFormationBackend.execute_change_set = _execute  # type: ignore[method-assign]
    responses.get_stack_from_s3_url = _template_at  # type: ignore[attr-defined, assignment]
    parsing.resource_class_from_type = _class_of
    parsing.resource_name_property_from_type = _name_property_of
    for kind in KINDS:
        parsing.get_model_map()[kind.kind] = kind
