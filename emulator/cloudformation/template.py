"""From a template's text and parameters to the resources that CloudFormation would create.

The SAM transform is AWS's own (samtranslator). Separate from the stacks because it is pure: text and parameters in, a
resolved document out, or the ValidationError that CloudFormation would return.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import yaml
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.utils.py27hash_fix import to_py27_compatible_template, undo_mark_unicode_str_in_template
from samtranslator.yaml_helper import yaml_parse

from emulator.cloudformation.intrinsics import Scope, template_error

SAM = "AWS::Serverless-2016-10-31"
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
_LONGEST_PARAMETER = 4096


@dataclass(frozen=True)
class StackIdentity:
    """A stack's name, Region and account, for the pseudo parameters."""

    name: str
    region: str
    account: str

    @property
    def partition(self) -> str:
        """Return the partition of the Region."""
        return next((name for start, name in _PARTITIONS.items() if self.region.startswith(start)), "aws")

    @property
    def pseudo_parameters(self) -> Mapping[str, Any]:
        """Return the pseudo parameters that are known before a stack exists: all except AWS::StackId."""
        return {
            "AWS::AccountId": self.account,
            "AWS::NotificationARNs": [],
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com",
        }


def parse(text: str) -> dict[str, Any]:
    """Parse a template in JSON or YAML. Raises CloudFormation's ValidationError."""
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else yaml_parse(text)
    except (ValueError, yaml.YAMLError) as error:
        raise template_error(f"not valid JSON or YAML: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise template_error("At least one Resources member must be defined.")
    return document


def plain_template(text: str, given: Mapping[str, str], stack: StackIdentity) -> dict[str, Any]:
    """Return the template with transforms, conditions and parameters resolved; only references to resources are left.

    Raises the ValidationError that CloudFormation would return for these parameters or this template.
    """
    document = parse(text)
    parameters = _checked_parameters(document.get("Parameters") or {}, given)
    for transform in _transforms(document):
        if transform == SAM:
            document = _without_sam(document, parameters, stack.region)
        elif transform != LANGUAGE_EXTENSIONS:
            raise template_error(f"No transform named {transform} found.")
    declared = document.get("Parameters") or {}
    values = {name: _typed(value, declared[name].get("Type", "")) for name, value in parameters.items()}
    scope = Scope(
        {**stack.pseudo_parameters, **values}, document.get("Mappings") or {}, document.get("Conditions") or {}
    )
    plain: dict[str, Any] = {"Description": document.get("Description", "")}
    plain["Parameters"] = {name: _shown(slot, parameters[name]) for name, slot in declared.items()}
    plain["Resources"] = _existing(document["Resources"], scope)
    for resource in plain["Resources"].values():
        _drop_missing_dependencies(resource, plain["Resources"])
    plain["Outputs"] = _existing(document.get("Outputs") or {}, scope)
    return plain


def _transforms(document: Mapping[str, Any]) -> list[str]:
    """Return the transforms in the order in which they are applied: language extensions first."""
    transforms = document.get("Transform") or []
    names = [transforms] if isinstance(transforms, str) else list(transforms)
    return sorted(names, key=lambda name: name != LANGUAGE_EXTENSIONS)


def _without_sam(document: dict[str, Any], parameters: Mapping[str, str], region: str) -> dict[str, Any]:
    """Run the SAM transform, with a fixed Region and without managed policies, which it would ask AWS for."""
    session = boto3.Session(region_name=region, aws_access_key_id="none", aws_secret_access_key="none")  # noqa: S106
    values = dict(parameters)
    to_py27_compatible_template(document, values)
    translator = Translator({}, Parser(), boto_session=session)
    try:
        transformed = translator.translate(document, values, get_managed_policy_map=dict)
    except InvalidDocumentException as error:
        causes = " ".join(cause.message for cause in error.causes)
        raise template_error(f"Transform {SAM} failed with: {error.message} {causes}") from None
    plain: dict[str, Any] = undo_mark_unicode_str_in_template(transformed)
    return plain


def _checked_parameters(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(given.keys() - declared.keys())
    if unknown:
        raise template_error(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = sorted(name for name, slot in declared.items() if name not in given and "Default" not in slot)
    if missing:
        raise template_error(f"Parameters: [{', '.join(missing)}] must have values")
    values = {name: _parameter_text(given.get(name, slot.get("Default"))) for name, slot in declared.items()}
    for name, slot in declared.items():
        _check_value(name, values[name], slot)
    return values


def _parameter_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _check_value(name: str, value: str, slot: Mapping[str, Any]) -> None:
    if len(value.encode()) > _LONGEST_PARAMETER:
        at = f"at 'parameters.{name}.member.parameterValue' failed to satisfy constraint"
        limit = f"Member must have length less than or equal to {_LONGEST_PARAMETER}"
        raise template_error(f"1 validation error detected: Value '{value}' {at}: {limit}")
    allowed = [_parameter_text(each) for each in slot.get("AllowedValues", [])]
    if allowed and value not in allowed:
        raise template_error(f"Parameter '{name}' must be one of AllowedValues [{', '.join(allowed)}], not '{value}'")
    pattern = slot.get("AllowedPattern")
    items = value.split(",") if _is_list(slot.get("Type", "")) else [value]
    if pattern and not all(re.fullmatch(pattern, item.strip()) for item in items):
        why = slot.get("ConstraintDescription", f"it must match {pattern}")
        raise template_error(f"Parameter '{name}' is '{value}', but {why}")
    for limit, fails in (("MinLength", len(value).__lt__), ("MaxLength", len(value).__gt__)):
        if limit in slot and fails(int(slot[limit])):
            raise template_error(f"Parameter '{name}' violates {limit} {slot[limit]}")
    if slot.get("Type") == "Number":
        _check_number(name, value, slot)


def _check_number(name: str, value: str, slot: Mapping[str, Any]) -> None:
    try:
        number = float(value)
    except ValueError:
        raise template_error(f"Parameter '{name}' must be a number, not '{value}'") from None
    low, high = float(slot.get("MinValue", number)), float(slot.get("MaxValue", number))
    if not low <= number <= high:
        raise template_error(f"Parameter '{name}' must be from {low:g} to {high:g}, not {value}")


def _is_list(kind: str) -> bool:
    return kind == "CommaDelimitedList" or kind.startswith("List<")


def _typed(value: str, kind: str) -> str | list[str]:
    return [item.strip() for item in value.split(",")] if _is_list(kind) else value


def _shown(slot: Mapping[str, Any], value: str) -> dict[str, Any]:
    """Return the declaration from which moto builds the response of DescribeStacks, where every value is a string."""
    return {"Type": "String", "Default": value, "NoEcho": bool(slot.get("NoEcho"))}


def _existing(section: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    existing = {}
    for name, entry in section.items():
        if "Condition" not in entry or scope.holds(entry["Condition"]):
            existing[name] = scope.resolve({key: value for key, value in entry.items() if key != "Condition"})
    return existing


def _drop_missing_dependencies(resource: dict[str, Any], existing: Mapping[str, Any]) -> None:
    depends_on = resource.pop("DependsOn", [])
    names = [depends_on] if isinstance(depends_on, str) else depends_on
    if kept := [name for name in names if name in existing]:
        resource["DependsOn"] = kept
