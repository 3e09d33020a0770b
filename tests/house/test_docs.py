"""What the pages refer to is there: files, modules, headings, promises, and the names that the glossary gives.

A page that names a file which has moved sends its reader astray, and nobody notices. Each test lists every offender.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != ".venv"}
PROMISES = [
    "Complete",
    "No loops",
    "Current is right",
    "Never resurrect",
    "Nothing is destroyed",
    "Nothing is swallowed",
    "Identical",
]

CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
MODULE = re.compile(r"python -m ((?:benchmarks|s3replicator|tests)[\w.]*)")
NAMED_IN_BOLD = re.compile(r"\*\*([A-Z][a-z ]+)\*\*")
CITED = re.compile(r"\bPromise (\d+)(?:\]\([^)]*\))?, ([A-Z][a-z ]+)")


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def paths(text: str) -> Iterator[str]:
    """Yield what stands for a path in the repository: below one of its folders, or a module by its file."""
    for name in CODE.findall(text):
        if re.fullmatch(r"[\w./*-]+", name) and (name.endswith(".py") or name.partition("/")[0] in FOLDERS):
            yield name


def is_module(name: str) -> bool:
    places = [root / name.replace(".", "/") for root in (ROOT, ROOT / "cli")]
    return any(place.is_dir() or place.with_suffix(".py").exists() for place in places)


def anchors(page: Path) -> set[str]:
    """Return what links to the headings of a page say, as GitHub makes them."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(prose(page))}


def leads_somewhere(page: Path, link: str) -> bool:
    file, _, heading = link.partition("#")
    there = page.parent / file if file else page
    return "://" in link or (there.exists() and (not heading or heading in anchors(there)))


def defined() -> Iterator[str]:
    """Yield the classes and the names that modules of both planes define."""
    for path in [*(ROOT / "functions").rglob("*.py"), *(ROOT / "cli").rglob("*.py")]:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                yield node.name
            elif isinstance(node, ast.Assign):
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def miscited(page: Path) -> Iterator[tuple[str, str]]:
    """Yield the citations whose number and name do not belong together, wherever the lines of the page break."""
    for number, words in CITED.findall(" ".join(page.read_text().split())):
        if not words.startswith(PROMISES[int(number) - 1]):
            yield number, words


def offenders(found: dict[str, list[str]]) -> dict[str, list[str]]:
    return {page: names for page, names in found.items() if names}


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def test_every_path_that_a_page_names_exists() -> None:
    lost = {name(page): [path for path in paths(prose(page)) if not any(ROOT.glob(path))] for page in PAGES}
    assert offenders(lost) == {}


def test_every_module_that_a_page_runs_exists() -> None:
    lost = {name(page): [found for found in MODULE.findall(page.read_text()) if not is_module(found)] for page in PAGES}
    assert offenders(lost) == {}


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    lost = {
        name(page): [link for link in LINK.findall(prose(page)) if not leads_somewhere(page, link)] for page in PAGES
    }
    assert offenders(lost) == {}


def test_the_map_lists_every_page() -> None:
    listed = {(DOCS / link).resolve() for link in LINK.findall((DOCS / "README.md").read_text())}
    pages = {*DOCS.glob("*.md"), *DOCS.glob("*/README.md"), *(DOCS / "reference").glob("*.md")}
    assert sorted(map(name, pages - listed)) == ["docs/README.md"]


def test_readme_numbers_the_seven_promises() -> None:
    rows = re.findall(r"^\| (\d+) \| \*\*(.+?)\*\* \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert rows == [(str(number), promise) for number, promise in enumerate(PROMISES, 1)]


def test_promises_are_listed_everywhere_in_the_same_order() -> None:
    listed = {
        name(page): [found for found in NAMED_IN_BOLD.findall(page.read_text()) if found in PROMISES] for page in PAGES
    }
    assert {page: names for page, names in listed.items() if names and names != PROMISES} == {}


def test_a_promise_is_cited_by_its_number_and_its_name() -> None:
    wrong = {name(page): [f"Promise {number}, {words}" for number, words in miscited(page)] for page in PAGES}
    assert offenders(wrong) == {}


def test_every_name_in_the_glossary_is_in_the_code() -> None:
    cells = re.findall(r"^\|[^|]+\|[^|]+\| (`.+`) \|$", (DOCS / "glossary.md").read_text(), re.MULTILINE)
    named = {found for cell in cells for found in CODE.findall(cell)}
    assert named
    assert named - set(defined()) == set()


def test_what_is_lost_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A page\n`core/gone.py` and `docs/gone.md`, [there](gone.md), [here](#a-page), [where](#gone)\n")
    assert [path for path in paths(prose(page)) if not any(ROOT.glob(path))] == ["core/gone.py", "docs/gone.md"]
    assert [link for link in LINK.findall(prose(page)) if not leads_somewhere(page, link)] == ["gone.md", "#gone"]
