"""Published events: a record as S3 notifications have it, and the fields of S3's events on EventBridge beside it."""

from replicator.core.outcomes.notices import NoticeKind, detail, notice_of
from replicator.core.outcomes.outcome import Outcome, Reason, Status
from replicator.core.versions.change import Change, ChangeKind

NOON = 1_700_000_000_123
CHANGE = Change(ChangeKind.CREATED, "east", "photos/ü 1+1.jpg", "v1", time=NOON - 1000, size=3)
OUTCOME = Outcome(
    Status.FAILED, Reason.DST_PUT_DENIED, rule_id="all", destination="west", size=7, latency_ms=934_210,
    threshold_ms=900_000,
)  # fmt: skip


def test_the_event_of_a_failure_has_the_form_of_s3s_own() -> None:
    assert detail(notice_of(NoticeKind.FAILED, CHANGE, OUTCOME), "us-east-1", NOON) == {
        "eventVersion": "2.2",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2023-11-14T22:13:20.123Z",
        "eventName": "Replication:OperationFailedReplication",
        "userIdentity": {"principalId": "s3-replicator"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": "east", "arn": "arn:aws:s3:::east"},
            "object": {"key": "photos/%C3%BC+1%2B1.jpg", "size": 7, "versionId": "v1"},
        },
        "replicationEventData": {
            "replicationRuleId": "all",
            "destinationBucket": "arn:aws:s3:::west",
            "s3Operation": "OBJECT_PUT",
            "requestTime": "2023-11-14T22:13:19.123Z",
            "failureReason": "DstPutObjectNotPermitted",
        },
        "bucket": {"name": "east"},
        "object": {"key": "photos/ü 1+1.jpg", "size": 7, "version-id": "v1"},
    }


def test_the_event_of_a_missed_threshold_names_the_threshold() -> None:
    data = detail(notice_of(NoticeKind.MISSED, CHANGE, OUTCOME), "us-east-1", NOON)["replicationEventData"]
    assert data["threshold"] == "15"
    assert not {"failureReason", "replicationTime"} & data.keys()


def test_the_event_of_a_late_completion_says_how_long_it_took() -> None:
    data = detail(notice_of(NoticeKind.AFTER, CHANGE, OUTCOME), "us-east-1", NOON)["replicationEventData"]
    assert (data["threshold"], data["replicationTime"]) == ("15", "934.210")


def test_the_event_of_a_delete_marker_names_another_operation() -> None:
    marker = Change(ChangeKind.MARKED_DELETED, "east", "k", "v1")
    data = detail(notice_of(NoticeKind.FAILED, marker, OUTCOME), "us-east-1", NOON)["replicationEventData"]
    assert data["s3Operation"] == "OBJECT_DELETE"


def test_arns_name_the_partition_of_their_region() -> None:
    for region, partition in (("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")):
        event = detail(notice_of(NoticeKind.FAILED, CHANGE, OUTCOME), region, NOON)
        assert event["s3"]["bucket"]["arn"] == f"arn:{partition}:s3:::east"
        assert event["replicationEventData"]["destinationBucket"] == f"arn:{partition}:s3:::west"
