"""Every request that the functions make is allowed by their deployed roles.

The emulator checks no permissions. So every kind of object is replicated there once, also one that must be put back on
top of a large one, and each request that a function made is compared with the policies of its role as deployed.
"""

import fnmatch
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.large import workers_paused
from tests.patience import until
from tests.template import stacks

STACK = "replicator"
RULES = {
    "Rules": [
        {
            "ID": "everything",
            "Priority": 1,
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Enabled"},
            "Destination": {"Bucket": "arn:aws:s3:::west"},
        }
    ]
}
MIB = 1024**2
SETTINGS = {"ownership": "ObjectWriter", "object_lock": True}
WORLD: dict[str, Any] = {
    "buckets": [
        {"name": "east", "region": "us-east-1", **SETTINGS},
        {"name": "west", "region": "us-west-2", **SETTINGS},
    ],
    "stacks": [
        {
            "name": STACK,
            "region": "us-east-1",
            "rules": {"east": RULES},
            "parameters": {"MultipartThreshold": 6 * MIB, "SpreadThreshold": 6 * MIB, "PartSize": 5 * MIB},
        }
    ],
}
# What a request needs in the bucket that it is addressed to (service authorization reference of S3). A HEAD tells tags,
# retention and legal hold only to callers that may read them, and leaves them out silently otherwise.
HEAD = (
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:GetObjectTagging",
    "s3:GetObjectVersionTagging",
    "s3:GetObjectRetention",
    "s3:GetObjectLegalHold",
)
WRITE = (
    "s3:PutObject",
    "s3:PutObjectTagging",
    "s3:PutObjectAcl",
    "s3:PutObjectRetention",
    "s3:PutObjectLegalHold",
    "s3:GetObject",  # for If-Match
)
NEEDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("s3", "HeadBucket"): ("s3:ListBucket",),
    ("s3", "HeadObject"): HEAD,
    ("s3", "CopyObject"): (*WRITE, "s3:PutObjectAnnotation"),
    ("s3", "CreateMultipartUpload"): WRITE,
    ("s3", "UploadPartCopy"): ("s3:PutObject",),
    ("s3", "CompleteMultipartUpload"): ("s3:PutObject", "s3:GetObject"),
    ("s3", "AbortMultipartUpload"): ("s3:AbortMultipartUpload",),
    ("s3", "ListParts"): ("s3:ListMultipartUploadParts",),
    ("s3", "ListMultipartUploads"): ("s3:ListBucketMultipartUploads",),
    ("s3", "ListObjectAnnotations"): ("s3:ListObjectAnnotations", "s3:ListObjectVersionAnnotations"),
    ("s3", "GetObjectAnnotation"): ("s3:GetObjectAnnotation", "s3:GetObjectVersionAnnotation"),
    ("s3", "PutObjectAnnotation"): ("s3:PutObjectAnnotation", "s3:PutObjectVersionAnnotation"),
    ("s3", "GetObject"): ("s3:GetObject",),
    ("s3", "GetObjectAcl"): ("s3:GetObjectAcl", "s3:GetObjectVersionAcl"),
    ("s3", "GetObjectTagging"): ("s3:GetObjectTagging", "s3:GetObjectVersionTagging"),
    ("s3", "ListObjectVersions"): ("s3:ListBucketVersions",),
    ("s3", "DeleteObject"): ("s3:DeleteObject",),
    ("s3", "GetBucketVersioning"): ("s3:GetBucketVersioning",),
    ("s3", "GetBucketOwnershipControls"): ("s3:GetBucketOwnershipControls",),
    ("s3", "GetBucketNotificationConfiguration"): ("s3:GetBucketNotification",),
    ("s3", "GetObjectLockConfiguration"): ("s3:GetBucketObjectLockConfiguration",),
    ("dynamodb", "GetItem"): ("dynamodb:GetItem",),
    ("dynamodb", "UpdateItem"): ("dynamodb:UpdateItem",),
    ("dynamodb", "Query"): ("dynamodb:Query",),
    ("events", "PutEvents"): ("events:PutEvents",),
    ("sqs", "SendMessage"): ("sqs:SendMessage",),
    ("sqs", "SendMessageBatch"): ("sqs:SendMessage",),
    ("sqs", "ChangeMessageVisibility"): ("sqs:ChangeMessageVisibility",),
    ("sqs", "ChangeMessageVisibilityBatch"): ("sqs:ChangeMessageVisibility",),
    ("sqs", "GetQueueAttributes"): ("sqs:GetQueueAttributes",),
    ("sqs", "ReceiveMessage"): ("sqs:ReceiveMessage",),
}
# What a copy needs beside that in the bucket that it copies from.
NEEDS_OF_SOURCE: Mapping[str, tuple[str, ...]] = {
    "CopyObject": (
        "s3:GetObjectVersion",
        "s3:GetObjectVersionTagging",
        "s3:GetObjectAnnotation",
        "s3:GetObjectVersionAnnotation",
    ),
    "UploadPartCopy": ("s3:GetObjectVersion",),
}
RULES_ONLY = ("s3:GetObject",)


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    with running(WORLD) as emulator:
        replicate_every_kind(emulator)
        yield emulator


