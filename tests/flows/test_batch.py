"""Tasks of S3 Batch Operations: replicated like other changes, with a result for S3 instead of messages and events."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from replicator.core.outcomes.batch import ResultCode, Task, TaskResult, UnreadableTask
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.flows.batch import Patience, process_tasks

from tests.fakes.rules import rule
from tests.flows.large_stage import LargeStage
from tests.flows.stage import EAST, NORTH, WEST, Stage

DONE = "west: COMPLETED"


def existing(key: str = "k", body: bytes = b"bytes", **content: Any) -> Stage:
    """Return a stage with a version that no event announced."""
    stage = Stage([rule(WEST, rule_id="all", delete_markers=True)])
    add(stage, key, body, **content)
    return stage


def add(stage: Stage, key: str = "k", body: bytes = b"bytes", **content: Any) -> str:
    version = stage.put(key, body, **content)
    stage.queue.messages.clear()
    return version.version_id


def run(stage: Stage, *tasks: Task | UnreadableTask) -> list[TaskResult]:
    return process_tasks(tasks, stage.services, stage.log)


def task(version_id: str = "", key: str = "k", task_id: str = "t", bucket: str = EAST) -> Task:
    return Task(task_id, bucket, key, version_id)


def test_an_existing_version_is_replicated() -> None:
    stage = existing()
    [version] = stage.s3.buckets[EAST].history("k")
    assert run(stage, task(version.version_id)) == [TaskResult("t", ResultCode.SUCCEEDED, DONE)]
    assert stage.replicas() == [version.version_id]


def test_a_task_without_a_version_id_replicates_the_current_version() -> None:
    stage = existing()
    newest = add(stage, body=b"newer")
    run(stage, task())
    assert stage.replicas()[-1] == newest


def test_a_task_for_an_old_version_copies_newer_ones_too_so_that_the_right_one_is_current() -> None:
    stage = existing()
    [first] = stage.s3.buckets[EAST].history("k")
    second = add(stage, body=b"newer")
    run(stage, task(first.version_id))
    assert stage.replicas() == [first.version_id, second]


def test_a_version_that_is_there_already_is_not_copied_again() -> None:
    stage = existing()
    [version] = stage.s3.buckets[EAST].history("k")
    run(stage, task(version.version_id))
    assert run(stage, task(version.version_id)) == [TaskResult("t", ResultCode.SUCCEEDED, DONE)]
    assert len(stage.replicas()) == 1


def test_a_version_that_was_deleted_at_the_destination_stays_deleted() -> None:
    stage = existing()
    [version] = stage.s3.buckets[EAST].history("k")
    run(stage, task(version.version_id))
    stage.s3.delete(WEST, "k")
    for pair in list(stage.journal.entries):
        stage.journal.lose(pair)
    run(stage, task(version.version_id))
    assert stage.replicas() == [version.version_id, "-"]


def test_a_null_version_is_replicated_by_its_id_or_as_the_current_one() -> None:
    stage = Stage([rule(WEST)])
    stage.s3.buckets[EAST].versioning = "Suspended"
    add(stage)
    assert run(stage, task("null"), task("", task_id="u")) == [
        TaskResult("t", ResultCode.SUCCEEDED, DONE),
        TaskResult("u", ResultCode.SUCCEEDED, DONE),
    ]
    assert stage.replicas() == ["null"]


def test_a_task_whose_version_is_skipped_succeeds_and_says_why() -> None:
    stage = Stage([rule(WEST, prefix="photos/")])
    add(stage)
    [result] = run(stage, task())
    assert result.code is ResultCode.SUCCEEDED
    assert result.text.startswith("SKIPPED NoMatchingRule (")


def test_a_task_for_a_replica_is_skipped() -> None:
    stage = existing()
    run(stage, task())
    stage.rule_sets.put(WEST, rule(NORTH))
    [result] = run(stage, task(bucket=WEST))
    assert result.code is ResultCode.SUCCEEDED
    assert "SourceIsReplica" in result.text


def test_a_delete_marker_that_a_task_names_is_replicated_where_the_rule_says_so() -> None:
    """Naming it is asking for it; an event would have said whether a user or lifecycle wrote it."""
    for markers, text, there in ((True, DONE, ["v", "-"]), (False, "west: SKIPPED DeleteMarkersNotSelected", ["v"])):
        stage = Stage([rule(WEST, rule_id="all", delete_markers=markers)])
        version = add(stage)
        run(stage, task(version))
        marker = marked(stage)
        [result] = run(stage, task(marker))
        assert result.code is ResultCode.SUCCEEDED
        assert result.text.startswith(text)
        assert stage.replicas() == [version if each == "v" else each for each in there]
        assert run(stage, task(marker)) == [result]


def test_a_delete_marker_that_is_only_current_is_skipped() -> None:
    stage = existing()
    marked(stage)
    [result] = run(stage, task())
    assert result.code is ResultCode.SUCCEEDED
    assert "DeleteMarkersNotSelected" in result.text
    assert stage.replicas() == []


def marked(stage: Stage, key: str = "k") -> str:
    stage.s3.clock.advance(1)
    stage.s3.delete(EAST, key)
    stage.queue.messages.clear()
    return stage.s3.buckets[EAST].history(key)[-1].version_id


# The history of a key


def histories(stage: Stage) -> list[str]:
    """Write a version, a delete marker, another version and another marker; return their ids."""
    ids = []
    for body in (b"1", b"2"):
        stage.s3.clock.advance(1)
        ids += [add(stage, body=body), marked(stage)]
    return ids


def whole(version_id: str = "", key: str = "k") -> Task:
    return Task("t", EAST, key, version_id, whole_history=True)


def test_a_task_may_stand_for_the_history_of_its_key_delete_markers_in_their_place() -> None:
    stage = Stage([rule(WEST, delete_markers=True)])
    first, _, second, _ = histories(stage)
    result = TaskResult("t", ResultCode.SUCCEEDED, f"{DONE} x4")
    assert run(stage, whole()) == [result]
    assert stage.replicas() == [first, "-", second, "-"]
    assert run(stage, whole()) == [result]
    assert stage.replicas() == [first, "-", second, "-"]


def test_the_history_begins_with_the_version_that_the_task_names() -> None:
    stage = Stage([rule(WEST, delete_markers=True)])
    _, _, second, _ = histories(stage)
    [result] = run(stage, whole(second))
    assert result.text == f"{DONE} x2"
    assert stage.replicas()[-2:] == [second, "-"]


def test_a_history_of_which_something_may_still_succeed_goes_no_further() -> None:
    stage = Stage([rule(WEST, delete_markers=True)])
    first, _, second, _ = histories(stage)
    stage.fail("COPY", Temporary(Reason.THROTTLED, "SlowDown"))
    [result] = run(stage, whole())
    assert (result.code, result.text) == (ResultCode.TEMPORARY, "west: PENDING Throttled (SlowDown)")
    assert stage.replicas() == []
    run(stage, whole())
    assert stage.replicas() == [first, "-", second, "-"]


def test_a_history_without_the_entry_fails() -> None:
    stage = existing()
    for missing, reason in ((whole(key="missing"), "SrcObjectNotFound"), (whole("gone"), "SrcVersionNotFound")):
        [result] = run(stage, missing)
        assert result.code is ResultCode.PERMANENT
        assert reason in result.text


def test_a_history_is_looked_for_under_either_reading_of_the_key() -> None:
    stage = Stage([rule(WEST)])
    add(stage, "a+b")
    [result] = run(stage, Task("t", EAST, "a b", other_key="a+b", whole_history=True))
    assert result == TaskResult("t", ResultCode.SUCCEEDED, DONE)


# Large objects


def large() -> tuple[LargeStage, str]:
    """Return a stage with a version that many functions copy, and its id."""
    stage = LargeStage([rule(WEST, delete_markers=True)])
    version = stage.put_large(b"seven77")
    stage.queue.messages.clear()
    return stage, version.version_id


@dataclass
class Meanwhile:
    """What happens while a task sleeps, which moves the clock."""

    stage: LargeStage
    happens: Callable[[], object]
    slept: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.stage.s3.clock.advance(seconds)
        self.happens()

    def run(self, *tasks: Task, seconds: int = 800) -> list[TaskResult]:
        until = self.stage.services.now() + seconds * 1000
        return process_tasks(tasks, self.stage.services, self.stage.log, Patience(until, self))


def test_a_task_of_a_large_object_succeeds_when_all_its_parts_are_copied() -> None:
    stage, version = large()
    waiting = Meanwhile(stage, stage.run_worker)
    assert waiting.run(task(version)) == [TaskResult("t", ResultCode.SUCCEEDED, DONE)]
    assert stage.body() == b"seven77"
    assert waiting.slept == [1, 2, 4, 8]
    assert stage.leftovers() == []
    assert stage.waiting() == {}


def test_a_task_that_waits_sends_its_part_messages_once() -> None:
    stage, version = large()
    [result] = Meanwhile(stage, lambda: None).run(task(version), seconds=60)
    assert (result.code, result.text) == (ResultCode.TEMPORARY, "west: PENDING PartsUnderWay (0 of 7 parts)")
    assert len(stage.part_queue.messages) == 4


def test_a_task_stops_waiting_before_its_invocation_ends_and_its_copy_goes_on() -> None:
    stage, version = large()
    waiting = Meanwhile(stage, lambda: None)
    [result] = waiting.run(task(version), seconds=50)
    assert result.code is ResultCode.TEMPORARY
    assert waiting.slept == [1, 2, 4, 8, 15, 15]
    while stage.part_queue.messages:
        stage.run_worker()
    assert stage.body() == b"seven77"
    assert run(stage, task(version)) == [TaskResult("t", ResultCode.SUCCEEDED, DONE)]


def test_a_task_whose_parts_cannot_be_copied_fails_with_their_reason() -> None:
    stage, version = large()
    stage.fail("COPY PART", Permanent(Reason.DST_PUT_DENIED, "AccessDenied"), 4)
    [result] = Meanwhile(stage, stage.run_worker).run(task(version))
    assert result.code is ResultCode.PERMANENT
    assert "DstPutObjectNotPermitted" in result.text


def test_a_history_waits_for_the_parts_of_each_version_before_the_next() -> None:
    stage, version = large()
    stage.s3.clock.advance(1)
    second = add(stage, body=b"2")
    [result] = Meanwhile(stage, stage.run_worker).run(whole())
    assert result.text == f"{DONE} x2"
    assert stage.replicas() == [version, second]


def test_other_trouble_is_not_waited_for() -> None:
    stage, version = large()
    stage.fail("START", Temporary(Reason.THROTTLED, "SlowDown"))
    waiting = Meanwhile(stage, lambda: None)
    [result] = waiting.run(task(version))
    assert result.code is ResultCode.TEMPORARY
    assert waiting.slept == []


def test_a_task_for_a_version_that_is_gone_fails() -> None:
    """The completion report must not say "succeeded" of what was not copied."""
    [gone] = run(existing(), task("gone"))
    assert gone.code is ResultCode.PERMANENT
    assert "SrcVersionNotFound" in gone.text


def test_a_task_for_a_key_that_does_not_exist_fails() -> None:
    [missing] = run(existing(), task(key="missing"))
    assert missing.code is ResultCode.PERMANENT
    assert "SrcObjectNotFound" in missing.text


def test_a_task_in_temporary_trouble_is_repeated_by_s3_and_leaves_no_entry_in_the_journal() -> None:
    stage = existing()
    stage.fail("COPY", Temporary(Reason.THROTTLED, "SlowDown"))
    [result] = run(stage, task())
    assert result.code is ResultCode.TEMPORARY
    assert result.text == "west: PENDING Throttled (SlowDown)"
    assert stage.waiting() == {}
    assert run(stage, task()) == [TaskResult("t", ResultCode.SUCCEEDED, DONE)]


def test_permanent_trouble_is_in_the_jobs_report_and_not_in_the_dead_letter_queue() -> None:
    stage = existing()
    stage.fail("COPY", Permanent(Reason.DST_PUT_DENIED, "AccessDenied"))
    [result] = run(stage, task())
    assert result == TaskResult("t", ResultCode.PERMANENT, "west: FAILED DstPutObjectNotPermitted (AccessDenied)")
    assert stage.queue.dead == []
    assert stage.waiting() == {}


def test_a_bucket_that_cannot_be_read_fails_the_task() -> None:
    stage = existing()
    [result] = run(stage, task(bucket="nowhere"))
    assert result.code is ResultCode.PERMANENT
    assert "SrcBucketNotFound" in result.text


def test_trouble_with_one_task_does_not_affect_the_others() -> None:
    stage = existing()
    stage.fail("HEAD", RuntimeError("a bug"), key="other")
    add(stage, "other")
    unreadable = UnreadableTask("u", "it names no key")
    [good, unexpected, bad] = run(stage, task(), task(key="other", task_id="o"), unreadable)
    assert good.code is ResultCode.SUCCEEDED
    assert unexpected.code is ResultCode.TEMPORARY
    assert bad == TaskResult("u", ResultCode.PERMANENT, "FAILED MalformedEvent (it names no key)")
    assert len(stage.log.errors) == 1


def test_an_earlier_failure_is_closed_once_a_task_has_replicated_its_version() -> None:
    stage = Stage([rule(WEST, rule_id="all")])
    stage.fail("COPY", Permanent(Reason.DST_PUT_DENIED, "AccessDenied"))
    source = stage.put()
    stage.deliver_all()
    assert stage.waiting() == {source.version_id: (Status.FAILED, Reason.DST_PUT_DENIED)}
    run(stage, task(source.version_id))
    assert stage.waiting() == {}


def test_tasks_are_not_counted_since_their_age_says_nothing_about_the_threshold() -> None:
    stage = existing()
    run(stage, task())
    assert stage.counted == []


def test_every_outcome_of_a_task_that_is_not_completed_is_logged() -> None:
    stage = Stage([])
    add(stage)
    run(stage, task())
    assert [outcome.reason for _, outcome in stage.log.outcomes] == [Reason.NO_RULE]
