"""CreateBucket and DeleteBucket: the name, the Region, the tags, and who owns the objects of a bucket.

What AWS answers to each was recorded. A bucket that is created again in us-east-1 stays as it is, anywhere else it is
BucketAlreadyOwnedByYou; a name that another account uses is BucketAlreadyExists. Separate from buckets, which change
once they are there.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ensure-object-ownership.html
"""

from __future__ import annotations

import re
from typing import Any

from moto.s3.models import FakeAcl, FakeBucket, S3Backend, s3_backends

from emulator.calls.answers import Answer, S3Error, malformed_xml, s3_answer
from emulator.s3 import public_access
from emulator.s3.acl_documents import Owners, from_headers
from emulator.s3.histories import find_bucket
from emulator.s3.owners import ENFORCED, PREFERRED, canonical_id, full_control
from emulator.s3.requests import Request
from emulator.s3.tagging import tags_of_xml
from emulator.state import active

OWNERSHIPS = (ENFORCED, PREFERRED, "ObjectWriter")
_OWNERSHIP_HEADER = "x-amz-object-ownership"
_NAME = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]")
_OLD_NAMES = {"EU": "eu-west-1"}
_DEFAULT = "us-east-1"


def create_bucket(request: Request) -> Answer:
    """CreateBucket. Raises InvalidBucketName, and errors about Region, ownership, ACL and tags."""
    name = request.call.bucket or ""
    configuration = request.xml("CreateBucketConfiguration", "Tag") if request.body else {}
    region = _region(request, configuration.get("LocationConstraint"))
    account = request.call.principal.account
    ownership, acl = _ownership(request), from_headers(request, Owners(account, account)) or full_control(account)
    if (ownership or active().new_buckets.ownership) == ENFORCED and _grants_to_others(acl, account):
        raise _no_acls()
    if active().new_buckets.block_public_access and public_access.grants_public_access(acl):
        message = "Bucket cannot have public ACLs set with BlockPublicAccess enabled"
        raise S3Error(400, "InvalidBucketAclWithBlockPublicAccessError", message)
    tags = tags_of_xml(configuration.get("Tags"))
    bucket = find_bucket(name)
    if bucket is None:
        bucket = _create(request, name, region, ownership)
        bucket.__dict__["location"] = configuration.get("LocationConstraint")
        if tags:
            _backend(bucket.account_id).put_bucket_tagging(name, tags)
    elif bucket.account_id != account:
        message = (
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
            "Please select a different name and try again."
        )
        raise S3Error(409, "BucketAlreadyExists", message, BucketName=name)
    elif region != _DEFAULT or bucket.region_name != _DEFAULT or tags:
        message = "Your previous request to create the named bucket succeeded and you already own it."
        raise S3Error(409, "BucketAlreadyOwnedByYou", message, BucketName=name)
    bucket.set_acl(acl)
    location = f"/{name}" if region == _DEFAULT else f"http://{name}.s3.amazonaws.com/"
    return Answer(200, {"Location": location, "x-amz-bucket-arn": f"arn:aws:s3:::{name}"})


def _create(request: Request, name: str, region: str, ownership: str | None) -> FakeBucket:
    if not _NAME.fullmatch(name):
        raise S3Error(400, "InvalidBucketName", "The specified bucket is not valid.", BucketName=name)
    bucket: FakeBucket = _backend(request.call.principal.account).create_bucket(name, region)
    if ownership:
        bucket.ownership_rule = ownership  # type: ignore[assignment] # moto stores a string and declares a dict
    if request.header_is("x-amz-bucket-object-lock-enabled", "true"):
        bucket.object_lock_enabled, bucket.versioning_status = True, "Enabled"
    return bucket


def _backend(account: str) -> S3Backend:
    return s3_backends[account]["aws"]


