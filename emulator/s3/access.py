"""Access checks: the expected bucket owner of a request, the policies of the caller, and the bucket's policy.

What a role is not allowed is AccessDenied, as is what the bucket's policy denies to anybody, and what it does not allow
to another account. A caller that may not list the bucket does not learn which objects exist, and S3 leaves headers out
that it may not see. The policy of a bucket is its owner's affair, whatever it allows to others. Objects that belong to
another account than the bucket are read as that account and their ACL say.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-auth-workflow-object-operation.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from moto.s3.models import FakeBucket

from emulator.calls.answers import S3Error
from emulator.calls.call import Call
from emulator.iam import actions
from emulator.iam.policies import read
from emulator.iam.principals import ANONYMOUS
from emulator.s3 import acl_permissions, anonymous, owners, public_access
from emulator.s3.copy_sources import parse
from emulator.s3.histories import find, find_bucket
from emulator.s3.requests import Request
from emulator.s3.versions import Version, is_version
from emulator.services.authorization import Conditions, denial, is_evaluated, resource_keys
from emulator.state import active

_ACCOUNT_ID = re.compile(r"\d{12}")
# The bucket owner can always repair a policy.
_OF_OWNER = ("DeleteBucketPolicy", "GetBucketPolicy", "PutBucketPolicy")
_ALWAYS = ("CreateBucket", *_OF_OWNER)
# Operations about no bucket that exists.
_WITHOUT_BUCKET = ("CreateBucket", "ListBuckets")
# What the owner of an object decides about, even if the bucket is another account's.
_ACL_OF_OBJECT = frozenset({"s3:PutObjectAcl", "s3:PutObjectVersionAcl"})
_OF_OBJECT_OWNER = _ACL_OF_OBJECT | {
    f"s3:Get{what}{attribute}" for what in ("Object", "ObjectVersion") for attribute in ("", "Acl", "Attributes")
}
_EXISTENCE_IS_SECRET = ("GetObject", "GetObjectAttributes", "HeadObject")
# Headers and query parameters that are condition keys of the same name, but for the prefix.
_HEADERS_AS_KEYS = (
    *("x-amz-acl", "x-amz-copy-source", "x-amz-metadata-directive", "x-amz-object-annotation-directive"),
    *(f"x-amz-grant-{name}" for name in ("full-control", "read", "read-acp", "write", "write-acp")),
    *("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"),
    *("x-amz-server-side-encryption-customer-algorithm", "x-amz-storage-class", "x-amz-website-redirect-location"),
    *("if-match", "if-none-match"),
)
_LOCK_HEADERS_AS_KEYS = ("object-lock-mode", "object-lock-retain-until-date", "object-lock-legal-hold")
_TAG = "s3:ExistingObjectTag/"
_PARAMETERS_AS_KEYS = {"prefix": "prefix", "delimiter": "delimiter", "max-keys": "max-keys", "versionId": "versionid"}


def check(request: Request) -> None:
    """Raise AccessDenied if the bucket or the copy source has another owner than expected, or policies deny."""
    call = request.call
    _check_owner(call.bucket, request.header("x-amz-expected-bucket-owner"))
    source = _source(call)
    if _is_evaluated(call) or call.operation not in _ALWAYS:
        conditions = _conditions(request)
        versioned = request.version_id is not None
        for action in actions.of_s3(call.operation, versioned=versioned, header=request.header, source=source):
            if call.operation != "DeleteObjects":  # which are checked one by one
                _check_policies(call, call.bucket, call.key, action, conditions)
    if call.operation in _OF_OWNER and _account(call, find_bucket(call.bucket)) != call.principal.account:
        message = "The specified method is not allowed against this resource."
        raise S3Error(405, "MethodNotAllowed", message, Method=request.method, ResourceType="BUCKETPOLICY")
    if call.copy_source is not None and source is not None:
        bucket, key, _ = parse(call.copy_source)
        _check_owner(bucket, request.header("x-amz-source-expected-bucket-owner"))
        conditions = _tags(_version_of_source(call))
        for action in actions.of_s3_source(call.operation, request.header, source):
            _check_policies(call, bucket, key, action, conditions)


def check_key(request: Request, key: str, version_id: str | None) -> None:
    """Raise AccessDenied if policies deny what a call for several keys does to one of them."""
    versioned = version_id is not None
    for action in actions.of_s3(request.call.operation, versioned=versioned, header=request.header):
        _check_policies(request.call, request.call.bucket, key, action, {})


def visible(request: Request, headers: dict[str, str]) -> dict[str, str]:
    """Return those headers of an object that the caller may see."""
    if not _is_evaluated(request.call):
        return headers
    return {
        name: value
        for name, value in headers.items()
        if name not in actions.S3_HEADERS_THAT_NEED or _may_see(request, name)
    }


def _may_see(request: Request, header: str) -> bool:
    call, needed = request.call, actions.to_see(header, versioned=request.version_id is not None)
    conditions = _conditions(request)
    return not any(_denial(call, call.bucket, call.key, action, conditions) for action in needed)


def as_seen(request: Request, error: S3Error) -> S3Error:
    """Return the error as the caller sees it: who may not list a bucket gets 403 for an object that is missing."""
    call = request.call
    if error.code not in ("NoSuchKey", "NoSuchVersion") or call.operation not in _EXISTENCE_IS_SECRET:
        return error
    if _is_evaluated(call) and (message := _denial(call, call.bucket, None, "s3:ListBucket", {})):
        return denied(message)
    return error


def _check_owner(name: str | None, expected: str | None) -> None:
    if expected is not None and not _ACCOUNT_ID.fullmatch(expected):
        message = f"The value of the expected bucket owner parameter must be an AWS Account ID... [{expected}]"
        raise S3Error(400, "InvalidBucketOwnerAWSAccountID", message)
    bucket = find_bucket(name) if expected else None
    if bucket is not None and bucket.account_id != expected:
        raise S3Error(403, "AccessDenied", "Access Denied")


def _check_policies(call: Call, name: str | None, key: str | None, action: str, conditions: Conditions) -> None:
    if message := _denial(call, name, key, action, conditions):
        raise denied(message)


def denied(message: str) -> S3Error:
    """Return the error of a denied request. S3 explains it to callers of the bucket's own account.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html#access-denied-message-examples
    """
    explained = active().explains_denials
    return S3Error(403, "AccessDenied", message if explained else "Access Denied")


def _denial(call: Call, name: str | None, key: str | None, action: str, conditions: Conditions) -> str | None:
    """Return why policies deny an action. Nothing is denied in a bucket that does not exist: it is NoSuchBucket."""
    bucket = find_bucket(name) if call.operation != "CreateBucket" else None
    if bucket is None and call.operation not in _WITHOUT_BUCKET:
        return None
    resource = "*" if name is None else f"arn:aws:s3:::{name}" + ("" if key is None else f"/{key}")
    if action not in actions.S3_KNOW_TAGS:
        conditions = {name: value for name, value in conditions.items() if not name.startswith(_TAG)}
    if call.principal is ANONYMOUS:
        owner = bucket.account_id if bucket else ""
        known = {**resource_keys(owner, call.region), "s3:ResourceAccount": owner, **conditions}
        return anonymous.denial(bucket, _version(name, key, _version_id(call, name, key)), action, resource, known)
    account, version = _account(call, bucket), _concerned(call, name, key, action)
    owner = owners.of_entry(bucket, version) if bucket and version and action in _OF_OBJECT_OWNER else account
    if bucket is not None and account != call.principal.account and public_access.is_restricted(bucket):
        return anonymous.DENIED
    message = denial(
        call.principal,
        action,
        resource,
        account=owner,
        region=call.region,
        conditions={"s3:ResourceAccount": account, **conditions},
        policy=_policy(call, bucket, version, action, owner) if bucket is not None else None,
    )
    return anonymous.DENIED if message and {account, owner} != {call.principal.account} else message


def _concerned(call: Call, name: str | None, key: str | None, action: str) -> Version | None:
    """Return the version that an action is about; None if it is about a bucket, or about what is being written."""
    if key is None or (action in _ACL_OF_OBJECT and call.operation != "PutObjectAcl"):
        return None
    return _version(name, key, _version_id(call, name, key))


def _policy(call: Call, bucket: FakeBucket, version: Version | None, action: str, owner: str) -> str | None:
    """Return the bucket's policy, as far as it counts, with what ACLs allow to the caller's account.

    Of an object that belongs to another account than the bucket, the bucket's policy may only deny.
    """
    text = bytes(bucket.policy).decode() if bucket.policy is not None else None
    caller = call.principal.account
    by_acl = caller != owner and acl_permissions.allow(bucket, version, action, caller)
    if owner == bucket.account_id and not by_acl:
        return text
    statements = [*read(text).statements] if text else []
    if owner != bucket.account_id:
        statements = [each for each in statements if each["Effect"] == "Deny"]
    if by_acl:
        statements.append({"Effect": "Allow", "Principal": {"AWS": caller}, "Action": action, "Resource": "*"})
    return json.dumps({"Statement": statements})


def _is_evaluated(call: Call) -> bool:
    return is_evaluated(call.principal, _account(call, find_bucket(call.bucket)))


def _account(call: Call, bucket: FakeBucket | None) -> str:
    """Return the account that owns a bucket; that of the caller, if there is no bucket."""
    return bucket.account_id if bucket else call.principal.account


def _version_id(call: Call, name: str | None, key: str | None) -> str | None:
    """Return the version id that a call names of an object: that of its URL, or of its copy source."""
    if call.copy_source is not None and parse(call.copy_source)[:2] == (name, key):
        return parse(call.copy_source)[2]
    return call.query.get("versionId")


def _source(call: Call) -> actions.Source | None:
    if call.copy_source is None:
        return None
    version = _version_of_source(call)
    return actions.Source(parse(call.copy_source)[2] is not None, bool(version and version.attributes.tags))


def _version_of_source(call: Call) -> Version | None:
    bucket, key, version_id = parse(call.copy_source or "")
    return _version(bucket, key, version_id)


def _version(bucket: str | None, key: str | None, version_id: str | None) -> Version | None:
    found = find_bucket(bucket)
    try:
        entry = find(found, key, version_id) if found is not None and key is not None else None
    except S3Error:  # the operation refuses the version id itself
        return None
    return entry if is_version(entry) else None


def _conditions(request: Request) -> Conditions:
    return dict(_keys(request)) | _tags(_version(request.call.bucket, request.call.key, request.version_id))


def _keys(request: Request) -> Iterator[tuple[str, str]]:
    for header in _HEADERS_AS_KEYS:
        if (value := request.header(header)) is not None:
            yield f"s3:{header}", value
    for name in _LOCK_HEADERS_AS_KEYS:
        if (value := request.header(f"x-amz-{name}")) is not None:
            yield f"s3:{name}", value
    for parameter, key in _PARAMETERS_AS_KEYS.items():
        if (value := request.query.get(parameter)) is not None:
            yield f"s3:{key}", value


def _tags(version: Version | None) -> dict[str, str]:
    tags = version.attributes.tags if version else {}
    return {f"{_TAG}{name}": value for name, value in tags.items()}
