"""What is found about buckets, keys and the queue: each finding has a case that must cause it and one that must not."""

import json
from dataclasses import replace
from typing import Any

import pytest
from replicator.core.deciding.accounts import DestinationRoles
from replicator.core.rules.rule import Destination, Rule
from s3replicator.failed_calls import FailedCall
from s3replicator.findings import Finding, Severity
from s3replicator.rules.bucket_checks import (
    AWS_MANAGED_KEY,
    BucketView,
    KeyView,
    NativeRoute,
    check_destination,
    check_key,
    check_source,
)
from s3replicator.rules.queue_policy import accepts_events_of
from s3replicator.stack_facts import StackFacts

ACCOUNT, STRANGER = "111122223333", "999988887777"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:changes"
KEY = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/k"
STACK = StackFacts(
    name="prod",
    region="us-east-1",
    account=ACCOUNT,
    control_bucket="control",
    change_queue_url="https://queue",
    change_queue_arn=QUEUE,
    source_buckets=frozenset({"east"}),
    destination_buckets=frozenset({"west"}),
    destination_kms_keys=frozenset({KEY}),
)
EAST = BucketView(
    "east",
    exists=True,
    region="us-east-1",
    versioning="Enabled",
    object_lock=False,
    ownership="BucketOwnerEnforced",
    kms_key="",
    native_routes=(),
)
WEST = BucketView(
    "west",
    exists=True,
    region="us-west-2",
    versioning="Enabled",
    object_lock=False,
    ownership="BucketOwnerEnforced",
    aborts_uploads=True,
    kms_key="",
)
RULE = Rule("all", enabled=True, priority=0, prefix="", tags=frozenset(), destination=Destination("west"))
ACROSS = replace(RULE, destination=Destination("west", account=STRANGER))
OVERRIDDEN = replace(RULE, destination=Destination("west", account=STRANGER, owner_override=True))
ENCRYPTED = replace(RULE, kms_selected=True, destination=Destination("west", kms_key=KEY))
GIVEN = KeyView(exists=True, arn=KEY)
UNSEEN = BucketView("west", failed_calls=(FailedCall("s3:ListBucket", "403"),))
DENIED = FailedCall("s3:GetBucketVersioning", "AccessDenied")
E, W = Severity.ERROR, Severity.WARNING
Expected = list[tuple[Severity, str]]


def summary(findings: list[Finding], expected: Expected) -> Expected:
    """Return severity and, where it is in the message, the expected part of it."""
    parts = dict(enumerate(part for _, part in expected))
    return [
        (each.severity, parts[i] if parts.get(i, "\0") in str(each) else str(each)) for i, each in enumerate(findings)
    ]


