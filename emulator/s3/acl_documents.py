"""ACLs as requests and answers write them: a canned one, grants in headers, or an AccessControlPolicy.

What AWS answers to each that it does not take was recorded. Separate from acls, which know which object or bucket
an ACL belongs to.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeAcl, FakeGrant, FakeGrantee, get_canned_acl

from emulator.calls.answers import S3Error, Xml, malformed_xml
from emulator.s3.owners import FULL_CONTROL_TO_BUCKET_OWNER, canonical_id, full_control
from emulator.s3.owners import as_xml as owner_as_xml
from emulator.s3.requests import Request

_PERMISSIONS = {
    "full-control": "FULL_CONTROL",
    "read": "READ",
    "read-acp": "READ_ACP",
    "write": "WRITE",
    "write-acp": "WRITE_ACP",
}
_TO_BUCKET_OWNER = {"bucket-owner-read": "READ", FULL_CONTROL_TO_BUCKET_OWNER: "FULL_CONTROL"}
_GROUPS = frozenset(
    f"http://acs.amazonaws.com/groups/{name}"
    for name in ("global/AllUsers", "global/AuthenticatedUsers", "s3/LogDelivery")
)
_CANONICAL_ID = re.compile(r"[0-9a-f]{64}")
_XSI = "http://www.w3.org/2001/XMLSchema-instance"


class Owners(NamedTuple):
    """The accounts that own an object, or a bucket, and the bucket."""

    account: str
    of_bucket: str


def from_headers(request: Request, owners: Owners) -> FakeAcl | None:
    """Return the canned ACL or the grants in the headers; None without either. Raises InvalidArgument and others."""
    canned = request.header("x-amz-acl")
    grants = [
        FakeGrant([grantee], [_PERMISSIONS[name]])
        for name in _PERMISSIONS
        for grantee in _grantees(f"x-amz-grant-{name}", request.header(f"x-amz-grant-{name}") or "")
    ]
    if canned and grants:
        raise S3Error(400, "InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
    if not canned:
        return FakeAcl(grants) if grants else None
    try:
        return _canned(canned, owners)
    except (AssertionError, S3ClientError):
        raise _invalid("", "x-amz-acl", canned) from None


def _canned(name: str, owners: Owners) -> FakeAcl:
    """Return a canned ACL. moto knows one owner, and no bucket owner beside it."""
    _, *grants = get_canned_acl(name).grants
    if owners.of_bucket != owners.account and name in _TO_BUCKET_OWNER:
        grants.append(FakeGrant([FakeGrantee(grantee_id=canonical_id(owners.of_bucket))], [_TO_BUCKET_OWNER[name]]))
    return FakeAcl([*full_control(owners.account).grants, *grants])


def _grantees(name: str, header: str) -> list[FakeGrantee]:
    return [_grantee_in_header(name, each.strip()) for each in header.split(",") if each.strip()]


def _grantee_in_header(name: str, text: str) -> FakeGrantee:
    kind, _, quoted = text.partition("=")
    value = quoted.strip().strip('"')
    match kind.strip().lower():
        case "id":
            return _canonical_user("id", value)
        case "uri":
            return _group("uri", value)
        case "emailaddress":
            raise _unknown_address()
    raise _invalid("Argument format not recognized", name, text)


def _canonical_user(name: str, value: str) -> FakeGrantee:
    if not _CANONICAL_ID.fullmatch(value):
        raise _invalid("Invalid id", name, value)
    return FakeGrantee(grantee_id=value)


def _group(name: str, value: str) -> FakeGrantee:
    if value not in _GROUPS:
        raise _invalid("Invalid group uri", name, value)
    return FakeGrantee(uri=value)


def _unknown_address() -> S3Error:
    """Return the error for an e-mail address: the emulator's accounts have none."""
    message = "The e-mail address you provided does not match any account on record."
    return S3Error(400, "UnresolvableGrantByEmailAddress", message)


def _invalid(message: str, name: str, value: str) -> S3Error:
    return S3Error(400, "InvalidArgument", message, ArgumentName=name, ArgumentValue=value)


def from_request(request: Request, owners: Owners) -> FakeAcl:
    """Return the ACL in the headers or in the body of PutObjectAcl and PutBucketAcl."""
    acl = from_headers(request, owners)
    if acl is not None and request.body:
        raise S3Error(400, "UnexpectedContent", "This request does not support content")
    if acl is None and not request.body:
        message = "Your request was missing a required header"
        raise S3Error(400, "MissingSecurityHeader", message, MissingHeaderName="x-amz-acl")
    return acl or _from_xml(request, owners.account)


def _from_xml(request: Request, account: str) -> FakeAcl:
    policy = request.xml("AccessControlPolicy", "Grant")
    try:
        owner, grants = policy["Owner"]["ID"], (policy.get("AccessControlList") or {}).get("Grant", [])
        permissions = [grant["Permission"] for grant in grants]
        grantees = [grant["Grantee"] for grant in grants]
    except (KeyError, TypeError):
        raise malformed_xml("MalformedACLError") from None
    if not set(permissions) <= set(_PERMISSIONS.values()):
        raise malformed_xml("MalformedACLError")
    if _canonical_user("CanonicalUser/ID", str(owner)).id != canonical_id(account):
        raise S3Error(403, "AccessDenied", "Access Denied")
    pairs = zip(grantees, permissions, strict=True)
    return FakeAcl([FakeGrant([_grantee(grantee)], [permission]) for grantee, permission in pairs])


def _grantee(element: dict[str, Any]) -> FakeGrantee:
    match element.get("@xsi:type"):
        case "CanonicalUser":
            return _canonical_user("CanonicalUser/ID", str(element.get("ID")))
        case "Group":
            return _group("Group/URI", str(element.get("URI")))
        case "AmazonCustomerByEmail":
            raise _unknown_address()
    raise malformed_xml("MalformedACLError")


def as_xml(acl: FakeAcl, account: str) -> dict[str, Any]:
    """Return the content of an AccessControlPolicy: each permission of each grantee is a grant of its own.

    `account` owns the object or the bucket.
    """
    grants = "".join(
        f"<Grant>{_grantee_xml(grantee)}<Permission>{permission}</Permission></Grant>"
        for grant in acl.grants
        for grantee in grant.grantees
        for permission in grant.permissions
    )
    return {"Owner": owner_as_xml(account), "AccessControlList": Xml(grants)}


def _grantee_xml(grantee: FakeGrantee) -> str:
    element = f"<URI>{grantee.uri}</URI>" if grantee.uri else f"<ID>{grantee.id}</ID>"
    return f'<Grantee xmlns:xsi="{_XSI}" xsi:type="{grantee.type}">{element}</Grantee>'
