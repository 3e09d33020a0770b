"""A version that users delete for good at the source while it is on its way leaves nothing disturbed behind."""

import pytest
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary

from tests.fakes.rules import rule
from tests.flows.large_stage import LargeStage
from tests.flows.stage import EAST, WEST, Killed, Stage

SKIPPED = (Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND)


def late(on: Stage) -> str:
    """Let a late version stand on top, its handler having died; give its id."""
    first, _ = on.put(body=b"one"), on.put(body=b"two")
    early, later = on.queue.visible()
    on.deliver(later)
    on.fail("COPY", Killed(), after=True)
    on.deliver(early)
    return first.version_id


def shown(on: Stage) -> bytes | None:
    current = on.s3.buckets[WEST].current("k")
    return current.content.body if current and current.is_version else None


@pytest.fixture
def on() -> LargeStage:
    return LargeStage([rule(WEST, delete_markers=True)])


def test_what_it_was_written_over_comes_back_on_top(on: LargeStage) -> None:
    version_id = late(on)
    assert shown(on) == b"one"
    on.s3.destroy(EAST, "k", version_id)
    on.rest()
    assert shown(on) == b"two"
    assert on.told[-1] == SKIPPED
    assert on.waiting() == {}


def test_also_if_whoever_puts_it_back_dies(on: LargeStage) -> None:
    on.s3.destroy(EAST, "k", late(on))
    on.fail("COPY", Killed())
    on.rest()
    assert shown(on) == b"two"


def test_also_if_somebody_else_writes_meanwhile(on: LargeStage) -> None:
    on.s3.destroy(EAST, "k", late(on))
    third = on.put(body=b"three")
    early, *_, latest = on.queue.letters.values()
    on.meanwhile("COPY", lambda: on.deliver(latest))
    on.s3.clock.advance(early.visible - on.s3.clock.now)
    on.deliver(early)
    on.rest()
    assert shown(on) == b"three"
    assert on.replicas()[-1] == third.version_id


def test_a_delete_that_a_large_one_landed_on_comes_back(on: LargeStage) -> None:
    large = on.put_large(b"seven77")
    on.deliver()
    on.s3.clock.advance(1)
    on.s3.delete(EAST, "k")
    on.deliver()
    on.meanwhile("COMPLETE", lambda: on.s3.destroy(EAST, "k", large.version_id))
    on.rest()
    assert large.version_id in on.replicas()
    assert shown(on) is None
    assert on.leftovers() == []


def test_one_that_nobody_began_costs_one_request(on: LargeStage) -> None:
    version = on.put()
    on.s3.destroy(EAST, "k", version.version_id)
    on.rest()
    assert on.told[0] == SKIPPED
    assert on.calls("HEAD", "LIST") == [f"HEAD {EAST}/k {version.version_id}"]


def test_it_is_told_once_however_many_workers_find_it_gone(on: LargeStage) -> None:
    version = on.put_large(b"seven77")
    on.deliver()
    on.s3.destroy(EAST, "k", version.version_id)
    on.rest()
    assert on.told.count(SKIPPED) == 1
    assert len(on.calls("CLOSE")) > 1


def test_a_worker_that_was_denied_its_parts_meanwhile_has_nothing_to_tell(on: LargeStage) -> None:
    """Another one found the version gone, said so, and died before it cleared its upload away."""
    version = on.put_large(b"seven77")
    on.deliver()
    on.s3.destroy(EAST, "k", version.version_id)
    on.fail("UPLOADS?", Killed())
    first, second, *_ = on.parts.visible()
    on.work(first)
    on.fail("HEAD", Temporary(Reason.THROTTLED, "503 SlowDown"))
    on.work(second)
    on.fail("COPY PART", Permanent(Reason.DST_MULTIPART_UPLOAD_DENIED), times=2)
    on.work(second)
    assert on.work(second) == []
    on.rest()
    assert on.queue.dead == []
    assert on.leftovers() == []
