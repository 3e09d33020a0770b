"""What is put back on top of a destination is what stood there, whole."""

from tests.fakes.rules import rule
from tests.flows.stage import EAST, WEST, Stage


def test_a_version_that_is_put_back_keeps_what_only_its_replica_tells() -> None:
    """The replica is read like a native version here: its tags are not in its HEAD."""
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


def test_a_replica_that_a_user_brings_back_after_a_while_replicates_as_a_write_of_its_own() -> None:
    """A copy onto its own key keeps the mark; only the time tells that it is the user's."""
    stage = Stage([rule(WEST, rule_id="all")])
    replica = stage.put(body=b"old")
    stage.rest()
    stage.put(body=b"new")
    stage.rest()
    old = stage.s3.buckets[WEST].history("k")[0].content
    stage.s3.clock.advance(3600)
    stage.s3.put(WEST, "k", old)
    assert stage.replicas() == [replica.version_id, stage.replicas()[1], "-"]