def delete_bucket(request: Request) -> Answer:
    """DeleteBucket. Raises BucketNotEmpty, also if there is nothing but delete markers."""
    bucket = request.bucket
    if bucket.keys:
        versions = "" if bucket.versioning_status is None else ". You must delete all versions in the bucket."
        message = f"The bucket you tried to delete is not empty{versions}"
        raise S3Error(409, "BucketNotEmpty", message, BucketName=bucket.name)
    backend = _backend(bucket.account_id)
    backend.delete_bucket_tagging(bucket.name)  # else the next bucket of this name would have them
    backend.delete_bucket(bucket.name)
    return Answer(204, {})


def get_bucket_location(request: Request) -> Answer:
    """GetBucketLocation: the constraint that the bucket was created with, nothing for us-east-1."""
    bucket = request.bucket
    constraint = bucket.__dict__.get("location") or ("" if bucket.region_name == _DEFAULT else bucket.region_name)
    return s3_answer("LocationConstraint", constraint)


def _region(request: Request, constraint: str | None) -> str:
    """Return the Region of the bucket: only in us-east-1 may it be another than that of the request."""
    here = request.call.region
    if here == _DEFAULT:
        if constraint == _DEFAULT or (constraint and not re.fullmatch(r"EU|[a-z]{2}(-[a-z]+)+-\d", constraint)):
            message = "The specified location-constraint is not valid"
            raise S3Error(400, "InvalidLocationConstraint", message, LocationConstraint=constraint)
        return _OLD_NAMES.get(constraint or "", constraint or _DEFAULT)
    if constraint is None or _OLD_NAMES.get(constraint, constraint) != here:
        message = (
            f"The {constraint or 'unspecified'} location constraint is incompatible for the region specific endpoint "
            "this request was sent to."
        )
        raise S3Error(400, "IllegalLocationConstraintException", message)
    return here


def _ownership(request: Request) -> str | None:
    """Return the ownership that the request asks for; None for that of every new bucket."""
    ownership = request.header(_OWNERSHIP_HEADER)
    if ownership is not None and ownership not in OWNERSHIPS:
        message = f"Invalid {_OWNERSHIP_HEADER} header: {ownership}"
        raise S3Error(400, "InvalidArgument", message, ArgumentName=_OWNERSHIP_HEADER)
    return ownership


def _grants_to_others(acl: FakeAcl | None, account: str) -> bool:
    own = canonical_id(account)
    return acl is not None and any(each.id != own for grant in acl.grants for each in grant.grantees)


def _no_acls() -> S3Error:
    message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
    return S3Error(400, "InvalidBucketAclWithObjectOwnership", message)


def put_bucket_ownership_controls(request: Request) -> Answer:
    """PutBucketOwnershipControls. ACLs can be disabled only in a bucket whose own ACL grants nothing to others."""
    bucket: FakeBucket = request.bucket
    rules = request.xml("OwnershipControls", "Rule").get("Rule", [])
    if len(rules) != 1 or not isinstance(rules[0], dict) or rules[0].get("ObjectOwnership") not in OWNERSHIPS:
        raise malformed_xml()
    ownership: Any = rules[0]["ObjectOwnership"]
    if ownership == ENFORCED and _grants_to_others(bucket.acl, bucket.account_id):
        raise _no_acls()
    bucket.ownership_rule = ownership
    return Answer(200, {})


def get_bucket_ownership_controls(request: Request) -> Answer:
    """GetBucketOwnershipControls. Raises OwnershipControlsNotFoundError."""
    bucket = request.bucket
    if not bucket.ownership_rule:
        message = "The bucket ownership controls were not found"
        raise S3Error(404, "OwnershipControlsNotFoundError", message, BucketName=bucket.name)
    return s3_answer("OwnershipControls", {"Rule": {"ObjectOwnership": str(bucket.ownership_rule)}})


def delete_bucket_ownership_controls(request: Request) -> Answer:
    """DeleteBucketOwnershipControls: then objects belong to those who write them, as before 2021."""
    request.bucket.ownership_rule = None
    return Answer(204, {})
