"""Decision records have one form, numbers without holes, and an index that lists each under its title."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"
RECORDS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
BEGINNING = re.compile(
    r"# (?P<number>\d{4})\. (?P<title>.+)\n"
    r"\n"
    r"Status: (?:accepted|superseded by \d{4}) · Date: \d{4}-\d{2}-\d{2}\n"
)
ROW = re.compile(r"^\| \[(\d{4})\]\((.+?)\) \| (.+?) \| .+ \|$", re.MULTILINE)
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)


def title(path: Path) -> str:
    found = BEGINNING.match(path.read_text())
    return found["title"] if found else "none"


def begins_as_it_should(path: Path) -> bool:
    """Return whether a record begins with the number of its file, a title, a status and a date."""
    found = BEGINNING.match(path.read_text())
    return found is not None and found["number"] == path.name[:4]


def sections(path: Path) -> list[str]:
    """Return the headings of the sections that are not empty."""
    _, *found = SECTION.split(path.read_text())
    return [heading for heading, text in zip(found[::2], found[1::2], strict=True) if text.strip()]


def test_numbers_run_from_one_on_without_holes() -> None:
    assert [path.name[:5] for path in RECORDS] == [f"{number:04}-" for number in range(1, len(RECORDS) + 1)]


def test_a_record_begins_with_its_number_its_title_its_status_and_its_date() -> None:
    assert [path.name for path in RECORDS if not begins_as_it_should(path)] == []


def test_a_record_has_context_decision_and_consequences_and_nothing_else() -> None:
    expected = ["Context", "Decision", "Consequences"]
    assert {path.name: sections(path) for path in RECORDS if sections(path) != expected} == {}


def test_the_index_lists_every_record_under_its_title() -> None:
    rows = ROW.findall((FOLDER / "README.md").read_text())
    assert rows == [(path.name[:4], path.name, title(path)) for path in RECORDS]
