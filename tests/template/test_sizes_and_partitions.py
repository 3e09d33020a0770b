"""What AWS's limits leave room for, and what differs in China and GovCloud.

The limits: a function's name 64 characters, a parameter 4,096, the inline policies of a role 10,240 without white space
(quotas of Lambda, CloudFormation and IAM). The emulator refuses what exceeds them, see tests/emulator/test_quotas.py.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.cloudformation.template import StackIdentity, plain_template
from tests.template import stacks

LONGEST_FUNCTION_NAME = 64
LONGEST_BUCKET_NAME = 63
INLINE_POLICIES = 10_240
LONGEST_STACK_NAME = 53
LONGEST_ARN = (
    len("arn:aws-us-gov:dynamodb:ap-southeast-1:123456789012:table/") + 20 + len("-JournalTable-1234567890AB/index/x")
)
"""Of a resource of a stack whose name has 20 characters."""
DOCS = Path(__file__).parents[2] / "docs"


def named(count: int, letter: str) -> str:
    """Return so many bucket names of the greatest length, as a parameter."""
    return ",".join(f"{number:03d}".ljust(LONGEST_BUCKET_NAME, letter) for number in range(count))


def resolved(value: Any) -> Any:
    """Return a policy with an ARN of the greatest usual length in place of each reference to a resource."""
    if isinstance(value, list):
        return [resolved(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() & {"Fn::GetAtt", "Fn::Sub", "Ref"}:
        return "x" * LONGEST_ARN
    return {name: resolved(each) for name, each in value.items()}


def sizes(**parameters: str) -> dict[str, int]:
    """Return the size of each role's inline policies as IAM counts it."""
    stack = stacks.stack(**parameters)
    return {
        role: sum(
            len(json.dumps(resolved(policy["PolicyDocument"]), separators=(",", ":")))
            for policy in stacks.properties(stack, role)["Policies"]
        )
        for role in (*stacks.ROLES.values(), stacks.JOBS_ROLE)
    }


def outputs(region: str) -> dict[str, Any]:
    text = (stacks.ROOT / "template.yaml").read_text().replace("CodeUri: functions/", "CodeUri: s3://code/f.zip")
    plain = plain_template(text, {}, StackIdentity("replicator", region, stacks.ACCOUNT))
    return {name: each["Value"] for name, each in plain["Outputs"].items()}


@pytest.mark.parametrize(
    ("count", "more"),
    [
        (20, {"AnnotationDeletions": "true"}),
        (17, {"SourceStatusTag": "true", "AnnotationDeletions": "true"}),
        (16, {"ReplicaModifications": "true", "SourceStatusTag": "true", "AnnotationDeletions": "true"}),
    ],
    ids=["one way", "with tags", "both ways"],
)
def test_as_many_of_the_longest_bucket_names_fit_as_the_limits_say(count: int, more: dict[str, str]) -> None:
    found = sizes(SourceBuckets=named(count, "s"), DestinationBuckets=named(count, "d"), **more)
    assert {role: size for role, size in found.items() if size > INLINE_POLICIES} == {}
    assert f"{count} source" in (DOCS / "limits.md").read_text()


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
