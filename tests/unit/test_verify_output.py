"""What verify prints and writes: nothing of a key is obeyed by a terminal, a browser or a spreadsheet."""

import csv
import io
import json
from collections import Counter
from typing import Any

import pytest
from replicator.core.verifying.differences import Difference, Kind
from replicator.core.verifying.run_state import Scope
from replicator.core.verifying.totals import Totals
from s3replicator.output import Output
from s3replicator.verify.csv_output import CsvFile
from s3replicator.verify.html_page import Verified, html_page
from s3replicator.verify.json_output import verification_document
from s3replicator.verify.text_output import print_verification

EVIL = "<script>alert(1)</script>\x1b[31m\u202e"


def totals(*found: Difference, checked: int = 12_345, pending: int = 0) -> dict[str, Totals]:
    made = Totals(checked, checked - len(found), pending, 2, Counter({"NoMatchingRule": 3}))
    made.add_differences(found)
    return {"west": made}


def difference(key: str = EVIL, kind: Kind = Kind.MISSING) -> Difference:
    return Difference(kind, key, "west", "v1", "it never arrived")


def printed(capsys: pytest.CaptureFixture[str], found: dict[str, Totals], *notes: str) -> str:
    print_verification("east", found, notes, Output(as_json=False))
    return capsys.readouterr().out


def test_the_table_has_counts_and_each_kind_has_examples_and_advice(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, totals(*[difference(f"k{number}") for number in range(5)]), "a note")
    assert "12,345" in text
    assert "west: 5 missing: the version never arrived" in text
    assert [f"k{number}" in text for number in range(5)] == [True, True, True, False, False]
    assert "to do: verify --repair copies it" in text
    assert "note: a note" in text
    assert text.rstrip().endswith("east: 5 differences")


@pytest.mark.parametrize(
    ("pending", "verdict"),
    {0: "every destination has what the rules promise", 1: "1 pending; verify again"}.items(),
    ids=["equal", "pending"],
)
def test_the_last_line_is_the_verdict(capsys: pytest.CaptureFixture[str], pending: int, verdict: str) -> None:
    assert printed(capsys, totals(pending=pending)).rstrip().endswith(verdict)


def test_no_output_lets_a_key_do_anything(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, totals(difference()))
    assert "\x1b" not in text
    assert "\u202e" not in text
    page = html_page(Verified("east", True, totals(difference()), [EVIL], [difference()], 0))
    assert "<script>" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;" in page


def test_a_page_says_how_many_differences_it_does_not_list() -> None:
    found = totals(*[difference(f"k{number}") for number in range(5)])
    page = html_page(Verified("east", False, found, [], [difference("k0")], 0))
    assert "4 more are in the CSV file" in page


def test_a_row_of_csv_has_everything_and_no_formula() -> None:
    file = io.StringIO()
    sheet = CsvFile(file)
    sheet.add(difference("=1+1"), "different")
    sheet.add(difference('a,"b"\n'), "repaired")
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))
    assert [(row["Kind"], row["Key"], row["VersionId"], row["State"]) for row in rows] == [
        ("missing", "'=1+1", "v1", "different"),
        ("missing", 'a,"b"\n', "v1", "repaired"),
    ]


def test_the_json_document_keeps_its_contract() -> None:
    document = json.loads(json.dumps(verification_document("east", Scope(), totals(difference("k")), [])))
    assert document["bucket"] == "east"
    west = document["destinations"]["west"]
    assert (west["checked"], west["pending"], west["differences"]) == (12_345, 0, {"missing": 1})
    assert not document["equal"]
