"""Reason codes of later changes that wait for their version or its lease, or that may not reach the version.

Separate from `test_denied_codes.py` because it takes two stacks: one owns the version, the other hears of the change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from replicator.aws.table import memory_key
from replicator.core.deciding.journal import Pair
from s3replicator.advice import advice
from s3replicator.main import app
from typer.testing import CliRunner

from emulator.running import Running, running
from tests.emulator.failures import take_failures
from tests.emulator.large import part_messages, workers_paused
from tests.emulator.later import BOTH_WAYS, STRANGER, Place, tag_set
from tests.emulator.reasons import logged, reasons, redrive, waiting
from tests.emulator.worlds import bucket, rule
from tests.patience import until

MIB = 1024**2
EVERYTHING = {"ownership": "ObjectWriter", "object_lock": True}
PAIRS = ("", "lone-")
RULES = {
    name: {"Rules": [rule(name, other, **BOTH_WAYS)]}
    for prefix in PAIRS
    for name, other in ((f"{prefix}east", f"{prefix}west"), (f"{prefix}west", f"{prefix}east"))
}
WORLD: dict[str, Any] = {
    "buckets": [bucket(name, **EVERYTHING) for name in RULES],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {
                "MultipartThreshold": str(5 * MIB),
                "PartSize": str(5 * MIB),
                "SpreadThreshold": str(6 * MIB),
            },
            "rules": {name: RULES[name] for name in RULES if name.endswith("east")},
        },
        {
            "name": "peer",
            "region": "us-west-2",
            "rules": {name: RULES[name] for name in RULES if name.endswith("west")},
        },
    ],
}
UNTIL = {"Mode": "GOVERNANCE", "RetainUntilDate": "2040-01-01T00:00:00Z"}
DENIED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "SrcPutTaggingNotPermitted": ("put_object_tagging", {"Tagging": tag_set({"a": "2"})}),
    "SrcPutAclNotPermitted": ("put_object_acl", {"GrantRead": f"id={STRANGER}"}),
    "SrcPutRetentionNotPermitted": ("put_object_retention", {"Retention": UNTIL}),
    "SrcPutLegalHoldNotPermitted": ("put_object_retention", {"Retention": UNTIL}),
}
"""What a user changes at a replica. Of the last, its hold was set before, and goes with its retention."""
ACTIONS = {
    "SrcPutTaggingNotPermitted": ("s3:PutObjectTagging", "s3:PutObjectVersionTagging"),
    "SrcPutAclNotPermitted": ("s3:PutObjectAcl", "s3:PutObjectVersionAcl"),
    "SrcPutRetentionNotPermitted": ("s3:PutObjectRetention",),
    "SrcPutLegalHoldNotPermitted": ("s3:PutObjectLegalHold",),
    "SrcPutAnnotationNotPermitted": ("s3:PutObjectAnnotation", "s3:PutObjectVersionAnnotation"),
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def clean(emulator: Running) -> Iterator[None]:
    yield
    assert emulator.idle()
    assert [*take_failures(emulator), *take_failures(emulator, "peer")] == []


def role(emulator: Running, stack: str) -> str:
    """Return the name of the role of the function that replicates."""
    client = emulator.client("cloudformation", emulator.stacks[stack].region)
    resource = client.describe_stack_resource(StackName=stack, LogicalResourceId="ReplicateRole")
    return str(resource["StackResourceDetail"]["PhysicalResourceId"])


def deny(emulator: Running, stack: str, *statements: Mapping[str, Any]) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", **each} for each in statements]})
    emulator.client("iam").put_role_policy(RoleName=role(emulator, stack), PolicyName="deny", PolicyDocument=document)


def allow(emulator: Running, stack: str) -> None:
    emulator.client("iam").delete_role_policy(RoleName=role(emulator, stack), PolicyName="deny")


def denied(*codes: str) -> list[dict[str, Any]]:
    """Return what denies the actions of codes on the objects that are named like them."""
    return [{"Action": list(ACTIONS[code]), "Resource": f"arn:aws:s3:::east/{code}"} for code in codes]


def command(emulator: Running, *arguments: str) -> Any:
    """Run the operator's command for the stack that replicates back."""
    environment = {**emulator.environment("us-west-2"), "S3REPLICATOR_STACK": "peer", "COLUMNS": "200"}
    return CliRunner().invoke(app, list(arguments), env=environment)


# Waiting


