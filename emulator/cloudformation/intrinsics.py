"""CloudFormation's intrinsic functions and conditions, as far as parameters determine them.

Separate from what creates resources: this resolves everything except references to resources. So two templates differ
exactly where something must change, and no other module needs to know conditions.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.cloudformation.exceptions import ValidationError

NO_VALUE = object()


def template_error(problem: str) -> ValidationError:
    """Return CloudFormation's error for an invalid template."""
    return ValidationError(message=f"Template error: {problem}")


@dataclass
class Scope:
    """What is known before any resource exists: parameters, pseudo parameters, mappings and conditions."""

    values: Mapping[str, Any]
    mappings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    _decided: dict[str, bool] = field(default_factory=dict)

    def holds(self, condition: str) -> bool:
        """Return whether a condition of the template is true with these parameters."""
        if condition not in self.conditions:
            raise template_error(f"unresolved condition dependency {condition}")
        if condition not in self._decided:
            self._decided[condition] = self._truth(self.conditions[condition])
        return self._decided[condition]

    def _truth(self, node: Any) -> bool:
        (operator, operands), *rest = node.items() if isinstance(node, dict) and node else [("", [])]
        if operator == "Condition":
            return self.holds(operands)
        if rest or operator not in _LOGIC:
            raise template_error(f"a condition must be one of {', '.join(_LOGIC)}, not {json.dumps(node)}")
        return _LOGIC[operator](self, operands)

    def resolve(self, node: Any) -> Any:
        """Return the node with everything known resolved; references to resources are kept."""
        if isinstance(node, list):
            return [each for each in map(self.resolve, node) if each is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (name, argument), *_ = node.items()
            if name in _FUNCTIONS:
                return _FUNCTIONS[name](self, argument)
        resolved = {name: self.resolve(value) for name, value in node.items()}
        return {name: value for name, value in resolved.items() if value is not NO_VALUE}


def is_known(value: Any) -> bool:
    """Return whether a resolved value contains no reference to a resource."""
    if isinstance(value, list):
        return all(map(is_known, value))
    if isinstance(value, dict):
        return not (len(value) == 1 and next(iter(value)) in _FUNCTIONS) and all(map(is_known, value.values()))
    return True


def _equals(scope: Scope, operands: list[Any]) -> bool:
    left, right = map(scope.resolve, operands)
    return _text(left) == _text(right)


_LOGIC: Mapping[str, Callable[[Scope, list[Any]], bool]] = {
    "Fn::Equals": _equals,
    "Fn::Not": lambda scope, operands: not scope._truth(operands[0]),  # noqa: SLF001 - the two are one evaluator
    "Fn::And": lambda scope, operands: all([scope._truth(each) for each in operands]),  # noqa: SLF001, C419 - check every operand
    "Fn::Or": lambda scope, operands: any([scope._truth(each) for each in operands]),  # noqa: SLF001, C419 - check every operand
}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


def _ref(scope: Scope, name: str) -> Any:
    if name == "AWS::NoValue":
        return NO_VALUE
    return scope.values.get(name, {"Ref": name})


def _get_att(_: Scope, argument: Any) -> Any:
    return {"Fn::GetAtt": argument.split(".", 1) if isinstance(argument, str) else argument}


def _if(scope: Scope, argument: list[Any]) -> Any:
    condition, when_true, when_false = argument
    return scope.resolve(when_true if scope.holds(condition) else when_false)


def _find_in_map(scope: Scope, argument: list[Any]) -> Any:
    name, *keys = map(scope.resolve, argument[:3])
    found: Any = scope.mappings.get(name, {})
    for key in keys:
        found = found.get(_text(key)) if isinstance(found, dict) else None
    if found is None:
        if len(argument) > 3:
            return scope.resolve(argument[3]["DefaultValue"])
        raise template_error(f"Unable to get mapping for {name}::{'::'.join(map(str, keys))}")
    return scope.resolve(found)


def _join(scope: Scope, argument: list[Any]) -> Any:
    separator, parts = argument[0], scope.resolve(argument[1])
    if is_known(parts):
        return separator.join(map(_text, parts))
    return {"Fn::Join": [separator, parts]}


def _split(scope: Scope, argument: list[Any]) -> Any:
    separator, whole = argument[0], scope.resolve(argument[1])
    return whole.split(separator) if is_known(whole) else {"Fn::Split": [separator, whole]}


def _select(scope: Scope, argument: list[Any]) -> Any:
    index, choices = map(scope.resolve, argument)
    if not isinstance(choices, list) or not is_known(index):
        return {"Fn::Select": [index, choices]}
    try:
        return choices[int(index)]
    except IndexError:
        raise template_error(f"Fn::Select cannot select nonexistent value at index {index}") from None


def _sub(scope: Scope, argument: Any) -> Any:
    """Substitute what is known. The rest keeps its name, or its entry in the function's own map."""
    text, own = (argument, {}) if isinstance(argument, str) else (argument[0], scope.resolve(argument[1]))
    left: dict[str, Any] = {}
    whole = True

    def put_in(match: re.Match[str]) -> str:
        nonlocal whole
        name = match[1].strip()
        value = own[name] if name in own else scope.values.get(name, {"Ref": name})
        if is_known(value):
            return ",".join(value) if isinstance(value, list) else _text(value)
        whole = False
        if name in own:
            left[name] = value
        return match[0]

    resolved = re.sub(r"\$\{([^!}][^}]*)\}", put_in, text)
    if whole:
        return resolved.replace("${!", "${")
    return {"Fn::Sub": [resolved, left] if left else resolved}


def _to_json_string(scope: Scope, argument: Any) -> Any:
    resolved = scope.resolve(argument)
    return json.dumps(resolved) if is_known(resolved) else {"Fn::ToJsonString": resolved}


def _length(scope: Scope, argument: Any) -> Any:
    resolved = scope.resolve(argument)
    return len(resolved) if isinstance(resolved, list) else {"Fn::Length": resolved}


def _kept(name: str) -> Callable[[Scope, Any], Any]:
    return lambda scope, argument: {name: scope.resolve(argument)}


_FUNCTIONS: Mapping[str, Callable[[Scope, Any], Any]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::FindInMap": _find_in_map,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": _to_json_string,
    "Fn::Length": _length,
    "Fn::Base64": _kept("Fn::Base64"),
    "Fn::GetAZs": _kept("Fn::GetAZs"),
    "Fn::ImportValue": _kept("Fn::ImportValue"),
}
