"""Reads a JSON document that a person wrote: checks the type of every value, and collects problems with their paths.

Separate from what the document means, so that the readers of rules contain only S3's restrictions. A read that finds a
problem adds it to the list and returns a harmless value, so that one pass reports all problems.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import UnionType

from replicator.core.rules.rule import Problem

STATUSES = ("Enabled", "Disabled")
_LONGEST_QUOTE = 40


def describe(value: object) -> str:
    """Describe a JSON value for a message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"the string {value if len(value) <= _LONGEST_QUOTE else value[:_LONGEST_QUOTE] + '...'!r}"
    if isinstance(value, int | float):
        return f"the number {value}"
    return "a list" if isinstance(value, list | tuple) else "an object"


@dataclass(frozen=True, slots=True)
class Node:
    """One JSON object of a rule: its members, its path within the rule, and the list that problems are added to."""

    members: Mapping[str, object]
    rule: str
    problems: list[Problem]
    path: str = ""

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def at(self, name: str) -> str:
        """Return the path of a member, for example `Filter.And.Tags[1].Key`."""
        return f"{self.path}.{name}" if self.path else name

    def refuse(self, name: str, message: str) -> None:
        """Add a problem with a member."""
        self.problems.append(Problem(self.rule, self.at(name), message))

    def node(self, name: str) -> "Node | None":
        """Return a member that must be an object; None if it is missing or not an object."""
        value = self._typed(name, dict, "an object")
        return self._child(value, self.at(name)) if isinstance(value, dict) else None

    def nodes(self, name: str) -> tuple["Node", ...]:
        """Return the items of a member that must be a list of objects."""
        value = self._typed(name, list, "a list")
        found = []
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, dict):
                found.append(self._child(item, f"{self.at(name)}[{index}]"))
            else:
                self.refuse(f"{name}[{index}]", f"must be an object, not {describe(item)}")
        return tuple(found)

    def text(self, name: str, *, required: bool = False, longest: int | None = None) -> str | None:
        """Return a string. `longest` is in characters, as S3 counts them."""
        value = self._typed(name, str, "a string", required=required)
        if not isinstance(value, str):
            return None
        if longest is not None and len(value) > longest:
            self.refuse(name, f"has {len(value):,} characters; at most {longest:,} are allowed")
        return value

    def number(self, name: str, *, required: bool = False, least: int = 0, most: int = 2**31 - 1) -> int | None:
        """Return a whole number between `least` and `most`."""
        value = self._typed(name, int, "a whole number", required=required)
        if not isinstance(value, int):
            return None
        if not least <= value <= most:
            self.refuse(name, f"must be a whole number from {least} to {most}, not {value}")
            return None
        return value

    def quantity(self, name: str, *, required: bool = False, most: int = 2**31 - 1) -> float | None:
        """Return a number above zero, whole or not."""
        value = self._typed(name, int | float, "a number", required=required)
        if not isinstance(value, int | float):
            return None
        if not 0 < value <= most:  # refuses NaN too, which json.loads accepts
            self.refuse(name, f"must be a number above 0 and at most {most}, not {value}")
            return None
        return value

    def choice(self, name: str, choices: Sequence[str], *, required: bool = False) -> str | None:
        """Return a string that must be one of `choices`."""
        value = self._typed(name, str, " or ".join(choices), required=required)
        if isinstance(value, str) and value in choices:
            return value
        if isinstance(value, str):
            self.refuse(name, f"must be {' or '.join(choices)}, not {value!r}")
        return None

    def enabled(self, name: str = "Status", *, required: bool = True) -> bool:
        """Return whether a status is Enabled; False if it is missing."""
        return self.choice(name, STATUSES, required=required) == "Enabled"

    def status_of(self, name: str, *, required: bool = True) -> bool | None:
        """Return whether the `Status` of a member object is Enabled; None if there is no such object."""
        child = self.node(name)
        return None if child is None else child.enabled(required=required)

    def _child(self, members: Mapping[str, object], path: str) -> "Node":
        return Node(members, self.rule, self.problems, path)

    def _typed(self, name: str, kind: type | UnionType, expected: str, *, required: bool = False) -> object:
        if name not in self.members:
            if required:
                self.refuse(name, f"is missing; it must be {expected}")
            return None
        value = self.members[name]
        if isinstance(value, kind) and not isinstance(value, bool):
            return value
        self.refuse(name, f"must be {expected}, not {describe(value)}")
        return None
