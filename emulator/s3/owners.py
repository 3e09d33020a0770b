"""Who owns an object: the account that wrote it, or the bucket's, as the bucket's Object Ownership says.

With BucketOwnerEnforced it is always the bucket's. With BucketOwnerPreferred it is the bucket's for what was written
with the canned ACL bucket-owner-full-control. What somebody without credentials wrote counts as the bucket owner's.
Separate from ACLs, because listings and access checks need owners too. S3 names an owner by the canonical user id of
its account.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#specifying-grantee
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from moto.s3.models import OWNER as _OF_DEFAULT_ACCOUNT
from moto.s3.models import FakeAcl, FakeBucket, FakeGrant, FakeGrantee

from emulator.iam.principals import ACCOUNT
from emulator.s3.requests import Request
from emulator.s3.versions import Entry, Marker

ENFORCED, PREFERRED = "BucketOwnerEnforced", "BucketOwnerPreferred"
FULL_CONTROL_TO_BUCKET_OWNER = "bucket-owner-full-control"


def is_enforced(bucket: FakeBucket) -> bool:
    """Return whether ACLs are disabled: the bucket owner owns every object."""
    return str(bucket.ownership_rule) == ENFORCED


def of_write(request: Request, bucket: FakeBucket) -> str:
    """Return the account that will own what a request writes."""
    given = request.header("x-amz-acl") == FULL_CONTROL_TO_BUCKET_OWNER
    taken = is_enforced(bucket) or (given and str(bucket.ownership_rule) == PREFERRED)
    return bucket.account_id if taken else request.call.principal.account or bucket.account_id


def of_entry(bucket: FakeBucket, entry: Entry) -> str:
    """Return the account that owns a version or a delete marker now."""
    owner = entry.owner if isinstance(entry, Marker) else entry.attributes.owner
    return bucket.account_id if is_enforced(bucket) or not owner else owner


@cache
def canonical_id(account: str) -> str:
    """Return the canonical user id of an account: 64 hexadecimal digits."""
    return _OF_DEFAULT_ACCOUNT if account == ACCOUNT else sha256(f"canonical user {account}".encode()).hexdigest()


def as_xml(account: str) -> dict[str, str]:
    """Return the content of an Owner element."""
    return {"ID": canonical_id(account)}


def full_control(account: str) -> FakeAcl:
    """Return the ACL that is private to an account."""
    return FakeAcl([FakeGrant([FakeGrantee(grantee_id=canonical_id(account))], ["FULL_CONTROL"])])
