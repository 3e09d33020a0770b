"""ACLs of objects and buckets. New objects are private, copies included, whatever ACL the source has.

A bucket with BucketOwnerEnforced, the default, refuses ACLs with AccessControlListNotSupported. The exception is
`bucket-owner-full-control` on a write, which has no effect there. An ACL that is wrong in itself is refused first.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html
"""

from __future__ import annotations

from moto.s3.models import FakeAcl, FakeBucket

from emulator.calls.answers import Answer, S3Error, s3_answer
from emulator.s3 import event_records, owners, public_access
from emulator.s3.acl_documents import Owners, as_xml, from_headers, from_request
from emulator.s3.histories import find, get_live_version, lock, version_id_header
from emulator.s3.owners import FULL_CONTROL_TO_BUCKET_OWNER, is_enforced
from emulator.s3.requests import Request
from emulator.s3.versions import Version


def of_request(request: Request, bucket: FakeBucket) -> FakeAcl:
    """Return the ACL of the object that a request writes. Raises AccessControlListNotSupported."""
    account = owners.of_write(request, bucket)
    requested = from_headers(request, Owners(account, bucket.account_id))
    if requested is not None and is_enforced(bucket):
        if request.header("x-amz-acl") == FULL_CONTROL_TO_BUCKET_OWNER:
            return owners.full_control(account)
        raise _not_supported()
    if requested is not None:
        public_access.check_acl(request.call, bucket, requested, "s3:PutObject")
    return requested or owners.full_control(account)


def _not_supported() -> S3Error:
    return S3Error(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")


def put_object_acl(request: Request) -> Answer:
    """PutObjectAcl: an event only if the ACL changes, as recorded. A current delete marker is MethodNotAllowed."""
    bucket = request.bucket
    entry = find(bucket, request.key, request.version_id)
    account = owners.of_entry(bucket, entry) if entry else bucket.account_id
    acl = from_request(request, Owners(account, bucket.account_id))
    if is_enforced(bucket):
        raise _not_supported()
    public_access.check_acl(request.call, bucket, acl, "s3:PutObjectAcl")
    with lock(bucket):
        version = get_live_version(bucket, request.key, request.version_id, request.method)
        changes = as_xml(acl, account) != as_xml(version.attributes.acl, account)
        version.change(acl=acl)
    if changes:
        event_records.announce("ObjectAcl:Put", bucket, version)
    return Answer(200, version_id_header(bucket, version))


def get_object_acl(request: Request) -> Answer:
    """GetObjectAcl."""
    bucket, version = request.bucket, request.get_version()
    content = as_xml(_acl_of(bucket, version), owners.of_entry(bucket, version))
    return s3_answer("AccessControlPolicy", content, version_id_header(bucket, version))


def _acl_of(bucket: FakeBucket, version: Version) -> FakeAcl:
    """Return the ACL of an object. Where ACLs are disabled, the bucket owner has full control, whatever it was."""
    return owners.full_control(bucket.account_id) if is_enforced(bucket) else version.attributes.acl


def put_bucket_acl(request: Request) -> Answer:
    """PutBucketAcl."""
    bucket = request.bucket
    acl = from_request(request, Owners(bucket.account_id, bucket.account_id))
    if is_enforced(bucket):
        raise _not_supported()
    public_access.check_acl(request.call, bucket, acl, "s3:PutBucketAcl")
    bucket.set_acl(acl)
    return Answer(200, {})


def get_bucket_acl(request: Request) -> Answer:
    """GetBucketAcl."""
    account = request.bucket.account_id
    return s3_answer("AccessControlPolicy", as_xml(request.bucket.acl or owners.full_control(account), account))
