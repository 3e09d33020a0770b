"""Reading a JSON document field by field, with errors that name the field.

Separate from the world file's module because it knows nothing about buckets and stacks: it reports wrong types, missing
fields and unknown fields of any document as `stacks[0].region: ...`.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

_KINDS: Mapping[type, str] = {str: "a string", bool: "true or false", list: "a list", dict: "an object"}
_REQUIRED = object()


class WorldError(ValueError):
    """The document is invalid; the message names the field and says what to write instead."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path or 'world'}: {problem}")


def suggestion(word: str, known: Collection[str]) -> str:
    """Return `; did you mean "..."?` if a known word is similar, else an empty string."""
    close = difflib.get_close_matches(word, known, n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


class Fields:
    """A JSON object and its path in the document. Every field that is read is known; `done()` refuses the others."""

    def __init__(self, document: object, path: str) -> None:
        self.path = path
        self._document: Mapping[str, Any] = _checked(document, dict, path)
        self._read: set[str] = set()

    def at(self, name: str) -> str:
        """Return the path of one of the object's fields."""
        return f"{self.path}.{name}" if self.path else name

    def _take(self, name: str, kind: type, default: Any) -> Any:
        self._read.add(name)
        if name not in self._document:
            if default is _REQUIRED:
                raise WorldError(self.at(name), f"is missing; it must be {_KINDS[kind]}")
            return default
        return _checked(self._document[name], kind, self.at(name))

    def text(self, name: str, default: Any = _REQUIRED) -> str:
        """Return a non-empty string."""
        value: str = self._take(name, str, default)
        if not value:
            raise WorldError(self.at(name), "must not be empty")
        return value

    def choice(self, name: str, allowed: Collection[str], default: Any = _REQUIRED) -> str:
        """Return one of the allowed words."""
        value = self.text(name, default)
        if value not in allowed:
            raise WorldError(self.at(name), f'"{value}" is not one of {", ".join(allowed)}{suggestion(value, allowed)}')
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        value: bool = self._take(name, bool, default)
        return value

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return an object as it is, or an empty one if the field is missing."""
        value: Mapping[str, Any] = self._take(name, dict, {})
        return value

    def items(self, name: str) -> Iterator[Fields]:
        """Return the objects of a list; none if the field is missing."""
        for index, item in enumerate(self._take(name, list, [])):
            yield Fields(item, f"{self.at(name)}[{index}]")

    def texts(self, name: str) -> Iterator[tuple[str, str]]:
        """Return the strings of a list, each with its path; none if the field is missing."""
        for index, item in enumerate(self._take(name, list, [])):
            path = f"{self.at(name)}[{index}]"
            yield path, _checked(item, str, path)

    def raw(self, name: str) -> Any:
        """Return the value, whatever its type; None if the field is missing."""
        self._read.add(name)
        return self._document.get(name)

    def done(self) -> None:
        """Raise WorldError if the object has fields that were not read."""
        for name in self._document:
            if name not in self._read:
                known = sorted(self._read)
                raise WorldError(
                    self.at(name), f"unknown field{suggestion(name, known)} (known here: {', '.join(known)})"
                )


def _checked(value: Any, kind: type, path: str) -> Any:
    if not isinstance(value, kind):
        raise WorldError(path, f"must be {_KINDS[kind]}, not {_described(value)}")
    return value


def _described(value: object) -> str:
    if value is None:
        return "null"
    return next((words for kind, words in _KINDS.items() if isinstance(value, kind)), "a number")
