"""Resource policies, evaluated as simply as buckets and queues need: principals, actions, resources and conditions.

Separate from moto's evaluation, which reads an unmet condition of an Allow as a denial and knows no service principals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

Decision = Literal["Allow", "Deny"]


@dataclass(frozen=True)
class Service:
    """An AWS service that acts for itself, such as s3.amazonaws.com."""

    name: str


@dataclass(frozen=True)
class Identity:
    """Somebody with credentials: the ARNs and account ids by which a policy may name them."""

    names: frozenset[str]


def decide(
    policy: Mapping[str, Any],
    principal: Service | Identity,
    action: str,
    resource: str,
    context: Mapping[str, str],
) -> Decision | None:
    """Return what a policy says about an action: a Deny wins, None is no word about it."""
    effects = {
        str(statement.get("Effect"))
        for statement in _listed(policy.get("Statement"))
        if _applies(statement, principal, action, resource, context)
    }
    return "Deny" if "Deny" in effects else "Allow" if "Allow" in effects else None


def _applies(
    statement: Mapping[str, Any],
    principal: Service | Identity,
    action: str,
    resource: str,
    context: Mapping[str, str],
) -> bool:
    return (
        _names(statement, "Principal", lambda named: _is_principal(named, principal))
        and _names(statement, "Action", lambda named: any(_like(p.lower(), action.lower()) for p in _listed(named)))
        and _names(statement, "Resource", lambda named: any(_like(pattern, resource) for pattern in _listed(named)))
        and all(
            _condition(operator, key, _listed(values), context)
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


def _condition(operator: str, key: str, values: Iterable[Any], context: Mapping[str, str]) -> bool:
    """Evaluate one condition; an operator that is not known here is not met."""
    lower = {name.lower(): value for name, value in context.items()}
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