def test_a_later_change_waits_for_the_lease_of_its_key(emulator: Running, east: Place, west: Place) -> None:
    version = east.put("BeingSynchronised", Tagging="a=1")
    named = {
        "TableName": emulator.outputs("prod")["JournalTable"],
        "Key": memory_key(Pair("east", "west", "BeingSynchronised")),
    }
    journal = emulator.client("dynamodb")
    lease = {":by": {"S": "another function"}, ":until": {"N": str(10**14)}}
    journal.update_item(
        **named, UpdateExpression="SET lease_by = :by, lease_until = :until", ExpressionAttributeValues=lease
    )
    east.s3.put_object_tagging(Bucket="east", Key="BeingSynchronised", VersionId=version, Tagging=tag_set({"a": "2"}))
    until(lambda: ("BeingSynchronised", "PENDING BeingSynchronised") in logged(emulator))
    assert west.users_tags("BeingSynchronised", west.replica("BeingSynchronised", version)) == {"a": "1"}
    journal.update_item(**named, UpdateExpression="REMOVE lease_by, lease_until")
    assert emulator.idle()
    assert west.users_tags("BeingSynchronised", west.replica("BeingSynchronised", version)) == {"a": "2"}


def test_a_later_change_waits_for_the_parts_of_its_version(emulator: Running, east: Place, west: Place) -> None:
    key = "VersionNotCopiedYet"
    with workers_paused(emulator, function="CopyPartsFunction"):
        version = east.s3.put_object(Bucket="east", Key=key, Body=bytes(10 * MIB + 1), Tagging="a=1")["VersionId"]
        assert part_messages(emulator, 1)
        east.s3.put_object_tagging(Bucket="east", Key=key, VersionId=version, Tagging=tag_set({"a": "2"}))
        until(lambda: waiting(emulator).get(f"east/{key}") == key)
    assert emulator.idle()
    assert west.users_tags(key, west.replica(key, version)) == {"a": "2"}


# Failed


def test_what_may_not_be_written_to_a_source_fails_until_it_may(emulator: Running, east: Place, west: Place) -> None:
    versions = {code: east.put(code, Tagging="a=1") for code in DENIED}
    replicas = {code: west.replica(code, version) for code, version in versions.items()}
    west.hold("SrcPutLegalHoldNotPermitted", replicas["SrcPutLegalHoldNotPermitted"])
    deny(emulator, "prod", *denied(*DENIED))
    for code, (operation, fields) in DENIED.items():
        west.change(operation, code, replicas[code], **fields)
    failures = take_failures(emulator)
    assert reasons(failures) == {code: code for code in DENIED}
    assert {code for code in DENIED for action in ACTIONS[code] if action not in advice(code)} == set()
    allow(emulator, "prod")
    assert redrive(emulator, failures) == {}
    retained, held = "SrcPutRetentionNotPermitted", "SrcPutLegalHoldNotPermitted"
    assert east.users_tags("SrcPutTaggingNotPermitted", versions["SrcPutTaggingNotPermitted"]) == {"a": "2"}
    assert east.readers("SrcPutAclNotPermitted", versions["SrcPutAclNotPermitted"]) == [STRANGER]
    assert east.retained(retained, versions[retained]) == 2040
    assert east.is_held(held, versions[held])


def test_annotations_that_may_not_be_written_to_a_source_are_left_out_and_the_log_says_why(
    emulator: Running, east: Place, west: Place
) -> None:
    code = "SrcPutAnnotationNotPermitted"
    version = east.put(code)
    replica = west.replica(code, version)
    deny(emulator, "prod", *denied(code))
    west.annotate(code, replica, "note", "one")
    allow(emulator, "prod")
    assert east.annotations(code, version) == {}
    assert [message for _, message in logged(emulator) if code in message and message.startswith("annotations left")]
    west.annotate(code, replica, "other", "two")
    assert east.annotations(code, version) == {"note": "one", "other": "two"}


def test_a_change_whose_owner_may_not_be_told_fails_until_it_may(emulator: Running, east: Place, west: Place) -> None:
    key = "OwnerQueueNotPermitted"
    version = east.put(key, Tagging="a=1")
    deny(emulator, "peer", {"Action": "sqs:SendMessage", "Resource": emulator.outputs("prod")["ChangeQueueArn"]})
    west.tag(key, west.replica(key, version), a="2")
    failures = take_failures(emulator, "peer")
    assert reasons(failures) == {key: key}
    allow(emulator, "peer")
    assert redrive(emulator, failures, "peer") == {}
    assert east.users_tags(key, version) == {"a": "2"}


def test_a_change_whose_owner_is_not_known_fails_until_rules_are_put_again(emulator: Running, tmp_path: Any) -> None:
    key, source, destination = "OwnerQueueUnknown", "lone-east", "lone-west"
    here, there = Place.at(emulator, source), Place.at(emulator, destination)
    version = here.put(key, Tagging="a=1")
    control = emulator.outputs("peer")["ControlBucket"]
    emulator.client("s3", "us-west-2").delete_object(Bucket=control, Key=f"peers/{destination}.json")
    there.tag(key, there.replica(key, version), a="2")
    failures = take_failures(emulator, "peer")
    assert reasons(failures) == {key: key}
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(RULES[destination]))
    put = command(emulator, "rules", "put", destination, str(file))
    assert put.exit_code == 0, put.output
    assert redrive(emulator, failures, "peer") == {}
    assert here.users_tags(key, version) == {"a": "2"}
