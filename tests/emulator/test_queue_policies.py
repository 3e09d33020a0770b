"""A queue's policy decides about each event: what it does not allow S3 or EventBridge to send is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.plain import Plain


def allow(aws: Plain, url: str, arn: str, service: str, **condition: Any) -> None:
    """Let one service, or none, send to a queue."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Statement": [{**statement, **({"Condition": condition} if condition else {})}]})
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def test_an_event_of_s3_is_lost_once_the_policy_does_not_allow_it(aws: Plain, s3: Any) -> None:
    bucket, (url, arn) = aws.bucket(), aws.queue()
    aws.notify(bucket, arn)
    allow(aws, url, arn, "sns.amazonaws.com")
    s3.put_object(Bucket=bucket, Key="lost")
    assert aws.messages(url) == []
    allow(aws, url, arn, "s3.amazonaws.com", ArnEquals={"aws:SourceArn": f"arn:aws:s3:::{bucket}"})
    s3.put_object(Bucket=bucket, Key="sent")
    assert [record["s3"]["object"]["key"] for record in aws.records(url)] == ["sent"]
    allow(aws, url, arn, "s3.amazonaws.com", StringEquals={"aws:SourceAccount": "999999999999"})
    s3.put_object(Bucket=bucket, Key="of another account")
    assert aws.messages(url) == []


@pytest.mark.parametrize(
    ("service", "condition", "arrives"),
    [
        ("events.amazonaws.com", {}, True),
        (
            "events.amazonaws.com",
            {"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/RULE"}},
            True,
        ),
        (
            "events.amazonaws.com",
            {"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/x"}},
            False,
        ),
        ("s3.amazonaws.com", {}, False),
    ],
    ids=["EventBridge", "its rule", "another rule", "only S3"],
)
def test_event_bridge_sends_what_the_policy_allows_for_its_rule(
    aws: Plain, s3: Any, service: str, condition: dict[str, Any], arrives: bool
) -> None:
    bucket, (url, arn), events = aws.bucket(), aws.queue(), aws.client("events")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    events.put_rule(Name=bucket, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=bucket, Targets=[{"Id": "queue", "Arn": arn}])
    allow(aws, url, arn, service, **json.loads(json.dumps(condition).replace("RULE", bucket)))
    s3.put_object(Bucket=bucket, Key="k")
    assert len(aws.messages(url)) == arrives
