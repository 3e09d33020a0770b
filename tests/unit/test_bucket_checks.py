"""What is found about buckets, keys and the queue: each finding has a case that must cause it and one that must not."""

import json
from dataclasses import replace
from typing import Any

import pytest
from replicator.core.rules.rule import Destination, Rule
from s3replicator.findings import Finding, Obstacle, Severity
from s3replicator.rules.bucket_checks import (
    AWS_MANAGED_KEY,
    BucketView,
    KeyView,
    check_destination,
    check_key,
    check_source,
)
from s3replicator.rules.queue_policy import lets_in
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
EAST = BucketView("east", exists=True, region="us-east-1", versioning="Enabled", object_lock=False,
                  ownership="BucketOwnerEnforced", kms_key="", native_destinations=frozenset())  # fmt: skip
WEST = BucketView("west", exists=True, region="us-west-2", versioning="Enabled", object_lock=False,
                  ownership="BucketOwnerEnforced", aborts_uploads=True, kms_key="")  # fmt: skip
RULE = Rule("all", enabled=True, priority=0, prefix="", tags=frozenset(), destination=Destination("west"))
ACROSS = replace(RULE, destination=Destination("west", account=STRANGER))
ENCRYPTED = replace(RULE, kms_selected=True, destination=Destination("west", kms_key=KEY))
GIVEN = KeyView(exists=True, arn=KEY)
UNSEEN = BucketView("west", obstacles=(Obstacle("s3:ListBucket", "403"),))
DENIED = Obstacle("s3:GetBucketVersioning", "AccessDenied")
E, W = Severity.ERROR, Severity.WARNING
Expected = list[tuple[Severity, str]]


def summary(findings: list[Finding], expected: Expected) -> Expected:
    """Return severity and, where it is in the message, the expected part of it."""
    parts = dict(enumerate(part for _, part in expected))
    return [
        (each.severity, parts[i] if parts.get(i, "\0") in str(each) else str(each)) for i, each in enumerate(findings)
    ]


SOURCES: list[tuple[int, str, BucketView, Rule, Expected]] = [
    (1, "all is well", EAST, RULE, []),
    (2, "it does not exist", BucketView("east", exists=False), RULE, [(E, "does not exist")]),
    (3, "it may not be looked at", BucketView("east", obstacles=(Obstacle("s3:ListBucket", "403"),)), RULE,
     [(E, "allow your credentials s3:ListBucket on east")]),
    (4, "another stack's bucket", replace(EAST, name="south"), RULE, [(E, "in SourceBuckets")]),
    (5, "another Region", replace(EAST, region="eu-west-1"), RULE, [(E, "use a stack in eu-west-1")]),
    (6, "versioning suspended", replace(EAST, versioning="Suspended"), RULE,
     [(E, "put-bucket-versioning --bucket east")]),
    (7, "never versioned", replace(EAST, versioning="Disabled"), RULE, [(E, "versioning disabled")]),
    (8, "versioning not readable", replace(EAST, versioning=None, obstacles=(DENIED,)), RULE,
     [(W, "allow your credentials s3:GetBucketVersioning")]),
    (9, "S3 replicates it to the same place", replace(EAST, native_destinations=frozenset({"west", "x"})), RULE,
     [(W, "copies it to west too")]),
    (10, "S3 replicates it elsewhere", replace(EAST, native_destinations=frozenset({"x"})), RULE, []),
    (11, "KMS objects that no rule selects", replace(EAST, kms_key=AWS_MANAGED_KEY), RULE,
     [(W, "SseKmsEncryptedObjects")]),
    (12, "KMS objects that a rule selects", replace(EAST, kms_key=KEY), ENCRYPTED, []),
]  # fmt: skip
DESTINATIONS: list[tuple[int, str, BucketView, BucketView, Rule, Expected]] = [
    (1, "all is well", WEST, EAST, RULE, []),
    (2, "it does not exist", BucketView("west", exists=False), EAST, RULE, [(E, "does not exist")]),
    (3, "it may not be looked at", UNSEEN, EAST, RULE,
     [(E, "allow your credentials s3:ListBucket on west")]),
    (4, "another account's may not be looked at", UNSEEN, EAST,
     ACROSS, [(W, "allow your credentials s3:ListBucket on west")]),
    (5, "not the stack's", replace(WEST, name="north"), EAST, RULE, [(E, "in DestinationBuckets")]),
    (6, "another Region", replace(WEST, region="ap-south-1"), EAST, RULE, []),
    (7, "versioning suspended", replace(WEST, versioning="Suspended"), EAST, RULE, [(E, "versioning suspended")]),
    (8, "another owner than the rule says", replace(WEST, owner_matches=False), EAST, ACROSS,
     [(E, f"account {STRANGER}")]),
    (9, "the owner that the rule says", replace(WEST, owner_matches=True), EAST, ACROSS, []),
    (10, "no Object Lock where the source has it", WEST, replace(EAST, object_lock=True), RULE,
     [(W, "no Object Lock")]),
    (11, "Object Lock on both sides", replace(WEST, object_lock=True), replace(EAST, object_lock=True), RULE, []),
    (12, "another account's with ACLs", replace(WEST, ownership="ObjectWriter"), EAST, ACROSS,
     [(W, "AccessControlTranslation")]),
    (13, "another account's with ACLs and owner override", replace(WEST, ownership="ObjectWriter"), EAST,
     replace(RULE, destination=Destination("west", account=STRANGER, owner_override=True)), []),
    (14, "the same account's with ACLs", replace(WEST, ownership="ObjectWriter"), EAST, RULE, []),
    (15, "ACLs only at the source", WEST, replace(EAST, ownership="ObjectWriter"), RULE, [(W, "not carried over")]),
    (16, "incomplete uploads stay", replace(WEST, aborts_uploads=False), EAST, RULE, [(W, "lifecycle rule")]),
    (17, "it encrypts with a key unknown to the stack", replace(WEST, kms_key="arn:other"), EAST, RULE,
     [(W, "DestinationKmsKeys")]),
    (18, "it encrypts with a key known to the stack", replace(WEST, kms_key=KEY), EAST, RULE, []),
    (19, "it encrypts with AWS's own key", replace(WEST, kms_key=AWS_MANAGED_KEY), EAST, RULE, []),
]  # fmt: skip
KEYS: list[tuple[int, str, KeyView, StackFacts, Expected]] = [
    (1, "all is well", GIVEN, STACK, []),
    (2, "it does not exist", KeyView(exists=False), STACK, [(E, "rule 'all' names it")]),
    (3, "it may not be looked at", KeyView(obstacle=Obstacle("kms:DescribeKey", "AccessDeniedException")), STACK,
     [(W, "allow your credentials kms:DescribeKey")]),
    (4, "disabled", replace(GIVEN, state="Disabled"), STACK, [(E, "state Disabled")]),
    (5, "asymmetric", replace(GIVEN, symmetric=False), STACK, [(E, "symmetric")]),
    (6, "unknown to the stack", GIVEN, replace(STACK, destination_kms_keys=frozenset()),
     [(W, "in DestinationKmsKeys")]),
]  # fmt: skip


