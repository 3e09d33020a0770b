"""Trouble by actor: source, destination, journal, queue. What is temporary gets through, what is permanent says why."""

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


def stage() -> Stage:
    return Stage([rule(WEST, rule_id="all")])


def failed(stage: Stage) -> Reason | None:
    """Return why the one change failed, after a look at everything that a failure must leave behind."""
    stage.rest()
    [(status, reason)] = stage.told
    assert status is Status.FAILED
    [letter] = stage.queue.dead
    assert letter.outcome.reason is reason
    assert "Records" in letter.body
    assert stage.log.outcomes
    return reason


# The source


@pytest.mark.parametrize("operation", ["HEAD", "GET TAGS"])
@pytest.mark.parametrize("times", [1, 3])
def test_trouble_reading_the_source_is_waited_for(operation: str, times: int) -> None:
    on = stage()
    on.fail(operation, SLOW, times)
    source = on.put(tags={"team": "blue"})
    on.rest()
    assert on.replicas() == [source.version_id]
    assert on.told == [(Status.PENDING, Reason.THROTTLED)] * times + [DONE]
    assert on.waiting() == {}
    assert on.queue.dead == []


@pytest.mark.parametrize(
    ("operation", "reason"), [("HEAD", Reason.SRC_HEAD_DENIED), ("GET TAGS", Reason.SRC_TAGS_DENIED)]
)
def test_what_may_not_be_read_fails_at_once(operation: str, reason: Reason) -> None:
    on = stage()
    on.fail(operation, Permanent(reason, "AccessDenied"))
    on.put(tags={"team": "blue"})
    assert failed(on) is reason
    assert on.replicas() == []


def test_a_version_that_was_deleted_before_is_skipped() -> None:
    on = stage()
    source = on.put()
    on.s3.destroy(EAST, "k", source.version_id)
    on.rest()
    assert (Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND) in on.told
    assert on.replicas() == []


def test_a_version_that_is_deleted_between_the_look_and_the_copy_is_skipped() -> None:
    on = stage()
    source = on.put()
    on.meanwhile("COPY", lambda: on.s3.destroy(EAST, "k", source.version_id))
    on.rest()
    assert (Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND) in on.told
    assert on.queue.dead == []


def test_an_archived_version_that_is_being_restored_waits_until_it_is() -> None:
    on = stage()
    source = on.put(storage_class="GLACIER", restore=Restore.ONGOING)
    assert on.deliver() != []
    assert on.waiting() == {source.version_id: (Status.PENDING, Reason.RESTORING)}
    source.content = type(source.content)(source.content.body, storage_class="GLACIER", restore=Restore.DONE)
    on.rest()
    assert on.replicas() == [source.version_id]
    assert on.waiting() == {}


def test_a_locked_version_fails_where_nothing_can_be_locked() -> None:
    on = stage()
    on.put(lock=Lock(legal_hold=True))
    assert failed(on) is Reason.DST_NO_OBJECT_LOCK


def test_rules_that_cannot_be_read_are_waited_for() -> None:
    on = stage()
    source = on.put()
    good = on.rule_sets.of(EAST)
    answers: list[RuleSet | Temporary] = [Temporary(Reason.RULES_UNREADABLE, "denied")] * 2

    def rules(_: str) -> RuleSet:
        answer = answers.pop() if answers else good
        if isinstance(answer, Temporary):
            raise answer
        return answer

    on.change_services(rules=rules)
    on.rest()
    assert on.replicas() == [source.version_id]
    assert on.told == [(Status.PENDING, Reason.RULES_UNREADABLE)] * 2 + [DONE]


# The destination


@pytest.mark.parametrize("times", [1, 5])
@pytest.mark.parametrize(
    "trouble", [SLOW, LOST, Temporary(Reason.SERVICE, "InternalError")], ids=lambda each: each.reason
)
def test_trouble_writing_is_waited_for(trouble: Temporary, times: int) -> None:
    on = stage()
    on.fail("COPY", trouble, times)
    source = on.put()
    on.rest()
    assert on.replicas() == [source.version_id]
    assert on.told == [(Status.PENDING, trouble.reason)] * times + [DONE]
    assert on.waiting() == {}


