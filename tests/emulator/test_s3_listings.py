"""Listings of objects and buckets: their elements and pages as they were recorded on AWS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.emulator.plain import Plain, md5, refused

FOLDERS = ("folder/aSubfolder/subFile1", "folder/aSubfolder/subFile2", "folder/file1", "folder/file2")
PARAMETERS = {"list_objects": "Marker", "list_objects_v2": "StartAfter"}
operations = pytest.mark.parametrize("operation", PARAMETERS)


@pytest.fixture
def folders(s3: Any, bucket: str) -> str:
    write(s3, bucket, FOLDERS)
    return bucket


def write(s3: Any, bucket: str, keys: Sequence[str]) -> None:
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x", ChecksumAlgorithm="CRC32")


def names(answer: dict[str, Any]) -> list[str]:
    """Return the common prefixes and keys of a page."""
    prefixes = [each["Prefix"] for each in answer.get("CommonPrefixes", [])]
    return prefixes + [each["Key"] for each in answer.get("Contents", [])]


@operations
def test_an_object_is_listed_with_its_checksum(s3: Any, bucket: str, operation: str) -> None:
    write(s3, bucket, ["key"])
    answer = getattr(s3, operation)(Bucket=bucket)
    (found,) = answer["Contents"]
    assert found.pop("LastModified")
    assert ("Owner" in found) == (operation == "list_objects")
    assert found.pop("Owner", {"ID": ""}).keys() == {"ID"}
    assert found == {
        "Key": "key",
        "ETag": f'"{md5(b"x")}"',
        "ChecksumAlgorithm": ["CRC32"],
        "ChecksumType": "FULL_OBJECT",
        "Size": 1,
        "StorageClass": "STANDARD",
    }


def test_an_owner_is_listed_by_the_second_version_when_asked_for(s3: Any, bucket: str) -> None:
    write(s3, bucket, ["key"])
    (found,) = s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"]
    assert found["Owner"].keys() == {"ID"}


def test_the_first_version_repeats_marker_and_prefix_even_if_they_are_empty(s3: Any, bucket: str) -> None:
    answer = s3.list_objects(Bucket=bucket)
    del answer["ResponseMetadata"]
    assert answer == {
        "Name": bucket,
        "Prefix": "",
        "Marker": "",
        "MaxKeys": 1000,
        "EncodingType": "url",
        "IsTruncated": False,
    }


def test_only_the_first_version_leaves_its_prefix_as_it_is(s3: Any, bucket: str) -> None:
    asked = {"Bucket": bucket, "Prefix": "a\n", "EncodingType": "url"}
    prefixes = [s3.list_objects(**asked)["Prefix"], s3.list_objects_v2(**asked)["Prefix"]]
    assert prefixes == ["a\n", "a%0A"]


def test_pages_of_the_first_version_go_on_after_keys_and_prefixes(s3: Any, folders: str) -> None:
    page = {"Bucket": folders, "Prefix": "folder/", "Delimiter": "/", "MaxKeys": 1}
    marker, seen = "", []
    while True:
        answer = s3.list_objects(**page, Marker=marker)
        assert answer["Marker"] == marker
        seen += names(answer)
        if not answer["IsTruncated"]:
            break
        marker = answer["NextMarker"]
        assert marker == seen[-1]
    assert seen == ["folder/aSubfolder/", "folder/file1", "folder/file2"]
    assert "NextMarker" not in answer


def test_without_a_delimiter_the_next_marker_is_the_last_key(s3: Any, folders: str) -> None:
    answer = s3.list_objects(Bucket=folders, MaxKeys=1)
    assert answer["IsTruncated"]
    assert "NextMarker" not in answer


@operations
def test_a_name_inside_a_folder_skips_the_folder(s3: Any, folders: str, operation: str) -> None:
    page = {"Bucket": folders, "Prefix": "folder/", "Delimiter": "/", PARAMETERS[operation]: FOLDERS[0]}
    assert names(getattr(s3, operation)(**page)) == ["folder/file1", "folder/file2"]


def test_pages_of_the_second_version_count_keys_and_repeat_their_token(s3: Any, folders: str) -> None:
    page = {"Bucket": folders, "Prefix": "folder/", "Delimiter": "/", "MaxKeys": 2}
    first = s3.list_objects_v2(**page)
    assert (first["KeyCount"], first["IsTruncated"]) == (2, True)
    second = s3.list_objects_v2(**page, ContinuationToken=first["NextContinuationToken"])
    assert (second["KeyCount"], second["IsTruncated"]) == (1, False)
    assert second["ContinuationToken"] == first["NextContinuationToken"]
    assert names(first) + names(second) == ["folder/aSubfolder/", "folder/file1", "folder/file2"]


def test_a_token_overrules_start_after(s3: Any, folders: str) -> None:
    token = s3.list_objects_v2(Bucket=folders, MaxKeys=1)["NextContinuationToken"]
    answer = s3.list_objects_v2(Bucket=folders, ContinuationToken=token, StartAfter=FOLDERS[3])
    assert names(answer) == list(FOLDERS[1:])
    assert "StartAfter" not in answer
    assert s3.list_objects_v2(Bucket=folders, StartAfter=FOLDERS[3])["StartAfter"] == FOLDERS[3]


@pytest.mark.parametrize("token", ["", "nonsense!"])
def test_a_token_that_s3_did_not_make_is_an_invalid_argument(s3: Any, bucket: str, token: str) -> None:
    with refused("InvalidArgument", 400) as error:
        s3.list_objects_v2(Bucket=bucket, ContinuationToken=token)
    assert error["Message"] == "The continuation token provided is incorrect"
    assert error["ArgumentName"] == "continuation-token"


@operations
def test_a_listing_names_the_region_of_its_bucket(aws: Plain, s3: Any, operation: str) -> None:
    answer = getattr(s3, operation)(Bucket=aws.bucket(region="eu-west-2"))
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == "eu-west-2"


@operations
def test_a_folder_of_deleted_objects_is_not_listed(s3: Any, folders: str, operation: str) -> None:
    for key in FOLDERS[:2]:
        s3.delete_object(Bucket=folders, Key=key)
    answer = getattr(s3, operation)(Bucket=folders, Prefix="folder/", Delimiter="/")
    assert names(answer) == ["folder/file1", "folder/file2"]


@pytest.mark.parametrize(
    "operation", ["list_objects", "list_objects_v2", "list_object_versions", "list_multipart_uploads"]
)
@pytest.mark.parametrize("encoding", ["base64", ""], ids=["an unknown one", "an empty one"])
def test_keys_are_encoded_as_urls_or_not_at_all(s3: Any, bucket: str, operation: str, encoding: str) -> None:
    with refused("InvalidArgument", 400) as error:
        getattr(s3, operation)(Bucket=bucket, EncodingType=encoding)
    assert error["ArgumentName"] == "encoding-type"
    assert error["Message"] == "Invalid Encoding Method specified in Request"


def test_buckets_are_listed_by_prefix_and_region_in_pages(aws: Plain, s3: Any) -> None:
    mine = sorted(aws.bucket(region="eu-west-1") for _ in range(3))
    aws.bucket()
    selected = {"BucketRegion": "eu-west-1", "Prefix": "bucket-"}
    first = s3.list_buckets(**selected, MaxBuckets=2)
    second = s3.list_buckets(**selected, MaxBuckets=2, ContinuationToken=first["ContinuationToken"])
    found = first["Buckets"] + second["Buckets"]
    assert [each["Name"] for each in found] == mine
    assert {each["BucketRegion"] for each in found} == {"eu-west-1"}
    assert found[0]["BucketArn"] == f"arn:aws:s3:::{mine[0]}"
    assert "ContinuationToken" not in second


def test_all_buckets_are_listed_without_their_regions(s3: Any, bucket: str) -> None:
    found = {each["Name"]: each for each in s3.list_buckets()["Buckets"]}
    assert found[bucket].keys() == {"Name", "CreationDate", "BucketArn"}


def test_buckets_of_a_region_that_is_none_are_an_invalid_argument(s3: Any) -> None:
    with refused("InvalidArgument", 400) as error:
        s3.list_buckets(BucketRegion="eu-east-1")
    assert error["Message"] == "Argument value eu-east-1 is not a valid AWS Region"
