"""The page about changes after the write and its tests are in step: each row names a test, and each test has a row."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "after-the-write.md"
MODULES = {
    False: ROOT / "tests" / "emulator" / "test_after_the_write.py",
    True: ROOT / "tests" / "emulator" / "test_after_the_write_both_ways.py",
}
NAMED = re.compile(r"`(test_\w+)`(, both ways)? \|$", re.MULTILINE)


def claims_of(module: Path) -> list[str]:
    body = ast.parse(module.read_text()).body
    return sorted(each.name for each in body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"))


def named(page: str, *, both_ways: bool) -> list[str]:
    return sorted(name for name, also in NAMED.findall(page) if bool(also) is both_ways)


def test_each_row_names_a_test_and_each_test_has_one_row() -> None:
    page = PAGE.read_text()
    assert {module.name: named(page, both_ways=both) for both, module in MODULES.items()} == {
        module.name: claims_of(module) for module in MODULES.values()
    }


def test_a_row_without_a_test_is_found() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    headings = [row for row in rows if row.endswith("shown by |") or set(row) <= set("| -")]
    assert len(rows) == len(headings) + len(NAMED.findall(PAGE.read_text()))
    assert named("| a | `test_lost` |\n| b | `test_it`, both ways |", both_ways=True) == ["test_it"]
