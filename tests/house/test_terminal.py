"""Everything that the command prints passes one module, and the emulator has one too: what a terminal obeys is escaped.

A second way out would print keys, tags and AWS's words as they are: whoever writes objects would write to the
operator's terminal. `tests/emulator/test_terminal.py` shows that the one way is safe.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import modules, named, parsed

WAYS_OUT = {
    "cli/s3replicator/output.py": "the one module that prints",
    "cli/s3replicator/__main__.py": "prints before and after a command runs, constant words and escaped ones only",
    "cli/s3replicator/main.py": "prints the version and the trace of a fault of its own, escaped",
    "cli/s3replicator/demo/__main__.py": "prints constant words",
    "emulator/terminal.py": "the one module of the emulator that prints",
    "emulator/functions/runtime.py": "a function's process, whose output is its log",
}
CALLS = {"print", "echo", "secho", "Console", "input", "get_console", "print_exc"}
STREAMS = {"stdout", "stderr", "__stdout__", "__stderr__"}
ASKED = {"isatty", "encoding"}
"""What may be asked of a stream: neither prints."""


def ways_out(module: ast.Module) -> Iterator[str]:
    """Find what prints: calls, and standard streams that are used for anything but a question."""
    consoles = {"_console", "console"}
    asked = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Attribute) and node.attr in ASKED}
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            target = getattr(node.func, "value", None)
            held = isinstance(target, ast.Attribute | ast.Name) and ast.unparse(target).rpartition(".")[2] in consoles
            if name in CALLS and not held:
                yield f"{name}, line {node.lineno}"
        elif isinstance(node, ast.Attribute) and node.attr in STREAMS and id(node) not in asked:
            yield f"{node.attr}, line {node.lineno}"


@pytest.mark.parametrize(
    "path", [each for each in modules("cli", "emulator") if named(each) not in WAYS_OUT], ids=named
)
def test_no_other_module_prints(path: Path) -> None:
    assert list(ways_out(parsed(path))) == []


@pytest.mark.parametrize(
    "code",
    ["print(key)", "typer.echo(key)", "rich.print(key)", "Console().print(key)", "sys.stdout.write(key)",
     "console = Console(stderr=True)", "out = sys.stderr", "traceback.print_exc()"],
)  # fmt: skip
def test_a_second_way_out_would_be_found(code: str) -> None:
    assert list(ways_out(ast.parse(code)))


@pytest.mark.parametrize("code", ["sys.stdout.isatty()", "self._console.print(text)", "output.line(key)"])
def test_what_asks_or_takes_the_one_way_is_not_found(code: str) -> None:
    assert list(ways_out(ast.parse(code))) == []
