"""The role of verification by schedule reads the buckets, and writes only what it proved and how far it has come."""

import json

import pytest

from tests.template import stacks

ROLE = "VerifyRole"
EXAMINE_REPLICA = {
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionTagging",
}
EXAMINE_SOURCE = EXAMINE_REPLICA | {"s3:GetObjectAcl", "s3:GetObjectVersionAcl"}


@pytest.fixture(scope="module")
def stack() -> stacks.Document:
    """Return a stack in which other functions may do all that they ever may."""
    return stacks.stack(**stacks.EVERYTHING | stacks.AFTER_THE_WRITE, SourceStatusTag="true")


def on_objects(stack: stacks.Document, buckets: set[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {bucket: set() for bucket in buckets}
    for action, resource in stacks.allowed(stack, ROLE):
        if isinstance(resource, str) and resource.endswith("/*") and stacks.bucket_of(resource) in buckets:
            found[stacks.bucket_of(resource)].add(action)
    return found


def test_of_objects_it_reads_what_it_compares_and_no_bytes_are_asked_for(stack: stacks.Document) -> None:
    assert on_objects(stack, stacks.SOURCES) == dict.fromkeys(stacks.SOURCES, EXAMINE_SOURCE)
    assert on_objects(stack, stacks.DESTINATIONS) == dict.fromkeys(stacks.DESTINATIONS, EXAMINE_REPLICA)


def test_it_writes_only_to_two_folders_of_the_control_bucket_and_publishes_events(stack: stacks.Document) -> None:
    reading = ("s3:Get", "s3:List", "dynamodb:GetItem", "sqs:GetQueueAttributes", "kms:Decrypt", "logs:")
    others = "sts:AssumeRole"  # of roles that the destinations' accounts grant what they will
    writing = [(action, on) for action, on in stacks.allowed(stack, ROLE) if not action.startswith((*reading, others))]
    folders = [{"Fn::Sub": f"${{ControlBucket.Arn}}/{name}/*"} for name in ("coverage", "assurance")]
    assert sorted(map(json.dumps, writing)) == sorted(
        map(
            json.dumps,
            [
                *(("s3:PutObject", folder) for folder in folders),
                ("events:PutEvents", f"arn:aws:events:us-east-1:{stacks.ACCOUNT}:event-bus/default"),
            ],
        )
    )
