"""Whether a bucket policy or an ACL is public, as S3 Block Public Access decides it. Values only.

A policy is assumed to be public unless each Allow names fixed principals, or is limited by a condition on fixed values
of some keys.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from typing import Any

from emulator.iam.patterns import listed
from emulator.iam.policies import Policy, Statement

_GROUPS = "http://acs.amazonaws.com/groups/global/"
ALL_USERS, AUTHENTICATED_USERS = f"{_GROUPS}AllUsers", f"{_GROUPS}AuthenticatedUsers"
_LIMITING = frozenset(
    {
        *("aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths"),
        *("aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce"),
        *("aws:userid", "s3:dataaccesspointaccount", "s3:dataaccesspointarn"),
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
_OPERATORS = frozenset({"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"})
_SHORTEST_PREFIX = {4: 8, 6: 32}
"""A range of addresses with a shorter prefix is as good as everybody."""


def is_public(policy: Policy) -> bool:
    """Return whether a bucket policy lets somebody in who is not known by name."""
    return any(
        statement.get("Effect") == "Allow" and _names_anybody(statement) and not _is_limited(statement)
        for statement in policy.statements
    )


def is_public_group(uri: str) -> bool:
    """Return whether the grantee of an ACL is everybody, or everybody with an AWS account."""
    return uri in (ALL_USERS, AUTHENTICATED_USERS)


def _names_anybody(statement: Statement) -> bool:
    if "NotPrincipal" in statement:
        return True
    named = statement.get("Principal")
    values = [named] if not isinstance(named, Mapping) else [each for kind in named.values() for each in listed(kind)]
    return any("*" in str(each) for each in values)


def _is_limited(statement: Statement) -> bool:
    conditions: Mapping[str, Mapping[str, Any]] = statement.get("Condition") or {}
    return any(
        _limits(operator, key.lower(), [str(each) for each in listed(values)])
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _limits(operator: str, key: str, values: Iterable[str]) -> bool:
    name = operator.rpartition(":")[2]
    if key == "aws:sourceip":
        return name == "IpAddress" and all(map(_is_narrow, values))
    return name in _OPERATORS and key in _LIMITING and all(_is_fixed(value) for value in values)


def _is_fixed(value: str) -> bool:
    return not any(character in value for character in "*?$")


def _is_narrow(value: str) -> bool:
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _SHORTEST_PREFIX[network.version]
