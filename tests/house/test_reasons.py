"""Every reason code that is documented is raised by the functions, and by a test through the emulator."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from replicator.core.outcomes.outcome import Reason
from s3replicator.advice import ADVICE

from tests.emulator.raised import RAISES
from tests.house.sources import modules

TESTS = Path(__file__).parents[1]


def raised(names: list[str], code: str) -> set[str]:
    """Return the members of Reason that a text names."""
    return set(re.findall(r"\bReason\.([A-Z_]+)\b", code)) & set(names)


def test_every_reason_code_is_used_by_the_functions() -> None:
    names = [reason.name for reason in Reason]
    code = "\n".join(path.read_text() for path in modules("functions"))
    assert set(names) - raised(names, code) == set()


def test_a_reason_code_that_nothing_uses_is_found() -> None:
    assert raised(["USED", "UNUSED"], "raise Permanent(Reason.USED)") == {"USED"}


@cache
def definitions(path: Path) -> dict[str, ast.stmt]:
    """Return the functions, classes and values of a module by name."""
    found: dict[str, ast.stmt] = {}
    for each in ast.parse(path.read_text()).body:
        if isinstance(each, ast.FunctionDef | ast.ClassDef):
            found[each.name] = each
        elif isinstance(each, ast.Assign | ast.AnnAssign):
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            found |= {target.id: each for target in targets if isinstance(target, ast.Name)}
    return found


def texts(definition: ast.stmt, known: dict[str, ast.stmt], seen: set[str]) -> Iterator[str]:
    """Return the texts in a definition, and in those of its module that it uses, directly or not."""
    for node in ast.walk(definition):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        if isinstance(node, ast.Name) and node.id in known and node.id not in seen:
            seen.add(node.id)
            yield from texts(known[node.id], known, seen)


def problem(test: str, codes: tuple[str, ...]) -> str:
    """Return what is wrong with a test that is said to raise codes; empty if nothing is."""
    file, _, name = test.partition("::")
    path = TESTS / file
    known = definitions(path) if path.is_file() else {}
    if not name.startswith("test_") or not isinstance(known.get(name), ast.FunctionDef):
        return f"{test}: there is no such test"
    words = set(re.findall(r"\w+", " ".join(texts(known[name], known, {name}))))
    return f"{test}: names no {missing}" if (missing := set(codes) - words) else ""


def test_every_documented_reason_code_is_raised_by_a_test_through_the_emulator() -> None:
    codes = [code for several in RAISES.values() for code in several]
    assert sorted(codes) == sorted(str(reason) for reason in ADVICE), "each once"


def test_the_tests_that_raise_reason_codes_exist_and_name_them() -> None:
    assert [found for test, codes in RAISES.items() if (found := problem(test, codes))] == []


def test_a_test_that_does_not_exist_or_does_not_name_its_code_is_found() -> None:
    there = "emulator/test_reason_codes.py::test_what_a_job_names_in_vain_says_so"
    assert problem(there, ("SrcObjectNotFound",)) == ""
    assert problem(there, ("NoMatchingRule",))
    assert problem(f"{there}_not", ())
    assert problem("emulator/test_nothing.py::test_it", ())
