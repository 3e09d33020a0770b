"""ACLs of objects and buckets. New objects are private, copies included, whatever ACL the source has.

A bucket with BucketOwnerEnforced, the default, refuses ACLs with AccessControlListNotSupported. The exception is
`bucket-owner-full-control` on a write, which has no effect there. An ACL that is wrong in itself is refused first.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html
"""

from __future__ import annotations

from moto.s3.models import FakeAcl, FakeBucket, get_canned_acl

from emulator.calls.answers import Answer, S3Error, s3_answer
from emulator.s3 import event_records, public_access
from emulator.s3.acl_documents import OWNER, as_xml, from_headers, from_request
from emulator.s3.histories import get_live_version, lock, version_id_header
from emulator.s3.requests import Request

__all__ = [
    "ENFORCED",
    "OWNER",
    "get_bucket_acl",
    "get_object_acl",
    "of_request",
    "put_bucket_acl",
    "put_object_acl",
]

ENFORCED = "BucketOwnerEnforced"


def is_enforced(bucket: FakeBucket) -> bool:
    """Return whether ACLs are disabled: the bucket owner owns every object."""
    return str(bucket.ownership_rule) == ENFORCED


def of_request(request: Request, bucket: FakeBucket) -> FakeAcl:
    """Return the ACL of the object that a request writes. Raises AccessControlListNotSupported."""
    requested = from_headers(request)
    if requested is not None and is_enforced(bucket):
        if request.header("x-amz-acl") == "bucket-owner-full-control":
            return get_canned_acl("private")
        raise _not_supported()
    if requested is not None:
        public_access.check_acl(request.call, bucket, requested, "s3:PutObject")
    return requested or get_canned_acl("private")


def _not_supported() -> S3Error:
    return S3Error(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")


def put_object_acl(request: Request) -> Answer:
    """PutObjectAcl: an event only if the ACL changes, as recorded. A current delete marker is MethodNotAllowed."""
    bucket, acl = request.bucket, from_request(request)
    if is_enforced(bucket):
        raise _not_supported()
    public_access.check_acl(request.call, bucket, acl, "s3:PutObjectAcl")
    with lock(bucket):
        version = get_live_version(bucket, request.key, request.version_id, request.method)
        changes = as_xml(acl) != as_xml(version.attributes.acl)
        version.change(acl=acl)
    if changes:
        event_records.announce("ObjectAcl:Put", bucket, version)
    return Answer(200, version_id_header(bucket, version))


def get_object_acl(request: Request) -> Answer:
    """GetObjectAcl."""
    version = request.get_version()
    headers = version_id_header(request.bucket, version)
    return s3_answer("AccessControlPolicy", as_xml(version.attributes.acl), headers)


def put_bucket_acl(request: Request) -> Answer:
    """PutBucketAcl."""
    bucket, acl = request.bucket, from_request(request)
    if is_enforced(bucket):
        raise _not_supported()
    public_access.check_acl(request.call, bucket, acl, "s3:PutBucketAcl")
    bucket.set_acl(acl)
    return Answer(200, {})


def get_bucket_acl(request: Request) -> Answer:
    """GetBucketAcl."""
    return s3_answer("AccessControlPolicy", as_xml(request.bucket.acl or get_canned_acl("private")))
