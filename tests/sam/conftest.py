"""What these tests need, once for all of them: a Docker engine, the base image, a build.

Without Docker or Python 3.13 the tests that need them are skipped and say so; on CI, where .ci/run brings both, that
is a failure.
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lacking import lacking
from tests.sam import base_image
from tests.sam.cli import ROOT, Sam, architecture


@pytest.fixture(scope="session")
def python() -> str:
    """Python 3.13, as functions/Makefile finds it."""
    found = subprocess.run(
        ["make", "--silent", "--directory", ROOT / "functions", "which-python"],
        check=False,
        capture_output=True,
        text=True,
    )
    if found.returncode:
        lacking(f"sam build: {found.stderr.strip()}")
    return found.stdout.strip()


@pytest.fixture(scope="session")
def image() -> str:
    """Have the image that functions run in, made from Debian if nobody pulled Amazon's."""
    if shutil.which("docker") is None:
        lacking("no Docker on this machine: sam local invoke was not tested")
    if subprocess.run(["docker", "info"], check=False, capture_output=True).returncode:
        lacking("no Docker engine runs (dockerd, or systemctl start docker): sam local invoke was not tested")
    missing = base_image.what_is_missing()
    if missing:
        lacking(f"no base image for sam local invoke: {missing}")
    base_image.ensure()
    return base_image.image_name()


@pytest.fixture(scope="session")
def make_sam(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Sam]:
    """Return a way to make commands with more environment variables."""
    folder = tmp_path_factory.mktemp("sam") / "app"
    return lambda **environment: Sam(folder, environment)


def checkout(folder: Path) -> Path:
    """Copy what SAM CLI works with, so that a developer's own build is left alone."""
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "functions", folder / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="session")
def project(python: str, make_sam: Callable[..., Sam], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build everything as the README says, for this machine's architecture."""
    folder = checkout(tmp_path_factory.mktemp("project"))
    make_sam().run("build", "--parameter-overrides", architecture(), cwd=folder)
    return folder


@pytest.fixture(scope="session")
def build(project: Path) -> Path:
    """Return the folder with what is shipped, by function."""
    return project / ".aws-sam" / "build"
