"""The import contracts of pyproject.toml hold, and each of them catches what it forbids."""

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import grimp
from importlinter import Contract
from importlinter.api import read_configuration
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract

from tests.house.sources import ROOT

KINDS: dict[str, Callable[..., Contract]] = {
    "layers": LayersContract,
    "forbidden": ForbiddenContract,
    "independence": IndependenceContract,
}
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
    ("questions", "cli/s3replicator/status/upload_progress.py", "s3replicator.report.figures"),
    ("jobs", "cli/s3replicator/jobs/job.py", "s3replicator.resync.selecting"),
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


@cache
def configuration() -> dict[str, Any]:
    return dict(read_configuration(str(ROOT / "pyproject.toml")))


@cache
def graph() -> grimp.ImportGraph:
    """Return who imports whom, as import-linter would build it."""
    options = configuration()["session_options"]
    return grimp.build_graph(
        *options["root_packages"],
        include_external_packages=options["include_external_packages"] == "True",
        exclude_type_checking_imports=options["exclude_type_checking_imports"] == "True",
        cache_dir=None,
    )


def holds(contract_id: str, module: str, imported: str) -> bool:
    """Return whether a contract is kept when a module imports one thing more."""
    [options] = [each for each in configuration()["contracts_options"] if each["id"] == contract_id]
    importer = module.removeprefix("functions/").removeprefix("cli/").removesuffix(".py").replace("/", ".")
    spoiled = copy.deepcopy(graph())
    assert importer in spoiled.modules, module
    if imported not in spoiled.modules:
        imported = imported.partition(".")[0]  # of other packages, only the package is known
        spoiled.add_module(imported, is_squashed=True)
    spoiled.add_import(importer=importer, imported=imported)
    contract = KINDS[options["type"]](options["name"], configuration()["session_options"], options)
    return bool(contract.check(spoiled, verbose=False).kept)


def test_imports_point_one_way() -> None:
    path = os.pathsep.join(str(ROOT / folder) for folder in ("functions", "cli", "."))
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    done = subprocess.run(
        command, check=False, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_forbidden_import_breaks_its_contract() -> None:
    assert [row for row in FORBIDDEN if holds(*row)] == []


def test_an_import_that_is_allowed_breaks_no_contract() -> None:
    allowed = ("cli/s3replicator/main.py", "replicator.core.rules.rule")
    broken = [each["id"] for each in configuration()["contracts_options"] if not holds(each["id"], *allowed)]
    assert broken == []


def test_every_contract_is_tried() -> None:
    assert {contract for contract, _, _ in FORBIDDEN} == {each["id"] for each in configuration()["contracts_options"]}
