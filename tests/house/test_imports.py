"""The import contracts of pyproject.toml hold, and each of them bites when something forbidden is imported."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("functions", "cli", "emulator")
# Contract -> a module, and what it must not import.
FORBIDDEN = [
    ("one-way", "functions/replicator/core/rules/rule.py", "replicator.flows.ports"),
    ("one-way", "functions/replicator/flows/ports.py", "replicator.aws.clients"),
    ("one-way", "functions/replicator/aws/clients.py", "replicator.runtime"),
    ("one-way", "functions/replicator/runtime.py", "replicate.app"),
    ("one-way", "functions/replicate/app.py", "s3replicator.main"),
    ("wings", "functions/replicator/core/rules/rule.py", "replicator.core.versions.origin"),
    ("wings", "functions/replicator/core/versions/change.py", "replicator.core.outcomes.outcome"),
    ("wings", "functions/replicator/core/outcomes/outcome.py", "replicator.core.parts.parts"),
    ("wings", "functions/replicator/core/parts/parts.py", "replicator.core.deciding.facts"),
    ("floors", "functions/replicator/flows/large/writing.py", "replicator.flows.change.consume"),
    ("floors", "functions/replicator/flows/change/consume.py", "replicator.flows.copy_parts"),
    ("questions", "cli/s3replicator/status/progress.py", "s3replicator.report.figures"),
    ("answers", "cli/s3replicator/failures/failed_messages.py", "boto3"),
    ("answers", "cli/s3replicator/rules/bucket_checks.py", "s3replicator.output"),
    ("pure", "functions/replicator/core/rules/rule.py", "boto3"),
    ("pure", "functions/replicator/core/rules/rule.py", "botocore.exceptions"),
    ("pure", "functions/replicator/flows/ports.py", "aws_lambda_powertools"),
    ("pure", "functions/replicator/flows/ports.py", "os"),
    ("settled", "functions/replicator/core/rules/rule.py", "time"),
    ("settled", "functions/replicator/core/rules/rule.py", "random"),
    ("environment", "functions/replicator/aws/clients.py", "os"),
    ("wiring", "functions/monitor/app.py", "replicator.aws.queue_depths"),
    ("wiring", "functions/replicate/app.py", "replicator.aws.clients"),
    ("wiring", "functions/batch/app.py", "boto3"),
    ("shipped", "functions/replicator/runtime.py", "emulator.serving.server"),
    ("shipped", "functions/replicator/aws/clients.py", "tests.fakes"),
    ("shipped", "functions/replicate/app.py", "s3replicator.main"),
    ("as-aws", "emulator/serving/server.py", "replicator.core.rules.matching"),
    ("emulator-layers", "emulator/iam/principals.py", "emulator.state"),
    ("emulator-layers", "emulator/s3/puts.py", "emulator.functions.host"),
]


def lint(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the packages below a folder."""
    path = os.pathsep.join(str(root / folder) for folder in ("functions", "cli", "."))
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache", *arguments]
    return subprocess.run(
        command, check=False, cwd=root, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the packages, to be spoiled."""
    root = tmp_path_factory.mktemp("house")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def test_imports_point_one_way() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("contract", "module", "imported"), FORBIDDEN)
def test_a_forbidden_import_breaks_its_contract(house: Path, contract: str, module: str, imported: str) -> None:
    spoiled = house / module
    clean = spoiled.read_text()
    spoiled.write_text(f"{clean}\nimport {imported}\n")
    try:
        done = lint(house, "--contract", contract)
    finally:
        spoiled.write_text(clean)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout
    assert imported.split(".", maxsplit=1)[0] in done.stdout
