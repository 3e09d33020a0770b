"""Event notifications: which events there are, what they say and where they go."""

from __future__ import annotations

import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_plus

import pytest

from emulator.s3 import event_records
from tests.emulator.plain import Plain, md5
from tests.patience import PATIENCE

EVERYTHING = (
    "s3:ObjectCreated:*",
    "s3:ObjectRemoved:*",
    "s3:ObjectTagging:*",
    "s3:ObjectAcl:Put",
    "s3:ObjectRestore:*",
    "s3:ObjectAnnotation:*",
    "s3:ObjectRetention:Put",
)


@pytest.fixture
def watched(aws: Plain) -> tuple[str, str]:
    """Return a bucket that sends all its events, and the URL of the queue that gets them."""
    bucket, (url, arn) = aws.bucket(ObjectOwnership="ObjectWriter"), aws.queue()
    aws.notify(bucket, arn, *EVERYTHING)
    return bucket, url


def named(records: list[dict[str, Any]]) -> list[str]:
    return [record["eventName"] for record in records]


def test_the_record_of_an_event_has_s3s_shape(aws: Plain, s3: Any, watched: tuple[str, str]) -> None:
    bucket, url = watched
    version = s3.put_object(Bucket=bucket, Key="key", Body=b"hello")["VersionId"]
    (record,) = aws.records(url)
    assert record["s3"]["object"].pop("sequencer").isalnum()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("eventTime"))
    assert record.pop("responseElements").keys() == {"x-amz-request-id", "x-amz-id-2"}
    assert record["s3"].pop("configurationId")
    assert record["s3"]["bucket"].pop("ownerIdentity").keys() == {"principalId"}
    assert record == {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AIDAEMULATORUSER00000"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": "key", "size": 5, "eTag": md5(b"hello"), "versionId": version},
        },
    }


def test_every_way_of_writing_has_its_event(aws: Plain, s3: Any, watched: tuple[str, str]) -> None:
    bucket, url = watched
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", Tagging="a=1", ACL="public-read")
    s3.copy_object(Bucket=bucket, Key="key", CopySource=f"{bucket}/key", MetadataDirective="REPLACE")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key", Tagging="a=1")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="key", UploadId=upload, MultipartUpload=parts)
    assert named(aws.records(url)) == [
        "ObjectCreated:Put",
        "ObjectCreated:Copy",
        "ObjectCreated:CompleteMultipartUpload",
    ]


def test_a_marker_and_a_permanent_deletion_are_two_events(aws: Plain, s3: Any, watched: tuple[str, str]) -> None:
    bucket, url = watched
    version = s3.put_object(Bucket=bucket, Key="key", Body=b"x")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="key")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="key", VersionId=version)
    s3.delete_object(Bucket=bucket, Key="key", VersionId=version)
    _, marked, deleted = aws.records(url)
    assert marked["eventName"] == "ObjectRemoved:DeleteMarkerCreated"
    assert (marked["s3"]["object"]["versionId"], marked["s3"]["object"]["eTag"]) == (marker, md5(b""))
    assert deleted["eventName"] == "ObjectRemoved:Delete"
    assert deleted["s3"]["object"]["versionId"] == version
    assert not {"size", "eTag"} & deleted["s3"]["object"].keys()


