"""What each role may do: exact actions, on the stack's own resources and the buckets that the parameters name."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from tests.template import stacks

# What no function may do, whatever becomes of it: destroy a version, or change a bucket.
FORBIDDEN = (
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucket",
    "s3:PutBucket",
    "s3:PutLifecycleConfiguration",
    "s3:PutEncryptionConfiguration",
    "s3:PutReplicationConfiguration",
    "s3:Replicate",
    "dynamodb:Delete",
    "dynamodb:Scan",
    "sqs:Purge",
    "iam:",
    "lambda:",
)
COPYING = ("ReplicateRole", "CopyPartsRole", "BatchRole")
TAKING = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"}
READ_BUCKET = {
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketVersioning",
    "s3:ListBucket",
    "s3:ListBucketVersions",
}
READ_OBJECT = {
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectAnnotation",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionTagging",
    "s3:ListObjectAnnotations",
}
WRITE_REPLICA = {
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectAnnotation",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionTagging",
    "s3:ListMultipartUploadParts",
    "s3:ListObjectAnnotations",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectAnnotation",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
}


@pytest.fixture(scope="module")
def stack() -> stacks.Document:
    return stacks.stack(**stacks.EVERYTHING)


def on(stack: stacks.Document, role: str, buckets: set[str], *, objects: bool) -> dict[str, set[str]]:
    """Find the actions that a role has on each of these buckets, or on their objects."""
    found: dict[str, set[str]] = {bucket: set() for bucket in buckets}
    for action, resource in stacks.allowed(stack, role):
        if isinstance(resource, str) and ":s3:::" in resource and resource.endswith("/*") == objects:
            found.setdefault(stacks.bucket_of(resource), set()).add(action)
    return {bucket: found[bucket] for bucket in buckets}


def resources_of(stack: stacks.Document, role: str, service: str) -> dict[str, set[str]]:
    """Find the actions of a service, by the resource of the stack that they are allowed on."""
    found: dict[str, set[str]] = {}
    for action, resource in stacks.allowed(stack, role):
        if action.startswith(f"{service}:"):
            found.setdefault(json.dumps(resource), set()).add(action)
    return found


def on_all(names: Iterable[str], actions: set[str]) -> dict[str, set[str]]:
    return dict.fromkeys(names, actions)


def arn(name: str) -> str:
    return json.dumps({"Fn::GetAtt": [name, "Arn"]})


@pytest.mark.parametrize(("function", "role"), stacks.ROLES.items())
def test_each_function_has_a_role_of_its_own_without_managed_policies(
    stack: stacks.Document, function: str, role: str
) -> None:
    assert stacks.properties(stack, function)["Role"] == {"Fn::GetAtt": [role, "Arn"]}
    assert "ManagedPolicyArns" not in stacks.properties(stack, role)
    assert set(stacks.resources(stack, "AWS::IAM::Role")) == set(stacks.ROLES.values())


@pytest.mark.parametrize("role", stacks.ROLES.values())
def test_every_action_is_named_in_full(stack: stacks.Document, role: str) -> None:
    for statement in stacks.statements(stack, role):
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource"} & statement.keys()
        for action in stacks.listed(statement["Action"]):
            assert "*" not in action


@pytest.mark.parametrize("role", stacks.ROLES.values())
def test_no_role_can_destroy_a_version_or_change_a_bucket(stack: stacks.Document, role: str) -> None:
    granted = {action for action, _ in stacks.allowed(stack, role)}
    assert [action for action in granted if action.startswith(FORBIDDEN)] == []


@pytest.mark.parametrize("role", stacks.ROLES.values())
def test_no_resource_is_open(stack: stacks.Document, role: str) -> None:
    for _, resource in stacks.allowed(stack, role):
        if isinstance(resource, str):
            name = resource.split(":", 5)[5]
            assert name.removesuffix("/*").count("*") == 0


@pytest.mark.parametrize("role", stacks.ROLES.values())
def test_buckets_are_those_of_the_parameters(stack: stacks.Document, role: str) -> None:
    named = {
        stacks.bucket_of(resource)
        for _, resource in stacks.allowed(stack, role)
        if isinstance(resource, str) and ":s3:::" in resource
    }
    assert named <= stacks.SOURCES | stacks.DESTINATIONS


@pytest.mark.parametrize("role", COPYING)
def test_sources_are_read_and_nothing_else(stack: stacks.Document, role: str) -> None:
    assert on(stack, role, stacks.SOURCES, objects=False) == on_all(stacks.SOURCES, READ_BUCKET)
    assert on(stack, role, stacks.SOURCES, objects=True) == on_all(stacks.SOURCES, READ_OBJECT)


@pytest.mark.parametrize("role", COPYING)
def test_destinations_are_written_without_deleting_versions(stack: stacks.Document, role: str) -> None:
    readable = READ_BUCKET | {"s3:ListBucketMultipartUploads"}
    assert on(stack, role, stacks.DESTINATIONS, objects=False) == on_all(stacks.DESTINATIONS, readable)
    assert on(stack, role, stacks.DESTINATIONS, objects=True) == on_all(stacks.DESTINATIONS, WRITE_REPLICA)


def test_the_monitor_aborts_uploads_and_reads_no_objects(stack: stacks.Document) -> None:
    buckets = on(stack, "MonitorRole", stacks.DESTINATIONS, objects=False)
    objects = on(stack, "MonitorRole", stacks.DESTINATIONS, objects=True)
    assert buckets == on_all(stacks.DESTINATIONS, {"s3:ListBucket"})  # for HeadBucket, which names the Region
    assert objects == on_all(stacks.DESTINATIONS, {"s3:AbortMultipartUpload"})
    assert on(stack, "MonitorRole", stacks.SOURCES, objects=True) == on_all(stacks.SOURCES, set())


def test_each_role_touches_the_queues_that_it_works_with(stack: stacks.Document) -> None:
    sending = {arn("PartQueue"): {"sqs:SendMessage"}, arn("DeadLetterQueue"): {"sqs:SendMessage"}}
    counted = on_all(map(arn, ("ChangeQueue", "PartQueue", "DeadLetterQueue")), {"sqs:GetQueueAttributes"})
    assert resources_of(stack, "ReplicateRole", "sqs") == {arn("ChangeQueue"): TAKING} | sending
    assert resources_of(stack, "CopyPartsRole", "sqs") == sending | {arn("PartQueue"): TAKING | {"sqs:SendMessage"}}
    assert resources_of(stack, "BatchRole", "sqs") == sending
    peeked = {"sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"}
    assert resources_of(stack, "MonitorRole", "sqs") == counted | {arn("DeadLetterQueue"): peeked}


def test_the_monitor_finds_what_waits_through_the_sparse_index_only(stack: stacks.Document) -> None:
    index = json.dumps({"Fn::Sub": "${JournalTable.Arn}/index/ByAge"})
    single = {"dynamodb:GetItem", "dynamodb:UpdateItem"}
    found = resources_of(stack, "MonitorRole", "dynamodb")
    assert found == {index: {"dynamodb:Query"}, arn("JournalTable"): single}


@pytest.mark.parametrize("role", COPYING)
def test_copying_functions_read_update_and_find_journal_entries(stack: stacks.Document, role: str) -> None:
    actions = {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"}
    assert resources_of(stack, role, "dynamodb") == {arn("JournalTable"): actions}


@pytest.mark.parametrize("role", stacks.ROLES.values())
def test_rules_are_read_and_their_absence_is_told_from_denial(stack: stacks.Document, role: str) -> None:
    granted = list(stacks.allowed(stack, role))
    assert ("s3:GetObject", {"Fn::Sub": "${ControlBucket.Arn}/rules/*"}) in granted
    assert ("s3:ListBucket", {"Fn::GetAtt": ["ControlBucket", "Arn"]}) in granted


@pytest.mark.parametrize("role", stacks.ROLES.values())
def test_events_go_to_the_default_bus_only_and_not_from_batch_jobs(stack: stacks.Document, role: str) -> None:
    """What becomes of a batch task is told in the job's own report."""
    bus = f"arn:aws:events:us-east-1:{stacks.ACCOUNT}:event-bus/default"
    expected = {} if role == "BatchRole" else {json.dumps(bus): {"events:PutEvents"}}
    assert resources_of(stack, role, "events") == expected


