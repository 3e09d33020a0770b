"""What AWS's limits leave room for, and what differs in China and GovCloud.

The limits: a function's name 64 characters, its environment 4 KB, a parameter 4,096, the inline policies of a role
10,240 without white space, a managed policy 6,144, of which a role has 10 by default, an SQS policy 8,192 and a pattern
of EventBridge 4,096 (quotas of Lambda, CloudFormation, IAM, SQS and EventBridge). The emulator refuses what exceeds
them, see tests/emulator/test_quotas.py.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.cloudformation.template import StackIdentity, plain_template
from tests.template import stacks

LONGEST_FUNCTION_NAME = 64
LONGEST_BUCKET_NAME = 63
INLINE_POLICIES, MANAGED_POLICY, QUEUE_POLICY, EVENT_PATTERN = 10_240, 6_144, 8_192, 4_096
MANAGED_POLICIES = 10
PARAMETER = ENVIRONMENT = 4_096
LONGEST_STACK_NAME = 53
LONGEST_ARN = (
    len("arn:aws-us-gov:dynamodb:ap-southeast-1:123456789012:table/") + 20 + len("-JournalTable-1234567890AB/index/x")
)
"""Of a resource of a stack whose name has 20 characters."""
DOCS = Path(__file__).parents[2] / "docs"


def named(count: int, length: int, letter: str) -> str:
    """Return so many bucket names of a length, as a parameter."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    names = [f"{digits[number // 36]}{digits[number % 36]}".ljust(length, letter) for number in range(count)]
    assert len(set(names)) == count
    return ",".join(names)


def resolved(value: Any) -> Any:
    """Return a policy with an ARN of the greatest usual length in place of each reference to a resource."""
    if isinstance(value, list):
        return [resolved(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() & {"Fn::GetAtt", "Fn::Sub", "Ref"}:
        return "x" * LONGEST_ARN
    return {name: resolved(each) for name, each in value.items()}


def size(document: Any) -> int:
    """Return the size of a document as AWS counts it."""
    text = document if isinstance(document, str) else json.dumps(resolved(document), separators=(",", ":"))
    return len(text)


def oversized(stack: stacks.Document) -> dict[str, int]:
    """Return what exceeds its limit, with its size."""
    policies = stacks.resources(stack, "AWS::IAM::ManagedPolicy")
    found = {name: (size(each["Properties"]["PolicyDocument"]), MANAGED_POLICY) for name, each in policies.items()}
    for role in (*stacks.ROLES.values(), stacks.JOBS_ROLE):
        inline = sum(size(each["PolicyDocument"]) for each in stacks.properties(stack, role)["Policies"])
        found[role] = (inline, INLINE_POLICIES)
        found[f"policies of {role}"] = (len(stacks.managed(stack, role)), MANAGED_POLICIES)
    found["queue"] = (size(stacks.properties(stack, "ChangeQueuePolicy")["PolicyDocument"]), QUEUE_POLICY)
    for name, rule in stacks.resources(stack, "AWS::Events::Rule").items():
        found[name] = (size(rule["Properties"].get("EventPattern", "")), EVENT_PATTERN)
    for function in stacks.FUNCTIONS:
        found[function] = (size(stacks.properties(stack, function)["Environment"]["Variables"]), ENVIRONMENT)
    return {name: used for name, (used, most) in found.items() if used > most}


def outputs(region: str) -> dict[str, Any]:
    text = (stacks.ROOT / "template.yaml").read_text().replace("CodeUri: functions/", "CodeUri: s3://code/f.zip")
    plain = plain_template(text, {}, StackIdentity("replicator", region, stacks.ACCOUNT))
    return {name: each["Value"] for name, each in plain["Outputs"].items()}


MORE = {
    "one way": {"SourceStatusTag": "true"},
    "both ways": {"ReplicaModifications": "true", "AnnotationDeletions": "true"},
}
"""Parameters that let functions do more with each bucket."""
ROOM = {63: 64, 40: 94, 20: 147, 3: 279}
"""How many names of a length fit into SourceBuckets and as many into DestinationBuckets, as docs/limits.md says."""
BRIDGED_ROOM = {63: 58, 40: 89}
"""With UseEventBridge, whose pattern names the sources."""


def full_stack(count: int, length: int, **more: str) -> stacks.Document:
    """Return a stack with so many sources and destinations, and those that have parameters of their own."""
    sources, destinations = named(count, length, "s"), named(count, length, "d")
    assert len(sources) <= PARAMETER
    own = {"CreateSourceBucket": "c" * LONGEST_BUCKET_NAME, "DefaultDestination": "d" * LONGEST_BUCKET_NAME}
    return stacks.stack(SourceBuckets=sources, DestinationBuckets=destinations, **own, **more)


@pytest.mark.parametrize("more", MORE.values(), ids=MORE)
@pytest.mark.parametrize("length", ROOM)
def test_as_many_names_fit_as_the_limits_say(length: int, more: dict[str, str]) -> None:
    """Of the longest names, those fit that a parameter takes."""
    assert oversized(full_stack(ROOM[length], length, **more)) == {}


@pytest.mark.parametrize("length", BRIDGED_ROOM)
def test_as_many_names_fit_into_event_patterns_as_the_limits_say(length: int) -> None:
    bridged = {"UseEventBridge": "true", "CloudTrailEvents": "true"}
    assert oversized(full_stack(BRIDGED_ROOM[length], length, **bridged)) == {}


def test_one_name_more_than_the_limits_say_does_not_fit() -> None:
    assert (ROOM[63] + 1) * (63 + 1) - 1 > PARAMETER
    more = {length: oversized(full_stack(ROOM[length] + 1, length, **MORE["both ways"])) for length in (40, 20, 3)}
    assert [length for length, found in more.items() if not found] == []
    bridged = oversized(full_stack(BRIDGED_ROOM[40] + 1, 40, UseEventBridge="true", CloudTrailEvents="true"))
    assert set(bridged) == {"EventBridgeRule", "CloudTrailRule"}


def test_the_limits_name_these_counts() -> None:
    page = (DOCS / "limits.md").read_text()
    rows = [f"| {length} | {ROOM[length]} | {BRIDGED_ROOM.get(length, ROOM[length])} |" for length in ROOM]
    assert [row for row in rows if row not in page] == []


def test_patterns_of_any_length_fit_like_names_of_that_length() -> None:
    patterns = {length: named(ROOM[length], length, "*") for length in (63, 40, 20)}
    found = {
        length: oversized(stacks.stack(SourceBuckets=each, DestinationBuckets=each, **MORE["both ways"]))
        for length, each in patterns.items()
    }
    assert [length for length, over in found.items() if over] == []


def test_a_thousand_buckets_fit_as_patterns() -> None:
    """A pattern for each of fifty teams, and EventBridge as well."""
    names = ",".join(f"team-{number:02}-production-*" for number in range(50))
    stack = stacks.stack(SourceBuckets=names, DestinationBuckets=names, UseEventBridge="true", **MORE["both ways"])
    assert oversized(stack) == {}


def test_a_stack_name_of_the_documented_length_fits_into_every_function_name() -> None:
    names = [f"{'s' * LONGEST_STACK_NAME}-{folder.replace('_', '-')}" for folder in stacks.FUNCTIONS.values()]
    assert max(map(len, names)) == LONGEST_FUNCTION_NAME
    assert f"{LONGEST_STACK_NAME} characters" in (DOCS / "deploy.md").read_text()


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("cn-north-1", "console.amazonaws.cn"),
        ("us-gov-west-1", "console.amazonaws-us-gov.com"),
    ],
)
def test_the_dashboards_url_is_that_of_its_partitions_console(region: str, host: str) -> None:
    url = str(outputs(region)["DashboardUrl"]["Fn::Sub"])
    assert url == f"https://{host}/cloudwatch/home?region={region}#dashboards:name=${{Dashboard}}"