SOURCES: dict[str, tuple[BucketView, Rule, Expected]] = {
    "all is well": (EAST, RULE, []),
    "it does not exist": (BucketView("east", exists=False), RULE, [(E, "does not exist")]),
    "it may not be looked at": (
        BucketView("east", failed_calls=(FailedCall("s3:ListBucket", "403"),)),
        RULE,
        [(E, "allow your credentials s3:ListBucket on east")],
    ),
    "another stack's bucket": (replace(EAST, name="south"), RULE, [(E, "to SourceBuckets")]),
    "another Region": (replace(EAST, region="eu-west-1"), RULE, [(E, "use a stack in eu-west-1")]),
    "versioning suspended": (replace(EAST, versioning="Suspended"), RULE, [(E, "put-bucket-versioning --bucket east")]),
    "never versioned": (replace(EAST, versioning="Disabled"), RULE, [(E, "versioning disabled")]),
    "versioning not readable": (
        replace(EAST, versioning=None, failed_calls=(DENIED,)),
        RULE,
        [(W, "allow your credentials s3:GetBucketVersioning")],
    ),
    "S3 replicates it to the same place": (
        replace(EAST, native_routes=(NativeRoute("west"), NativeRoute("x"))),
        RULE,
        [(E, "S3 Replication itself copies its objects to west, as rule 'all' does")],
    ),
    "S3 replicates some of it to the same place": (
        replace(EAST, native_routes=(NativeRoute("west", "logs/"),)),
        RULE,
        [(E, "copies its objects under logs/ to west")],
    ),
    "S3 replicates other keys to the same place": (
        replace(EAST, native_routes=(NativeRoute("west", "logs/"),)),
        replace(RULE, prefix="photos/"),
        [],
    ),
    "S3 replicates it to the same place, but the rule is disabled": (
        replace(EAST, native_routes=(NativeRoute("west"),)),
        replace(RULE, enabled=False),
        [],
    ),
    "S3 replicates it elsewhere": (replace(EAST, native_routes=(NativeRoute("x"),)), RULE, []),
    "KMS objects that no rule selects": (replace(EAST, kms_key=AWS_MANAGED_KEY), RULE, [(W, "SseKmsEncryptedObjects")]),
    "KMS objects that a rule selects": (replace(EAST, kms_key=KEY), ENCRYPTED, []),
}
DESTINATIONS: dict[str, tuple[BucketView, BucketView, Rule, Expected]] = {
    "all is well": (WEST, EAST, RULE, []),
    "it does not exist": (BucketView("west", exists=False), EAST, RULE, [(E, "does not exist")]),
    "it may not be looked at": (UNSEEN, EAST, RULE, [(E, "allow your credentials s3:ListBucket on west")]),
    "another account's may not be looked at": (
        UNSEEN,
        EAST,
        ACROSS,
        [(W, "allow your credentials s3:ListBucket on west")],
    ),
    "not the stack's": (replace(WEST, name="north"), EAST, RULE, [(E, "to DestinationBuckets")]),
    "another Region": (replace(WEST, region="ap-south-1"), EAST, RULE, []),
    "versioning suspended": (replace(WEST, versioning="Suspended"), EAST, RULE, [(E, "versioning suspended")]),
    "another owner than the rule says": (
        replace(WEST, owner_matches=False),
        EAST,
        ACROSS,
        [(E, f"account {STRANGER}")],
    ),
    "the owner that the rule says": (replace(WEST, owner_matches=True), EAST, ACROSS, []),
    "S3 replicates it back": (
        replace(WEST, native_routes=(NativeRoute("east"),)),
        EAST,
        RULE,
        [(E, "S3 Replication itself copies its objects to east; use two-way rules")],
    ),
    "S3 replicates other keys back": (
        replace(WEST, native_routes=(NativeRoute("east", "logs/"),)),
        EAST,
        replace(RULE, prefix="photos/"),
        [],
    ),
    "S3 replicates it on": (replace(WEST, native_routes=(NativeRoute("x"),)), EAST, RULE, []),
    "no Object Lock where the source has it": (WEST, replace(EAST, object_lock=True), RULE, [(W, "no Object Lock")]),
    "Object Lock on both sides": (replace(WEST, object_lock=True), replace(EAST, object_lock=True), RULE, []),
    "another account's with ACLs": (
        replace(WEST, ownership="ObjectWriter"),
        EAST,
        ACROSS,
        [(W, "AccessControlTranslation")],
    ),
    "another account's with ACLs and owner override": (
        replace(WEST, ownership="BucketOwnerPreferred"),
        EAST,
        OVERRIDDEN,
        [],
    ),
    "another account's that prefers its owner, without owner override": (
        replace(WEST, ownership="BucketOwnerPreferred"),
        EAST,
        ACROSS,
        [(W, "AccessControlTranslation")],
    ),
    "another account's where the writer stays the owner in spite of the override": (
        replace(WEST, ownership="ObjectWriter"),
        EAST,
        OVERRIDDEN,
        [(W, "also with AccessControlTranslation")],
    ),
    "the same account's with ACLs": (replace(WEST, ownership="ObjectWriter"), EAST, RULE, []),
    "ACLs only at the source": (WEST, replace(EAST, ownership="ObjectWriter"), RULE, [(W, "are not replicated")]),
    "incomplete uploads stay": (replace(WEST, aborts_uploads=False), EAST, RULE, [(W, "lifecycle rule")]),
    "it encrypts with a key unknown to the stack": (
        replace(WEST, kms_key="arn:other"),
        EAST,
        RULE,
        [(W, "DestinationKmsKeys")],
    ),
    "it encrypts with a key known to the stack": (replace(WEST, kms_key=KEY), EAST, RULE, []),
    "it encrypts with AWS's own key": (replace(WEST, kms_key=AWS_MANAGED_KEY), EAST, RULE, []),
}
KEYS: dict[str, tuple[KeyView, StackFacts, Expected]] = {
    "all is well": (GIVEN, STACK, []),
    "it does not exist": (KeyView(exists=False), STACK, [(E, "rule 'all' names it")]),
    "it may not be looked at": (
        KeyView(failed_call=FailedCall("kms:DescribeKey", "AccessDeniedException")),
        STACK,
        [(W, "allow your credentials kms:DescribeKey")],
    ),
    "disabled": (replace(GIVEN, state="Disabled"), STACK, [(E, "state Disabled")]),
    "asymmetric": (replace(GIVEN, symmetric=False), STACK, [(E, "symmetric")]),
    "unknown to the stack": (GIVEN, replace(STACK, destination_kms_keys=frozenset()), [(W, "to DestinationKmsKeys")]),
}


