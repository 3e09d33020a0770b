"""What inventories of both sides prove is what their listings prove: the same histories, asked in SQL.

Histories are written oldest to newest: a letter a body, - a delete marker.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replicator.core.verifying.equality import is_proved_equal
from replicator.core.verifying.listed import Listed
from s3replicator.verify.inventory.comparison import PROVED
from s3replicator.verify.inventory.database import Database, database
from s3replicator.verify.inventory.locations import Folder
from s3replicator.verify.inventory.questions import Pair, Verdict, about_keys, about_versions

from tests.fakes.inventories import ALL, CURRENT, report
from tests.unit.listings import candidate, history

SECOND = 1_700_000_000


@pytest.fixture(scope="module")
def opened() -> Iterator[Database]:
    with database() as opened:
        yield opened


def entries(histories: Sequence[str]) -> Iterator[Listed]:
    """Yield the entries of keys k000, k001, ...; each was written a second after the one before."""
    for number, text in enumerate(histories):
        for age, each in enumerate(history(text, f"k{number:03}")):
            entry = each.entry
            yield each._replace(entry=type(entry)(entry.version_id, entry.kind, SECOND - age, entry.etag, entry.size))


def pair_in(opened: Database, folder: Path, *prefixes: str) -> Pair:
    """Read the inventories in folders named east and west."""
    east, west = (opened.load(Folder(folder / name)) for name in ("east", "west"))
    return Pair(east, west, prefixes or ("",))


def asked(opened: Database, cases: Sequence[tuple[str, str]], question: Any = about_keys, **options: Any) -> list[Any]:
    """Return the rows of an answer about keys with these histories, source and destination."""
    with TemporaryDirectory() as folder:
        for side, name in enumerate(("east", "west")):
            report(Path(folder) / name, name, entries([case[side] for case in cases]), **options)
        pair = pair_in(opened, Path(folder))
        return [row for page in opened.ask(question(pair)) for row in page]


TEXTS = st.text("ab-", max_size=4)


@settings(max_examples=12, deadline=None)
@given(cases=st.lists(st.tuples(TEXTS.filter(bool), TEXTS), min_size=1, max_size=60), parquet=st.booleans())
def test_inventories_prove_what_listings_prove(opened: Database, cases: list[tuple[str, str]], parquet: bool) -> None:
    rows = asked(opened, cases, parquet=parquet, files=2)
    named = {row[0]: Verdict(row[1]) for row in rows if row[0]}
    for number, case in enumerate(cases):
        verdict = named.get(f"k{number:03}", Verdict.EQUAL)
        for markers in (True, False):
            proved = is_proved_equal(history(case[0]), history(case[1]), candidate(markers=markers))
            assert (markers in PROVED.get(verdict, ())) == proved, (case, verdict, markers)
    equal = [case for number, case in enumerate(cases) if f"k{number:03}" not in named]
    together = (len(equal), sum(len(here) for here, _ in equal), sum(len(there) for _, there in equal))
    assert [row[2:5] for row in rows if not row[0]] == ([together] if equal else [])


VERSIONS = {
    ("ab", "ab"): [],
    ("ab", "b"): [("v0", "missing")],
    ("ab", "a"): [("v1", "missing")],
    ("ab", "ba"): [("v1", "wrong-current")],
    ("a", "a-"): [("v0", "wrong-current")],
    ("a-", "a"): [("m1", "delete-marker-missing")],
    ("a-", "a-"): [],
    ("aa", "a"): [("v0", "missing")],
    ("a", ""): [("v0", "missing")],
    ("", "a"): [],
}
"""Source, destination -> what differs, as far as inventories tell."""


def test_what_differs_is_named_version_by_version(opened: Database) -> None:
    rows = asked(opened, list(VERSIONS), about_versions)
    found = {f"k{number:03}": wanted for number, wanted in enumerate(VERSIONS.values())}
    assert {
        key: sorted((row[1], row[3]) for row in rows if row[0] == key) for key in found
    } == found  # fmt: skip
    assert [row[5] for row in rows if row[3] == "only there"] == [1]


@pytest.mark.parametrize("parquet", [False, True])
def test_keys_are_read_as_they_are(opened: Database, tmp_path: Path, parquet: bool) -> None:
    keys = ["a b+c%41/\u00fc", 'it\'s "quoted", and\nmore', "key"]
    for name, there in (("east", keys), ("west", [])):
        report(tmp_path / name, name, (history("a", key)[0] for key in there), parquet=parquet)
    pair = pair_in(opened, tmp_path, "a ", "it's")
    assert sorted(row[0] for page in opened.ask(about_keys(pair)) for row in page) == keys[:2]


def test_of_current_versions_only_those_are_compared(opened: Database, tmp_path: Path) -> None:
    report(tmp_path / "east", "east", entries(["ab", "a-", "a"]))
    current = (each for each in entries(["cb", "a", "b"]) if each.is_latest)
    report(tmp_path / "west", "west", current, fields=CURRENT)
    pair = pair_in(opened, tmp_path)
    rows = {(row[0], row[1], row[2]) for page in opened.ask(about_keys(pair)) for row in page}
    assert rows == {("", "equal", 1), ("", "only there", 1), ("k002", "doubt", 1)}


def test_versions_of_the_same_second_have_no_order_in_an_inventory(opened: Database, tmp_path: Path) -> None:
    for name, text in (("east", "abc"), ("west", "bac")):
        report(tmp_path / name, name, history(text, "k"))
    pair = pair_in(opened, tmp_path)
    assert [row[1] for page in opened.ask(about_keys(pair)) for row in page] == ["equal"]


@pytest.mark.parametrize(("tag", "verdict"), [("a-2", "unproven"), ("b", "missing")])
def test_an_etag_that_says_nothing_of_bytes_proves_nothing(
    opened: Database, tmp_path: Path, tag: str, verdict: str
) -> None:
    [listed] = history("a", "k")
    other = listed._replace(entry=type(listed.entry)("v0", listed.entry.kind, 1, tag, 1))
    report(tmp_path / "east", "east", [listed])
    report(tmp_path / "west", "west", [other])
    pair = pair_in(opened, tmp_path)
    assert [row[1] for page in opened.ask(about_keys(pair)) for row in page] == ["doubt"]
    assert [row[3] for page in opened.ask(about_versions(pair)) for row in page] == [verdict]


def test_without_etags_sizes_are_compared(opened: Database) -> None:
    fields = [name for name in ALL if name != "ETag"]
    rows = asked(opened, [("ab", "ba"), ("ab", "a")], fields=fields)
    assert sorted(row[:2] for row in rows) == [("", "equal"), ("k001", "doubt")]
    verdicts = {row[3] for row in asked(opened, [("ab", "ba")], about_versions, fields=fields)}
    assert verdicts == {"unproven"}


GOVERNED, HELD = ("GOVERNANCE", "2030-01-01T00:00:00.000Z", "Off"), ("GOVERNANCE", "2030-01-01T00:00:00.000Z", "On")


@pytest.mark.parametrize(
    ("here", "there", "verdicts"),
    [
        (GOVERNED, GOVERNED, ("equal", "equal")),
        (HELD, GOVERNED, ("doubt", "lock")),
        (HELD, ("", "", ""), ("doubt", "lock")),
        (HELD, None, ("equal", "equal")),
    ],
)
def test_locks_are_compared_if_both_inventories_have_them(
    opened: Database, tmp_path: Path, here: Any, there: Any, verdicts: tuple[str, str]
) -> None:
    for name, lock in (("east", here), ("west", there)):
        report(tmp_path / name, name, history("a", "k"), lock=lock)
    pair = pair_in(opened, tmp_path)
    found = [row[1] for page in opened.ask(about_keys(pair)) for row in page]
    assert (*found, *(row[3] for page in opened.ask(about_versions(pair)) for row in page)) == verdicts


def test_an_etag_that_one_side_lacks_proves_nothing(opened: Database, tmp_path: Path) -> None:
    for name, tag in (("east", "a"), ("west", "")):
        [listed] = history("a", "k")
        entry = type(listed.entry)("v0", listed.entry.kind, 1, tag, 1)
        report(tmp_path / name, name, [listed._replace(entry=entry)])
    rows = [row for page in opened.ask(about_keys(pair_in(opened, tmp_path))) for row in page]
    assert [row[:2] for row in rows] == [("k", "doubt")]


@pytest.mark.parametrize("parquet", [False, True])
def test_a_version_without_an_id_is_the_null_version(opened: Database, tmp_path: Path, parquet: bool) -> None:
    [listed] = history("a", "k")
    null = listed._replace(entry=type(listed.entry)("null", listed.entry.kind, 1, "a", 1))
    for name, entries in (("east", [null]), ("west", [])):
        report(tmp_path / name, name, entries, parquet=parquet)
    rows = [row for page in opened.ask(about_versions(pair_in(opened, tmp_path))) for row in page]
    assert [row[:4] for row in rows] == [("k", "null", 0, "missing")]
