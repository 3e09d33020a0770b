"""A policy as statements, and whether a statement applies to a request.

Separate from the evaluation, which knows several policies and their kinds; here there is one statement and one request.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

from emulator.iam.conditions import Values, met
from emulator.iam.patterns import arn_like, like, listed

Statement = Mapping[str, Any]
# By what a statement's Principal names a caller: its session, itself (or everybody), or only its account.
Named = Literal["session", "itself", "account"]


@dataclass(frozen=True)
class Service:
    """An AWS service that calls another one itself, such as s3.amazonaws.com."""

    name: str


@dataclass(frozen=True)
class Identity:
    """A caller with credentials: the ARNs by which a policy may name it, and its account's id.

    `session` is the ARN of a role's session, by which a policy may name nothing but this session.
    """

    arns: frozenset[str]
    account: str
    session: str = ""


@dataclass(frozen=True)
class RequestContext:
    """What policies are evaluated against. `action` is such as s3:PutObject.

    `conditions` are the values of condition keys: a text, or several for a key that may have several. `account` is the
    id of the account that the resource belongs to.
    """

    principal: Service | Identity
    action: str
    resource: str
    conditions: Mapping[str, str | Sequence[str]]
    account: str

    @cached_property
    def values(self) -> Values:
        """Return the condition keys in lower case, each with a list of values."""
        return {
            name.lower(): (value,) if isinstance(value, str) else tuple(value)
            for name, value in self.conditions.items()
        }

    @cached_property
    def lower_action(self) -> str:
        """Return the action in lower case: policies may write actions in any case."""
        return self.action.lower()


@dataclass(frozen=True)
class Policy:
    """A policy document. `name` is for messages."""

    statements: tuple[Statement, ...]
    name: str = ""


@lru_cache(maxsize=1024)
def read(text: str, name: str = "") -> Policy:
    """Return the policy in a JSON document. Raises ValueError."""
    return Policy(tuple(listed(json.loads(text).get("Statement"))), name)


def applies(statement: Statement, request: RequestContext) -> bool:
    """Return whether action, resource and condition of a statement apply. The principal is a question of its own."""
    return (
        _names(statement, "Action", lambda named: like(named.lower(), request.lower_action))
        and _names(statement, "Resource", lambda named: named == "*" or arn_like(named, request.resource))
        and met(statement.get("Condition") or {}, request.values)
    )


def _names(statement: Statement, element: str, matches: Callable[[str], bool]) -> bool:
    if f"Not{element}" in statement:
        return not any(map(matches, listed(statement[f"Not{element}"])))
    return any(map(matches, listed(statement.get(element))))


def names_principal(statement: Statement, request: RequestContext) -> Named | None:
    """Return how a statement of a resource's policy names the caller; None if it does not."""
    if "NotPrincipal" in statement:
        return None if _named(statement["NotPrincipal"], request.principal) else "itself"
    return _named(statement.get("Principal"), request.principal)


def _named(named: Any, principal: Service | Identity) -> Named | None:
    if named == "*":
        return "itself"
    if not isinstance(named, Mapping):
        return None
    if isinstance(principal, Service):
        return "itself" if principal.name in listed(named.get("Service")) else None
    names = set(listed(named.get("AWS")))
    if principal.session in names:
        return "session"
    if "*" in names or names & principal.arns:
        return "itself"
    account = {principal.account, f"arn:aws:iam::{principal.account}:root"}
    return "account" if names & account else None
