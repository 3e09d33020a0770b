"""Results become embedded metrics with S3's names, units and dimensions, one blob for each set of dimensions."""

import json
from typing import Any

import pytest
from replicator.aws.measures import EmbeddedMetrics
from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.result import Result, Score
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Outcome, Reason, Status
from replicator.core.versions.change import Change, ChangeKind

COPIED = Outcome(Status.COMPLETED, rule_id="all", destination="west", size=5, latency_ms=1500)
FAILED = Outcome(Status.FAILED, Reason.DST_PUT_DENIED, rule_id="all", destination="west")
SKIPPED = Outcome(Status.SKIPPED, Reason.REPLICA, rule_id="all", destination="west")
UNRULED = Outcome(Status.SKIPPED, Reason.NO_RULE)
WAITING = Outcome(Status.PENDING, Reason.THROTTLED, rule_id="all", destination="west")
WEST = {"SourceBucket": "east", "DestinationBucket": "west", "RuleId": "all"}


def result(outcome: Outcome, source: str = "east", score: Score = Score()) -> Result:  # noqa: B008 - frozen
    return Result(Attempt(Change(ChangeKind.CREATED, source, "k"), Delivery(), Target("west")), outcome, score=score)


def published(
    capsys: pytest.CaptureFixture[str],
    *outcomes: Outcome,
    source: str = "east",
    stack: str = "",
    score: Score = Score(),  # noqa: B008 - frozen
) -> list[dict[str, Any]]:
    measures = EmbeddedMetrics("S3Replicator", stack)
    for outcome in outcomes:
        measures.record(result(outcome, source, score))
    measures.flush()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def sets(blob: dict[str, Any]) -> list[dict[str, str]]:
    [declared] = blob["_aws"]["CloudWatchMetrics"]
    assert declared["Namespace"] == "S3Replicator"
    return [{name: blob[name] for name in names} for names in declared["Dimensions"]]


def about(blob: dict[str, Any]) -> dict[str, str]:
    """Return the largest set of dimensions."""
    return max(sets(blob), key=len)


def units(blob: dict[str, Any]) -> dict[str, str]:
    return {metric["Name"]: metric["Unit"] for metric in blob["_aws"]["CloudWatchMetrics"][0]["Metrics"]}


def test_the_results_of_a_rule_are_one_blob_with_every_value(capsys: pytest.CaptureFixture[str]) -> None:
    other = Outcome(Status.COMPLETED, rule_id="all", destination="west", size=7, latency_ms=250)
    [blob] = published(capsys, COPIED, other)
    assert sets(blob) == [WEST]
    assert blob["ReplicationLatency"] == [1.5, 0.25]
    assert blob["BytesReplicated"] == [5, 7]
    assert blob["OperationsReplicated"] == [1, 1]
    assert units(blob) == {
        "ReplicationLatency": "Seconds",
        "BytesReplicated": "Bytes",
        "OperationsReplicated": "Count",
    }


def test_failures_are_counted_by_rule_and_by_reason(capsys: pytest.CaptureFixture[str]) -> None:
    [blob] = published(capsys, FAILED, FAILED)
    assert sets(blob) == [WEST, WEST | {"Reason": "DstPutObjectNotPermitted"}]
    assert blob["OperationsFailedReplication"] == [1, 1]
    assert units(blob) == {"OperationsFailedReplication": "Count"}


def test_results_are_counted_for_the_stack_and_for_the_rule(capsys: pytest.CaptureFixture[str]) -> None:
    blobs = published(capsys, COPIED, FAILED, stack="replicator")
    assert [{"Stack": "replicator"} in sets(blob) for blob in blobs] == [True, True]


@pytest.mark.parametrize(
    ("within", "bytes_metric"),
    [(True, "BytesWithinThreshold"), (False, "BytesOutsideThreshold")],
    ids=["within", "not within"],
)
def test_a_result_counts_as_within_its_threshold_or_not(
    capsys: pytest.CaptureFixture[str], within: bool, bytes_metric: str
) -> None:
    [blob] = published(capsys, COPIED, score=Score(within))
    assert blob["WithinThreshold"] == [int(within)]
    assert blob[bytes_metric] == [5]
    assert "OperationsMissedThreshold" not in blob


def test_a_result_that_was_counted_before_counts_neither_as_within_nor_as_missed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    [blob] = published(capsys, COPIED)
    assert "WithinThreshold" not in blob


def test_a_missed_threshold_is_counted_once_for_its_rule(capsys: pytest.CaptureFixture[str]) -> None:
    blobs = published(capsys, COPIED, score=Score(within=False, missed=True))
    assert [blob["OperationsMissedThreshold"] for blob in blobs if "OperationsMissedThreshold" in blob] == [[1]]


def test_each_destination_and_rule_has_its_own_blob(capsys: pytest.CaptureFixture[str]) -> None:
    north = Outcome(Status.COMPLETED, rule_id="some", destination="north")
    blobs = published(capsys, COPIED, north)
    assert [about(blob) for blob in blobs] == [WEST, WEST | {"DestinationBucket": "north", "RuleId": "some"}]


def test_skipped_changes_are_counted_by_reason(capsys: pytest.CaptureFixture[str]) -> None:
    blobs = published(capsys, SKIPPED, SKIPPED, UNRULED)
    assert [about(blob) for blob in blobs] == [
        WEST | {"Reason": "SourceIsReplica"},
        {"SourceBucket": "east", "Reason": "NoMatchingRule"},
    ]
    assert [blob["OperationsSkipped"] for blob in blobs] == [[1, 1], [1]]


def test_changes_that_wait_are_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert published(capsys, WAITING) == []


def test_a_message_that_cannot_be_read_is_a_failure_without_a_bucket(capsys: pytest.CaptureFixture[str]) -> None:
    [blob] = published(capsys, Outcome(Status.FAILED, Reason.MALFORMED), source="")
    assert blob["OperationsFailedReplication"] == [1]
    assert "SourceBucket" not in blob


def test_more_values_than_a_blob_may_have_become_several_blobs(capsys: pytest.CaptureFixture[str]) -> None:
    """CloudWatch takes 100 values of a metric in one blob."""
    blobs = published(capsys, *([COPIED] * 250))
    assert sum(len(blob["OperationsReplicated"]) for blob in blobs) == 250
    assert all(len(blob[name]) <= 100 for blob in blobs for name in units(blob))


def test_no_value_is_published_twice(capsys: pytest.CaptureFixture[str]) -> None:
    measures = EmbeddedMetrics("S3Replicator")
    measures.record(result(COPIED))
    measures.flush()
    measures.flush()
    assert len(capsys.readouterr().out.splitlines()) == 1
