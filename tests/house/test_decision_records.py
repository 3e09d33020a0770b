"""Decision records have one form, numbers without holes, and an index that lists each under its title."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"
RECORDS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
HEADING = re.compile(r"# (\d{4})\. (.+)")
STATUS = re.compile(r"Status: (accepted|superseded by \d{4}) · Date: \d{4}-\d{2}-\d{2}")
SECTIONS = ["Context", "Decision", "Consequences"]


def name(path: Path) -> str:
    return path.name


def title(path: Path) -> str:
    found = HEADING.match(path.read_text())
    assert found
    return found[2]


def test_numbers_run_from_one_on_without_holes() -> None:
    assert [path.name[:5] for path in RECORDS] == [f"{number:04}-" for number in range(1, len(RECORDS) + 1)]


@pytest.mark.parametrize("path", RECORDS, ids=name)
def test_a_record_begins_with_its_number_its_title_its_status_and_its_date(path: Path) -> None:
    heading, empty, status = path.read_text().splitlines()[:3]
    found = HEADING.fullmatch(heading)
    assert found
    assert found[1] == path.name[:4]
    assert not empty
    assert STATUS.fullmatch(status)


@pytest.mark.parametrize("path", RECORDS, ids=name)
def test_a_record_has_these_sections_and_no_others(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"^#+ (.+)$", text, re.MULTILINE)[1:] == SECTIONS
    assert all(section.strip() for section in re.split(r"^## .+$", text, flags=re.MULTILINE))


def test_the_index_lists_every_record_under_its_title() -> None:
    rows = re.findall(r"^\| \[(\d{4})\]\((.+?)\) \| (.+?) \| .+ \|$", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert rows == [(path.name[:4], path.name, title(path)) for path in RECORDS]