def test_a_copy_whose_answer_is_lost_is_found_and_not_made_again() -> None:
    on = stage()
    on.fail("COPY", LOST, after=True)
    source = on.put()
    on.rest()
    assert on.replicas() == [source.version_id]
    assert len(on.calls("COPY")) == 1


def test_the_delays_of_a_message_grow() -> None:
    on = stage()
    on.fail("COPY", SLOW, 6)
    on.put()
    on.rest()
    hidden = [int(call.split()[-2]) for call in on.calls("HIDE")]
    assert hidden == sorted(hidden)
    assert hidden[0] <= 2
    assert hidden[-1] >= 24


def test_what_may_not_be_written_fails_at_once_and_lies_with_all_that_explains_it() -> None:
    on = stage()
    on.fail("COPY", DENIED)
    source = on.put()
    assert failed(on) is Reason.DST_PUT_DENIED
    [letter] = on.queue.dead
    outcome = letter.outcome
    assert (outcome.rule_id, outcome.destination, str(outcome.origin)) == ("all", WEST, f"{EAST}/{source.version_id}")
    assert (outcome.detail, letter.attempts, letter.first_seen) == ("AccessDenied", 1, on.s3.clock.milliseconds())
    assert on.waiting() == {source.version_id: (Status.FAILED, Reason.DST_PUT_DENIED)}


def test_redriven_after_the_repair_it_completes_and_waits_no_more() -> None:
    on = stage()
    on.fail("COPY", DENIED)
    source = on.put()
    assert failed(on) is Reason.DST_PUT_DENIED
    on.queue.redrive()
    on.rest()
    assert on.replicas() == [source.version_id]
    assert on.told[1:] == [DONE]
    assert on.waiting() == {}
    assert on.queue.dead == []


def test_a_duplicate_of_a_failure_is_no_second_failure() -> None:
    on = stage()
    on.fail("COPY", DENIED, 9)
    on.put()
    [letter] = on.queue.visible()
    assert failed(on) is Reason.DST_PUT_DENIED
    on.queue.send(letter.body)
    on.rest()
    assert len(on.queue.dead) == 1
    assert on.told == [(Status.FAILED, Reason.DST_PUT_DENIED)]


def test_redriven_before_the_repair_it_fails_once_more() -> None:
    on = stage()
    on.fail("COPY", DENIED, 2)
    on.put()
    assert failed(on) is Reason.DST_PUT_DENIED
    on.queue.redrive()
    on.rest()
    assert len(on.queue.dead) == 1


def test_a_missing_destination_fails() -> None:
    on = stage()
    del on.s3.buckets[WEST]
    on.put()
    assert failed(on) is Reason.DST_BUCKET_NOT_FOUND


def test_an_unversioned_destination_is_never_written_to() -> None:
    on = stage()
    on.s3.buckets[WEST].versioning = "Suspended"
    on.put()
    assert failed(on) is Reason.DST_UNVERSIONED
    assert on.calls("COPY") == []


def test_a_replica_whose_checksum_differs_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    on = stage()
    monkeypatch.setattr("tests.fakes.objects.crc64nvme", lambda _: "another")
    on.put()
    assert failed(on) is Reason.CHECKSUM


def test_somebody_elses_write_in_between_is_looked_at_again() -> None:
    on = stage()
    on.put(bucket=WEST, body=b"a user's own")
    source = on.put()
    on.rest()
    assert on.replicas() == ["-", source.version_id]
    assert on.told == [DONE]


def test_a_key_that_others_keep_writing_waits_and_gets_through() -> None:
    on = stage()
    on.fail("COPY", Conflict("412"), 6)
    source = on.put()
    on.rest()
    assert on.replicas() == [source.version_id]
    assert on.told == [(Status.PENDING, Reason.CONTENTION), DONE]


# The journal


@pytest.mark.parametrize("operation", ["READ", "SETTLE"])
@pytest.mark.parametrize("after", [False, True])
def test_trouble_with_the_journal_is_waited_for(operation: str, after: bool) -> None:
    on = stage()
    on.fail(operation, Temporary(Reason.JOURNAL_DENIED, operation), 3, after=after)
    source = on.put()
    on.rest()
    assert on.replicas() == [source.version_id]
    assert on.queue.dead == []
    assert on.waiting() == {}


