"""Queues, table and buckets: closed to others, encrypted, and kept when the stack goes."""

import json
from typing import Any

import pytest
from s3replicator.rules import notifications, queue_policy

from tests.template import stacks

KEPT = ("JournalTable", "ControlBucket", "SourceBucket")
BUCKETS = ("ControlBucket", "SourceBucket")
QUEUES = ("ChangeQueue", "PartQueue", "DeadLetterQueue")


@pytest.fixture(scope="module")
def stack() -> stacks.Document:
    return stacks.stack(**stacks.EVERYTHING)


def statements_about(stack: stacks.Document, kind: str, name: str) -> list[Any]:
    """Find the statements of the policies on a queue or a bucket."""
    found = []
    for policy in stacks.resources(stack, kind).values():
        told = policy["Properties"]
        if {"Ref": name} in told.get("Queues", [told.get("Bucket")]):
            found += told["PolicyDocument"]["Statement"]
    return found


def denies_plain_text(statements: list[Any], service: str) -> bool:
    return any(
        (each["Effect"], each["Principal"], each["Action"]) == ("Deny", "*", f"{service}:*")
        and each["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for each in statements
    )


@pytest.mark.parametrize("name", KEPT)
def test_nothing_that_remembers_goes_with_the_stack(stack: stacks.Document, name: str) -> None:
    assert stack["Resources"][name]["DeletionPolicy"] == "Retain"
    assert stack["Resources"][name]["UpdateReplacePolicy"] == "Retain"


def test_every_bucket_and_table_is_among_those_kept(stack: stacks.Document) -> None:
    stored = {**stacks.resources(stack, "AWS::S3::Bucket"), **stacks.resources(stack, "AWS::DynamoDB::Table")}
    assert set(stored) == set(KEPT)


@pytest.mark.parametrize("name", QUEUES)
def test_queues_are_reached_by_tls_only(stack: stacks.Document, name: str) -> None:
    assert denies_plain_text(statements_about(stack, "AWS::SQS::QueuePolicy", name), "sqs")


@pytest.mark.parametrize("name", BUCKETS)
def test_buckets_are_reached_by_tls_only_and_never_by_the_public(stack: stacks.Document, name: str) -> None:
    assert denies_plain_text(statements_about(stack, "AWS::S3::BucketPolicy", name), "s3")
    assert set(stacks.properties(stack, name)["PublicAccessBlockConfiguration"].values()) == {True}


@pytest.mark.parametrize("name", BUCKETS)
def test_buckets_are_versioned_encrypted_and_forget_incomplete_uploads(stack: stacks.Document, name: str) -> None:
    told = stacks.properties(stack, name)
    assert told["VersioningConfiguration"] == {"Status": "Enabled"}
    [encryption] = told["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert any("AbortIncompleteMultipartUpload" in rule for rule in told["LifecycleConfiguration"]["Rules"])


def test_lifecycle_never_expires_what_is_current(stack: stacks.Document) -> None:
    for name in BUCKETS:
        for rule in stacks.properties(stack, name)["LifecycleConfiguration"]["Rules"]:
            assert not {"ExpirationInDays", "ExpirationDate", "ExpiredObjectDeleteMarker"} & rule.keys()
    source_rules = stacks.properties(stack, "SourceBucket")["LifecycleConfiguration"]["Rules"]
    assert not any("NoncurrentVersionExpiration" in rule for rule in source_rules)


def test_only_s3_for_the_source_buckets_of_the_account_and_the_stacks_own_rule_may_send_changes(
    stack: stacks.Document,
) -> None:
    allowed = [
        each for each in statements_about(stack, "AWS::SQS::QueuePolicy", "ChangeQueue") if each["Effect"] == "Allow"
    ]
    [from_s3, from_eventbridge] = allowed
    assert from_s3["Principal"] == {"Service": "s3.amazonaws.com"}
    assert from_s3["Action"] == "sqs:SendMessage"
    assert {stacks.bucket_of(source) for source in from_s3["Condition"]["ArnLike"]["aws:SourceArn"]} == stacks.SOURCES
    assert from_s3["Condition"]["StringEquals"] == {"aws:SourceAccount": stacks.ACCOUNT}
    assert from_eventbridge["Principal"] == {"Service": "events.amazonaws.com"}
    assert from_eventbridge["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["EventBridgeRule", "Arn"]}}}


def test_the_command_finds_the_buckets_let_in(stack: stacks.Document) -> None:
    policy = json.dumps({"Statement": statements_about(stack, "AWS::SQS::QueuePolicy", "ChangeQueue")})
    queue = f"arn:aws:sqs:us-east-1:{stacks.ACCOUNT}:q"
    assert all(queue_policy.lets_in(policy, queue, bucket) for bucket in stacks.SOURCES)
    assert not queue_policy.lets_in(policy, queue, "stranger")


def test_sources_of_another_account_are_let_in_by_name() -> None:
    other = stacks.stack(SourceBuckets="east", SourceAccount="999999999999")
    [_, from_s3] = statements_about(other, "AWS::SQS::QueuePolicy", "ChangeQueue")
    assert from_s3["Condition"]["StringEquals"] == {"aws:SourceAccount": "999999999999"}


def test_without_sources_nobody_may_send_changes() -> None:
    [statement] = statements_about(stacks.stack(), "AWS::SQS::QueuePolicy", "ChangeQueue")
    assert statement["Effect"] == "Deny"


def test_inner_queues_let_nobody_in(stack: stacks.Document) -> None:
    for name in ("PartQueue", "DeadLetterQueue"):
        assert [each["Effect"] for each in statements_about(stack, "AWS::SQS::QueuePolicy", name)] == ["Deny"]


def test_the_journal_is_keyed_by_object_and_target_and_forgets_what_expired(stack: stacks.Document) -> None:
    table = stacks.properties(stack, "JournalTable")
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [
        ("object", "HASH"),
        ("target", "RANGE"),
    ]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_the_journal_can_be_restored_and_is_encrypted(stack: stacks.Document) -> None:
    table = stacks.properties(stack, "JournalTable")
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["DeletionProtectionEnabled"] is True


def test_what_waits_is_found_by_age_through_a_sparse_index(stack: stacks.Document) -> None:
    table = stacks.properties(stack, "JournalTable")
    [index] = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "ByAge"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["waiting", "first_seen"]
    assert index["Projection"] == {"ProjectionType": "ALL"}
    # Sparse, because its key is no key of the table: an entry without it is not in the index.
    assert "waiting" not in {key["AttributeName"] for key in table["KeySchema"]}
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    assert types == {"object": "S", "target": "S", "waiting": "S", "first_seen": "N"}


def test_a_created_source_bucket_sends_what_the_command_would_attach(stack: stacks.Document) -> None:
    bucket = stacks.properties(stack, "SourceBucket")
    configured = bucket["NotificationConfiguration"]["QueueConfigurations"]
    assert tuple(each["Event"] for each in configured) == notifications.EVENTS
    assert {str(each["Queue"]) for each in configured} == {str({"Fn::GetAtt": ["ChangeQueue", "Arn"]})}
    assert bucket["BucketName"] == "fresh"


def test_a_created_source_bucket_waits_for_the_policy_that_lets_it_in(stack: stacks.Document) -> None:
    assert stack["Resources"]["SourceBucket"]["DependsOn"] == ["ChangeQueuePolicy"]
    assert "SourceBucket'" not in str(stacks.properties(stack, "ChangeQueuePolicy"))


def test_no_bucket_is_created_unless_asked_for() -> None:
    stack = stacks.stack(SourceBuckets="east")
    assert set(stacks.resources(stack, "AWS::S3::Bucket")) == {"ControlBucket"}
    assert set(stacks.resources(stack, "AWS::S3::BucketPolicy")) == {"ControlBucketPolicy"}


def test_eventbridge_brings_the_same_changes_of_the_same_buckets(stack: stacks.Document) -> None:
    pattern = stacks.properties(stack, "EventBridgeRule")["EventPattern"]
    assert pattern["source"] == ["aws.s3"]
    assert set(pattern["detail"]["bucket"]["name"]) == stacks.SOURCES
    assert set(pattern["detail-type"]) == {"Object Created", "Object Deleted", "Object Restore Completed"}
    assert "EventBridgeRule" not in stacks.stack(SourceBuckets="east")["Resources"]
