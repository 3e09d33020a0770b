"""The FilterCriteria of an event source mapping: which messages a function does not receive.

Lambda matches as EventBridge does, and EventBridge as its open source library: a field within a list has as many values
as the list has elements, one that matches is enough, and fields of one pattern must match within the same element. A
body that is JSON meets only patterns that look into it, any other body only those that do not.
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
https://github.com/aws/event-ruler
"""

from __future__ import annotations

import json
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_FILTERS = 5
LONGEST_PATTERN = 4096
"""Characters. https://docs.aws.amazon.com/lambda/latest/api/API_Filter.html"""
_COMPARED = {"<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt}
_TEXTS = {
    "prefix": str.startswith,
    "suffix": str.endswith,
    "equals-ignore-case": lambda value, text: value.lower() == text.lower(),
}
_ABSENT = {"exists": False}


@dataclass(frozen=True)
class _Field:
    """One value of an event. `places`: list that it is in, by its path -> the index of its element."""

    path: str
    value: Any
    places: Mapping[str, int] = field(default_factory=dict)


def passes(criteria: Mapping[str, Any] | None, record: Mapping[str, Any]) -> bool:
    """Return whether a record matches one of the filters; without filters, every record does."""
    patterns = [json.loads(each["Pattern"]) for each in (criteria or {}).get("Filters", [])]
    return not patterns or any(_matches(pattern, record) for pattern in patterns)


def is_pattern(node: Any) -> bool:
    """Return whether a pattern ends in lists of what a value may be, none of them empty."""
    if isinstance(node, list):
        return bool(node) and all(map(_is_rule, node))
    return isinstance(node, dict) and all(
        all(map(is_pattern, value)) if _is_choice(name, value) else is_pattern(value) for name, value in node.items()
    )


def _is_rule(rule: Any) -> bool:
    if not isinstance(rule, dict):
        return not isinstance(rule, list)
    known = {*_TEXTS, "anything-but", "numeric", "exists"}
    return len(rule) == 1 and rule.keys() <= known


def _matches(pattern: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    body = pattern.get("body")
    if body is not None:
        try:
            parsed = json.loads(record["body"])
        except (ValueError, RecursionError):
            if isinstance(body, dict):
                return False
        else:
            if not isinstance(body, dict):
                return False
            record = {**record, "body": parsed}
    fields = tuple(_fields(record, "", {}))
    return any(_satisfied(sorted(each, key=_path), fields, {}) for each in _conditions(pattern, ""))


def _path(condition: tuple[str, list[Any]]) -> str:
    return condition[0]


def _fields(node: Any, path: str, places: Mapping[str, int], *, place: str = "") -> Iterator[_Field]:
    """Yield the values of an event. Lists leave no trace in paths."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _fields(value, f"{path}.{name}" if path else name, places, place=f"{place}.{name}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _fields(value, path, {**places, place: index}, place=f"{place}[{index}]")
    else:
        yield _Field(path, node, places)


def _conditions(pattern: Mapping[str, Any], path: str) -> Iterator[list[tuple[str, list[Any]]]]:
    """Yield the ways to match a pattern, each a list of (path, what its value may be). `$or` makes them several."""
    ways: list[list[tuple[str, list[Any]]]] = [[]]
    for name, value in pattern.items():
        here = f"{path}.{name}" if path else name
        if _is_choice(name, value):
            more = [way for choice in value for way in _conditions(choice, path)]
        else:
            more = [[(here, value)]] if isinstance(value, list) else list(_conditions(value, here))
        ways = [[*way, *other] for way in ways for other in more]
    yield from ways


def _is_choice(name: str, value: Any) -> bool:
    return name == "$or" and isinstance(value, list) and len(value) > 1 and all(isinstance(e, dict) for e in value)


def _satisfied(
    conditions: Sequence[tuple[str, list[Any]]], fields: Sequence[_Field], places: Mapping[str, int]
) -> bool:
    """Match conditions in the order of their paths. `places`: the elements that those before have settled on."""
    if not conditions:
        return True
    (path, allowed), *rest = conditions
    found = [each for each in fields if each.path == path and _meet(places, each.places)]
    for each in found:
        if any(_allows(rule, each.value) for rule in allowed) and _satisfied(rest, fields, {**places, **each.places}):
            return True
    return not found and _ABSENT in allowed and _satisfied(rest, fields, places)


def _meet(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    """Return whether both are in the same element of every list that has both."""
    return all(one.get(place, index) == index for place, index in other.items())


def _allows(rule: Any, value: Any) -> bool:
    if not isinstance(rule, dict):
        return _equal(rule, value)
    [(name, wanted)] = rule.items()
    if name == "exists":
        return wanted is True
    if name == "anything-but":
        return not any(_equal(each, value) for each in (wanted if isinstance(wanted, list) else [wanted]))
    if name == "numeric":
        pairs = zip(wanted[::2], wanted[1::2], strict=True)
        return _is_number(value) and all(_COMPARED[sign](value, number) for sign, number in pairs)
    return isinstance(value, str) and bool(_TEXTS[name](value, wanted))


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
