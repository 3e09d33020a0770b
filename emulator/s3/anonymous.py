"""What somebody without credentials may do: what the bucket's policy or an ACL allows to everybody.

Both are followed only as far as Block Public Access lets them be. Where ACLs are disabled they allow nothing. An
explicit Deny of the policy overrides an ACL.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-s3-evaluates-access-control.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

from moto.s3.models import FakeBucket

from emulator.iam.evaluation import evaluate
from emulator.iam.policies import Identity, RequestContext, read
from emulator.s3 import acl_permissions, public_access
from emulator.s3.versions import Version
from emulator.services.authorization import Conditions

DENIED = "Access Denied"
_NOBODY = "anonymous"  # no account: what names one does not name this caller


def denial(
    bucket: FakeBucket | None, version: Version | None, action: str, resource: str, conditions: Conditions
) -> str | None:
    """Return S3's message if somebody without credentials may not do this, None if anybody may.

    `bucket` is None for what is about no bucket; `version` is the object that the request is about, if it exists.
    """
    if bucket is None:
        return DENIED
    if bucket.policy is not None:
        context = RequestContext(Identity(frozenset(), _NOBODY), action, resource, conditions, _NOBODY)
        decision = evaluate(context, (), read(bytes(bucket.policy).decode()))
        if decision.is_explicit_deny:
            return DENIED
        if decision.allowed and not public_access.is_restricted(bucket):
            return None
    return None if acl_permissions.allow(bucket, version, action) else DENIED
