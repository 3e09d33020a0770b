"""Tasks of S3 Batch Operations: the same replication, carefully, with results instead of messages."""

from typing import Any

from replicator.core.outcomes.batch import ResultCode, Task, TaskResult, UnreadableTask
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.flows.batch import process_tasks

from tests.fakes.rules import rule
from tests.flows.stage import EAST, NORTH, WEST, Stage

DONE = "west: COMPLETED"


def existing(key: str = "k", body: bytes = b"bytes", **content: Any) -> Stage:
    """Return a stage on which a version stands that no event told of."""
    on = Stage([rule(WEST, rule_id="all", delete_markers=True)])
    add(on, key, body, **content)
    return on


def add(on: Stage, key: str = "k", body: bytes = b"bytes", **content: Any) -> str:
    version = on.put(key, body, **content)
    on.queue.letters.clear()
    return version.version_id


def run(on: Stage, *tasks: Task | UnreadableTask) -> list[TaskResult]:
    return process_tasks(tasks, on.services, on.log)


def task(version_id: str = "", key: str = "k", task_id: str = "t", bucket: str = EAST) -> Task:
    return Task(task_id, bucket, key, version_id)


def test_an_existing_version_is_replicated() -> None:
    on = existing()
    [version] = on.s3.buckets[EAST].history("k")
    assert run(on, task(version.version_id)) == [TaskResult("t", ResultCode.SUCCEEDED, DONE)]
    assert on.replicas() == [version.version_id]


def test_without_a_version_id_the_current_version_is() -> None:
    on = existing()
    newest = add(on, body=b"newer")
    run(on, task())
    assert on.replicas()[-1] == newest


def test_an_old_version_alone_brings_the_newer_ones_so_that_the_right_one_is_current() -> None:
    on = existing()
    [first] = on.s3.buckets[EAST].history("k")
    second = add(on, body=b"newer")
    run(on, task(first.version_id))
    assert on.replicas() == [first.version_id, second]


def test_what_is_there_already_is_not_copied_again() -> None:
    on = existing()
    [version] = on.s3.buckets[EAST].history("k")
    run(on, task(version.version_id))
    assert run(on, task(version.version_id)) == [TaskResult("t", ResultCode.SUCCEEDED, DONE)]
    assert len(on.replicas()) == 1


def test_what_was_deleted_at_the_destination_does_not_come_back() -> None:
    on = existing()
    [version] = on.s3.buckets[EAST].history("k")
    run(on, task(version.version_id))
    on.s3.delete(WEST, "k")
    for pair in list(on.journal.entries):
        on.journal.lose(pair)
    run(on, task(version.version_id))
    assert on.replicas() == [version.version_id, "-"]


def test_a_null_version_is_named_null() -> None:
    on = Stage([rule(WEST)])
    on.s3.buckets[EAST].versioning = "Suspended"
    add(on)
    assert run(on, task("null"), task("", task_id="u")) == [
        TaskResult("t", ResultCode.SUCCEEDED, DONE),
        TaskResult("u", ResultCode.SUCCEEDED, DONE),
    ]
    assert on.replicas() == ["null"]


def test_a_skipped_version_succeeded_and_says_why() -> None:
    on = Stage([rule(WEST, prefix="photos/")])
    add(on)
    [result] = run(on, task())
    assert result.code is ResultCode.SUCCEEDED
    assert result.text.startswith("SKIPPED NoMatchingRule (")


def test_a_replica_is_skipped() -> None:
    on = existing()
    run(on, task())
    on.rule_sets.put(WEST, rule(NORTH))
    [result] = run(on, task(bucket=WEST))
    assert result.code is ResultCode.SUCCEEDED
    assert "SourceIsReplica" in result.text


def test_a_delete_marker_is_left_where_it_is_named_or_current() -> None:
    """Nobody can tell a user's from lifecycle's any more."""
    on = existing()
    on.s3.delete(EAST, "k")
    marker = on.s3.buckets[EAST].history("k")[-1]
    for named in (marker.version_id, ""):
        [result] = run(on, task(named))
        assert result.code is ResultCode.SUCCEEDED
        assert "DeleteMarkersNotSelected" in result.text
    assert on.replicas() == []


def test_a_version_that_is_gone_is_skipped_and_a_key_that_never_was_fails() -> None:
    on = existing()
    [gone, never] = run(on, task("gone"), task("", key="never", task_id="u"))
    assert gone.code is ResultCode.SUCCEEDED
    assert "SrcVersionNotFound" in gone.text
    assert never.code is ResultCode.PERMANENT
    assert "SrcObjectNotFound" in never.text


def test_temporary_trouble_is_tried_again_by_s3_and_waits_nowhere_else() -> None:
    on = existing()
    on.fail("COPY", Temporary(Reason.THROTTLED, "SlowDown"))
    [result] = run(on, task())
    assert result.code is ResultCode.TEMPORARY
    assert result.text == "west: PENDING Throttled (SlowDown)"
    assert on.waiting() == {}
    assert run(on, task()) == [TaskResult("t", ResultCode.SUCCEEDED, DONE)]


def test_permanent_trouble_is_in_the_report_and_not_in_the_dead_letter_queue() -> None:
    on = existing()
    on.fail("COPY", Permanent(Reason.DST_PUT_DENIED, "AccessDenied"))
    [result] = run(on, task())
    assert result == TaskResult("t", ResultCode.PERMANENT, "west: FAILED DstPutObjectNotPermitted (AccessDenied)")
    assert on.queue.dead == []
    assert on.waiting() == {}


def test_a_bucket_that_cannot_be_read_fails_the_task() -> None:
    on = existing()
    [result] = run(on, task(bucket="nowhere"))
    assert result.code is ResultCode.PERMANENT
    assert "SrcBucketNotFound" in result.text


def test_a_task_in_trouble_is_no_trouble_of_the_others() -> None:
    on = existing()
    on.fail("HEAD", RuntimeError("nobody foresaw it"), key="other")
    add(on, "other")
    unreadable = UnreadableTask("u", "it names no key")
    [good, unexpected, bad] = run(on, task(), task(key="other", task_id="o"), unreadable)
    assert good.code is ResultCode.SUCCEEDED
    assert unexpected.code is ResultCode.TEMPORARY
    assert bad == TaskResult("u", ResultCode.PERMANENT, "FAILED MalformedEvent (it names no key)")
    assert len(on.log.errors) == 1


def test_what_had_failed_before_is_closed_once_batch_has_done_it() -> None:
    on = Stage([rule(WEST, rule_id="all")])
    on.fail("COPY", Permanent(Reason.DST_PUT_DENIED, "AccessDenied"))
    source = on.put()
    on.rest()
    assert on.waiting() == {source.version_id: (Status.FAILED, Reason.DST_PUT_DENIED)}
    run(on, task(source.version_id))
    assert on.waiting() == {}


def test_nothing_is_measured_since_its_age_says_nothing_about_the_threshold() -> None:
    on = existing()
    run(on, task())
    assert on.told == []


def test_every_outcome_that_is_not_completed_is_logged() -> None:
    on = Stage([])
    add(on)
    run(on, task())
    assert [outcome.reason for _, outcome in on.log.outcomes] == [Reason.NO_RULE]
