"""Inventory reports are checked before anything is concluded from them, and what cannot be read says why."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from s3replicator.verify.inventory.database import database
from s3replicator.verify.inventory.locations import Folder
from s3replicator.verify.inventory.report import Unusable, column_name, read_manifest

from tests.fakes.inventories import md5, report
from tests.unit.listings import listed

COLUMNS = {
    "Key": "key",
    "VersionId": "version_id",
    "IsDeleteMarker": "is_delete_marker",
    "LastModifiedDate": "last_modified_date",
    "ETag": "e_tag",
    "ObjectLockRetainUntilDate": "object_lock_retain_until_date",
}
"""Fields of an inventory -> columns of the table that AWS's page on Athena creates."""


def test_fields_are_named_as_columns_of_tables_are() -> None:
    assert {name: column_name(name) for name in COLUMNS} == COLUMNS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return report(tmp_path / "2026-11-27T01-00Z", "east", [listed("k")])


def change_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("{}")


def change_data(folder: Path) -> None:
    (folder / "0.csv.gz").write_bytes(b"other")


def no_gzip(folder: Path) -> None:
    change_data(folder)
    rewrite(folder, files=[{"key": "0.csv.gz", "size": 5, "MD5checksum": md5(b"other")}])


def rewrite(folder: Path, **fields: object) -> None:
    text = json.dumps({**json.loads((folder / "manifest.json").read_text()), **fields})
    (folder / "manifest.json").write_text(text)
    (folder / "manifest.checksum").write_text(md5(text.encode()))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "manifest.checksum belongs to": change_manifest,
    "has the MD5": change_data,
    "cannot be read": no_gzip,
    "is neither in": lambda folder: (folder / "0.csv.gz").unlink(),
    "cannot read": lambda folder: (folder / "manifest.checksum").unlink(),
    "in CSV and Parquet": lambda folder: rewrite(folder, fileFormat="ORC"),
    "no manifest.json": lambda folder: rewrite(folder, fileSchema="Bucket, Size"),
}


@pytest.mark.parametrize("says", DAMAGES)
def test_a_report_that_is_damaged_is_not_used(folder: Path, says: str) -> None:
    DAMAGES[says](folder)
    with database() as opened, pytest.raises(Unusable, match=says):
        opened.load(Folder(folder))


def test_files_may_lie_as_they_did_in_the_bucket(folder: Path, tmp_path: Path) -> None:
    there = tmp_path / "reports" / "east" / "all"
    (there / "data").mkdir(parents=True)
    shutil.move(folder / "0.csv.gz", there / "data")
    shutil.move(folder, there)
    with database() as opened:
        assert opened.load(Folder(there / folder.name)).bucket == "east"


def test_a_report_without_files_is_an_empty_bucket(folder: Path) -> None:
    rewrite(folder, files=[])
    with database() as opened:
        assert opened.load(Folder(folder)).columns == {"key"}


def test_text_that_is_no_manifest_is_refused() -> None:
    for text in (b"", b"[]", b"\xff", b'{"fileFormat": "CSV"}'):
        with pytest.raises(Unusable, match=r"no manifest\.json"):
            read_manifest(text)


def test_a_report_for_which_the_disk_has_no_room_is_not_fetched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with database() as opened:
        monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
        with pytest.raises(Unusable, match="set TMPDIR"):
            opened.load(Folder(folder))


def test_nothing_is_left_on_disk(folder: Path) -> None:
    with database() as opened:
        opened.load(Folder(folder))
        assert not (opened.folder / "report").exists()
    assert not opened.folder.exists()


def test_without_duckdb_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(Unusable, match=r"s3-replicator\[inventory\]"), database():
        pass


def test_times_with_a_zone_are_read_in_utc() -> None:
    with database() as opened:
        assert list(opened.ask("SELECT current_setting('TimeZone') AS zone")) == [[("UTC",)]]
