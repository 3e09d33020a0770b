"""Who asks without credentials, or with an access key that nobody created."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from emulator.iam.principals import Credentials
from tests.emulator.callers import objects
from tests.emulator.plain import Plain, put, refused

UNKNOWN = Credentials("AKIANOBODYCREATED000", "secret", "")
EVERYBODY = 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'
KNOWN_ACCOUNT = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"


@pytest.fixture(scope="module")
def nobody(aws: Plain) -> Any:
    """Return a client that signs nothing."""
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    return boto3.client("s3", "us-east-1", endpoint_url=aws.emulator.endpoint, config=config)


def allow(s3: Any, bucket: str, *actions: str, **more: Any) -> None:
    """Let the bucket's policy allow everybody something."""
    resources = [f"arn:aws:s3:::{bucket}", objects(bucket)]
    statement = {"Effect": "Allow", "Principal": "*", "Action": list(actions), "Resource": resources} | more
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def test_nobody_may_do_anything_by_itself(s3: Any, nobody: Any, bucket: str, with_acls: str) -> None:
    for name in (bucket, with_acls):
        put(s3, name)
        named = {"Bucket": name, "Key": "key"}
        requests: list[tuple[str, dict[str, Any]]] = [
            ("get_object", named),
            ("put_object", named | {"Body": b""}),
            ("copy_object", named | {"CopySource": named}),
            ("delete_object", named),
            ("get_object_acl", named),
            ("list_objects_v2", {"Bucket": name}),
            ("get_bucket_policy", {"Bucket": name}),
            ("put_bucket_policy", {"Bucket": name, "Policy": "{}"}),
            ("create_bucket", {"Bucket": f"{name}-more"}),
            ("list_buckets", {}),
        ]
        for operation, arguments in requests:
            with refused("AccessDenied", 403):
                getattr(nobody, operation)(**arguments)
        with refused("403", 403):
            nobody.head_object(**named)


def test_a_missing_bucket_is_missing_for_nobody_too(nobody: Any) -> None:
    with refused("NoSuchBucket", 404):
        nobody.get_object(Bucket="no-such-bucket-here", Key="key")


def test_a_public_object_is_read_by_anybody_and_is_no_secret_that_it_is_gone_only_in_a_public_bucket(
    s3: Any, nobody: Any, with_acls: str
) -> None:
    put(s3, with_acls, ACL="public-read", Tagging="a=b")
    got = nobody.get_object(Bucket=with_acls, Key="key")
    assert (got["Body"].read(), got.get("TagCount")) == (b"hello", None)
    with refused("AccessDenied", 403):
        nobody.get_object(Bucket=with_acls, Key="gone")
    with refused("AccessDenied", 403):
        nobody.list_objects_v2(Bucket=with_acls)
    s3.put_bucket_acl(Bucket=with_acls, ACL="public-read")
    with refused("NoSuchKey", 404):
        nobody.get_object(Bucket=with_acls, Key="gone")
    assert [each["Key"] for each in nobody.list_objects_v2(Bucket=with_acls)["Contents"]] == ["key"]


def test_an_acl_allows_what_its_permissions_say_and_no_more(s3: Any, nobody: Any, with_acls: str) -> None:
    put(s3, with_acls, GrantReadACP=EVERYBODY)
    assert nobody.get_object_acl(Bucket=with_acls, Key="key")["Grants"]
    with refused("AccessDenied", 403):
        nobody.get_object(Bucket=with_acls, Key="key")
    put(s3, with_acls, ACL="authenticated-read")
    with refused("AccessDenied", 403):
        nobody.get_object(Bucket=with_acls, Key="key")
    s3.put_bucket_acl(Bucket=with_acls, ACL="public-read-write")
    nobody.put_object(Bucket=with_acls, Key="theirs", Body=b"x")
    nobody.delete_object(Bucket=with_acls, Key="theirs")


