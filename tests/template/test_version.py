"""The version stands in one place, the functions' package; what people read it from says the same."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from typing import Any

import pytest
from replicator import __version__

from tests.template import stacks


def test_the_stack_says_its_version() -> None:
    assert stacks.stack()["Outputs"]["Version"]["Value"] == __version__


def test_the_command_is_installed_with_the_same_version() -> None:
    assert version("s3-replicator") == __version__, "make setup installs it anew"


def test_the_changelog_begins_with_it() -> None:
    headings = re.findall(r"^## (\S+)", (stacks.ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == __version__


def logged_at_import(function: str) -> list[dict[str, Any]]:
    """Import a handler as Lambda does, in a process of its own, and return what it logs."""
    variables = stacks.properties(stacks.stack(), function)["Environment"]["Variables"]
    done = subprocess.run(
        [sys.executable, "-c", f"import {stacks.FUNCTIONS[function]}.app"],
        check=True,
        cwd=stacks.ROOT / "functions",
        env={
            **os.environ,
            **{name: str(value) for name, value in variables.items()},
            "AWS_DEFAULT_REGION": "us-east-1",
        },
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("function", stacks.FUNCTIONS)
def test_a_cold_start_logs_one_line_with_the_version(function: str) -> None:
    [line] = logged_at_import(function)
    assert (line["level"], line["message"], line["version"]) == ("INFO", "cold start", __version__)
    assert line["service"] == "s3-replicator"
