"""What a bucket's or key's policy says about a role's request, compared with the emulator's evaluation of policies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from s3replicator.grants.policy import Judgement, Question, Verdict, judge, read_policy

from emulator.iam.evaluation import evaluate
from emulator.iam.policies import Identity, Policy, RequestContext, read

STACK, OTHER = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{STACK}:role/replicate"
SESSION = f"arn:aws:sts::{STACK}:assumed-role/replicate/prod-replicate"
NAMES = frozenset({ROLE, SESSION})
OBJECT = "arn:aws:s3:::west/folder/key"
ALL = Policy(({"Effect": "Allow", "Action": "*", "Resource": "*"},))


def ask(*statements: dict[str, Any], known: dict[str, tuple[str, ...]] | None = None, **more: Any) -> Judgement:
    """Judge statements, each an Allow for the role and s3:PutObject on the object unless it says otherwise."""
    full = [{"Effect": "Allow", **({} if "NotPrincipal" in each else {"Principal": {"AWS": ROLE}}),
             **({} if "NotAction" in each else {"Action": "s3:PutObject"}),
             **({} if "NotResource" in each else {"Resource": "arn:aws:s3:::west/*"}), **each}
            for each in statements]  # fmt: skip
    question = Question(NAMES, STACK, "s3:PutObject", OBJECT, known or {}, **more)
    return judge(read_policy(json.dumps({"Statement": full})), question)


# What a statement names


@pytest.mark.parametrize(
    "statement",
    [
        {},
        {"Principal": "*"},
        {"Principal": {"AWS": ["arn:aws:iam::999999999999:root", SESSION]}},
        {"Principal": {"AWS": STACK}},
        {"Principal": {"AWS": f"arn:aws:iam::{STACK}:root"}},
        {"NotPrincipal": {"AWS": OTHER}},
        {"Action": ["s3:GetObject", "S3:put*"]},
        {"Action": "s3:PutObjec?"},
        {"NotAction": "s3:Get*"},
        {"Resource": "*"},
        {"NotResource": "arn:aws:s3:::west/private/*"},
    ],
    ids=json.dumps,
)
def test_a_request_is_allowed_by_a_statement_that_names_it(statement: dict[str, Any]) -> None:
    assert ask({"Sid": "Mine", **statement}) == Judgement(Verdict.ALLOWED, "Mine")


@pytest.mark.parametrize(
    "statement",
    [
        {"Principal": {"AWS": "arn:aws:iam::111111111111:role/replicate-2"}},
        {"Principal": {"AWS": OTHER}},
        {"Principal": {"Service": "s3.amazonaws.com"}},
        {"NotPrincipal": {"AWS": ROLE}},
        {"Action": ["s3:ReplicateObject", "s3:ReplicateDelete"]},
        {"NotAction": "s3:Put*"},
        {"Resource": "arn:aws:s3:::west"},
        {"Resource": "arn:aws:s3:::wes[t]/*"},
        {"NotResource": "arn:aws:s3:::west/*"},
        {"Effect": "allow"},
    ],
    ids=json.dumps,
)
def test_a_statement_that_does_not_name_a_request_says_nothing_about_it(statement: dict[str, Any]) -> None:
    assert ask(statement) == Judgement(Verdict.NOT_MENTIONED)


def test_a_deny_overrides_what_is_allowed() -> None:
    assert ask({}, {"Sid": "No", "Effect": "Deny", "Principal": "*"}) == Judgement(Verdict.DENIED, "No")


def test_a_statement_without_a_sid_is_named_by_its_place() -> None:
    assert ask({}, {"Effect": "Deny"}) == Judgement(Verdict.DENIED, "statement 2")


# Conditions


TLS = {"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
ADDRESS: dict[str, Any] = {"Sid": "Office", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}


def test_a_condition_on_what_is_known_decides() -> None:
    assert ask({"Sid": "Mine"}, TLS, known={"aws:securetransport": ("true",)}) == Judgement(Verdict.ALLOWED, "Mine")
    assert ask({}, TLS, known={"aws:securetransport": ("false",)}) == Judgement(Verdict.DENIED, "Tls")


def test_a_condition_on_what_is_unknown_leaves_a_judgement_open() -> None:
    assert ask(ADDRESS) == Judgement(Verdict.DEPENDS, "Office", ("aws:SourceIp",))
    assert ask({}, {**ADDRESS, "Effect": "Deny"}) == Judgement(Verdict.DEPENDS, "Office", ("aws:SourceIp",))


def test_what_another_statement_allows_anyway_does_not_depend_on_a_condition() -> None:
    assert ask(ADDRESS, {"Sid": "Mine"}) == Judgement(Verdict.ALLOWED, "Mine")


def test_a_condition_that_is_certainly_unmet_is_not_open_because_of_another_one() -> None:
    condition = {**ADDRESS["Condition"], "StringEquals": {"aws:PrincipalAccount": OTHER}}
    assert ask({"Condition": condition}, known={"aws:principalaccount": (STACK,)}) == Judgement(Verdict.NOT_MENTIONED)


@pytest.mark.parametrize("wanted", [{"aws:PrincipalTag/a": "${aws:username}"}, {"aws:unheard": "of"}], ids=str)
def test_what_only_aws_can_judge_is_open(wanted: dict[str, str]) -> None:
    assert ask({"Condition": {"StringEquals": wanted}}).verdict is Verdict.DEPENDS


def test_a_variable_in_a_resource_is_open() -> None:
    assert ask({"Resource": "arn:aws:s3:::west/${aws:PrincipalAccount}/*"}).verdict is Verdict.DEPENDS
    assert ask({"NotResource": "arn:aws:s3:::west/${aws:PrincipalAccount}/*"}).verdict is Verdict.DEPENDS


def test_an_operator_that_is_unheard_of_is_open() -> None:
    assert ask({"Condition": {"StringRhymes": {"aws:userid": "x"}}}, complete=True).verdict is Verdict.DEPENDS


@pytest.mark.parametrize("text", ["", "[]", "null", '{"Statement": "all"}', '{"Statement": [1]}', "[" * 100_000])
def test_a_text_that_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"policy|Expecting|nested"):
        read_policy(text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=4),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["Effect", "Principal", "AWS", "Action", "Resource", "Condition",
                                         "StringLike", "Null", "aws:x"]), inner, max_size=5)))  # fmt: skip
def test_whatever_a_policy_contains_it_is_judged(content: Any) -> None:
    document = json.dumps({"Statement": [content if isinstance(content, dict) else {"Condition": content}]})
    assert judge(read_policy(document), Question(NAMES, STACK, "s3:PutObject", OBJECT)).verdict in Verdict


# As the emulator evaluates


VALUES = {"aws:principalaccount": STACK, "aws:sourceip": "10.1.2.3", "aws:securetransport": "true",
          "s3:x-amz-acl": "private", "s3:max-keys": "7", "aws:currenttime": "2026-01-01T00:00:00Z"}  # fmt: skip
WANTED = (STACK, OTHER, "10.0.0.0/8", "true", "false", "private", "p*", "7", "12", "2026-06-01T00:00:00Z", "x")
OPERATORS = [
    f"{quantifier}{name}{suffix}"
    for name in ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike", "Bool",
                 "ArnLike", "IpAddress", "NotIpAddress", "NumericLessThan", "NumericGreaterThanEquals",
                 "DateLessThan")
    for quantifier in ("", "ForAllValues:", "ForAnyValue:")
    for suffix in ("", "IfExists")
] + ["Null"]  # fmt: skip
KEYS = st.sampled_from([*VALUES, "aws:sourcevpce", "AWS:PrincipalAccount"])


def one_or_more(*values: str) -> st.SearchStrategy[Any]:
    return st.sampled_from(values) | st.lists(st.sampled_from(values), min_size=1, max_size=3)


ACTIONS = one_or_more("s3:*", "s3:PutObject", "s3:Put*", "S3:GETOBJECT", "s3:?utObject", "*", "s3:PutObjectAcl")
RESOURCES = one_or_more("*", OBJECT, "arn:aws:s3:::west/*", "arn:aws:s3:::west", "arn:*:s3:::*/key", "arn:aws:*")
PRINCIPALS = st.just("*") | one_or_more(ROLE, SESSION, STACK, OTHER, f"arn:aws:iam::{STACK}:root", "*").map(
    lambda named: {"AWS": named}
)
CONDITIONS = st.dictionaries(
    st.sampled_from(OPERATORS),
    st.dictionaries(KEYS, one_or_more(*WANTED), min_size=1, max_size=2),
    max_size=2,
)


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    kinds = {"Action": ACTIONS, "Resource": RESOURCES, "Principal": PRINCIPALS}
    elements = {f"{draw(st.sampled_from(['', '', '', 'Not']))}{kind}": draw(of) for kind, of in kinds.items()}
    return {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])), "Condition": draw(CONDITIONS), **elements}


POLICIES = st.lists(statements(), min_size=1, max_size=4).map(lambda each: json.dumps({"Statement": each}))


def evaluated(text: str) -> bool:
    """Return whether the emulator allows the request, made by another account's role that may do everything."""
    request = RequestContext(Identity(NAMES, STACK), "s3:PutObject", OBJECT, VALUES, OTHER)
    return evaluate(request, [ALL], read(text)).allowed


@given(POLICIES)
def test_a_request_of_which_all_is_known_is_judged_as_the_emulator_does(text: str) -> None:
    values = {name: (value,) for name, value in VALUES.items()}
    found = judge(read_policy(text), Question(NAMES, STACK, "s3:PutObject", OBJECT, values, complete=True))
    assert found.verdict is not Verdict.DEPENDS
    assert (found.verdict is Verdict.ALLOWED) == evaluated(text)


@given(POLICIES, st.sets(st.sampled_from(sorted(VALUES))))
def test_a_certain_judgement_holds_whatever_the_unknown_values_are(text: str, kept: set[str]) -> None:
    known = {name: (VALUES[name],) for name in kept}
    found = judge(read_policy(text), Question(NAMES, STACK, "s3:PutObject", OBJECT, known))
    if found.verdict is not Verdict.DEPENDS:
        assert (found.verdict is Verdict.ALLOWED) == evaluated(text)
