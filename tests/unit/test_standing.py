"""What is in both histories: one question each, and which facts it needs.

Histories are written as in `histories.py`: v... are native versions of the source, w... of the destination, r... are
replicas of v..., s... replicas of w..., d... delete markers, and the number after the @ is in seconds.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
from replicator.core.deciding.actions import Need
from replicator.core.deciding.copy import Guard
from replicator.core.deciding.facts import Ref
from replicator.core.deciding.journal import Memory
from replicator.core.deciding.standing import Standing, Unread, since
from replicator.core.versions.origin import of_s3_replica
from replicator.core.versions.version import Entry, History

from tests.unit.histories import Fields, facts_of, history
from tests.unit.values import EAST, NOON, WEST, origin_of, replica


def standing(source: str, destination: str = "", event: str = "v1", **fields: object) -> Standing:
    facts = facts_of(event, source, destination, **fields)
    assert facts.histories
    return Standing(facts, facts.histories.source, facts.histories.destination)


def names(entries: History | list[Entry]) -> list[str]:
    return [entry.version_id for entry in entries]


def entry(of: Standing, name: str) -> Entry:
    return next(each for each in (*of.source, *of.destination) if each.version_id == name)


def needed(question: Callable[[], object]) -> Need:
    """Return what a question needs that has not been read."""
    with pytest.raises(Unread) as unread:
        question()
    return unread.value.need


# Since when


def test_a_history_is_cut_at_the_first_entry_that_is_not_older() -> None:
    assert names(since(history("v1@0 v2@5 v3@6"), NOON + 5)) == ["v2", "v3"]


def test_entries_above_the_cut_stay_even_if_their_time_is_older() -> None:
    """As an upload has that a store put where it was completed, with the time when it was begun."""
    assert names(since(history("v1@0 v2@5 v3@1"), NOON + 5)) == ["v2", "v3"]


def test_a_history_of_older_entries_only_is_cut_to_nothing() -> None:
    assert since(history("v1@0 v2@1"), NOON + 5) == ()


# Versions of the source


def test_natives_of_the_source_are_versions_that_are_no_replicas() -> None:
    assert names(standing("v1@0 d1@1 s1@2 v2@3", "w1@2").natives_since(NOON)) == ["v1", "v2"]


def by_s3(source: str, destination: str, *twins: str) -> Standing:
    """Return histories in which S3's own replication wrote these versions on one side."""
    marks = {Ref(where, name): of_s3_replica(name, NOON) for where, _, name in (each.partition("/") for each in twins)}
    before = standing(source, destination)
    return replace(before, facts=replace(before.facts, marks={**before.facts.marks, **marks}))


def test_a_replica_by_s3_stands_for_the_version_of_its_id_in_the_other_bucket() -> None:
    of = by_s3("w1@2", "w1@1", f"{EAST}/w1")
    assert of.source_marks(of.source) == [origin_of("w1", 1, WEST)]
    of = by_s3("v1@1", "v1@1", f"{WEST}/v1")
    assert of.destination_marks(of.destination) == [origin_of("v1", 1)]


def test_a_replica_by_s3_of_one_of_ours_stands_for_what_ours_stands_for() -> None:
    of = by_s3("v1@0 r1@1", "r1@1", f"{EAST}/r1")
    assert of.source_marks(of.source) == [None, origin_of("v1", 0)]


def test_a_replica_by_s3_needs_the_mark_of_the_version_that_it_stands_for() -> None:
    of = by_s3("v1@0 r1@1", "r1@1", f"{EAST}/r1")
    unread = {ref: mark for ref, mark in of.facts.marks.items() if ref != Ref(WEST, "r1")}
    of = replace(of, facts=replace(of.facts, marks=unread))
    assert needed(lambda: of.source_marks(of.source)) == Need(marks=frozenset({Ref(WEST, "r1")}))


def test_a_replica_by_s3_of_a_third_bucket_is_native_nowhere() -> None:
    of = by_s3("x1@0 v1@1", "", f"{EAST}/x1")
    assert names(of.natives_since(NOON)) == ["v1"]


def test_natives_of_the_source_are_asked_for_from_a_time_on() -> None:
    assert names(standing("v1@0 v2@5 v3@6").natives_since(NOON + 5)) == ["v2", "v3"]


def test_selected_versions_are_those_with_a_rule() -> None:
    of = standing("v1 v2 v3", refused="v2")
    assert names(of.selected(of.source)) == ["v1", "v3"]


def test_selecting_needs_the_verdicts_of_all_versions_at_once() -> None:
    of = standing("v1 v2 v3")
    some = Standing(replace(of.facts, verdicts={"v2": of.facts.verdicts["v2"]}), of.source, of.destination)
    assert needed(lambda: some.selected(some.source)) == Need(verdicts=frozenset({"v1", "v3"}))


ARRIVED: dict[str, tuple[str, Fields, bool]] = {
    "its replica is there": ("r1", {}, True),
    "another version's replica is there": ("r2", {}, False),
    "it was settled, and its replica deleted for good since": ("", {"memory": Memory(2, None, "", ("v1",))}, True),
    "another version was settled": ("", {"memory": Memory(2, None, "", ("v2",))}, False),
}


@pytest.mark.parametrize(("destination", "fields", "arrived"), ARRIVED.values(), ids=ARRIVED)
def test_a_version_has_arrived_if_its_replica_is_or_was_there(destination: str, fields: Fields, arrived: bool) -> None:
    of = standing("v1@0 v2@1", destination, "v1", **fields)
    assert of.has_arrived(entry(of, "v1"), of.replicas_since(0)) is arrived


