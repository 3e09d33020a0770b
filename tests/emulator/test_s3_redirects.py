"""Requests for a bucket in another Region: what S3 answers, and that botocore follows it."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.utils import S3RegionRedirectorv2

from tests.emulator.plain import USER, Plain, refused


@pytest.fixture
def strict(aws: Plain, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Return how to make clients that do not follow redirects to other Regions."""
    monkeypatch.setattr(S3RegionRedirectorv2, "redirect_from_error", lambda *_, **__: None)

    def client(region: str) -> Any:
        return boto3.client(
            "s3",
            region_name=region,
            endpoint_url=aws.emulator.endpoint,
            aws_access_key_id=USER.access_key_id,
            aws_secret_access_key=USER.secret_access_key,
            config=Config(signature_version="s3v4"),
        )

    return client


@pytest.fixture
def west(aws: Plain) -> str:
    name = aws.bucket("us-west-2")
    aws.client("s3", "us-west-2").put_object(Bucket=name, Key="key", Body=b"hello")
    return name


def test_a_request_signed_for_us_east_1_is_malformed_and_names_the_region(
    strict: Callable[[str], Any], west: str
) -> None:
    with refused("AuthorizationHeaderMalformed", 400) as error:
        strict("us-east-1").get_object(Bucket=west, Key="key")
    assert error["Region"] == "us-west-2"
    assert error["headers"]["x-amz-bucket-region"] == "us-west-2"
    assert error["Message"].endswith("the region 'us-east-1' is wrong; expecting 'us-west-2'")


def test_a_request_to_another_regions_endpoint_is_redirected(strict: Callable[[str], Any], west: str) -> None:
    with refused("PermanentRedirect", 301) as error:
        strict("eu-west-1").get_object(Bucket=west, Key="key")
    assert error["Endpoint"] == f"{west}.s3.us-west-2.amazonaws.com"
    assert error["headers"]["x-amz-bucket-region"] == "us-west-2"


@pytest.mark.parametrize(("region", "status"), [("us-east-1", 400), ("eu-west-1", 301)])
def test_a_head_has_no_body_and_names_the_region_in_a_header(
    strict: Callable[[str], Any], west: str, region: str, status: int
) -> None:
    s3 = strict(region)
    for head, named in ((s3.head_bucket, {"Bucket": west}), (s3.head_object, {"Bucket": west, "Key": "key"})):
        with pytest.raises(ClientError) as raised:
            head(**named)
        answer = raised.value.response
        assert (answer["Error"]["Code"], answer["Error"]["Message"]) in {
            (str(status), "Bad Request"),
            (str(status), "Moved Permanently"),
        }
        assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == "us-west-2"


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_botocore_signs_again_for_the_region_of_the_bucket(aws: Plain, west: str, region: str) -> None:
    s3 = aws.client("s3", region)
    assert s3.get_object(Bucket=west, Key="key")["Body"].read() == b"hello"
    assert s3.head_object(Bucket=west, Key="key")["ContentLength"] == 5
    assert s3.head_bucket(Bucket=west)["BucketRegion"] == "us-west-2"
    assert s3.get_bucket_location(Bucket=west)["LocationConstraint"] == "us-west-2"


def test_a_copy_is_sent_to_the_region_of_its_destination_wherever_the_source_is(
    aws: Plain, strict: Callable[[str], Any], west: str
) -> None:
    east = aws.bucket()
    strict("us-east-1").copy_object(Bucket=east, Key="k", CopySource={"Bucket": west, "Key": "key"})
    with refused("AuthorizationHeaderMalformed", 400):
        strict("us-east-1").copy_object(Bucket=west, Key="k", CopySource={"Bucket": east, "Key": "k"})


def test_a_bucket_that_is_not_there_is_missing_in_every_region(aws: Plain) -> None:
    with refused("NoSuchBucket", 404):
        aws.client("s3", "eu-west-1").list_objects_v2(Bucket="no-such-bucket")


def test_an_unsigned_request_is_redirected_nowhere(aws: Plain, west: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{aws.emulator.endpoint}/{west}/key")  # noqa: S310


def test_a_presigned_url_is_held_to_its_region_too(strict: Callable[[str], Any], west: str) -> None:
    right, wrong = (
        strict(region).generate_presigned_url("get_object", {"Bucket": west, "Key": "key"})
        for region in ("us-west-2", "eu-west-1")
    )
    with urllib.request.urlopen(right) as answer:  # noqa: S310
        assert answer.read() == b"hello"
    with pytest.raises(urllib.error.HTTPError, match="301"):
        urllib.request.urlopen(wrong)  # noqa: S310
