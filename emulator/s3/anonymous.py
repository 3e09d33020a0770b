"""What somebody without credentials may do: what the bucket's policy or an ACL allows to everybody.

Both are followed only as far as Block Public Access lets them be. Where ACLs are disabled they allow nothing. An
explicit Deny of the policy overrides an ACL.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-s3-evaluates-access-control.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

from collections.abc import Mapping

from moto.s3.models import FakeAcl, FakeBucket

from emulator.iam.evaluation import evaluate
from emulator.iam.policies import Identity, RequestContext, read
from emulator.iam.public import ALL_USERS
from emulator.s3 import public_access
from emulator.s3.acls import is_enforced
from emulator.s3.versions import Version
from emulator.services.authorization import Conditions

DENIED = "Access Denied"
_NOBODY = "anonymous"  # no account: what names one does not name this caller
# permission of an ACL -> the actions that it allows on an object, and on a bucket
_ON_OBJECT: Mapping[str, frozenset[str]] = {
    "READ": frozenset({"s3:GetObject", "s3:GetObjectVersion"}),
    "READ_ACP": frozenset({"s3:GetObjectAcl", "s3:GetObjectVersionAcl"}),
    "WRITE_ACP": frozenset({"s3:PutObjectAcl", "s3:PutObjectVersionAcl"}),
}
_ON_BUCKET: Mapping[str, frozenset[str]] = {
    "READ": frozenset({"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"}),
    "WRITE": frozenset({"s3:PutObject", "s3:DeleteObject"}),
    "READ_ACP": frozenset({"s3:GetBucketAcl"}),
    "WRITE_ACP": frozenset({"s3:PutBucketAcl"}),
}


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
    return None if _acl_allows(bucket, version, action) else DENIED


def _acl_allows(bucket: FakeBucket, version: Version | None, action: str) -> bool:
    if is_enforced(bucket) or public_access.is_on(bucket, "ignore_public_acls"):
        return False
    if version is not None and _grants(version.attributes.acl, action, _ON_OBJECT):
        return True
    if version is None and action in _ON_OBJECT["READ"]:  # whoever may list the bucket may know what is missing
        action = "s3:ListBucket"
    return _grants(bucket.acl, action, _ON_BUCKET)


def _grants(acl: FakeAcl | None, action: str, allowed: Mapping[str, frozenset[str]]) -> bool:
    permissions = [
        permission
        for grant in (acl.grants if acl else ())
        for grantee in grant.grantees
        if grantee.uri == ALL_USERS
        for permission in grant.permissions
    ]
    if "FULL_CONTROL" in permissions:
        return any(action in actions for actions in allowed.values())
    return any(action in allowed.get(permission, ()) for permission in permissions)
