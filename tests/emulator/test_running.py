"""A running emulator: its world as clients find it, and the ways to connect."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.running import Running, running
from emulator.state import NewBuckets
from emulator.world.document import World, WorldBucket, WorldStack
from emulator.world.fields import WorldError
from tests.emulator.plain import refused

BUCKETS = (
    WorldBucket("plain", "us-east-1"),
    WorldBucket("suspended", "eu-west-1", versioning="Suspended", ownership="ObjectWriter"),
    WorldBucket("open", "us-east-1", ownership="ObjectWriter", block_public_access=False),
    WorldBucket("never", "us-east-1", versioning="Disabled"),
    WorldBucket("locked", "us-east-1", object_lock=True, retention={"Mode": "GOVERNANCE", "Days": 1}),
    WorldBucket(
        "secret",
        "us-west-2",
        encryption={
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/mine"},
            "BucketKeyEnabled": True,
        },
    ),
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    told = WorldStack("told", "us-east-1", {"PeerPrincipals": "somebody"})
    later = NewBuckets("ObjectWriter", block_public_access=False)
    with running(World(BUCKETS, (WorldStack("one", "us-east-1"), WorldStack("two", "us-west-2"), told), later)) as up:
        yield up


def test_a_bucket_has_the_versioning_that_the_world_says(emulator: Running) -> None:
    s3 = emulator.client("s3")
    found = {name: s3.get_bucket_versioning(Bucket=name).get("Status") for name in ("plain", "suspended", "never")}
    assert found == {"plain": "Enabled", "suspended": "Suspended", "never": None}


def test_a_bucket_is_in_the_region_that_the_world_says(emulator: Running) -> None:
    assert emulator.client("s3").get_bucket_location(Bucket="suspended")["LocationConstraint"] == "eu-west-1"


def test_a_bucket_has_the_ownership_that_the_world_says(emulator: Running) -> None:
    s3 = emulator.client("s3")
    owners = {
        name: s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"][0]["ObjectOwnership"]
        for name in ("plain", "suspended")
    }
    assert owners == {"plain": "BucketOwnerEnforced", "suspended": "ObjectWriter"}


def test_a_bucket_blocks_public_access_if_the_world_says_so(emulator: Running) -> None:
    s3 = emulator.client("s3")
    settings = s3.get_public_access_block(Bucket="plain")["PublicAccessBlockConfiguration"]
    assert set(settings.values()) == {True}
    with refused("NoSuchPublicAccessBlockConfiguration", 404):
        s3.get_public_access_block(Bucket="open")


def test_buckets_that_are_created_later_are_as_the_world_says(emulator: Running) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="created-later", ACL="public-read")
    s3.put_object(Bucket="created-later", Key="k", Body=b"", ACL="public-read")
    [rule] = s3.get_bucket_ownership_controls(Bucket="created-later")["OwnershipControls"]["Rules"]
    assert rule["ObjectOwnership"] == "ObjectWriter"
    emulator.delete("requests")


def test_a_bucket_may_have_object_lock_and_a_default_retention(emulator: Running) -> None:
    lock = emulator.client("s3").get_object_lock_configuration(Bucket="locked")["ObjectLockConfiguration"]
    assert {"Mode": "GOVERNANCE", "Days": 1}.items() <= lock["Rule"]["DefaultRetention"].items()


def test_a_kms_key_that_a_bucket_names_by_an_alias_is_created(emulator: Running) -> None:
    s3 = emulator.client("s3", "us-west-2")
    (rule,) = s3.get_bucket_encryption(Bucket="secret")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule == BUCKETS[-1].encryption
    key = emulator.client("kms", "us-west-2").describe_key(KeyId="alias/mine")["KeyMetadata"]["Arn"]
    s3.put_object(Bucket="secret", Key="k", Body=b"")
    assert s3.head_object(Bucket="secret", Key="k")["SSEKMSKeyId"] == key


def test_a_stack_may_use_the_default_keys_of_its_sources_and_no_others(emulator: Running) -> None:
    key = emulator.client("kms", "us-west-2").describe_key(KeyId="alias/mine")["KeyMetadata"]["Arn"]
    listed = {}
    for name, stack in emulator.stacks.items():
        [deployed] = emulator.client("cloudformation", stack.region).describe_stacks(StackName=name)["Stacks"]
        parameters = {each["ParameterKey"]: each["ParameterValue"] for each in deployed["Parameters"]}
        listed[name] = parameters["SourceKmsKeys"]
    assert listed == {"one": "", "told": "", "two": key}


def test_the_stacks_of_a_world_know_each_other(emulator: Running) -> None:
    """Unless the world says otherwise: then an event that another stack's function caused costs no request."""
    principals = {name: stack.outputs["ReplicatorPrincipals"] for name, stack in emulator.stacks.items()}
    known = {
        stack.name: emulator.client("lambda", stack.region).get_function_configuration(
            FunctionName=f"{stack.name}-replicate"
        )["Environment"]["Variables"]["REPLICATOR_PRINCIPALS"]
        for stack in emulator.world.stacks
    }
    assert known["one"] == ",".join([principals["one"], principals["two"], principals["told"]])
    assert known["two"] == ",".join([principals["two"], principals["one"], principals["told"]])
    assert known["told"] == f"{principals['told']},somebody"


def test_requests_that_set_the_world_up_are_not_logged(emulator: Running) -> None:
    assert {each["principal"] for each in emulator.get("/requests")} <= {"user"}
    assert not [each for each in emulator.get("/requests") if each["operation"].startswith("Create")]


def test_clients_and_resources_of_a_session_use_the_emulator(emulator: Running) -> None:
    session = emulator.session("eu-west-1")
    assert session.client("s3").meta.endpoint_url == emulator.endpoint
    assert session.resource("s3").Bucket("plain").creation_date is not None
    assert session.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_a_wrong_world_starts_nothing() -> None:
    with pytest.raises(WorldError, match="buckets: must be a list"), running({"buckets": 1}):
        pytest.fail("it started")
