"""Since when no message on the change queue can have been sent: what CloudWatch shows, and when it is not enough."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError
from replicator.aws.queue_age import ChangeQueueAge

NOW = 1_700_000_000
SETTLED = NOW // 60 * 60 - 300
"""The beginning of a minute whose metrics are all there."""


class CloudWatch:
    """Has these values, by the query's id and the time at which the minute begins."""

    region = "us-east-1"

    def __init__(self, values: Mapping[str, Mapping[int, float]], error: Exception | None = None) -> None:
        self.values = values
        self.error = error
        self.queries: list[Any] = []

    def metrics(self, _region: str) -> "CloudWatch":
        return self

    def get_metric_data(self, **arguments: Any) -> Any:
        if self.error:
            raise self.error
        self.queries = arguments["MetricDataQueries"]
        return {"MetricDataResults": [self._result(each["Id"]) for each in self.queries]}

    def _result(self, name: str) -> Any:
        values = self.values.get(name, {})
        times = [datetime.fromtimestamp(time, UTC) for time in values]
        return {"Id": name, "Timestamps": times, "Values": list(values.values())}


def oldest(values: Mapping[str, Mapping[int, float]], error: Exception | None = None) -> int | None:
    clients: Any = CloudWatch(values, error)
    return ChangeQueueAge(
        clients,
        "S3Replicator",
        "prod",
        "https://sqs/1/changes",
    ).oldest_sent(NOW * 1000)


def test_the_oldest_message_was_sent_its_age_before_the_minute_began() -> None:
    assert oldest({"age": {SETTLED: 42.0, SETTLED - 60: 7.0}}) == (SETTLED - 42) * 1000


def test_a_minute_that_may_not_be_complete_is_not_used() -> None:
    assert oldest({"age": {SETTLED + 180: 1.0, SETTLED: 42.0}}) == (SETTLED - 42) * 1000
    assert oldest({"age": {SETTLED + 180: 1.0}}) is None


def test_an_old_age_is_not_used() -> None:
    assert oldest({"age": {SETTLED - 1200: 1.0}}) is None


@pytest.mark.parametrize("trouble", ["errors", "throttles", "unrecorded"])
def test_trouble_by_which_messages_leave_the_age_makes_it_unknown(trouble: str) -> None:
    assert oldest({"age": {SETTLED: 42.0}, trouble: {SETTLED - 1000: 0.0}}) is not None
    assert oldest({"age": {SETTLED: 42.0}, trouble: {SETTLED - 1000: 1.0}}) is None


def test_metrics_that_cannot_be_read_make_the_age_unknown() -> None:
    assert oldest({}, ConnectTimeoutError(endpoint_url="https://monitoring")) is None


def test_each_metric_is_that_of_the_stack() -> None:
    client: Any = CloudWatch({})
    ChangeQueueAge(client, "S3Replicator", "prod", "https://sqs/1/changes").oldest_sent(NOW * 1000)
    asked = [each["MetricStat"]["Metric"] for each in client.queries]
    assert [(each["Namespace"], each["MetricName"], each["Dimensions"][0]["Value"]) for each in asked] == [
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "changes"),
        ("AWS/Lambda", "Errors", "prod-replicate"),
        ("AWS/Lambda", "Throttles", "prod-replicate"),
        ("S3Replicator", "ChangesUnrecorded", "prod"),
    ]
