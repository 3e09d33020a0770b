"""S3's own replication: which versions and markers it replicates, what a replica is like, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator.plain import Plain, refused
from tests.emulator.worlds import rule
from tests.patience import PATIENCE

ROLE = "arn:aws:iam::123456789012:role/replication"


def configure(aws: Plain, source: str, *rules: dict[str, Any]) -> None:
    """Have S3 replicate a bucket by these rules."""
    aws.client().put_bucket_replication(
        Bucket=source, ReplicationConfiguration={"Role": ROLE, "Rules": [dict(each) for each in rules]}
    )


def settle(aws: Plain) -> None:
    assert aws.get(f"idle?timeout={PATIENCE}") == {"idle": True}


def put(s3: Any, bucket: str, key: str, body: bytes = b"hello", **fields: Any) -> str:
    """Write an object and return its version id."""
    return str(s3.put_object(Bucket=bucket, Key=key, Body=body, **fields)["VersionId"])


def head(s3: Any, bucket: str, key: str) -> dict[str, Any]:
    return dict(s3.head_object(Bucket=bucket, Key=key))


def markers(aws: Plain, bucket: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.client().list_object_versions(Bucket=bucket).get("DeleteMarkers", [])
    return found


def keys(aws: Plain, bucket: str) -> list[str]:
    return [each["Key"] for each in aws.client().list_object_versions(Bucket=bucket).get("Versions", [])]


@pytest.fixture
def pair(aws: Plain) -> Callable[..., tuple[str, str]]:
    """Two buckets, of which S3 replicates the first to the second."""

    def make(**fields: Any) -> tuple[str, str]:
        source, destination = aws.bucket(), aws.bucket("us-west-2")
        configure(aws, source, rule(source, destination, **fields))
        return source, destination

    return make


def test_a_replica_has_the_version_id_times_metadata_and_tags_of_its_source(
    aws: Plain, pair: Callable[..., tuple[str, str]]
) -> None:
    (source, destination), s3 = pair(), aws.client()
    fields: dict[str, Any] = {"Metadata": {"a": "b"}, "Tagging": "x=y", "ContentType": "text/x", "CacheControl": "no"}
    written = put(s3, source, "k", **fields)
    settle(aws)
    ours, theirs = head(s3, source, "k"), head(s3, destination, "k")
    assert theirs["VersionId"] == written
    same = ("ETag", "LastModified", "Metadata", "TagCount", "ContentType", "CacheControl", "ContentLength")
    assert {name: theirs[name] for name in same} == {name: ours[name] for name in same}
    assert (ours["ReplicationStatus"], theirs["ReplicationStatus"]) == ("COMPLETED", "REPLICA")


def test_rules_by_prefix_and_tags_select_objects_and_others_have_no_status(
    aws: Plain, pair: Callable[..., tuple[str, str]]
) -> None:
    chosen = {"And": {"Prefix": "a/", "Tags": [{"Key": "x", "Value": "y"}, {"Key": "z", "Value": ""}]}}
    (source, destination), s3 = pair(Filter=chosen), aws.client()
    put(s3, source, "a/1", Tagging="x=y&z=")
    put(s3, source, "a/2", Tagging="x=y")
    put(s3, source, "b/1", Tagging="x=y&z=")
    settle(aws)
    assert keys(aws, destination) == ["a/1"]
    assert "ReplicationStatus" not in head(s3, source, "b/1")


def test_a_rule_of_version_1_selects_by_prefix_and_replicates_delete_markers(aws: Plain) -> None:
    source, destination, s3 = aws.bucket(), aws.bucket(), aws.client()
    first = {"Prefix": "a", "Status": "Enabled", "Destination": {"Bucket": f"arn:aws:s3:::{destination}"}}
    configure(aws, source, first)
    put(s3, source, "a")
    put(s3, source, "b")
    marker = s3.delete_object(Bucket=source, Key="a")["VersionId"]
    settle(aws)
    assert keys(aws, destination) == ["a"]
    assert [each["VersionId"] for each in markers(aws, destination)] == [marker]


@pytest.mark.parametrize("status", ["Enabled", "Disabled"])
def test_a_rule_with_a_filter_says_whether_delete_markers_are_replicated(
    aws: Plain, pair: Callable[..., tuple[str, str]], status: str
) -> None:
    (source, destination), s3 = pair(DeleteMarkerReplication={"Status": status}), aws.client()
    put(s3, source, "k")
    s3.delete_object(Bucket=source, Key="k")
    settle(aws)
    assert len(markers(aws, destination)) == (status == "Enabled")


def test_permanent_deletions_are_not_replicated(aws: Plain, pair: Callable[..., tuple[str, str]]) -> None:
    (source, destination), s3 = pair(), aws.client()
    version = put(s3, source, "k")
    settle(aws)
    s3.delete_object(Bucket=source, Key="k", VersionId=version)
    settle(aws)
    assert keys(aws, destination) == ["k"]


def test_the_rule_of_the_highest_priority_counts_for_each_destination(aws: Plain) -> None:
    source, one, two, s3 = aws.bucket(), aws.bucket(), aws.bucket(), aws.client()
    classes = {"low": ("STANDARD_IA", 1, one), "high": ("ONEZONE_IA", 2, one), "other": ("INTELLIGENT_TIERING", 3, two)}
    configure(
        aws,
        source,
        *(
            rule(source, to, ID=name, Priority=priority, Destination={"StorageClass": storage})
            for name, (storage, priority, to) in classes.items()
        ),
        rule(source, two, ID="off", Status="Disabled", Priority=9),
    )
    put(s3, source, "k")
    settle(aws)
    assert [head(s3, bucket, "k")["StorageClass"] for bucket in (one, two)] == ["ONEZONE_IA", "INTELLIGENT_TIERING"]


def test_a_replica_is_not_replicated_again_but_a_copy_of_it_is(aws: Plain) -> None:
    first, second, third, s3 = aws.bucket(), aws.bucket(), aws.bucket(), aws.client()
    configure(aws, first, rule(first, second))
    configure(aws, second, rule(second, third), rule(second, first, Priority=2))
    put(s3, first, "k")
    settle(aws)
    assert (keys(aws, first), keys(aws, second), keys(aws, third)) == (["k"], ["k"], [])
    s3.copy_object(Bucket=second, Key="copy", CopySource={"Bucket": second, "Key": "k"})
    settle(aws)
    assert (keys(aws, first), keys(aws, third)) == (["copy", "k"], ["copy"])


def test_a_replica_that_arrives_late_stands_where_it_was_created(aws: Plain) -> None:
    one, two, s3 = aws.bucket(), aws.bucket(), aws.client()
    configure(aws, one, rule(one, two))
    configure(aws, two, rule(two, one))
    for number in range(10):
        put(s3, (one, two)[number % 2], "k", body=str(number).encode())
    settle(aws)
    ids = [[each["VersionId"] for each in s3.list_object_versions(Bucket=bucket)["Versions"]] for bucket in (one, two)]
    assert len(ids[0]) == 10
    assert ids[0] == ids[1]


def test_a_replica_sends_the_event_of_a_put_by_the_session_that_replicates(
    aws: Plain, pair: Callable[..., tuple[str, str]]
) -> None:
    (source, destination), s3 = pair(), aws.client()
    url, arn = aws.queue("us-west-2")
    aws.notify(destination, arn, region="us-west-2")
    put(s3, source, "k")
    (record,) = aws.records(url, "us-west-2")
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["userIdentity"]["principalId"].endswith(":s3-replication")


def test_a_bucket_that_cannot_take_replicas_leaves_the_source_failed_and_sends_an_event(aws: Plain) -> None:
    source, destination, s3 = aws.bucket(), aws.bucket(), aws.client()
    metrics = {"Status": "Enabled", "EventThreshold": {"Minutes": 15}}
    configure(aws, source, rule(source, destination, Destination={"Metrics": metrics}))
    s3.put_bucket_versioning(Bucket=destination, VersioningConfiguration={"Status": "Suspended"})
    url, arn = aws.queue()
    aws.notify(source, arn, "s3:Replication:*")
    put(s3, source, "k")
    (record,) = aws.records(url)
    assert record["replicationEventData"]["failureReason"] == "DstBucketUnversioned"
    assert head(s3, source, "k")["ReplicationStatus"] == "FAILED"


def test_kms_objects_need_a_rule_that_selects_them_and_names_a_key(aws: Plain) -> None:
    source, plain, chosen, s3 = aws.bucket(), aws.bucket(), aws.bucket(), aws.client()
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    selected = {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    with_key = {"EncryptionConfiguration": {"ReplicaKmsKeyID": key}}
    opted = rule(source, chosen, ID="kms", Priority=2, SourceSelectionCriteria=selected, Destination=with_key)
    configure(aws, source, rule(source, plain), opted)
    put(s3, source, "k", ServerSideEncryption="aws:kms")
    settle(aws)
    assert keys(aws, plain) == []
    assert head(s3, chosen, "k")["SSEKMSKeyId"] == key


def test_locks_come_along_and_the_default_retention_of_the_destination_fills_in(aws: Plain) -> None:
    source, s3 = aws.bucket(ObjectLockEnabledForBucket=True), aws.client()
    destination = aws.bucket(ObjectLockEnabledForBucket=True)
    default = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    s3.put_object_lock_configuration(
        Bucket=destination, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": default}
    )
    configure(aws, source, rule(source, destination))
    put(s3, source, "held", ObjectLockLegalHoldStatus="ON", ChecksumAlgorithm="CRC32")
    put(s3, source, "free")
    settle(aws)
    assert head(s3, destination, "held")["ObjectLockLegalHoldStatus"] == "ON"
    assert head(s3, destination, "free")["ObjectLockMode"] == "GOVERNANCE"


# The configuration


def test_a_configuration_is_returned_as_it_was_put(aws: Plain, pair: Callable[..., tuple[str, str]]) -> None:
    (source, destination), s3 = pair(Filter={"Prefix": "Tax"}), aws.client()
    empty = rule(source, destination, ID="empty", Priority=0, Filter={}, Status="Disabled")
    both = [rule(source, destination, Filter={"Prefix": "Tax"}), empty]
    configure(aws, source, *both)
    found = s3.get_bucket_replication(Bucket=source)["ReplicationConfiguration"]
    assert found == {"Role": ROLE, "Rules": both}
    for _ in range(2):
        assert s3.delete_bucket_replication(Bucket=source)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused("ReplicationConfigurationNotFoundError", 404):
        s3.get_bucket_replication(Bucket=source)


def test_both_buckets_must_be_versioned_and_stay_so(aws: Plain, pair: Callable[..., tuple[str, str]]) -> None:
    source, destination = aws.bucket(), aws.bucket(versioning=None)
    for wrong in (destination, "no-such-bucket"):
        with refused("InvalidRequest", 400) as error:
            configure(aws, source, rule(source, wrong))
        assert error["Message"] == "Destination bucket must have versioning enabled."
    with refused("InvalidRequest", 400) as error:
        configure(aws, destination, rule(destination, source))
    message = "Versioning must be 'Enabled' on the bucket to apply a replication configuration"
    assert error["Message"] == message
    with refused("InvalidBucketState", 409):
        aws.client().put_bucket_versioning(Bucket=pair()[0], VersioningConfiguration={"Status": "Suspended"})


def test_a_configuration_without_rules_or_with_conflicting_ones_is_refused(aws: Plain) -> None:
    source, destination = aws.bucket(), aws.bucket()
    with refused("MalformedXML", 400):
        configure(aws, source)
    with refused("InvalidRequest", 400):
        configure(aws, source, rule(source, destination, ID="a"), rule(source, destination, ID="b"))
    tagged = {"Filter": {"Tag": {"Key": "a", "Value": "b"}}, "DeleteMarkerReplication": {"Status": "Enabled"}}
    with refused("InvalidRequest", 400):
        configure(aws, source, rule(source, destination, **tagged))