def test_changes_of_tags_acl_and_annotations_have_events_without_a_sequencer(
    aws: Plain, s3: Any, watched: tuple[str, str]
) -> None:
    bucket, url = watched
    key = {"Bucket": bucket, "Key": "key"}
    s3.put_object(**key, Body=b"x")
    s3.put_object_tagging(**key, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    s3.delete_object_tagging(**key)
    s3.put_object_acl(**key, ACL="public-read")
    s3.put_object_annotation(**key, AnnotationName="note", AnnotationPayload=b"x")
    s3.delete_object_annotation(**key, AnnotationName="note")
    created, *changes = aws.records(url)
    assert named(changes) == [
        "ObjectTagging:Put",
        "ObjectTagging:Delete",
        "ObjectAcl:Put",
        "ObjectAnnotation:Put",
        "ObjectAnnotation:Delete",
    ]
    for change in changes:
        told = change["s3"]["object"]
        assert told["versionId"] == created["s3"]["object"]["versionId"]
        assert not {"sequencer", "size"} & told.keys()


def test_an_acl_that_is_put_as_it_was_has_no_event(aws: Plain, s3: Any, watched: tuple[str, str]) -> None:
    bucket, url = watched
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    for acl in ("private", "public-read", "public-read", "private"):
        s3.put_object_acl(Bucket=bucket, Key="key", ACL=acl)
    assert named(aws.records(url)) == ["ObjectCreated:Put", "ObjectAcl:Put", "ObjectAcl:Put"]


def test_retention_has_an_event_and_legal_hold_has_none(aws: Plain, s3: Any) -> None:
    bucket, (url, arn) = aws.bucket(ObjectLockEnabledForBucket=True), aws.queue()
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    aws.notify(bucket, arn, *EVERYTHING)
    s3.put_object_legal_hold(Bucket=bucket, Key="key", LegalHold={"Status": "ON"})
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": "2099-01-01T00:00:00Z"}
    s3.put_object_retention(Bucket=bucket, Key="key", Retention=retention)
    assert named(aws.records(url)) == ["ObjectRetention:Put"]


def test_a_restore_has_two_events(aws: Plain, s3: Any, watched: tuple[str, str]) -> None:
    bucket, url = watched
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", StorageClass="GLACIER")
    s3.restore_object(Bucket=bucket, Key="key", RestoreRequest={"Days": 1})
    _, began, ended = aws.records(url)
    assert (began["eventName"], ended["eventName"]) == ("ObjectRestore:Post", "ObjectRestore:Completed")
    assert ended["glacierEventData"]["restoreEventData"]["lifecycleRestoreStorageClass"] == "GLACIER"
    owner = ended["s3"]["bucket"]["ownerIdentity"]["principalId"]
    assert ended["userIdentity"]["principalId"] == f"AmazonCustomer:{owner}"


def test_the_key_in_an_event_is_form_encoded(aws: Plain, s3: Any, watched: tuple[str, str]) -> None:
    bucket, url = watched
    keys = ["a b", "a+b", "ü/ö", "a%b", "dir/file", "😀", "x" * 1024]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    encoded = [record["s3"]["object"]["key"] for record in aws.records(url)]
    assert [unquote_plus(each) for each in encoded] == keys
    assert [each for each in encoded if " " in each or not each.isascii()] == []
    assert [each.count("/") for each in encoded] == [key.count("/") for key in keys]


def test_the_sequencer_of_a_key_grows_with_its_history(aws: Plain, s3: Any, watched: tuple[str, str]) -> None:
    bucket, url = watched

    def write(number: int) -> None:
        if number % 3:
            s3.put_object(Bucket=bucket, Key="key", Body=b"x")
        else:
            s3.delete_object(Bucket=bucket, Key="key")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(30)))
    told = {r["s3"]["object"]["versionId"]: r["s3"]["object"]["sequencer"] for r in aws.records(url)}
    listed = s3.list_object_versions(Bucket=bucket)
    markers, versions = listed["DeleteMarkers"], listed["Versions"]
    assert len(told) == len(markers) + len(versions) == 30
    assert all(re.fullmatch(r"[0-9A-F]+", sequencer) for sequencer in told.values())
    for entries in (markers, versions):
        sequencers = [told[entry["VersionId"]] for entry in entries]
        assert sequencers == sorted(set(sequencers), reverse=True)
    latest = next(entry["VersionId"] for entry in [*markers, *versions] if entry["IsLatest"])
    assert told[latest] == max(told.values())


def test_the_sequencer_is_that_of_the_write_however_late_its_event_comes(
    aws: Plain, s3: Any, watched: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, url = watched
    announce, overtaken = event_records.announce, threading.Event()

    def late(event: str, where: Any, entry: Any) -> None:
        if entry.size == 4:
            assert overtaken.wait(PATIENCE)
        announce(event, where, entry)
        overtaken.set()

    monkeypatch.setattr(event_records, "announce", late)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(s3.put_object, Bucket=bucket, Key="key", Body=b"slow")
        while not s3.list_objects_v2(Bucket=bucket).get("Contents"):
            time.sleep(0.001)
        s3.put_object(Bucket=bucket, Key="key", Body=b"fast!")
        slow.result()
    told = {record["s3"]["object"]["size"]: record["s3"]["object"]["sequencer"] for record in aws.records(url)}
    assert told[4] < told[5]


def test_sequencers_have_18_digits_unless_they_are_to_be_of_unequal_length(
    aws: Plain, s3: Any, watched: tuple[str, str]
) -> None:
    bucket, url = watched
    lengths = []
    for settings in ({}, {"unequal_sequencers": True, "seed": 1}):
        aws.post("delivery", settings)
        for _ in range(20):
            s3.put_object(Bucket=bucket, Key="key", Body=b"x")
        lengths.append({len(record["s3"]["object"]["sequencer"]) for record in aws.records(url)})
    aws.post("delivery", {})
    assert lengths == [{18}, {16, 18}]


@pytest.mark.parametrize("versioning", [None, "Suspended"], ids=["never versioned", "suspended"])
def test_an_event_of_a_bucket_without_versioning_names_no_version(aws: Plain, s3: Any, versioning: str | None) -> None:
    bucket, (url, arn) = aws.bucket(versioning=versioning), aws.queue()
    aws.notify(bucket, arn)
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="key")
    put, removed = aws.records(url)
    assert "versionId" not in put["s3"]["object"] | removed["s3"]["object"]
    assert removed["eventName"] == (
        "ObjectRemoved:Delete" if versioning is None else "ObjectRemoved:DeleteMarkerCreated"
    )


