"""Alarms and dashboard: every metric that they name is one that the code or AWS publishes, by name and dimensions."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from replicator.core.outcomes.metrics import AGE, METRICS, NAMESPACE, STACK, Metric
from replicator.core.outcomes.threshold import REPORTED_AGES

from tests.template import stacks

# Metrics that AWS publishes and we watch -> the resources of the stack that their dimension may name.
QUEUES = {"ChangeQueue", "BackfillQueue", "PartQueue", "DeadLetterQueue"}
OF_AWS: Mapping[tuple[str, str], tuple[str, set[str]]] = {
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): ("QueueName", QUEUES),
    ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible"): ("QueueName", QUEUES),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): ("QueueName", QUEUES),
    ("AWS/SQS", "NumberOfMessagesReceived"): ("QueueName", QUEUES),
    **{
        ("AWS/Lambda", name): ("FunctionName", set(stacks.FUNCTIONS))
        for name in ("Errors", "Throttles", "Duration", "ConcurrentExecutions", "RecursiveInvocationsDropped")
    },
}
SEARCH = re.compile(r"SEARCH\('\{(?P<place>[^}]*)\} MetricName=\"(?P<metric>\w+)\"'")
Named = tuple[str, str, dict[str, str]]
"""A namespace, a metric, and its dimensions; a value that refers to a resource is the resource's name."""


@pytest.fixture(scope="module")
def stack() -> stacks.Document:
    return stacks.stack(**stacks.EVERYTHING, AlarmEmail="people@example.com")


def alarms(stack: stacks.Document) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in stacks.resources(stack, "AWS::CloudWatch::Alarm").items()}


def named_by(alarm: Mapping[str, Any]) -> Iterator[Named]:
    """Return the metrics of an alarm, whether it names them directly or through metric math."""
    stats = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
    for metric in [alarm] if "MetricName" in alarm else stats:
        dimensions = {each["Name"]: resource_of(each["Value"]) for each in metric["Dimensions"]}
        yield metric["Namespace"], metric["MetricName"], dimensions


def resource_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    [(kind, target)] = value.items()
    return str(target if kind == "Ref" else target[0])


def dashboard(stack: stacks.Document) -> dict[str, Any]:
    [board] = stacks.resources(stack, "AWS::CloudWatch::Dashboard").values()
    body = board["Properties"]["DashboardBody"]
    text = body["Fn::Sub"] if isinstance(body, dict) else body
    parsed: dict[str, Any] = json.loads(text.replace("${AWS::StackName}", "replicator"))
    return parsed


def on_dashboard(stack: stacks.Document) -> Iterator[Named]:
    for widget in dashboard(stack)["widgets"]:
        for line in widget["properties"].get("metrics", []):
            texts = [each for each in line if isinstance(each, str)]
            if texts:
                namespace, metric, *rest = texts
                values = (re.sub(r"^\$\{([A-Za-z]+)[.\w]*\}$", r"\1", value) for value in rest[1::2])
                yield namespace, metric, dict(zip(rest[::2], values, strict=True))
            for match in SEARCH.finditer(line[0].get("expression", "") if isinstance(line[0], dict) else ""):
                namespace, *names = match["place"].split(",")
                yield namespace, match["metric"], dict.fromkeys(names, "any")


def wrong(named: Named) -> str:
    """Say why nobody publishes such a metric; empty if somebody does."""
    namespace, name, dimensions = named
    if namespace != NAMESPACE:
        dimension, resources = OF_AWS.get((namespace, name), ("", set()))
        known = set(dimensions) == {dimension} and set(dimensions.values()) <= resources
        return "" if known else f"{named}: AWS has no such metric for this stack"
    if name not in set(Metric) or tuple(dimensions) not in METRICS[Metric(name)].sets:
        return f"{named}: nobody publishes it under these dimensions"
    if dimensions.get(STACK, "replicator") != "replicator":
        return f"{named}: another stack"
    ages = {str(age) for age in REPORTED_AGES}
    return "" if dimensions.get(AGE, next(iter(ages))) in ages else f"{named}: there is no such age"


def test_alarms_watch_metrics_that_are_published(stack: stacks.Document) -> None:
    named = [each for alarm in alarms(stack).values() for each in named_by(alarm)]
    assert len(named) > 10
    assert [problem for each in named if (problem := wrong(each))] == []


def test_the_dashboard_shows_metrics_that_are_published(stack: stacks.Document) -> None:
    named = list(on_dashboard(stack))
    assert {name for _, name, _ in named} >= {"WithinThreshold", "ReplicationLatency", "OperationsPendingReplication"}
    assert [problem for each in named if (problem := wrong(each))] == []