SETTLED: Fields = {"memory": Memory(2, None, "", ("d1",))}
REPORTED: dict[str, tuple[str, str, str, Fields, bool]] = {
    # source, event, delete marker, other facts
    "its own event": ("v1 d1", "d1", "d1", {}, True),
    "no event of a delete": ("v1 d1", "v1", "d1", {}, False),
    "an earlier event that was settled": ("v1 d1", "v1", "d1", SETTLED, True),
    "the event of a delete marker right below it": ("v1 d1 d2", "v1", "d2", SETTLED, True),
    "the event of a delete marker below a replica": ("v1@0 d1@1 s1@3 d2@4", "v1", "d2", SETTLED, True),
    "the event of a delete marker below a native version": ("v1 d1 v2 d2", "v1", "d2", SETTLED, False),
}


@pytest.mark.parametrize(("source", "event", "marker", "fields", "reported"), REPORTED.values(), ids=REPORTED)
def test_a_delete_marker_is_reported_if_an_event_announced_it_or_one_right_below_it(
    source: str, event: str, marker: str, fields: Fields, reported: bool
) -> None:
    of = standing(source, "w1@2", event, **fields)
    assert of.is_reported(entry(of, marker)) is reported


# Entries of the destination


def test_replicas_are_found_by_their_origins() -> None:
    found = standing("v1@0 v2@1", "r1@2 w1@3 d9@4 r2@5").replicas_since(NOON)
    assert {origin: each.version_id for origin, each in found.items()} == {
        origin_of("v1", 0): "r1",
        origin_of("v2", 1): "r2",
    }


def test_replicas_are_looked_for_from_a_time_on() -> None:
    assert list(standing("v1@0 v2@1", "r1@2 r2@5").replicas_since(NOON + 5)) == [origin_of("v2", 1)]


LAST_NATIVE: dict[str, tuple[str, str | None]] = {
    "nothing is there": ("", None),
    "replicas only": ("r1@6", None),
    "a version of their own on top": ("r1@6 w1@7", "w1"),
    "a version of their own below a replica": ("w1@6 r1@7", "w1"),
    "a delete marker on top": ("w1@6 d9@7", "d9"),
    "a version of their own that is too old": ("w1@1 r1@7", None),
    "a replica that is too old ends the search": ("w1@6 r1@1", None),
}


@pytest.mark.parametrize(("destination", "found"), LAST_NATIVE.values(), ids=LAST_NATIVE)
def test_the_last_native_entry_of_the_destination_is_found_unless_it_is_too_old(
    destination: str, found: str | None
) -> None:
    last = standing("v1@0", destination).last_native_of_destination(NOON + 5)
    assert (last and last.version_id) == found


def test_an_upload_with_an_old_time_does_not_end_the_search_for_the_last_native_entry() -> None:
    of = standing("v1@0", "w1@6 r1@1")
    below, upload = of.destination
    multipart = Standing(of.facts, of.source, (below, replace(upload, etag='"r1-2"')))
    assert multipart.last_native_of_destination(NOON + 5) == below


TOPS: dict[str, tuple[str, Guard]] = {
    "nothing": ("", Guard("")),
    "a replica": ("w1 r1", Guard('"r1"')),
    "a version of their own": ("r1 w1", Guard('"w1"')),
    "a delete marker, which no guard can name": ("r1 d9", Guard("")),
}


@pytest.mark.parametrize(("destination", "guard"), TOPS.values(), ids=TOPS)
def test_a_write_is_guarded_by_what_is_on_top(destination: str, guard: Guard) -> None:
    assert standing("v1", destination).guard() == guard


def test_a_replica_on_top_shows_its_origin() -> None:
    of = standing("v1@0", "r1@1")
    assert of.shown() == origin_of("v1", 0)
    assert of.top_replica() == replica("r1", origin_of("v1", 0))


def test_a_native_version_on_top_shows_itself() -> None:
    of = standing("v1@0", "r1@1 w1@2")
    assert of.shown() == origin_of("w1", 2, WEST)
    assert of.top_replica() == replica("w1", origin_of("w1", 2, WEST))


@pytest.mark.parametrize("destination", ["", "r1 d9"], ids=["nothing", "a delete marker"])
def test_without_a_version_on_top_nothing_is_shown(destination: str) -> None:
    of = standing("v1", destination)
    assert of.shown() is None
    assert of.top_replica() is None


# Marks


def test_marks_that_are_not_read_are_needed_all_at_once() -> None:
    of = standing("v1 v2", "r1 w1")
    unread = Standing(replace(of.facts, marks={Ref(EAST, "v1"): None}), of.source, of.destination)
    assert needed(lambda: unread.source_marks(of.source)) == Need(marks=frozenset({Ref(EAST, "v2")}))
    both = frozenset({Ref(WEST, "r1"), Ref(WEST, "w1")})
    assert needed(lambda: unread.destination_marks(of.destination)) == Need(marks=both)


def test_a_mark_is_the_origin_of_a_replica_and_none_of_a_native_version() -> None:
    of = standing("v1@0 s1@3", "w1@2 r1@1")
    assert of.source_marks(of.source) == [None, origin_of("w1", 2, WEST)]
    assert of.destination_marks(of.destination) == [None, origin_of("v1", 0)]
