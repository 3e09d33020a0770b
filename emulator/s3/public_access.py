"""S3 Block Public Access of a bucket: public ACLs and policies that are refused, or not followed.

All four settings are on in a new bucket. There is no setting for the whole account.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
"""

from __future__ import annotations

from typing import Literal

from moto.s3.models import FakeAcl, FakeBucket, PublicAccessBlock

from emulator.calls.answers import S3Error
from emulator.calls.call import Call
from emulator.iam.policies import read
from emulator.iam.public import is_public, is_public_group

Setting = Literal["block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets"]


def of_new_bucket() -> PublicAccessBlock:
    """Return the settings of a new bucket."""
    return PublicAccessBlock("true", "true", "true", "true")


def is_on(bucket: FakeBucket, setting: Setting) -> bool:
    """Return whether a setting is on in a bucket."""
    return bucket.public_access_block is not None and bool(getattr(bucket.public_access_block, setting))


def grants_public_access(acl: FakeAcl) -> bool:
    """Return whether an ACL grants something to everybody, or to everybody with an AWS account."""
    return any(is_public_group(grantee.uri) for grant in acl.grants for grantee in grant.grantees)


def has_public_policy(bucket: FakeBucket) -> bool:
    """Return whether a bucket has a policy, and a public one."""
    return bucket.policy is not None and is_public(read(bytes(bucket.policy).decode()))


def is_restricted(bucket: FakeBucket) -> bool:
    """Return whether a bucket has a public policy and admits nobody but its own account because of it."""
    return is_on(bucket, "restrict_public_buckets") and has_public_policy(bucket)


def check_acl(call: Call, bucket: FakeBucket, acl: FakeAcl, action: str) -> None:
    """Raise AccessDenied for a public ACL where the bucket blocks these."""
    if is_on(bucket, "block_public_acls") and grants_public_access(acl):
        raise _prevented(call, action, "public access control lists (ACLs)", "BlockPublicAcls")


def check_policy(call: Call, bucket: FakeBucket, policy: bytes) -> None:
    """Raise AccessDenied for a public policy where the bucket blocks these."""
    if is_on(bucket, "block_public_policy") and is_public(read(policy.decode())):
        raise _prevented(call, "s3:PutBucketPolicy", "public policies", "BlockPublicPolicy")


def _prevented(call: Call, action: str, what: str, setting: str) -> S3Error:
    resource = f"arn:aws:s3:::{call.bucket}" + (f"/{call.key}" if call.key else "")
    who = call.principal.session_arn
    why = f"because {what} are prevented by the {setting} setting in S3 Block Public Access"
    return S3Error(
        403, "AccessDenied", f"User: {who} is not authorized to perform: {action} on resource: {resource} {why}"
    )
