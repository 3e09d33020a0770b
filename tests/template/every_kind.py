"""Objects of every kind and every trouble on the real stack, so that its functions need everything they may ever do.

Beside its test because two claims are made about one run: that the roles are enough, and that none allows too much.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from emulator.running import Running
from tests.patience import until
from tests.template.jobs import run_jobs

STACK = "replicator"
MIB = 1024**2
# Of another account: what the emulator's KMS does not know is allowed if the role is.
SOURCE_KEY = "arn:aws:kms:us-east-1:999999999999:key/source"
REPLICA_KEY = "arn:aws:kms:us-west-2:999999999999:key/replica"


RULE = {
    "ID": "everything",
    "Priority": 1,
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "DeleteMarkerReplication": {"Status": "Enabled"},
    "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
    "Destination": {
        "Bucket": "arn:aws:s3:::west",
        "EncryptionConfiguration": {"ReplicaKmsKeyID": REPLICA_KEY},
    },
}
SETTINGS = {"ownership": "ObjectWriter", "object_lock": True}
WORLD: dict[str, Any] = {
    "buckets": [
        {"name": "east", "region": "us-east-1", **SETTINGS},
        {"name": "west", "region": "us-west-2", **SETTINGS},
        {"name": "fleeting", "region": "us-east-1"},
        {"name": "ruleless", "region": "us-east-1"},
    ],
    "stacks": [
        {
            "name": STACK,
            "region": "us-east-1",
            "rules": {name: {"Rules": [RULE]} for name in ("east", "fleeting")},
            "parameters": {
                "SourceBuckets": "east,fleeting,ruleless",
                "DestinationBuckets": "west",
                "SourceKmsKeys": SOURCE_KEY,
                "SourceStatusTag": "true",
                "MultipartThreshold": 6 * MIB,
                "SpreadThreshold": 10 * MIB,
                "ThresholdMinutes": "0.01",
                "PartSize": 5 * MIB,
                "BatchWaitSeconds": "0",
                "VerifySchedule": "rate(1 day)",
            },
        }
    ],
}
KMS = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": SOURCE_KEY}


def replicate_every_kind(aws: Running) -> None:
    """Write objects of every kind; let some come in disorder, some fail, some wait, some be in the way of others."""
    s3 = aws.client("s3", "us-east-1")
    aws.post("/faults", [fault("slow", 503, "SlowDown", times=1), fault("denied", 403, "AccessDenied"),
                         fault("denied-parts", 403, "AccessDenied", "UploadPartCopy"),
                         fault("slow-parts", 503, "SlowDown", "CreateMultipartUpload", times=1)])  # fmt: skip
    for key in ("slow", "denied"):
        s3.put_object(Bucket="east", Key=key, Body=b"1")
    s3.put_object(Bucket="east", Key="denied-parts", Body=bytes(12 * MIB))
    s3.put_object(Bucket="east", Key="slow-parts", Body=bytes(7 * MIB))
    write_history(aws, "in-order")
    assert aws.idle()
    aws.post("/delivery", {"shuffle": True, "duplicate": 0.5, "seed": 1})
    for number in range(3):
        write_history(aws, f"shuffled-{number}")
    assert aws.idle()
    aws.post("/delivery", {})
    arrive_in_reverse(aws)
    overtake(aws)
    delete_while_copied(aws)
    lose_an_upload(aws)
    replicate_existing(aws)
    run_jobs(aws, STACK)
    dig_out(aws)
    lose_the_rules(aws)
    give_up(aws)
    leave_an_upload_behind(aws)
    be_late(aws)
    park(aws)
    assert aws.idle()
    verify_all(aws)


def fault(key: str, status: int, code: str, operation: str = "CopyObject", **more: int) -> dict[str, Any]:
    """Let an operation on a key fail."""
    return {"service": "s3", "operation": operation, "key": key, "then": {"status": status, "code": code}, **more}


def everything(*, locked: bool) -> dict[str, Any]:
    """Return all that a version can have beside its bytes and annotations."""
    until_then = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until_then, "ObjectLockLegalHoldStatus": "ON"}
    return {"ACL": "public-read", "Tagging": "a=b", **KMS, **(lock if locked else {})}


def write_history(aws: Running, key: str) -> list[str]:
    """Write small versions, large ones that one function or many copy, and a delete marker."""
    kinds = ((1, True), (7 * MIB, False), (2, False), (8 * MIB, True), (12 * MIB, True))
    versions = [put(aws, key, size, locked=locked) for size, locked in kinds]
    versions.append(aws.client("s3", "us-east-1").delete_object(Bucket="east", Key=key)["VersionId"])
    versions.append(put(aws, key, 4, locked=True))
    return versions


@contextmanager
def paused(aws: Running, function: str, stack: str = STACK) -> Iterator[None]:
    """Keep the messages of a function in their queue meanwhile."""
    functions, name = aws.client("lambda", aws.stacks[stack].region), aws.outputs(stack)[function]
    mappings = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    for mapping in mappings:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        for mapping in mappings:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def put(aws: Running, key: str, size: int = 1, *, locked: bool = False) -> str:
    """Write a version with everything, and return its id. S3 takes no annotation for a version that is locked."""
    s3 = aws.client("s3", "us-east-1")
    version = s3.put_object(Bucket="east", Key=key, Body=bytes(size), **everything(locked=locked))["VersionId"]
    if not locked:
        s3.put_object_annotation(Bucket="east", Key=key, VersionId=version, AnnotationName="n", AnnotationPayload=b"{}")
    return str(version)


def wait_for(aws: Running, operation: str, key: str) -> None:
    """Wait until a function has asked for this."""
    until(lambda: (operation, key) in operations(aws))


def arrive_in_reverse(aws: Running) -> None:
    """Let the event of a newer version arrive first, so that it is put back on top of the older one."""
    sqs, queue = aws.client("sqs"), aws.outputs(STACK)["ChangeQueue"]
    with paused(aws, "ReplicateFunction"):
        put(aws, "reversed")
        hide = partial(sqs.receive_message, QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=3)
        until(lambda: "Messages" in hide())
        put(aws, "reversed")
    assert aws.idle()


def overtake(aws: Running) -> None:
    """Let a small version overtake a large one, whose upload is begun anew: the small one is put back on top."""
    with paused(aws, "CopyPartsFunction"):
        put(aws, "overtaken", 12 * MIB)
        wait_for(aws, "CreateMultipartUpload", "overtaken")
        small = put(aws, "overtaken")
        wait_for(aws, "CopyObject", "overtaken")
        abort_uploads(aws)
    assert aws.idle()
    mark = aws.client("s3", "us-west-2").head_object(Bucket="west", Key="overtaken")["Metadata"]["replication-origin"]
    assert mark.split("/")[1] == small


def delete_while_copied(aws: Running) -> None:
    """Let a delete marker overtake a large version, whose upload is begun anew: the marker is put back on top."""
    west = aws.client("s3", "us-west-2")
    put(aws, "deleted")
    assert aws.idle()
    with paused(aws, "CopyPartsFunction"):
        put(aws, "deleted", 12 * MIB)
        wait_for(aws, "CreateMultipartUpload", "deleted")
        aws.client("s3", "us-east-1").delete_object(Bucket="east", Key="deleted")
        until(lambda: "DeleteMarkers" in west.list_object_versions(Bucket="west", Prefix="deleted"))
        abort_uploads(aws)
    assert aws.idle()
    top, *below = west.list_object_versions(Bucket="west", Prefix="deleted")["DeleteMarkers"]
    assert (top["IsLatest"], len(below)) == (True, 1)


def abort_uploads(aws: Running, bucket: str = "west") -> None:
    """Abort every upload at the destination, as a lifecycle rule may."""
    west = aws.client("s3", "us-west-2")
    for upload in west.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        with suppress(west.exceptions.NoSuchUpload):  # a function may have been faster
            west.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])


def lose_an_upload(aws: Running) -> None:
    """Abort the upload of a version before its parts are copied, so that its worker decides again."""
    with paused(aws, "CopyPartsFunction"):
        put(aws, "aborted", 12 * MIB)
        wait_for(aws, "CreateMultipartUpload", "aborted")
        abort_uploads(aws)
        put(aws, "aborted")
        aws.client("s3", "us-east-1").delete_object(Bucket="east", Key="aborted")
    assert aws.idle()


def replicate_existing(aws: Running) -> None:
    """Write versions that no event tells of, and give the batch function a task for each, newest first."""
    with without_events(aws):
        tasks = [("existing", version) for version in reversed(write_history(aws, "existing"))]
        spread, denied = put(aws, "spread", 12 * MIB), put(aws, "denied")
    for key, version in [*tasks, ("denied", denied), ("overtaken", None), ("missing", None)]:
        run_task(aws, "east", key, version)
    with paused(aws, "CopyPartsFunction"):
        for _ in "twice":
            run_task(aws, "east", "spread", spread)
    assert aws.idle()


def dig_out(aws: Running) -> None:
    """Restore an archived version below a delete marker; a batch task copies it, and puts the marker back on top."""
    s3, named = aws.client("s3", "us-east-1"), {"Bucket": "east", "Key": "buried"}
    version = s3.put_object(**named, Body=b"1", StorageClass="GLACIER")["VersionId"]
    s3.delete_object(**named)
    assert aws.idle()
    with without_events(aws):
        s3.restore_object(**named, VersionId=version, RestoreRequest={"Days": 1})
    run_task(aws, "east", "buried", version)
    assert aws.idle()


@contextmanager
def without_events(aws: Running) -> Iterator[None]:
    """Detach the queue from the bucket meanwhile."""
    s3 = aws.client("s3", "us-east-1")
    notifications = s3.get_bucket_notification_configuration(Bucket="east")
    del notifications["ResponseMetadata"]
    s3.put_bucket_notification_configuration(Bucket="east", NotificationConfiguration={})
    yield
    s3.put_bucket_notification_configuration(Bucket="east", NotificationConfiguration=notifications)


def run_task(aws: Running, bucket: str, key: str, version: str | None, stack: str = STACK) -> None:
    """Invoke the batch function as S3 Batch Operations does."""
    task = {"taskId": "1", "s3Key": key, "s3VersionId": version, "s3BucketArn": f"arn:aws:s3:::{bucket}"}
    event = {"invocationSchemaVersion": "1.0", "invocationId": "1", "job": {"id": "1"}, "tasks": [task]}
    aws.client("lambda").invoke(FunctionName=f"{stack}-batch", Payload=json.dumps(event))


def lose_the_rules(aws: Running) -> None:
    """Delete the rules of a bucket while parts of it are copied; then ask each function about the bucket."""
    s3, control = aws.client("s3", "us-east-1"), aws.outputs(STACK)["ControlBucket"]
    with paused(aws, "CopyPartsFunction"):
        s3.put_object(Bucket="fleeting", Key="k", Body=bytes(12 * MIB))
        wait_for(aws, "CreateMultipartUpload", "k")
        s3.delete_object(Bucket=control, Key="rules/fleeting.json")
    assert aws.idle()
    run_task(aws, "fleeting", "k", None)
    send(aws, "ChangeQueue", "ruleless")
    assert aws.idle()


def give_up(aws: Running) -> None:
    """Put messages into the dead-letter queue as SQS does after too many receives: without a word from a function."""
    for bucket in ("east", "ruleless"):
        send(aws, "DeadLetterQueue", bucket)
    aws.post("/fire", {"stack": STACK, "function": "MonitorFunction"})


def send(aws: Running, queue: str, bucket: str, key: str = "k", **attributes: str) -> None:
    """Send the event of a version to a queue."""
    version = aws.client("s3", "us-east-1").put_object(Bucket=bucket, Key=key, Body=b"1").get("VersionId", "null")
    body = {"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
                         "eventTime": "2026-01-01T00:00:00.000Z", "eventName": "ObjectCreated:Put",
                         "userIdentity": {"principalId": "AWS:USER"},
                         "s3": {"bucket": {"name": bucket},
                                "object": {"key": key, "size": 1, "eTag": "e", "versionId": version,
                                           "sequencer": "0" * 18}}}]}  # fmt: skip
    aws.client("sqs").send_message(
        QueueUrl=aws.outputs(STACK)[queue],
        MessageBody=json.dumps(body),
        MessageAttributes={name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()},
    )


def leave_an_upload_behind(aws: Running) -> None:
    """Make an upload look 16 days old, so that the monitor aborts it."""
    table, dynamodb = aws.outputs(STACK)["JournalTable"], aws.client("dynamodb")
    with paused(aws, "CopyPartsFunction"):
        put(aws, "stale", 12 * MIB)
        wait_for(aws, "CreateMultipartUpload", "stale")
        until(lambda: bool(uploads_of(aws, "stale")))
        for item in uploads_of(aws, "stale"):
            long_ago = int(item["first_seen"]["N"]) - 16 * 24 * 3600 * 1000
            dynamodb.update_item(
                TableName=table,
                Key={"object": item["object"], "target": item["target"]},
                UpdateExpression="SET first_seen = :then",
                ExpressionAttributeValues={":then": {"N": str(long_ago)}},
            )
        aws.post("/fire", {"stack": STACK, "function": "MonitorFunction"})
    assert aws.idle()


def uploads_of(aws: Running, key: str) -> list[dict[str, Any]]:
    """Return the journal's items of uploads under way."""
    found = aws.client("dynamodb").query(
        TableName=aws.outputs(STACK)["JournalTable"],
        KeyConditionExpression="#o = :o AND begins_with(target, :t)",
        ExpressionAttributeNames={"#o": "object"},
        ExpressionAttributeValues={":o": {"S": f"east/{key}"}, ":t": {"S": "west#upload#"}},
    )
    return [item for item in found["Items"] if "waiting" in item]


