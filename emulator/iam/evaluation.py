"""Whether a request is allowed: by the identity policies of its caller and the policy of the resource.

Values in, a decision out, with the statement that decided. An explicit Deny overrides every Allow, and what no
statement allows is denied.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from emulator.iam.policies import Identity, Named, Policy, RequestContext, Statement, applies, names_principal

Kind = Literal["identity-based", "resource-based", "session"]


@dataclass(frozen=True)
class Decision:
    """Whether a request is allowed, and which statement of which kind of policy decided; none for an implicit deny.

    For an implicit deny, `kind` is the kind of policy that lacks an Allow.
    """

    allowed: bool
    kind: Kind
    statement: Statement | None = None
    policy: str = ""

    @property
    def is_explicit_deny(self) -> bool:
        """Return whether a Deny statement decided."""
        return not self.allowed and self.statement is not None

    def reason(self, action: str) -> str:
        """Return why a request is denied, in the words of AWS's error messages."""
        if self.is_explicit_deny:
            article = "an" if self.kind == "identity-based" else "a"
            return f"with an explicit deny in {article} {self.kind} policy"
        return f"because no {self.kind} policy allows the {action} action"


def evaluate(
    request: RequestContext,
    identity: Iterable[Policy],
    resource: Policy | None = None,
    *,
    of_key: bool = False,
    session: Iterable[Policy] | None = None,
) -> Decision:
    """Decide about a request with the caller's identity policies and the resource's policy, None if it has none.

    Within an account either may allow it. From another account both must; and so must the policy of a KMS key always
    (`of_key`), which may leave the decision to identity policies by naming the account. Session policies must allow it
    too, unless the resource's policy names the session itself; None if there are none.
    """
    limits = () if session is None else tuple(session)
    found = list(_applying(request, identity, limits, resource))
    denying = [each for each in found if each.statement["Effect"] == "Deny"]
    if denying:
        return _decision(denying[0], allowed=False)
    by_identity = next((each for each in found if each.kind == "identity-based"), None)
    by_resource = [each for each in found if each.kind == "resource-based"]
    direct = next((each for each in by_resource if each.named in ("itself", "session")), None)
    same_account = not isinstance(request.principal, Identity) or request.principal.account == request.account
    within = session is None or any(each.kind == "session" for each in found)
    if not within and not (same_account and any(each.named == "session" for each in by_resource)):
        return Decision(allowed=False, kind="session")
    if direct and (same_account or by_identity):
        return _decision(direct, allowed=True)
    if by_identity and (by_resource or (same_account and not of_key)):
        return _decision(by_identity, allowed=True)
    return Decision(allowed=False, kind="resource-based" if by_identity else "identity-based")


@dataclass(frozen=True)
class _Applying:
    kind: Kind
    named: Named
    policy: Policy
    statement: Statement


def _applying(
    request: RequestContext, identity: Iterable[Policy], session: Iterable[Policy], resource: Policy | None
) -> Iterator[_Applying]:
    yield from _of_caller("identity-based", request, identity)
    yield from _of_caller("session", request, session)
    for statement in resource.statements if resource else ():
        named = names_principal(statement, request)
        if resource and named and applies(statement, request):
            yield _Applying("resource-based", named, resource, statement)


def _of_caller(kind: Kind, request: RequestContext, policies: Iterable[Policy]) -> Iterator[_Applying]:
    for policy in policies:
        for statement in policy.statements:
            if applies(statement, request):
                yield _Applying(kind, "itself", policy, statement)


def _decision(by: _Applying, *, allowed: bool) -> Decision:
    return Decision(allowed, by.kind, by.statement, by.policy.name)
