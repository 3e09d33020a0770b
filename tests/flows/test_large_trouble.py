"""Large objects in trouble: each of their calls killed, throttled or without an answer; each denial reported once.

In the end there is one replica for each version, no upload, and nothing that waits.
"""

from collections.abc import Callable

import pytest
from replicator.core.outcomes.outcome import Conflict, Permanent, Reason, Status, Temporary
from replicator.core.parts.uploads import UploadSpoiled
from replicator.flows.large.cleanup import TRIES

from tests.fakes.points import Mishap
from tests.fakes.rules import rule
from tests.flows.large_stage import LargeStage
from tests.flows.stage import EAST, WEST, Killed

THROTTLED = Temporary(Reason.THROTTLED, "503 SlowDown")
MISHAPS: dict[str, Callable[[], Mishap]] = {
    "killed before": lambda: Mishap(Killed()),
    "killed after": lambda: Mishap(Killed(), after=True),
    "throttled": lambda: Mishap(Temporary(Reason.THROTTLED, "503 SlowDown")),
    "answer lost": lambda: Mishap(Temporary(Reason.TIMED_OUT, "no answer"), after=True),
}


def alone_in_one_function(stage: LargeStage) -> None:
    stage.put_large(b"fives")
    stage.deliver_all()


def over_many_functions(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver_all()


def overtaken(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver()
    stage.put(body=b"new")
    stage.deliver_all()


def deleted(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver()
    stage.s3.clock.advance(1)
    stage.s3.delete(EAST, "k")
    stage.deliver_all()


def annotated(stage: LargeStage) -> None:
    version = stage.put_large(b"seven77")
    stage.uploads.annotations[EAST, "k", version.version_id] = {"a": b"1", "b": b"2"}
    stage.deliver_all()


SCENES: dict[Callable[[LargeStage], None], bytes | None] = {  # what a GET returns in the end
    alone_in_one_function: b"fives",
    over_many_functions: b"seven77",
    overtaken: b"new",
    deleted: None,
    annotated: b"seven77",
}


def fresh() -> LargeStage:
    return LargeStage([rule(WEST, delete_markers=True)])


def complaints(stage: LargeStage, expected: bytes | None, spare: int = 0) -> list[str]:
    """Return what is wrong in the end. `spare`: how many more replicas there may be, of versions that were put back."""
    found = stage.leftovers()
    if stage.body() != expected:
        found.append(f"a GET returns {stage.body()!r}")
    versions = [version for version in stage.replicas() if version != "-"]
    natives = [stored.version_id for stored in stage.s3.buckets[EAST].history("k") if stored.is_version]
    if set(versions) != set(natives) or len(versions) > len(natives) + spare:
        found.append(f"{len(natives)} versions, replicas of {versions}")
    notes = [dict(each) for (bucket, *_), each in stage.uploads.annotations.items() if bucket == EAST]
    there = [dict(each) for (bucket, *_), each in stage.uploads.annotations.items() if bucket == WEST]
    if there != notes:
        found.append(f"annotations {there}")
    found += [f"dead: {dead.outcome.reason}" for dead in stage.queue.dead]
    return found


@pytest.mark.parametrize("mishap", MISHAPS)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_whatever_happens_to_any_one_call_the_copy_completes(scene: Callable[[LargeStage], None], mishap: str) -> None:
    undisturbed = fresh()
    scene(undisturbed)
    assert complaints(undisturbed, SCENES[scene]) == []
    wrong = {}
    for number in range(1, undisturbed.calls_made + 1):
        stage = fresh()
        stage.mishaps_at = {number: MISHAPS[mishap]()}
        scene(stage)
        if found := complaints(stage, SCENES[scene], spare=scene is overtaken):
            wrong[f"call {number}: {stage.points.calls[number - 1]}"] = found
    assert wrong == {}


@pytest.mark.parametrize("conflict", [Conflict("412"), UploadSpoiled("409")], ids=["412", "409"])
def test_a_copy_in_parts_is_completed_after_a_conflict_at_its_completion(conflict: Conflict) -> None:
    stage = fresh()
    stage.put_large(b"seven77")
    stage.deliver()
    stage.fail("COMPLETE", conflict)
    stage.deliver_all()
    assert complaints(stage, b"seven77") == []


def test_after_a_412_at_completion_the_same_upload_is_completed() -> None:
    stage = fresh()
    stage.put_large(b"seven77")
    stage.fail("COMPLETE", Conflict("412"))
    stage.deliver_all()
    assert len(stage.calls("START")) == 1


def test_after_a_409_at_completion_the_upload_is_started_again() -> None:
    stage = fresh()
    stage.put_large(b"seven77")
    stage.fail("COMPLETE", UploadSpoiled("409"))
    stage.deliver_all()
    assert len(stage.calls("START")) == 2
    assert len(stage.calls("ABORT")) >= 1


def test_a_part_that_was_throttled_is_copied_again_and_no_other() -> None:
    stage = fresh()
    stage.put_large(b"seven77")
    stage.fail("COPY PART", THROTTLED, times=1)
    stage.deliver_all()
    assert len(stage.calls("COPY PART")) == 8
    assert complaints(stage, b"seven77") == []


DENIALS = {
    "START": Reason.DST_MULTIPART_INIT_DENIED,
    "COPY PART": Reason.DST_MULTIPART_UPLOAD_DENIED,
    "COMPLETE": Reason.DST_MULTIPART_COMPLETE_DENIED,
}


@pytest.mark.parametrize("body", [b"fives", b"seven77"], ids=["one function", "many functions"])
@pytest.mark.parametrize(("operation", "reason"), DENIALS.items())
def test_a_copy_in_parts_that_is_denied_fails_once_and_completes_when_it_is_redriven(
    operation: str, reason: Reason, body: bytes
) -> None:
    stage = fresh()
    version = stage.put_large(body)
    stage.fail(operation, Permanent(reason, "AccessDenied"), times=1000)
    stage.deliver_all()
    assert [dead.outcome.reason for dead in stage.queue.dead] == [reason]
    assert [outcome.status for outcome in stage.outcomes] == [Status.FAILED]
    assert stage.queue.dead[0].outcome.rule_id == "rule"
    assert str(stage.queue.dead[0].outcome.origin) == f"east/{version.version_id}"
    assert stage.waiting() == {version.version_id: (Status.FAILED, reason)}
    assert stage.uploads.under_way(WEST) == []
    stage.faults.clear()
    stage.redrive()
    stage.deliver_all()
    assert complaints(stage, body) == []


def test_workers_that_are_denied_at_the_same_time_report_one_failure() -> None:
    """Each of them has begun before the first one has recorded the failure."""
    stage = fresh()
    stage.put_large(b"seven77")
    stage.deliver()
    stage.fail("COPY PART", Permanent(Reason.DST_MULTIPART_UPLOAD_DENIED), times=1000)
    others = stage.part_queue.visible()[1:]
    stage.just_before("CLAIM UPLOAD FAILURE", lambda: [stage.run_worker(message) for message in others])
    stage.deliver_all()
    assert len(stage.queue.dead) == 1
    assert [outcome.status for outcome in stage.outcomes] == [Status.FAILED]


@pytest.mark.parametrize("denied", ["COPY PART", "HEAD"])
def test_a_failure_that_a_duplicate_is_recording_is_left_to_it_with_its_upload(denied: str) -> None:
    """The one that began cannot dead-letter it yet. The other one must not make it look as if it were reported."""
    stage = fresh()
    stage.put_large(b"fives")
    [first] = stage.queue.visible()
    second = stage.queue.send(first.body)
    stage.fail("START", Permanent(Reason.DST_MULTIPART_INIT_DENIED))
    stage.fail("DEAD-LETTER", THROTTLED)
    stage.deliver(first)
    stage.fail(denied, Permanent(Reason.DST_MULTIPART_UPLOAD_DENIED))
    stage.deliver(second)
    assert [*stage.queue.messages] == [first.id]
    stage.deliver_all()
    assert complaints(stage, b"fives") == []


@pytest.mark.parametrize("mishap", MISHAPS)
def test_whatever_happens_to_any_one_call_of_a_failure_it_is_reported(mishap: str) -> None:
    def fail_all_parts(stage: LargeStage) -> None:
        stage.put_large(b"seven77")
        stage.fail("COPY PART", Permanent(Reason.DST_MULTIPART_UPLOAD_DENIED), times=1000)
        stage.deliver_all()

    undisturbed = fresh()
    fail_all_parts(undisturbed)
    wrong = {}
    for number in range(1, undisturbed.calls_made + 1):
        stage = fresh()
        stage.mishaps_at = {number: MISHAPS[mishap]()}
        fail_all_parts(stage)
        failed = [status for status, _ in stage.waiting().values()]
        stage.abort_stale_uploads()
        left = stage.uploads.under_way(WEST)
        if not 1 <= len(stage.queue.dead) <= 2 or failed != [Status.FAILED] or left:
            wrong[f"call {number}: {stage.points.calls[number - 1]}"] = (len(stage.queue.dead), failed, len(left))
    assert wrong == {}


def test_a_malformed_part_message_fails_with_its_reason() -> None:
    stage = fresh()
    stage.part_queue.send("{}")
    stage.deliver_all()
    assert [dead.outcome.reason for dead in stage.queue.dead] == [Reason.MALFORMED]


def test_a_duplicate_that_finds_its_version_there_aborts_the_upload_that_is_not_needed_any_more() -> None:
    """The older version came late, and the newer one is being put back on top, when a third one settles the key."""
    stage = fresh()
    stage.put_large(b"seven77")
    stage.put_large(b"eight888")
    late, early = stage.queue.visible()
    duplicate = stage.queue.send(late.body)
    stage.deliver(early)
    while stage.part_queue.messages:
        stage.run_worker()
    stage.deliver(late)
    while len(stage.calls("START")) < 3:
        stage.run_worker()
    stage.put(body=b"new")
    stage.deliver(stage.queue.visible()[-1])
    assert stage.body() == b"new"
    stage.deliver(duplicate)
    stage.deliver_all()
    assert complaints(stage, b"new", spare=1) == []


def test_a_worker_that_is_denied_a_second_look_at_a_completed_change_looks_again() -> None:
    stage = fresh()
    stage.put_large(b"seven77")
    stage.deliver()
    while len(stage.part_queue.messages) > 1:
        stage.run_worker()
    [last] = stage.part_queue.messages.values()
    stage.fail("FIND UPLOADS", THROTTLED)
    stage.run_worker(last)
    assert stage.body() == b"seven77"
    stage.fail("HEAD", Permanent(Reason.SRC_HEAD_DENIED))
    stage.run_worker(last)
    assert stage.run_worker(last) == []
    assert complaints(stage, b"seven77") == []


@pytest.mark.parametrize("after", [False, True], ids=["not remembered", "answer lost"])
def test_an_upload_that_cannot_be_remembered_is_aborted_at_once(after: bool) -> None:
    """The next delivery may find that another change copied its version, and look for no upload."""
    stage = fresh()
    stage.put_large(b"seven77")
    stage.fail("OPENED", THROTTLED, after=after, times=1)
    stage.deliver()
    assert stage.uploads.under_way(WEST) == []
    stage.deliver_all()
    assert complaints(stage, b"seven77") == []


@pytest.mark.parametrize("body", [b"fives", b"seven77"], ids=["one function", "many functions"])
def test_an_upload_that_cannot_be_aborted_once_its_change_is_done_is_left_to_the_monitor(body: bytes) -> None:
    stage = fresh()
    stage.put_large(body)
    stage.fail("FIND UPLOADS", THROTTLED, times=1000)
    stage.deliver_all()
    assert len(stage.calls("FIND UPLOADS")) == TRIES
    assert stage.counted == [(Status.COMPLETED, None)]
    stage.faults.clear()
    assert stage.abort_stale_uploads() == 1
    assert complaints(stage, body) == []


def test_an_upload_of_a_skipped_version_that_could_not_be_aborted_is_aborted_by_the_monitor() -> None:
    stage = fresh()
    version = stage.put_large(b"fives")
    stage.just_before("COPY PART", lambda: stage.s3.destroy(EAST, "k", version.version_id))
    stage.fail("FIND UPLOADS", Permanent(Reason.UNKNOWN, "denied"), times=1)
    stage.deliver_all()
    assert len(stage.uploads.under_way(WEST)) == 1
    assert stage.abort_stale_uploads() == 0, "another handler may be about to record that it waits"
    stage.s3.clock.advance(15 * 60)
    assert stage.abort_stale_uploads() == 1
    assert complaints(stage, None) == []
