"""Rooms are small: a file or function that grows past its limit is split, not excused."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_HANDLER = 400, 60, 60
FOLDERS = ("functions", "cli", "emulator", "tests", "benchmarks")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
NAMELESS = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_is_too_long() -> None:
    assert [f"{named(path)}: {lines(path)}" for path in FILES if lines(path) > LONGEST_FILE] == []


def test_no_function_is_too_long() -> None:
    long = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    long.append(f"{named(path)}:{node.lineno} {node.name}: {length}")
    assert long == []


@pytest.mark.parametrize("handler", sorted((ROOT / "functions").glob("*/app.py")), ids=lambda path: path.parent.name)
def test_handlers_are_thin(handler: Path) -> None:
    assert lines(handler) < LONGEST_HANDLER


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        named(path) for path in FILES if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_no_module_is_a_drawer_for_everything() -> None:
    assert [named(path) for path in FILES if path.stem in NAMELESS] == []
