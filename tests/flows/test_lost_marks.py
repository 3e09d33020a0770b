"""Replicas whose marks users changed: a tag that is gone, or metadata that they edited by a copy onto itself."""

from dataclasses import replace

import pytest
from replicator.core.versions.origin import MARK, METADATA_LIMIT
from replicator.flows.reading import Versions

from tests.fakes.rules import rule
from tests.fakes.stored import Stored
from tests.flows.stage import EAST, WEST, Stage

FULL = {"note": "x" * (METADATA_LIMIT - len("note"))}


def replicated_with_a_tag_as_mark() -> tuple[Stage, Stored, Stored]:
    """Return a stage with a version whose metadata is full, and its replica, which has its mark as a tag."""
    stage = Stage([rule(WEST, rule_id="all")])
    version = stage.put(metadata=FULL, tags={"team": "blue"})
    stage.deliver_all()
    replica = stage.s3.buckets[WEST].current("k")
    assert replica is not None
    assert MARK in replica.content.tags
    return stage, version, replica


def test_a_replica_that_lost_the_tag_that_was_its_mark_is_still_one() -> None:
    """Were it native, its version would count as missing there, and be copied once more."""
    stage, version, replica = replicated_with_a_tag_as_mark()
    stage.s3.tag(WEST, "k", replica.version_id, {"mine": "yes"})
    stage.services.marks._known.clear()
    stage.s3.tag(EAST, "k", version.version_id, {"team": "red"})
    stage.deliver_all()
    assert len(stage.s3.buckets[WEST].history("k")) == 1
    assert replica.content.tags["team"] == "red"


def test_a_version_with_the_same_metadata_and_other_bytes_is_no_replica() -> None:
    stage, version, _ = replicated_with_a_tag_as_mark()
    other = stage.put(body=b"other bytes", metadata=FULL)
    stage.deliver_all()
    assert stage.replicas() == [version.version_id, other.version_id]


def test_the_mark_stays_when_the_version_gets_other_tags() -> None:
    stage, version, replica = replicated_with_a_tag_as_mark()
    mark = replica.content.tags[MARK]
    stage.s3.tag(EAST, "k", version.version_id, {f"t{number}": "x" for number in range(9)})
    stage.deliver_all()
    assert replica.content.tags[MARK] == mark
    assert len(replica.content.tags) == 10


def edit(stage: Stage, metadata: dict[str, str]) -> Stored:
    """Copy a replica onto itself with other metadata, as the console does: its mark is copied along."""
    replica = stage.s3.buckets[WEST].current("k")
    assert replica is not None
    edited = replace(replica.content, metadata={**replica.content.metadata, **metadata})
    return stage.s3.put(WEST, "k", edited, name="ObjectCreated:Copy", parent=replica)


def is_native(stage: Stage, stored: Stored) -> bool:
    objects = stage.services.buckets.source(WEST)
    return Versions(objects, WEST, "k", lambda: False).mark(stored.version_id) is None


@pytest.mark.parametrize("metadata", [{"colour": "green"}, FULL], ids=["its mark in the metadata", "its mark a tag"])
def test_a_replica_that_a_user_copied_onto_itself_with_other_metadata_is_native(metadata: dict[str, str]) -> None:
    """It must be replicated back: its mark says what it had, and the version below has the same mark."""
    stage = Stage([rule(WEST, rule_id="all")])
    stage.put(metadata=metadata)
    stage.deliver_all()
    for changed in ({"colour": "red"}, {"note": "short"}):
        assert is_native(stage, edit(stage, changed))


def test_a_replica_whose_metadata_the_store_changed_is_still_one() -> None:
    """Some servers normalize what they store. If such a replica counted as native, it would loop."""
    stage = Stage([rule(WEST, rule_id="all")])
    stage.put(metadata={"colour": "green"})
    stage.deliver_all()
    replica = stage.s3.buckets[WEST].current("k")
    assert replica is not None
    replica.content = replace(replica.content, metadata={**replica.content.metadata, "colour": "Green"})
    assert not is_native(stage, replica)
