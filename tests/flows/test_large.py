"""Large objects: copied in one request, by one function or by many, while other things happen to their key."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.versions.version import Encryption, Grant, Lock

from tests.fakes.rules import rule
from tests.fakes.s3 import USER
from tests.fakes.uploads import MemoryUploads
from tests.flows.large_stage import SCALE, SCALED_DOWN, LargeStage
from tests.flows.stage import EAST, OURS, WEST

COMPLETED = (Status.COMPLETED, None)


@pytest.fixture
def stage() -> LargeStage:
    return LargeStage([rule(WEST, delete_markers=True)])


@pytest.fixture(autouse=True)
def nothing_is_left(stage: LargeStage) -> Iterator[None]:
    yield
    assert stage.leftovers() == []
    assert [dead.outcome for dead in stage.queue.dead] == []


def test_a_small_object_is_copied_in_one_request(stage: LargeStage) -> None:
    stage.put_large(b"one")
    stage.deliver_all()
    assert len(stage.calls("COPY")) == 1
    assert stage.calls("START", "FIND UPLOAD", "FIND UPLOADS") == []


def test_a_larger_object_is_copied_in_parts_by_one_function(stage: LargeStage) -> None:
    version = stage.put_large(b"fives")
    stage.deliver()
    assert stage.part_queue.messages == {}
    assert len(stage.calls("COPY PART")) == 5
    assert stage.body() == b"fives"
    assert stage.replicas() == [version.version_id]
    assert stage.counted == [COMPLETED]


def test_a_large_object_is_copied_in_parts_by_many_functions(stage: LargeStage) -> None:
    version = stage.put_large(b"seven77")
    assert stage.deliver() == []
    assert len(stage.part_queue.messages) == 4
    assert stage.waiting() == {version.version_id: (Status.PENDING, Reason.PARTS_UNDER_WAY)}
    for _ in range(4):
        assert stage.body() is None
        assert stage.run_worker() == []
    assert stage.body() == b"seven77"
    assert stage.counted == [COMPLETED]
    assert stage.outcomes[0].size == 7 * SCALE


def test_part_messages_can_be_processed_in_any_order(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver()
    for message in reversed(stage.part_queue.visible()):
        stage.run_worker(message)
    assert stage.body() == b"seven77"


def test_a_copy_in_parts_carries_everything_that_a_copy_in_one_request_carries(stage: LargeStage) -> None:
    stage.s3.buckets[EAST].acls_enabled = stage.s3.buckets[WEST].acls_enabled = True
    stage.s3.buckets[WEST].object_lock = True
    reader = Grant("READ", 'id="somebody"')
    carried: dict[str, Any] = {
        "metadata": {"a": "b"},
        "headers": {"ContentType": "image/png"},
        "tags": {"team": "blue"},
        "grants": (reader,),
        "storage_class": "STANDARD_IA",
        "encryption": Encryption("AES256"),
        "lock": Lock("GOVERNANCE", "2030-01-01T00:00:00+00:00"),
    }
    small = stage.put_large(b"one", "small", **carried)
    large = stage.put_large(b"seven77", "large", **carried)
    stage.deliver_all()
    one, many = (stage.s3.buckets[WEST].current(key) for key in ("small", "large"))
    assert one
    assert many
    for name in ("headers", "tags", "grants", "storage_class", "encryption", "lock"):
        assert getattr(many.content, name) == getattr(one.content, name), name
    assert many.content.metadata.keys() == one.content.metadata.keys()
    assert stage.replicas("small") + stage.replicas("large") == [small.version_id, large.version_id]


def test_metadata_and_tags_are_sent_where_one_request_would_let_s3_copy_them(stage: LargeStage) -> None:
    full = {"note": "x" * 2040}
    tags = {f"tag{number}": "x" for number in range(9)}
    stage.put_large(b"seven77", metadata=full, tags=tags)
    stage.deliver_all()
    current = stage.s3.buckets[WEST].current("k")
    assert current
    assert current.content.metadata == full
    assert tags.items() <= current.content.tags.items()
    assert "replication-origin" in current.content.tags


def test_annotations_of_a_large_object_are_copied(stage: LargeStage) -> None:
    version = stage.put_large(b"seven77")
    notes = {f"note {number}": bytes([number]) for number in range(40)}
    stage.uploads.annotations[EAST, "k", version.version_id] = dict(notes)
    stage.deliver_all()
    replica = stage.s3.buckets[WEST].current("k")
    assert replica
    assert stage.uploads.annotations[WEST, "k", replica.version_id] == notes


def test_a_duplicate_event_finds_the_upload_and_sends_no_messages(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    [message] = stage.queue.visible()
    again = stage.queue.send(message.body)
    stage.deliver(message)
    assert stage.deliver(again) == []
    assert len(stage.calls("START")) == 1
    assert len(stage.part_queue.messages) == 4
    stage.deliver_all()
    assert len(stage.replicas()) == 1


def test_duplicates_of_every_part_message_change_nothing(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.queue.send(stage.queue.visible()[0].body)
    stage.deliver()
    for message in stage.part_queue.visible():
        stage.part_queue.send(message.body)
        stage.part_queue.send(message.body)
    stage.deliver_all()
    assert len(stage.replicas()) == 1
    assert stage.counted == [COMPLETED]


def test_a_newer_small_version_does_not_wait_for_a_large_one_and_stays_on_top(stage: LargeStage) -> None:
    large = stage.put_large(b"seven77")
    stage.deliver()
    stage.run_worker()
    small = stage.put(body=b"new")
    stage.deliver()
    assert stage.body() == b"new"
    stage.deliver_all()
    assert stage.body() == b"new"
    assert stage.replicas() == [large.version_id, small.version_id]


def test_a_newer_small_version_stays_on_top_where_uploads_are_ordered_by_completion(
    stage: LargeStage,
) -> None:
    stage.s3.by_completion, stage.uploads.strict = True, False
    large = stage.put_large(b"seven77")
    stage.deliver()
    small = stage.put(body=b"new")
    stage.deliver_all()
    assert stage.body() == b"new"
    assert stage.replicas() == [small.version_id, large.version_id, small.version_id]


def test_two_large_versions_end_in_the_order_of_their_source(stage: LargeStage) -> None:
    first, second = stage.put_large(b"seven77"), stage.put_large(b"eight888")
    stage.deliver_all()
    assert stage.body() == b"eight888"
    assert set(stage.replicas()) == {first.version_id, second.version_id}


def test_a_newer_large_version_may_be_completed_before_an_older_one_and_stays_on_top(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver()
    early = stage.part_queue.visible()
    stage.put_large(b"eight888")
    stage.deliver()
    for message in [each for each in stage.part_queue.visible() if each not in early]:
        stage.run_worker(message)
    assert stage.body() == b"eight888"
    stage.deliver_all()
    assert stage.body() == b"eight888"
    assert len(stage.replicas()) == 2


def test_a_late_older_version_does_not_end_on_top_of_a_large_one(stage: LargeStage) -> None:
    """What is on top came after the upload was begun, so S3 would put the replica below it: the upload starts over."""
    older = stage.put(body=b"old")
    large = stage.put_large(b"seven77")
    late, first = stage.queue.visible()
    stage.deliver(first)
    stage.s3.clock.advance(5)
    stage.deliver(late)
    stage.deliver_all()
    assert stage.body() == b"seven77"
    assert sorted(stage.replicas()) == sorted([older.version_id, large.version_id])


def test_an_upload_ends_when_its_source_is_deleted_for_good(stage: LargeStage) -> None:
    version = stage.put_large(b"seven77")
    stage.deliver()
    stage.run_worker()
    stage.s3.destroy(EAST, "k", version.version_id)
    stage.deliver_all()
    assert stage.replicas() == []
    assert (Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND) in stage.counted


def test_a_source_that_is_deleted_for_good_when_all_parts_are_copied_gets_no_replica(stage: LargeStage) -> None:
    version = stage.put_large(b"seven77")
    stage.deliver()
    for message in stage.part_queue.visible()[:3]:
        stage.run_worker(message)
    stage.just_before("LIST PARTS", lambda: stage.s3.destroy(EAST, "k", version.version_id))
    stage.deliver_all()
    assert stage.replicas() == []


def test_a_large_version_of_a_key_that_is_deleted_meanwhile_ends_below_the_delete_marker(
    stage: LargeStage,
) -> None:
    stage.put_large(b"seven77")
    stage.deliver()
    stage.s3.clock.advance(1)
    stage.s3.delete(EAST, "k")
    stage.deliver_all()
    assert stage.body() is None
    assert len([version for version in stage.replicas() if version != "-"]) == 1


def test_a_delete_does_not_wait_for_a_large_version(stage: LargeStage) -> None:
    stage.put(body=b"old")
    stage.deliver()
    stage.put_large(b"seven77")
    stage.deliver()
    stage.s3.clock.advance(1)
    stage.s3.delete(EAST, "k")
    stage.deliver()
    assert stage.body() is None
    stage.deliver_all()
    assert stage.body() is None
    assert len([version for version in stage.replicas() if version != "-"]) == 2


def test_a_null_version_that_is_overwritten_while_it_is_copied_starts_a_new_upload(stage: LargeStage) -> None:
    stage.s3.buckets[EAST].versioning = "Suspended"
    stage.put_large(b"seven77")
    stage.deliver()
    stage.run_worker()
    stage.put_large(b"eight888")
    stage.deliver_all()
    assert stage.body() == b"eight888"
    assert len(stage.replicas()) == 1


def test_an_upload_ends_when_its_rule_is_removed(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver()
    stage.rule_sets.put(EAST)
    stage.deliver_all()
    assert stage.replicas() == []


def test_a_write_at_the_destination_while_parts_are_copied_ends_below(stage: LargeStage) -> None:
    """One-way, the source wins; a guard that fails costs a new listing, not the upload."""
    version = stage.put_large(b"seven77")
    stage.deliver()
    stage.put(body=b"theirs", bucket=WEST)
    stage.deliver_all()
    assert stage.body() == b"seven77"
    assert stage.replicas() == ["-", version.version_id]


def test_a_write_at_the_destination_right_before_the_completion_is_found_by_the_guard(stage: LargeStage) -> None:
    version = stage.put_large(b"seven77")
    stage.deliver()
    stage.just_before("COMPLETE", lambda: stage.put(body=b"theirs", bucket=WEST))
    stage.deliver_all()
    assert stage.body() == b"seven77"
    assert stage.replicas().count(version.version_id) == 1


def test_a_worker_that_runs_out_of_time_leaves_its_other_parts_to_the_next_delivery(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver()
    turns = iter([True, False])
    stage.may_begin = lambda: next(turns, True)
    [message, *_] = stage.part_queue.visible()
    assert stage.run_worker(message) == [message.id]
    copied = len(stage.calls("COPY PART"))
    stage.deliver_all()
    assert (copied, len(stage.calls("COPY PART"))) == (1, 7)
    assert stage.body() == b"seven77"


def test_a_source_whose_parts_its_bucket_does_not_know_is_copied_in_other_parts(
    stage: LargeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryUploads, "part_size", lambda *_: 0)
    stage.rule_sets.put(EAST, replace(rule(WEST), preserve_etag=True))
    stage.put_large(b"abcdefgh", parts=3, part_sizes=(1, 5, 2))
    stage.deliver_all()
    assert stage.body() == b"abcdefgh"


def test_boundaries_that_would_be_kept_because_they_cost_little_are_not_if_the_bucket_does_not_know_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(MemoryUploads, "part_size", lambda *_: 0)
    stage = LargeStage([rule(WEST)], model=replace(SCALED_DOWN, part_size=0))
    stage.put_large(b"abcdefgh", parts=8, part_sizes=(1,) * 8)
    stage.deliver_all()
    _, outcome = stage.log.outcomes[-1]
    assert outcome.reason is Reason.PARTS_UNDER_WAY


def test_the_part_sizes_and_the_etag_of_the_source_are_kept_if_the_rule_says_so(stage: LargeStage) -> None:
    stage.rule_sets.put(EAST, replace(rule(WEST), preserve_etag=True))
    version = stage.put_large(b"abcdefgh", parts=3, part_sizes=(1, 5, 2))
    small = stage.put_large(b"ab", "small", parts=2, part_sizes=(1, 1))
    stage.deliver_all()
    for key, source in (("k", version), ("small", small)):
        replica = stage.s3.buckets[WEST].current(key)
        assert replica
        assert replica.content.part_sizes == source.content.part_sizes
        assert replica.etag == source.etag


def test_an_object_that_was_uploaded_in_one_piece_keeps_its_etag_if_the_rule_says_so(stage: LargeStage) -> None:
    stage.rule_sets.put(EAST, replace(rule(WEST), preserve_etag=True))
    version = stage.put_large(b"seven77")
    stage.deliver_all()
    replica = stage.s3.buckets[WEST].current("k")
    assert replica
    assert replica.etag == version.etag
    assert stage.calls("START") == []


def test_an_object_with_metadata_that_no_head_shows_is_copied_in_one_request(stage: LargeStage) -> None:
    stage.put_large(b"seven77", unseen_metadata=1)
    stage.deliver_all()
    assert len(stage.calls("COPY")) == 1
    assert stage.body() == b"seven77"


def test_a_large_replica_is_written_by_the_replicator(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver_all()
    current = stage.s3.buckets[WEST].current("k")
    assert current
    assert current.author == OURS != USER
