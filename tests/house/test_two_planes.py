"""The data plane is what handlers reach and nothing else; what only operators need is the control plane's.

`functions/` is what is deployed: a module in it that no handler imports costs every cold start its bytes and every
reader its time.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"


def modules(root: Path) -> dict[str, Path]:
    """Return every module below a folder by its dotted name; a package goes by its own name."""
    named = {".".join(path.relative_to(root).with_suffix("").parts): path for path in root.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in named.items()}


def imported(path: Path) -> Iterator[str]:
    """Yield all that a module may import, inside functions and for type checkers too, with all packages above it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from with_packages(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield from with_packages(alias.name)


def with_packages(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def unreached(there: Mapping[str, Path]) -> list[str]:
    """Name the modules that no handler reaches."""
    handlers = [name for name in there if name.endswith(".app")]
    seen: set[str] = set()
    waiting = [package for name in handlers for package in with_packages(name)]
    while waiting:
        name = waiting.pop()
        if name in there and name not in seen:
            seen.add(name)
            waiting += imported(there[name])
    return sorted(set(there) - seen)


def test_every_module_of_the_functions_is_reached_by_a_handler() -> None:
    assert unreached(modules(FUNCTIONS)) == []


def test_a_module_that_no_handler_reaches_is_found(tmp_path: Path) -> None:
    for name, code in {"go/app.py": "import lib.used", "lib/used.py": "", "lib/unused.py": "import lib.used"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code)
    assert unreached(modules(tmp_path)) == ["lib.unused"]
