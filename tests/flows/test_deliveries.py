"""Messages that come twice, out of order, or in a batch with messages that fail."""

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.rules.matching import RuleSet
from replicator.flows.change.consume import consume
from replicator.flows.change.status_tag import StatusTags

from tests.fakes.rules import rule
from tests.flows.stage import EAST, WEST, Killed, Stage

DONE = (Status.COMPLETED, None)
SLOW = Temporary(Reason.THROTTLED, "SlowDown")
DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")


def to_west() -> Stage:
    return Stage([rule(WEST, rule_id="all")])


def test_a_duplicate_of_a_message_makes_no_second_replica_and_counts_once() -> None:
    stage = to_west()
    source = stage.put()
    [message] = stage.queue.visible()
    stage.queue.send(message.body)
    stage.deliver_all()
    assert stage.replicas() == [source.version_id]
    assert stage.counted == [DONE]


def test_a_duplicate_of_a_message_that_comes_later_costs_one_read_of_the_journal() -> None:
    stage = to_west()
    stage.put()
    [message] = stage.queue.visible()
    stage.deliver_all()
    stage.points.calls.clear()
    stage.queue.send(message.body)
    stage.deliver_all()
    assert [call.operation for call in stage.points.calls] == ["READ"]


def test_in_whatever_order_events_arrive_all_versions_are_copied_and_the_newest_is_current() -> None:
    for order in itertools.permutations(range(3)):
        stage = to_west()
        versions = [stage.put(body=bytes([number])).version_id for number in range(3)]
        messages = stage.queue.visible()
        for number in order:
            stage.deliver(messages[number])
        assert (set(stage.replicas()), stage.replicas()[-1]) == (set(versions), versions[-1]), order


def test_events_of_a_key_in_one_batch_are_processed_in_the_order_of_their_sequencers() -> None:
    stage = to_west()
    versions = [stage.put(body=bytes([number])).version_id for number in range(5)]
    messages = stage.queue.visible()
    stage.deliver(*reversed(messages))
    assert stage.replicas() == versions
    assert stage.calls("LIST") == [], "in order, nothing has to be listed"


def test_an_overwrite_with_the_same_bytes_is_replicated_as_a_version() -> None:
    stage = to_west()
    versions = [stage.put().version_id for _ in range(3)]
    stage.deliver_all()
    assert stage.replicas() == versions


def test_a_delete_whose_event_comes_before_that_of_its_version_still_ends_deleted() -> None:
    stage = Stage([rule(WEST, delete_markers=True)])
    source = stage.put()
    stage.s3.delete(EAST, "k")
    created, deleted = stage.queue.visible()
    stage.deliver(deleted)
    stage.deliver(created)
    assert stage.replicas()[-1] == "-"
    assert source.version_id in stage.replicas()


MALFORMED = {
    "not JSON": "hello",
    "no records": "{}",
    "an event of another service": json.dumps({"Records": [{"eventSource": "aws:sqs"}]}),
    "nested without end": "[" * 5000,
}


