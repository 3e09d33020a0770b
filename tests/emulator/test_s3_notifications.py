"""Notification configurations: where a bucket may send which events, and what S3 refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.plain import Plain, refused


def configure(s3: Any, bucket: str, *entries: dict[str, Any], **settings: Any) -> None:
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": list(entries)}, **settings
    )


def entry(arn: str, *events: str, prefix: str = "", suffix: str = "") -> dict[str, Any]:
    rules = [{"Name": name, "Value": value} for name, value in (("prefix", prefix), ("suffix", suffix)) if value]
    chosen = {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
    return {"QueueArn": arn, "Events": list(events), **chosen}


def test_a_notification_configuration_is_read_as_it_was_put_and_replaced_whole(aws: Plain, s3: Any) -> None:
    bucket, (_, arn) = aws.bucket(), aws.queue()
    configure(s3, bucket, {**entry(arn, "s3:ObjectCreated:*", prefix="a/"), "Id": "mine"})
    (got,) = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert got["Id"] == "mine"
    assert got["Filter"]["Key"]["FilterRules"] == [{"Name": "Prefix", "Value": "a/"}]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    got = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert "QueueConfigurations" not in got
    assert got["EventBridgeConfiguration"] == {}


def test_notifications_for_topics_and_functions_are_kept(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket()
    topic = "arn:aws:sns:us-east-1:123456789012:topic"
    function = "arn:aws:lambda:us-east-1:123456789012:function:name"
    wanted = {
        "TopicConfigurations": [{"Id": "t", "TopicArn": topic, "Events": ["s3:ObjectRemoved:*"]}],
        "LambdaFunctionConfigurations": [{"Id": "f", "LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}],
    }
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)
    got = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert {name: got[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"prefix": "a"}, {"prefix": "ab"}),
        ({"suffix": "b"}, {"suffix": "ab"}),
        ({"prefix": "a"}, {"suffix": "b"}),
        ({}, {"prefix": "a"}),
    ],
    ids=["a prefix of the other prefix", "a suffix of the other suffix", "a prefix and a suffix", "no filter"],
)
def test_overlapping_notifications_of_one_event_are_refused(
    aws: Plain, s3: Any, one: dict[str, str], other: dict[str, str]
) -> None:
    bucket, (_, arn) = aws.bucket(), aws.queue()
    with refused("InvalidArgument", 400) as error:
        configure(s3, bucket, entry(arn, "s3:ObjectCreated:*", **one), entry(arn, "s3:ObjectCreated:Put", **other))
    assert "overlap" in error["Message"]
    configure(s3, bucket, entry(arn, "s3:ObjectCreated:*", **one), entry(arn, "s3:ObjectRemoved:*", **other))


def test_notifications_of_one_event_with_disjoint_prefixes_are_accepted(aws: Plain, s3: Any) -> None:
    bucket, (_, arn) = aws.bucket(), aws.queue()
    configure(
        s3,
        bucket,
        entry(arn, "s3:ObjectCreated:*", prefix="a/"),
        entry(arn, "s3:ObjectCreated:*", prefix="b/"),
    )


def test_a_queue_that_gets_notifications_must_exist_and_let_s3_send_for_the_bucket(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket()
    by_s3 = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:*", "Resource": "*"}
    for policy in (
        {**by_s3, "Principal": {"Service": "sns.amazonaws.com"}},
        {**by_s3, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::other"}}},
        {**by_s3, "Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}},
        {**by_s3, "Condition": {"StringEquals": {"aws:SourceOrgID": "o-1"}}},
        {**by_s3, "Effect": "Deny"},
    ):
        with refused("InvalidArgument", 400) as error:
            configure(s3, bucket, entry(aws.queue(policy=policy)[1], "s3:ObjectCreated:*"))
        assert error["Message"] == "Unable to validate the following destination configurations"
    with refused("InvalidArgument", 400) as error:
        configure(s3, bucket, entry("arn:aws:sqs:us-east-1:123456789012:none", "s3:ObjectCreated:*"))
    assert error["ArgumentValue1"] == "The destination queue does not exist"
    conditions = {
        "ArnLike": {"aws:SourceArn": f"arn:aws:s3:*:*:{bucket}"},
        "StringEquals": {"aws:SourceAccount": ["123456789012"]},
    }
    allowed = aws.queue(policy={**by_s3, "Condition": conditions})[1]
    configure(s3, bucket, entry(allowed, "s3:ObjectCreated:*"))


def test_notifications_can_be_put_without_validating_their_destination(aws: Plain, s3: Any) -> None:
    arn = "arn:aws:sqs:us-east-1:123456789012:later"
    configure(s3, aws.bucket(), entry(arn, "s3:ObjectCreated:*"), SkipDestinationValidation=True)


def test_notifications_to_a_queue_in_another_region_are_refused(aws: Plain, s3: Any) -> None:
    with refused("InvalidArgument", 400) as error:
        configure(s3, aws.bucket(), entry(aws.queue("us-west-2")[1], "s3:ObjectCreated:*"))
    assert "region is not valid" in error["Message"]


@pytest.mark.parametrize(
    "wrong",
    [
        entry("not-an-arn", "s3:ObjectCreated:*"),
        entry("arn:aws:sqs:us-east-1:123456789012:q", "s3:ObjectInvented:*"),
        {
            **entry("arn:aws:sqs:us-east-1:123456789012:q", "s3:ObjectCreated:*"),
            "Filter": {"Key": {"FilterRules": [{"Name": "middle", "Value": "x"}]}},
        },
    ],
    ids=["a queue that is no ARN", "an unknown event", "an unknown filter"],
)
def test_notifications_that_make_no_sense_are_refused(aws: Plain, s3: Any, wrong: dict[str, Any]) -> None:
    with refused("InvalidArgument", 400):
        configure(s3, aws.bucket(), wrong)


def with_filter(arn: str, *rules: dict[str, str]) -> dict[str, Any]:
    entry = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": list(rules)}}}
    return {"QueueConfigurations": [entry]}


def test_filters_are_returned_with_a_capital_even_if_they_are_empty(aws: Plain, s3: Any) -> None:
    bucket, (_, arn) = aws.bucket(), aws.queue()
    wanted = with_filter(arn, {"Name": "suffix", "Value": ""}, {"Name": "prefix", "Value": "a/"})
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)
    (found,) = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert found["Filter"]["Key"]["FilterRules"] == [
        {"Name": "Suffix", "Value": ""},
        {"Name": "Prefix", "Value": "a/"},
    ]


@pytest.mark.parametrize("rule", [{}, {"Name": "prefix"}, {"Value": "a/"}], ids=["nothing", "no value", "no name"])
def test_a_filter_without_a_name_or_a_value_is_malformed(aws: Plain, s3: Any, rule: dict[str, str]) -> None:
    bucket, (_, arn) = aws.bucket(), aws.queue()
    with refused("MalformedXML", 400):
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=with_filter(arn, rule))
