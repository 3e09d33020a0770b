"""Trouble with source, destination, journal or queue: a change waits while it is temporary, and fails if it is not."""

import pytest
from replicator.core.outcomes.outcome import Conflict, Permanent, Reason, Status, Temporary
from replicator.core.rules.matching import RuleSet
from replicator.core.versions.version import Lock, Restore

from tests.fakes.rules import rule
from tests.flows.stage import EAST, NORTH, WEST, Killed, Stage, to_two

DONE = (Status.COMPLETED, None)
SLOW = Temporary(Reason.THROTTLED, "SlowDown")
LOST = Temporary(Reason.TIMED_OUT, "the answer was lost")
DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")


def to_west() -> Stage:
    return Stage([rule(WEST, rule_id="all")])


def failed(stage: Stage) -> Reason | None:
    """Deliver everything; check all that a failure must leave behind, and return its reason."""
    stage.deliver_all()
    [(status, reason)] = stage.counted
    assert status is Status.FAILED
    [dead] = stage.queue.dead
    assert dead.outcome.reason is reason
    assert "Records" in dead.body
    assert stage.log.outcomes
    return reason


# The source


@pytest.mark.parametrize("operation", ["HEAD", "GET TAGS"])
@pytest.mark.parametrize("times", [1, 3], ids=["once", "three times"])
def test_temporary_trouble_with_reading_the_source_is_waited_for(operation: str, times: int) -> None:
    stage = to_west()
    stage.fail(operation, SLOW, times)
    source = stage.put(tags={"team": "blue"})
    stage.deliver_all()
    assert stage.replicas() == [source.version_id]
    assert stage.counted == [(Status.PENDING, Reason.THROTTLED)] * times + [DONE]
    assert stage.waiting() == {}
    assert stage.queue.dead == []


@pytest.mark.parametrize(
    ("operation", "reason"), [("HEAD", Reason.SRC_HEAD_DENIED), ("GET TAGS", Reason.SRC_TAGS_DENIED)]
)
def test_a_version_that_may_not_be_read_fails_at_once(operation: str, reason: Reason) -> None:
    stage = to_west()
    stage.fail(operation, Permanent(reason, "AccessDenied"))
    stage.put(tags={"team": "blue"})
    assert failed(stage) is reason
    assert stage.replicas() == []


def test_a_version_that_was_deleted_for_good_before_its_delivery_is_skipped() -> None:
    stage = to_west()
    source = stage.put()
    stage.s3.destroy(EAST, "k", source.version_id)
    stage.deliver_all()
    assert (Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND) in stage.counted
    assert stage.replicas() == []


def test_a_version_that_is_deleted_for_good_between_its_head_and_its_copy_is_skipped() -> None:
    stage = to_west()
    source = stage.put()
    stage.just_before("COPY", lambda: stage.s3.destroy(EAST, "k", source.version_id))
    stage.deliver_all()
    assert (Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND) in stage.counted
    assert stage.queue.dead == []


def test_an_archived_version_that_is_being_restored_waits_until_it_is_restored() -> None:
    stage = to_west()
    source = stage.put(storage_class="GLACIER", restore=Restore.ONGOING)
    assert stage.deliver() != []
    assert stage.waiting() == {source.version_id: (Status.PENDING, Reason.RESTORING)}
    source.content = type(source.content)(source.content.body, storage_class="GLACIER", restore=Restore.DONE)
    stage.deliver_all()
    assert stage.replicas() == [source.version_id]
    assert stage.waiting() == {}


def test_a_locked_version_fails_where_object_lock_is_not_enabled() -> None:
    stage = to_west()
    stage.put(lock=Lock(legal_hold=True))
    assert failed(stage) is Reason.DST_NO_OBJECT_LOCK


def test_rules_that_cannot_be_read_are_waited_for() -> None:
    stage = to_west()
    source = stage.put()
    good = stage.rule_sets.of(EAST)
    answers: list[RuleSet | Temporary] = [Temporary(Reason.RULES_UNREADABLE, "denied")] * 3  # a new batch asks, too

    def rules(_: str) -> RuleSet:
        answer = answers.pop() if answers else good
        if isinstance(answer, Temporary):
            raise answer
        return answer

    stage.change_services(rules=rules)
    stage.deliver_all()
    assert stage.replicas() == [source.version_id]
    assert stage.counted == [(Status.PENDING, Reason.RULES_UNREADABLE)] * 2 + [DONE]


# The destination


