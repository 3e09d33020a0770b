"""The permissions that the command documents are those that its requests need.

Every command runs on the emulator, with everything that makes it ask for more: tags, ACLs, locks, KMS keys, failures.
Its requests are compared with `permissions.py`, both ways. The emulator's log does not say which queue a request is
about, so queues count as one.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from s3replicator.main import app
from s3replicator.permissions import (
    ABOUT_AN_OBJECT,
    IN_DOUBT,
    KEYS_THAT_WOULD_BE_LOST,
    PERMISSIONS,
    TWO_WAY,
    WITH_BATCH,
    Target,
)
from typer.testing import CliRunner

from emulator.running import Running, running

STACK = "prod"
OTHER = "222222222222"
SETTINGS = {"ownership": "ObjectWriter", "object_lock": True}
WORLD: dict[str, Any] = {
    "buckets": [
        {"name": "east", "region": "us-east-1", **SETTINGS},
        {"name": "west", "region": "us-west-2", **SETTINGS},
    ],
    "stacks": [
        {"name": STACK, "region": "us-east-1", "parameters": {"PeerPrincipals": ""}},
        {"name": "peer", "region": "us-west-2", "parameters": {"PeerPrincipals": ""}},
    ],
}
# S3 operation -> IAM actions (service authorization reference of S3). Other operations are named like their action.
S3_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "HeadBucket": ("s3:ListBucket",),
    "ListObjectsV2": ("s3:ListBucket",),
    "ListObjectVersions": ("s3:ListBucketVersions",),
    "GetBucketEncryption": ("s3:GetEncryptionConfiguration",),
    "GetBucketLifecycleConfiguration": ("s3:GetLifecycleConfiguration",),
    "PutBucketReplication": ("s3:PutReplicationConfiguration",),
    "GetBucketReplication": ("s3:GetReplicationConfiguration",),
    "GetObjectLockConfiguration": ("s3:GetBucketObjectLockConfiguration",),
    "GetBucketNotificationConfiguration": ("s3:GetBucketNotification",),
    "PutBucketNotificationConfiguration": ("s3:PutBucketNotification",),
    "HeadObject": ("s3:GetObject", "s3:GetObjectVersion"),
    "ListBuckets": ("s3:ListAllMyBuckets",),
    "GetObjectTagging": ("s3:GetObjectTagging", "s3:GetObjectVersionTagging"),
    "GetObjectAcl": ("s3:GetObjectAcl", "s3:GetObjectVersionAcl"),
    "GetObjectAnnotation": ("s3:GetObjectAnnotation", "s3:GetObjectVersionAnnotation"),
    "ListObjectAnnotations": ("s3:ListObjectAnnotations", "s3:ListObjectVersionAnnotations"),
}
QUEUES = {
    Target.CHANGE_QUEUE,
    Target.PART_QUEUE,
    Target.DEAD_LETTER_QUEUE,
    Target.NOTIFIED_QUEUES,
    Target.QUEUES,
    Target.BACKFILL_QUEUE,
}
OTHERS = {
    "cloudformation": "stack",
    "dynamodb": "journal",
    "kms": "key",
    "cloudwatch": "metrics",
    "sqs": "queue",
    "lambda": "mapping",
    "s3control": "batch jobs",
}
PLACES: Mapping[Target, str] = {
    Target.STACK: "stack",
    Target.PEERS: "stack",
    Target.MAPPINGS: "mapping",
    Target.CHANGE_MAPPINGS: "mapping",
    Target.JOURNAL: "journal",
    Target.KMS_KEYS: "key",
    Target.METRICS: "metrics",
    Target.CONTROL_BUCKET: "control",
    Target.PEER_CONTROL_BUCKETS: "control",
    Target.BATCH_JOBS: "batch jobs",
    Target.BATCH_JOBS_ROLE: "role",
    Target.NATIVE_ROLE: "role",
    Target.DESTINATION_ROLES: "role",
    Target.INVENTORY: "inventory",
    Target.WORKGROUP: "workgroup",
    Target.CATALOG: "catalog",
    Target.ATHENA_RESULTS: "results",
    Target.BUCKETS: "all buckets",
    Target.SOURCE: "east",
    Target.DESTINATIONS: "west",
    **dict.fromkeys(QUEUES, "queue"),
}
ADDRESS = "s3://east/k"
DELETED = "s3://east/deleted"
"""A key that a delete marker is current of, at the destination."""
JOB = "the newest job"
RUNS: Mapping[str, list[list[str]]] = {
    "rules put": [["rules", "put", "east", "rules.json"], ["rules", "put", "e*t", "rules.json"]],
    "rules get": [["rules", "get", "east"]],
    "rules check": [["rules", "check"], ["rules", "check", "east"]],
    "rules list": [["rules", "list"]],
    "grants": [
        ["grants", "east"],
        ["grants", "east", "elsewhere.json"],
        ["grants", "east", "elsewhere.json", "--destination-role", f"{OTHER}=arn:aws:iam::{OTHER}:role/r"],
    ],
    "status": [["status"], ["status", "s3://east"], ["status", ADDRESS], ["status", DELETED]],
    "explain": [["explain", ADDRESS]],
    "failures list": [["failures", "list"]],
    "failures redrive": [["failures", "redrive", "--key-prefix", "another"], ["failures", "redrive"]],
    "resync": [
        ["resync", "east", "--dry-run"],
        ["resync", "east"],
        ["resync", "east", "--status", "failed"],
        ["resync", "east", "--engine", "batch", "--status", "replicated"],
    ],
    "jobs list": [["jobs", "list"]],
    "jobs show": [["jobs", "show", JOB]],
    "jobs cancel": [["jobs", "cancel", JOB]],
    "jobs report": [["jobs", "report", JOB]],
    "failover check": [["failover", "check", "east", "west"]],
    "report": [["report", "--from", "2h", "--json"]],
    "verify": [["verify", "east", "--deep"], ["verify", "east", "--repair"]],
    "rules export": [["rules", "export", "east", "--role", f"arn:aws:iam::{OTHER}:role/r"]],
    "rules delete": [["rules", "delete", "east"]],
    "rules import": [["rules", "import", "east", "--switch"]],
}
"""In this order; objects are written once the rules are there."""
MET = {
    "",
    ABOUT_AN_OBJECT,
    TWO_WAY,
    KEYS_THAT_WOULD_BE_LOST,
    "without --destination-region",
    "without --dry-run",
    "without --dry-run or --detach",
    "with --status never or failed alone",
    IN_DOUBT,
    WITH_BATCH,
    "with --engine auto, the default",
    f"{IN_DOUBT}, and with --dry-run",
    "if a rule names a ReplicaKmsKeyID",
    "if both buckets have ACLs enabled",
    "for a pattern of buckets",
    "to print no statement that is not needed",
    "with --switch",
    "if it must admit somebody, to keep what it has",
    "to go on later where it was interrupted",
    "to say whether it still sends its events",
}
"""The cases that these runs meet: what is documented for them must be needed."""

Needs = set[tuple[str, str]]


@pytest.fixture(scope="module")
def needed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Needs]:
    """Run every command; return the (action, place) that its requests needed."""
    found: dict[str, Needs] = {}
    with running(WORLD) as aws, pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("permissions"))
        stored = rules(aws)
        Path("rules.json").write_text(json.dumps(stored))
        native = json.loads(json.dumps({"Role": f"arn:aws:iam::{OTHER}:role/r", **stored}))
        stored["Rules"][0]["Destination"]["Account"] = OTHER
        Path("elsewhere.json").write_text(json.dumps(stored))
        notify_a_peer(aws)
        for command, runs in RUNS.items():
            if command == "rules import":
                aws.client("s3").put_bucket_replication(Bucket="east", ReplicationConfiguration=native)
            found[command] = {need for arguments in runs for need in requested(aws, arguments)}
            if command == "rules put":
                write_and_fail(aws)
    return found


def rules(aws: Running) -> dict[str, Any]:
    key = aws.client("kms", "us-west-2").create_key()["KeyMetadata"]["Arn"]
    rule = {
        "ID": "all",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"And": {"Prefix": "", "Tags": [{"Key": "a", "Value": "b"}]}},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        "Destination": {"Bucket": "arn:aws:s3:::west", "EncryptionConfiguration": {"ReplicaKmsKeyID": key}},
    }
    return {"Rules": [rule]}


def notify_a_peer(aws: Running) -> None:
    """Make the destination the source of another stack."""
    to_peer = {"Id": "p", "QueueArn": aws.outputs("peer")["ChangeQueueArn"], "Events": ["s3:ObjectCreated:*"]}
    s3 = aws.client("s3", "us-west-2")
    s3.put_bucket_notification_configuration(
        Bucket="west", NotificationConfiguration={"QueueConfigurations": [to_peer]}
    )


def write_and_fail(aws: Running) -> None:
    """Replicate two versions, let another one fail, write one without the tags, delete a key at the destination."""
    s3 = aws.client("s3")
    aws.client("s3", "us-west-2").delete_object(Bucket="west", Key="deleted")
    for body in (b"1", b"2"):
        s3.put_object(Bucket="east", Key="k", Body=body, Tagging="a=b", ACL="public-read")
        assert aws.idle()
    for tags in ({"Tagging": "a=b"}, {}):
        s3.put_object(Bucket="east", Key="not selected any more", Body=b"1", **tags)
    aws.post("/faults", [{"service": "s3", "operation": "CopyObject", "then": {"status": 403, "code": "AccessDenied"}}])
    s3.put_object(Bucket="east", Key="denied", Body=b"3", Tagging="a=b")
    assert aws.idle()
    aws.delete("/faults")


def newest_job(aws: Running) -> str:
    listed = aws.client("s3").list_objects_v2(Bucket=aws.outputs(STACK)["ControlBucket"], Prefix="jobs/")
    return max(str(each["Key"]).split("/")[1] for each in listed["Contents"])


def requested(aws: Running, arguments: list[str]) -> Iterator[tuple[str, str]]:
    arguments = [newest_job(aws) if each == JOB else each for each in arguments]
    aws.delete("/requests")
    environment = {**aws.environment("us-east-1"), "S3REPLICATOR_STACK": STACK}
    done = CliRunner().invoke(app, arguments, env=environment)
    assert done.exit_code in {0, 1} or arguments[0] == "failover", done.output
    for row in aws.get("/requests"):
        if row["principal"] == "user":
            yield from need_of(row)


def need_of(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    service, operation = row["service"], row["operation"]
    if service == "s3":
        bucket = row["bucket"] or "all buckets"
        place = "control" if "-controlbucket-" in bucket else bucket
        actions = ("s3:GetObject",) if operation == "GetObject" else S3_ACTIONS.get(operation, (f"s3:{operation}",))
        yield from ((action, place) for action in actions)
    else:
        name = "s3" if service == "s3control" else service
        yield f"{name}:{operation.removesuffix('Batch')}", OTHERS[service]


def documented(command: str, cases: set[str] | None = None) -> Needs:
    """Return what is documented for a command; in some cases only, or in all."""
    return {
        (action, PLACES[permission.target])
        for permission in PERMISSIONS[command]
        for action in permission.actions
        if cases is None or permission.when in cases
    }


@pytest.mark.parametrize("command", RUNS)
def test_what_a_command_requests_is_documented(needed: Mapping[str, Needs], command: str) -> None:
    assert sorted(needed[command] - documented(command)) == []


@pytest.mark.parametrize("command", RUNS)
def test_what_is_documented_is_requested(needed: Mapping[str, Needs], command: str) -> None:
    # What `rules put` did once is not done again.
    done_before = needed["rules put"] if command == "rules import" else set()
    assert sorted(documented(command, MET) - needed[command] - done_before) == []


def test_every_command_that_calls_aws_is_tried() -> None:
    assert {command for command, permissions in PERMISSIONS.items() if permissions} == set(RUNS)
