"""Tasks of S3 Batch Operations: replicated like other changes, with a result for S3 instead of messages and events."""

from typing import Any

from replicator.core.outcomes.batch import ResultCode, Task, TaskResult, UnreadableTask
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.flows.batch import process_tasks

from tests.fakes.rules import rule
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


def test_a_task_for_a_delete_marker_is_skipped_whether_it_is_named_or_current() -> None:
    """Only its event said whether a user or lifecycle wrote it."""
    stage = existing()
    stage.s3.delete(EAST, "k")
    marker = stage.s3.buckets[EAST].history("k")[-1]
    for named in (marker.version_id, ""):
        [result] = run(stage, task(named))
        assert result.code is ResultCode.SUCCEEDED
        assert "DeleteMarkersNotSelected" in result.text
    assert stage.replicas() == []


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
