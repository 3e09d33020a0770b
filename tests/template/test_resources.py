"""Queues, table and buckets: closed to others, encrypted, and retained when the stack is deleted."""

import json
from typing import Any

import pytest
from replicator.core.versions.events import EVENTBRIDGE_KINDS
from s3replicator import bucket_notifications
from s3replicator.rules import queue_policy

from tests.template import stacks

KEPT = ("JournalTable", "ControlBucket", "SourceBucket")
BUCKETS = ("ControlBucket", "SourceBucket")
QUEUES = ("ChangeQueue", "BackfillQueue", "PartQueue", "ReleaseQueue", "DeadLetterQueue")


@pytest.fixture(scope="module")
def stack() -> stacks.Document:
    return stacks.stack(**stacks.EVERYTHING)


def statements_about(stack: stacks.Document, kind: str, name: str) -> list[Any]:
    """Find the statements of the policies on a queue or a bucket."""
    found = []
    for policy in stacks.resources(stack, kind).values():
        properties = policy["Properties"]
        if {"Ref": name} in properties.get("Queues", [properties.get("Bucket")]):
            found += properties["PolicyDocument"]["Statement"]
    return found


def denies_plain_text(statements: list[Any], service: str) -> bool:
    return any(
        (each["Effect"], each["Principal"], each["Action"]) == ("Deny", "*", f"{service}:*")
        and each["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for each in statements
    )


def lifecycle(stack: stacks.Document, bucket: str) -> list[Any]:
    rules: list[Any] = stacks.properties(stack, bucket)["LifecycleConfiguration"]["Rules"]
    return rules


def test_buckets_and_the_table_are_retained_and_buckets_not_after_a_first_deployment_that_failed(
    stack: stacks.Document,
) -> None:
    stored = {**stacks.resources(stack, "AWS::S3::Bucket"), **stacks.resources(stack, "AWS::DynamoDB::Table")}
    policies = {name: (each["DeletionPolicy"], each["UpdateReplacePolicy"]) for name, each in stored.items()}
    assert policies.pop("JournalTable") == ("Retain", "Retain"), "no rollback can delete a protected table"
    assert policies == dict.fromkeys(BUCKETS, ("RetainExceptOnCreate", "Retain"))


def test_queues_can_be_reached_by_tls_only(stack: stacks.Document) -> None:
    open_to = [
        name for name in QUEUES if not denies_plain_text(statements_about(stack, "AWS::SQS::QueuePolicy", name), "sqs")
    ]
    assert open_to == []


def test_buckets_can_be_reached_by_tls_only(stack: stacks.Document) -> None:
    open_to = [
        name for name in BUCKETS if not denies_plain_text(statements_about(stack, "AWS::S3::BucketPolicy", name), "s3")
    ]
    assert open_to == []


def test_buckets_can_never_be_public(stack: stacks.Document) -> None:
    blocks = {name: set(stacks.properties(stack, name)["PublicAccessBlockConfiguration"].values()) for name in BUCKETS}
    assert blocks == {name: {True} for name in BUCKETS}


def test_buckets_are_versioned(stack: stacks.Document) -> None:
    found = {name: stacks.properties(stack, name)["VersioningConfiguration"] for name in BUCKETS}
    assert found == {name: {"Status": "Enabled"} for name in BUCKETS}


def test_buckets_are_encrypted(stack: stacks.Document) -> None:
    for name in BUCKETS:
        [encryption] = stacks.properties(stack, name)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256", name


def test_incomplete_uploads_to_a_bucket_are_aborted(stack: stacks.Document) -> None:
    aborting = {name for name in BUCKETS for rule in lifecycle(stack, name) if "AbortIncompleteMultipartUpload" in rule}
    assert aborting == set(BUCKETS)


def test_lifecycle_never_expires_what_is_current(stack: stacks.Document) -> None:
    expiring = {"ExpirationInDays", "ExpirationDate", "ExpiredObjectDeleteMarker"}
    assert [rule for name in BUCKETS for rule in lifecycle(stack, name) if expiring & rule.keys()] == []


def test_old_states_go_after_a_day_and_those_of_rules_after_a_year(stack: stacks.Document) -> None:
    kept = {
        rule.get("Prefix", ""): rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
        for rule in lifecycle(stack, "ControlBucket")
        if "NoncurrentVersionExpiration" in rule
    }
    assert {prefix: int(days) for prefix, days in kept.items()} == {
        "": 365,
        "jobs/": 1,
        "verify/": 1,
        "assurance/": 1,
    }


def test_lifecycle_never_expires_old_versions_of_the_source(stack: stacks.Document) -> None:
    assert [rule for rule in lifecycle(stack, "SourceBucket") if "NoncurrentVersionExpiration" in rule] == []


def test_only_s3_for_the_source_buckets_and_the_stacks_eventbridge_rule_may_send_to_the_change_queue(
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
    assert from_eventbridge["Condition"] == {
        "ArnEquals": {"aws:SourceArn": [{"Fn::GetAtt": ["EventBridgeRule", "Arn"]}]}
    }


def test_the_command_reads_from_the_queue_policy_which_buckets_may_send(stack: stacks.Document) -> None:
    policy = json.dumps({"Statement": statements_about(stack, "AWS::SQS::QueuePolicy", "ChangeQueue")})
    queue = f"arn:aws:sqs:us-east-1:{stacks.ACCOUNT}:q"
    assert {
        bucket for bucket in stacks.SOURCES if queue_policy.accepts_events_of(policy, queue, bucket)
    } == stacks.SOURCES
    assert not queue_policy.accepts_events_of(policy, queue, "stranger")


def test_source_buckets_of_another_account_may_send_when_the_account_is_named() -> None:
    other = stacks.stack(SourceBuckets="east", SourceAccount="999999999999")
    [_, from_s3] = statements_about(other, "AWS::SQS::QueuePolicy", "ChangeQueue")
    assert from_s3["Condition"]["StringEquals"] == {"aws:SourceAccount": "999999999999"}


def test_without_source_buckets_nobody_may_send_to_the_change_queue() -> None:
    [statement] = statements_about(stacks.stack(), "AWS::SQS::QueuePolicy", "ChangeQueue")
    assert statement["Effect"] == "Deny"


def test_nobody_outside_the_stack_may_send_to_any_queue_but_the_change_queue(stack: stacks.Document) -> None:
    for name in set(QUEUES) - {"ChangeQueue"}:
        assert [each["Effect"] for each in statements_about(stack, "AWS::SQS::QueuePolicy", name)] == ["Deny"]


def test_the_journal_is_keyed_by_object_and_target_and_its_items_expire(stack: stacks.Document) -> None:
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


def test_what_waits_and_what_is_parked_is_found_through_sparse_indexes(stack: stacks.Document) -> None:
    table = stacks.properties(stack, "JournalTable")
    indexes = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
        if index["Projection"] == {"ProjectionType": "ALL"}
    }
    assert indexes == {"ByAge": ["waiting", "first_seen"], "ByRelease": ["parked", "release_at"]}
    # Sparse, because their keys are no keys of the table: an entry without them is in no index.
    assert {"waiting", "parked"} & {key["AttributeName"] for key in table["KeySchema"]} == set()
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    assert types == {
        "object": "S",
        "target": "S",
        "waiting": "S",
        "first_seen": "N",
        "parked": "S",
        "release_at": "N",
    }


def test_a_created_source_bucket_sends_what_the_command_would_attach(stack: stacks.Document) -> None:
    bucket = stacks.properties(stack, "SourceBucket")
    configured = bucket["NotificationConfiguration"]["QueueConfigurations"]
    assert tuple(each["Event"] for each in configured) == bucket_notifications.EVENTS
    assert {str(each["Queue"]) for each in configured} == {str({"Fn::GetAtt": ["ChangeQueue", "Arn"]})}
    assert bucket["BucketName"] == "fresh"


def test_a_created_source_bucket_waits_for_the_policy_that_lets_it_in(stack: stacks.Document) -> None:
    assert stack["Resources"]["SourceBucket"]["DependsOn"] == ["ChangeQueuePolicy"]
    assert "SourceBucket'" not in str(stacks.properties(stack, "ChangeQueuePolicy"))


def test_no_bucket_is_created_unless_asked_for() -> None:
    stack = stacks.stack(SourceBuckets="east")
    assert set(stacks.resources(stack, "AWS::S3::Bucket")) == {"ControlBucket"}
    assert set(stacks.resources(stack, "AWS::S3::BucketPolicy")) == {"ControlBucketPolicy"}


def test_the_eventbridge_rule_matches_changes_of_the_source_buckets(stack: stacks.Document) -> None:
    pattern = stacks.properties(stack, "EventBridgeRule")["EventPattern"]
    assert pattern["source"] == ["aws.s3"]
    assert set(pattern["detail"]["bucket"]["name"]) == stacks.SOURCES
    created, later = {"Object Created", "Object Deleted", "Object Restore Completed"}, set(EVENTBRIDGE_KINDS)
    assert set(pattern["detail-type"]) == created | (later - {"Object Retention Updated"})
    assert "EventBridgeRule" not in stacks.stack(SourceBuckets="east")["Resources"]


@pytest.mark.parametrize("bridged", ["true", "false"])
def test_with_cloudtrail_events_legal_holds_of_the_source_buckets_arrive_as_well(bridged: str) -> None:
    stack = stacks.stack(**stacks.EVERYTHING | stacks.AFTER_THE_WRITE | {"UseEventBridge": bridged})
    rule = stacks.properties(stack, "CloudTrailRule")
    assert rule["Targets"] == [{"Id": "changes", "Arn": {"Fn::GetAtt": ["ChangeQueue", "Arn"]}}]
    pattern = rule["EventPattern"]
    assert set(pattern["detail"]["requestParameters"].pop("bucketName")) == stacks.SOURCES
    assert pattern == {
        "source": ["aws.s3"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": ["s3.amazonaws.com"],
            "eventName": ["PutObjectLegalHold"],
            "requestParameters": {},
        },
    }
    sending = [
        each
        for each in statements_about(stack, "AWS::SQS::QueuePolicy", "ChangeQueue")
        if each["Principal"] == {"Service": "events.amazonaws.com"}
    ]
    rules = ["EventBridgeRule"] * (bridged == "true") + ["CloudTrailRule"]
    arns = [{"Fn::GetAtt": [name, "Arn"]} for name in rules]
    assert [each["Condition"] for each in sending] == [{"ArnEquals": {"aws:SourceArn": arns}}]
    assert set(stacks.resources(stack, "AWS::Events::Rule")) - {"MonitorFunctionEveryMinute"} == set(rules)


def test_without_them_nothing_listens_to_cloudtrail(stack: stacks.Document) -> None:
    assert "CloudTrailRule" not in stack["Resources"]
    assert "CloudTrailRule" not in stacks.stack(CloudTrailEvents="true")["Resources"], "there is no source bucket"


def test_only_the_change_queue_has_the_tag_by_which_other_stacks_may_send_to_it(stack: stacks.Document) -> None:
    tagged = {
        name: each["Properties"]["Tags"]
        for name, each in stacks.resources(stack, "AWS::SQS::Queue").items()
        if "Tags" in each["Properties"]
    }
    assert tagged == {"ChangeQueue": [{"Key": "s3replicator", "Value": "changes"}]}
