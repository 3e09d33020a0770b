"""Large objects in trouble: every call of their path killed, throttled and lost; every denial told once.

At rest there is one replica for each version, no upload, and nothing that waits.
"""

from collections.abc import Callable
from dataclasses import replace

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
    stage.rest()


def over_many_functions(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.rest()


def overtaken(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver()
    stage.put(body=b"new")
    stage.rest()


def deleted(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver()
    stage.s3.clock.advance(1)
    stage.s3.delete(EAST, "k")
    stage.rest()


def annotated(stage: LargeStage) -> None:
    version = stage.put_large(b"seven77")
    stage.uploads.annotations[EAST, "k", version.version_id] = {"a": b"1", "b": b"2"}
    stage.rest()


SCENES: dict[Callable[[LargeStage], None], bytes | None] = {
    alone_in_one_function: b"fives",
    over_many_functions: b"seven77",
    overtaken: b"new",
    deleted: None,
    annotated: b"seven77",
}


def fresh() -> LargeStage:
    return LargeStage([rule(WEST, delete_markers=True)])


def complaints(stage: LargeStage, shown: bytes | None, spare: int = 0) -> list[str]:
    """Say what is wrong at rest. `spare`: replicas that a version put back may have more than one."""
    found = stage.leftovers()
    if stage.body() != shown:
        found.append(f"shows {stage.body()!r}")
    versions = [version for version in stage.replicas() if version != "-"]
    natives = [stored.version_id for stored in stage.s3.buckets[EAST].history("k") if stored.is_version]
    if set(versions) != set(natives) or len(versions) > len(natives) + spare:
        found.append(f"{len(natives)} versions, replicas of {versions}")
    notes = [dict(each) for (bucket, *_), each in stage.uploads.annotations.items() if bucket == EAST]
    there = [dict(each) for (bucket, *_), each in stage.uploads.annotations.items() if bucket == WEST]
    if there != notes:
        found.append(f"annotations {there}")
    found += [f"dead: {letter.outcome.reason}" for letter in stage.queue.dead]
    return found


@pytest.mark.parametrize("mishap", MISHAPS)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_whatever_befalls_any_one_call_it_ends_well(scene: Callable[[LargeStage], None], mishap: str) -> None:
    straight = fresh()
    scene(straight)
    assert complaints(straight, SCENES[scene]) == []
    wrong = {}
    for number in range(1, straight.number + 1):
        stage = fresh()
        stage.wrong_at = {number: MISHAPS[mishap]()}
        scene(stage)
        if found := complaints(stage, SCENES[scene], spare=scene is overtaken):
            wrong[f"{number}: {stage.points.calls[number - 1]}"] = found
    assert wrong == {}


@pytest.mark.parametrize("conflict", [Conflict("412"), UploadSpoiled("409")], ids=["412", "409"])
def test_a_conflict_at_completion_is_looked_at_again(conflict: Conflict) -> None:
    stage = fresh()
    stage.put_large(b"seven77")
    stage.deliver()
    stage.fail("COMPLETE", conflict)
    stage.rest()
    assert complaints(stage, b"seven77") == []


def test_after_a_412_the_same_upload_is_completed() -> None:
    stage = fresh()
    stage.put_large(b"seven77")
    stage.fail("COMPLETE", Conflict("412"))
    stage.rest()
    assert len(stage.calls("START")) == 1


def test_after_a_409_it_is_started_over() -> None:
    stage = fresh()
    stage.put_large(b"seven77")
    stage.fail("COMPLETE", UploadSpoiled("409"))
    stage.rest()
    assert len(stage.calls("START")) == 2
    assert len(stage.calls("ABORT")) >= 1


def test_a_part_that_was_throttled_is_repeated_and_no_other() -> None:
    stage = fresh()
    stage.put_large(b"seven77")
    stage.fail("COPY PART", THROTTLED, times=1)
    stage.rest()
    assert len(stage.calls("COPY PART")) == 8
    assert complaints(stage, b"seven77") == []


DENIALS = {
    "START": Reason.DST_MULTIPART_INIT_DENIED,
    "COPY PART": Reason.DST_MULTIPART_UPLOAD_DENIED,
    "COMPLETE": Reason.DST_MULTIPART_COMPLETE_DENIED,
}


@pytest.mark.parametrize("body", [b"fives", b"seven77"], ids=["one function", "many functions"])
@pytest.mark.parametrize(("operation", "reason"), DENIALS.items())
def test_what_is_denied_fails_once_and_comes_through_once_it_is_redriven(
    operation: str, reason: Reason, body: bytes
) -> None:
    stage = fresh()
    version = stage.put_large(body)
    stage.fail(operation, Permanent(reason, "AccessDenied"), times=1000)
    stage.rest()
    assert [letter.outcome.reason for letter in stage.queue.dead] == [reason]
    assert [outcome.status for outcome in stage.outcomes] == [Status.FAILED]
    assert stage.queue.dead[0].outcome.rule_id == "rule"
    assert str(stage.queue.dead[0].outcome.origin) == f"east/{version.version_id}"
    assert stage.waiting() == {version.version_id: (Status.FAILED, reason)}
    assert stage.uploads.under_way(WEST) == []
    stage.orders.clear()
    stage.redrive()
    stage.rest()
    assert complaints(stage, body) == []


def test_workers_that_are_denied_at_once_tell_once() -> None:
    """Each has its parts in hand before the first one has told."""
    stage = fresh()
    stage.put_large(b"seven77")
    stage.deliver()
    stage.fail("COPY PART", Permanent(Reason.DST_MULTIPART_UPLOAD_DENIED), times=1000)
    others = stage.parts.visible()[1:]
    stage.meanwhile("CLAIM", lambda: [stage.work(letter) for letter in others])
    stage.rest()
    assert len(stage.queue.dead) == 1
    assert [outcome.status for outcome in stage.outcomes] == [Status.FAILED]


@pytest.mark.parametrize("befalls", ["COPY PART", "HEAD"])
def test_a_failure_that_a_duplicate_began_to_tell_is_left_to_it_with_all_its_parts(befalls: str) -> None:
    """It cannot put its dead letter down yet. What the other one leaves must not look to it as if all were told."""
    stage = fresh()
    stage.put_large(b"fives")
    [first] = stage.queue.visible()
    second = stage.queue.send(first.body)
    stage.fail("START", Permanent(Reason.DST_MULTIPART_INIT_DENIED))
    stage.fail("BURY", THROTTLED)
    stage.deliver(first)
    stage.fail(befalls, Permanent(Reason.DST_MULTIPART_UPLOAD_DENIED))
    stage.deliver(second)
    assert [*stage.queue.letters] == [first.id]
    stage.rest()
    assert complaints(stage, b"fives") == []


@pytest.mark.parametrize("mishap", MISHAPS)
def test_a_failure_is_told_whatever_befalls_who_tells_it(mishap: str) -> None:
    def play(stage: LargeStage) -> None:
        stage.put_large(b"seven77")
        stage.fail("COPY PART", Permanent(Reason.DST_MULTIPART_UPLOAD_DENIED), times=1000)
        stage.rest()

    straight = fresh()
    play(straight)
    wrong = {}
    for number in range(1, straight.number + 1):
        stage = fresh()
        stage.wrong_at = {number: MISHAPS[mishap]()}
        play(stage)
        failed = [status for status, _ in stage.waiting().values()]
        stage.monitor()
        left = stage.uploads.under_way(WEST)
        if not 1 <= len(stage.queue.dead) <= 2 or failed != [Status.FAILED] or left:
            wrong[f"{number}: {stage.points.calls[number - 1]}"] = (len(stage.queue.dead), failed, len(left))
    assert wrong == {}


def test_what_cannot_be_understood_fails_with_a_reason() -> None:
    stage = fresh()
    stage.parts.send("{}")
    stage.rest()
    assert [letter.outcome.reason for letter in stage.queue.dead] == [Reason.MALFORMED]


def test_the_last_receive_explains_itself() -> None:
    stage = fresh()
    stage.parts_desk = replace(stage.parts_desk, closing=replace(stage.parts_desk.closing, last_receive=3))
    stage.put_large(b"seven77")
    stage.deliver()
    stage.fail("COPY PART", THROTTLED, times=1000)
    stage.rest()
    assert [letter.outcome.reason for letter in stage.queue.dead] == [Reason.THROTTLED]
    assert "given up after 3 attempts" in stage.queue.dead[0].outcome.detail


def test_a_duplicate_that_finds_its_version_there_closes_what_is_not_needed_any_more() -> None:
    """The older one came late, and the newer one is on its way back to the top, when a third one settles the key."""
    stage = fresh()
    stage.put_large(b"seven77")
    stage.put_large(b"eight888")
    late, early = stage.queue.visible()
    duplicate = stage.queue.send(late.body)
    stage.deliver(early)
    while stage.parts.letters:
        stage.work()
    stage.deliver(late)
    while len(stage.calls("START")) < 3:
        stage.work()
    stage.put(body=b"new")
    stage.deliver(stage.queue.visible()[-1])
    assert stage.body() == b"new"
    stage.deliver(duplicate)
    stage.rest()
    assert complaints(stage, b"new", spare=1) == []


def test_a_worker_that_was_denied_a_second_look_at_what_is_done_looks_again() -> None:
    stage = fresh()
    stage.put_large(b"seven77")
    stage.deliver()
    while len(stage.parts.letters) > 1:
        stage.work()
    [last] = stage.parts.letters.values()
    stage.fail("UPLOADS?", THROTTLED)
    stage.work(last)
    assert stage.body() == b"seven77"
    stage.fail("HEAD", Permanent(Reason.SRC_HEAD_DENIED))
    stage.work(last)
    assert stage.work(last) == []
    assert complaints(stage, b"seven77") == []


@pytest.mark.parametrize("after", [False, True], ids=["not remembered", "answer lost"])
def test_an_upload_that_cannot_be_remembered_is_aborted_at_once(after: bool) -> None:
    """The next delivery may find that another change brought its version, and look for no upload."""
    stage = fresh()
    stage.put_large(b"seven77")
    stage.fail("OPENED", THROTTLED, after=after, times=1)
    stage.deliver()
    assert stage.uploads.under_way(WEST) == []
    stage.rest()
    assert complaints(stage, b"seven77") == []


@pytest.mark.parametrize("body", [b"fives", b"seven77"], ids=["one function", "many functions"])
def test_what_keeps_meeting_trouble_once_the_change_is_done_is_left_to_the_monitor(body: bytes) -> None:
    stage = fresh()
    stage.put_large(body)
    stage.fail("UPLOADS?", THROTTLED, times=1000)
    stage.rest()
    assert len(stage.calls("UPLOADS?")) == TRIES
    assert stage.told == [(Status.COMPLETED, None)]
    stage.orders.clear()
    assert stage.monitor() == 1
    assert complaints(stage, body) == []


def test_an_upload_is_cleared_away_though_nobody_could_when_its_version_was_left_out() -> None:
    stage = fresh()
    version = stage.put_large(b"fives")
    stage.meanwhile("COPY PART", lambda: stage.s3.destroy(EAST, "k", version.version_id))
    stage.fail("UPLOADS?", Permanent(Reason.UNKNOWN, "denied"), times=1)
    stage.rest()
    assert len(stage.uploads.under_way(WEST)) == 1
    assert stage.monitor() == 0, "another handler may be about to say that it waits"
    stage.s3.clock.advance(15 * 60)
    assert stage.monitor() == 1
    assert complaints(stage, None) == []