def test_public_acls_are_not_followed_where_they_are_ignored_or_disabled(s3: Any, nobody: Any, with_acls: str) -> None:
    put(s3, with_acls, ACL="public-read")
    s3.put_public_access_block(Bucket=with_acls, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    with refused("AccessDenied", 403):
        nobody.get_object(Bucket=with_acls, Key="key")
    s3.delete_public_access_block(Bucket=with_acls)
    nobody.get_object(Bucket=with_acls, Key="key")
    s3.put_bucket_ownership_controls(
        Bucket=with_acls, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    with refused("AccessDenied", 403):
        nobody.get_object(Bucket=with_acls, Key="key")


def test_a_policy_lets_anybody_in_unless_public_buckets_are_restricted(s3: Any, nobody: Any, with_acls: str) -> None:
    put(s3, with_acls)
    allow(s3, with_acls, "s3:GetObject", "s3:ListBucket")
    assert nobody.get_object(Bucket=with_acls, Key="key")["Body"].read() == b"hello"
    with refused("NoSuchKey", 404):
        nobody.get_object(Bucket=with_acls, Key="gone")
    with refused("AccessDenied", 403):
        nobody.put_object(Bucket=with_acls, Key="key", Body=b"")
    s3.put_public_access_block(Bucket=with_acls, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    with refused("AccessDenied", 403):
        nobody.get_object(Bucket=with_acls, Key="key")
    assert s3.get_object(Bucket=with_acls, Key="key")["Body"].read() == b"hello"


def test_a_policy_that_names_an_account_or_denies_lets_nobody_in(s3: Any, nobody: Any, with_acls: str) -> None:
    put(s3, with_acls, ACL="public-read")
    allow(s3, with_acls, "s3:GetObject", Effect="Deny")
    with refused("AccessDenied", 403):
        nobody.get_object(Bucket=with_acls, Key="key")
    s3.delete_bucket_policy(Bucket=with_acls)
    put(s3, with_acls)
    allow(s3, with_acls, "s3:GetObject", Principal={"AWS": "arn:aws:iam::123456789012:root"})
    with refused("AccessDenied", 403):
        nobody.get_object(Bucket=with_acls, Key="key")


def test_what_a_kms_key_encrypted_is_read_by_nobody_whatever_the_policy(s3: Any, nobody: Any, with_acls: str) -> None:
    put(s3, with_acls, ServerSideEncryption="aws:kms")
    allow(s3, with_acls, "s3:GetObject")
    with refused("InvalidArgument", 400) as error:
        nobody.get_object(Bucket=with_acls, Key="key")
    assert error["Message"].endswith("require AWS Signature Version 4.")


def test_a_form_without_credentials_needs_a_public_bucket(aws: Plain, s3: Any, with_acls: str) -> None:
    def post(*fields: tuple[str, str]) -> int:
        lines = [f'name="{name}"{"; filename=f" * (name == "file")}\r\n\r\n{value}' for name, value in fields]
        parts = [f"--B\r\nContent-Disposition: form-data; {line}\r\n" for line in lines]
        connection = http.client.HTTPConnection(aws.emulator.endpoint.removeprefix("http://"))
        headers = {"Content-Type": "multipart/form-data; boundary=B"}
        connection.request("POST", f"/{with_acls}", body="".join(parts) + "--B--\r\n", headers=headers)
        return connection.getresponse().status

    assert post(("key", "form"), ("file", "x")) == 403
    s3.put_bucket_acl(Bucket=with_acls, ACL="public-read-write")
    assert post(("key", "form"), ("file", "x")) == 204


# Unknown access keys


def test_an_access_key_that_nobody_created_is_refused_by_every_service(aws: Plain, bucket: str) -> None:
    asked: dict[str, tuple[str, int, Callable[[Any], Any]]] = {
        "s3": ("InvalidAccessKeyId", 403, lambda client: client.list_objects_v2(Bucket=bucket)),
        "sqs": ("InvalidClientTokenId", 403, lambda client: client.list_queues()),
        "dynamodb": ("UnrecognizedClientException", 400, lambda client: client.list_tables()),
        "sts": ("InvalidClientTokenId", 403, lambda client: client.get_caller_identity()),
    }
    for service, (code, status, ask) in asked.items():
        with refused(code, status):
            ask(aws.client(service, credentials=UNKNOWN))
    with refused("403", 403):
        aws.client(credentials=UNKNOWN).head_bucket(Bucket=bucket)


def test_an_access_key_that_iam_or_sts_issued_is_known_until_it_is_deleted(aws: Plain, bucket: str) -> None:
    iam, sts = aws.client("iam"), aws.client("sts")
    iam.create_user(UserName="somebody")
    key = iam.create_access_key(UserName="somebody")["AccessKey"]
    theirs = aws.client(credentials=Credentials(key["AccessKeyId"], key["SecretAccessKey"], ""))
    put(theirs, bucket)
    iam.update_access_key(UserName="somebody", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    with refused("InvalidAccessKeyId", 403):
        put(theirs, bucket)
    iam.update_access_key(UserName="somebody", AccessKeyId=key["AccessKeyId"], Status="Active")
    put(theirs, bucket)
    iam.delete_access_key(UserName="somebody", AccessKeyId=key["AccessKeyId"])
    with refused("InvalidAccessKeyId", 403):
        put(theirs, bucket)
    token = sts.get_session_token()["Credentials"]
    put(aws.client(credentials=Credentials(token["AccessKeyId"], "secret", token["SessionToken"])), bucket)


@pytest.mark.parametrize("key", ["test", "AKIA", "AKIA0123456789", "minioadmin"])
def test_a_placeholder_that_is_no_access_key_of_awss_is_the_users(aws: Plain, bucket: str, key: str) -> None:
    put(aws.client(credentials=Credentials(key, "secret", "")), bucket)
