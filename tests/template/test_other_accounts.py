"""Source buckets of another account: whose events the stack takes."""

import pytest

from tests.template import stacks

OTHER = "222222222222"


@pytest.mark.parametrize("parameter", ["UseEventBridge", "CloudTrailEvents"])
def test_the_bus_admits_events_of_s3_from_the_account_of_the_sources(parameter: str) -> None:
    stack = stacks.stack(SourceBuckets="east", SourceAccount=OTHER, **{parameter: "true"})
    policy = stacks.properties(stack, "SourceEventsPolicy")
    statement = policy["Statement"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{OTHER}:root"}
    assert (statement["Action"], statement["Effect"]) == ("events:PutEvents", "Allow")
    assert statement["Resource"] == f"arn:aws:events:us-east-1:{stacks.ACCOUNT}:event-bus/default"
    assert statement["Condition"] == {"ForAllValues:StringEquals": {"events:source": "aws.s3"}}
    assert len(policy["StatementId"]) == len("replicator-events"), "64 characters at most, and a stack's name has 53"


@pytest.mark.parametrize(
    "parameters",
    [
        {"SourceBuckets": "east", "UseEventBridge": "true"},
        {"SourceBuckets": "east", "SourceAccount": OTHER},
        {"SourceAccount": OTHER, "UseEventBridge": "true"},
    ],
    ids=["sources of this account", "no events of EventBridge", "no sources"],
)
def test_the_bus_admits_nobody_else(parameters: dict[str, str]) -> None:
    assert stacks.resources(stacks.stack(**parameters), "AWS::Events::EventBusPolicy") == {}


def test_functions_name_the_account_of_the_sources_in_each_request() -> None:
    for parameters, owner in (({}, stacks.ACCOUNT), ({"SourceAccount": OTHER}, OTHER)):
        function = stacks.properties(stacks.stack(**parameters), "ReplicateFunction")
        assert function["Environment"]["Variables"]["SOURCE_ACCOUNT"] == owner