def replicate_every_kind(aws: Running) -> None:
    """Write plain, tagged, shared, overwritten and deleted objects; one fails, one is throttled at first."""
    s3 = aws.client("s3", "us-east-1")
    aws.post("/faults", [{"service": "s3", "operation": "CopyObject", "key": "slow", "times": 1,
                          "then": {"status": 503, "code": "SlowDown"}},
                         {"service": "s3", "operation": "CopyObject", "key": "denied",
                          "then": {"status": 403, "code": "AccessDenied"}}])  # fmt: skip
    s3.put_object(Bucket="east", Key="plain", Body=b"1")
    s3.put_object(Bucket="east", Key="tagged", Body=b"1", Tagging="team=red")
    s3.put_object(Bucket="east", Key="shared", Body=b"1", ACL="public-read")
    s3.put_object(Bucket="east", Key="slow", Body=b"1")
    s3.put_object(Bucket="east", Key="denied", Body=b"1")
    for body in (b"1", b"2", b"3"):
        s3.put_object(Bucket="east", Key="overwritten", Body=body)
    assert aws.idle()
    s3.delete_object(Bucket="east", Key="overwritten")
    overtake(aws)
    aws.post("/fire", {"stack": STACK, "function": "MonitorFunction"})
    assert aws.idle()


def overtake(aws: Running) -> None:
    """Let a small version overtake a large one, so that it is read at the destination and put back on top there."""
    s3, west = aws.client("s3", "us-east-1"), aws.client("s3", "us-west-2")
    named = {"Bucket": "east", "Key": "overtaken"}
    with workers_paused(aws, STACK):
        large = s3.put_object(**named, Body=bytes(12 * MIB), ACL="public-read", Tagging="a=b")["VersionId"]
        s3.put_object_annotation(**named, VersionId=large, AnnotationName="n", AnnotationPayload=b"{}")
        until(lambda: ("CreateMultipartUpload", "overtaken") in operations(aws))
        small = s3.put_object(**named, Body=b"1", ACL="public-read", Tagging="a=b")["VersionId"]
        until(lambda: ("CopyObject", "overtaken") in operations(aws))
    assert aws.idle()
    mark = west.head_object(Bucket="west", Key="overtaken")["Metadata"]["replication-origin"]
    assert mark.split("/")[1] == small


def operations(aws: Running) -> set[tuple[str, str]]:
    """Return what the functions have asked for, and about which key."""
    return {(each["operation"], each["key"]) for each in aws.get("/requests") if each["principal"] == "replicator"}


def policy(aws: Running, role: str) -> list[dict[str, Any]]:
    """Return the statements of a deployed role, every reference in them resolved."""
    [resource] = aws.client("cloudformation").describe_stack_resources(StackName=STACK, LogicalResourceId=role)[
        "StackResources"
    ]
    iam, name = aws.client("iam"), resource["PhysicalResourceId"]
    return [
        statement
        for each in iam.list_role_policies(RoleName=name)["PolicyNames"]
        for statement in document(iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"])["Statement"]
    ]


def document(text: Any) -> Any:
    return json.loads(text) if isinstance(text, str) else text


def needed(row: Mapping[str, Any], control: str) -> Iterator[tuple[str, str]]:
    """Return the actions that a request needs, each with the bucket, if it is about one."""
    bucket, operation = row["bucket"] or "", row["operation"]
    actions = RULES_ONLY if bucket == control else NEEDS[row["service"], operation]
    yield from ((action, bucket) for action in actions)
    source = row.get("copy_source") or ""
    yield from ((action, source.lstrip("/").partition("/")[0]) for action in NEEDS_OF_SOURCE.get(operation, ()))


@pytest.mark.parametrize(
    ("function", "at_least"),
    [
        ("ReplicateFunction", {"CopyObject", "HeadObject", "GetObjectAcl", "GetObjectTagging", "UpdateItem",
                               "CreateMultipartUpload", "SendMessage", "ChangeMessageVisibility", "PutEvents"}),
        ("CopyPartsFunction", {"UploadPartCopy", "CompleteMultipartUpload", "ListParts", "PutObjectAnnotation"}),
        ("MonitorFunction", {"Query", "GetQueueAttributes"}),
    ],
    ids=["ReplicateFunction", "CopyPartsFunction", "MonitorFunction"],
)  # fmt: skip
def test_a_role_allows_every_request_that_its_function_makes(aws: Running, function: str, at_least: set[str]) -> None:
    statements = policy(aws, stacks.ROLES[function])
    control = aws.outputs(STACK)["ControlBucket"]
    name = f"{STACK}-{stacks.FUNCTIONS[function].replace('_', '-')}"
    asked = [each for each in aws.get("/requests") if each.get("function") == name]
    assert {each["operation"] for each in asked} >= at_least
    wanted = {(row["operation"], *need) for row in asked for need in needed(row, control)}
    assert [each for each in sorted(wanted) if not allows(statements, each[1], each[2])] == []


def allows(statements: list[dict[str, Any]], action: str, bucket: str) -> bool:
    arns = {f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/rules/key"} if bucket else set()
    return any(
        action in stacks.listed(statement["Action"])
        and (
            not bucket
            or any(fnmatch.fnmatchcase(arn, each) for arn in arns for each in stacks.listed(statement["Resource"]))
        )
        for statement in statements
    )
