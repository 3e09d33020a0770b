"""Two names of the replicator's own that a user may have given something too: what a replica then has.

docs/limits.md, "Names that belong to the replicator".
"""

from collections.abc import Mapping

import pytest
from replicator.core.outcomes.outcome import Status
from replicator.core.versions.origin import MARK, STATUS_TAG, Origin, Site, encode_mark, find_mark

from tests.fakes.rules import rule
from tests.fakes.stored import Content
from tests.flows.stage import EAST, WEST, Stage

FULL = {"note": "x" * 2040}
"""User metadata that leaves no room for the mark: a tag carries it."""


def replica_of(metadata: Mapping[str, str], tags: Mapping[str, str], *, tagged: bool = True) -> Content:
    """Replicate a user's object, under a rule that tags replicas or does not; return what its replica has.

    It is a replica for everybody, and the object at the source stays as it was.
    """
    stage = Stage([rule(WEST, replica_tag=tagged)])
    source = stage.put(metadata=metadata, tags=tags)
    stage.deliver_all()
    assert {status for status, _ in stage.counted} == {Status.COMPLETED}
    assert (source.content.metadata, source.content.tags) == (metadata, tags)
    assert stage.s3.buckets[EAST].history("k") == [source]
    [replica] = stage.s3.buckets[WEST].history("k")
    assert find_mark(replica.content.metadata, replica.content.tags, Site(WEST, "k", replica.modified)) is not None
    return replica.content


@pytest.mark.parametrize(
    "value",
    ["scanner-7", "", encode_mark(Origin("north", "v1", 1), Site("north", "k", 1))],
    ids=["any text", "no text", "a mark of another place"],
)
def test_user_metadata_called_as_the_mark_is_overwritten_by_it(value: str) -> None:
    replica = replica_of({MARK: value, "other": "kept"}, {})
    assert replica.metadata[MARK] != value
    assert replica.metadata["other"] == "kept"


def test_a_tag_called_as_the_mark_goes_over_unless_a_tag_carries_the_mark() -> None:
    assert replica_of({}, {MARK: "scanner-7"}).tags[MARK] == "scanner-7"
    assert replica_of(FULL, {MARK: "scanner-7"}).tags[MARK] != "scanner-7"


def test_a_status_tag_of_a_user_says_replica_at_the_destination() -> None:
    assert replica_of({}, {STATUS_TAG: "approved", "team": "blue"}).tags == {STATUS_TAG: "REPLICA", "team": "blue"}


def test_a_status_tag_of_a_user_goes_over_if_the_rule_tags_no_replicas() -> None:
    assert replica_of({}, {STATUS_TAG: "approved"}, tagged=False).tags == {STATUS_TAG: "approved"}


@pytest.mark.parametrize("value", ["PENDING", "COMPLETED", "FAILED"])
def test_a_value_that_the_stack_itself_tags_sources_with_is_not_copied(value: str) -> None:
    """A user's tag with this value looks like the stack's own."""
    assert replica_of({}, {STATUS_TAG: value}, tagged=False).tags == {}


@pytest.mark.parametrize("both_ways", [False, True], ids=["from memory", "compared with both sides"])
@pytest.mark.parametrize("tagged", [False, True], ids=["replicas are not tagged", "replicas are tagged"])
def test_a_status_tag_of_a_user_is_the_same_after_a_later_change_of_tags_as_after_the_copy(
    *, tagged: bool, both_ways: bool
) -> None:
    stage = Stage([rule(WEST, replica_tag=tagged, replica_modifications=both_ways)])
    source = stage.put(tags={STATUS_TAG: "approved", "team": "blue"})
    stage.deliver_all()
    stage.s3.tag(EAST, "k", source.version_id, {STATUS_TAG: "approved", "team": "red"})
    stage.deliver_all()
    [replica] = stage.s3.buckets[WEST].history("k")
    assert replica.content.tags == {STATUS_TAG: "REPLICA" if tagged else "approved", "team": "red"}
