"""What makes functions use a permission: small scenarios, each done with many keys at once, on the world of every kind.

Beside `every_kind.py` because there all of it is one run; here each scenario is done for chosen keys, so that a
permission can be taken away for one key only. A scenario's name begins with the function that it is about.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from emulator.running import Running
from tests.patience import until
from tests.template.every_kind import (
    MIB,
    STACK,
    abort_uploads,
    fault,
    operations,
    paused,
    put,
    without_events,
)

Scenario = Callable[[Running, Sequence[str]], None]


def put_small(aws: Running, keys: Sequence[str]) -> None:
    """Write an object with tags, an ACL, an annotation and a KMS key."""
    for key in keys:
        put(aws, key)


def put_locked(aws: Running, keys: Sequence[str]) -> None:
    """Write an object with a retention and a legal hold."""
    for key in keys:
        put(aws, key, locked=True)


def put_large(aws: Running, keys: Sequence[str]) -> None:
    """Write an object that one function copies in parts."""
    for key in keys:
        put(aws, key, 7 * MIB)


def put_large_locked(aws: Running, keys: Sequence[str]) -> None:
    """Write the same with a lock."""
    for key in keys:
        put(aws, key, 7 * MIB, locked=True)


def put_onto(aws: Running, keys: Sequence[str]) -> None:
    """Write an object for a key that somebody else wrote at the destination."""
    for key in keys:
        aws.client("s3", "us-west-2").put_object(Bucket="west", Key=key, Body=b"a user's own")
        put(aws, key)


def put_large_onto(aws: Running, keys: Sequence[str]) -> None:
    """Write the same with an object in parts."""
    for key in keys:
        aws.client("s3", "us-west-2").put_object(Bucket="west", Key=key, Body=b"a user's own")
        put(aws, key, 7 * MIB)


def delete(aws: Running, keys: Sequence[str]) -> None:
    """Write a delete marker for an object that was replicated."""
    for key in keys:
        aws.client("s3", "us-east-1").delete_object(Bucket="east", Key=key)


def put_in_reverse(aws: Running, keys: Sequence[str]) -> None:
    """Write two objects of one key; the event of the newer one arrives first, so that it is put back on top."""
    in_reverse(aws, keys, locked=False)


def put_locked_in_reverse(aws: Running, keys: Sequence[str]) -> None:
    """Write the same with locks."""
    in_reverse(aws, keys, locked=True)


def in_reverse(aws: Running, keys: Sequence[str], *, locked: bool) -> None:
    sqs, queue, held = aws.client("sqs"), aws.outputs(STACK)["ChangeQueue"], []
    with paused(aws, "ReplicateFunction"):
        for key in keys:
            put(aws, key, locked=locked)
        receive = partial(sqs.receive_message, QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=600)

        def all_hidden() -> bool:
            held.extend(receive().get("Messages", []))
            return len(held) >= len(keys)

        until(all_hidden)
        newer = {key: put(aws, key, locked=locked) for key in keys}
    until(lambda: all(replicated(aws, key, version) or failed(aws, key) for key, version in newer.items()))
    for message in held:
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)


def replicated(aws: Running, key: str, version: str) -> bool:
    west = aws.client("s3", "us-west-2")
    listed = west.list_object_versions(Bucket="west", Prefix=key).get("Versions", [])
    heads = (west.head_object(Bucket="west", Key=key, VersionId=each["VersionId"]) for each in listed)
    return any(version in each["Metadata"].get("replication-origin", "") for each in heads)


def failed(aws: Running, key: str) -> bool:
    """Return whether the journal knows that a change of a key failed."""
    return any(item.get("status", {}).get("S") == "FAILED" for item in journal_items(aws, key))


def journal_items(aws: Running, key: str) -> list[dict[str, Any]]:
    """Return what the journal holds about a key."""
    found = aws.client("dynamodb").query(
        TableName=aws.outputs(STACK)["JournalTable"],
        KeyConditionExpression="#o = :o",
        ExpressionAttributeNames={"#o": "object"},
        ExpressionAttributeValues={":o": {"S": f"east/{key}"}},
    )
    return list(found["Items"])


def put_spread(aws: Running, keys: Sequence[str]) -> None:
    """Write objects whose parts many functions copy."""
    for key in keys:
        put(aws, key, 12 * MIB)


def put_spread_locked(aws: Running, keys: Sequence[str]) -> None:
    """Write the same with locks."""
    for key in keys:
        put(aws, key, 12 * MIB, locked=True)


def lose_spread(aws: Running, keys: Sequence[str]) -> None:
    """Abort the upload before its parts are copied: a worker decides again, and begins another."""
    with paused(aws, "CopyPartsFunction"):
        for key in keys:
            put(aws, key, 12 * MIB)
        started(aws, keys)
        abort_uploads(aws)


def overtake_spread(aws: Running, keys: Sequence[str], *, locked: bool = False) -> None:
    """Let small ones overtake objects; a worker begins another upload and puts the small ones back on top."""
    with paused(aws, "CopyPartsFunction"):
        _overtake(aws, keys, locked=locked)


def _overtake(aws: Running, keys: Sequence[str], *, locked: bool) -> None:
    for key in keys:
        put(aws, key, 12 * MIB)
    started(aws, keys)
    newer = {key: put(aws, key, locked=locked) for key in keys}
    until(lambda: all(replicated(aws, key, version) or failed(aws, key) for key, version in newer.items()))
    abort_uploads(aws)


def overtake_spread_by_locked(aws: Running, keys: Sequence[str]) -> None:
    """Write the same, and lock the small ones."""
    overtake_spread(aws, keys, locked=True)


def delete_spread(aws: Running, keys: Sequence[str]) -> None:
    """Let delete markers overtake objects; a worker puts them back on top."""
    west = aws.client("s3", "us-west-2")
    for key in keys:
        put(aws, key)
    until(lambda: all("Versions" in west.list_object_versions(Bucket="west", Prefix=key) for key in keys))
    with paused(aws, "CopyPartsFunction"):
        for key in keys:
            put(aws, key, 12 * MIB)
        started(aws, keys)
        for key in keys:
            aws.client("s3", "us-east-1").delete_object(Bucket="east", Key=key)
        until(lambda: all(is_marked(aws, key) or failed(aws, key) for key in keys))
        abort_uploads(aws)


def is_marked(aws: Running, key: str) -> bool:
    """Return whether a key has a delete marker at the destination."""
    return "DeleteMarkers" in aws.client("s3", "us-west-2").list_object_versions(Bucket="west", Prefix=key)


def started(aws: Running, keys: Sequence[str]) -> None:
    """Wait until the upload of each key was started, or its change failed."""

    def has_begun(key: str) -> bool:
        return ("CreateMultipartUpload", key) in operations(aws) or failed(aws, key)

    until(lambda: all(map(has_begun, keys)))


def restart_large(aws: Running, keys: Sequence[str]) -> None:
    """Write objects in parts whose upload cannot be completed at first: it is looked for, and begun anew."""
    faults = [fault(key, 503, "SlowDown", "CompleteMultipartUpload", times=1) for key in keys]
    aws.post("/faults", faults)
    for key in keys:
        put(aws, key, 7 * MIB)
    until(lambda: all(("CompleteMultipartUpload", key) in operations(aws) for key in keys))
    abort_uploads(aws)


def change_later(aws: Running, keys: Sequence[str]) -> None:
    """Change the tags and the ACL of an object that was replicated."""
    written = {key: put(aws, key) for key in keys}
    until(lambda: all(replicated(aws, key, version) or failed(aws, key) for key, version in written.items()))
    for key in keys:
        change_tags_and_acl(aws, key)


def change_tags_and_acl(aws: Running, key: str) -> None:
    """Change the tags and the ACL of the current version, once its status tag was written, which could undo that."""
    s3, named = aws.client("s3"), {"Bucket": "east", "Key": key}
    version = s3.head_object(**named)["VersionId"]
    until(lambda: _status_was_written(aws, version) or failed(aws, key))
    s3.put_object_tagging(**named, Tagging={"TagSet": [{"Key": "a", "Value": "changed"}]})
    s3.put_object_acl(**named, ACL="authenticated-read")


def _status_was_written(aws: Running, version: str) -> bool:
    rows = aws.get("/requests")
    return any(row["operation"] == "PutObjectTagging" and row.get("version_id") == version for row in rows)


def overtake_spread_by_changed(aws: Running, keys: Sequence[str]) -> None:
    """Let small ones overtake objects, and change them; a worker finds that first, when it puts them back on top."""
    with ExitStack() as unheard:
        with paused(aws, "CopyPartsFunction"):
            _overtake(aws, keys, locked=False)
            unheard.enter_context(paused(aws, "ReplicateFunction"))
            for key in keys:
                change_tags_and_acl(aws, key)
        until(lambda: _no_parts_wait(aws))


def _no_parts_wait(aws: Running) -> bool:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = aws.client("sqs").get_queue_attributes(QueueUrl=aws.outputs(STACK)["PartQueue"], AttributeNames=names)
    return not any(int(found["Attributes"][name]) for name in names)


EVENTS: Mapping[str, Scenario] = {
    each.__name__: each
    for each in (
        *(put_small, put_locked, put_large, put_large_locked, put_onto, put_large_onto),
        *(put_in_reverse, put_locked_in_reverse, restart_large),
        *(put_spread, put_spread_locked, lose_spread, overtake_spread, overtake_spread_by_locked, delete_spread),
        *(change_later, overtake_spread_by_changed),
    )
}
"""What events cause, for the functions that queues feed."""


def run_task(aws: Running, key: str, version: str | None, bucket: str = "east") -> str:
    """Invoke the batch function as S3 Batch Operations does; return what it says of the task."""
    task = {"taskId": "1", "s3Key": key, "s3VersionId": version, "s3BucketArn": f"arn:aws:s3:::{bucket}"}
    event = {"invocationSchemaVersion": "1.0", "invocationId": "1", "job": {"id": "1"}, "tasks": [task]}
    answer = aws.client("lambda").invoke(FunctionName=f"{STACK}-batch", Payload=json.dumps(event))
    [result] = json.loads(answer["Payload"].read())["results"]
    return f"{result['resultCode']} {result['resultString']}"


Writing = Callable[[Running, str], Sequence[str]]
"""Writes versions that no event tells of, and returns them in the order of their tasks."""


def _one(aws: Running, key: str, size: int = 1, *, locked: bool = False, onto: bool = False) -> Sequence[str]:
    if onto:
        aws.client("s3", "us-west-2").put_object(Bucket="west", Key=key, Body=b"a user's own")
    return [put(aws, key, size, locked=locked)]


def _dug_out(aws: Running, key: str, *, locked: bool = False, deleted: bool = False) -> Sequence[str]:
    """Write an archived version, which is skipped, and a replicated version or delete marker on top of it."""
    s3 = aws.client("s3", "us-east-1")
    version = str(s3.put_object(Bucket="east", Key=key, Body=b"1", StorageClass="GLACIER")["VersionId"])
    newer = "" if deleted else put(aws, key, locked=locked)
    if deleted:
        s3.delete_object(Bucket="east", Key=key)
        until(lambda: bool(journal_items(aws, key)))
    else:
        until(lambda: replicated(aws, key, newer))
    return [version]


def _restarted(aws: Running, key: str) -> Sequence[str]:
    aws.post("/faults", fault(key, 503, "SlowDown", "CompleteMultipartUpload", times=1))
    version = put(aws, key, 7 * MIB)
    return [version, version]


TASKS: Mapping[str, Writing] = {
    "task_small": _one,
    "task_locked": partial(_one, locked=True),
    "task_large": partial(_one, size=7 * MIB),
    "task_large_locked": partial(_one, size=7 * MIB, locked=True),
    "task_onto": partial(_one, onto=True),
    "task_large_onto": partial(_one, size=7 * MIB, onto=True),
    "task_restarted": _restarted,
}
"""What tasks of S3 Batch Operations cause."""
RESTORED: Mapping[str, Writing] = {
    "task_restored": _dug_out,
    "task_restored_locked": partial(_dug_out, locked=True),
    "task_restored_deleted": partial(_dug_out, deleted=True),
    "task_restored_changed": _dug_out,
}
"""The same for versions that are restored from an archive: what is on top of them is put back there."""


def run_tasks(aws: Running, cases: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Write what scenarios need, run their tasks, and return what the last task of each key says."""
    restored = [(key, version) for name, key in cases if name in RESTORED for version in RESTORED[name](aws, key)]
    with without_events(aws):
        for key, version in restored:
            request = {"Days": 1}
            aws.client("s3").restore_object(Bucket="east", Key=key, VersionId=version, RestoreRequest=request)
        tasks = [(key, version) for name, key in cases if name in TASKS for version in TASKS[name](aws, key)]
    changed = [key for name, key in cases if name == "task_restored_changed"]
    said = {key: run_task(aws, key, version) for key, version in (*restored, *tasks) if key not in changed}
    return said | _run_unheard(aws, [each for each in restored if each[0] in changed])


def _run_unheard(aws: Running, restored: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Change what is current, and run the tasks of what is below before the events of that."""
    assert aws.idle()
    with paused(aws, "ReplicateFunction"):
        for key, _ in restored:
            change_tags_and_acl(aws, key)
        return {key: run_task(aws, key, version) for key, version in restored}
