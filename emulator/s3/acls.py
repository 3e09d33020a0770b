"""ACLs. New objects are private, copies included, whatever ACL the source has.

A bucket with BucketOwnerEnforced, the default, refuses ACLs with AccessControlListNotSupported. The exception is
`bucket-owner-full-control` on a write, which has no effect there.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
"""

from __future__ import annotations

from typing import Any

from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeAcl, FakeBucket, FakeGrant, FakeGrantee, get_canned_acl

from emulator.calls.answers import Answer, S3Error, Xml, malformed_xml, s3_answer
from emulator.s3 import event_records
from emulator.s3.histories import get_live_version, lock, version_id_header
from emulator.s3.requests import Request

ENFORCED = "BucketOwnerEnforced"
OWNER = {"ID": "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"}
_PERMISSIONS = {
    "full-control": "FULL_CONTROL",
    "read": "READ",
    "read-acp": "READ_ACP",
    "write": "WRITE",
    "write-acp": "WRITE_ACP",
}
_XSI = "http://www.w3.org/2001/XMLSchema-instance"


def is_enforced(bucket: FakeBucket) -> bool:
    """Return whether ACLs are disabled: the bucket owner owns every object."""
    return str(bucket.ownership_rule) == ENFORCED


def of_request(request: Request, bucket: FakeBucket) -> FakeAcl:
    """Return the ACL of the object that a request writes. Raises AccessControlListNotSupported."""
    requested = _from_headers(request)
    if requested is not None and is_enforced(bucket):
        if request.header("x-amz-acl") == "bucket-owner-full-control":
            return get_canned_acl("private")
        raise _not_supported()
    return requested or get_canned_acl("private")


def _not_supported() -> S3Error:
    return S3Error(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")


def _from_headers(request: Request) -> FakeAcl | None:
    canned = request.header("x-amz-acl")
    grants = [
        FakeGrant([grantee], [_PERMISSIONS[name]])
        for name in _PERMISSIONS
        for grantee in _grantees(request.header(f"x-amz-grant-{name}") or "")
    ]
    if canned and grants:
        raise S3Error(400, "InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
    if not canned:
        return FakeAcl(grants) if grants else None
    try:
        return get_canned_acl(canned)
    except (AssertionError, S3ClientError):
        raise S3Error(400, "InvalidArgument", "", ArgumentName="x-amz-acl", ArgumentValue=canned) from None


def _grantees(header: str) -> list[FakeGrantee]:
    pairs = [each.strip().partition("=") for each in header.split(",") if each.strip()]
    values = [(kind.strip().lower(), value.strip().strip('"')) for kind, _, value in pairs]
    return [FakeGrantee(grantee_id=value) if kind == "id" else FakeGrantee(uri=value) for kind, value in values]


def _from_xml(request: Request) -> FakeAcl:
    grants = (request.xml("AccessControlPolicy", "Grant").get("AccessControlList") or {}).get("Grant", [])
    try:
        return FakeAcl([FakeGrant([_grantee(grant["Grantee"])], [grant["Permission"]]) for grant in grants])
    except (KeyError, TypeError):
        raise malformed_xml("MalformedACLError") from None


def _grantee(element: dict[str, Any]) -> FakeGrantee:
    return FakeGrantee(element.get("ID") or "", element.get("URI") or "", element.get("DisplayName") or "")


def put_object_acl(request: Request) -> Answer:
    """PutObjectAcl."""
    bucket = request.bucket
    if is_enforced(bucket):
        raise _not_supported()
    acl = _from_headers(request) or _from_xml(request)
    with lock(bucket):
        version = get_live_version(bucket, request.key, request.version_id, request.method)
        version.change(acl=acl)
    event_records.announce("ObjectAcl:Put", bucket, version)
    return Answer(200, version_id_header(bucket, version))


def get_object_acl(request: Request) -> Answer:
    """GetObjectAcl."""
    version = request.get_version()
    grants = "".join(
        f"<Grant>{_grantee_xml(grantee)}<Permission>{permission}</Permission></Grant>"
        for grant in version.attributes.acl.grants
        for grantee in grant.grantees
        for permission in grant.permissions
    )
    policy = {"Owner": OWNER, "AccessControlList": Xml(grants)}
    return s3_answer("AccessControlPolicy", policy, version_id_header(request.bucket, version))


def _grantee_xml(grantee: FakeGrantee) -> str:
    element = f"<URI>{grantee.uri}</URI>" if grantee.uri else f"<ID>{grantee.id}</ID>"
    return f'<Grantee xmlns:xsi="{_XSI}" xsi:type="{grantee.type}">{element}</Grantee>'
