"""Files and functions are short: one that grows past its limit is split, not excused."""

import ast

from tests.house.sources import ROOT, modules, named, parsed

LONGEST_FILE, LONGEST_FUNCTION, LONGEST_HANDLER = 400, 60, 60
FOLDERS = ("functions", "cli", "emulator", "tests", "benchmarks", "tools")
FILES = {path: len(path.read_text().splitlines()) for path in modules(*FOLDERS)}
"""Every module, and its lines."""
NAMELESS = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}


def test_no_file_is_too_long() -> None:
    assert [f"{named(path)}: {lines}" for path, lines in FILES.items() if lines > LONGEST_FILE] == []


def test_no_function_is_too_long() -> None:
    long = []
    for path in FILES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    long.append(f"{named(path)}:{node.lineno} {node.name}: {length}")
    assert long == []


def test_handlers_are_thin() -> None:
    handlers = {named(path): FILES[path] for path in sorted((ROOT / "functions").glob("*/app.py"))}
    assert handlers
    assert {path: lines for path, lines in handlers.items() if lines >= LONGEST_HANDLER} == {}


def test_every_module_says_what_it_is_for() -> None:
    assert [named(path) for path, lines in FILES.items() if lines and not ast.get_docstring(parsed(path))] == []


def test_no_module_is_a_drawer_for_everything() -> None:
    assert [named(path) for path in FILES if path.stem in NAMELESS] == []
