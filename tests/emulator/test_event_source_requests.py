"""Event source mappings of queues that Lambda refuses: as it was recorded on AWS, or is documented."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from tests.emulator.plain import Plain, refused

ROLE = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}
QUEUES = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
REFUSED = "InvalidParameterValueException"
SMALL_WINDOW = "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"


@pytest.fixture(scope="module")
def function(aws: Plain) -> str:
    """Create a function that may poll every queue; its timeout is the queues' visibility timeout."""
    iam, code = aws.client("iam"), io.BytesIO()
    role = iam.create_role(RoleName="poller", AssumeRolePolicyDocument=json.dumps(ROLE))["Role"]["Arn"]
    iam.put_role_policy(RoleName="poller", PolicyName="queues", PolicyDocument=json.dumps(QUEUES))
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("app.py", "def handler(event, context): pass")
    aws.client("lambda").create_function(
        FunctionName="polled", Runtime="python3.13", Role=role, Handler="app.handler", Timeout=30,
        Code={"ZipFile": code.getvalue()},
    )  # fmt: skip
    return "polled"


def create(aws: Plain, function: str, arn: str, **settings: Any) -> dict[str, Any]:
    return dict(aws.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=function, **settings))


def test_a_large_batch_needs_a_window(aws: Plain, function: str) -> None:
    _, arn = aws.queue()
    with refused(REFUSED, 400) as error:
        create(aws, function, arn, BatchSize=11)
    assert error["Message"] == SMALL_WINDOW
    mapping = create(aws, function, arn)
    assert mapping["BatchSize"] == 10
    with refused(REFUSED, 400) as error:
        aws.client("lambda").update_event_source_mapping(UUID=mapping["UUID"], BatchSize=11)
    assert error["Message"] == SMALL_WINDOW
    settings = {"BatchSize": 10_000, "MaximumBatchingWindowInSeconds": 1}
    assert aws.client("lambda").update_event_source_mapping(UUID=mapping["UUID"], **settings)["BatchSize"] == 10_000


@pytest.mark.parametrize(
    "pattern",
    ["null", '"simple string"', '{"body": "text"}', '{"body": []}', "{", '{"body": [{"is": 1}]}'],
    ids=["null", "a text", "a value without a list", "an empty list", "no JSON", "no operator"],
)
def test_a_filter_that_is_no_pattern_is_refused(aws: Plain, function: str, pattern: str) -> None:
    _, arn = aws.queue()
    with refused(REFUSED, 400) as error:
        create(aws, function, arn, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    assert error["Message"] == "Invalid filter pattern definition."


def test_filters_are_limited_in_number_length_and_in_what_they_look_at(aws: Plain, function: str) -> None:
    _, arn = aws.queue()
    pattern, refusals = '{"body": {"a": ["x"]}}', []
    longest = json.dumps({"body": ["x" * (4096 - len('{"body": [""]}'))]})
    for patterns in ([pattern] * 6, [f"{longest} "], ['{"eventSource": ["aws:sqs"]}']):
        with refused(REFUSED, 400) as error:
            create(aws, function, arn, FilterCriteria={"Filters": [{"Pattern": each} for each in patterns]})
        refusals.append(error["Message"])
    assert refusals == [
        "An event source mapping may have at most 5 filters.",
        "A filter pattern may have at most 4096 characters.",
        "Filters of an SQS queue may look at the body only.",
    ]
    allowed = [{"Pattern": each} for each in [*[pattern] * 4, longest]]
    assert create(aws, function, arn, FilterCriteria={"Filters": allowed})["FilterCriteria"] == {"Filters": allowed}


def test_pollers_and_a_maximum_concurrency_exclude_each_other(aws: Plain, function: str) -> None:
    _, arn = aws.queue()
    concurrency, pollers = {"MaximumConcurrency": 5}, {"MinimumPollers": 2, "MaximumPollers": 3}
    with refused(REFUSED, 400):
        create(aws, function, arn, ScalingConfig=concurrency, ProvisionedPollerConfig=pollers)
    mapping = create(aws, function, arn, ScalingConfig=concurrency)["UUID"]
    update = aws.client("lambda").update_event_source_mapping
    with refused(REFUSED, 400):
        update(UUID=mapping, ProvisionedPollerConfig=pollers)
    assert update(UUID=mapping, ScalingConfig={}, ProvisionedPollerConfig=pollers)["ProvisionedPollerConfig"] == pollers
    with refused(REFUSED, 400):
        update(UUID=mapping, ScalingConfig=concurrency)


def test_a_queue_has_two_pollers_at_least_and_no_more_than_lambda_has(aws: Plain, function: str) -> None:
    _, arn = aws.queue()
    for pollers in (
        {"MinimumPollers": 1},
        {"MinimumPollers": 201, "MaximumPollers": 300},
        {"MaximumPollers": 1},
        {"MinimumPollers": 3, "MaximumPollers": 2},
    ):
        with refused(REFUSED, 400):
            create(aws, function, arn, ProvisionedPollerConfig=pollers)
    assert create(aws, function, arn, ProvisionedPollerConfig={"MinimumPollers": 2, "MaximumPollers": 10_000})


def test_a_function_has_one_mapping_of_a_queue(aws: Plain, function: str) -> None:
    _, arn = aws.queue()
    known = create(aws, function, arn)["UUID"]
    with refused("ResourceConflictException", 409) as error:
        create(aws, function, arn)
    assert error["Message"].endswith(f"Please update or delete the existing mapping with UUID {known}")


def test_a_queue_that_does_not_exist_has_no_mapping(aws: Plain, function: str) -> None:
    with refused(REFUSED, 400) as error:
        create(aws, function, "arn:aws:sqs:us-east-1:123456789012:none")
    assert "SQS Error Code: AWS.SimpleQueueService.NonExistentQueue" in error["Message"]


def test_a_queue_that_would_return_messages_too_early_has_no_mapping(aws: Plain, function: str) -> None:
    url, arn = aws.queue()
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "29"})
    with refused(REFUSED, 400) as error:
        create(aws, function, arn)
    assert error["Message"] == "Queue visibility timeout: 29 seconds is less than Function timeout: 30 seconds"
