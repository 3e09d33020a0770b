"""What policies decide, in values: AWS's "Policy evaluation logic" and its condition operators.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.iam.evaluation import Decision, evaluate
from emulator.iam.policies import Identity, Policy, RequestContext, Service, read

ACCOUNT, OTHER = "123456789012", "999999999999"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/replicate"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/replicate/function"
CALLER = Identity(frozenset({ROLE, SESSION}), ACCOUNT)
OBJECT = "arn:aws:s3:::east/folder/key"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"


def policy(*statements: dict[str, Any]) -> Policy:
    return read(
        json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})
    )


def ask(  # noqa: PLR0917
    identity: Policy | None,
    resource: Policy | None = None,
    action: str = "s3:GetObject",
    name: str = OBJECT,
    account: str = ACCOUNT,
    conditions: dict[str, Any] | None = None,
    caller: Identity | Service = CALLER,
    **more: Any,
) -> Decision:
    request = RequestContext(caller, action, name, conditions or {}, account)
    return evaluate(request, [identity] if identity else [], resource, **more)


READS = policy({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::east/*"})
NOTHING = policy({"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::east"})
DENIES = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}


def allows(principal: Any, **more: Any) -> Policy:
    return policy({"Principal": principal, "Action": "s3:*", "Resource": "arn:aws:s3:::east/*", **more})


# Which policies decide


def test_what_no_statement_allows_is_denied() -> None:
    assert ask(None) == ask(NOTHING) == Decision(allowed=False, kind="identity-based")


def test_a_decision_names_the_statement_that_made_it() -> None:
    named = read(
        json.dumps({"Statement": {"Sid": "Mine", "Effect": "Allow", "Action": "*", "Resource": "*"}}), "inline"
    )
    decision = ask(named)
    assert decision.statement is not None
    assert (decision.allowed, decision.policy, decision.statement["Sid"]) == (True, "inline", "Mine")


def test_an_explicit_deny_overrides_every_allow() -> None:
    assert ask(READS).allowed
    assert not ask(policy(dict(READS.statements[0]), DENIES)).allowed
    assert not ask(READS, policy({**DENIES, "Principal": "*"})).allowed
    assert ask(READS, policy({**DENIES, "Principal": "*"})).is_explicit_deny


@pytest.mark.parametrize(
    "principal",
    [{"AWS": ROLE}, {"AWS": [SESSION]}, {"AWS": "*"}, "*"],
    ids=["the role", "its session", "everybody", "a star"],
)
def test_within_an_account_the_policy_of_a_resource_is_enough_if_it_names_the_caller(principal: Any) -> None:
    assert ask(NOTHING, allows(principal)).allowed


@pytest.mark.parametrize("principal", [f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT])
def test_a_resource_that_names_the_account_leaves_it_to_identity_policies(principal: str) -> None:
    assert not ask(NOTHING, allows({"AWS": principal})).allowed
    assert ask(READS, allows({"AWS": principal})).allowed
    assert not ask(READS, allows({"AWS": principal}, Effect="Deny")).allowed


def test_a_resource_policy_for_somebody_else_changes_nothing() -> None:
    other = allows({"AWS": f"arn:aws:iam::{ACCOUNT}:role/another"})
    assert not ask(NOTHING, other).allowed
    assert ask(READS, other).allowed


@pytest.mark.parametrize("principal", [ROLE, f"arn:aws:iam::{ACCOUNT}:root"])
def test_between_accounts_both_sides_must_allow(principal: str) -> None:
    admitted = allows({"AWS": principal})
    assert not ask(READS, account=OTHER).allowed
    assert not ask(NOTHING, admitted, account=OTHER).allowed
    assert ask(READS, admitted, account=OTHER).allowed


def test_a_key_policy_must_allow_always_and_may_leave_it_to_identity_policies() -> None:
    uses = policy({"Action": "kms:Decrypt", "Resource": KEY})
    silent = policy({"Principal": {"AWS": ROLE}, "Action": "kms:Encrypt", "Resource": "*"})
    root = policy({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"})
    direct = policy({"Principal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"})
    found = [
        ask(identity, key, "kms:Decrypt", KEY, of_key=True).allowed
        for identity in (uses, NOTHING)
        for key in (silent, root, direct)
    ]
    assert found == [False, True, True, False, False, True]


def test_a_service_is_named_as_a_service() -> None:
    admits = policy({"Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"})
    assert ask(None, admits, "sqs:SendMessage", caller=Service("s3.amazonaws.com")).allowed
    assert not ask(None, admits, "sqs:SendMessage", caller=Service("sns.amazonaws.com")).allowed
    assert not ask(None, admits, "sqs:SendMessage").allowed


def test_not_principal_denies_everybody_else() -> None:
    only = policy({**DENIES, "NotPrincipal": {"AWS": ROLE}})
    assert ask(READS, only).allowed
    assert not ask(READS, policy({**DENIES, "NotPrincipal": {"AWS": f"{ROLE}-other"}})).allowed


# Actions and resources


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ({"Action": "S3:getobject", "Resource": "*"}, True),
        ({"Action": "s3:Get*", "Resource": "*"}, True),
        ({"Action": "s3:GetObjec?", "Resource": "*"}, True),
        ({"Action": ["s3:PutObject", "s3:*Object"], "Resource": "*"}, True),
        ({"Action": "s3:GetObject", "Resource": ["arn:aws:s3:::west/*", "arn:aws:s3:::ea?t/*/key"]}, True),
        ({"Action": "s3:GetObject", "Resource": "arn:*:s3:::east/*"}, True),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::EAST/*"}, False),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::east"}, False),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::east/[a-z]*"}, False),
        ({"Action": "s3:GetObjectVersion", "Resource": "*"}, False),
        ({"NotAction": "s3:Put*", "Resource": "*"}, True),
        ({"NotAction": ["s3:Put*", "s3:GetObject"], "Resource": "*"}, False),
        ({"Action": "*", "NotResource": "arn:aws:s3:::west/*"}, True),
        ({"Action": "*", "NotResource": ["arn:aws:s3:::east/*"]}, False),
    ],
    ids=lambda value: None if isinstance(value, bool) else json.dumps(value),
)
def test_actions_and_resources_match_with_wildcards(statement: dict[str, Any], allowed: bool) -> None:
    assert ask(policy(statement)).allowed == allowed


# Conditions


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ({"StringEquals": {"AWS:SourceAccount": ACCOUNT}}, True),
        ({"StringEquals": {"aws:SourceAccount": [OTHER, ACCOUNT]}}, True),
        ({"StringEquals": {"aws:SourceAccount": OTHER}}, False),
        ({"StringNotEquals": {"aws:SourceAccount": OTHER}}, True),
        ({"StringNotEquals": {"aws:SourceAccount": [OTHER, ACCOUNT]}}, False),
        ({"StringNotEquals": {"aws:Missing": OTHER}}, True),
        ({"StringEquals": {"aws:Missing": OTHER}}, False),
        ({"StringEqualsIfExists": {"aws:Missing": OTHER}}, True),
        ({"StringEqualsIfExists": {"aws:SourceAccount": OTHER}}, False),
        ({"StringEqualsIgnoreCase": {"s3:ExistingObjectTag/team": "RED"}}, True),
        ({"StringNotEqualsIgnoreCase": {"s3:ExistingObjectTag/team": "RED"}}, False),
        ({"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}, True),
        ({"StringLike": {"kms:ViaService": "s3.?.amazonaws.com"}}, False),
        ({"StringNotLike": {"kms:ViaService": "sqs.*"}}, True),
        ({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/replicate"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:*:role/replicate"}}, False),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/other"}}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"Bool": {"aws:SecureTransport": True}}, True),
        ({"Null": {"aws:Missing": "true", "aws:SourceAccount": "false"}}, True),
        ({"Null": {"aws:SourceAccount": True}}, False),
        ({"NumericLessThanEquals": {"s3:max-keys": "100"}}, True),
        ({"NumericLessThan": {"s3:max-keys": "100"}}, False),
        ({"NumericGreaterThan": {"s3:max-keys": 99}}, True),
        ({"NumericGreaterThanEquals": {"s3:max-keys": 101}}, False),
        ({"NumericNotEquals": {"s3:max-keys": "100"}}, False),
        ({"NumericEquals": {"s3:max-keys": "many"}}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, False),
        ({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "127.0.0.0/8"]}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "127.0.0.1"}}, False),
        ({"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["a", "b", "c"]}}, True),
        ({"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["a"]}}, False),
        ({"ForAllValues:StringEquals": {"aws:Missing": ["a"]}}, True),
        ({"ForAnyValue:StringEquals": {"s3:RequestObjectTagKeys": ["a", "z"]}}, True),
        ({"ForAnyValue:StringEquals": {"aws:Missing": ["a"]}}, False),
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}, "Bool": {"aws:SecureTransport": "false"}}, False),
        ({"StringResembles": {"aws:SourceAccount": ACCOUNT}}, False),
    ],
    ids=lambda value: None if isinstance(value, bool) else json.dumps(value),
)
def test_a_condition_is_met_as_its_operators_say(condition: dict[str, Any], met: bool) -> None:
    given = {
        "aws:SourceAccount": ACCOUNT,
        "aws:PrincipalArn": ROLE,
        "aws:SecureTransport": "true",
        "aws:CurrentTime": "2026-06-01T00:00:00Z",
        "aws:SourceIp": "127.0.0.1",
        "kms:ViaService": "s3.us-east-1.amazonaws.com",
        "s3:ExistingObjectTag/team": "red",
        "s3:max-keys": "100",
        "s3:RequestObjectTagKeys": ("a", "b"),
    }
    conditional = policy({"Action": "*", "Resource": "*", "Condition": condition})
    assert ask(conditional, conditions=given).allowed == met