@pytest.mark.parametrize("times", [1, 5], ids=["once", "five times"])
@pytest.mark.parametrize(
    "trouble", [SLOW, LOST, Temporary(Reason.SERVICE, "InternalError")], ids=lambda each: each.reason
)
def test_temporary_trouble_with_the_copy_is_waited_for(trouble: Temporary, times: int) -> None:
    stage = to_west()
    stage.fail("COPY", trouble, times)
    source = stage.put()
    stage.deliver_all()
    assert stage.replicas() == [source.version_id]
    assert stage.counted == [(Status.PENDING, trouble.reason)] * times + [DONE]
    assert stage.waiting() == {}


def test_a_copy_whose_answer_is_lost_is_found_and_not_made_again() -> None:
    stage = to_west()
    stage.fail("COPY", LOST, after=True)
    source = stage.put()
    stage.deliver_all()
    assert stage.replicas() == [source.version_id]
    assert len(stage.calls("COPY")) == 1


def test_the_delays_of_a_message_grow_with_each_receive() -> None:
    stage = to_west()
    stage.fail("COPY", SLOW, 4)
    stage.put()
    stage.deliver_all()
    hidden = [int(call.split()[-2]) for call in stage.calls("HIDE")]
    assert hidden == sorted(hidden)
    assert hidden[0] <= 2
    assert hidden[-1] >= 12


def test_a_copy_that_is_denied_fails_at_once_and_its_dead_letter_has_all_that_explains_it() -> None:
    stage = to_west()
    stage.fail("COPY", DENIED)
    source = stage.put()
    assert failed(stage) is Reason.DST_PUT_DENIED
    [dead] = stage.queue.dead
    outcome = dead.outcome
    assert (outcome.rule_id, outcome.destination, str(outcome.origin)) == ("all", WEST, f"{EAST}/{source.version_id}")
    assert (outcome.detail, dead.attempts, dead.first_seen) == ("AccessDenied", 1, stage.s3.clock.milliseconds())
    assert stage.waiting() == {source.version_id: (Status.FAILED, Reason.DST_PUT_DENIED)}


def test_a_failure_that_is_redriven_after_the_repair_completes_and_its_entry_is_closed() -> None:
    stage = to_west()
    stage.fail("COPY", DENIED)
    source = stage.put()
    assert failed(stage) is Reason.DST_PUT_DENIED
    stage.queue.redrive()
    stage.deliver_all()
    assert stage.replicas() == [source.version_id]
    assert stage.counted[1:] == [DONE]
    assert stage.waiting() == {}
    assert stage.queue.dead == []


def test_a_duplicate_of_a_failed_change_is_no_second_failure() -> None:
    stage = to_west()
    stage.fail("COPY", DENIED, 9)
    stage.put()
    [message] = stage.queue.visible()
    assert failed(stage) is Reason.DST_PUT_DENIED
    stage.queue.send(message.body)
    stage.deliver_all()
    assert len(stage.queue.dead) == 1
    assert stage.counted == [(Status.FAILED, Reason.DST_PUT_DENIED)]


def test_a_failure_that_is_redriven_before_the_repair_fails_again() -> None:
    stage = to_west()
    stage.fail("COPY", DENIED, 2)
    stage.put()
    assert failed(stage) is Reason.DST_PUT_DENIED
    stage.queue.redrive()
    stage.deliver_all()
    assert len(stage.queue.dead) == 1


def test_a_change_fails_if_its_destination_does_not_exist() -> None:
    stage = to_west()
    del stage.s3.buckets[WEST]
    stage.put()
    assert failed(stage) is Reason.DST_BUCKET_NOT_FOUND


def test_a_destination_without_versioning_is_never_written_to() -> None:
    stage = to_west()
    stage.s3.buckets[WEST].versioning = "Suspended"
    stage.put()
    assert failed(stage) is Reason.DST_UNVERSIONED
    assert stage.calls("COPY") == []


def test_a_replica_with_another_checksum_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = to_west()
    monkeypatch.setattr("tests.fakes.objects.crc64nvme", lambda _: "another")
    stage.put()
    assert failed(stage) is Reason.CHECKSUM


def test_a_write_of_the_destinations_user_is_found_by_the_guard_and_stays_below() -> None:
    stage = to_west()
    stage.put(bucket=WEST, body=b"a user's own")
    source = stage.put()
    stage.deliver_all()
    assert stage.replicas() == ["-", source.version_id]
    assert stage.counted == [DONE]


def test_a_change_that_meets_conflict_after_conflict_waits_and_completes() -> None:
    stage = to_west()
    stage.fail("COPY", Conflict("412"), 6)
    source = stage.put()
    stage.deliver_all()
    assert stage.replicas() == [source.version_id]
    assert stage.counted == [(Status.PENDING, Reason.CONTENTION), DONE]


# The journal


