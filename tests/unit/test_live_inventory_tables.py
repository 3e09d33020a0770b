"""Live inventory tables have the marks of replicas: a version is compared with its replica, wherever and whenever.

Destinations are written oldest to newest: a letter the replica of that version of the source, an upper-case one a
version of the destination's own, - a delete marker. The source has the versions a and b, and b is current.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from replicator.core.verifying.listed import Listed
from replicator.core.versions.origin import MARK, Origin, Site, encode_mark
from replicator.core.versions.version import Entry, EntryKind
from s3replicator.verify.inventory.database import Database, database
from s3replicator.verify.inventory.questions import Pair, about_keys, about_versions

from tests.fakes.inventories import live_table

SECOND = 1_700_000_000
Row = tuple[Listed, dict[str, str]]


@pytest.fixture(scope="module")
def opened() -> Iterator[Database]:
    with database() as opened:
        yield opened


def side(text: str, bucket: str, tag: str = "") -> Iterator[Row]:
    """Yield the entries of the key k, newest first, all of the same second; tag: instead of the ETags of replicas."""
    for age, body in enumerate(reversed(text)):
        is_replica = bucket == "west" and body.islower()
        origin = encode_mark(Origin("east", f"east-{body}", SECOND), Site("west", "k", SECOND))
        kind = EntryKind.MARKER if body == "-" else EntryKind.VERSION
        entry = Entry(f"{bucket}-{body}", kind, SECOND, tag or body, 1)
        yield Listed("k", entry, age == 0), {"team": "blue", **({MARK: origin} if is_replica else {})}


def pair(opened: Database, folder: Path, there: str, *, here: str = "ab", tag: str = "") -> Pair:
    tables = [
        opened.load_files(name, [live_table(folder / f"{name}.parquet", name, rows)])
        for name, rows in (("east", side(here, "east")), ("west", side(there, "west", tag)))
    ]
    return Pair(tables[0], tables[1], ("",))


CASES: dict[str, tuple[str, dict[str, str]]] = {
    "ab": ("equal", {}),
    "b": ("doubt", {"east-a": "missing"}),
    "a": ("doubt", {"east-b": "missing"}),
    "ba": ("doubt", {"east-b": "wrong-current"}),
    "abX": ("doubt", {"east-b": "wrong-current"}),
    "AB": ("doubt", {"east-a": "missing", "east-b": "missing"}),
    "abb": ("doubt", {}),
}
"""The destination -> whether it is proved equal, and what differs of which version."""


@pytest.mark.parametrize("there", CASES)
def test_versions_are_compared_with_their_replicas(opened: Database, tmp_path: Path, there: str) -> None:
    verdict, wanted = CASES[there]
    asked = pair(opened, tmp_path, there)
    assert [row[1] for page in opened.ask(about_keys(asked)) for row in page] == [verdict]
    rows = [row for page in opened.ask(about_versions(asked)) for row in page]
    assert {row[1]: row[3] for row in rows if row[0]} == wanted


@pytest.mark.parametrize(("tag", "verdict"), [("kms-1", "equal"), ("c-2", "equal"), ("c", "doubt")])
def test_an_etag_that_says_nothing_of_bytes_does_not_count(
    opened: Database, tmp_path: Path, tag: str, verdict: str
) -> None:
    asked = pair(opened, tmp_path, "ab", tag=tag)
    assert [row[1] for page in opened.ask(about_keys(asked)) for row in page] == [verdict]
    found = {row[3] for page in opened.ask(about_versions(asked)) for row in page}
    assert found == ({"equal"} if verdict == "equal" else {"content"})


def test_the_newest_entry_is_the_one_with_the_highest_sequence_number(opened: Database, tmp_path: Path) -> None:
    asked = pair(opened, tmp_path, "ab", here="ab-")
    assert [row[1] for page in opened.ask(about_keys(asked)) for row in page] == ["equal without markers"]
    rows = {row[1]: row[3] for page in opened.ask(about_versions(asked)) for row in page if row[0]}
    assert rows == {"east--": "delete-marker-missing"}


def test_a_table_may_lack_what_was_an_hour_younger_than_its_oldest_file(opened: Database, tmp_path: Path) -> None:
    files = [live_table(tmp_path / f"{number}.parquet", "east", side("a", "east")) for number in range(2)]
    os.utime(files[1], (SECOND, SECOND))
    table = opened.load_files("east", files)
    assert table.taken == SECOND - 3_600
    asked = Pair(table, table, ("",))
    assert [row[3] for page in opened.ask(about_keys(asked)) for row in page] == [2]  # the rows of both files
