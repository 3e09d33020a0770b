"""The world file: what it means, and how a mistake in it is reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.world.document import load_world, parse_world
from emulator.world.fields import WorldError

EAST = {"name": "east", "region": "us-east-1"}
WEST = {"name": "west", "region": "us-west-2"}


def stack(**fields: Any) -> dict[str, Any]:
    return {"name": "replicator", "region": "us-east-1", **fields}


def test_the_default_world_has_two_regions_and_one_stack_with_one_rule() -> None:
    world = load_world(None)
    assert [(each.name, each.region) for each in world.buckets] == [("east", "us-east-1"), ("west", "us-west-2")]
    assert [each.name for each in world.stacks] == ["replicator-east"]
    assert len(world.stacks[0].rules["east"]["Rules"]) == 1


def test_a_bucket_of_a_world_has_the_defaults_of_s3_and_is_versioned() -> None:
    (bucket,) = parse_world({"buckets": [EAST]}).buckets
    assert bucket.versioning == "Enabled"
    assert bucket.ownership == "BucketOwnerEnforced"
    assert not bucket.object_lock
    assert not bucket.encryption


def test_an_empty_world_is_a_world() -> None:
    assert parse_world({}).buckets == ()


@pytest.mark.parametrize(
    ("written", "retention"),
    [
        (True, {}),
        ({"Mode": "GOVERNANCE", "Days": 1}, {"Mode": "GOVERNANCE", "Days": 1}),
        ({"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 1}}, {"Mode": "COMPLIANCE", "Years": 1}),
        (
            {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}},
            {"Mode": "GOVERNANCE", "Days": 3},
        ),
    ],
    ids=["a switch", "a retention", "S3's rule", "S3's configuration"],
)
def test_object_lock_of_a_bucket_is_a_switch_or_a_default_retention(written: Any, retention: dict[str, Any]) -> None:
    (bucket,) = parse_world({"buckets": [{**EAST, "object_lock": written}]}).buckets
    assert bucket.object_lock
    assert bucket.retention == retention


@pytest.mark.parametrize(
    ("written", "blocked"),
    [
        ({}, True),
        ({"ownership": "ObjectWriter"}, False),
        ({"ownership": "ObjectWriter", "block_public_access": True}, True),
        ({"block_public_access": False}, False),
    ],
    ids=["nothing said", "with ACLs", "with ACLs, and blocked", "without ACLs, and not blocked"],
)
def test_a_bucket_blocks_public_access_unless_acls_are_enabled_or_the_world_says_otherwise(
    written: Any, blocked: bool
) -> None:
    world = parse_world({"buckets": [EAST | written], "new_buckets": written})
    assert (world.buckets[0].block_public_access, world.new_buckets.block_public_access) == (blocked, blocked)


KMS = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/mine"}


@pytest.mark.parametrize(
    "written",
    [
        {"sse": "aws:kms", "kms_key": "alias/mine"},
        KMS,
        {"ApplyServerSideEncryptionByDefault": KMS},
        {"Rules": [{"ApplyServerSideEncryptionByDefault": KMS}]},
        {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": KMS}]}},
    ],
    ids=["in short", "S3's default", "S3's rule", "S3's rules", "S3's configuration"],
)
def test_encryption_of_a_bucket_may_be_short_or_in_the_shape_of_s3(written: Any) -> None:
    (bucket,) = parse_world({"buckets": [{**EAST, "encryption": written}]}).buckets
    assert bucket.encryption == {"ApplyServerSideEncryptionByDefault": KMS, "BucketKeyEnabled": False}


def test_encryption_of_a_bucket_can_be_just_an_algorithm() -> None:
    (bucket,) = parse_world({"buckets": [{**EAST, "encryption": "AES256"}]}).buckets
    assert bucket.encryption["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_parameters_of_a_stack_become_the_strings_of_cloudformation() -> None:
    parameters = {"ThresholdMinutes": 15, "SourceBuckets": ["east", "west"], "Flag": True, "LogLevel": "INFO"}
    (deployed,) = parse_world({"buckets": [EAST], "stacks": [stack(parameters=parameters)]}).stacks
    assert deployed.parameters == {
        "ThresholdMinutes": "15",
        "SourceBuckets": "east,west",
        "Flag": "true",
        "LogLevel": "INFO",
    }


def test_rules_of_a_stack_may_name_the_bucket_that_it_creates() -> None:
    document = {"stacks": [stack(parameters={"CreateSourceBucket": "fresh"}, rules={"fresh": {"Rules": []}})]}
    assert "fresh" in parse_world(document).stacks[0].rules


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ([], "world: must be an object, not a list"),
        ({"bucket": []}, 'bucket: unknown field; did you mean "buckets"?'),
        ({"buckets": {}}, "buckets: must be a list, not an object"),
        ({"buckets": ["east"]}, "buckets[0]: must be an object, not a string"),
        ({"buckets": [{"region": "us-east-1"}]}, "buckets[0].name: is missing; it must be a string"),
        ({"buckets": [{"name": None, "region": "us-east-1"}]}, "buckets[0].name: must be a string, not null"),
        ({"buckets": [{"name": "East", "region": "us-east-1"}]}, 'buckets[0].name: "East" is not a bucket name'),
        ({"buckets": [{"name": "east", "region": "us-est-1"}]}, 'buckets[0].region: "us-est-1" is not an AWS Region'),
        ({"buckets": [{"name": "east", "region": "eu-norht-1"}]}, 'did you mean "eu-north-1"?'),
        ({"buckets": [EAST, EAST]}, 'buckets[1].name: "east" is used twice'),
        ({"buckets": [{**EAST, "regoin": "x"}]}, 'buckets[0].regoin: unknown field; did you mean "region"?'),
        ({"buckets": [{**EAST, "versioning": "suspended"}]}, 'buckets[0].versioning: "suspended" is not one of'),
        (
            {"buckets": [{**EAST, "versioning": "Suspended", "object_lock": True}]},
            'buckets[0].versioning: "Suspended" cannot be combined with object_lock',
        ),
        ({"buckets": [{**EAST, "object_lock": {"Mode": "GOVERNANCE"}}]}, "buckets[0].object_lock: a default retention"),
        ({"buckets": [{**EAST, "object_lock": "yes"}]}, "buckets[0].object_lock: must be true, false or"),
        ({"buckets": [{**EAST, "ownership": "Mine"}]}, 'buckets[0].ownership: "Mine" is not one of'),
        ({"buckets": [{**EAST, "encryption": "kms"}]}, '"kms" is not one of AES256, aws:kms, aws:kms:dsse'),
        ({"buckets": [{**EAST, "encryption": {"sse": "AES256", "kms_key": "k"}}]}, "buckets[0].encryption: AES256"),
        ({"buckets": [{**EAST, "encryption": {"Rules": []}}]}, "buckets[0].encryption.Rules: must contain exactly one"),
        ({"stacks": [{"region": "us-east-1"}]}, "stacks[0].name: is missing"),
        ({"stacks": [stack(name="1st")]}, 'stacks[0].name: "1st" is not a stack name'),
        ({"stacks": [stack(), stack()]}, 'stacks[1].name: "replicator" is used twice'),
        ({"stacks": [stack(parameters={"A": {}})]}, "stacks[0].parameters.A: must be a string"),
        ({"stacks": [stack(rules={"east": []})], "buckets": [EAST]}, "stacks[0].rules.east: must be an object"),
        (
            {"stacks": [stack(rules={"eats": {}})], "buckets": [EAST]},
            'stacks[0].rules.eats: there is no bucket "eats" in buckets; did you mean "east"?',
        ),
        (
            {"stacks": [stack(rules={"west": {}})], "buckets": [WEST]},
            'stacks[0].rules.west: bucket "west" is in us-west-2 but stack "replicator" is in us-east-1',
        ),
    ],
)
def test_a_mistake_in_a_world_is_named_with_its_place(document: Any, complaint: str) -> None:
    with pytest.raises(WorldError) as caught:
        parse_world(document)
    assert complaint in str(caught.value)


def test_a_world_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match=r"missing\.json: cannot be read: No such file"):
        load_world(tmp_path / "missing.json")


def test_a_world_file_that_is_no_json_is_named_with_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text('{"buckets": [}')
    with pytest.raises(WorldError, match=r"world\.json: is not JSON: .*line 1 column"):
        load_world(path)


def test_a_world_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text(json.dumps({"buckets": [EAST, WEST]}))
    assert [bucket.name for bucket in load_world(path).buckets] == ["east", "west"]
