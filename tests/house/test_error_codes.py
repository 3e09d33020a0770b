"""AWS errors are known by their codes: a client's own exception classes are no ground to stand on.

botocore makes the classes of `client.exceptions` when one is first asked for, without a lock. Of two threads that ask
at the same moment, each may get classes of its own, and one's `except` lets the other's error pass.
"""

import ast

from tests.house.sources import modules, named, parsed


def asked_of_clients(module: ast.Module) -> list[str]:
    """Return every `something.exceptions.Class` of a module."""
    return [
        f"{ast.unparse(node)}, line {node.lineno}"
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "exceptions"
    ]


def test_no_module_asks_a_client_for_its_exceptions() -> None:
    found = {named(path): asked_of_clients(parsed(path)) for path in modules("functions", "cli", "emulator")}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_a_module_that_asks_a_client_for_its_exceptions_is_found() -> None:
    code = "try: pass\nexcept self.client.exceptions.Gone: pass"
    assert asked_of_clients(ast.parse(code)) == ["self.client.exceptions.Gone, line 2"]
