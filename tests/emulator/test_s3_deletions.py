"""Deletions that remove nothing, or that S3 refuses: each value as it was recorded on AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.plain import Plain, put, refused

NEVER_MADE = "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD"


@pytest.mark.parametrize("versioning", ["Enabled", None], ids=["versioned", "never versioned"])
@pytest.mark.parametrize("operation", ["delete_object", "get_object", "get_object_tagging"])
def test_a_version_id_that_s3_never_made_is_an_invalid_argument(
    aws: Plain, s3: Any, versioning: str | None, operation: str
) -> None:
    bucket = aws.bucket(versioning=versioning)
    put(s3, bucket)
    with refused("InvalidArgument", 400) as error:
        getattr(s3, operation)(Bucket=bucket, Key="key", VersionId=NEVER_MADE)
    assert (error["ArgumentName"], error["ArgumentValue"]) == ("versionId", NEVER_MADE)
    assert error["Message"] == "Invalid version id specified"


def test_a_bucket_without_versioning_has_the_version_null(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket(versioning=None)
    put(s3, bucket)
    assert "VersionId" not in s3.get_object(Bucket=bucket, Key="key", VersionId="null")


def test_among_several_deletions_a_version_id_that_s3_never_made_is_a_missing_version(s3: Any, bucket: str) -> None:
    gone = put(s3, bucket)["VersionId"]
    s3.delete_object(Bucket=bucket, Key="key", VersionId=gone)
    objects = [{"Key": "key", "VersionId": NEVER_MADE}, {"Key": "key", "VersionId": gone}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    (error,) = answer["Errors"]
    assert error == {
        "Key": "key",
        "VersionId": NEVER_MADE,
        "Code": "NoSuchVersion",
        "Message": "The specified version does not exist.",
    }
    assert answer["Deleted"] == [{"Key": "key", "VersionId": gone}]


def test_several_deletions_in_a_bucket_that_is_not_there_are_refused_together(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        s3.delete_objects(Bucket="no-such-bucket", Delete={"Objects": [{"Key": "key"}]})


@pytest.mark.parametrize("bypass", [True, False])
def test_a_bypass_of_retention_is_refused_where_no_lock_can_be(s3: Any, bucket: str, bypass: bool) -> None:
    version = put(s3, bucket)["VersionId"]
    several = {"Delete": {"Objects": [{"Key": "key"}]}}
    for operation, what in (("delete_object", {"Key": "key"}), ("delete_objects", several)):
        with refused("InvalidArgument", 400) as error:
            getattr(s3, operation)(Bucket=bucket, BypassGovernanceRetention=bypass, **what)
        assert error["ArgumentName"] == "x-amz-bypass-governance-retention"
    s3.delete_object(Bucket=bucket, Key="key", VersionId=version, BypassGovernanceRetention=bypass)


@pytest.mark.parametrize(
    ("condition", "header"),
    [
        ({"IfMatchLastModifiedTime": 0}, "x-amz-if-match-last-modified-time"),
        ({"IfMatchSize": 1}, "x-amz-if-match-size"),
    ],
    ids=["by time", "by size"],
)
def test_conditions_of_directory_buckets_are_not_implemented(
    s3: Any, bucket: str, condition: dict[str, int], header: str
) -> None:
    put(s3, bucket)
    with refused("NotImplemented", 501) as error:
        s3.delete_object(Bucket=bucket, Key="key", **condition)
    assert error["Header"] == header


def test_a_deletion_of_a_key_that_never_was_has_an_event(aws: Plain, s3: Any) -> None:
    bucket, (url, arn) = aws.bucket(versioning=None), aws.queue()
    aws.notify(bucket, arn)
    put(s3, bucket)
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "key"}, {"Key": "never"}], "Quiet": True})
    told = [(record["eventName"], record["s3"]["object"]) for record in aws.records(url)][1:]
    assert [(name, each.keys()) for name, each in told] == [("ObjectRemoved:Delete", {"key", "sequencer"})] * 2
    assert [each["key"] for _, each in told] == ["key", "never"]
