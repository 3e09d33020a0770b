"""What the ACLs of a bucket and of an object allow to somebody, as actions of policies.

Where ACLs are disabled they allow nothing, and where public ACLs are ignored nothing to groups. Separate from ACLs as
requests and answers write them.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

from collections.abc import Mapping

from moto.s3.models import FakeAcl, FakeBucket

from emulator.iam.public import ALL_USERS, AUTHENTICATED_USERS
from emulator.s3 import public_access
from emulator.s3.owners import canonical_id, is_enforced
from emulator.s3.versions import Version

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


def allow(bucket: FakeBucket, version: Version | None, action: str, account: str = "") -> bool:
    """Return whether ACLs allow an action to an account; without one, to somebody without credentials.

    `version` is the object that the request is about, if it exists.
    """
    if is_enforced(bucket):
        return False
    ignored = public_access.is_on(bucket, "ignore_public_acls")
    groups = set() if ignored else {ALL_USERS, *([AUTHENTICATED_USERS] if account else [])}
    grantees = groups | ({canonical_id(account)} if account else set())
    if version is not None and _grants(version.attributes.acl, action, _ON_OBJECT, grantees):
        return True
    if version is None and action in _ON_OBJECT["READ"]:  # whoever may list the bucket may know what is missing
        action = "s3:ListBucket"
    return _grants(bucket.acl, action, _ON_BUCKET, grantees)


def _grants(acl: FakeAcl | None, action: str, allowed: Mapping[str, frozenset[str]], grantees: set[str]) -> bool:
    permissions = [
        permission
        for grant in (acl.grants if acl else ())
        for grantee in grant.grantees
        if (grantee.uri or grantee.id) in grantees
        for permission in grant.permissions
    ]
    if "FULL_CONTROL" in permissions:
        return any(action in actions for actions in allowed.values())
    return any(action in allowed.get(permission, ()) for permission in permissions)
