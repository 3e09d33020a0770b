"""Within functions/ one module alone catches botocore's errors: what a code means is said once, in the error table.

An adapter that caught them itself could give the same code another meaning, or let a new kind of error pass.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parents[2] / "functions"
MODULES = sorted(str(path.relative_to(FUNCTIONS)) for path in FUNCTIONS.rglob("*.py"))
DOORS = {
    "replicator/aws/asking.py": "the door",
    "replicator/aws/errors.py": "the error table, which tells botocore's kinds of errors apart",
}
ERRORS = {"ClientError", "BotoCoreError"}


def botocore_errors(code: str) -> Iterator[str]:
    """Find every mention of botocore's exceptions in a module: imported, caught, suppressed or tested for."""
    for node in ast.walk(ast.parse(code)):
        named: list[str] = []
        if isinstance(node, ast.ImportFrom):
            named = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.Attribute | ast.Name):
            named = [ast.unparse(node)]
        for name in named:
            if "botocore.exceptions" in name or name.rpartition(".")[2] in ERRORS:
                yield f"{name}, line {getattr(node, 'lineno', 0)}"


@pytest.mark.parametrize("module", sorted(set(MODULES) - DOORS.keys()))
def test_no_other_module_knows_the_errors_of_botocore(module: str) -> None:
    assert list(botocore_errors((FUNCTIONS / module).read_text())) == []


@pytest.mark.parametrize("module", sorted(DOORS))
def test_the_door_and_the_table_do(module: str) -> None:
    assert list(botocore_errors((FUNCTIONS / module).read_text()))


@pytest.mark.parametrize(
    "code",
    [
        "from botocore.exceptions import ClientError",
        "from botocore import exceptions",
        "import botocore.exceptions",
        "from boto3.exceptions import ClientError as Refused",
        "try: pass\nexcept (botocore.exceptions.ClientError, KeyError): pass",
        "try: pass\nexcept BotoCoreError: pass",
        "with suppress(ClientError): pass",
        "isinstance(error, ClientError)",
    ],
)
def test_a_second_door_would_be_found(code: str) -> None:
    assert list(botocore_errors(code))
