"""What is easily forgotten when something is added, and missed by no other test. CONTRIBUTING.md has the recipes."""

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from replicator.core.rules import destination_reader, reader
from s3replicator.main import app

ROOT = Path(__file__).parents[2]
COMMAND = ROOT / "cli" / "s3replicator"
READS = {"node", "nodes", "text", "number", "quantity", "choice", "status_of", "_minutes"}
"""What reads a member of a rule: methods of `Node` and functions on top of them."""
INSIDE = {"EventThreshold", "Key", "Owner", "ReplicaKmsKeyID", "Time", "Value"}
"""Members of fields that the page describes as a whole."""


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def questions() -> set[str]:
    """Name the folders of the command that answer a question of operators."""
    return {path.parent.name for path in COMMAND.glob("*/commands.py")}


def members_read(code: str) -> Iterator[str]:
    """Yield the names of a document's members that a module reads."""
    for call in ast.walk(ast.parse(code)):
        if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) in READS:
            yield from (
                each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )


def test_every_package_is_installed() -> None:
    declared = project()["tool"]["setuptools"]
    where = {name: ROOT / path for name, path in declared["package-dir"].items()}
    folders = {each.parent for root in where.values() for each in root.rglob("__init__.py")}
    known = {where[name.partition(".")[0]].joinpath(*name.split(".")[1:]) for name in declared["packages"]}
    assert sorted(folders - known) == []
    assert sorted(known - folders) == []


def test_every_question_has_a_command() -> None:
    groups = [group.typer_instance for group in app.registered_groups if group.typer_instance]
    commands = [each for registry in (app, *groups) for each in registry.registered_commands if each.callback]
    assert questions() - {each.callback.__module__.split(".")[1] for each in commands} == set()


def test_no_question_may_import_another() -> None:
    contracts = {each["id"]: each for each in project()["tool"]["importlinter"]["contracts"]}
    independent, below = contracts["questions"]["modules"], contracts["jobs"]["source_modules"]
    assert {*independent, *below} == {f"s3replicator.{name}" for name in questions()}
    assert set(contracts["jobs"]["forbidden_modules"]) == set(independent)


def test_every_field_of_a_rule_is_on_the_page_on_rules() -> None:
    read = {name for module in (reader, destination_reader) for name in members_read(inspect.getsource(module))}
    written = set(re.findall(r"\w+", (ROOT / "docs" / "rules.md").read_text()))
    assert {"StorageClass", "SseKmsEncryptedObjects", "Minutes"} <= read
    assert sorted((read | set(reader.OPTIONS)) - INSIDE - written) == []
