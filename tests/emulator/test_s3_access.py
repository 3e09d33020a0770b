"""Who may do what, and what is locked: ACLs, Object Lock, bucket policies and the settings of buckets."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore import xform_name

from tests.emulator.plain import Plain, head, put, refused

# ACLs


def test_new_buckets_have_no_acls(s3: Any, bucket: str) -> None:
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    put(s3, bucket)
    for acl in ("private", "public-read"):
        with refused("AccessControlListNotSupported", 400):
            put(s3, bucket, ACL=acl)
        with refused("AccessControlListNotSupported", 400):
            s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key", ACL=acl)
        with refused("AccessControlListNotSupported", 400):
            s3.put_object_acl(Bucket=bucket, Key="key", ACL=acl)
    put(s3, bucket, ACL="bucket-owner-full-control")
    assert len(s3.get_object_acl(Bucket=bucket, Key="key")["Grants"]) == 1


def test_an_acl_is_kept_where_there_are_acls(s3: Any, with_acls: str) -> None:
    put(s3, with_acls, ACL="public-read")
    grants = s3.get_object_acl(Bucket=with_acls, Key="key")["Grants"]
    assert {grant["Permission"] for grant in grants} == {"FULL_CONTROL", "READ"}
    assert [grant["Grantee"].get("URI") for grant in grants if grant["Permission"] == "READ"] == [
        "http://acs.amazonaws.com/groups/global/AllUsers"
    ]


def test_a_whole_acl_comes_back_as_it_was_put(s3: Any, with_acls: str) -> None:
    put(s3, with_acls)
    owner = s3.get_object_acl(Bucket=with_acls, Key="key")["Owner"]
    grants = [
        {"Grantee": {"Type": "CanonicalUser", "ID": owner["ID"]}, "Permission": "FULL_CONTROL"},
        {"Grantee": {"Type": "CanonicalUser", "ID": "f" * 64}, "Permission": "READ_ACP"},
    ]
    s3.put_object_acl(Bucket=with_acls, Key="key", AccessControlPolicy={"Owner": owner, "Grants": grants})
    assert s3.get_object_acl(Bucket=with_acls, Key="key")["Grants"] == grants


def test_grants_in_headers_become_the_acl(s3: Any, with_acls: str) -> None:
    put(s3, with_acls, GrantRead=f"id={'e' * 64}, id={'f' * 64}")
    grants = s3.get_object_acl(Bucket=with_acls, Key="key")["Grants"]
    assert [(grant["Grantee"]["ID"][0], grant["Permission"]) for grant in grants] == [("e", "READ"), ("f", "READ")]


# Object Lock


STARTED = datetime.now(UTC).replace(microsecond=0)


def later(days: int) -> datetime:
    return STARTED + timedelta(days=days)


@pytest.fixture(scope="module")
def lockable(aws: Plain) -> str:
    return aws.bucket(ObjectLockEnabledForBucket=True)


def test_an_object_lock_needs_a_bucket_that_has_object_lock(s3: Any, bucket: str) -> None:
    put(s3, bucket)
    locked = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": later(1)}
    with refused("InvalidRequest", 400):
        put(s3, bucket, **locked)
    with refused("InvalidRequest", 400):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key", **locked)
    with refused("ObjectLockConfigurationNotFoundError", 404):
        s3.get_object_lock_configuration(Bucket=bucket)


def test_retention_and_legal_hold_are_returned_and_forbid_deletion(s3: Any, lockable: str) -> None:
    version = put(
        s3,
        lockable,
        ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=later(1),
        ObjectLockLegalHoldStatus="ON",
    )["VersionId"]
    found = head(s3, lockable)
    assert (found["ObjectLockMode"], found["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", later(1))
    assert found["ObjectLockLegalHoldStatus"] == "ON"
    with refused("AccessDenied", 403):
        s3.delete_object(Bucket=lockable, Key="key", VersionId=version, BypassGovernanceRetention=True)
    s3.put_object_legal_hold(Bucket=lockable, Key="key", LegalHold={"Status": "OFF"})
    with refused("AccessDenied", 403):
        s3.delete_object(Bucket=lockable, Key="key", VersionId=version)
    s3.delete_object(Bucket=lockable, Key="key", VersionId=version, BypassGovernanceRetention=True)


def test_a_copy_takes_its_lock_from_the_request_only(s3: Any, lockable: str) -> None:
    put(s3, lockable, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=later(1))
    s3.copy_object(Bucket=lockable, Key="copy", CopySource=f"{lockable}/key", ObjectLockLegalHoldStatus="ON")
    found = s3.head_object(Bucket=lockable, Key="copy")
    assert found["ObjectLockLegalHoldStatus"] == "ON"
    assert "ObjectLockMode" not in found


def test_a_compliance_retention_only_gets_longer(s3: Any, lockable: str) -> None:
    put(s3, lockable, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=later(2))
    for retention in (
        {"Mode": "COMPLIANCE", "RetainUntilDate": later(1)},
        {"Mode": "GOVERNANCE", "RetainUntilDate": later(3)},
    ):
        with refused("AccessDenied", 403):
            s3.put_object_retention(Bucket=lockable, Key="key", Retention=retention, BypassGovernanceRetention=True)
    s3.put_object_retention(Bucket=lockable, Key="key", Retention={"Mode": "COMPLIANCE", "RetainUntilDate": later(3)})
    assert s3.get_object_retention(Bucket=lockable, Key="key")["Retention"]["RetainUntilDate"] == later(3)


def test_a_retention_without_a_date_or_in_the_past_is_refused(s3: Any, lockable: str) -> None:
    with refused("InvalidArgument", 400):
        put(s3, lockable, ObjectLockMode="GOVERNANCE")
    with refused("InvalidArgument", 400):
        put(s3, lockable, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=later(-1))


def test_the_default_retention_of_a_bucket_applies_to_new_objects(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket(ObjectLockEnabledForBucket=True)
    put(s3, bucket)
    with refused("NoSuchObjectLockConfiguration", 404):
        s3.get_object_retention(Bucket=bucket, Key="key")
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}}
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=configuration)
    put(s3, bucket)
    assert head(s3, bucket)["ObjectLockMode"] == "GOVERNANCE"


def test_a_bucket_with_object_lock_cannot_be_suspended(s3: Any, lockable: str) -> None:
    with refused("InvalidBucketState", 409):
        s3.put_bucket_versioning(Bucket=lockable, VersioningConfiguration={"Status": "Suspended"})


# Access


def test_a_request_that_expects_another_bucket_owner_is_denied(s3: Any, bucket: str) -> None:
    put(s3, bucket, ExpectedBucketOwner="123456789012")
    with refused("AccessDenied", 403):
        put(s3, bucket, ExpectedBucketOwner="999999999999")
    with refused("AccessDenied", 403):
        s3.get_bucket_versioning(Bucket=bucket, ExpectedBucketOwner="999999999999")
    with refused("AccessDenied", 403):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key", ExpectedSourceBucketOwner="999999999999")


def deny(action: str, bucket: str, **more: Any) -> str:
    statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": f"arn:aws:s3:::{bucket}/*", **more}
    return json.dumps({"Statement": [statement]})


def test_a_bucket_policy_denies_what_it_says(aws: Plain, s3: Any) -> None:
    bucket, other = aws.bucket(), aws.bucket()
    put(s3, bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=deny("s3:PutObject", bucket))
    with refused("AccessDenied", 403):
        put(s3, bucket)
    s3.copy_object(Bucket=other, Key="copy", CopySource=f"{bucket}/key")
    s3.put_bucket_policy(Bucket=bucket, Policy=deny("s3:GetObject*", bucket))
    with refused("AccessDenied", 403):
        s3.copy_object(Bucket=other, Key="copy", CopySource=f"{bucket}/key")
    s3.delete_bucket_policy(Bucket=bucket)
    put(s3, bucket)


def test_a_bucket_policy_denies_single_keys_of_a_deletion(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket()
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject"}
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Statement": [{**statement, "Resource": f"arn:aws:s3:::{bucket}/safe/*"}]})
    )
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "safe/a"}, {"Key": "b"}]})
    assert [error["Key"] for error in answer["Errors"]] == ["safe/a"]
    assert [deleted["Key"] for deleted in answer["Deleted"]] == ["b"]


NOTE = {"AnnotationName": "n"}
NAMED: dict[str, tuple[str, dict[str, Any]]] = {
    "GetObjectAcl": ("GetObjectVersionAcl", {}),
    "GetObjectTagging": ("GetObjectVersionTagging", {}),
    "DeleteObjectTagging": ("DeleteObjectVersionTagging", {}),
    "ListObjectAnnotations": ("ListObjectVersionAnnotations", {}),
    "GetObjectAnnotation": ("GetObjectVersionAnnotation", NOTE),
    "PutObjectAnnotation": ("PutObjectVersionAnnotation", NOTE | {"AnnotationPayload": b"1"}),
    "DeleteObjectAnnotation": ("DeleteObjectVersionAnnotation", NOTE),
}
"""The permission, and what else is asked, of operations that may name a version (service authorization reference)."""


@pytest.mark.parametrize("operation", NAMED)
def test_a_request_that_names_a_version_needs_the_permission_of_versions_too(
    s3: Any, bucket: str, operation: str
) -> None:
    version = put(s3, bucket)["VersionId"]
    s3.put_object_annotation(Bucket=bucket, Key="key", AnnotationName="n", AnnotationPayload=b"1")
    of_versions, arguments = NAMED[operation]
    named = {"Bucket": bucket, "Key": "key", **arguments}
    ask = getattr(s3, xform_name(operation))
    s3.put_bucket_policy(Bucket=bucket, Policy=deny(f"s3:{of_versions}", bucket))
    with refused("AccessDenied", 403):
        ask(**named, VersionId=version)
    ask(**named)
    s3.put_bucket_policy(Bucket=bucket, Policy=deny(f"s3:{operation}", bucket))
    with refused("AccessDenied", 403):
        ask(**named)
    with refused("AccessDenied", 403):
        ask(**named, VersionId=version)


def test_a_text_that_is_no_bucket_policy_is_refused(s3: Any, bucket: str) -> None:
    for policy in ("{", "{}", "[]"):
        with refused("MalformedPolicy", 400):
            s3.put_bucket_policy(Bucket=bucket, Policy=policy)


def test_a_bucket_policy_that_only_requires_tls_denies_nothing(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket()
    only_tls = deny("s3:*", bucket, Condition={"Bool": {"aws:SecureTransport": "false"}})
    s3.put_bucket_policy(Bucket=bucket, Policy=only_tls)
    put(s3, bucket)


def test_a_bucket_policy_can_name_the_role_of_a_function(aws: Plain, s3: Any) -> None:
    bucket, role = aws.bucket(), "arn:aws:iam::123456789012:role/replicate"
    theirs = aws.client(credentials=aws.emulator.principals.issue("AROA1", "replicate", role_arn=role))
    s3.put_bucket_policy(Bucket=bucket, Policy=deny("s3:PutObject", bucket, Principal={"AWS": role}))
    put(s3, bucket)
    with refused("AccessDenied", 403):
        put(theirs, bucket)


# Buckets


def test_the_region_of_a_bucket_is_returned(aws: Plain, s3: Any) -> None:
    west = aws.bucket("us-west-2")
    assert s3.head_bucket(Bucket=west)["BucketRegion"] == "us-west-2"
    assert s3.get_bucket_location(Bucket=west)["LocationConstraint"] == "us-west-2"
    assert s3.get_bucket_location(Bucket=aws.bucket())["LocationConstraint"] is None


def test_a_bucket_that_does_not_exist_is_a_404(s3: Any) -> None:
    with refused("404", 404):
        s3.head_bucket(Bucket="no-such-bucket-here")
    with refused("NoSuchBucket", 404):
        put(s3, "no-such-bucket-here")


def test_the_versioning_of_a_bucket_is_read_as_it_was_put(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket(versioning=None)
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Suspended"
    with refused("MalformedXML", 400):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "enabled"})
