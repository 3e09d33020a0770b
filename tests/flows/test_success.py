"""Changes that meet no trouble: what they cost, and what is at the destination afterwards."""

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


def made(stage: Stage) -> list[str]:
    """Return the requests about the change: the gates are read once in ten seconds, whatever comes."""
    return [call.operation for call in stage.points.calls if call.operation != "READ GATES"]


def skipped(stage: Stage) -> Reason | None:
    [(status, reason)] = stage.counted
    assert status is Status.SKIPPED
    assert stage.log.outcomes, "every outcome that is not COMPLETED is logged"
    return reason


def test_the_first_version_of_a_key_costs_four_requests() -> None:
    stage = Stage([TO_WEST])
    stage.put()
    stage.deliver_all()
    assert made(stage) == ["READ", "HEAD", "COPY", "SETTLE"]


def test_a_further_version_of_a_key_costs_four_requests() -> None:
    stage = Stage([TO_WEST])
    stage.put()
    stage.deliver_all()
    stage.points.calls.clear()
    stage.put(body=b"more")
    stage.deliver_all()
    assert [call.operation for call in stage.points.calls] == ["READ", "HEAD", "COPY", "SETTLE"]


def test_a_replica_has_the_bytes_metadata_headers_tags_and_storage_class_of_its_source() -> None:
    stage = Stage([TO_WEST])
    stage.put(metadata={"a": "b"}, headers={"ContentType": "t"}, tags={"team": "blue"}, storage_class="STANDARD_IA")
    stage.deliver_all()
    [replica] = stage.s3.buckets[WEST].history("k")
    assert replica.content.body == b"bytes"
    assert replica.content.metadata["a"] == "b"
    assert replica.content.headers == {"ContentType": "t"}
    assert replica.content.tags == {"team": "blue", "replication-status": "REPLICA"}
    assert replica.content.storage_class == "STANDARD_IA"


def test_the_outcome_of_a_copy_has_its_rule_destination_origin_size_and_latency() -> None:
    stage = Stage([TO_WEST])
    source = stage.put()
    stage.s3.clock.advance(2.5)
    stage.deliver_all()
    [outcome] = stage.outcomes
    assert (outcome.rule_id, outcome.destination, str(outcome.origin)) == ("all", WEST, f"{EAST}/{source.version_id}")
    assert (outcome.size, outcome.latency_ms) == (5, 2500)
    assert stage.measures.flushes == 1


def test_tags_are_read_only_if_a_version_has_any() -> None:
    stage = Stage([TO_WEST])
    stage.put("plain")
    stage.put("tagged", tags={"team": "blue"})
    stage.deliver_all()
    assert stage.calls("GET TAGS") == [f"GET TAGS east/tagged {stage.s3.buckets[EAST].history('tagged')[0].version_id}"]


def test_tags_are_read_wherever_the_source_does_not_tell_their_number() -> None:
    stage = Stage([TO_WEST])
    stage.s3.buckets[EAST].counts_tags = False
    stage.put("plain")
    stage.put("tagged", tags={"team": "blue"})
    stage.deliver_all()
    assert len(stage.calls("GET TAGS")) == 2
    [replica] = stage.s3.buckets[WEST].history("tagged")
    assert replica.content.tags["team"] == "blue"


def test_an_acl_is_read_and_copied_only_where_both_buckets_have_acls() -> None:
    for here, there in ((True, True), (True, False), (False, True)):
        stage = Stage([TO_WEST])
        stage.s3.buckets[EAST].acls_enabled, stage.s3.buckets[WEST].acls_enabled = here, there
        stage.put(grants=(READ,))
        stage.deliver_all()
        [replica] = stage.s3.buckets[WEST].history("k")
        copied = here and there
        found = (len(stage.calls("GET ACL")), replica.content.grants)
        assert found == ((1, (READ,)) if copied else (0, ())), f"source: {here}, destination: {there}"


def test_a_version_is_copied_to_every_destination_and_read_once() -> None:
    stage = Stage([TO_WEST, rule(NORTH, rule_id="north")])
    source = stage.put(tags={"team": "blue"})
    stage.deliver_all()
    assert stage.replicas(bucket=WEST) == stage.replicas(bucket=NORTH) == [source.version_id]
    assert len(stage.calls("HEAD")) == len(stage.calls("GET TAGS")) == 1
    assert stage.counted == [DONE, DONE]


def test_the_rule_of_highest_priority_for_a_destination_is_used() -> None:
    low, high = rule(WEST, rule_id="low", priority=1), rule(WEST, rule_id="high", priority=2)
    stage = Stage([low, high])
    stage.put()
    stage.deliver_all()
    assert [outcome.rule_id for outcome in stage.outcomes] == ["high"]
    assert len(stage.replicas()) == 1


