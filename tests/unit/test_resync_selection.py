"""Which versions a resync asks for, in which order, by which engine, and what that costs."""

from typing import Any

import pytest
from replicator.core.rules.matching import RuleSet
from replicator.core.verifying.listed import Listed
from replicator.core.versions.change import ChangeKind, Wish
from replicator.core.versions.events import Record, parse
from replicator.core.versions.version import Entry, EntryKind
from replicator.flows.verify.survey import Doubt
from s3replicator.jobs.job import Engine
from s3replicator.jobs.selection import Selection
from s3replicator.resync.arguments import read_size, read_time
from s3replicator.resync.choosing import AUTO, MANY, Unusable, choose, manifest_of
from s3replicator.resync.manifests import stands_for_history
from s3replicator.resync.prices import PRICES, Workload, estimate
from s3replicator.resync.selecting import MOST_RECORDS, Selector, messages

from benchmarks import costs
from tests.fakes.rules import rule


def version(name: str, etag: str = "", size: int = 1, **more: Any) -> Listed:
    return Listed("k", Entry(name, EntryKind.VERSION, 100, etag or name, size), more.pop("latest", False), "STANDARD")


def marker(name: str, *, latest: bool = False) -> Listed:
    return Listed("k", Entry(name, EntryKind.MARKER, 100), latest)


def doubt(source: list[Listed], there: list[Listed], *, markers: bool = True) -> Doubt:
    candidates = RuleSet("east", (rule("west", delete_markers=markers),)).candidates("k")
    return Doubt("k", tuple(source), {"west": tuple(there)}, candidates)


def asked(found: Doubt, failed: frozenset[tuple[str, str]] = frozenset(), **selection: Any) -> list[str]:
    return [each.entry.version_id for each in Selector(Selection(**selection), failed).entries(found)]


def test_what_the_destination_does_not_list_is_asked_for_oldest_first_and_the_newest_always() -> None:
    source = [version("v3", latest=True), marker("m"), version("v2"), version("v1")]
    assert asked(doubt(source, [version("r2", "v2")])) == ["v1", "m", "v3"]
    assert asked(doubt(source, [version("r3", "v3"), version("r2", "v2"), version("r1", "v1")])) == ["m", "v3"]
    assert asked(doubt(source, [], markers=False)) == ["v1", "v2", "v3"]


def test_equal_bytes_count_as_often_as_they_are_there() -> None:
    source = [version("v2", "same", latest=True), version("v1", "same")]
    assert asked(doubt(source, [version("r", "same")])) == ["v1", "v2"]


def test_statuses_tell_what_failed_from_what_was_never_replicated() -> None:
    found = doubt([version("v2", latest=True), version("v1")], [])
    failed = frozenset({("k", "v1")})
    assert asked(found, failed, statuses=("failed",)) == ["v1"]
    assert asked(found, failed, statuses=("never",)) == ["v2"]
    assert asked(doubt([version("v1", latest=True)], [version("r", "v1")]), statuses=("replicated",)) == ["v1"]


def test_filters_of_size_and_class_leave_delete_markers_in() -> None:
    source = [marker("m", latest=True), version("big", size=100), version("small", size=1)]
    assert asked(doubt(source, []), larger_than=10) == ["big", "m"]
    assert asked(doubt(source, []), classes=("GLACIER",)) == ["m"]
    assert asked(doubt(source, []), current_only=True) == ["m"]
    assert asked(doubt(source, []), created_before=100) == []
    assert asked(doubt(source, []), created_after=100) == ["small", "big", "m"]


def test_messages_hold_the_entries_of_a_key_in_order_with_the_wish() -> None:
    entries = [version(f"v{number}") for number in range(MOST_RECORDS)] + [marker("m")]
    bodies = list(messages("east", entries, Wish.EXISTING, 1000))
    records = [each for body in bodies for each in parse(body) if isinstance(each, Record)]
    assert len(bodies) == 2
    assert [each.change.version_id for each in records] == [each.entry.version_id for each in entries]
    assert {each.change.wish for each in records} == {Wish.EXISTING}
    assert records[-1].change.kind is ChangeKind.MARKED_DELETED


def test_a_selection_is_read_as_it_was_written() -> None:
    selection = Selection("a/", classes=("STANDARD",), statuses=("all",), destinations=("west",), current_only=True)
    assert Selection.read(selection.document()) == selection
    assert Selection.read(Selection().document()) == Selection()


def test_sizes_and_times_are_read_with_their_units() -> None:
    assert [read_size(text) for text in ("", "10", "1KB", "1 KiB", "1.5gb")] == [0, 10, 1000, 1024, 1_500_000_000]
    assert read_time("1970-01-02") == 86_400
    assert read_time("1970-01-02T01:00:00+01:00") == 86_400


@pytest.mark.parametrize(
    ("manifest", "selection", "objects", "expected"),
    [
        ("", Selection(), None, Engine.QUEUE),
        ("", Selection(), MANY - 1, Engine.QUEUE),
        ("", Selection(), MANY, Engine.BATCH),
        ("", Selection(current_only=True), MANY, Engine.QUEUE),
        ("listing", Selection(), None, Engine.BATCH),
    ],
    ids=["unknown", "few", "many", "many, but a filter of ours", "a manifest"],
)
def test_the_size_of_a_bucket_chooses_the_engine(
    manifest: str, selection: Selection, objects: int | None, expected: Engine
) -> None:
    engine, why = choose(AUTO, manifest, selection, objects)
    assert engine is expected
    assert why


def test_an_inventory_takes_no_filter_and_a_filter_of_ours_takes_a_listing() -> None:
    assert manifest_of(Engine.BATCH, "", Selection(prefix="a/")) == "generator"
    assert manifest_of(Engine.BATCH, "", Selection(current_only=True)) == "listing"
    assert manifest_of(Engine.BATCH, "s3://b/manifest.json", Selection()) == "s3://b/manifest.json"
    with pytest.raises(Unusable, match="without filters"):
        manifest_of(Engine.BATCH, "s3://b/manifest.json", Selection(prefix="a/"))


def test_a_line_stands_for_a_history_unless_a_filter_leaves_some_of_it_out() -> None:
    assert stands_for_history(Selection(prefix="a/", suffix=".jpg"))
    assert not stands_for_history(Selection(larger_than=1))
    assert not stands_for_history(Selection(statuses=("failed",)))


def test_prices_are_those_that_readme_is_held_to() -> None:
    assert {name: price for name, price in PRICES.items() if name in costs.PRICES} == {
        name: costs.PRICES[name] for name in PRICES if "Batch Operations" not in name
    }


def test_an_estimate_grows_with_versions_destinations_and_distance() -> None:
    one = estimate(Workload(1000, 10**9))
    assert estimate(Workload(2000, 2 * 10**9)).dollars == pytest.approx(2 * one.dollars)
    assert estimate(Workload(1000, 10**9, destinations=2)).requests > one.requests
    assert estimate(Workload(1000, 10**9, far=1)).dollars == pytest.approx(one.dollars + 0.02)
    assert estimate(Workload(1000, 10**9, is_batch=True)).dollars > one.dollars + 0.25
    assert estimate(Workload(1000, 10**9, concurrency=10)).seconds == pytest.approx(one.seconds / 2)
