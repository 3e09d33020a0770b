"""The history of a key: versions, delete markers and the id "null", and how they are listed."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.plain import Plain, refused


def suspend(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def put(s3: Any, bucket: str, key: str = "key", body: bytes = b"x") -> Any:
    return s3.put_object(Bucket=bucket, Key=key, Body=body).get("VersionId")


def history(s3: Any, bucket: str, **page: Any) -> list[tuple[str, str, bool, bool]]:
    """Return (key, version id, is a marker, is latest) as listed, versions before markers."""
    listed = s3.list_object_versions(Bucket=bucket, **page)
    return [
        (entry["Key"], entry["VersionId"], kind == "DeleteMarkers", entry["IsLatest"])
        for kind in ("Versions", "DeleteMarkers")
        for entry in listed.get(kind, [])
    ]


def test_versions_are_listed_newest_first(s3: Any, bucket: str) -> None:
    ids = [put(s3, bucket) for _ in range(5)]
    assert history(s3, bucket) == [("key", each, False, each == ids[-1]) for each in reversed(ids)]


def test_a_delete_puts_a_marker_on_top(s3: Any, bucket: str) -> None:
    version = put(s3, bucket)
    answer = s3.delete_object(Bucket=bucket, Key="key")
    assert answer["DeleteMarker"] is True
    assert history(s3, bucket) == [("key", version, False, False), ("key", answer["VersionId"], True, True)]


def test_a_delete_of_a_key_that_never_was_makes_a_marker_too(s3: Any, bucket: str) -> None:
    assert s3.delete_object(Bucket=bucket, Key="never")["DeleteMarker"] is True
    assert [entry[0] for entry in history(s3, bucket)] == ["never"]


def test_head_of_a_key_whose_marker_is_current_is_a_404_that_names_the_marker(s3: Any, bucket: str) -> None:
    put(s3, bucket)
    marker = s3.delete_object(Bucket=bucket, Key="key")["VersionId"]
    with refused("404", 404) as error:
        s3.head_object(Bucket=bucket, Key="key")
    assert error["headers"]["x-amz-delete-marker"] == "true"
    assert error["headers"]["x-amz-version-id"] == marker
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="key")


def test_head_of_a_delete_markers_version_id_is_a_405_with_its_time(s3: Any, bucket: str) -> None:
    marker = s3.delete_object(Bucket=bucket, Key="key")["VersionId"]
    with refused("405", 405) as error:
        s3.head_object(Bucket=bucket, Key="key", VersionId=marker)
    assert error["headers"]["x-amz-delete-marker"] == "true"
    assert error["headers"]["last-modified"].endswith("GMT")
    with refused("MethodNotAllowed", 405):
        s3.get_object(Bucket=bucket, Key="key", VersionId=marker)


def test_head_of_a_key_that_never_was_names_no_delete_marker(s3: Any, bucket: str) -> None:
    with refused("404", 404) as error:
        s3.head_object(Bucket=bucket, Key="key")
    assert "x-amz-delete-marker" not in error["headers"]


def test_deleting_a_delete_marker_brings_the_version_back(s3: Any, bucket: str) -> None:
    version = put(s3, bucket)
    marker = s3.delete_object(Bucket=bucket, Key="key")["VersionId"]
    answer = s3.delete_object(Bucket=bucket, Key="key", VersionId=marker)
    assert (answer["DeleteMarker"], answer["VersionId"]) == (True, marker)
    assert s3.head_object(Bucket=bucket, Key="key")["VersionId"] == version


def test_deleting_a_version_is_permanent_and_repeatable(s3: Any, bucket: str) -> None:
    version = put(s3, bucket)
    for _ in range(2):
        answer = s3.delete_object(Bucket=bucket, Key="key", VersionId=version)
        assert answer["VersionId"] == version
        assert "DeleteMarker" not in answer
    with refused("NoSuchVersion", 404):
        s3.get_object(Bucket=bucket, Key="key", VersionId=version)


def test_a_version_id_that_cannot_be_one_is_refused(s3: Any, bucket: str) -> None:
    with refused("InvalidArgument", 400):
        s3.get_object(Bucket=bucket, Key="key", VersionId="nonsense")


def test_a_bucket_without_versioning_overwrites_and_returns_no_version_id(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket(versioning=None)
    assert put(s3, bucket) is None
    assert put(s3, bucket, body=b"yy") is None
    assert "VersionId" not in s3.head_object(Bucket=bucket, Key="key")
    assert s3.head_object(Bucket=bucket, Key="key", VersionId="null")["ContentLength"] == 2
    assert history(s3, bucket) == [("key", "null", False, True)]
    assert "DeleteMarker" not in s3.delete_object(Bucket=bucket, Key="key")
    assert history(s3, bucket) == []


def test_an_object_from_before_versioning_has_the_version_id_null(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket(versioning=None)
    put(s3, bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.head_object(Bucket=bucket, Key="key")["VersionId"] == "null"
    version = put(s3, bucket)
    assert [entry[1] for entry in history(s3, bucket)] == [version, "null"]


def test_a_suspended_bucket_replaces_the_null_version_and_keeps_the_others(s3: Any, bucket: str) -> None:
    version = put(s3, bucket)
    suspend(s3, bucket)
    assert put(s3, bucket) is None
    assert put(s3, bucket, body=b"yy") is None
    assert history(s3, bucket) == [("key", "null", False, True), ("key", version, False, False)]
    assert s3.head_object(Bucket=bucket, Key="key")["VersionId"] == "null"
    assert s3.head_object(Bucket=bucket, Key="key")["ContentLength"] == 2


def test_a_delete_in_a_suspended_bucket_replaces_the_null_version_by_a_marker(s3: Any, bucket: str) -> None:
    version = put(s3, bucket)
    suspend(s3, bucket)
    put(s3, bucket)
    answer = s3.delete_object(Bucket=bucket, Key="key")
    assert (answer["DeleteMarker"], answer["VersionId"]) == (True, "null")
    assert history(s3, bucket) == [("key", version, False, False), ("key", "null", True, True)]


def test_a_null_version_under_a_newer_one_moves_to_the_top_when_it_is_replaced(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket(versioning=None)
    put(s3, bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = put(s3, bucket)
    suspend(s3, bucket)
    put(s3, bucket)
    assert [entry[1] for entry in history(s3, bucket)] == ["null", version]


def test_keys_are_listed_in_the_order_of_their_bytes(s3: Any, bucket: str) -> None:
    keys = ["a", "a/b", "a b", "Z", "é", "\uff5a", "😀", "a\nb"]
    for key in keys:
        put(s3, bucket, key)
    assert [entry[0] for entry in history(s3, bucket)] == sorted(keys, key=str.encode)


def test_pages_of_versions_join_without_loss_or_repetition(s3: Any, bucket: str) -> None:
    for key in ("a", "b", "b/c", "d"):
        put(s3, bucket, key)
        put(s3, bucket, key)
        s3.delete_object(Bucket=bucket, Key=key)
    whole = sorted(history(s3, bucket))
    assert len(whole) == 12
    for size in (1, 2, 3, 7, 100):
        assert sorted(in_pages(s3, bucket, size)) == whole, size


def in_pages(s3: Any, bucket: str, size: int) -> list[tuple[str, str, bool, bool]]:
    """Return the history, read in pages of this size."""
    found: list[tuple[str, str, bool, bool]] = []
    marker: dict[str, str] = {}
    while True:
        page = s3.list_object_versions(Bucket=bucket, MaxKeys=size, **marker)
        found += history(s3, bucket, MaxKeys=size, **marker)
        if not page["IsTruncated"]:
            return found
        marker = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}


def test_a_page_goes_on_after_a_version_that_was_deleted_since(s3: Any, bucket: str) -> None:
    ids = [put(s3, bucket) for _ in range(3)]
    page = s3.list_object_versions(Bucket=bucket, MaxKeys=2)
    marker = page["NextVersionIdMarker"]
    assert (page["NextKeyMarker"], marker) == ("key", ids[1])
    s3.delete_object(Bucket=bucket, Key="key", VersionId=marker)
    assert [each[1] for each in history(s3, bucket, KeyMarker="key", VersionIdMarker=marker)] == [ids[0]]


def test_a_key_marker_without_a_version_id_marker_skips_the_whole_key(s3: Any, bucket: str) -> None:
    for key in ("a", "a", "b"):
        put(s3, bucket, key)
    assert [entry[0] for entry in history(s3, bucket, KeyMarker="a")] == ["b"]


def test_a_prefix_finds_longer_keys_too(s3: Any, bucket: str) -> None:
    for key in ("key", "key2", "other"):
        put(s3, bucket, key)
    assert [entry[0] for entry in history(s3, bucket, Prefix="key")] == ["key", "key2"]


def test_a_delimiter_folds_keys(s3: Any, bucket: str) -> None:
    for key in ("a/1", "a/2", "b", "c/1"):
        put(s3, bucket, key)
    listed = s3.list_object_versions(Bucket=bucket, Delimiter="/")
    assert [entry["Prefix"] for entry in listed["CommonPrefixes"]] == ["a/", "c/"]
    assert [entry["Key"] for entry in listed["Versions"]] == ["b"]


def test_listing_objects_leaves_deleted_ones_out(s3: Any, bucket: str) -> None:
    for key in ("a", "b", "c"):
        put(s3, bucket, key)
    s3.delete_object(Bucket=bucket, Key="b")
    listed = s3.list_objects_v2(Bucket=bucket)
    assert [entry["Key"] for entry in listed["Contents"]] == ["a", "c"]


def test_several_keys_are_deleted_each_with_a_result_of_its_own(s3: Any, bucket: str) -> None:
    version, etag = put(s3, bucket, "b"), s3.head_object(Bucket=bucket, Key="b")["ETag"]
    put(s3, bucket, "a")
    objects = [{"Key": "a"}, {"Key": "b", "VersionId": version}, {"Key": "c", "ETag": etag}, {"Key": " d "}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    deleted = {entry["Key"]: entry for entry in answer["Deleted"]}
    assert deleted["a"]["DeleteMarker"] is True
    assert deleted["b"]["VersionId"] == version
    assert deleted[" d "]["DeleteMarker"] is True
    assert [(error["Key"], error["Code"]) for error in answer["Errors"]] == [("c", "NoSuchKey")]


def test_last_modified_is_in_whole_seconds_everywhere(s3: Any, bucket: str) -> None:
    put(s3, bucket)
    headed = s3.head_object(Bucket=bucket, Key="key")["LastModified"]
    listed = s3.list_object_versions(Bucket=bucket)["Versions"][0]["LastModified"]
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key")["CopyObjectResult"]["LastModified"]
    assert headed == listed
    assert copied.microsecond == 0


def test_a_bucket_with_nothing_but_a_marker_is_not_empty(s3: Any, bucket: str) -> None:
    marker = s3.delete_object(Bucket=bucket, Key="key")["VersionId"]
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="key", VersionId=marker)
    s3.delete_bucket(Bucket=bucket)
    with pytest.raises(ClientError):
        s3.head_bucket(Bucket=bucket)