@pytest.mark.parametrize("role", COPYING)
def test_keys_are_used_through_s3_and_only_when_named(stack: stacks.Document, role: str) -> None:
    assert resources_of(stack, role, "kms") == {
        json.dumps(stacks.EVERYTHING["SourceKmsKeys"]): {"kms:Decrypt"},
        json.dumps(stacks.EVERYTHING["DestinationKmsKeys"]): {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"},
    }
    for statement in stacks.statements(stack, role):
        if "kms" in str(statement["Action"]):
            assert statement["Condition"] == {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}
    assert resources_of(stacks.stack(), role, "kms") == {}


@pytest.mark.parametrize("role", stacks.ROLES.values())
def test_without_buckets_a_role_has_no_bucket_but_the_rules(role: str) -> None:
    buckets = [r for a, r in stacks.allowed(stacks.stack(), role) if a.startswith("s3:") and isinstance(r, str)]
    assert buckets == []


@pytest.mark.parametrize(
    ("parameters", "sources", "destinations"),
    [
        ({"SourceBuckets": "east"}, {"east"}, set()),
        ({"DestinationBuckets": "west"}, set(), {"west"}),
        ({"CreateSourceBucket": "fresh", "DefaultDestination": "far"}, {"fresh"}, {"far"}),
        ({"SourceBuckets": "east", "DestinationBuckets": "west,west-2"}, {"east"}, {"west", "west-2"}),
    ],
)
def test_each_parameter_alone_is_enough(parameters: dict[str, str], sources: set[str], destinations: set[str]) -> None:
    granted = list(stacks.allowed(stacks.stack(**parameters), "ReplicateRole"))
    assert buckets_with("s3:GetObjectRetention", granted) == sources | destinations
    assert buckets_with("s3:PutObject", granted) == destinations


def buckets_with(action: str, granted: list[tuple[str, Any]]) -> set[str]:
    return {stacks.bucket_of(resource) for each, resource in granted if each == action}


@pytest.mark.parametrize("role", stacks.ROLES.values())
def test_only_lambda_assumes_the_roles(stack: stacks.Document, role: str) -> None:
    [statement] = stacks.properties(stack, role)["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert statement["Action"] == "sts:AssumeRole"
