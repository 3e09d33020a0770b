"""Standing of versions, rolled up as S3 does."""

import pytest
from replicator.core.outcomes.outcome import Outcome, Status
from replicator.core.outcomes.replication_status import Standing, roll_up, standing_of
from replicator.core.versions.origin import Origin
from s3replicator.status.object_status import AtDestination, ObjectStatus, Side, VersionStatus

FAILED, PENDING, COMPLETED = Standing.FAILED, Standing.PENDING, Standing.COMPLETED


@pytest.mark.parametrize(
    ("each", "all_of_them"),
    [([], Standing.NONE), ([COMPLETED], COMPLETED), ([COMPLETED, COMPLETED], COMPLETED),
     ([COMPLETED, PENDING], PENDING), ([PENDING, FAILED], FAILED), ([FAILED, COMPLETED], FAILED),
     ([COMPLETED, Standing.UNKNOWN], Standing.UNKNOWN), ([PENDING, Standing.UNKNOWN], PENDING)],
)  # fmt: skip
def test_the_worst_of_all_destinations_counts(each: list[Standing], all_of_them: Standing) -> None:
    assert roll_up(each) is all_of_them


def test_what_is_skipped_counts_nowhere() -> None:
    outcomes = [Outcome(Status.SKIPPED), Outcome(Status.COMPLETED)]
    assert standing_of(outcomes) is COMPLETED
    assert standing_of(outcomes[:1]) is Standing.NONE


def test_a_replica_is_one_whatever_rules_say() -> None:
    at = AtDestination("west", "all", PENDING)
    version = VersionStatus(
        "v1", 0, is_marker=False, is_current=True, origin=Origin("west", "w1", 0), destinations=(at,)
    )
    assert version.standing is Standing.REPLICA


def side(
    bucket: str, version_id: str, origin: Origin | None = None, *, marker: bool = False, trouble: str = ""
) -> Side:
    return Side(bucket, version_id, 0, marker, origin, trouble)


@pytest.mark.parametrize(
    ("sides", "agree"),
    [([side("east", "e1"), side("west", "w1", Origin("east", "e1", 0))], True),
     ([side("east", "e2"), side("west", "w1", Origin("east", "e1", 0))], False),
     ([side("east", "e2", Origin("west", "w9", 0)), side("west", "w9")], True),
     ([side("east", "e1", marker=True), side("west", "")], True),
     ([side("east", "e1"), side("west", "", trouble="denied")], True)],
    ids=["replica", "older replica", "both ways", "deleted on both sides", "one cannot be asked"],
)  # fmt: skip
def test_buckets_agree_if_they_show_the_same_native_version(sides: list[Side], agree: bool) -> None:
    assert ObjectStatus("east", "k", (), tuple(sides)).agree is agree
