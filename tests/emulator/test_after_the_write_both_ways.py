"""What S3's replica modification sync does, each behaviour by a test of its own: from a replica to its source, and on.

Beside it what only two directions show: a delete marker that is removed at the other side, a replica that was put back
in the version's own bucket, a mesh. docs/after-the-write.md names these tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.failures import take_failures
from tests.emulator.later import BOTH_WAYS, MARKERS, STRANGER, Place, asked, pair
from tests.emulator.worlds import bucket, rule

MIB = 1024**2
EVERYTHING = {"ownership": "ObjectWriter", "object_lock": True}
REMOVES = {"ReplicatorOptions": {"AnnotationDeletions": "Enabled"}}
MESH = ("mesh-east", "third-east", "mesh-west")
SETTINGS = {"MultipartThreshold": str(5 * MIB), "PartSize": str(5 * MIB)}


def both(source: str, *destinations: str, **fields: Any) -> dict[str, Any]:
    """Return rules to some destinations that replicate modifications back."""
    rules = [rule(source, each, Priority=number, **fields) for number, each in enumerate(destinations, 1)]
    return {"Rules": rules}


def others(name: str) -> list[str]:
    return [each for each in MESH if each != name]


WORLD: dict[str, Any] = {
    "buckets": [
        *(bucket(f"{name}{side}", **EVERYTHING) for name in ("", "half-", "off-") for side in ("east", "west")),
        *(bucket(name, **EVERYTHING) for name in MESH),
    ],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": SETTINGS,
            "rules": {
                "east": both("east", "west", **BOTH_WAYS, **MARKERS, **REMOVES),
                "half-east": both("half-east", "half-west", **BOTH_WAYS),
                "off-east": both("off-east", "off-west"),
                **{name: both(name, *others(name), **BOTH_WAYS) for name in ("mesh-east", "third-east")},
            },
        },
        {
            "name": "peer",
            "region": "us-west-2",
            "parameters": SETTINGS,
            "rules": {
                "west": both("west", "east", **BOTH_WAYS, **MARKERS, **REMOVES),
                "half-west": both("half-west", "half-east"),
                "off-west": both("off-west", "off-east"),
                "mesh-west": both("mesh-west", *others("mesh-west"), **BOTH_WAYS),
            },
        },
    ],
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def clean(emulator: Running) -> Iterator[None]:
    yield
    assert emulator.idle()
    assert [*take_failures(emulator), *take_failures(emulator, "peer")] == []


# From a replica to its source


def test_tags_of_a_replica_go_to_its_source_and_back_again(east: Place, west: Place) -> None:
    version = east.put("tags", Tagging="a=1")
    replica = west.replica("tags", version)
    west.tag("tags", replica, a="west")
    assert east.users_tags("tags", version) == {"a": "west"}
    assert east.tags("tags", version) == {"a": "west"}, "a source gets no status tag and no mark"
    east.tag("tags", version, a="1")
    assert west.users_tags("tags", replica) == {"a": "1"}
    west.tag("tags", replica, a="west")
    assert east.users_tags("tags", version) == {"a": "west"}, "an old value that is set again is a new change"


def test_an_acl_of_a_replica_goes_to_its_source(east: Place, west: Place) -> None:
    version = east.put("acl")
    west.grant("acl", west.replica("acl", version))
    assert east.readers("acl", version) == [STRANGER]


def test_a_retention_of_a_replica_goes_to_its_source_and_is_only_ever_extended(east: Place, west: Place) -> None:
    version = east.put("retained")
    replica = west.replica("retained", version)
    west.retain("retained", replica, 2040)
    assert east.retained("retained", version) == 2040
    west.retain("retained", replica, 2035)
    assert east.retained("retained", version) == 2040


def test_an_event_hold_of_a_replica_goes_to_its_source_and_is_released_from_there(east: Place, west: Place) -> None:
    version = east.put("awaiting")
    replica = west.replica("awaiting", version)
    west.await_event("awaiting", replica, days=90)
    assert east.event_hold("awaiting", version) == ("ON", 90)
    east.await_event("awaiting", version, "OFF")
    assert west.event_hold("awaiting", replica) == ("", 0)
    assert east.days_retained("awaiting", version) == west.days_retained("awaiting", replica) == 90


def test_a_legal_hold_of_a_replica_goes_with_its_retention_and_is_lifted_from_either_side(
    east: Place, west: Place
) -> None:
    version = east.put("held")
    replica = west.replica("held", version)
    west.hold("held", replica)
    west.retain("held", replica, 2040)
    assert east.is_held("held", version)
    east.hold("held", version, "OFF")
    east.retain("held", version, 2041)
    assert not west.is_held("held", replica)


def test_annotations_of_a_replica_go_to_its_source_and_so_do_deletions_where_asked_for(
    east: Place, west: Place
) -> None:
    version = east.put("noted")
    replica = west.replica("noted", version)
    west.annotate("noted", replica, "note", "one")
    assert east.annotations("noted", version) == {"note": "one"}
    west.change("delete_object_annotation", "noted", replica, AnnotationName="note")
    assert east.annotations("noted", version) == {}


def test_a_replica_of_a_version_that_is_not_current_changes_that_version(east: Place, west: Place) -> None:
    older, newer = east.put("two", Tagging="a=1"), east.put("two", Tagging="a=1")
    west.tag("two", west.replica("two", older), a="old")
    assert [east.users_tags("two", version)["a"] for version in (older, newer)] == ["old", "1"]


def test_a_replica_copied_in_parts_changes_its_source(east: Place, west: Place) -> None:
    version = east.put("large", bytes(5 * MIB + 1), Tagging="a=1")
    west.tag("large", west.replica("large", version), a="west")
    assert east.users_tags("large", version) == {"a": "west"}


def test_an_event_that_names_no_version_finds_the_replica_that_was_changed(
    emulator: Running, east: Place, west: Place
) -> None:
    older, newer = east.put("unnamed", Tagging="a=1"), east.put("unnamed", Tagging="a=1")
    emulator.post("delivery", {"version_ids": False})
    try:
        west.tag("unnamed", west.replica("unnamed", older), a="old")
    finally:
        emulator.post("delivery", {})
    assert [east.users_tags("unnamed", version)["a"] for version in (older, newer)] == ["old", "1"]


@pytest.mark.parametrize("name", ["half", "off"])
def test_unless_both_rules_enable_it_a_change_at_a_replica_stays_there(emulator: Running, name: str) -> None:
    """One rule of the pair `half` enables it: seen from either side, the other one does not."""
    here, there = pair(emulator, name)
    for source, destination in ((here, there), (there, here)):
        key = f"from {source.bucket}"
        version = source.put(key, Tagging="a=1")
        destination.tag(key, destination.replica(key, version), a="there")
        assert source.users_tags(key, version) == {"a": "1"}


def test_metadata_that_is_edited_by_a_copy_of_a_replica_onto_itself_is_a_version_and_is_replicated(
    east: Place, west: Place
) -> None:
    east.put("edited", Metadata={"a": "1"})
    named = {"Bucket": "west", "Key": "edited"}
    metadata = {**west.s3.head_object(**named)["Metadata"], "a": "2"}
    edited = west.s3.copy_object(**named, CopySource=named, MetadataDirective="REPLACE", Metadata=metadata)
    assert west.emulator.idle()
    shown = east.s3.head_object(Bucket="east", Key="edited")
    assert shown["Metadata"]["a"] == "2"
    assert east.origin("edited", shown["VersionId"]) == edited["VersionId"]


# Delete markers that are removed


def test_a_delete_marker_that_is_removed_is_undone_on_the_other_side(east: Place, west: Place) -> None:
    version = east.put("undeleted")
    marker = east.delete("undeleted")
    east.delete("undeleted", marker)
    assert east.shows("undeleted") == version
    assert west.shows("undeleted") == west.replicas("undeleted", version)[0]


def test_a_delete_marker_that_is_removed_where_it_was_replicated_to_is_undone_at_its_source(
    east: Place, west: Place
) -> None:
    version = east.put("undeleted there")
    east.delete("undeleted there")
    [marker] = [each for each in west.entries()["undeleted there"] if each["Marker"]]
    west.delete("undeleted there", marker["VersionId"])
    assert west.shows("undeleted there") == west.replica("undeleted there", version)
    shown = east.shows("undeleted there")
    assert east.origin("undeleted there", shown) == version


def test_a_replica_that_was_put_back_beside_its_own_version_follows_it(east: Place, west: Place) -> None:
    """The removal of the other side's marker put the version on top in its own bucket, by a copy."""
    version = east.put("twin", Tagging="a=1")
    east.delete("twin")
    [marker] = [each for each in west.entries()["twin"] if each["Marker"]]
    west.delete("twin", marker["VersionId"])
    twin = east.shows("twin")
    east.tag("twin", version, a="2")
    assert east.users_tags("twin", twin) == {"a": "2"}
    east.tag("twin", twin, a="3")
    assert east.users_tags("twin", version) == {"a": "3"}
    assert west.users_tags("twin", west.replica("twin", version)) == {"a": "3"}


