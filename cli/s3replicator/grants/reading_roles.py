"""Reads a role of another account, with credentials of that account: its trust policy, and what its policies allow.

Separate from buckets and keys: another service, and only its own account may ask it.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from s3replicator.calls import calling
from s3replicator.failed_calls import CallFailed
from s3replicator.grants.checking import RoleView
from s3replicator.grants.grant import RolePlan
from s3replicator.grants.policy import Statement, read_policy
from s3replicator.grants.reading import ClientOf


def read_role(clients: ClientOf, role: RolePlan, notes: list[str], profiles: Mapping[str, str]) -> RoleView | None:
    """Return a role, or None and a note why it cannot be read."""
    if role.account not in profiles:
        notes.append(
            f"{role.arn} can be read with credentials of its account only: --account-profile {role.account}=PROFILE"
        )
        return None
    try:
        iam = clients("iam", "us-east-1", role.account)
        with calling("iam:GetRole"):
            trust = iam.get_role(RoleName=role.name)["Role"]["AssumeRolePolicyDocument"]
        return RoleView(_statements(trust), tuple(each for part in _policies(iam, role.name) for each in part))
    except CallFailed as failed:
        notes.append(f"{role.arn} cannot be read: {failed.call.advice(f'role {role.name}')}")
    except ValueError as error:
        notes.append(f"{role.arn} cannot be read: {error}")
    return None


# Any: boto3 makes its clients at run time.
def _policies(iam: Any, name: str) -> Iterator[tuple[Statement, ...]]:
    """Yield the statements of each policy of a role, inline and attached. Raises CallFailed and ValueError."""
    with calling("iam:ListRolePolicies"):
        inline = [each for page in _pages(iam, "list_role_policies", name) for each in page["PolicyNames"]]
    for each in inline:
        with calling("iam:GetRolePolicy"):
            yield _statements(iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"])
    with calling("iam:ListAttachedRolePolicies"):
        attached = [
            each for page in _pages(iam, "list_attached_role_policies", name) for each in page["AttachedPolicies"]
        ]
    for arn in (each["PolicyArn"] for each in attached):
        with calling("iam:GetPolicy"):
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        with calling("iam:GetPolicyVersion"):
            found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        yield _statements(found)


def _pages(iam: Any, operation: str, name: str) -> Iterator[Mapping[str, Any]]:
    return iter(iam.get_paginator(operation).paginate(RoleName=name))


def _statements(document: object) -> tuple[Statement, ...]:
    """Return the statements of a document as botocore gives it: parsed, else as text in the encoding of URLs."""
    return read_policy(unquote(document) if isinstance(document, str) else json.dumps(document))
