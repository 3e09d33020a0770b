"""Block Public Access: what is refused, by each setting, and what a policy's status says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator.callers import objects
from tests.emulator.plain import Plain, put, refused

SETTINGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
PUBLIC_ACLS: dict[str, dict[str, str]] = {
    "public-read": {"ACL": "public-read"},
    "public-read-write": {"ACL": "public-read-write"},
    "authenticated-read": {"ACL": "authenticated-read"},
    "a grant to everybody": {"GrantReadACP": 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'},
}


def block(s3: Any, bucket: str, *settings: str) -> None:
    """Turn on these settings of a bucket, and all others off."""
    s3.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration={name: name in settings for name in SETTINGS}
    )


def policy(bucket: str, **statement: Any) -> str:
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": objects(bucket)}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed | statement]})


def test_a_new_bucket_blocks_all_public_access_until_the_settings_are_deleted(s3: Any, bucket: str) -> None:
    there = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert there == dict.fromkeys(SETTINGS, True)
    s3.delete_public_access_block(Bucket=bucket)
    s3.delete_public_access_block(Bucket=bucket)
    with refused("NoSuchPublicAccessBlockConfiguration", 404):
        s3.get_public_access_block(Bucket=bucket)


@pytest.mark.parametrize("acl", PUBLIC_ACLS)
def test_a_public_acl_is_refused_wherever_it_is_set(s3: Any, with_acls: str, acl: str) -> None:
    put(s3, with_acls)
    block(s3, with_acls, "BlockPublicAcls")
    arguments, named = PUBLIC_ACLS[acl], {"Bucket": with_acls, "Key": "key"}
    writes: list[Callable[[], Any]] = [
        lambda: put(s3, with_acls, **arguments),
        lambda: s3.copy_object(**named | {"Key": "copy"}, CopySource=named, **arguments),
        lambda: s3.create_multipart_upload(**named, **arguments),
        lambda: s3.put_object_acl(**named, **arguments),
        lambda: s3.put_bucket_acl(Bucket=with_acls, **arguments),
    ]
    for write in writes:
        with refused("AccessDenied", 403) as error:
            write()
        assert error["Message"].endswith("by the BlockPublicAcls setting in S3 Block Public Access")
    put(s3, with_acls, ACL="private")
    put(s3, with_acls, GrantRead=f'id="{"a" * 64}"')
    block(s3, with_acls, "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    put(s3, with_acls, **arguments)


def test_a_bucket_without_acls_takes_none_of_its_own_either(s3: Any, bucket: str) -> None:
    with refused("AccessControlListNotSupported", 400):
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read")


def test_a_new_bucket_takes_no_acl_that_it_could_not_keep(s3: Any) -> None:
    with refused("InvalidBucketAclWithObjectOwnership", 400):
        s3.create_bucket(Bucket="acl-bucket", ACL="public-read")
    with refused("InvalidBucketAclWithBlockPublicAccessError", 400):
        s3.create_bucket(Bucket="acl-bucket", ACL="public-read", ObjectOwnership="ObjectWriter")
    s3.create_bucket(Bucket="acl-bucket", ACL="private", ObjectOwnership="ObjectWriter")


ROLE = "arn:aws:iam::123456789012:role/r"
POLICIES: dict[str, tuple[dict[str, Any], bool]] = {
    "everybody": ({}, True),
    "everybody by a mapping": ({"Principal": {"AWS": "*"}}, True),
    "all but one": ({"Principal": None, "NotPrincipal": {"AWS": ROLE}}, True),
    "a role": ({"Principal": {"AWS": ROLE}}, False),
    "a service": ({"Principal": {"Service": "logging.s3.amazonaws.com"}}, False),
    "a denial": ({"Effect": "Deny"}, False),
    "everybody of an account": ({"Condition": {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}}, False),
    "everybody of accounts that begin so": ({"Condition": {"StringLike": {"aws:PrincipalAccount": "12*"}}}, True),
    "addresses": ({"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}, False),
    "half of all addresses": ({"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}}, True),
    "all but some addresses": ({"Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}, True),
    "a bucket as the source": ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::mine"}}}, False),
    "a prefix": ({"Condition": {"StringEquals": {"s3:prefix": "a/"}}}, True),
    "an organisation, if known": ({"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}}, True),
}


@pytest.mark.parametrize("case", POLICIES)
def test_a_policy_is_public_unless_it_names_who_may(s3: Any, with_acls: str, case: str) -> None:
    statement, public = POLICIES[case]
    given = json.loads(policy(with_acls, **statement))
    given["Statement"] = [{name: value for name, value in given["Statement"][0].items() if value is not None}]
    s3.put_bucket_policy(Bucket=with_acls, Policy=json.dumps(given))
    assert s3.get_bucket_policy_status(Bucket=with_acls)["PolicyStatus"]["IsPublic"] is public
    block(s3, with_acls, "BlockPublicPolicy")
    if public:
        with refused("AccessDenied", 403) as error:
            s3.put_bucket_policy(Bucket=with_acls, Policy=json.dumps(given))
        assert error["Message"].endswith("by the BlockPublicPolicy setting in S3 Block Public Access")
    else:
        s3.put_bucket_policy(Bucket=with_acls, Policy=json.dumps(given))


def test_a_bucket_without_a_policy_has_no_status_whatever_its_acl(s3: Any, with_acls: str) -> None:
    s3.put_bucket_acl(Bucket=with_acls, ACL="public-read")
    with refused("NoSuchBucketPolicy", 404):
        s3.get_bucket_policy_status(Bucket=with_acls)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (" ", "Policies must be valid JSON and the first byte must be '{'"),
        ("no JSON", "Policies must be valid JSON and the first byte must be '{'"),
        ("{}", "Missing required field Statement"),
    ],
    ids=["nothing", "a text", "an empty object"],
)
def test_what_is_no_policy_is_refused(s3: Any, bucket: str, document: str, message: str) -> None:
    with refused("MalformedPolicy", 400) as error:
        s3.put_bucket_policy(Bucket=bucket, Policy=document)
    assert error["Message"] == message
    with refused("NoSuchBucketPolicy", 404):
        s3.get_bucket_policy(Bucket=bucket)


def test_the_owner_keeps_its_access_whatever_is_blocked(aws: Plain, s3: Any, with_acls: str) -> None:
    put(s3, with_acls, ACL="public-read")
    s3.put_bucket_policy(Bucket=with_acls, Policy=policy(with_acls))
    block(s3, with_acls, *SETTINGS)
    assert s3.get_object(Bucket=with_acls, Key="key")["Body"].read() == b"hello"