@pytest.mark.parametrize(("view", "rule", "expected"), [row[2:] for row in SOURCES],
                         ids=[f"{row[0]:02} {row[1]}" for row in SOURCES])  # fmt: skip
def test_what_is_found_about_a_source(view: BucketView, rule: Rule, expected: Expected) -> None:
    assert summary(list(check_source(view, STACK, [rule])), expected) == expected


@pytest.mark.parametrize(("view", "source", "rule", "expected"), [row[2:] for row in DESTINATIONS],
                         ids=[f"{row[0]:02} {row[1]}" for row in DESTINATIONS])  # fmt: skip
def test_what_is_found_about_a_destination(
    view: BucketView, source: BucketView, rule: Rule, expected: Expected
) -> None:
    assert summary(list(check_destination(view, source, STACK, [rule])), expected) == expected


@pytest.mark.parametrize(("view", "stack", "expected"), [row[2:] for row in KEYS],
                         ids=[f"{row[0]:02} {row[1]}" for row in KEYS])  # fmt: skip
def test_what_is_found_about_a_key(view: KeyView, stack: StackFacts, expected: Expected) -> None:
    assert summary(list(check_key(ENCRYPTED, view, WEST, stack)), expected) == expected


def test_a_key_of_another_region_than_the_destination_is_an_error() -> None:
    (finding,) = check_key(ENCRYPTED, GIVEN, replace(WEST, region="eu-west-1"), STACK)
    assert finding.severity is E
    assert "west in eu-west-1" in finding.message


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("AccessDenied", "allow your credentials s3:X on bucket b"), ("ExpiredToken", "log in again"),
        ("NoCredentialsError", "log in again"), ("SlowDown", "run the command again"),
        ("NoSuchBucket", "bucket b does not exist"), ("EndpointConnectionError", "AWS_ENDPOINT_URL"),
        ("Whatever", "s3:X failed with Whatever: text"),
    ],
)  # fmt: skip
def test_every_error_of_AWS_says_what_to_do(code: str, part: str) -> None:  # noqa: N802
    assert part in Obstacle("s3:X", code, "text").advice("bucket b")


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
    ids=["the template's", "an exact ARN", "by account only", "anybody", "with a denial beside it", "nothing",
         "a denial", "another bucket", "another action", "another service", "no statement at all"],
)  # fmt: skip
def test_whether_the_queues_policy_lets_the_bucket_in(statements: list[Any], allowed: bool) -> None:
    assert lets_in(json.dumps({"Statement": statements}), QUEUE, "east") is allowed


@pytest.mark.parametrize("policy", ["", "{", "[]", "5"])
def test_a_queue_without_a_policy_lets_nothing_in(policy: str) -> None:
    assert lets_in(policy, QUEUE, "east") is False