@pytest.mark.parametrize(
    "named",
    [(NAMESPACE, "OperationsPending", {STACK: "replicator"}),
     (NAMESPACE, "OperationsPendingByAge", {STACK: "replicator"}),
     (NAMESPACE, "OperationsPendingByAge", {STACK: "replicator", AGE: "over threshold"}),
     (NAMESPACE, "ReplicationLatency", {"RuleId": "any", "SourceBucket": "any"}),
     (NAMESPACE, "ReplicationLatency", {STACK: "other"}),
     ("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": "Gone"}),
     ("AWS/SQS", "NumberOfMessages", {"QueueName": "ChangeQueue"})],
    ids=["no such metric", "without its age", "an age that is not reported", "without its destination",
         "another stack", "a queue that the stack lacks", "no such metric of AWS"],
)  # fmt: skip
def test_a_metric_that_nobody_publishes_is_found(named: Named) -> None:
    assert wrong(named)


def test_everything_that_needs_a_person_has_an_alarm(stack: stacks.Document) -> None:
    assert {metric for alarm in alarms(stack).values() for _, metric, _ in named_by(alarm)} == {
        "OperationsPendingByAge",
        "OperationsFailedReplication",
        "ApproximateNumberOfMessagesVisible",
        "ApproximateAgeOfOldestMessage",
        "NumberOfMessagesReceived",
        "Errors",
        "Throttles",
        "RecursiveInvocationsDropped",
        "OperationsPendingReplication",
        "DestinationsShut",
        "DestinationsDenied",
        "RecoveryPointAge",
        "LastProofAge",
        "DifferencesFound",
    }


def test_a_monitor_that_reports_nothing_raises_an_alarm(stack: stacks.Document) -> None:
    silent = [
        metric
        for alarm in alarms(stack).values()
        for _, metric, _ in named_by(alarm)
        if alarm.get("TreatMissingData") == "breaching"
    ]
    assert "OperationsPendingReplication" in silent


def test_every_alarm_is_on_the_dashboard(stack: stacks.Document) -> None:
    [widget] = [each for each in dashboard(stack)["widgets"] if each["type"] == "alarm"]
    assert {f"${{{name}.Arn}}" for name in alarms(stack)} == set(widget["properties"]["alarms"])


@pytest.mark.parametrize(
    ("parameters", "targets"),
    [({}, None),
     ({"AlarmEmail": "people@example.com"}, [{"Ref": "AlarmTopic"}]),
     ({"AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:ours"}, ["arn:aws:sns:us-east-1:123456789012:ours"]),
     ({"AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:ours", "AlarmEmail": "people@example.com"},
      ["arn:aws:sns:us-east-1:123456789012:ours"])],
    ids=["nowhere", "e-mail", "topic", "topic before e-mail"],
)  # fmt: skip
def test_alarms_go_where_the_parameters_say(parameters: dict[str, str], targets: Any) -> None:
    stack = stacks.stack(**parameters)
    for alarm in alarms(stack).values():
        assert alarm.get("AlarmActions") == targets
        assert alarm.get("OKActions") == targets
    assert len(stacks.resources(stack, "AWS::SNS::Topic")) == (targets == [{"Ref": "AlarmTopic"}])


def test_the_alarm_on_old_messages_follows_the_threshold() -> None:
    alarm = alarms(stacks.stack(ThresholdMinutes="7.5"))["OldestMessageAlarm"]
    assert float(alarm["Threshold"]) == 7.5
    [math] = [each["Expression"] for each in alarm["Metrics"] if "Expression" in each]
    assert math.endswith("/ 60")


def test_the_alarm_on_recovery_points_follows_the_threshold_with_five_minutes_to_spare() -> None:
    alarm = alarms(stacks.stack(ThresholdMinutes="7.5"))["RecoveryPointAlarm"]
    assert float(alarm["Threshold"]) == 7.5
    [math] = [each["Expression"] for each in alarm["Metrics"] if "Expression" in each]
    assert math.endswith("/ 60 - 5")


def test_a_proof_grows_too_old_only_where_verification_is_scheduled() -> None:
    """An operator who verified once, by hand, did not promise to do so again."""
    scheduled = stacks.stack(VerifySchedule="rate(1 day)", VerifyAgeHours="72")
    found = []
    for stack in (stacks.stack(), scheduled):
        alarm = alarms(stack)["NotProvenAlarm"]
        found += [each["Expression"] for each in alarm["Metrics"] if "Expression" in each]
    assert found == ["IF(different > 0 OR age < 0, 1, 0)", "IF(different > 0 OR age > 3600 * 72, 1, 0)"]


def test_a_backfill_may_take_days_but_not_stand_still(stack: stacks.Document) -> None:
    named = {name: list(named_by(alarm)) for name, alarm in alarms(stack).items()}
    watching = {name for name, metrics in named.items() if any("BackfillQueue" in str(each) for each in metrics)}
    assert watching == {"BackfillStalledAlarm"}
    assert {metric for _, metric, _ in named["BackfillStalledAlarm"]} == {
        "ApproximateNumberOfMessagesVisible",
        "NumberOfMessagesReceived",
    }


def test_widgets_of_the_dashboard_do_not_overlap(stack: stacks.Document) -> None:
    places = [
        (x, y)
        for widget in dashboard(stack)["widgets"]
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24
