"""Whether the caller may do something: the policies of its role, and the policy of the resource.

Every service asks here. The user of an account may do everything with what belongs to the account, unless the
resource's policy denies it explicitly; with what belongs to another account, only what that resource's policy allows.
A function without a role, which only tests have, counts as the user.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from emulator.calls.call import current_call
from emulator.iam.authorizations import Authorization
from emulator.iam.evaluation import Decision, evaluate
from emulator.iam.policies import Identity, Policy, RequestContext, read
from emulator.iam.principals import ANONYMOUS, Principal
from emulator.services.iam import policies_of
from emulator.state import active

Conditions = Mapping[str, str | Sequence[str]]
_EVERYTHING = Policy(({"Effect": "Allow", "Action": "*", "Resource": "*"},), "AdministratorAccess")
"""The identity policy of the user of an account."""


def denial(  # noqa: PLR0913 - what AWS evaluates a request against
    principal: Principal,
    action: str,
    resource: str,
    *,
    account: str,
    region: str,
    conditions: Conditions | None = None,
    policy: str | bytes | None = None,
    of_key: bool = False,
) -> str | None:
    """Return AWS's message if the caller may not do this, None if it may.

    `account` is the account of the resource, `policy` the resource's policy, `of_key` whether that is a KMS key's, or
    the trust policy of a role: these must allow it whoever asks.
    """
    evaluated = of_key or is_evaluated(principal, account)
    if not policy and not evaluated:
        return None
    identity = _identity(principal)
    values = {**_global_keys(principal, identity, account, region), **(conditions or {})}
    context = RequestContext(identity, action, resource, values, account)
    of_resource = read(policy if isinstance(policy, str) else policy.decode()) if policy else None
    if not evaluated:
        decision = evaluate(context, (), of_resource)
        return _message(principal, context, decision) if decision.is_explicit_deny else None
    session = _session_policies(principal)
    decision = evaluate(context, _policies(principal), of_resource, of_key=of_key, session=session)
    message = None if decision.allowed else _message(principal, context, decision)
    if principal.kind == "replicator":
        _log(principal, context, decision, message or "")
    return message


def _log(principal: Principal, context: RequestContext, decision: Decision, reason: str) -> None:
    call = current_call.get()
    checked = (context.action, context.resource, context.account, context.conditions)
    made = call.operation if call else ""
    active().authorizations.add(
        Authorization(principal.function, principal.arn, *checked, decision.allowed, reason, made)
    )


def may(principal: Principal, action: str, resource: str, *, region: str, policy: str | None = None) -> bool:
    """Return whether a function's role may do something now, without a row in the log: Lambda asks again and again."""
    identity, account = _identity(principal), resource.split(":")[4]
    if not is_evaluated(principal, account):
        return True
    context = RequestContext(identity, action, resource, _global_keys(principal, identity, account, region), account)
    of_resource = read(policy) if policy else None
    return evaluate(context, _policies(principal), of_resource, session=_session_policies(principal)).allowed


def is_evaluated(principal: Principal, account: str) -> bool:
    """Return whether the caller may do only what policies allow with what belongs to an account."""
    return principal.kind == "anonymous" or principal.has_role or principal.account != account


def _policies(principal: Principal) -> tuple[Policy, ...]:
    return policies_of(principal.arn) if principal.has_role else (_EVERYTHING,)


def _session_policies(principal: Principal) -> tuple[Policy, ...] | None:
    return None if principal.policies is None else tuple(read(each, "session policy") for each in principal.policies)


def resource_keys(account: str, region: str) -> Conditions:
    """Return the global condition keys of a request by somebody without credentials."""
    callers = ("aws:PrincipalAccount", "aws:PrincipalArn", "aws:userid")
    nobody = _global_keys(ANONYMOUS, _identity(ANONYMOUS), account, region)
    return {name: value for name, value in nobody.items() if name not in callers} | {"aws:PrincipalType": "Anonymous"}


def _identity(principal: Principal) -> Identity:
    return Identity(frozenset({principal.arn}), principal.account, principal.session_arn)


def _global_keys(principal: Principal, identity: Identity, account: str, region: str) -> Conditions:
    return {
        "aws:CurrentTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "aws:EpochTime": str(int(time.time())),
        "aws:PrincipalAccount": identity.account,
        "aws:PrincipalArn": principal.arn,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": "User" if not principal.has_role else "AssumedRole",
        "aws:RequestedRegion": region,
        "aws:ResourceAccount": account,
        "aws:SecureTransport": "true",  # the emulator has no TLS, but stands for an endpoint that has
        "aws:SourceIp": "127.0.0.1",
        "aws:ViaAWSService": "false",
        "aws:userid": principal.id.removeprefix("AWS:"),
    }


def _message(principal: Principal, context: RequestContext, decision: Decision) -> str:
    quote = '"' if context.action.startswith("s3:") else ""
    who, what = principal.session_arn, f"{context.action} on resource: {quote}{context.resource}{quote}"
    return f"User: {who} is not authorized to perform: {what} {decision.reason(context.action)}"
