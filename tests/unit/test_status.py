"""ReplicationStatus of versions, rolled up as S3 does."""

import pytest
from replicator.core.outcomes.outcome import Outcome, Status
from replicator.core.outcomes.replication_status import ReplicationStatus, roll_up, status_of_outcomes
from replicator.core.versions.change import Aspect, LaterItem
from replicator.core.versions.origin import Origin
from s3replicator.status.object_status import (
    CurrentInBucket,
    LaterStatus,
    ObjectStatus,
    StatusAtDestination,
    VersionStatus,
)

FAILED, PENDING, COMPLETED = ReplicationStatus.FAILED, ReplicationStatus.PENDING, ReplicationStatus.COMPLETED


@pytest.mark.parametrize(
    ("each", "all_of_them"),
    [
        ([], ReplicationStatus.NONE),
        ([COMPLETED], COMPLETED),
        ([COMPLETED, COMPLETED], COMPLETED),
        ([COMPLETED, PENDING], PENDING),
        ([PENDING, FAILED], FAILED),
        ([FAILED, COMPLETED], FAILED),
        ([COMPLETED, ReplicationStatus.UNKNOWN], ReplicationStatus.UNKNOWN),
        ([PENDING, ReplicationStatus.UNKNOWN], PENDING),
    ],
)
def test_the_worst_of_all_destinations_counts(each: list[ReplicationStatus], all_of_them: ReplicationStatus) -> None:
    assert roll_up(each) is all_of_them


def test_what_is_skipped_counts_nowhere() -> None:
    outcomes = [Outcome(Status.SKIPPED), Outcome(Status.COMPLETED)]
    assert status_of_outcomes(outcomes) is COMPLETED
    assert status_of_outcomes(outcomes[:1]) is ReplicationStatus.NONE


@pytest.mark.parametrize(("later", "status"), [(None, ReplicationStatus.REPLICA), (PENDING, PENDING), (FAILED, FAILED)])
def test_a_replica_is_one_unless_its_own_later_change_waits_or_failed(
    later: ReplicationStatus | None, status: ReplicationStatus
) -> None:
    waiting = (LaterStatus("west", LaterItem("v1", Aspect.TAGS, 0), later),) if later else ()
    at = StatusAtDestination("west", "all", ReplicationStatus.REPLICA, later=waiting)
    version = VersionStatus(
        "v1", 0, is_marker=False, is_current=True, origin=Origin("west", "w1", 0), destinations=(at,)
    )
    assert version.status is status


def side(
    bucket: str, version_id: str, origin: Origin | None = None, *, marker: bool = False, trouble: str = ""
) -> CurrentInBucket:
    return CurrentInBucket(bucket, version_id, 0, marker, origin, trouble)


@pytest.mark.parametrize(
    ("sides", "agree"),
    [
        ([side("east", "e1"), side("west", "w1", Origin("east", "e1", 0))], True),
        ([side("east", "e2"), side("west", "w1", Origin("east", "e1", 0))], False),
        ([side("east", "e2", Origin("west", "w9", 0)), side("west", "w9")], True),
        ([side("east", "e1", marker=True), side("west", "")], True),
        ([side("east", "e1"), side("west", "", trouble="denied")], True),
    ],
    ids=["replica", "older replica", "both ways", "deleted on both sides", "one cannot be asked"],
)
def test_buckets_agree_if_they_show_the_same_native_version(sides: list[CurrentInBucket], agree: bool) -> None:
    assert ObjectStatus("east", "k", (), tuple(sides)).agree is agree
