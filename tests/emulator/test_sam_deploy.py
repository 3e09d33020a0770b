"""The real `sam deploy`, with AWS_ENDPOINT_URL pointing at the emulator: create, update, delete, and what it runs."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator import sample_stack
from tests.sam.cli import Sam

REGION = "us-east-1"
STACK = "by-sam"

pytestmark = pytest.mark.skipif(
    not Path(sys.executable).with_name("sam").exists(), reason="the SAM CLI is not installed: sam deploy was not tried"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_stack.write(tmp_path_factory.mktemp("stack")).parent


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running({}) as up:
        yield up


@pytest.fixture(scope="module")
def sam(emulator: Running, tmp_path_factory: pytest.TempPathFactory) -> Sam:
    return Sam(tmp_path_factory.mktemp("sam") / "app", emulator.environment(REGION))


def deploy(sam: Sam, folder: Path, *more: str) -> str:
    common = ("--stack-name", STACK, "--resolve-s3", "--capabilities", "CAPABILITY_IAM")
    return sam.run("deploy", "--template", str(folder / "template.yaml"), *common, *more, cwd=folder).stdout


def look(emulator: Running) -> Any:
    answer = emulator.client("lambda", REGION).invoke(FunctionName=f"{STACK}-look", Payload=b"{}")
    return json.loads(answer["Payload"].read())


def outputs(emulator: Running) -> dict[str, str]:
    (stack,) = emulator.client("cloudformation", REGION).describe_stacks(StackName=STACK)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def test_sam_deploy_creates_and_updates_a_stack_and_sam_delete_deletes_it(
    emulator: Running, sam: Sam, folder: Path
) -> None:
    """What was uploaded runs, not what is in the folder; and what runs receives from the stack's queue."""
    said = deploy(sam, folder, "--parameter-overrides", "Level=DEBUG", "SourceBuckets=one,two")
    assert "Successfully created/updated stack" in said
    seen = look(emulator)
    assert seen["environment"]["LEVEL"] == "DEBUG"
    assert seen["environment"]["LAMBDA_TASK_ROOT"] != str(folder / "code")
    created = outputs(emulator)
    emulator.client("sqs", REGION).send_message(QueueUrl=created["Queue"], MessageBody='{"do": "nothing"}')
    assert emulator.idle()
    assert any(line.startswith("GOT ") for line in emulator.logs(STACK, "RecordFunction"))

    code = folder / "code" / "app.py"
    code.write_text(code.read_text() + "\n\ndef look(event, context):\n    return 'new code'\n")
    deploy(sam, folder, "--parameter-overrides", "Level=INFO", "SourceBuckets=one,two")
    assert look(emulator) == "new code"
    assert outputs(emulator) == created

    sam.run("delete", "--stack-name", STACK, "--no-prompts", "--region", REGION, cwd=folder)
    names = [each["StackName"] for each in emulator.client("cloudformation", REGION).describe_stacks()["Stacks"]]
    assert STACK not in names
    assert created["Table"] in emulator.client("dynamodb", REGION).list_tables()["TableNames"]


def test_sam_deploy_shows_why_a_stack_could_not_be_created(
    emulator: Running, sam: Sam, folder: Path, tmp_path: Path
) -> None:
    emulator.client("s3", REGION).create_bucket(Bucket="taken")
    broken = tmp_path / "stack"
    shutil.copytree(folder, broken)
    arguments = ("--stack-name", "broken", "--resolve-s3", "--capabilities", "CAPABILITY_IAM")
    with pytest.raises(AssertionError, match="taken already exists"):
        sam.run("deploy", *arguments, "--parameter-overrides", "CreateSourceBucket=taken", cwd=broken)
