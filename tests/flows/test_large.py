"""Large objects on their way: in one function, over many, and in whatever order things happen meanwhile."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.versions.version import Encryption, Grant, Lock

from tests.fakes.rules import rule
from tests.fakes.s3 import USER
from tests.flows.large_stage import SCALE, LargeStage
from tests.flows.stage import EAST, OURS, WEST

COMPLETED = (Status.COMPLETED, None)


@pytest.fixture
def stage() -> LargeStage:
    return LargeStage([rule(WEST, delete_markers=True)])


@pytest.fixture(autouse=True)
def nothing_is_left(stage: LargeStage) -> Iterator[None]:
    yield
    assert stage.leftovers() == []
    assert [letter.outcome for letter in stage.queue.dead] == []


def test_a_small_object_goes_in_one_request(stage: LargeStage) -> None:
    stage.put_large(b"one")
    stage.rest()
    assert len(stage.calls("COPY")) == 1
    assert stage.calls("START", "UPLOAD?", "UPLOADS?") == []


def test_a_larger_one_goes_as_parts_in_one_function(stage: LargeStage) -> None:
    version = stage.put_large(b"fives")
    stage.deliver()
    assert stage.parts.letters == {}
    assert len(stage.calls("COPY PART")) == 5
    assert stage.body() == b"fives"
    assert stage.replicas() == [version.version_id]
    assert stage.told == [COMPLETED]


def test_a_large_one_goes_over_many(stage: LargeStage) -> None:
    version = stage.put_large(b"seven77")
    assert stage.deliver() == []
    assert len(stage.parts.letters) == 4
    assert stage.waiting() == {version.version_id: (Status.PENDING, Reason.PARTS_UNDER_WAY)}
    for _ in range(4):
        assert stage.body() is None
        assert stage.work() == []
    assert stage.body() == b"seven77"
    assert stage.told == [COMPLETED]
    assert stage.outcomes[0].size == 7 * SCALE


def test_parts_are_copied_in_any_order(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver()
    for letter in reversed(stage.parts.visible()):
        stage.work(letter)
    assert stage.body() == b"seven77"


def test_everything_goes_over_that_a_single_copy_carries(stage: LargeStage) -> None:
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
    stage.rest()
    one, many = (stage.s3.buckets[WEST].current(key) for key in ("small", "large"))
    assert one
    assert many
    for name in ("headers", "tags", "grants", "storage_class", "encryption", "lock"):
        assert getattr(many.content, name) == getattr(one.content, name), name
    assert many.content.metadata.keys() == one.content.metadata.keys()
    assert stage.replicas("small") + stage.replicas("large") == [small.version_id, large.version_id]


def test_metadata_and_tags_are_sent_even_if_one_request_would_have_kept_them(stage: LargeStage) -> None:
    full = {"note": "x" * 2040}
    tags = {f"tag{number}": "x" for number in range(9)}
    stage.put_large(b"seven77", metadata=full, tags=tags)
    stage.rest()
    current = stage.s3.buckets[WEST].current("k")
    assert current
    assert current.content.metadata == full
    assert tags.items() <= current.content.tags.items()
    assert "replication-origin" in current.content.tags


def test_annotations_are_carried_over(stage: LargeStage) -> None:
    version = stage.put_large(b"seven77")
    notes = {f"note {number}": bytes([number]) for number in range(40)}
    stage.uploads.annotations[EAST, "k", version.version_id] = dict(notes)
    stage.rest()
    replica = stage.s3.buckets[WEST].current("k")
    assert replica
    assert stage.uploads.annotations[WEST, "k", replica.version_id] == notes


def test_a_second_event_finds_the_upload_and_sends_nothing(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    [letter] = stage.queue.visible()
    again = stage.queue.send(letter.body)
    stage.deliver(letter)
    assert stage.deliver(again) == []
    assert len(stage.calls("START")) == 1
    assert len(stage.parts.letters) == 4
    stage.rest()
    assert len(stage.replicas()) == 1


def test_duplicates_of_every_message_change_nothing(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.queue.send(stage.queue.visible()[0].body)
    stage.deliver()
    for letter in stage.parts.visible():
        stage.parts.send(letter.body)
        stage.parts.send(letter.body)
    stage.rest()
    assert len(stage.replicas()) == 1
    assert stage.told == [COMPLETED]


def test_a_newer_small_version_does_not_wait_and_stays_on_top(stage: LargeStage) -> None:
    large = stage.put_large(b"seven77")
    stage.deliver()
    stage.work()
    small = stage.put(body=b"new")
    stage.deliver()
    assert stage.body() == b"new"
    stage.rest()
    assert stage.body() == b"new"
    assert stage.replicas() == [large.version_id, small.version_id]


def test_the_same_where_objects_stand_where_they_were_completed(stage: LargeStage) -> None:
    stage.s3.by_completion, stage.uploads.strict = True, False
    large = stage.put_large(b"seven77")
    stage.deliver()
    small = stage.put(body=b"new")
    stage.rest()
    assert stage.body() == b"new"
    assert stage.replicas() == [small.version_id, large.version_id, small.version_id]


def test_two_large_versions_end_in_order(stage: LargeStage) -> None:
    first, second = stage.put_large(b"seven77"), stage.put_large(b"eight888")
    stage.rest()
    assert stage.body() == b"eight888"
    assert set(stage.replicas()) == {first.version_id, second.version_id}


def test_the_second_may_be_done_before_the_first(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver()
    early = stage.parts.visible()
    stage.put_large(b"eight888")
    stage.deliver()
    for letter in [each for each in stage.parts.visible() if each not in early]:
        stage.work(letter)
    assert stage.body() == b"eight888"
    stage.rest()
    assert stage.body() == b"eight888"
    assert len(stage.replicas()) == 2


def test_an_older_version_that_comes_late_does_not_end_on_top(stage: LargeStage) -> None:
    """What it is written over stood there after the upload was begun, so S3 would keep it below: it starts over."""
    older = stage.put(body=b"old")
    large = stage.put_large(b"seven77")
    late, first = stage.queue.visible()
    stage.deliver(first)
    stage.s3.clock.advance(5)
    stage.deliver(late)
    stage.rest()
    assert stage.body() == b"seven77"
    assert sorted(stage.replicas()) == sorted([older.version_id, large.version_id])


def test_a_source_deleted_for_good_ends_its_upload(stage: LargeStage) -> None:
    version = stage.put_large(b"seven77")
    stage.deliver()
    stage.work()
    stage.s3.destroy(EAST, "k", version.version_id)
    stage.rest()
    assert stage.replicas() == []
    assert (Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND) in stage.told


def test_a_source_deleted_once_all_parts_are_there_is_not_brought_back(stage: LargeStage) -> None:
    version = stage.put_large(b"seven77")
    stage.deliver()
    for letter in stage.parts.visible()[:3]:
        stage.work(letter)
    stage.meanwhile("LIST PARTS", lambda: stage.s3.destroy(EAST, "k", version.version_id))
    stage.rest()
    assert stage.replicas() == []


def test_a_delete_meanwhile_ends_deleted_with_a_complete_history(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver()
    stage.s3.clock.advance(1)
    stage.s3.delete(EAST, "k")
    stage.rest()
    assert stage.body() is None
    assert len([version for version in stage.replicas() if version != "-"]) == 1


def test_a_delete_of_what_was_there_before_does_not_wait(stage: LargeStage) -> None:
    stage.put(body=b"old")
    stage.deliver()
    stage.put_large(b"seven77")
    stage.deliver()
    stage.s3.clock.advance(1)
    stage.s3.delete(EAST, "k")
    stage.deliver()
    assert stage.body() is None
    stage.rest()
    assert stage.body() is None
    assert len([version for version in stage.replicas() if version != "-"]) == 2


def test_a_null_version_overwritten_meanwhile_is_begun_anew(stage: LargeStage) -> None:
    stage.s3.buckets[EAST].versioning = "Suspended"
    stage.put_large(b"seven77")
    stage.deliver()
    stage.work()
    stage.put_large(b"eight888")
    stage.rest()
    assert stage.body() == b"eight888"
    assert len(stage.replicas()) == 1


def test_a_rule_that_goes_ends_the_upload(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver()
    stage.rule_sets.put(EAST)
    stage.rest()
    assert stage.replicas() == []


def test_a_write_at_the_destination_meanwhile_is_put_below(stage: LargeStage) -> None:
    """One-way, the source is right; a guard that fails costs a new look, not the object."""
    version = stage.put_large(b"seven77")
    stage.deliver()
    stage.put(body=b"theirs", bucket=WEST)
    stage.rest()
    assert stage.body() == b"seven77"
    assert stage.replicas() == ["-", version.version_id]


def test_a_write_between_the_decision_and_the_completion_is_seen(stage: LargeStage) -> None:
    version = stage.put_large(b"seven77")
    stage.deliver()
    stage.meanwhile("COMPLETE", lambda: stage.put(body=b"theirs", bucket=WEST))
    stage.rest()
    assert stage.body() == b"seven77"
    assert stage.replicas().count(version.version_id) == 1


def test_a_worker_out_of_time_leaves_the_rest_to_the_next(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.deliver()
    turns = iter([True, False])
    stage.may_begin = lambda: next(turns, True)
    [letter, *_] = stage.parts.visible()
    assert stage.work(letter) == [letter.id]
    copied = len(stage.calls("COPY PART"))
    stage.rest()
    assert (copied, len(stage.calls("COPY PART"))) == (1, 7)
    assert stage.body() == b"seven77"


def test_the_sources_boundaries_are_kept_when_the_rule_asks(stage: LargeStage) -> None:
    stage.rule_sets.put(EAST, replace(rule(WEST), preserve_etag=True))
    version = stage.put_large(b"abcdefgh", parts=3, part_sizes=(1, 5, 2))
    small = stage.put_large(b"ab", "small", parts=2, part_sizes=(1, 1))
    stage.rest()
    for key, source in (("k", version), ("small", small)):
        replica = stage.s3.buckets[WEST].current(key)
        assert replica
        assert replica.content.part_sizes == source.content.part_sizes
        assert replica.etag == source.etag


def test_nor_does_an_object_that_was_uploaded_in_one_piece_become_one_of_parts(stage: LargeStage) -> None:
    stage.rule_sets.put(EAST, replace(rule(WEST), preserve_etag=True))
    version = stage.put_large(b"seven77")
    stage.rest()
    replica = stage.s3.buckets[WEST].current("k")
    assert replica
    assert replica.etag == version.etag
    assert stage.calls("START") == []


def test_what_only_one_request_can_copy_is_copied_by_one(stage: LargeStage) -> None:
    stage.put_large(b"seven77", unseen_metadata=1)
    stage.rest()
    assert len(stage.calls("COPY")) == 1
    assert stage.body() == b"seven77"


def test_who_writes_what_is_known(stage: LargeStage) -> None:
    stage.put_large(b"seven77")
    stage.rest()
    current = stage.s3.buckets[WEST].current("k")
    assert current
    assert current.author == OURS != USER
