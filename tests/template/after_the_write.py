"""Changes of versions after the write, in a pair of buckets that replicate modifications of replicas both ways.

Beside `every_kind.py` because it takes a second stack: only there may functions change a source, and send to the queue
of the stack that owns a version. CopyPartsFunction and BatchFunction get there as well, when they put a version back on
top and look at all of its replicas, one of which is in the version's own bucket.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.running import Running
from tests.patience import until
from tests.template.every_kind import (
    MIB,
    REPLICA_KEY,
    RULE,
    SETTINGS,
    SOURCE_KEY,
    abort_uploads,
    everything,
    operations,
    paused,
    run_task,
)

HERE, THERE = "both-ways", "other-way"
REGIONS = {"home": "us-east-1", "away": "us-west-2"}
BUCKETS: list[dict[str, Any]] = [{"name": name, "region": region, **SETTINGS} for name, region in REGIONS.items()]


def stack(name: str, source: str, destination: str, keys: tuple[str, str]) -> dict[str, Any]:
    """Return a stack whose functions may do all that they ever do after the write. keys: of source and destination."""
    rule = {
        **RULE,
        "SourceSelectionCriteria": {
            "SseKmsEncryptedObjects": {"Status": "Enabled"},
            "ReplicaModifications": {"Status": "Enabled"},
        },
        "ReplicatorOptions": {"AnnotationDeletions": "Enabled"},
        "Destination": {
            "Bucket": f"arn:aws:s3:::{destination}",
            "EncryptionConfiguration": {"ReplicaKmsKeyID": keys[1]},
        },
    }
    parameters = {
        "SourceBuckets": source,
        "DestinationBuckets": destination,
        "SourceKmsKeys": keys[0],
        "ReplicaModifications": "true",
        "AnnotationDeletions": "true",
        "MultipartThreshold": 6 * MIB,
        "SpreadThreshold": 10 * MIB,
        "PartSize": 5 * MIB,
    }
    return {"name": name, "region": REGIONS[source], "rules": {source: {"Rules": [rule]}}, "parameters": parameters}


STACKS = [
    stack(HERE, "home", "away", (SOURCE_KEY, REPLICA_KEY)),
    stack(THERE, "away", "home", (REPLICA_KEY, SOURCE_KEY)),
]


def change_after_the_write(aws: Running) -> None:
    """Change versions at either side, so that each function writes at either side, and forwards to the other stack."""
    changed_at_source(aws)
    changed_at_replica(aws)
    changed_at_replica_of_the_other_stack(aws)
    undelete(aws)
    for key, again in (("parts", by_parts), ("task", by_task)):
        with again(aws, key) as put_back:
            version = with_a_twin(aws, key)
            with paused(aws, "ReplicateFunction", HERE):
                change(aws, "home", key, version)
                lock(aws, "home", key, version)
                put_back()
        with again(aws, f"{key}-forwarded") as put_back:
            later(aws)
            write(aws, "away", f"{key}-forwarded")
            put_back()
    assert aws.idle()


# What users do


def client(aws: Running, bucket: str) -> Any:
    """Return the client of a bucket's Region."""
    return aws.client("s3", REGIONS[bucket])


def write(aws: Running, bucket: str, key: str, size: int = 1) -> str:
    """Write a version with tags, an ACL, a KMS key and, unless it is large, an annotation; return its id.

    The event of an annotation waits until its version is copied.
    """
    own = {"SSEKMSKeyId": SOURCE_KEY if bucket == "home" else REPLICA_KEY}
    fields = everything(locked=False) | own
    version = client(aws, bucket).put_object(Bucket=bucket, Key=key, Body=bytes(size), **fields)["VersionId"]
    if size < MIB:
        named = {"Bucket": bucket, "Key": key, "VersionId": version}
        client(aws, bucket).put_object_annotation(**named, AnnotationName="old", AnnotationPayload=b"{}")
    return str(version)


def change(aws: Running, bucket: str, key: str, version: str) -> None:
    """Change all that may change of a version, its lock last: S3 annotates nothing that is locked."""
    s3, named = client(aws, bucket), {"Bucket": bucket, "Key": key, "VersionId": version}
    s3.put_object_tagging(**named, Tagging={"TagSet": [{"Key": "a", "Value": "changed"}]})
    s3.put_object_acl(**named, ACL="authenticated-read")
    s3.put_object_annotation(**named, AnnotationName="new", AnnotationPayload=b"[]")
    s3.delete_object_annotation(**named, AnnotationName="old")


