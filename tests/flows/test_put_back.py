"""Versions that are copied back on top of a history: by the replicator, or by a user."""

from dataclasses import replace

from replicator.core.outcomes.outcome import Reason

from tests.fakes.rules import rule
from tests.fakes.stored import Stored
from tests.flows.stage import EAST, WEST, Stage


def test_a_version_that_is_put_back_keeps_its_tags_and_metadata() -> None:
    """The replica is read like a native version: its tags are not in its HEAD."""
    stage = Stage([rule(WEST, rule_id="all")])
    first = stage.put(body=b"one")
    second = stage.put(body=b"two", tags={"team": "blue"}, metadata={"colour": "green"})
    early, late = stage.queue.visible()
    stage.deliver(late)
    stage.deliver(early)
    assert stage.replicas() == [second.version_id, first.version_id, second.version_id]
    top = stage.s3.buckets[WEST].history("k")[-1]
    assert top.content.tags["team"] == "blue"
    assert top.content.metadata["colour"] == "green"
    assert stage.s3.buckets[EAST].history("k")[-1].content.body == top.content.body


def two_versions_out_of_order() -> tuple[Stage, Stored, Stored]:
    """Return a stage whose rule archives replicas, with two versions of which the newer is about to be overwritten."""
    stage = Stage([rule(WEST, rule_id="all", storage_class="GLACIER")])
    first, second = stage.put(body=b"one"), stage.put(body=b"two")
    stage.deliver(stage.queue.visible()[-1])
    return stage, first, second


def test_an_archived_replica_is_put_back_from_its_native_version() -> None:
    stage, first, second = two_versions_out_of_order()
    stage.deliver_all()
    assert stage.replicas() == [second.version_id, first.version_id, second.version_id]
    assert stage.queue.dead == []
    assert [result.outcome.size for result in stage.results] == [3, 3], "each counts once"


def test_an_archived_replica_whose_native_version_is_archived_too_fails_and_says_so() -> None:
    stage, first, second = two_versions_out_of_order()
    second.content = replace(second.content, storage_class="GLACIER")
    stage.deliver_all()
    assert stage.replicas() == [second.version_id, first.version_id]
    [failed] = stage.queue.dead
    assert failed.outcome.reason is Reason.SRC_NOT_ELIGIBLE
    assert "archived" in failed.outcome.detail


def test_a_replica_that_a_user_copies_onto_its_own_key_later_is_a_native_version() -> None:
    """A copy onto its own key keeps the mark; only its time shows that a user made it."""
    stage = Stage([rule(WEST, rule_id="all")])
    replica = stage.put(body=b"old")
    stage.deliver_all()
    stage.put(body=b"new")
    stage.deliver_all()
    old = stage.s3.buckets[WEST].history("k")[0].content
    stage.s3.clock.advance(3600)
    stage.s3.put(WEST, "k", old)
    assert stage.replicas() == [replica.version_id, stage.replicas()[1], "-"]
