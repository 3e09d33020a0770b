"""Events of what changes after the write: tags, ACL, retention, annotations, and delete markers that are removed.

Fields as AWS recorded them; whether the version id is among them is documented nowhere, so both readings are tested.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.plain import Plain, md5

LATER = ("s3:ObjectTagging:*", "s3:ObjectAcl:Put", "s3:ObjectRetention:Put", "s3:ObjectAnnotation:*")
UNTIL = "2099-01-01T00:00:00Z"


@pytest.fixture
def listened(aws: Plain, s3: Any) -> tuple[str, str]:
    """Return a bucket with Object Lock that sends its later changes to a queue, and the queue's URL."""
    bucket = aws.bucket(ObjectLockEnabledForBucket=True, ObjectOwnership="ObjectWriter")
    url, arn = aws.queue()
    aws.notify(bucket, arn, *LATER, "s3:ObjectRemoved:*")
    return bucket, url


@pytest.fixture
def bridged(aws: Plain, s3: Any) -> tuple[str, str]:
    """Return a bucket with Object Lock whose events a rule of the event bus sends to a queue, and the queue's URL."""
    bucket = aws.bucket(ObjectLockEnabledForBucket=True, ObjectOwnership="ObjectWriter")
    url, arn = aws.queue()
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    events = aws.client("events")
    events.put_rule(Name=bucket, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=bucket, Targets=[{"Id": "queue", "Arn": arn}])
    return bucket, url


def change_everything(s3: Any, bucket: str) -> str:
    """Write `key`, change all that may change of it, and return its version id."""
    key = {"Bucket": bucket, "Key": "key"}
    version = s3.put_object(**key, Body=b"hello")["VersionId"]
    s3.put_object_tagging(**key, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    s3.delete_object_tagging(**key)
    s3.put_object_acl(**key, ACL="public-read")
    s3.put_object_annotation(**key, AnnotationName="note", AnnotationPayload=b"x")
    s3.delete_object_annotation(**key, AnnotationName="note")
    s3.put_object_retention(**key, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": UNTIL})
    return str(version)


@pytest.mark.parametrize("version_ids", [True, False])
def test_events_of_later_changes_name_key_etag_and_perhaps_the_version(
    aws: Plain, s3: Any, listened: tuple[str, str], version_ids: bool
) -> None:
    bucket, url = listened
    aws.post("delivery", {"version_ids": version_ids})
    version = change_everything(s3, bucket)
    records = aws.records(url)
    aws.post("delivery", {})
    expected = {"key": "key", "eTag": md5(b"hello"), **({"versionId": version} if version_ids else {})}
    assert [(record["eventName"], record["s3"]["object"]) for record in records] == [
        (name, expected)
        for name in (
            "ObjectTagging:Put",
            "ObjectTagging:Delete",
            "ObjectAcl:Put",
            "ObjectAnnotation:Put",
            "ObjectAnnotation:Delete",
            "ObjectRetention:Put",
        )
    ]


@pytest.mark.parametrize("version_ids", [True, False])
def test_event_bridge_gets_tags_and_acl_but_neither_retention_nor_annotations(
    aws: Plain, s3: Any, bridged: tuple[str, str], version_ids: bool
) -> None:
    bucket, url = bridged
    aws.post("delivery", {"version_ids": version_ids})
    version = change_everything(s3, bucket)
    created, *later = aws.messages(url)
    aws.post("delivery", {})
    assert created["detail"]["object"]["version-id"] == version
    expected = {"key": "key", "etag": md5(b"hello"), **({"version-id": version} if version_ids else {})}
    assert [(event["detail-type"], event["detail"]["object"]) for event in later] == [
        (name, expected) for name in ("Object Tags Added", "Object Tags Deleted", "Object ACL Updated")
    ]


def test_a_change_of_a_version_that_is_not_current_names_that_version(
    aws: Plain, s3: Any, listened: tuple[str, str]
) -> None:
    bucket, url = listened
    older = s3.put_object(Bucket=bucket, Key="key", Body=b"older")["VersionId"]
    s3.put_object(Bucket=bucket, Key="key", Body=b"newer")
    s3.put_object_tagging(Bucket=bucket, Key="key", VersionId=older, Tagging={"TagSet": []})
    (record,) = aws.records(url)
    assert record["s3"]["object"] == {"key": "key", "eTag": md5(b"older"), "versionId": older}


def test_tags_that_are_put_as_they_were_have_an_event(aws: Plain, s3: Any, listened: tuple[str, str]) -> None:
    bucket, url = listened
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", Tagging="a=1")
    s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    assert [record["eventName"] for record in aws.records(url)] == ["ObjectTagging:Put"]


def test_only_an_explicit_retention_has_an_event(aws: Plain, s3: Any, listened: tuple[str, str]) -> None:
    bucket, url = listened
    locked = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": UNTIL, "ObjectLockLegalHoldStatus": "ON"}
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", **locked)
    s3.put_object_legal_hold(Bucket=bucket, Key="key", LegalHold={"Status": "OFF"})
    assert aws.records(url) == []


def test_the_event_of_a_retention_says_what_it_is_now(aws: Plain, s3: Any, listened: tuple[str, str]) -> None:
    bucket, url = listened
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    hold = {"Mode": "GOVERNANCE", "EventHold": "ON", "EventHoldDuration": {"Days": 90}}
    for retention in (hold, {"Mode": "GOVERNANCE", "RetainUntilDate": UNTIL, "EventHold": "OFF"}):
        s3.put_object_retention(Bucket=bucket, Key="key", Retention=retention)
    s3.put_object_retention(Bucket=bucket, Key="key", Retention={}, BypassGovernanceRetention=True)
    held, released, none = aws.records(url)
    assert held["objectRetentionEventData"].pop("retainUntilDate") < "2099"
    assert held["objectRetentionEventData"] == {
        "mode": "GOVERNANCE",
        "eventHold": "ON",
        "eventHoldDuration": {"days": 90},
    }
    assert released["objectRetentionEventData"] == {
        "mode": "GOVERNANCE",
        "retainUntilDate": "2099-01-01T00:00:00.000Z",
    }
    assert "objectRetentionEventData" not in none


def test_a_delete_marker_that_is_removed_is_a_permanent_deletion_of_its_id(
    aws: Plain, s3: Any, listened: tuple[str, str]
) -> None:
    bucket, url = listened
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    marker = s3.delete_object(Bucket=bucket, Key="key")["VersionId"]
    removed = s3.delete_object(Bucket=bucket, Key="key", VersionId=marker)
    assert (removed["DeleteMarker"], removed["VersionId"]) == (True, marker)
    _, record = aws.records(url)
    assert record["eventName"] == "ObjectRemoved:Delete"
    assert record["s3"]["object"].keys() == {"key", "versionId", "sequencer"}
    assert record["s3"]["object"]["versionId"] == marker


def test_event_bridge_calls_it_a_permanent_deletion_too(aws: Plain, s3: Any, bridged: tuple[str, str]) -> None:
    bucket, url = bridged
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    marker = s3.delete_object(Bucket=bucket, Key="key")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="key", VersionId=marker)
    detail = aws.messages(url)[-1]["detail"]
    assert (detail["deletion-type"], detail["reason"]) == ("Permanently Deleted", "DeleteObject")
    assert detail["object"].keys() == {"key", "version-id", "sequencer"}
    assert detail["object"]["version-id"] == marker
