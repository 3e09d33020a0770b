"""Buckets as they are created, named, tagged and described: each value as it was recorded on AWS."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from tests.emulator.plain import Plain, refused

_numbers = count(1)


@pytest.fixture
def name() -> str:
    """Return the name of a bucket that is not there."""
    return f"new-bucket-{next(_numbers)}"


def created(aws: Plain, name: str, region: str = "us-east-1", **settings: Any) -> Any:
    return aws.client("s3", region).create_bucket(Bucket=name, **settings)


def at(constraint: str) -> dict[str, Any]:
    return {"CreateBucketConfiguration": {"LocationConstraint": constraint}}


def test_a_new_bucket_is_described_by_its_arn_and_location(aws: Plain, s3: Any, name: str) -> None:
    answer = created(aws, name)
    assert (answer["Location"], answer["BucketArn"]) == (f"/{name}", f"arn:aws:s3:::{name}")
    found = s3.head_bucket(Bucket=name)
    assert (found["BucketRegion"], found["BucketArn"]) == ("us-east-1", f"arn:aws:s3:::{name}")
    assert found["AccessPointAlias"] is False


@pytest.mark.parametrize(
    ("region", "constraint", "location"),
    [
        ("us-east-1", None, None),
        ("us-east-1", "EU", "EU"),
        ("eu-west-1", "EU", "EU"),
        ("us-west-2", "us-west-2", "us-west-2"),
    ],
    ids=["none", "an old name", "an old name in its Region", "its Region"],
)
def test_the_location_of_a_bucket_is_the_constraint_it_was_created_with(
    aws: Plain, name: str, region: str, constraint: str | None, location: str | None
) -> None:
    answer = created(aws, name, region, **(at(constraint) if constraint else {}))
    assert answer["Location"] == (f"http://{name}.s3.amazonaws.com/" if constraint else f"/{name}")
    assert aws.client("s3", region).get_bucket_location(Bucket=name)["LocationConstraint"] == location


@pytest.mark.parametrize("constraint", ["us-east-1", "foo", "aws-global"])
def test_a_location_that_is_none_is_not_valid_in_us_east_1(aws: Plain, name: str, constraint: str) -> None:
    with refused("InvalidLocationConstraint", 400) as error:
        created(aws, name, **at(constraint))
    assert error["LocationConstraint"] == constraint


@pytest.mark.parametrize("constraint", ["us-west-1", "us-east-1", "foo", ""])
def test_other_regions_create_buckets_only_in_themselves(aws: Plain, name: str, constraint: str) -> None:
    with refused("IllegalLocationConstraintException", 400) as error:
        created(aws, name, "us-west-2", **(at(constraint) if constraint else {}))
    assert f"The {constraint or 'unspecified'} location constraint" in error["Message"]


@pytest.mark.parametrize("wrong", ["Capitals", "under_score", "10.0.0.1", "two..dots", "-dash", "xn--a", "sthree-a"])
def test_a_name_that_no_bucket_may_have_is_refused(aws: Plain, wrong: str) -> None:
    with refused("InvalidBucketName", 400) as error:
        created(aws, wrong)
    assert error["BucketName"] == wrong


def test_creating_a_bucket_again_changes_nothing_in_us_east_1(aws: Plain, name: str) -> None:
    created(aws, name, ObjectOwnership="ObjectWriter")
    created(aws, name)
    rules = aws.client().get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "ObjectWriter"}]


def test_creating_a_bucket_again_is_refused_in_other_regions(aws: Plain, name: str) -> None:
    created(aws, name, "us-west-2", **at("us-west-2"))
    with refused("BucketAlreadyOwnedByYou", 409) as error:
        created(aws, name, "us-west-2", **at("us-west-2"))
    assert error["BucketName"] == name


@pytest.mark.parametrize("ownership", ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"])
def test_the_ownership_of_a_bucket_is_chosen_at_its_creation(aws: Plain, s3: Any, name: str, ownership: str) -> None:
    created(aws, name, ObjectOwnership=ownership)
    controls = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]
    assert controls == {"Rules": [{"ObjectOwnership": ownership}]}


def test_an_unknown_ownership_is_refused_at_creation(aws: Plain, name: str) -> None:
    with refused("InvalidArgument", 400) as error:
        created(aws, name, ObjectOwnership="Nobody")
    assert error["Message"] == "Invalid x-amz-object-ownership header: Nobody"


def test_a_bucket_without_acls_is_not_created_with_one(aws: Plain, name: str) -> None:
    with refused("InvalidBucketAclWithObjectOwnership", 400):
        created(aws, name, ACL="public-read")
    with refused("InvalidBucketAclWithBlockPublicAccessError", 400):
        created(aws, name, ACL="public-read", ObjectOwnership="ObjectWriter")
    created(aws, name, GrantRead=f'id="{"a" * 64}"', ObjectOwnership="ObjectWriter")
    with refused("InvalidBucketAclWithObjectOwnership", 400):
        own(aws.client(), name, "BucketOwnerEnforced")


def own(s3: Any, bucket: str, *ownerships: str) -> None:
    rules = [{"ObjectOwnership": ownership} for ownership in ownerships]
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": rules})


@pytest.mark.parametrize(
    "ownerships", [(), ("Nobody",), ("ObjectWriter", "ObjectWriter")], ids=["none", "unknown", "two"]
)
def test_ownership_controls_are_one_known_rule(s3: Any, bucket: str, ownerships: tuple[str, ...]) -> None:
    with refused("MalformedXML", 400):
        own(s3, bucket, *ownerships)


def test_ownership_controls_can_be_deleted_twice(s3: Any, bucket: str) -> None:
    for _ in range(2):
        s3.delete_bucket_ownership_controls(Bucket=bucket)
    with refused("OwnershipControlsNotFoundError", 404) as error:
        s3.get_bucket_ownership_controls(Bucket=bucket)
    assert error["BucketName"] == bucket


def test_a_bucket_is_created_with_tags(aws: Plain, s3: Any, name: str) -> None:
    created(aws, name, CreateBucketConfiguration={"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]})
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
    with refused("BucketAlreadyOwnedByYou", 409):
        created(aws, name, CreateBucketConfiguration={"Tags": [{"Key": "a", "Value": "1"}]})


@pytest.mark.parametrize(
    "tags",
    [[("a", "1"), ("a", "1")], [("a,b", "1")], [("a", "1,2")], [("aws:a", "1")]],
    ids=["a key twice", "a comma in the key", "a comma in the value", "a reserved prefix"],
)
def test_tags_of_a_bucket_are_refused_as_those_of_objects(s3: Any, bucket: str, tags: list[tuple[str, str]]) -> None:
    tag_set = [{"Key": key, "Value": value} for key, value in tags]
    with refused("InvalidTag", 400):
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_set})


def test_deleted_tags_of_a_bucket_are_not_there(s3: Any, bucket: str) -> None:
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    s3.delete_bucket_tagging(Bucket=bucket)
    with refused("NoSuchTagSet", 404) as error:
        s3.get_bucket_tagging(Bucket=bucket)
    assert error["BucketName"] == bucket


def test_an_expected_owner_must_be_an_account(s3: Any, bucket: str) -> None:
    with refused("InvalidBucketOwnerAWSAccountID", 400):
        s3.get_bucket_versioning(Bucket=bucket, ExpectedBucketOwner="0000")


@pytest.mark.parametrize(
    ("versioning", "words"),
    [(None, "is not empty"), ("Enabled", "You must delete all versions in the bucket.")],
    ids=["never versioned", "versioned"],
)
def test_a_bucket_that_is_not_empty_is_not_deleted(aws: Plain, s3: Any, versioning: str | None, words: str) -> None:
    bucket = aws.bucket(versioning=versioning)
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    with refused("BucketNotEmpty", 409) as error:
        s3.delete_bucket(Bucket=bucket)
    assert error["BucketName"] == bucket
    assert error["Message"].endswith(words)


def test_a_bucket_of_a_name_that_was_deleted_has_no_tags(aws: Plain, s3: Any, name: str) -> None:
    created(aws, name, CreateBucketConfiguration={"Tags": [{"Key": "a", "Value": "1"}]})
    s3.delete_bucket(Bucket=name)
    created(aws, name)
    with refused("NoSuchTagSet", 404):
        s3.get_bucket_tagging(Bucket=name)