def test_an_event_names_the_function_that_caused_it(aws: Plain, watched: tuple[str, str]) -> None:
    bucket, url = watched
    credentials = aws.emulator.principals.issue("AROAROLE", "stack-replicate")
    aws.client(credentials=credentials).put_object(Bucket=bucket, Key="key", Body=b"x")
    (record,) = aws.records(url)
    assert record["userIdentity"] == {"principalId": "AWS:AROAROLE:stack-replicate"}


def test_only_keys_with_the_prefix_and_suffix_have_events(aws: Plain, s3: Any) -> None:
    bucket, (url, arn) = aws.bucket(), aws.queue()
    rules = [{"Name": "prefix", "Value": "in/"}, {"Name": "Suffix", "Value": ".txt"}]
    entry = {"QueueArn": arn, "Events": ["s3:ObjectCreated:Put"], "Filter": {"Key": {"FilterRules": rules}}}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [entry]})
    aws.messages(url)
    for key in ("in/a.txt", "in/a.csv", "out/a.txt"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.copy_object(Bucket=bucket, Key="in/copy.txt", CopySource=f"{bucket}/in/a.txt")
    assert [record["s3"]["object"]["key"] for record in aws.records(url)] == ["in/a.txt"]


def test_a_queue_in_the_buckets_region_gets_its_events(aws: Plain) -> None:
    bucket, (url, arn) = aws.bucket("eu-central-1"), aws.queue("eu-central-1")
    aws.notify(bucket, arn, region="eu-central-1")
    aws.client("s3", "eu-central-1").put_object(Bucket=bucket, Key="key", Body=b"x")
    assert [record["awsRegion"] for record in aws.records(url, "eu-central-1")] == ["eu-central-1"]


# EventBridge


@pytest.fixture
def bridged(aws: Plain, s3: Any) -> tuple[str, str]:
    """Return a bucket whose events a rule of the event bus sends to a queue, and the queue's URL."""
    bucket, (url, arn) = aws.bucket(), aws.queue()
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    events = aws.client("events")
    events.put_rule(Name=bucket, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=bucket, Targets=[{"Id": "queue", "Arn": arn}])
    return bucket, url


def test_event_bridge_gets_its_own_shape(aws: Plain, s3: Any, bridged: tuple[str, str]) -> None:
    bucket, url = bridged
    version = s3.put_object(Bucket=bucket, Key="a b+ü", Body=b"hello")["VersionId"]
    (event,) = aws.messages(url)
    assert re.fullmatch(r"[0-9a-f]{16}", event["detail"]["object"].pop("sequencer"))
    assert event["detail"].pop("request-id")
    assert event.pop("id")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event.pop("time"))
    assert event == {
        "version": "0",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {"key": "a b+ü", "size": 5, "etag": md5(b"hello"), "version-id": version},
            "requester": "123456789012",
            "source-ip-address": "127.0.0.1",
            "reason": "PutObject",
        },
    }


def test_event_bridge_tells_kinds_of_deletions_and_tags_apart(aws: Plain, s3: Any, bridged: tuple[str, str]) -> None:
    bucket, url = bridged
    version = s3.put_object(Bucket=bucket, Key="key", Body=b"x")["VersionId"]
    s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    s3.delete_object(Bucket=bucket, Key="key")
    s3.delete_object(Bucket=bucket, Key="key", VersionId=version)
    told = [(event["detail-type"], event["detail"].get("deletion-type")) for event in aws.messages(url)]
    assert told == [
        ("Object Created", None),
        ("Object Tags Added", None),
        ("Object Deleted", "Delete Marker Created"),
        ("Object Deleted", "Permanently Deleted"),
    ]


def test_event_bridge_is_told_what_is_restored_and_until_when(aws: Plain, s3: Any, bridged: tuple[str, str]) -> None:
    bucket, url = bridged
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", StorageClass="GLACIER")
    s3.restore_object(Bucket=bucket, Key="key", RestoreRequest={"Days": 1})
    _, began, ended = (event["detail"] for event in aws.messages(url))
    assert began["source-storage-class"] == ended["source-storage-class"] == "GLACIER"
    assert "source-ip-address" in began
    assert "source-ip-address" not in ended
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", ended["restore-expiry-time"])
    assert not {"sequencer"} & (began["object"].keys() | ended["object"].keys())


def test_what_is_put_on_the_bus_is_kept(aws: Plain) -> None:
    detail = {"failureReason": "DstPutObjectNotPermitted"}
    entry = {"Source": "s3-replicator", "DetailType": "OperationFailedReplication", "Detail": json.dumps(detail)}
    aws.client("events", "us-west-2").put_events(Entries=[entry, {**entry, "Detail": "not json"}])
    (event,) = aws.get("events")
    assert event.pop("time").endswith("Z")
    assert event == {
        "source": "s3-replicator",
        "detail-type": "OperationFailedReplication",
        "detail": detail,
        "region": "us-west-2",
        "resources": [],
    }
    aws.delete("events")
    assert aws.get("events") == []
