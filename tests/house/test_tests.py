"""The tests themselves: every folder says what belongs there, and what tests share has a module of its own."""

import ast

from tests.house.sources import ROOT, imported, modules, named, parsed

FOLDERS = sorted({path.parent for path in modules("tests")})


def through_test_modules(module: ast.Module) -> list[str]:
    """Return what a module imports from modules of tests."""
    return [name for name in imported(module) if any(part.startswith("test_") for part in name.split("."))]


def test_every_folder_of_tests_says_what_belongs_there() -> None:
    packages = [folder / "__init__.py" for folder in FOLDERS]
    assert [named(each) for each in packages if not each.exists() or not ast.get_docstring(parsed(each))] == []


def test_every_folder_of_tests_has_a_row_in_the_readme() -> None:
    readme = (ROOT / "tests" / "README.md").read_text()
    names = [folder.name for folder in FOLDERS if folder != ROOT / "tests"]
    assert [name for name in names if f"\n| [{name}]({name}) |" not in readme] == []


def test_no_module_imports_from_a_module_of_tests() -> None:
    found = {named(path): through_test_modules(parsed(path)) for path in modules("tests", "benchmarks")}
    assert {path: names for path, names in found.items() if names} == {}


def test_an_import_from_a_module_of_tests_is_found() -> None:
    code = "from tests.unit.test_plan import steps\nfrom tests.unit import test_gone\nimport tests.unit.values"
    assert through_test_modules(ast.parse(code)) == ["tests.unit.test_plan.steps", "tests.unit.test_gone"]