@pytest.mark.parametrize(("view", "rule", "expected"), SOURCES.values(), ids=SOURCES)
def test_what_is_found_about_a_source(view: BucketView, rule: Rule, expected: Expected) -> None:
    assert summary(list(check_source(view, STACK, [rule])), expected) == expected


@pytest.mark.parametrize(("view", "source", "rule", "expected"), DESTINATIONS.values(), ids=DESTINATIONS)
def test_what_is_found_about_a_destination(
    view: BucketView, source: BucketView, rule: Rule, expected: Expected
) -> None:
    assert summary(list(check_destination(view, source, STACK, [rule])), expected) == expected


def test_a_destination_that_is_reached_by_a_role_owns_its_replicas_and_needs_no_key_of_the_stack() -> None:
    stack = replace(STACK, roles=DestinationRoles.read(f"{STRANGER}=arn:aws:iam::{STRANGER}:role/writer"))
    view = replace(WEST, ownership="ObjectWriter", kms_key="arn:other")
    assert list(check_destination(view, EAST, stack, [ACROSS])) == []
    assert len(list(check_destination(view, EAST, STACK, [ACROSS]))) == 2
    keyed = replace(ENCRYPTED, destination=Destination("west", account=STRANGER, kms_key=KEY))
    assert list(check_key(keyed, GIVEN, WEST, replace(stack, destination_kms_keys=frozenset()))) == []


@pytest.mark.parametrize(("view", "stack", "expected"), KEYS.values(), ids=KEYS)
def test_what_is_found_about_a_key(view: KeyView, stack: StackFacts, expected: Expected) -> None:
    assert summary(list(check_key(ENCRYPTED, view, WEST, stack)), expected) == expected


def test_a_key_of_another_region_than_the_destination_is_an_error() -> None:
    (finding,) = check_key(ENCRYPTED, GIVEN, replace(WEST, region="eu-west-1"), STACK)
    assert finding.severity is E
    assert "west is in eu-west-1" in finding.message


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("AccessDenied", "allow your credentials s3:X on bucket b"),
        ("ExpiredToken", "sign in again"),
        ("NoCredentialsError", "sign in again"),
        ("SlowDown", "run the command again"),
        ("NoSuchBucket", "bucket b does not exist"),
        ("EndpointConnectionError", "AWS_ENDPOINT_URL"),
        ("Whatever", "s3:X failed with Whatever: text"),
    ],
)
def test_every_error_of_aws_says_what_to_do(code: str, part: str) -> None:
    assert part in FailedCall("s3:X", code, "text").advice("bucket b")


def statement(**fields: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": {"ArnLike": {"aws:SourceArn": ["arn:aws:s3:::south", "arn:*:s3:::east"]}},
    } | fields


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([statement()], True),
        ([statement(Condition={"ArnEquals": {"AWS:SourceArn": "arn:aws:s3:::east"}})], True),
        ([statement(Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}})], True),
        ([statement(Principal="*", Action=["sqs:*"])], True),
        ([statement(Effect="Deny"), statement()], True),
        ([], False),
        ([statement(Effect="Deny")], False),
        ([statement(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3:::east-2"}})], False),
        ([statement(Action="sqs:ReceiveMessage")], False),
        ([statement(Principal={"Service": "sns.amazonaws.com"})], False),
        (["text"], False),
    ],
    ids=[
        "the template's",
        "an exact ARN",
        "by account only",
        "anybody",
        "with a denial beside it",
        "nothing",
        "a denial",
        "another bucket",
        "another action",
        "another service",
        "no statement at all",
    ],
)
def test_whether_the_queues_policy_accepts_the_buckets_events(statements: list[Any], allowed: bool) -> None:
    assert accepts_events_of(json.dumps({"Statement": statements}), QUEUE, "east") is allowed


@pytest.mark.parametrize("policy", ["", "{", "[]", "5"])
def test_a_queue_without_a_policy_accepts_nothing(policy: str) -> None:
    assert accepts_events_of(policy, QUEUE, "east") is False
