"""What a change costs and leaves behind when nothing goes wrong."""

from dataclasses import replace

from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.versions.origin import METADATA_LIMIT
from replicator.core.versions.version import Grant

from tests.fakes.notifications import eventbridge
from tests.fakes.rules import rule
from tests.fakes.s3 import Happening
from tests.flows.stage import EAST, NORTH, OURS, WEST, Stage

DONE = (Status.COMPLETED, None)
TO_WEST = rule(WEST, rule_id="all")
READ = Grant("READ", 'id="reader"')


def skipped(stage: Stage) -> Reason | None:
    [(status, reason)] = stage.told
    assert status is Status.SKIPPED
    assert stage.log.outcomes, "every outcome that is not COMPLETED is told in the log"
    return reason


def test_the_first_version_costs_four_requests() -> None:
    stage = Stage([TO_WEST])
    stage.put()
    stage.rest()
    assert [call.operation for call in stage.points.calls] == ["READ", "HEAD", "COPY", "SETTLE"]


def test_so_does_each_further_one() -> None:
    stage = Stage([TO_WEST])
    stage.put()
    stage.rest()
    stage.points.calls.clear()
    stage.put(body=b"more")
    stage.rest()
    assert [call.operation for call in stage.points.calls] == ["READ", "HEAD", "COPY", "SETTLE"]


def test_a_replica_is_what_its_source_is() -> None:
    stage = Stage([TO_WEST])
    stage.put(metadata={"a": "b"}, headers={"ContentType": "t"}, tags={"team": "blue"}, storage_class="STANDARD_IA")
    stage.rest()
    [replica] = stage.s3.buckets[WEST].history("k")
    assert replica.content.body == b"bytes"
    assert replica.content.metadata["a"] == "b"
    assert replica.content.headers == {"ContentType": "t"}
    assert replica.content.tags == {"team": "blue", "replication-status": "REPLICA"}
    assert replica.content.storage_class == "STANDARD_IA"


def test_the_outcome_says_rule_destination_origin_size_and_latency() -> None:
    stage = Stage([TO_WEST])
    source = stage.put()
    stage.s3.clock.advance(2.5)
    stage.rest()
    [outcome] = stage.outcomes
    assert (outcome.rule_id, outcome.destination, str(outcome.origin)) == ("all", WEST, f"{EAST}/{source.version_id}")
    assert (outcome.size, outcome.latency_ms) == (5, 2500)
    assert stage.measures.flushes == 1


def test_tags_are_asked_for_only_if_there_are_any() -> None:
    stage = Stage([TO_WEST])
    stage.put("plain")
    stage.put("tagged", tags={"team": "blue"})
    stage.rest()
    assert stage.calls("GET TAGS") == [f"GET TAGS east/tagged {stage.s3.buckets[EAST].history('tagged')[0].version_id}"]


def test_acls_are_asked_for_only_where_both_sides_have_them() -> None:
    for here, there, asked in ((True, True, 1), (True, False, 0), (False, True, 0)):
        stage = Stage([TO_WEST])
        stage.s3.buckets[EAST].acls_enabled, stage.s3.buckets[WEST].acls_enabled = here, there
        stage.put(grants=(READ,))
        stage.rest()
        assert len(stage.calls("GET ACL")) == asked
        [replica] = stage.s3.buckets[WEST].history("k")
        assert replica.content.grants == ((READ,) if asked else ())


def test_one_version_goes_to_every_destination_and_is_read_once() -> None:
    stage = Stage([TO_WEST, rule(NORTH, rule_id="north")])
    source = stage.put(tags={"team": "blue"})
    stage.rest()
    assert stage.replicas(bucket=WEST) == stage.replicas(bucket=NORTH) == [source.version_id]
    assert len(stage.calls("HEAD")) == len(stage.calls("GET TAGS")) == 1
    assert stage.told == [DONE, DONE]


def test_the_rule_of_highest_priority_for_a_destination_is_the_one() -> None:
    low, high = rule(WEST, rule_id="low", priority=1), rule(WEST, rule_id="high", priority=2)
    stage = Stage([low, high])
    stage.put()
    stage.rest()
    assert [outcome.rule_id for outcome in stage.outcomes] == ["high"]
    assert len(stage.replicas()) == 1


