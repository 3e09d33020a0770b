"""What the role of a job may do: it must be assumable by Batch Operations, read the manifest, invoke, and report.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-iam-role-policies.html
"""

from __future__ import annotations

import json

from emulator.iam.evaluation import evaluate
from emulator.iam.policies import Identity, RequestContext, Service, read
from emulator.services.iam import policies_of, trust_policy_of

SERVICE = "batchoperations.s3.amazonaws.com"


def may_assume(role: str) -> bool:
    """Return whether the role exists, and Batch Operations may assume it."""
    trust = trust_policy_of(role)
    account = role.split(":")[4]
    context = RequestContext(Service(SERVICE), "sts:AssumeRole", "*", {"aws:SourceAccount": account}, account)
    return trust is not None and evaluate(context, (), read(_with_resource(trust))).allowed


def may(role: str, action: str, resource: str, policy: bytes | None = None) -> bool:
    """Return whether the role may do this; `policy` is the resource's."""
    account = role.split(":")[4]
    identity = Identity(frozenset({role}), account)
    context = RequestContext(identity, action, resource, {"aws:PrincipalArn": role}, account)
    return evaluate(context, policies_of(role), read(policy.decode()) if policy else None).allowed


def _with_resource(trust: str) -> str:
    """Return a trust policy with the Resource that every other policy has; here it is the role itself."""
    document = json.loads(trust)
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    return json.dumps({**document, "Statement": [{**each, "Resource": "*"} for each in statements]})
