"""What S3 Replication does after the write, each behaviour by a test of its own: from a source to its replicas.

docs/after-the-write.md names these tests. Changes at replicas are in `test_after_the_write_both_ways.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.failures import take_failures
from tests.emulator.large import workers_paused
from tests.emulator.later import MARKERS, STRANGER, Place, asked, pair, tag_set
from tests.emulator.reasons import logged, reasons, redrive
from tests.emulator.worlds import bucket, fault, rule

MIB = 1024**2
EVERYTHING = {"ownership": "ObjectWriter", "object_lock": True}
GOLD = {"Filter": {"Tag": {"Key": "class", "Value": "gold"}}}
OWNER = {"Destination": {"Account": "123456789012", "AccessControlTranslation": {"Owner": "Destination"}}}
REMOVES = {"ReplicatorOptions": {"AnnotationDeletions": "Enabled"}}
PAIRS = ("", "marked-", "picky-", "owned-", "tidy-", "forked-", "trailed-")
NAMES = (*(f"{name}{side}" for name in PAIRS for side in ("east", "west")), "other-west")
WORLD: dict[str, Any] = {
    "buckets": [bucket(name, **EVERYTHING) for name in NAMES],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {"MultipartThreshold": str(5 * MIB), "PartSize": str(5 * MIB)},
            "rules": {
                "east": {"Rules": [rule("east", "west")]},
                "marked-east": {"Rules": [rule("marked-east", "marked-west", **MARKERS)]},
                "picky-east": {"Rules": [rule("picky-east", "picky-west", **GOLD)]},
                "owned-east": {"Rules": [rule("owned-east", "owned-west", **OWNER)]},
                "tidy-east": {"Rules": [rule("tidy-east", "tidy-west", **REMOVES)]},
                "forked-east": {"Rules": [
                    rule("forked-east", "forked-west"), rule("forked-east", "other-west", Priority=2),
                ]},
            },
        },
        {
            "name": "trailed",
            "region": "us-east-1",
            "parameters": {"CloudTrailEvents": "true"},
            "rules": {"trailed-east": {"Rules": [rule("trailed-east", "trailed-west")]}},
        },
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def clean(emulator: Running) -> Iterator[None]:
    yield
    emulator.delete("faults")
    assert emulator.idle()
    assert [*take_failures(emulator), *take_failures(emulator, "trailed")] == [], "every failure was taken out"


# From the source to its replicas


def test_tags_go_to_the_replica_and_so_does_their_removal(east: Place, west: Place) -> None:
    version = east.put("tags", Tagging="a=1")
    replica = west.replica("tags", version)
    east.tag("tags", version, a="2", b="3")
    assert west.users_tags("tags", replica) == {"a": "2", "b": "3"}
    east.change("delete_object_tagging", "tags", version)
    assert west.users_tags("tags", replica) == {}


def test_an_acl_goes_to_the_replica(east: Place, west: Place) -> None:
    version = east.put("acl")
    east.grant("acl", version)
    assert west.readers("acl", west.replica("acl", version)) == [STRANGER]


def test_an_acl_stays_where_the_destination_owns_the_replicas(emulator: Running) -> None:
    source, destination = pair(emulator, "owned")
    version = source.put("owned")
    source.grant("owned", version)
    source.tag("owned", version, a="1")
    replica = destination.replica("owned", version)
    assert destination.readers("owned", replica) == []
    assert destination.users_tags("owned", replica) == {"a": "1"}


def test_a_retention_goes_to_the_replica_and_is_only_ever_extended(east: Place, west: Place) -> None:
    version = east.put("retained")
    replica = west.replica("retained", version)
    east.retain("retained", version, 2040)
    assert west.retained("retained", replica) == 2040
    east.retain("retained", version, 2035)
    assert west.retained("retained", replica) == 2040
    east.retain("retained", version, 2045)
    assert west.retained("retained", replica) == 2045


def test_an_annotation_and_its_new_text_go_to_the_replica(east: Place, west: Place) -> None:
    version = east.put("noted")
    replica = west.replica("noted", version)
    east.annotate("noted", version, "note", "one")
    assert west.annotations("noted", replica) == {"note": "one"}
    east.annotate("noted", version, "note", "two")
    assert west.annotations("noted", replica) == {"note": "two"}


def test_a_deleted_annotation_stays_at_the_replica(east: Place, west: Place) -> None:
    version = east.put("kept note")
    east.annotate("kept note", version, "note", "one")
    east.change("delete_object_annotation", "kept note", version, AnnotationName="note")
    assert west.annotations("kept note", west.replica("kept note", version)) == {"note": "one"}


def test_a_deleted_annotation_is_deleted_where_the_rule_asks_for_that(emulator: Running) -> None:
    source, destination = pair(emulator, "tidy")
    version = source.put("note")
    for name in ("gone", "stays"):
        source.annotate("note", version, name, name)
    source.change("delete_object_annotation", "note", version, AnnotationName="gone")
    assert destination.annotations("note", destination.replica("note", version)) == {"stays": "stays"}


def test_a_legal_hold_has_no_event_and_goes_with_the_next_change_of_retention(east: Place, west: Place) -> None:
    version = east.put("held")
    replica = west.replica("held", version)
    east.hold("held", version)
    east.tag("held", version, a="1")
    assert not west.is_held("held", replica)
    east.retain("held", version, 2040)
    assert west.is_held("held", replica)
    east.hold("held", version, "OFF")
    east.retain("held", version, 2041)
    assert not west.is_held("held", replica)


def test_a_legal_hold_goes_at_once_where_the_stack_takes_cloudtrails_events(emulator: Running) -> None:
    source, destination = pair(emulator, "trailed")
    version = source.put("held")
    replica = destination.replica("held", version)
    source.hold("held", version)
    assert destination.is_held("held", replica)
    source.hold("held", version, "OFF")
    assert not destination.is_held("held", replica)


def test_an_event_hold_goes_with_its_duration_and_so_does_its_release(east: Place, west: Place) -> None:
    version = east.put("awaiting")
    replica = west.replica("awaiting", version)
    east.await_event("awaiting", version, days=90)
    assert west.event_hold("awaiting", replica) == east.event_hold("awaiting", version) == ("ON", 90)
    east.await_event("awaiting", version, "OFF")
    assert west.event_hold("awaiting", replica) == ("", 0)
    assert east.days_retained("awaiting", version) == west.days_retained("awaiting", replica) == 90


def test_a_hold_that_was_set_at_the_replica_is_not_lifted(east: Place, west: Place) -> None:
    version = east.put("held there")
    replica = west.replica("held there", version)
    west.hold("held there", replica)
    east.retain("held there", version, 2040)
    assert west.is_held("held there", replica)


def test_exactly_the_version_that_was_changed_is_changed(east: Place, west: Place) -> None:
    older, newer = east.put("two", Tagging="a=1"), east.put("two", Tagging="a=1")
    replicas = [west.replica("two", version) for version in (older, newer)]
    east.tag("two", older, a="old")
    assert [west.users_tags("two", each)["a"] for each in replicas] == ["old", "1"]
    east.tag("two", newer, a="new")
    assert [west.users_tags("two", each)["a"] for each in replicas] == ["old", "new"]


def test_a_version_copied_in_parts_is_followed_like_any_other(east: Place, west: Place) -> None:
    version = east.put("large", bytes(5 * MIB + 1), Tagging="a=1")
    replica = west.replica("large", version)
    east.tag("large", version, a="2")
    east.grant("large", version)
    east.annotate("large", version, "note", "one")
    assert west.users_tags("large", replica) == {"a": "2"}
    assert west.readers("large", replica) == [STRANGER]
    assert west.annotations("large", replica) == {"note": "one"}


def test_events_that_name_no_version_change_the_right_one(emulator: Running, east: Place, west: Place) -> None:
    older, newer = east.put("unnamed", Tagging="a=1"), east.put("unnamed", Tagging="a=1")
    emulator.post("delivery", {"version_ids": False})
    try:
        east.tag("unnamed", older, a="old")
        east.annotate("unnamed", newer, "note", "one")
    finally:
        emulator.post("delivery", {})
    first, second = (west.replica("unnamed", version) for version in (older, newer))
    assert [west.users_tags("unnamed", each)["a"] for each in (first, second)] == ["old", "1"]
    assert [west.annotations("unnamed", each) for each in (first, second)] == [{}, {"note": "one"}]


def test_a_change_at_a_replica_stays_there_until_the_source_changes_the_same(east: Place, west: Place) -> None:
    version = east.put("one-way", Tagging="a=1")
    replica = west.replica("one-way", version)
    west.tag("one-way", replica, a="there")
    assert east.users_tags("one-way", version) == {"a": "1"}
    assert west.users_tags("one-way", replica) == {"a": "there"}
    east.tag("one-way", version, a="2")
    assert west.users_tags("one-way", replica) == {"a": "2"}


def test_status_tag_and_mark_of_a_replica_survive_a_replacement_of_all_tags(east: Place, west: Place) -> None:
    version = east.put("marked", Tagging="a=1", Metadata={"m": "x" * 2040})
    replica = west.replica("marked", version)
    before = west.tags("marked", replica)
    assert "replication-origin" in before, "its metadata has no room for the mark"
    east.tag("marked", version, b="2")
    assert west.tags("marked", replica) == {**{name: before[name] for name in before if name != "a"}, "b": "2"}
    assert before["replication-status"] == "REPLICA"


# Tag filters


def test_tags_that_make_a_version_match_replicate_it_now(emulator: Running) -> None:
    source, destination = pair(emulator, "picky")
    version = source.put("later")
    assert destination.replicas("later", version) == []
    source.tag("later", version, **{"class": "gold"})
    assert destination.users_tags("later", destination.replica("later", version)) == {"class": "gold"}


def test_a_replica_whose_tags_stop_matching_stays_and_follows(emulator: Running) -> None:
    source, destination = pair(emulator, "picky")
    version = source.put("formerly", Tagging="class=gold")
    replica = destination.replica("formerly", version)
    source.tag("formerly", version, **{"class": "tin"})
    assert destination.users_tags("formerly", replica) == {"class": "tin"}
    source.annotate("formerly", version, "note", "one")
    assert destination.annotations("formerly", replica) == {"note": "one"}


# Delete markers that are removed


def test_a_delete_marker_that_is_removed_is_undone_where_markers_are_replicated(emulator: Running) -> None:
    source, destination = pair(emulator, "marked")
    version = source.put("undeleted")
    marker = source.delete("undeleted")
    assert not destination.shows("undeleted")
    source.delete("undeleted", marker)
    assert destination.shows("undeleted") == destination.replicas("undeleted", version)[0]
    assert [each["Marker"] for each in destination.entries()["undeleted"]].count(True) == 1, "nothing is removed"


def test_a_delete_marker_that_is_removed_changes_nothing_where_markers_are_not_replicated(
    east: Place, west: Place
) -> None:
    version = east.put("undeleted")
    replica = west.replica("undeleted", version)
    west.delete("undeleted")
    east.delete("undeleted", east.delete("undeleted"))
    assert not west.shows("undeleted")
    assert west.replicas("undeleted", version) == [replica]


def test_the_removal_of_a_marker_below_another_entry_changes_nothing(emulator: Running) -> None:
    source, destination = pair(emulator, "marked")
    source.put("lower")
    lower = source.delete("lower")
    source.delete("lower")
    before = destination.entries()["lower"]
    source.delete("lower", lower)
    assert destination.entries()["lower"] == before
    version = source.put("lower")
    assert destination.shows("lower") == destination.replica("lower", version)


# Replicas that are gone, or twice


def test_a_replica_that_was_deleted_for_good_fails_once_and_stays_away(
    emulator: Running, east: Place, west: Place
) -> None:
    version = east.put("DstVersionNotFound")
    west.delete("DstVersionNotFound", west.replica("DstVersionNotFound", version))
    east.tag("DstVersionNotFound", version, a="1")
    [failure] = take_failures(emulator)
    assert failure.attributes["Reason"] == "DstVersionNotFound"
    assert west.versions("DstVersionNotFound") == []


def test_a_version_that_was_deleted_is_skipped(emulator: Running, east: Place, west: Place) -> None:
    version = east.put("deleted")
    with workers_paused(emulator, function="ReplicateFunction"):
        east.s3.put_object_tagging(Bucket="east", Key="deleted", VersionId=version, Tagging=tag_set({"a": "1"}))
        east.s3.delete_object(Bucket="east", Key="deleted", VersionId=version)
    assert emulator.idle()
    assert ("deleted", "SKIPPED SrcVersionNotFound") in logged(emulator)
    assert west.users_tags("deleted", west.replica("deleted", version)) == {}


def test_a_replica_that_was_put_back_and_the_older_one_both_follow(emulator: Running) -> None:
    source, destination = pair(emulator, "marked")
    version = source.put("twice", Tagging="a=1")
    source.delete("twice", source.delete("twice"))
    replicas = destination.replicas("twice", version)
    assert len(replicas) == 2
    source.tag("twice", version, a="2")
    assert [destination.users_tags("twice", each) for each in replicas] == [{"a": "2"}, {"a": "2"}]


def test_of_two_destinations_one_that_fails_keeps_nothing_from_the_other(emulator: Running) -> None:
    source, one = pair(emulator, "forked")
    other = Place.at(emulator, "other-west")
    version = source.put("forked", Tagging="a=1")
    emulator.post("faults", fault("PutObjectTagging", {"status": 501, "code": "NotImplemented"}, bucket="other-west"))
    source.tag("forked", version, a="2")
    failures = take_failures(emulator)
    assert reasons(failures) == {"forked": "OperationNotImplemented"}
    assert one.users_tags("forked", one.replica("forked", version)) == {"a": "2"}
    assert other.users_tags("forked", other.replica("forked", version)) == {"a": "1"}
    emulator.delete("faults")
    assert redrive(emulator, failures) == {}
    assert other.users_tags("forked", other.replica("forked", version)) == {"a": "2"}


# Requests


def test_a_change_of_tags_costs_one_read_one_write_and_the_journals_two_requests(
    emulator: Running, east: Place, west: Place
) -> None:
    version = east.put("cheap", Tagging="a=1")
    west.replica("cheap", version)
    emulator.delete("requests")
    east.tag("cheap", version, a="2")
    assert asked(emulator, "cheap") == {"GetObjectTagging": 1, "PutObjectTagging": 1, "UpdateItem": 2}
