"""What the policy of a bucket or a key says about a request of a role: allowed, denied, not mentioned, or it depends.

Values in, a judgement out, with the statement that decided. It judges the resource's side alone, for a caller of
another account: there both sides must allow, so naming the caller's account is as good as naming the role, whose own
policy allows it. What is unknown about a request never counts as met.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from s3replicator.grants.conditions import all_of, met, unknown_keys
from s3replicator.policy_patterns import arn_like, as_list, like

Statement = Mapping[str, Any]


class Verdict(StrEnum):
    """What a policy says. An explicit Deny overrides every Allow; what no statement allows is not allowed."""

    ALLOWED = "allowed"
    DENIED = "denied"
    NOT_MENTIONED = "not mentioned"
    DEPENDS = "depends"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and the statement that led to it: its Sid, else its place. depends_on: the condition keys."""

    verdict: Verdict
    statement: str = ""
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A request that a role may make.

    names: the ARNs by which a policy may name the caller. context: what is known of its condition keys, by names in
    lower case; an empty sequence if the request lacks one. complete: what is not in the context is lacking; else it is
    unknown.
    """

    names: frozenset[str]
    account: str
    action: str
    resource: str
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)
    complete: bool = False

    def known(self, key: str) -> Sequence[str] | None:
        """Return the values of a condition key; None if they are unknown."""
        return self.context.get(key, () if self.complete else None)


def read_policy(text: str) -> tuple[Statement, ...]:
    """Return the statements of a policy. Raises ValueError for a text that is none."""
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise ValueError("the policy is nested too deeply") from error
    statements = as_list(document.get("Statement")) if isinstance(document, dict) else [None]
    if not all(isinstance(each, dict) for each in statements):
        raise ValueError("the policy is not one that AWS accepts")
    return tuple(each for each in statements if isinstance(each, dict))


def judge(statements: Sequence[Statement], question: Question) -> Judgement:
    """Return what the statements of a resource's policy say about a request."""
    found = list(_applying(statements, question))
    denying = [each for each in found if each.denies]
    allowing = [each for each in found if not each.denies]
    if certain := next((each for each in denying if each.certain), None):
        return Judgement(Verdict.DENIED, certain.name)
    if not allowing:
        return Judgement(Verdict.NOT_MENTIONED)
    best = next((each for each in allowing if each.certain), allowing[0])
    in_doubt = denying[0] if denying else best
    if in_doubt.certain:
        return Judgement(Verdict.ALLOWED, best.name)
    return Judgement(Verdict.DEPENDS, in_doubt.name, in_doubt.depends_on)


def actions_named(statements: Sequence[Statement]) -> frozenset[str]:
    """Return the actions that Allow statements name, in lower case, as they are written."""
    allows = [each for each in statements if each.get("Effect") == "Allow"]
    return frozenset(str(action).lower() for each in allows for action in as_list(each.get("Action")))


@dataclass(frozen=True, slots=True)
class _Applying:
    name: str
    denies: bool
    certain: bool
    depends_on: tuple[str, ...] = ()


def _applying(statements: Sequence[Statement], question: Question) -> Iterator[_Applying]:
    for number, statement in enumerate(statements, 1):
        condition = statement.get("Condition")
        applies = all_of([_is_about(statement, question), met(condition, question.known)])
        if applies is not False and statement.get("Effect") in ("Allow", "Deny"):
            name = str(statement.get("Sid") or f"statement {number}")
            keys = () if applies else unknown_keys(condition, question.known)
            yield _Applying(name, statement["Effect"] == "Deny", applies is True, keys)


def _is_about(statement: Statement, question: Question) -> bool | None:
    action = question.action.lower()
    return all_of(
        [
            _names_caller(statement, question),
            _names(statement, "Action", lambda named: like(named.lower(), action)),
            _names(statement, "Resource", lambda named: named == "*" or arn_like(named, question.resource)),
        ]
    )


def _names(statement: Statement, element: str, matches: Callable[[str], bool]) -> bool | None:
    """Return whether an element, or its negation, is about the request; None if a policy variable decides."""
    negated = f"Not{element}" in statement
    named = [str(each) for each in as_list(statement.get(f"Not{element}" if negated else element))]
    if any(map(matches, named)):
        return not negated
    return None if any("${" in each for each in named) else negated


def _names_caller(statement: Statement, question: Question) -> bool:
    if "NotPrincipal" in statement:
        return not _is_caller(statement["NotPrincipal"], question)
    return _is_caller(statement.get("Principal"), question)


def _is_caller(named: object, question: Question) -> bool:
    if not isinstance(named, dict):
        return named == "*"
    partition = next(iter(question.names), "arn:aws").split(":")[1]
    account = {question.account, f"arn:{partition}:iam::{question.account}:root"}
    return bool(({"*"} | question.names | account) & {str(each) for each in as_list(named.get("AWS"))})
