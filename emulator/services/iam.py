"""The identity policies of a role, as moto's IAM stores them: inline ones and attached managed ones.

Separate from the evaluation, which is pure. An AWS managed policy is loaded from moto's data when it is attached. What
exceeds IAM's quotas is refused; white space does not count.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import DeleteConflictException, LimitExceededException
from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy, Role, iam_backends

from emulator.iam.patterns import listed
from emulator.iam.policies import Policy, read
from emulator.patching import patch

_AWS_MANAGED = "arn:aws:iam::aws:policy/"
_POLICY_SIZE = 6144
_POLICIES_PER_ROLE = 10


def policies_of(arn: str) -> tuple[Policy, ...]:
    """Return the identity policies of a role; none if there is no such role."""
    role = _find(arn)
    if role is None:
        return ()
    inline = [read(_text(document), name) for name, document in list(role.policies.items())]
    managed = [read(_default_version(each), each.name) for each in list(role.managed_policies.values())]
    return (*inline, *managed)


def document_of(arn: str, account: str) -> str | None:
    """Return the default version of a managed policy of an account or of AWS; None if there is no such policy."""
    backend, name = iam_backends[account]["aws"], arn.rpartition("/")[2]
    policy = backend.managed_policies.get(arn)
    if policy is None and arn.startswith(_AWS_MANAGED) and name in _aws_managed():
        policy = AWSManagedPolicy.from_data(name, account, backend.region_name, _aws_managed()[name])
    return None if policy is None else _default_version(policy)


def trust_policy_of(arn: str) -> str | None:
    """Return the policy that says who may assume a role; None if there is no such role."""
    role = _find(arn)
    return None if role is None else _text(role.assume_role_policy_document)


def longest_session(arn: str) -> int:
    """Return for how many seconds a session of a role may last, at most."""
    role = _find(arn)
    return int(role.max_session_duration or 3600) if role else 0


def id_of(arn: str) -> str:
    """Return the unique id of a role that exists."""
    role = _find(arn)
    return str(role.id) if role else ""


def with_resource(trust: str, resource: str = "*") -> str:
    """Return a trust policy with the Resource that every other policy has; here it is the role itself."""
    document = json.loads(trust)
    return json.dumps(
        {**document, "Statement": [{**each, "Resource": resource} for each in listed(document["Statement"])]}
    )


def _find(arn: str) -> Role | None:
    account = arn.split(":")[4]
    roles = iam_backends[account]["aws"].roles
    return next((role for role in list(roles.values()) if role.arn == arn), None)


def _default_version(policy: ManagedPolicy) -> str:
    return next(_text(each.document) for each in policy.versions if each.version_id == policy.default_version_id)


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


@patch(IAMBackend, "attach_role_policy")
def _attach_role_policy(original: Callable[..., None], backend: IAMBackend, policy_arn: str, role_name: str) -> None:
    """Load an AWS managed policy when it is first attached: moto would load all of them, which takes seconds."""
    attached = backend.get_role(role_name).managed_policies
    if policy_arn not in attached and len(attached) >= _POLICIES_PER_ROLE:
        raise LimitExceededException(f"Cannot exceed quota for PoliciesPerRole: {_POLICIES_PER_ROLE}")
    name = policy_arn.rpartition("/")[2]
    if policy_arn.startswith(_AWS_MANAGED) and policy_arn not in backend.managed_policies and name in _aws_managed():
        policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, _aws_managed()[name])
        backend.managed_policies[policy_arn] = policy
    original(backend, policy_arn, role_name)


@patch(IAMBackend, "create_policy")
def _create_policy(
    original: Callable[..., ManagedPolicy],
    backend: IAMBackend,
    description: str,
    path: str,
    policy_document: str,
    *arguments: Any,
    **named: Any,
) -> ManagedPolicy:
    check_policy_size(policy_document)
    return original(backend, description, path, policy_document, *arguments, **named)


@patch(IAMBackend, "create_policy_version")
def _create_policy_version(
    original: Callable[..., Any], backend: IAMBackend, policy_arn: str, policy_document: str, *arguments: Any
) -> Any:
    check_policy_size(policy_document)
    return original(backend, policy_arn, policy_document, *arguments)


@patch(IAMBackend, "delete_policy")
def _delete_policy(original: Callable[..., None], backend: IAMBackend, policy_arn: str) -> None:
    """Refuse to delete a policy that a role has: a stack deletes the role first."""
    if any(policy_arn in role.managed_policies for role in list(backend.roles.values())):
        raise DeleteConflictException("Cannot delete a policy attached to entities.")
    original(backend, policy_arn)


def check_policy_size(document: str) -> None:
    """Raise LimitExceeded if a managed policy is too large."""
    if len("".join(document.split())) > _POLICY_SIZE:
        raise LimitExceededException(f"Cannot exceed quota for PolicySize: {_POLICY_SIZE}")


@cache
def _aws_managed() -> dict[str, dict[str, Any]]:
    data: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return data