@pytest.mark.parametrize("bad", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_message_is_dead_lettered_unchanged_and_the_others_of_its_batch_replicate(bad: str) -> None:
    stage = to_west()
    before = stage.put("before")
    stage.queue.send(bad)
    after = stage.put("after")
    assert stage.deliver() == []
    assert stage.replicas("before") == [before.version_id]
    assert stage.replicas("after") == [after.version_id]
    [failed] = stage.queue.dead
    assert failed.body == bad
    assert failed.outcome.reason is Reason.MALFORMED
    assert failed.outcome.detail


def test_a_malformed_message_has_no_version_to_tag_and_is_dead_lettered_once() -> None:
    stage = to_west()
    nothing: Any = None
    stage.change_closing(status_tags=StatusTags(nothing, stage.services, warn=print))
    stage.queue.send("hello")
    stage.deliver_all()
    assert [failed.body for failed in stage.queue.dead] == ["hello"]


def test_a_failure_without_a_destination_needs_no_claim_in_the_journal() -> None:
    stage = to_west()

    def unreadable(_: str) -> RuleSet:
        raise Permanent(Reason.RULES_UNREADABLE, "AccessDenied")

    stage.change_services(rules=unreadable)
    stage.put()
    stage.deliver_all()
    assert len(stage.queue.dead) == 1
    assert stage.calls("CLAIM FAILURE", "WAIT") == []


def test_a_malformed_record_is_dead_lettered_without_the_others_of_its_message() -> None:
    stage = to_west()
    one, other = stage.put("one"), stage.put("other")
    records = [json.loads(message.body)["Records"][0] for message in stage.queue.visible()]
    stage.queue.messages.clear()
    stage.queue.send(json.dumps({"Records": [records[0], {"eventName": "?"}, records[1]]}))
    stage.deliver_all()
    assert stage.replicas("one") == [one.version_id]
    assert stage.replicas("other") == [other.version_id]
    [failed] = stage.queue.dead
    assert json.loads(failed.body) == {"Records": [{"eventName": "?"}]}


def test_a_record_that_fails_is_dead_lettered_alone_and_the_others_of_its_message_are_not_repeated() -> None:
    stage = to_west()
    stage.put("one"), stage.put("other")
    records = [json.loads(message.body)["Records"][0] for message in stage.queue.visible()]
    stage.queue.messages.clear()
    stage.queue.send(json.dumps({"Records": records}))
    stage.fail("COPY", DENIED, 9, key="other")
    stage.deliver_all()
    [failed] = stage.queue.dead
    assert json.loads(failed.body) == {"Records": [records[1]]}
    assert sorted(stage.counted, key=str) == [DONE, (Status.FAILED, Reason.DST_PUT_DENIED)]


@pytest.mark.parametrize("trouble", [SLOW, DENIED, RuntimeError("a bug")], ids=["temporary", "permanent", "unexpected"])
def test_trouble_with_one_message_does_not_affect_its_batch(trouble: Exception) -> None:
    stage = to_west()
    for number in range(10):
        stage.put(str(number))
    stage.fail("HEAD", trouble, 99, key="4")
    waiting = stage.deliver()
    assert [stage.replicas(str(number)) != [] for number in range(10)] == [number != 4 for number in range(10)]
    assert len(waiting) == (0 if trouble is DENIED else 1)


def test_trouble_in_recording_a_failure_does_not_affect_its_batch() -> None:
    stage = to_west()
    stage.put("bad"), stage.put("good")
    stage.queue.send("no event")
    stage.fail("HEAD", DENIED, 99, key="bad")
    stage.fail("DEAD-LETTER", ValueError("a bug"), 2)
    assert len(stage.deliver()) == 2
    assert len(stage.replicas("good")) == 1
    assert len(stage.log.errors) == 2
    stage.deliver_all()
    reasons = {failed.outcome.reason for failed in stage.queue.dead}
    assert reasons == {Reason.MALFORMED, DENIED.reason}


def test_a_batch_publishes_its_metrics_once() -> None:
    stage = to_west()
    for number in range(10):
        stage.put(str(number))
    stage.deliver()
    assert stage.measures.flushes == 1
    assert stage.counted == [DONE] * 10


def test_a_crash_ends_a_whole_batch_and_loses_nothing_of_it() -> None:
    stage = to_west()
    versions = {str(number): stage.put(str(number)).version_id for number in range(6)}
    stage.fail("COPY", Killed(), after=True, key="3")
    stage.deliver_all()
    assert {key: stage.replicas(key) for key in versions} == {key: [version] for key, version in versions.items()}
    assert stage.queue.dead == []


def test_the_test_event_of_s3_is_consumed_without_an_outcome() -> None:
    stage = to_west()
    stage.queue.send(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "east"}))
    assert stage.deliver() == []
    assert stage.counted == []
    assert stage.queue.dead == []


def test_a_message_of_many_records_comes_back_as_a_whole_and_repeats_only_what_must_be() -> None:
    stage = to_west()
    for key in ("one", "other"):
        stage.put(key)
    records = [json.loads(message.body)["Records"][0] for message in stage.queue.visible()]
    stage.queue.messages.clear()
    stage.queue.send(json.dumps({"Records": records}))
    stage.fail("COPY", SLOW, 2, key="other")
    stage.deliver_all()
    assert len([call for call in stage.calls("COPY") if "/one" in call]) == 1
    assert len(stage.replicas("one")) == len(stage.replicas("other")) == 1


def test_a_change_whose_sequencer_has_another_length_takes_the_slow_path_and_all_ends_well() -> None:
    """AWS's guide has said "left pad" and "right pad": nobody knows which of the two came first."""
    stage = to_west()
    stage.s3.sequencer_digits = (18, 16)
    versions = [stage.put(body=bytes([number])).version_id for number in range(4)]
    stage.deliver(*reversed(stage.queue.visible()))
    stage.deliver_all()
    assert sorted(stage.replicas()) == sorted(versions)
    assert stage.replicas()[-1] == versions[-1]
    assert stage.calls("LIST") != []


def test_an_attempt_knows_whether_its_message_needs_a_chain_of_its_own() -> None:
    stage = to_west()
    stage.put("inherits")
    stage.put("does-not")
    first, second = (stage.queue.receive(message) for message in stage.queue.visible())
    consume([replace(first, needs_new_chain=True), second], stage.consumer, stage.time_limit())
    found = {each.attempt.change.key: each.outcome.reason for each in stage.results}
    assert found == {"inherits": Reason.NEW_CHAIN, "does-not": None}
