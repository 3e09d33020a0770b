"""Event holds and retention after the write: what goes to the replica, and what is never taken away."""

from replicator.core.versions.version import Lock

from tests.fakes.rules import rule
from tests.fakes.stored import Stored
from tests.flows.stage import EAST, WEST, Stage

HOLD = Lock("GOVERNANCE", event_hold=True, event_hold_days=3)


def locked(*, held: bool = False) -> tuple[Stage, Stored, Stored]:
    """Return a stage of two buckets with Object Lock, with a version and its replica. held: at its copying already."""
    stage = Stage([rule(WEST, rule_id="all")])
    for bucket in (EAST, WEST):
        stage.s3.buckets[bucket].object_lock = True
    version = stage.put(lock=HOLD) if held else stage.put()
    stage.deliver_all()
    replica = stage.s3.buckets[WEST].current("k")
    assert replica is not None
    return stage, version, replica


def retain(stage: Stage, version: Stored, lock: Lock, *, releases: bool = False) -> None:
    """Let a user set the retention of a version of the source."""
    stage.s3.retain(EAST, "k", version.version_id, lock, releases=releases)
    stage.deliver_all()


def test_an_event_hold_goes_with_its_duration_and_its_release_starts_it_at_the_replica_too() -> None:
    stage, version, replica = locked()
    retain(stage, version, HOLD)
    assert replica.content.lock == HOLD
    retain(stage, version, Lock("GOVERNANCE"), releases=True)
    assert not replica.content.lock.event_hold
    assert replica.content.lock.until >= version.content.lock.until > ""


def test_an_event_hold_with_which_a_version_was_copied_is_released_at_its_replica_too() -> None:
    """Its mark says that it came with the copy; else it might be a user's own."""
    stage, version, replica = locked(held=True)
    assert replica.content.lock == HOLD
    retain(stage, version, Lock("GOVERNANCE"), releases=True)
    assert not replica.content.lock.event_hold


def test_an_event_hold_that_a_user_set_at_the_replica_is_not_released() -> None:
    stage, version, replica = locked()
    stage.s3.retain(WEST, "k", replica.version_id, HOLD)
    retain(stage, version, Lock("GOVERNANCE", "2040-01-01T00:00:00+00:00"))
    assert replica.content.lock.event_hold


def test_a_replica_is_retained_no_shorter_than_its_version_after_the_release_of_an_event_hold() -> None:
    stage, version, replica = locked(held=True)
    stage.s3.retain(EAST, "k", version.version_id, Lock("GOVERNANCE"), releases=True)
    stage.queue.messages.clear()  # one look must be enough
    retain(stage, version, Lock("GOVERNANCE", "2040-01-01T00:00:00+00:00"))
    assert (replica.content.lock.event_hold, replica.content.lock.until) == (False, "2040-01-01T00:00:00+00:00")


def test_an_event_hold_beside_an_end_goes_with_it_and_is_not_written_again() -> None:
    stage, version, replica = locked(held=True)
    retain(stage, version, Lock("GOVERNANCE", "2040-01-01T00:00:00+00:00"))
    assert replica.content.lock == version.content.lock
    stage.s3._tell("ObjectRetention:Put", EAST, "k", version, "AWS:USER")
    stage.deliver_all()
    assert len(stage.calls("PUT RETENTION")) == 1


def test_an_event_hold_that_somebody_released_a_moment_earlier_is_released() -> None:
    """S3 denies what would take away the retention that began then."""
    stage, version, replica = locked(held=True)
    there = (WEST, "k", replica.version_id, Lock("GOVERNANCE"))
    stage.just_before("PUT RETENTION", lambda: stage.s3.retain(*there, releases=True))
    retain(stage, version, Lock("GOVERNANCE"), releases=True)
    assert replica.content.lock == version.content.lock
    assert stage.queue.dead == []
