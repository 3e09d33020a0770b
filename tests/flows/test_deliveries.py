"""Messages: duplicated, repeated, in disorder, in batches with bad neighbours."""

import itertools
import json
from typing import Any

import pytest
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.rules.matching import RuleSet
from replicator.flows.change.status_tag import StatusTags

from tests.fakes.rules import rule
from tests.flows.stage import EAST, WEST, Killed, Stage

DONE = (Status.COMPLETED, None)
SLOW = Temporary(Reason.THROTTLED, "SlowDown")
DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")


def stage() -> Stage:
    return Stage([rule(WEST, rule_id="all")])


def test_a_duplicate_makes_no_second_replica_and_counts_once() -> None:
    on = stage()
    source = on.put()
    [letter] = on.queue.visible()
    on.queue.send(letter.body)
    on.rest()
    assert on.replicas() == [source.version_id]
    assert on.told == [DONE]


def test_a_duplicate_that_comes_later_costs_one_read() -> None:
    on = stage()
    on.put()
    [letter] = on.queue.visible()
    on.rest()
    on.points.calls.clear()
    on.queue.send(letter.body)
    on.rest()
    assert [call.operation for call in on.points.calls] == ["READ"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_in_whatever_order_events_come_all_versions_arrive_and_the_newest_is_current(order: tuple[int, ...]) -> None:
    on = stage()
    versions = [on.put(body=bytes([number])).version_id for number in range(3)]
    letters = on.queue.visible()
    for number in order:
        on.deliver(letters[number])
    assert set(on.replicas()) == set(versions)
    assert on.replicas()[-1] == versions[-1]


def test_events_of_a_key_in_one_batch_are_worked_off_in_s3s_order() -> None:
    on = stage()
    versions = [on.put(body=bytes([number])).version_id for number in range(5)]
    letters = on.queue.visible()
    on.deliver(*reversed(letters))
    assert on.replicas() == versions
    assert len(on.calls("LIST")) == 0, "in order, nothing has to be listed"


def test_overwriting_with_the_same_bytes_is_a_version_too() -> None:
    on = stage()
    versions = [on.put().version_id for _ in range(3)]
    on.rest()
    assert on.replicas() == versions


def test_a_delete_that_comes_before_its_version_is_copied_still_ends_deleted() -> None:
    on = Stage([rule(WEST, delete_markers=True)])
    source = on.put()
    on.s3.delete(EAST, "k")
    created, deleted = on.queue.visible()
    on.deliver(deleted)
    on.deliver(created)
    assert on.replicas()[-1] == "-"
    assert source.version_id in on.replicas()


BAD = ["hello", "{}", json.dumps({"Records": [{"eventSource": "aws:sqs"}]}), "[" * 5000]


@pytest.mark.parametrize("bad", BAD, ids=["not JSON", "no records", "another service", "endless"])
def test_a_malformed_message_is_buried_as_it_was_and_its_neighbours_replicate(bad: str) -> None:
    on = stage()
    before = on.put("before")
    on.queue.send(bad)
    after = on.put("after")
    assert on.deliver() == []
    assert on.replicas("before") == [before.version_id]
    assert on.replicas("after") == [after.version_id]
    [letter] = on.queue.dead
    assert letter.body == bad
    assert letter.outcome.reason is Reason.MALFORMED
    assert letter.outcome.detail


def test_a_malformed_message_has_no_version_to_tag_and_is_buried_once() -> None:
    on = stage()
    nothing: Any = None
    on.change_closing(status_tags=StatusTags(nothing, on.services, warn=print))
    on.queue.send("hello")
    on.rest()
    assert [letter.body for letter in on.queue.dead] == ["hello"]


def test_a_failure_without_a_destination_is_claimed_from_nobody() -> None:
    on = stage()

    def unreadable(_: str) -> RuleSet:
        raise Permanent(Reason.RULES_UNREADABLE, "AccessDenied")

    on.change_services(rules=unreadable)
    on.put()
    on.rest()
    assert len(on.queue.dead) == 1
    assert on.calls("CLAIM", "WAIT") == []


def test_one_bad_record_of_a_message_is_buried_alone() -> None:
    on = stage()
    one, other = on.put("one"), on.put("other")
    records = [json.loads(letter.body)["Records"][0] for letter in on.queue.visible()]
    on.queue.letters.clear()
    on.queue.send(json.dumps({"Records": [records[0], {"eventName": "?"}, records[1]]}))
    on.rest()
    assert on.replicas("one") == [one.version_id]
    assert on.replicas("other") == [other.version_id]
    [letter] = on.queue.dead
    assert json.loads(letter.body) == {"Records": [{"eventName": "?"}]}


def test_one_failing_record_of_a_message_is_buried_alone_and_the_others_are_not_repeated() -> None:
    on = stage()
    on.put("one"), on.put("other")
    records = [json.loads(letter.body)["Records"][0] for letter in on.queue.visible()]
    on.queue.letters.clear()
    on.queue.send(json.dumps({"Records": records}))
    on.fail("COPY", DENIED, 9, key="other")
    on.rest()
    [letter] = on.queue.dead
    assert json.loads(letter.body) == {"Records": [records[1]]}
    assert sorted(on.told, key=str) == [DONE, (Status.FAILED, Reason.DST_PUT_DENIED)]


@pytest.mark.parametrize(
    "trouble", [SLOW, DENIED, RuntimeError("nobody foresaw it")], ids=["temporary", "permanent", "unexpected"]
)
def test_trouble_with_one_message_is_no_trouble_of_its_batch(trouble: Exception) -> None:
    on = stage()
    for number in range(10):
        on.put(str(number))
    on.fail("HEAD", trouble, 99, key="4")
    waiting = on.deliver()
    assert [on.replicas(str(number)) != [] for number in range(10)] == [number != 4 for number in range(10)]
    assert len(waiting) == (0 if trouble is DENIED else 1)


def test_trouble_in_writing_down_a_failure_is_no_trouble_of_its_batch() -> None:
    on = stage()
    on.put("bad"), on.put("good")
    on.queue.send("no event")
    on.fail("HEAD", DENIED, 99, key="bad")
    on.fail("BURY", ValueError("nobody foresaw it"), 2)
    assert len(on.deliver()) == 2
    assert len(on.replicas("good")) == 1
    assert len(on.log.errors) == 2
    on.rest()
    reasons = {letter.outcome.reason for letter in on.queue.dead}
    assert reasons == {Reason.MALFORMED, DENIED.reason}


def test_a_batch_publishes_its_measures_once() -> None:
    on = stage()
    for number in range(10):
        on.put(str(number))
    on.deliver()
    assert on.measures.flushes == 1
    assert on.told == [DONE] * 10


def test_a_death_takes_the_whole_batch_and_loses_nothing_of_it() -> None:
    on = stage()
    versions = {str(number): on.put(str(number)).version_id for number in range(6)}
    on.fail("COPY", Killed(), after=True, key="3")
    on.rest()
    assert {key: on.replicas(key) for key in versions} == {key: [version] for key, version in versions.items()}
    assert on.queue.dead == []


def test_s3s_test_event_is_taken_and_says_nothing() -> None:
    on = stage()
    on.queue.send(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "east"}))
    assert on.deliver() == []
    assert on.told == []
    assert on.queue.dead == []


def test_a_message_of_many_records_waits_as_a_whole_but_repeats_only_what_must_be() -> None:
    on = stage()
    for key in ("one", "other"):
        on.put(key)
    records = [json.loads(letter.body)["Records"][0] for letter in on.queue.visible()]
    on.queue.letters.clear()
    on.queue.send(json.dumps({"Records": records}))
    on.fail("COPY", SLOW, 2, key="other")
    on.rest()
    assert len([call for call in on.calls("COPY") if "/one" in call]) == 1
    assert len(on.replicas("one")) == len(on.replicas("other")) == 1
