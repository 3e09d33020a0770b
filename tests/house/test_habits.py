"""What runs before a commit, on CI and every week is what `make` and the pin files say, and nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PINS = ("constraints.txt", "functions/requirements.txt")
COMMIT = re.compile(r"[\w./-]+@[0-9a-f]{40}")


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def hooks() -> list[dict[str, Any]]:
    return [hook for repo in read(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]


def needed_by(target: str) -> list[str]:
    """Return the targets that a target of the Makefile needs."""
    [names] = re.findall(rf"^{target}: ([^#\n]*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return [name for name in names.split() if "$" not in name]


def steps() -> Iterator[dict[str, Any]]:
    for job in read(".github/workflows/ci.yml")["jobs"].values():
        yield from job["steps"]


def test_a_commit_is_checked_by_what_make_check_runs() -> None:
    assert [hook["entry"] for hook in hooks()] == [f"make {target}" for target in needed_by("check")]


def test_hooks_need_nothing_but_the_virtual_environment() -> None:
    assert [repo["repo"] for repo in read(".pre-commit-config.yaml")["repos"]] == ["local"]
    assert {hook["language"] for hook in hooks()} == {"system"}


def test_ci_runs_the_checks_and_all_tests() -> None:
    commands = (ROOT / ".ci" / "run").read_text().splitlines()
    assert {"make test", "make test-shipped"} <= set(commands)
    assert needed_by("test") == ["check", "pytest"]


def test_the_workflow_runs_what_anybody_can_run() -> None:
    [command] = [step["run"] for step in steps() if "run" in step]
    assert command.endswith("bash .ci/run")


def test_the_workflow_may_only_read_and_uses_actions_that_cannot_change() -> None:
    assert read(".github/workflows/ci.yml")["permissions"] == {"contents": "read"}
    assert [step["uses"] for step in steps() if "uses" in step and not COMMIT.fullmatch(step["uses"])] == []


def test_the_workflow_runs_every_python_that_the_project_claims() -> None:
    claimed = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text())
    assert read(".github/workflows/ci.yml")["jobs"]["test"]["strategy"]["matrix"]["python"] == claimed


def test_pins_and_actions_are_kept_up_to_date() -> None:
    updates = {each["package-ecosystem"]: each for each in read(".github/dependabot.yml")["updates"]}
    assert {name: each["directory"] for name, each in updates.items()} == {"pip": "/", "github-actions": "/"}


@pytest.mark.parametrize("name", PINS)
def test_a_file_of_pins_is_known_as_one(name: str) -> None:
    """Dependabot looks no further down than one folder, and takes a file for pins if all its lines are."""
    assert len(Path(name).parts) <= 2
    lines = (ROOT / name).read_text().splitlines()
    assert [line for line in lines if line and not re.fullmatch(r"[\w.-]+==[\w.]+|#.*", line)] == []
