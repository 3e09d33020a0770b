"""Tags that S3 refuses, in the header and in XML: each value as it was recorded on AWS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.emulator.plain import put, refused


def tag(s3: Any, bucket: str, *pairs: tuple[str, str], **version: str) -> Any:
    tags = {"TagSet": [{"Key": key, "Value": value} for key, value in pairs]}
    return s3.put_object_tagging(Bucket=bucket, Key="key", Tagging=tags, **version)


@pytest.mark.parametrize(
    "header", ["a=1&a=2", "a=1,b=2", "a=%2C", "a=%FF"], ids=["a key twice", "commas", "an encoded comma", "no UTF-8"]
)
def test_a_header_of_tags_that_s3_does_not_take_is_an_invalid_argument(s3: Any, bucket: str, header: str) -> None:
    with refused("InvalidArgument", 400) as error:
        put(s3, bucket, Tagging=header)
    assert (error["ArgumentName"], error["ArgumentValue"]) == ("x-amz-tagging", header)


def test_a_header_of_tags_may_leave_values_out_and_has_no_order(s3: Any, bucket: str) -> None:
    put(s3, bucket, Tagging="b&&&a=1")
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == [
        {"Key": "a", "Value": "1"},
        {"Key": "b", "Value": ""},
    ]


@pytest.mark.parametrize(
    ("pairs", "message", "told"),
    [
        ([("Key1", "a"), ("Key1", "b")], "Cannot provide multiple Tags with the same key", {"TagKey": "Key1"}),
        ([("Key1,Key2", "a")], "The TagKey you have provided is invalid", {"TagKey": "Key1,Key2"}),
        ([("Key1", "a,b")], "The TagValue you have provided is invalid", {"TagKey": "Key1", "TagValue": "a,b"}),
        ([("aws:mine", "a")], "Your TagKey cannot be prefixed with aws:", {"TagKey": "aws:mine"}),
    ],
    ids=["a key twice", "a comma in the key", "a comma in the value", "a reserved prefix"],
)
def test_tags_that_s3_does_not_take_are_named(
    s3: Any, bucket: str, pairs: Sequence[tuple[str, str]], message: str, told: dict[str, str]
) -> None:
    put(s3, bucket)
    with refused("InvalidTag", 400) as error:
        tag(s3, bucket, *pairs)
    assert error["Message"] == message
    assert told.items() <= error.items()


def test_letters_digits_and_blanks_of_any_script_are_taken(s3: Any, bucket: str) -> None:
    put(s3, bucket)
    tag(s3, bucket, ("Größe 大小 ٣", "_.:/=+-@ \u3000"))
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == [
        {"Key": "Größe 大小 ٣", "Value": "_.:/=+-@ \u3000"}
    ]


@pytest.mark.parametrize("operation", ["get_object_tagging", "put_object_tagging", "delete_object_tagging"])
@pytest.mark.parametrize("by_id", [True, False], ids=["by its id", "as the current one"])
def test_a_delete_marker_has_no_tags(s3: Any, bucket: str, operation: str, by_id: bool) -> None:
    put(s3, bucket)
    marker = s3.delete_object(Bucket=bucket, Key="key")["VersionId"]
    named = {"VersionId": marker} if by_id else {}
    given: dict[str, Any] = {"Tagging": {"TagSet": []}} if operation.startswith("put") else {}
    with refused("MethodNotAllowed", 405) as error:
        getattr(s3, operation)(Bucket=bucket, Key="key", **named, **given)
    assert (error["Method"], error["ResourceType"]) == (operation.partition("_")[0].upper(), "DeleteMarker")


def test_reading_the_tags_of_a_missing_key_names_its_bucket_too(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404) as error:
        s3.get_object_tagging(Bucket=bucket, Key="key")
    assert error["Key"] == f"{bucket}/key"
    with refused("NoSuchKey", 404) as error:
        s3.delete_object_tagging(Bucket=bucket, Key="key")
    assert error["Key"] == "key"
