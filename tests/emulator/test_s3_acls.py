"""ACLs that S3 refuses, and those of buckets: each value as it was recorded on AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.plain import put, refused

OWNER = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"
LOGS = "http://acs.amazonaws.com/groups/s3/LogDelivery"
FAKE = "http://acs.amazonaws.com/groups/s3/FakeGroup"
PUT = {"put_object_acl": {"Key": "key"}, "put_bucket_acl": {}}
operations = pytest.mark.parametrize("operation", PUT)


def policy(grantee: dict[str, str], permission: str = "READ", owner: str = OWNER) -> dict[str, Any]:
    return {"Owner": {"ID": owner}, "Grants": [{"Grantee": grantee, "Permission": permission}]}


def set_acl(s3: Any, operation: str, bucket: str, **acl: Any) -> Any:
    put(s3, bucket)
    return getattr(s3, operation)(Bucket=bucket, **PUT[operation], **acl)


@operations
@pytest.mark.parametrize(
    ("acl", "named"),
    [
        ({"ACL": "fake"}, ("x-amz-acl", "fake")),
        ({"GrantWrite": f'uri="{FAKE}"'}, ("uri", FAKE)),
        ({"GrantWrite": 'id="wrong-id"'}, ("id", "wrong-id")),
        ({"GrantWrite": 'fakekey="1"'}, ("x-amz-grant-write", 'fakekey="1"')),
        ({"AccessControlPolicy": policy({"Type": "Group", "URI": FAKE})}, ("Group/URI", FAKE)),
        ({"AccessControlPolicy": policy({"Type": "CanonicalUser", "ID": "no"})}, ("CanonicalUser/ID", "no")),
        ({"AccessControlPolicy": policy({"Type": "Group", "URI": LOGS}, owner="no")}, ("CanonicalUser/ID", "no")),
    ],
    ids=["canned", "a group", "an id", "a kind of grantee", "a group in XML", "an id in XML", "an owner in XML"],
)
def test_what_is_unknown_in_an_acl_is_named_even_where_acls_are_disabled(
    s3: Any, bucket: str, operation: str, acl: dict[str, Any], named: tuple[str, str]
) -> None:
    with refused("InvalidArgument", 400) as error:
        set_acl(s3, operation, bucket, **acl)
    assert (error["ArgumentName"], error["ArgumentValue"]) == named


@operations
@pytest.mark.parametrize(
    "malformed",
    [
        {},
        {"Grants": policy({"Type": "Group", "URI": LOGS})["Grants"]},
        policy({"Type": "Group", "URI": LOGS}, permission="KNOCK"),
        policy({"Type": "Stranger", "ID": OWNER}),
    ],
    ids=["empty", "no owner", "an unknown permission", "an unknown type"],
)
def test_an_acl_that_lacks_something_is_malformed(
    s3: Any, bucket: str, operation: str, malformed: dict[str, Any]
) -> None:
    with refused("MalformedACLError", 400):
        set_acl(s3, operation, bucket, AccessControlPolicy=malformed)


@operations
@pytest.mark.parametrize(
    ("acl", "code"),
    [
        ({}, "MissingSecurityHeader"),
        ({"ACL": "private", "GrantRead": f'uri="{LOGS}"'}, "InvalidRequest"),
        ({"ACL": "private", "AccessControlPolicy": policy({"Type": "Group", "URI": LOGS})}, "UnexpectedContent"),
        ({"GrantRead": 'emailAddress="a@example.com"'}, "UnresolvableGrantByEmailAddress"),
    ],
    ids=["none", "canned and granted", "in headers and in the body", "by e-mail"],
)
def test_an_acl_is_given_in_one_way(s3: Any, bucket: str, operation: str, acl: dict[str, Any], code: str) -> None:
    with refused(code, 400):
        set_acl(s3, operation, bucket, **acl)


@operations
def test_an_acl_must_name_the_true_owner(s3: Any, bucket: str, operation: str) -> None:
    with refused("AccessDenied", 403):
        set_acl(s3, operation, bucket, AccessControlPolicy=policy({"Type": "Group", "URI": LOGS}, owner="a" * 64))


def test_a_bucket_has_no_other_acl_where_acls_are_disabled(s3: Any, bucket: str) -> None:
    with refused("AccessControlListNotSupported", 400):
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    acl = s3.get_bucket_acl(Bucket=bucket)
    assert acl["Owner"] == {"ID": OWNER}
    assert acl["Grants"] == [{"Grantee": {"ID": OWNER, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}]


def test_the_acl_of_a_bucket_is_kept_where_there_are_acls(s3: Any, with_acls: str) -> None:
    s3.put_bucket_acl(Bucket=with_acls, GrantWrite=f'uri="{LOGS}"')
    assert s3.get_bucket_acl(Bucket=with_acls)["Grants"] == [
        {"Grantee": {"Type": "Group", "URI": LOGS}, "Permission": "WRITE"}
    ]


def test_a_delete_marker_has_no_acl(s3: Any, with_acls: str) -> None:
    put(s3, with_acls)
    marker = s3.delete_object(Bucket=with_acls, Key="key")["VersionId"]
    for named in ({}, {"VersionId": marker}):
        with refused("MethodNotAllowed", 405) as error:
            s3.put_object_acl(Bucket=with_acls, Key="key", ACL="private", **named)
        assert error["ResourceType"] == "DeleteMarker"
    with refused("NoSuchKey", 404):
        s3.get_object_acl(Bucket=with_acls, Key="key")
    with refused("MethodNotAllowed", 405):
        s3.get_object_acl(Bucket=with_acls, Key="key", VersionId=marker)
