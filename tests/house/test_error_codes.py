"""AWS errors are known by their codes: a client's own exception classes are no ground to stand on.

botocore makes the classes of `client.exceptions` when one is first asked for, without a lock. Of two threads that ask
at the same moment, each may get classes of its own, and one's `except` lets the other's error pass.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [path for folder in ("functions", "cli", "emulator") for path in sorted((ROOT / folder).rglob("*.py"))]


def asked_of_clients(code: str) -> Iterator[str]:
    """Return every `something.exceptions.Class` of a module."""
    for node in ast.walk(ast.parse(code)):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "exceptions"
        ):
            yield f"{ast.unparse(node)}, line {node.lineno}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_asks_a_client_for_its_exceptions(path: Path) -> None:
    assert not list(asked_of_clients(path.read_text()))


def test_they_would_be_found() -> None:
    assert list(asked_of_clients("try: pass\nexcept self.client.exceptions.Gone: pass")) == [
        "self.client.exceptions.Gone, line 2"
    ]
