"""The example events of `events/` with what is expected of each, for every kind of test.

An event is what `sam local invoke` takes. Its `.expected.json` says in which state it finds the buckets of
`ground.json` and what it leaves: the answer, outcomes, dead letters, and which version each entry replicates.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parents[2] / "events"
NULL = "null"
MARKER = "delete marker"


@dataclass(frozen=True, slots=True)
class Case:
    """One example event and what is expected of it."""

    function: str
    name: str
    event: dict[str, Any]
    expected: dict[str, Any]

    def with_versions(self, versions: Mapping[str, str]) -> "Case":
        """Return the case with other version ids, as where ids cannot be chosen."""
        event, expected = json.dumps(self.event), json.dumps(self.expected)
        for old, new in versions.items():
            event, expected = event.replace(old, new), expected.replace(old, new)
        return Case(self.function, self.name, json.loads(event), json.loads(expected))

    def __str__(self) -> str:
        return f"{self.function}/{self.name}"


def ground() -> dict[str, Any]:
    """Read the buckets and rules that all cases share."""
    document: dict[str, Any] = json.loads((EVENTS / "ground.json").read_text())
    return document


def cases(function: str) -> list[Case]:
    """Read the cases of one function that say what is expected of them."""
    return [_read(path) for path in sorted((EVENTS / function).glob("*.expected.json"))]


def _read(path: Path) -> Case:
    name = path.name.removesuffix(".expected.json")
    event = json.loads(path.with_name(f"{name}.json").read_text())
    return Case(path.parent.name, name, event, json.loads(path.read_text()))
