"""The result of an attempt: when its message may go, and what each of its parts is made from."""

import pytest
from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.result import Result, Score, Trail, ended, troubled
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Outcome, Permanent, Reason, Status, Temporary
from replicator.core.versions.change import UNREADABLE
from replicator.core.versions.origin import Origin

from tests.unit.values import EAST, NOON, WEST, attempt, created

NEEDS_CLEANUP = Trail(needs_cleanup=True)

DONE: dict[str, tuple[Outcome, Trail, bool]] = {
    "a completed change": (Outcome(Status.COMPLETED), Trail(), True),
    "a skipped change": (Outcome(Status.SKIPPED), Trail(), True),
    "a failed change": (Outcome(Status.FAILED), Trail(), True),
    "a change that waits": (Outcome(Status.PENDING, Reason.THROTTLED), Trail(), False),
    "a change that part messages carry on": (Outcome(Status.PENDING, Reason.PARTS_UNDER_WAY), Trail(), True),
    "a completed change with an upload left": (Outcome(Status.COMPLETED), NEEDS_CLEANUP, False),
    "a failed change with an upload left": (Outcome(Status.FAILED), NEEDS_CLEANUP, False),
}


@pytest.mark.parametrize(("outcome", "trail", "done"), DONE.values(), ids=DONE)
def test_the_message_of_a_result_may_be_deleted_once_nothing_is_left_to_do(
    outcome: Outcome, trail: Trail, done: bool
) -> None:
    assert Result(attempt(), outcome, trail).is_done is done


WHOLE = Result(attempt(), Outcome(Status.FAILED, Reason.CHECKSUM, "why"), Trail(in_parts=True), Score(within=True))


def test_with_outcome_changes_fields_of_the_outcome_only() -> None:
    changed = WHOLE.with_outcome(status=Status.PENDING, detail="other")
    assert changed.outcome == Outcome(Status.PENDING, Reason.CHECKSUM, "other")
    assert (changed.attempt, changed.trail, changed.score) == (WHOLE.attempt, WHOLE.trail, WHOLE.score)


def test_with_trail_changes_fields_of_the_trail_only() -> None:
    changed = WHOLE.with_trail(reported=True)
    assert changed.trail == Trail(in_parts=True, reported=True)
    assert (changed.attempt, changed.outcome, changed.score) == (WHOLE.attempt, WHOLE.outcome, WHOLE.score)


def test_with_score_replaces_the_score_only() -> None:
    changed = WHOLE.with_score(within=None, missed=True)
    assert changed.score == Score(within=None, missed=True)
    assert (changed.attempt, changed.outcome, changed.trail) == (WHOLE.attempt, WHOLE.outcome, WHOLE.trail)


def test_an_attempt_that_ended_early_has_the_outcome_that_its_event_allows() -> None:
    result = ended(attempt(created("v1", size=7)), Status.SKIPPED, Reason.REPLICA, "why")
    assert result == Result(
        attempt(created("v1", size=7)),
        Outcome(
            Status.SKIPPED,
            Reason.REPLICA,
            "why",
            destination=WEST,
            origin=Origin(EAST, "v1", NOON),
            size=7,
            threshold_ms=900_000,
        ),
    )


def test_an_attempt_at_no_readable_change_has_no_origin() -> None:
    nowhere = Attempt(UNREADABLE, Delivery(), Target(""))
    assert ended(nowhere, Status.FAILED, Reason.MALFORMED).outcome == Outcome(Status.FAILED, Reason.MALFORMED)


@pytest.mark.parametrize(
    ("kind", "status"), [(Temporary, Status.PENDING), (Permanent, Status.FAILED)], ids=["temporary", "permanent"]
)
def test_an_attempt_in_trouble_waits_or_fails_with_the_reason(
    kind: type[Temporary | Permanent], status: Status
) -> None:
    outcome = troubled(attempt(), kind(Reason.THROTTLED, "SlowDown")).outcome
    assert (outcome.status, outcome.reason, outcome.detail) == (status, Reason.THROTTLED, "SlowDown")
