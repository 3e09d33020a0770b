"""Evaluation of resource policies: principals, actions, resources, and conditions as buckets and queues use them.

moto's own evaluation treats an Allow whose condition is not met as a Deny, and does not know service principals.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

Decision = Literal["Allow", "Deny"]


@dataclass(frozen=True)
class Service:
    """An AWS service that calls another one itself, such as s3.amazonaws.com."""

    name: str


@dataclass(frozen=True)
class Identity:
    """A caller with credentials: the ARNs and account ids by which a policy may name it."""

    names: frozenset[str]


@dataclass(frozen=True)
class RequestContext:
    """What a policy is evaluated against. `action` is such as s3:PutObject; `conditions` are condition keys' values."""

    principal: Service | Identity
    action: str
    resource: str
    conditions: Mapping[str, str]


def decide(policy: Mapping[str, Any], request: RequestContext) -> Decision | None:
    """Return a policy's decision: a Deny overrides every Allow; None if no statement applies."""
    effects = {
        str(statement.get("Effect")) for statement in _listed(policy.get("Statement")) if _applies(statement, request)
    }
    return "Deny" if "Deny" in effects else "Allow" if "Allow" in effects else None


def _applies(statement: Mapping[str, Any], request: RequestContext) -> bool:
    action = request.action.lower()
    return (
        _names(statement, "Principal", lambda named: _is_principal(named, request.principal))
        and _names(statement, "Action", lambda named: any(_like(each.lower(), action) for each in _listed(named)))
        and _names(statement, "Resource", lambda named: any(_like(each, request.resource) for each in _listed(named)))
        and all(
            _condition(operator, key, _listed(values), request.conditions)
            for operator, keys in (statement.get("Condition") or {}).items()
            for key, values in keys.items()
        )
    )


def _names(statement: Mapping[str, Any], element: str, matches: Callable[[Any], bool]) -> bool:
    if f"Not{element}" in statement:
        return not matches(statement[f"Not{element}"])
    return element in statement and matches(statement[element])


def _is_principal(named: Any, principal: Service | Identity) -> bool:
    if named == "*":
        return True
    if not isinstance(named, Mapping):
        return False
    if isinstance(principal, Service):
        return principal.name in _listed(named.get("Service"))
    return any(each == "*" or each in principal.names for each in _listed(named.get("AWS")))


def _condition(operator: str, key: str, values: Iterable[Any], given: Mapping[str, str]) -> bool:
    """Return whether a condition is met; with an unknown operator it never is."""
    lower = {name.lower(): value for name, value in given.items()}
    actual = lower.get(key.lower())
    expected = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    if operator == "Null":
        return ("true" in expected) == (actual is None)
    name = operator.removesuffix("IfExists")
    if actual is None:
        return name != operator or "Not" in name
    negative = "Not" in name
    match name.replace("Not", ""):
        case "StringEquals" | "Bool":
            met = actual in expected
        case "StringEqualsIgnoreCase":
            met = actual.lower() in [value.lower() for value in expected]
        case "StringLike" | "ArnLike" | "ArnEquals":
            met = any(_like(value, actual) for value in expected)
        case _:
            return False
    return met != negative


def _like(pattern: str, value: str) -> bool:
    return pattern == "*" or fnmatchcase(value, pattern.replace("[", "[[]"))


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