# More than two buckets


def test_in_a_mesh_a_change_at_one_replica_reaches_the_version_and_the_other_replica(emulator: Running) -> None:
    one, two, three = (Place.at(emulator, name) for name in MESH)
    version = one.put("mesh", Tagging="a=1")
    three.tag("mesh", three.replica("mesh", version), a="three")
    assert one.users_tags("mesh", version) == {"a": "three"}
    assert two.users_tags("mesh", two.replica("mesh", version)) == {"a": "three"}
    two.tag("mesh", two.replica("mesh", version), a="two")
    assert one.users_tags("mesh", version) == {"a": "two"}
    assert three.users_tags("mesh", three.replica("mesh", version)) == {"a": "two"}


# Requests


def test_the_echo_of_a_known_writer_costs_nothing(emulator: Running, east: Place, west: Place) -> None:
    version = east.put("echo", Tagging="a=1")
    west.replica("echo", version)
    emulator.delete("requests")
    east.tag("echo", version, a="2")
    functions = {row["function"] for row in emulator.get("requests") if "function" in row}
    assert functions == {"prod-replicate"}


def test_the_change_of_a_replica_that_is_not_replicated_back_costs_one_head(emulator: Running) -> None:
    """So does the echo of a writer that is not known: both are changes of a replica."""
    source, destination = pair(emulator, "off")
    for key in ("before", "one head"):  # a new container asks more of each bucket
        version = source.put(key, Tagging="a=1")
        replica = destination.replica(key, version)
        emulator.delete("requests")
        destination.tag(key, replica, a="2")
        assert asked(emulator, key)
    assert asked(emulator, "one head") == {"HeadObject": 1}, "nor does it take a lease"


def test_one_change_is_written_once_at_every_other_copy(emulator: Running) -> None:
    one, two, three = (Place.at(emulator, name) for name in MESH)
    version = one.put("bounded", Tagging="a=1")
    replica = three.replica("bounded", version)
    assert two.replica("bounded", version)
    emulator.delete("requests")
    three.tag("bounded", replica, a="2")
    assert asked(emulator, "bounded")["PutObjectTagging"] == 2