def be_late(aws: Running) -> None:
    """Keep a version waiting until the monitor reports it as late; the threshold is below a second."""
    aws.post("/faults", fault("late", 503, "SlowDown"))
    aws.client("s3", "us-east-1").put_object(Bucket="east", Key="late", Body=b"1")
    until(lambda: ("CopyObject", "late") in operations(aws))

    def reported() -> bool:
        aws.post("/fire", {"stack": STACK, "function": "MonitorFunction"})
        missed = [each for each in aws.get("/events") if each["detail-type"] == "OperationMissedThreshold"]
        return "late" in {each["detail"]["s3"]["object"]["key"] for each in missed}

    until(reported)
    aws.delete("/faults")
    assert aws.idle()


def park(aws: Running) -> None:
    """Let a change be parked, and make it due, so that the monitor orders its release and a function releases it."""
    aws.post("/faults", fault("parked", 503, "SlowDown"))
    with without_events(aws):
        send(aws, "ChangeQueue", "east", "parked", Parked="1", DestinationBucket="west")
    until(lambda: bool(parked_items(aws)))
    for item in parked_items(aws):
        aws.client("dynamodb").update_item(
            TableName=aws.outputs(STACK)["JournalTable"],
            Key={"object": item["object"], "target": item["target"]},
            UpdateExpression="SET release_at = :now",
            ExpressionAttributeValues={":now": {"N": "0"}},
        )
    aws.delete("/faults")
    aws.post("/fire", {"stack": STACK, "function": "MonitorFunction"})
    until(lambda: not parked_items(aws))
    assert aws.idle()


def verify_all(aws: Running) -> None:
    """Let the schedule verify both buckets, one of which has no rules any more; versions of every kind differ."""
    aws.client("s3", "us-west-2").delete_object(Bucket="west", Key="existing")
    with without_events(aws):
        write_history(aws, "unknown")
    order = {"stack": STACK, "function": "VerifyFunction"}
    until(lambda: aws.post("/fire", order)["result"].get("completed", {}).get("east"))


def parked_items(aws: Running) -> list[dict[str, Any]]:
    """Return the journal's items that are parked."""
    items = aws.client("dynamodb").scan(TableName=aws.outputs(STACK)["JournalTable"])["Items"]
    return [item for item in items if "parked" in item]


def operations(aws: Running) -> set[tuple[str, str]]:
    """Return what the functions have asked for, and about which key."""
    return {(each["operation"], each["key"]) for each in aws.get("/requests") if each["principal"] == "replicator"}
