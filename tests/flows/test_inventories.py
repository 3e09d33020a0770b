"""A verification from inventories finds what one from listings finds, and tells apart what is newer than they are."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from replicator.core.verifying.listed import Listed, Span
from replicator.core.verifying.run_state import Scope
from s3replicator.verify.inventory.comparison import InventoryVerification, is_newer
from s3replicator.verify.inventory.database import database
from s3replicator.verify.inventory.locations import Folder
from s3replicator.verify.inventory.questions import Pair, Table
from s3replicator.verify.verification import Runner

from tests.fakes.inventories import ALL, CURRENT, report
from tests.fakes.listings import MemoryListing
from tests.fakes.rules import rule
from tests.flows.stage import EAST, WEST, Stage
from tests.flows.surveying import MemoryTraffic


def entries(on: Stage, bucket: str) -> Iterator[Listed]:
    return MemoryListing(on.s3)._entries(bucket, Span())


def written(on: Stage, folder: Path, **options: Any) -> list[Path]:
    """Write inventories of both buckets as they are now."""
    now = datetime.fromtimestamp(on.services.now() / 1000 + 1, UTC)
    given = {"taken": now, **options}
    return [report(folder / bucket, bucket, entries(on, bucket), **given) for bucket in (EAST, WEST)]


def verified(
    on: Stage, folders: list[Path], *, scope: Scope | None = None, only: bool = False
) -> InventoryVerification:
    def wait(milliseconds: int) -> None:
        on.s3.clock.advance(milliseconds / 1000)

    runner = Runner("ann", "run", on.services.now, wait, lambda _: None, lambda _: None)
    with database() as opened:
        tables = {table.bucket: table for table in (opened.load(Folder(folder)) for folder in folders)}
        found = InventoryVerification(
            scope or Scope(), on.rule_sets.of(EAST), opened, tables, on.services, MemoryTraffic(on), runner, only=only
        )
        found.run()
    return found


def damaged() -> Stage:
    """Return a stage with a key of each kind: equal, missing, deleted there, overwritten there, and shown there."""
    on = Stage([rule(WEST, delete_markers=True)])
    for key in ("equal", "deleted", "overwritten", "shown", "gone"):
        on.put(key)
    on.deliver_all()
    on.s3.delete(EAST, "gone")
    on.deliver_all()
    on.s3.listeners.clear()
    for key in ("missing", "missing too"):
        on.put(key)
    on.s3.delete(EAST, "shown")
    on.s3.destroy(WEST, "deleted", on.s3.buckets[WEST].listed("deleted")[-1].entry.version_id)
    on.put("overwritten", b"other", bucket=WEST)
    on.s3.clock.advance(3600)
    return on


KINDS = {"missing": 2, "deleted-there": 1, "wrong-current": 1, "delete-marker-missing": 1}


@pytest.mark.parametrize("parquet", [False, True])
def test_what_differs_is_what_listings_find(tmp_path: Path, parquet: bool) -> None:
    on = damaged()
    found = verified(on, written(on, tmp_path, parquet=parquet))
    totals = found.totals[WEST]
    assert dict(totals.differences) == KINDS
    assert (totals.checked, totals.equal, totals.pending) == (9, 4, 0)
    assert (found.told[WEST].newer, found.unproven, sum(1 for _ in found.spool)) == (0, 0, 5)


def test_only_inventories_show_as_much_without_reading_anything_of_s3(tmp_path: Path) -> None:
    on = damaged()
    folders, calls = written(on, tmp_path), len(on.calls())
    found = verified(on, folders, only=True)
    totals = found.totals[WEST]
    assert dict(totals.differences) == {"missing": 3, "wrong-current": 1, "delete-marker-missing": 1}
    assert (totals.checked, totals.equal, found.unproven) == (9, 4, 0)
    assert len(on.calls()) == calls
    assert {each.version_id for each in found.spool if each.key == "shown"} == {
        on.s3.buckets[EAST].listed("shown")[-1].entry.version_id
    }


@pytest.mark.parametrize("only", [False, True])
def test_what_is_newer_than_an_inventory_is_told_apart(tmp_path: Path, only: bool) -> None:
    on = Stage([rule(WEST, delete_markers=True)])
    on.put("old")
    on.deliver_all()
    on.s3.clock.advance(60)
    [_, west] = written(on, tmp_path / "first")
    on.s3.clock.advance(60)
    on.put("new")
    on.deliver_all()
    [east, _] = written(on, tmp_path / "second")
    found = verified(on, [east, west], only=only)
    totals = found.totals[WEST]
    assert (totals.differences.total(), found.told[WEST].newer, totals.checked) == (0, 1, 2)
    assert totals.equal == (1 if only else 2)
    assert any("1 entries are newer" in note for note in found.notes())


def test_versions_that_only_tags_select_are_unproven_by_inventories_alone(tmp_path: Path) -> None:
    on = Stage([rule(WEST, tags={"team": "blue"})])
    on.put("untagged")
    on.deliver_all()
    on.s3.clock.advance(60)
    folders = written(on, tmp_path)
    found = verified(on, folders, only=True)
    assert (found.unproven, found.totals[WEST].differences.total()) == (1, 0)
    examined = verified(on, folders)
    assert (examined.unproven, dict(examined.totals[WEST].left_out)) == (0, {"NoMatchingRule": 1})


def test_each_destination_is_compared_under_its_own_prefixes(tmp_path: Path) -> None:
    on = Stage([rule(WEST, prefix="a/")])
    for key in ("a/1", "a/2", "b/1"):
        on.put(key)
    on.s3.clock.advance(3600)
    found = verified(on, written(on, tmp_path), only=True)
    assert {each.key for each in found.spool} == {"a/1", "a/2"}
    assert {each.key for each in verified(on, written(on, tmp_path / "x"), scope=Scope(prefix="a/2")).spool} <= {"a/2"}


LACKS = {
    "current versions only": CURRENT,
    "lacks ETag": tuple(name for name in ALL if name != "ETag"),
    "lacks Size": tuple(name for name in ALL if name != "Size"),
    "lacks LastModifiedDate": tuple(name for name in ALL if name != "LastModifiedDate"),
}


@pytest.mark.parametrize("says", LACKS)
def test_what_cannot_be_answered_for_lack_of_columns_is_said(tmp_path: Path, says: str) -> None:
    on = damaged()
    shown = (each for each in entries(on, EAST) if each.is_latest and each.entry.is_version)
    here = shown if LACKS[says] == CURRENT else entries(on, EAST)
    report(tmp_path / "east", EAST, here, fields=LACKS[says])
    report(tmp_path / "west", WEST, entries(on, WEST))
    found = verified(on, [tmp_path / "east", tmp_path / "west"])
    assert [note for note in found.notes() if says in note]
    whole = written(on, tmp_path / "whole")
    assert not [note for note in verified(on, whole).notes() if says in note]


def test_without_etags_nothing_is_proved(tmp_path: Path) -> None:
    on = Stage([rule(WEST)])
    on.put("k")
    on.deliver_all()
    folders = written(on, tmp_path, fields=LACKS["lacks ETag"])
    assert (verified(on, folders).unproven, verified(on, folders, only=True).unproven) == (1, 1)


@pytest.mark.parametrize("only", [False, True])
@pytest.mark.parametrize(("markers", "differences"), [(False, 0), (True, 1)])
def test_a_delete_marker_is_missing_only_where_its_rule_replicates_some(
    tmp_path: Path, markers: bool, differences: int, only: bool
) -> None:
    on = Stage([rule(WEST, delete_markers=markers)])
    on.put("k")
    on.deliver_all()
    on.s3.listeners.clear()
    on.s3.delete(EAST, "k")
    on.s3.clock.advance(3600)
    found = verified(on, written(on, tmp_path), only=only)
    totals = found.totals[WEST]
    assert (totals.differences.total(), totals.equal, found.unproven) == (differences, 2 - differences, 0)


@pytest.mark.parametrize("modified", ["2023-11-14T22:13:20", "1700000000000"])
def test_times_are_read_as_text_and_as_milliseconds(modified: str) -> None:
    def pair(taken: int) -> Pair:
        table = Table("b", "t", frozenset({"key"}), encoded=False, taken=taken)
        return Pair(table, table, ())

    assert [is_newer(modified, pair(taken)) for taken in (1_699_999_999, 1_700_000_000, 1_700_000_001)] == [
        True, True, False,
    ]  # fmt: skip
