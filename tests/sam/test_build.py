"""`sam build` ships what the functions need, nothing less and little more."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sam.cli import Sam, architecture
from tests.template import stacks

# In the four bytes after the magic number, the lowest bit means "by hash", the next "check the source".
CHECKED_HASH = 0b11
UNPACKED_LIMIT = 30 * 1024 * 1024


@pytest.fixture
def shipped(build: Path) -> Path:
    """Return the folder that is uploaded; it is the same for each function."""
    return build / "ReplicateFunction"


def in_shipped(python: str, folder: Path, code: str) -> str:
    """Run code in a Python that sees only what is shipped, with the variables that the template gives."""
    variables = stacks.properties(stacks.stack(), "ReplicateFunction")["Environment"]["Variables"]
    environment = {name: value if isinstance(value, str) else "value" for name, value in variables.items()}
    done = subprocess.run(
        [python, "-S", "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n{code}"],
        check=False, cwd="/", env={**environment, "AWS_DEFAULT_REGION": "us-east-1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_handler_can_be_imported_with_only_what_is_shipped(python: str, build: Path) -> None:
    for function, package in stacks.FUNCTIONS.items():
        code = f"import {package}.app as app; print(callable(app.handler), app.__file__)"
        output = in_shipped(python, build / function, code)
        assert output.splitlines()[-1].split() == ["True", str(build / function / package / "app.py")]


def test_the_boto3_that_is_shipped_knows_the_guards_of_writes(python: str, build: Path) -> None:
    code = """
import boto3, json
client = boto3.client("s3")
shapes = {name: list(client.meta.service_model.operation_model(name).input_shape.members)
          for name in ("CopyObject", "CompleteMultipartUpload", "DeleteObject")}
print(json.dumps([boto3.__file__, shapes]))
"""
    where, members = json.loads(in_shipped(python, build / "ReplicateFunction", code))
    assert where.startswith(str(build))
    assert {"IfMatch", "IfNoneMatch"} <= set(members["CopyObject"])
    assert {"IfMatch", "IfNoneMatch"} <= set(members["CompleteMultipartUpload"])
    assert "IfMatch" in members["DeleteObject"]


def test_every_function_ships_the_same_files_so_that_one_upload_serves_all(build: Path) -> None:
    first, *others = (contents(build / function) for function in stacks.FUNCTIONS)
    assert all(other == first for other in others)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_byte_code_is_shipped_and_checked_by_hash(shipped: Path) -> None:
    for package in ("boto3", "botocore", "aws_lambda_powertools", *stacks.FUNCTIONS.values(), "replicator"):
        for source in (shipped / package).rglob("*.py"):
            compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
            assert int.from_bytes(compiled.read_bytes()[4:8], "little") == CHECKED_HASH, compiled
    assert not list(shipped.rglob("*.cpython-31[0-24-9].pyc"))


def test_only_the_services_that_functions_call_are_shipped(shipped: Path) -> None:
    services = {path.name for path in (shipped / "botocore" / "data").iterdir() if path.is_dir()}
    assert services == {"cloudwatch", "dynamodb", "events", "s3", "sqs", "sts"}


def test_the_files_that_are_shipped_stay_small(shipped: Path) -> None:
    assert sum(path.stat().st_size for path in shipped.rglob("*") if path.is_file()) < UNPACKED_LIMIT


def test_an_edit_of_shared_code_is_in_the_next_build(
    project: Path, make_sam: Callable[..., Sam], tmp_path: Path
) -> None:
    copy = shutil.copytree(project, tmp_path / "project")
    shared = Path("replicator", "runtime.py")
    with (copy / "functions" / shared).open("a") as module:
        module.write("# an edit\n")
    make_sam().run("build", "MonitorFunction", "--parameter-overrides", architecture(), cwd=copy)
    built = copy / ".aws-sam" / "build" / "MonitorFunction" / shared
    assert built.read_text() == (copy / "functions" / shared).read_text()
