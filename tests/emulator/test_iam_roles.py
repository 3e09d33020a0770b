"""A function may do in S3 what its role's policies allow, and everything else is refused as S3 refuses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.emulator.callers import allow, caller, objects, on, role
from tests.emulator.plain import Plain, head, put, refused


def test_a_role_without_policies_may_do_nothing(aws: Plain, bucket: str) -> None:
    s3 = caller(aws)
    requests: list[Callable[[], Any]] = [
        lambda: put(s3, bucket),
        lambda: s3.get_object(Bucket=bucket, Key="key"),
        lambda: s3.list_object_versions(Bucket=bucket),
        lambda: s3.list_objects_v2(Bucket=bucket),
        lambda: s3.get_bucket_versioning(Bucket=bucket),
        s3.list_buckets,
        lambda: s3.put_bucket_policy(Bucket=bucket, Policy="{}"),
    ]
    for ask in requests:
        with refused("AccessDenied", 403):
            ask()


def test_a_denied_call_says_who_may_not_do_what(aws: Plain, bucket: str) -> None:
    s3 = caller(aws)
    with refused("AccessDenied", 403) as error:
        put(s3, bucket)
    assert ":assumed-role/role-" in error["Message"]
    assert f'perform: s3:PutObject on resource: "arn:aws:s3:::{bucket}/key"' in error["Message"]
    assert error["Message"].endswith("because no identity-based policy allows the s3:PutObject action")


def test_a_denied_head_has_no_body(aws: Plain, s3: Any, bucket: str) -> None:
    put(s3, bucket)
    theirs = caller(aws)
    with refused("403", 403) as error:
        head(theirs, bucket)
    assert error["Message"] == "Forbidden"
    with refused("403", 403):
        theirs.head_bucket(Bucket=bucket)


def test_a_missing_bucket_is_missing_for_everybody(aws: Plain) -> None:
    with refused("NoSuchBucket", 404):
        put(caller(aws), "no-such-bucket-here")


def test_a_request_that_names_a_version_id_needs_the_actions_of_versions(aws: Plain, s3: Any, bucket: str) -> None:
    version = put(s3, bucket)["VersionId"]
    current, versions = caller(aws, on(bucket, "GetObject")), caller(aws, on(bucket, "GetObjectVersion"))
    head(current, bucket)
    head(versions, bucket, VersionId=version)
    with refused("403", 403):
        head(current, bucket, VersionId=version)
    with refused("403", 403):
        head(versions, bucket)


def test_deleting_a_version_needs_more_than_putting_a_delete_marker(aws: Plain, s3: Any, bucket: str) -> None:
    version = put(s3, bucket)["VersionId"]
    theirs = caller(aws, on(bucket, "DeleteObject"))
    theirs.delete_object(Bucket=bucket, Key="key")
    with refused("AccessDenied", 403):
        theirs.delete_object(Bucket=bucket, Key="key", VersionId=version)
    answer = theirs.delete_objects(
        Bucket=bucket, Delete={"Objects": [{"Key": "key", "VersionId": version}, {"Key": "other"}]}
    )
    assert [(each["Key"], each["Code"]) for each in answer["Errors"]] == [("key", "AccessDenied")]
    assert [each["Key"] for each in answer["Deleted"]] == ["other"]


def test_a_role_that_may_not_list_a_bucket_does_not_learn_what_is_missing(aws: Plain, bucket: str) -> None:
    reads, lists = caller(aws, on(bucket, "GetObject")), caller(aws, on(bucket, "GetObject", "ListBucket"))
    with refused("403", 403):
        head(reads, bucket)
    with refused("AccessDenied", 403):
        reads.get_object(Bucket=bucket, Key="key")
    with refused("404", 404):
        head(lists, bucket)
    with refused("NoSuchKey", 404):
        lists.get_object(Bucket=bucket, Key="key")


def test_what_a_role_may_not_see_of_an_object_is_left_out(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket(ObjectLockEnabledForBucket=True)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until, "ObjectLockLegalHoldStatus": "ON"}
    version = put(s3, bucket, Tagging="a=b", **lock)["VersionId"]
    fields = {"TagCount", *lock}
    seen = {
        action: fields & head(caller(aws, on(bucket, "GetObject", action)), bucket).keys()
        for action in ("GetObject", "GetObjectTagging", "GetObjectRetention", "GetObjectLegalHold")
    }
    assert seen == {
        "GetObject": set(),
        "GetObjectTagging": {"TagCount"},
        "GetObjectRetention": {"ObjectLockMode", "ObjectLockRetainUntilDate"},
        "GetObjectLegalHold": {"ObjectLockLegalHoldStatus"},
    }
    of_version = caller(aws, on(bucket, "GetObjectVersion", "GetObjectTagging", "GetObjectVersionTagging"))
    assert fields & head(of_version, bucket, VersionId=version).keys() == {"TagCount"}


COPY = ("s3:PutObject", "s3:PutObjectAnnotation")
READ = ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAnnotation", "s3:GetObjectVersionAnnotation")


def copies(aws: Plain, source: str, target: str, *, less: str = "", more: tuple[str, ...] = ()) -> Any:
    """Return a client that may copy from one bucket to another, but for one action."""
    return caller(
        aws,
        allow([each for each in READ if each != less], objects(source)),
        allow([each for each in (*COPY, *more) if each != less], objects(target)),
    )


@pytest.mark.parametrize("less", [*READ, *COPY])
def test_a_copy_needs_permissions_at_both_buckets(aws: Plain, s3: Any, less: str) -> None:
    source, target = aws.bucket(), aws.bucket("us-west-2")
    version = put(s3, source)["VersionId"]
    wanted = {"Bucket": target, "Key": "key", "CopySource": {"Bucket": source, "Key": "key", "VersionId": version}}
    copies(aws, source, target).copy_object(**wanted)
    with refused("AccessDenied", 403):
        copies(aws, source, target, less=less).copy_object(**wanted)


@pytest.mark.parametrize(
    ("settings", "action"),
    [
        ({"TaggingDirective": "REPLACE", "Tagging": "a=b"}, "s3:PutObjectTagging"),
        ({"ACL": "public-read"}, "s3:PutObjectAcl"),
        ({"GrantRead": f"id={'e' * 64}"}, "s3:PutObjectAcl"),
        ({"ObjectLockLegalHoldStatus": "ON"}, "s3:PutObjectLegalHold"),
        ({"IfMatch": "etag"}, "s3:GetObject"),
    ],
    ids=["tags", "an ACL", "grants", "a legal hold", "If-Match"],
)
def test_what_a_copy_sets_needs_permissions_of_its_own(
    aws: Plain, s3: Any, settings: dict[str, str], action: str
) -> None:
    source = aws.bucket()
    target = aws.bucket("us-west-2", ObjectLockEnabledForBucket=True, ObjectOwnership="ObjectWriter")
    version = put(s3, source)["VersionId"]
    if "IfMatch" in settings:
        settings = {"IfMatch": put(aws.client("s3", "us-west-2"), target)["ETag"]}
    wanted = {"Bucket": target, "Key": "key", "CopySource": {"Bucket": source, "Key": "key", "VersionId": version}}
    with refused("AccessDenied", 403) as error:
        copies(aws, source, target).copy_object(**wanted, **settings)
    assert f"perform: {action} on" in error["Message"]
    copies(aws, source, target, more=(action,)).copy_object(**wanted, **settings)


def test_the_tags_of_a_source_are_copied_only_by_who_may_read_them(aws: Plain, s3: Any) -> None:
    source, target = aws.bucket(), aws.bucket("us-west-2")
    version = put(s3, source, Tagging="a=b")["VersionId"]
    wanted = {"Bucket": target, "Key": "key", "CopySource": {"Bucket": source, "Key": "key", "VersionId": version}}
    with refused("AccessDenied", 403) as error:
        copies(aws, source, target, more=("s3:PutObjectTagging",)).copy_object(**wanted)
    assert "perform: s3:GetObjectTagging on" in error["Message"]
    untagged = {"TaggingDirective": "REPLACE", "Tagging": ""}
    copies(aws, source, target).copy_object(**wanted, **untagged)


def test_a_bucket_policy_can_allow_a_role_what_its_own_policies_do_not(aws: Plain, s3: Any, bucket: str) -> None:
    arn = role(aws)
    theirs = aws.client(credentials=aws.emulator.principals.issue("AROA1", "f", role_arn=arn))
    statement = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "s3:PutObject", "Resource": objects(bucket)}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [statement]}))
    put(theirs, bucket)
    with refused("AccessDenied", 403):
        theirs.get_object(Bucket=bucket, Key="key")


def test_conditions_see_the_request_and_the_tags_of_the_object(aws: Plain, s3: Any, bucket: str) -> None:
    put(s3, bucket, Tagging="team=red")
    only = {"StringEquals": {"s3:ExistingObjectTag/team": "red"}}
    head(caller(aws, on(bucket, "GetObject", Condition=only)), bucket)
    with refused("403", 403):
        head(
            caller(aws, on(bucket, "GetObject", Condition={"StringEquals": {"s3:ExistingObjectTag/team": "b"}})), bucket
        )
    listing = caller(aws, on(bucket, "ListBucketVersions", Condition={"StringLike": {"s3:prefix": "a/*"}}))
    listing.list_object_versions(Bucket=bucket, Prefix="a/b")
    with refused("AccessDenied", 403):
        listing.list_object_versions(Bucket=bucket, Prefix="b")
    guarded = caller(aws, on(bucket, "PutObject", Condition={"Null": {"s3:if-none-match": "false"}}))
    guarded.put_object(Bucket=bucket, Key="new", IfNoneMatch="*")
    with refused("AccessDenied", 403):
        guarded.put_object(Bucket=bucket, Key="new")