def lock(aws: Running, bucket: str, key: str, version: str) -> None:
    """Lock a version. A legal hold has no event; that of the retention has both looked at."""
    s3, named = client(aws, bucket), {"Bucket": bucket, "Key": key, "VersionId": version}
    s3.put_object_legal_hold(**named, LegalHold={"Status": "ON"})
    then = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    s3.put_object_retention(**named, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": then})


def top(aws: Running, bucket: str, key: str) -> str:
    """Return the id of the current version."""
    return str(client(aws, bucket).head_object(Bucket=bucket, Key=key)["VersionId"])


def changed_at_source(aws: Running) -> None:
    """Change and lock a version at its source."""
    version = write(aws, "home", "source")
    assert aws.idle()
    change(aws, "home", "source", version)
    assert aws.idle()
    lock(aws, "home", "source", version)
    assert aws.idle()


def changed_at_replica(aws: Running) -> None:
    """Change and lock a replica in the bucket of the other stack, which forwards that."""
    write(aws, "home", "replica")
    assert aws.idle()
    change(aws, "away", "replica", top(aws, "away", "replica"))
    assert aws.idle()
    lock(aws, "away", "replica", top(aws, "away", "replica"))
    assert aws.idle()


def changed_at_replica_of_the_other_stack(aws: Running) -> None:
    """Change a replica of a version that the other stack owns, which is told so."""
    write(aws, "away", "forwarded")
    assert aws.idle()
    change(aws, "home", "forwarded", top(aws, "home", "forwarded"))
    assert aws.idle()


def undelete(aws: Running) -> None:
    """Remove a delete marker that was replicated."""
    write(aws, "home", "undeleted")
    assert aws.idle()
    marker = client(aws, "home").delete_object(Bucket="home", Key="undeleted")["VersionId"]
    assert aws.idle()
    client(aws, "home").delete_object(Bucket="home", Key="undeleted", VersionId=marker)
    assert aws.idle()


# Versions that are put back on top


@contextmanager
def by_parts(aws: Running, key: str) -> Iterator[Callable[[], None]]:
    """Write a large version whose upload is lost; CopyPartsFunction copies it again, and puts back what is newer."""
    with ExitStack() as waiting:
        waiting.enter_context(paused(aws, "CopyPartsFunction", HERE))
        write(aws, "home", key, 12 * MIB)
        until(lambda: ("CreateMultipartUpload", key) in operations(aws))

        def copy() -> None:
            abort_uploads(aws, "away")
            waiting.close()
            until(lambda: is_empty(aws, HERE, "PartQueue"))

        yield copy
    assert aws.idle()


@contextmanager
def by_task(aws: Running, key: str) -> Iterator[Callable[[], None]]:
    """Write an archived version; once it is restored, BatchFunction copies it, and puts back what is newer."""
    s3, named = client(aws, "home"), {"Bucket": "home", "Key": key}
    version = s3.put_object(**named, Body=b"1", StorageClass="GLACIER")["VersionId"]

    def run() -> None:
        s3.restore_object(**named, VersionId=version, RestoreRequest={"Days": 1})
        run_task(aws, "home", key, version, HERE)

    yield run
    assert aws.idle()


def later(aws: Running) -> None:
    """Wait for the next second: winners are found by times in whole seconds."""
    then = int(time.time()) + 1
    until(lambda: time.time() >= then)


def with_a_twin(aws: Running, key: str) -> str:
    """Let an older version of the other bucket arrive late, so that this bucket's own is put back on top there.

    Return the id of this bucket's own version, once nobody looks at it any more.
    """
    with paused(aws, "ReplicateFunction", THERE):
        write(aws, "away", key)
        later(aws)
        version = write(aws, "home", key)
        until(lambda: is_replica_of(aws, "away", key, version))
    until(lambda: is_replica_of(aws, "home", key, version))
    until(lambda: is_empty(aws, HERE, "ChangeQueue") and is_empty(aws, THERE, "ChangeQueue"))
    return version


def is_empty(aws: Running, stack: str, queue: str) -> bool:
    """Return whether a queue has no message, in flight included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    sqs, url = aws.client("sqs", aws.stacks[stack].region), aws.outputs(stack)[queue]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return not any(int(found[name]) for name in names)


def is_replica_of(aws: Running, bucket: str, key: str, version: str) -> bool:
    """Return whether the current version is a replica of a version."""
    metadata = client(aws, bucket).head_object(Bucket=bucket, Key=key)["Metadata"]
    return version in metadata.get("replication-origin", "")
