"""CloudWatch's statistics on the emulator, as a client gets them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.running import Running, running

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
WHERE = [{"Name": "Stack", "Value": "one"}]


@pytest.fixture(scope="module")
def cloudwatch() -> Iterator[Any]:
    with running({"buckets": [], "stacks": []}) as emulator:
        client = filled(emulator)
        yield client


def filled(emulator: Running) -> Any:
    """Publish 1 to 100 at noon, 1000 an hour later, and the same under other names."""
    client = emulator.client("cloudwatch", "us-east-1")
    values = [float(number) for number in range(1, 101)]
    for moment, several in ((NOON + timedelta(seconds=37), values), (NOON + timedelta(hours=1), [1000.0])):
        datum = {"MetricName": "Latency", "Dimensions": WHERE, "Timestamp": moment, "Values": several}
        other = {**datum, "Dimensions": [{"Name": "Stack", "Value": "other"}]}
        client.put_metric_data(Namespace="Ours", MetricData=[datum, other])
        client.put_metric_data(Namespace="Theirs", MetricData=[datum])
    return client


def test_a_metric_is_listed_once_however_often_and_in_whatever_order_it_was_published(cloudwatch: Any) -> None:
    names = ("SourceBucket", "DestinationBucket", "RuleId", "Reason")
    where = [{"Name": name, "Value": value} for name, value in zip(names, ("east", "west", "all", "why"), strict=True)]
    for dimensions in (where, where, where[::-1]):
        cloudwatch.put_metric_data(
            Namespace="Ours", MetricData=[{"MetricName": "Missed", "Dimensions": dimensions, "Value": 1.0}]
        )
    [listed] = cloudwatch.list_metrics(Namespace="Ours", MetricName="Missed")["Metrics"]
    assert {each["Name"]: each["Value"] for each in listed["Dimensions"]}["Reason"] == "why"
    assert len(cloudwatch.list_metrics(Namespace="Ours", MetricName="Latency")["Metrics"]) == 2
    [one] = cloudwatch.list_metrics(Namespace="Ours", MetricName="Latency", Dimensions=WHERE)["Metrics"]
    assert one["Dimensions"] == WHERE


def ask(client: Any, *statistics: str, period: int = 3600, **span: Any) -> dict[str, dict[str, float]]:
    metric = {"Namespace": "Ours", "MetricName": "Latency", "Dimensions": WHERE}
    queries = [
        {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}
        for number, statistic in enumerate(statistics)
    ]
    whole = {"StartTime": NOON, "EndTime": NOON + timedelta(hours=2), "ScanBy": "TimestampAscending"}
    answer = client.get_metric_data(MetricDataQueries=queries, **(whole | span))
    return {
        statistics[int(each["Id"][1:])]: {
            time.strftime("%H:%M"): value for time, value in zip(each["Timestamps"], each["Values"], strict=True)
        }
        for each in answer["MetricDataResults"]
    }


def test_a_statistic_is_of_the_values_of_its_period_and_metric(cloudwatch: Any) -> None:
    expected = {"p50": 50, "p90": 90, "p99": 99, "p99.9": 100, "p100": 100, "Minimum": 1, "Maximum": 100,
                "Average": 50.5, "Sum": 5050, "SampleCount": 100}  # fmt: skip
    found = {statistic: values["12:00"] for statistic, values in ask(cloudwatch, *expected).items()}
    assert found == expected


def test_periods_begin_with_the_query_and_those_without_values_are_left_out(cloudwatch: Any) -> None:
    found = ask(cloudwatch, "SampleCount", period=1200, StartTime=NOON - timedelta(minutes=10))
    assert found == {"SampleCount": {"11:50": 100, "12:50": 1}}


def test_a_value_belongs_to_the_minute_of_its_timestamp(cloudwatch: Any) -> None:
    late = NOON + timedelta(seconds=50)
    found = ask(cloudwatch, "SampleCount", StartTime=late, EndTime=late + timedelta(minutes=1))
    assert found == {"SampleCount": {"12:00": 100}}


def test_without_an_order_the_newest_values_come_first(cloudwatch: Any) -> None:
    metric = {"Namespace": "Ours", "MetricName": "Latency", "Dimensions": WHERE}
    query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Maximum"}}
    end = NOON + timedelta(hours=2)
    [result] = cloudwatch.get_metric_data(MetricDataQueries=[query], StartTime=NOON, EndTime=end)["MetricDataResults"]
    assert result["Values"] == [1000, 100]


def test_periods_below_a_minute_show_values_second_by_second(cloudwatch: Any) -> None:
    where = [{"Name": "Stack", "Value": "fine"}]
    for second, value in ((5, 1.0), (6, 2.0), (6, 4.0)):
        datum = {"MetricName": "Fine", "Dimensions": where, "Timestamp": NOON + timedelta(seconds=second)}
        cloudwatch.put_metric_data(Namespace="Ours", MetricData=[{**datum, "Value": value, "StorageResolution": 1}])
    metric = {"Namespace": "Ours", "MetricName": "Fine", "Dimensions": where}
    query = {"Id": "fine", "MetricStat": {"Metric": metric, "Period": 1, "Stat": "Maximum"}}
    [found] = cloudwatch.get_metric_data(
        MetricDataQueries=[query], StartTime=NOON, EndTime=NOON + timedelta(minutes=1), ScanBy="TimestampAscending"
    )["MetricDataResults"]
    assert [(time.second, value) for time, value in zip(found["Timestamps"], found["Values"], strict=True)] == [
        (5, 1.0),
        (6, 4.0),
    ]