def test_a_tag_filter_is_looked_at_with_the_tags_that_the_version_has() -> None:
    stage = Stage([rule(WEST, tags={"class": "gold"})])
    stage.put("gold", tags={"class": "gold"})
    stage.put("tin", tags={"class": "tin"})
    stage.rest()
    assert stage.replicas("gold") != []
    assert stage.replicas("tin") == []
    assert sorted(stage.told, key=str) == [DONE, (Status.SKIPPED, Reason.NO_RULE)]
    assert [outcome.rule_id for outcome in stage.outcomes if outcome.status is Status.COMPLETED] == ["rule"]


def test_a_disabled_rule_is_named_as_the_reason_and_costs_nothing() -> None:
    stage = Stage([replace(rule(WEST, prefix="photos/"), enabled=False)])
    stage.put("photos/1")
    stage.rest()
    assert skipped(stage) is Reason.NO_RULE
    assert [outcome.detail for outcome in stage.outcomes] == ["every rule that names its key is disabled"]
    assert stage.points.calls == []


def test_what_no_rule_wants_costs_nothing() -> None:
    stage = Stage([rule(WEST, prefix="photos/")])
    stage.put("notes/1")
    stage.rest()
    assert skipped(stage) is Reason.NO_RULE
    assert stage.points.calls == []


def test_what_a_replicator_wrote_costs_nothing() -> None:
    stage = Stage([TO_WEST])
    stage.s3.put(EAST, "k", stage.put("other").content, OURS)
    [other] = [letter for letter in stage.queue.visible() if "other" in letter.body]
    stage.queue.delete([other.id])
    stage.rest()
    assert skipped(stage) is Reason.OWN_WRITE
    assert stage.points.calls == []


def test_a_replica_whose_writer_is_not_named_costs_one_head() -> None:
    """As EventBridge tells of it, or to a stack that does not know its peer."""
    stage = Stage([TO_WEST])
    stage.put()
    stage.rest()
    [replica] = stage.s3.buckets[WEST].history("k")
    stage.rule_sets.put(WEST, rule(EAST, rule_id="back"))
    stage.points.calls.clear()
    stage.queue.send(eventbridge(Happening("ObjectCreated:Copy", WEST, "k", replica, OURS, stage.s3.clock.now)))
    stage.rest()
    assert stage.told[1:] == [(Status.SKIPPED, Reason.REPLICA)]
    assert [call.operation for call in stage.points.calls] == ["READ", "HEAD"]


def test_a_delete_marker_goes_over_when_the_rule_says_so() -> None:
    stage = Stage([rule(WEST, delete_markers=True)])
    source = stage.put()
    stage.rest()
    stage.s3.delete(EAST, "k")
    stage.rest()
    assert stage.replicas() == [source.version_id, "-"]
    assert stage.told == [DONE, DONE]


def test_and_stays_when_it_does_not() -> None:
    stage = Stage([TO_WEST])
    stage.put()
    stage.rest()
    stage.s3.delete(EAST, "k")
    stage.rest()
    assert stage.told[1:] == [(Status.SKIPPED, Reason.MARKERS_NOT_SELECTED)]
    assert len(stage.replicas()) == 1


def test_lifecycle_deletes_on_its_own_side_only() -> None:
    stage = Stage([rule(WEST, delete_markers=True)])
    stage.put()
    stage.rest()
    stage.s3.expire(EAST, "k")
    stage.rest()
    assert stage.told[1:] == [(Status.SKIPPED, Reason.KIND_NOT_REPLICATED)]
    assert "-" not in stage.replicas()


def test_a_permanent_deletion_stays_where_it_is() -> None:
    stage = Stage([rule(WEST, delete_markers=True)])
    source = stage.put()
    stage.rest()
    stage.s3.destroy(EAST, "k", source.version_id)
    stage.rest()
    assert stage.told[1:] == [(Status.SKIPPED, Reason.KIND_NOT_REPLICATED)]
    assert stage.replicas() == [source.version_id]


def test_a_null_version_is_replicated_each_time_it_is_overwritten() -> None:
    stage = Stage([TO_WEST])
    stage.s3.buckets[EAST].versioning = "Suspended"
    stage.put(body=b"first")
    stage.rest()
    stage.put(body=b"second")
    stage.rest()
    assert [stored.content.body for stored in stage.s3.buckets[WEST].history("k")] == [b"first", b"second"]


def test_a_version_whose_mark_finds_no_room_in_the_metadata_carries_it_as_a_tag() -> None:
    stage = Stage([TO_WEST])
    source = stage.put(metadata={"note": "x" * (METADATA_LIMIT - 4)})
    stage.rest()
    assert stage.replicas() == [source.version_id]
    [replica] = stage.s3.buckets[WEST].history("k")
    assert "replication-origin" in replica.content.tags