@pytest.mark.parametrize("operation", ["READ", "SETTLE"])
@pytest.mark.parametrize("after", [False, True], ids=["request lost", "answer lost"])
def test_temporary_trouble_with_the_journal_is_waited_for(operation: str, after: bool) -> None:
    stage = to_west()
    stage.fail(operation, Temporary(Reason.JOURNAL_DENIED, operation), 3, after=after)
    source = stage.put()
    stage.deliver_all()
    assert stage.replicas() == [source.version_id]
    assert stage.queue.dead == []
    assert stage.waiting() == {}


def test_a_failure_that_cannot_be_written_to_the_journal_is_written_later() -> None:
    stage = to_west()
    stage.fail("COPY", DENIED, 9)
    stage.fail("WAIT", SLOW)
    source = stage.put()
    stage.deliver_all()
    assert stage.waiting() == {source.version_id: (Status.FAILED, Reason.DST_PUT_DENIED)}
    assert stage.queue.dead


def test_a_change_completes_although_its_journal_entry_was_lost() -> None:
    stage = to_west()
    versions = [stage.put(body=b"1").version_id]
    stage.deliver_all()
    for pair in list(stage.journal.entries):
        stage.journal.lose(pair)
    versions.append(stage.put(body=b"2").version_id)
    stage.deliver_all()
    assert stage.replicas() == versions


# The queue


def test_a_failure_that_cannot_be_dead_lettered_waits_until_it_can() -> None:
    stage = to_west()
    stage.fail("COPY", DENIED, 9)
    stage.fail("DEAD-LETTER", SLOW, 2)
    stage.put()
    stage.deliver_all()
    assert len(stage.queue.dead) == 1
    assert stage.queue.messages == {}


# Crashes and bugs


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", ["READ", "HEAD", "COPY", "SETTLE"])
def test_a_crash_at_any_call_of_a_copy_changes_nothing(operation: str, after: bool) -> None:
    stage = to_west()
    stage.fail(operation, Killed(), after=after)
    source = stage.put()
    stage.deliver_all()
    assert stage.replicas() == [source.version_id]
    assert stage.waiting() == {}
    assert stage.queue.dead == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", ["COPY", "DEAD-LETTER", "WAIT"])
def test_a_crash_on_the_way_to_a_failure_loses_no_failure(operation: str, after: bool) -> None:
    stage = to_west()
    stage.fail(operation, Killed(), after=after)
    stage.fail("COPY", DENIED, 9)
    source = stage.put()
    stage.deliver_all()
    if stage.replicas() == [source.version_id]:  # the copy was made, and found
        assert operation == "COPY"
        assert stage.queue.dead == []
    else:
        assert stage.queue.dead
        assert stage.waiting()[source.version_id][0] is Status.FAILED


def test_an_unexpected_error_is_logged_with_its_trace_and_the_change_comes_back() -> None:
    stage = to_west()
    error = RuntimeError("?")
    stage.fail("HEAD", error)
    source = stage.put()
    stage.deliver_all()
    assert stage.log.errors == [error]
    assert stage.replicas() == [source.version_id]


def test_of_two_destinations_only_the_one_in_trouble_waits() -> None:
    stage = to_two()
    stage.fail("COPY", SLOW, 2, bucket=NORTH)
    source = stage.put()
    stage.deliver_all()
    assert stage.replicas(bucket=WEST) == stage.replicas(bucket=NORTH) == [source.version_id]
    assert len([call for call in stage.calls("COPY") if WEST in call]) == 1


def test_of_two_destinations_only_the_denied_one_fails() -> None:
    stage = to_two()
    stage.fail("COPY", DENIED, 9, bucket=NORTH)
    source = stage.put()
    stage.deliver_all()
    assert stage.replicas(bucket=WEST) == [source.version_id]
    assert [dead.outcome.destination for dead in stage.queue.dead] == [NORTH]


def test_a_destination_that_does_not_exist_does_not_affect_the_other() -> None:
    stage = to_two()
    del stage.s3.buckets[WEST]
    source = stage.put()
    stage.deliver_all()
    assert stage.replicas(bucket=NORTH) == [source.version_id]
    assert [dead.outcome.destination for dead in stage.queue.dead] == [WEST]


def test_a_failure_at_one_destination_is_counted_once_while_the_other_waits() -> None:
    stage = to_two()
    stage.fail("COPY", DENIED, 9, bucket=NORTH)
    stage.fail("COPY", SLOW, 3, bucket=WEST)
    source = stage.put()
    stage.deliver_all()
    assert stage.replicas(bucket=WEST) == [source.version_id]
    assert [dead.outcome.destination for dead in stage.queue.dead] == [NORTH]
    assert stage.counted.count((Status.FAILED, Reason.DST_PUT_DENIED)) == 1
    assert stage.counted.count(DONE) == 1