def test_a_failure_that_the_journal_cannot_take_is_not_forgotten() -> None:
    on = stage()
    on.fail("COPY", DENIED, 9)
    on.fail("WAIT", SLOW)
    source = on.put()
    on.rest()
    assert on.waiting() == {source.version_id: (Status.FAILED, Reason.DST_PUT_DENIED)}
    assert on.queue.dead


def test_a_lost_journal_costs_requests_and_nothing_else() -> None:
    on = stage()
    versions = [on.put(body=b"1").version_id]
    on.rest()
    for pair in list(on.journal.entries):
        on.journal.lose(pair)
    versions.append(on.put(body=b"2").version_id)
    on.rest()
    assert on.replicas() == versions


# The queue


def test_a_failure_that_cannot_be_buried_waits_until_it_can() -> None:
    on = stage()
    on.fail("COPY", DENIED, 9)
    on.fail("BURY", SLOW, 2)
    on.put()
    on.rest()
    assert len(on.queue.dead) == 1
    assert on.queue.letters == {}


# Deaths


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", ["READ", "HEAD", "COPY", "SETTLE"])
def test_a_death_around_any_call_changes_nothing(operation: str, after: bool) -> None:
    on = stage()
    on.fail(operation, Killed(), after=after)
    source = on.put()
    on.rest()
    assert on.replicas() == [source.version_id]
    assert on.waiting() == {}
    assert on.queue.dead == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", ["COPY", "BURY", "WAIT"])
def test_a_death_on_the_way_to_a_failure_loses_no_failure(operation: str, after: bool) -> None:
    on = stage()
    on.fail(operation, Killed(), after=after)
    on.fail("COPY", DENIED, 9)
    source = on.put()
    on.rest()
    if on.replicas() == [source.version_id]:  # the copy was made, and found
        assert operation == "COPY"
        assert on.queue.dead == []
    else:
        assert on.queue.dead
        assert on.waiting()[source.version_id][0] is Status.FAILED


def test_what_nobody_foresaw_is_told_with_its_trace_and_waited_for() -> None:
    on = stage()
    error = RuntimeError("?")
    on.fail("HEAD", error)
    source = on.put()
    on.rest()
    assert on.log.errors == [error]
    assert on.replicas() == [source.version_id]


def test_of_two_destinations_only_the_one_in_trouble_waits() -> None:
    on = to_two()
    on.fail("COPY", SLOW, 2, bucket=NORTH)
    source = on.put()
    on.rest()
    assert on.replicas(bucket=WEST) == on.replicas(bucket=NORTH) == [source.version_id]
    assert len([call for call in on.calls("COPY") if WEST in call]) == 1


def test_of_two_destinations_only_the_denied_one_fails() -> None:
    on = to_two()
    on.fail("COPY", DENIED, 9, bucket=NORTH)
    source = on.put()
    on.rest()
    assert on.replicas(bucket=WEST) == [source.version_id]
    assert [letter.outcome.destination for letter in on.queue.dead] == [NORTH]


def test_a_destination_that_is_missing_is_no_trouble_of_the_other() -> None:
    on = to_two()
    del on.s3.buckets[WEST]
    source = on.put()
    on.rest()
    assert on.replicas(bucket=NORTH) == [source.version_id]
    assert [letter.outcome.destination for letter in on.queue.dead] == [WEST]


def test_failing_at_one_destination_and_waiting_at_the_other_fails_once() -> None:
    on = to_two()
    on.fail("COPY", DENIED, 9, bucket=NORTH)
    on.fail("COPY", SLOW, 3, bucket=WEST)
    source = on.put()
    on.rest()
    assert on.replicas(bucket=WEST) == [source.version_id]
    assert [letter.outcome.destination for letter in on.queue.dead] == [NORTH]
    assert on.told.count((Status.FAILED, Reason.DST_PUT_DENIED)) == 1
    assert on.told.count(DONE) == 1
