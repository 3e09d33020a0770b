"""CloudFormation: moto's stacks, with the SAM transform, conditions and updates that keep what is there.

Separate from the resources because this is about stacks as a whole. `sam deploy`, boto3 and the emulator itself all
come through here: moto's API code calls these classes in the place of its own.
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


class Stack(models.Stack):
    """A stack whose `template` is what the user wrote and whose `template_dict` is what it comes to."""

    def __init__(self, stack_id: str, name: str, template: Any, parameters: dict[str, str], **others: Any) -> None:
        self._identity = StackIdentity(name, others["region_name"], others["account_id"])
        self.parameters = parameters
        super().__init__(stack_id=stack_id, name=name, template=template, parameters=parameters, **others)

    def _parse_template(self) -> None:
        self.template_dict = self.plain(self.template, self._given)

    @property
    def parameters(self) -> dict[str, str]:
        """The value of every parameter, also of those that were not given."""
        declared = getattr(self, "template_dict", {}).get("Parameters", {})
        return {name: slot["Default"] for name, slot in declared.items()} | self._given

    @parameters.setter
    def parameters(self, given: dict[str, str]) -> None:
        self._given = {name: value for name, value in given.items() if value is not None}

    def plain(self, template: Any, parameters: dict[str, str]) -> dict[str, Any]:
        """Return what a template comes to for this stack."""
        text = template if isinstance(template, str) else json.dumps(template)
        return plain_template(text, parameters, self._identity)

    def has_template(self, other_template: str) -> bool:
        """Return whether this is the stack's template already."""
        return bool(parse(str(self.template)) == parse(other_template))

    def has_parameters(self, other_parameters: dict[str, Any]) -> bool:
        """Return whether these are the stack's parameters already; those that are not given have their defaults."""
        return bool(self.plain(self.template, other_parameters)["Parameters"] == self.template_dict["Parameters"])

    @property
    def outputs(self) -> list[dict[str, Any]] | None:
        """The outputs, as long as there are resources."""
        return None if cast(ResourceMap, self.resource_map).gone else super().outputs

    def create_resources(self) -> None:
        """Create everything, or what CloudFormation does after a failure: undo it and say why in the events."""
        self._attempt("CREATE", super().create_resources)

    def update(
        self,
        template: str,
        role_arn: str | None = None,
        parameters: dict[str, Any] | None = None,
        tags: dict[str, str] | None = None,
    ) -> None:
        """Make the stack what the template says; resources that stay the same are not touched."""
        self.parameters = parameters or {}
        self._attempt("UPDATE", lambda: super(Stack, self).update(template, role_arn, parameters, tags))

    def apply(self, change_set: models.ChangeSet) -> None:
        """Execute a change set; whether it creates or updates, it is an update of what is there."""
        self.template, self.parameters = change_set.template, change_set.parameters
        self._parse_template()
        self.description = self.template_dict.get("Description")
        self._attempt(change_set.change_set_type, self._change_resources)

    def _change_resources(self) -> None:
        self.resource_map.update(self.template_dict, self.parameters)
        self.output_map = self._create_output_map()

    def _attempt(self, what: str, action: Callable[[], None]) -> None:
        """Run it; when it fails, end as CloudFormation does. The caller learns of it from the status and the events."""
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
            self.resource_map.delete()
        except Exception:
            LOG.info("Stack %s: not everything could be deleted", self.name, exc_info=True)


class ChangeSet(models.ChangeSet):
    """A change set over the plain template."""

    def _parse_template(self) -> None:
        self.template_dict = cast(Stack, self.stack).plain(self.template, self.parameters)

    def apply(self) -> None:
        """Execute it."""
        cast(Stack, self.stack).apply(self)


class ResourceMap(parsing.ResourceMap):
    """The resources of a stack. Those that their template wants to keep survive the stack."""

    gone = False

    def __getitem__(self, key: str) -> Any:
        """Look a resource up, creating it when it is not there yet; but not when the stack has been deleted."""
        return self._parsed_resources.get(key) if self.gone else super().__getitem__(key)

    def update(self, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
        """Make the resources what the template says."""
        removed = self._resource_json_map.keys() - template["Resources"].keys()
        super().update(template, parameters)
        for name in removed:
            self._parsed_resources.pop(name, None)

    def delete(self) -> None:
        """Delete what must not be kept."""
        super().delete()
        self.gone = True

    def _delete_resource(self, parsed_resource: Any, resource_json: dict[str, Any]) -> None:
        if resource_json.get("DeletionPolicy") not in _KEPT and parsed_resource is not None:
            super()._delete_resource(parsed_resource, resource_json)


_execute_change_set = models.CloudFormationBackend.execute_change_set
_resource_class = parsing.resource_class_from_type
_name_property = parsing.resource_name_property_from_type


def _execute(self: models.CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
    """Keep the status of a stack that failed; moto's own code sets COMPLETE whatever happened."""
    change_set = self.describe_change_set(change_set_name)
    _execute_change_set(self, change_set_name, stack_name)
    stack = cast(Stack, cast(models.ChangeSet, change_set).stack)
    if stack.failed:
        stack.events.pop()
        stack.status = stack.events[-1].resource_status


def _class_of(resource_type: str) -> type[CloudFormationModel]:
    """Stand in for kinds that nobody implements, so that no template fails for a detail that nobody tests."""
    known: type[CloudFormationModel] | None = None
    if resource_type in parsing.get_model_map() or resource_type.startswith("Custom::"):
        known = _resource_class(resource_type)
    return known or Placeholder


def _name_property_of(resource_type: str) -> str | None:
    """Ask our kinds first: moto looks at its own models, some of which have no name."""
    ours = next((kind for kind in KINDS if kind.kind == resource_type), None)
    return ours.name_property if ours else _name_property(resource_type)


def _template_at(url: str, account_id: str, partition: str) -> str:
    """Read a stored template; addressed below the emulator's own URL as the SAM CLI does, its bucket is in the path."""
    parts = urlsplit(url)
    in_path = url if parts.netloc.endswith("amazonaws.com") else f"https://s3.amazonaws.com{parts.path}"
    return get_stack_from_s3_url(in_path, account_id, partition)


def install() -> None:
    """Put these in the place of moto's own; doing it again changes nothing."""
    logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)  # it misses metrics that only AWS collects
    for name, replacement in (("Stack", Stack), ("ChangeSet", ChangeSet), ("ResourceMap", ResourceMap)):
        setattr(models, name, replacement)
    models.CloudFormationBackend.execute_change_set = _execute  # type: ignore[method-assign]
    responses.get_stack_from_s3_url = _template_at  # type: ignore[attr-defined, assignment]
    parsing.resource_class_from_type = _class_of
    parsing.resource_name_property_from_type = _name_property_of
    for kind in KINDS:
        parsing.get_model_map()[kind.kind] = kind