def test_a_tag_filter_selects_by_the_tags_of_the_version() -> None:
    stage = Stage([rule(WEST, tags={"class": "gold"})])
    stage.put("gold", tags={"class": "gold"})
    stage.put("tin", tags={"class": "tin"})
    stage.deliver_all()
    assert stage.replicas("gold") != []
    assert stage.replicas("tin") == []
    assert sorted(stage.counted, key=str) == [DONE, (Status.SKIPPED, Reason.NO_RULE)]
    assert [outcome.rule_id for outcome in stage.outcomes if outcome.status is Status.COMPLETED] == ["rule"]


def test_a_key_of_a_disabled_rule_is_skipped_with_that_reason_and_without_a_request() -> None:
    stage = Stage([replace(rule(WEST, prefix="photos/"), enabled=False)])
    stage.put("photos/1")
    stage.deliver_all()
    assert skipped(stage) is Reason.NO_RULE
    assert [outcome.detail for outcome in stage.outcomes] == ["every rule that names its key is disabled"]
    assert made(stage) == []


def test_a_key_that_no_rule_selects_costs_no_request() -> None:
    stage = Stage([rule(WEST, prefix="photos/")])
    stage.put("notes/1")
    stage.deliver_all()
    assert skipped(stage) is Reason.NO_RULE
    assert made(stage) == []


def test_a_version_that_a_replicator_wrote_costs_no_request() -> None:
    stage = Stage([TO_WEST])
    stage.s3.put(EAST, "k", stage.put("other").content, OURS)
    [other] = [message for message in stage.queue.visible() if "other" in message.body]
    stage.queue.delete([other.id])
    stage.deliver_all()
    assert skipped(stage) is Reason.OWN_WRITE
    assert stage.points.calls == []


def test_a_replica_whose_event_names_no_writer_costs_one_head() -> None:
    """As in an event from EventBridge, or in a stack that does not know the other stack's role."""
    stage = Stage([TO_WEST])
    stage.put()
    stage.deliver_all()
    [replica] = stage.s3.buckets[WEST].history("k")
    stage.rule_sets.put(WEST, rule(EAST, rule_id="back"))
    stage.points.calls.clear()
    stage.queue.send(eventbridge(Happening("ObjectCreated:Copy", WEST, "k", replica, OURS, stage.s3.clock.now)))
    stage.deliver_all()
    assert stage.counted[1:] == [(Status.SKIPPED, Reason.REPLICA)]
    assert [call.operation for call in stage.points.calls] == ["READ", "HEAD"]


def test_a_delete_marker_is_replicated_if_the_rule_says_so() -> None:
    stage = Stage([rule(WEST, delete_markers=True)])
    source = stage.put()
    stage.deliver_all()
    stage.s3.delete(EAST, "k")
    stage.deliver_all()
    assert stage.replicas() == [source.version_id, "-"]
    assert stage.counted == [DONE, DONE]


def test_a_delete_marker_is_skipped_if_the_rule_does_not_say_so() -> None:
    stage = Stage([TO_WEST])
    stage.put()
    stage.deliver_all()
    stage.s3.delete(EAST, "k")
    stage.deliver_all()
    assert stage.counted[1:] == [(Status.SKIPPED, Reason.MARKERS_NOT_SELECTED)]
    assert len(stage.replicas()) == 1


def test_a_delete_marker_of_lifecycle_is_not_replicated() -> None:
    stage = Stage([rule(WEST, delete_markers=True)])
    stage.put()
    stage.deliver_all()
    stage.s3.expire(EAST, "k")
    stage.deliver_all()
    assert stage.counted[1:] == [(Status.SKIPPED, Reason.KIND_NOT_REPLICATED)]
    assert "-" not in stage.replicas()


def test_a_permanent_deletion_is_not_replicated() -> None:
    stage = Stage([rule(WEST, delete_markers=True)])
    source = stage.put()
    stage.deliver_all()
    stage.s3.destroy(EAST, "k", source.version_id)
    stage.deliver_all()
    assert stage.counted[1:] == [(Status.SKIPPED, Reason.KIND_NOT_REPLICATED)]
    assert stage.replicas() == [source.version_id]


def test_a_null_version_is_replicated_each_time_it_is_overwritten() -> None:
    stage = Stage([TO_WEST])
    stage.s3.buckets[EAST].versioning = "Suspended"
    stage.put(body=b"first")
    stage.deliver_all()
    stage.put(body=b"second")
    stage.deliver_all()
    assert [stored.content.body for stored in stage.s3.buckets[WEST].history("k")] == [b"first", b"second"]


def test_a_replica_carries_its_mark_as_a_tag_where_its_metadata_is_full() -> None:
    stage = Stage([TO_WEST])
    source = stage.put(metadata={"note": "x" * (METADATA_LIMIT - 4)})
    stage.deliver_all()
    assert stage.replicas() == [source.version_id]
    [replica] = stage.s3.buckets[WEST].history("k")
    assert "replication-origin" in replica.content.tags
