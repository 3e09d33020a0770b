"""Checks a rule document against botocore's model of `ReplicationConfiguration`: unknown members, types, enums.

Separate from `core.rules.document`, which knows S3's restrictions but not botocore. A new version of botocore knows the
fields that S3 has added. botocore's ParamValidator is not used: it checks no enums, and names paths only inside its
messages.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, ServiceModel, Shape, StringShape, StructureShape

from replicator.core.rules.document import OUTER_KEY
from replicator.core.rules.document_node import describe
from replicator.core.rules.reader import label
from replicator.core.rules.rule import Problem

Fits = Callable[[object], bool]
EXTENSION = "ReplicatorOptions"
_TYPES = {"structure": (dict, "an object"), "list": (list, "a list"), "string": (str, "a text")}
_INTEGER = (int, "a whole number")
_MINUTES = (int | float, "a number")
"""The type of `Minutes` here. S3 accepts only 15; the core decides which other numbers are accepted."""


def shape_problems(document: object, service: ServiceModel | None = None) -> tuple[Problem, ...]:
    """Return where a document, with or without the outer key, differs from botocore's model.

    Missing rules are left to the core. `service`: the model of an existing S3 client, because reading another one would
    add 50 ms to a cold start.
    """
    if isinstance(document, Mapping) and OUTER_KEY in document:
        outer = tuple(_unknown(document, [OUTER_KEY], "", ""))
        document = document[OUTER_KEY]
    else:
        outer = ()
    if not isinstance(document, Mapping):
        return outer
    configuration: Any = (service or _service()).shape_for("ReplicationConfiguration")
    rule_shape = configuration.members["Rules"].member
    fits = _fits_structure(rule_shape, optional=EXTENSION)
    found = [*outer, *_unknown(document, list(configuration.members), "", "")]
    rules = document.get("Rules")
    for position, rule in enumerate(rules if isinstance(rules, list) else (), 1):
        if isinstance(rule, dict) and not fits(rule):
            members = {name: value for name, value in rule.items() if name != EXTENSION}
            found += _check(members, rule_shape, label(rule, position), "")
    return tuple(found)


@cache
def _service() -> ServiceModel:
    return botocore.session.get_session().get_service_model("s3")


def _fits(shape: Shape) -> Fits:
    """Return what says at once whether a value fits a shape, without saying what is wrong with it.

    A function reads a thousand rules before its first change: asking botocore's shapes for each would take five times
    as long.
    """
    if isinstance(shape, StructureShape):
        return _fits_structure(shape)
    if isinstance(shape, ListShape):
        item = _fits(shape.member)
        return lambda value: type(value) is list and all(map(item, value))
    if isinstance(shape, StringShape):
        enum = frozenset(shape.enum)
        return lambda value: type(value) is str and (not enum or value in enum)
    kinds = (int, float) if shape.name == "Minutes" else (int,)
    return lambda value: type(value) in kinds


def _fits_structure(shape: StructureShape, optional: str = "") -> Fits:
    """Return the same for a structure; `optional` is a member of which botocore knows nothing."""
    members = {name: _fits(member) for name, member in shape.members.items()}
    required = frozenset(shape.required_members)
    anything: Fits = lambda _value: True  # noqa: E731 - one of the values beside it
    known = members | ({optional: anything} if optional else {})
    return lambda value: (
        type(value) is dict
        and required <= value.keys()
        and all(name in known and known[name](each) for name, each in value.items())
    )


def _check(value: object, shape: Shape, rule: str, path: str) -> Iterator[Problem]:
    kind, expected = _MINUTES if shape.name == "Minutes" else _TYPES.get(shape.type_name, _INTEGER)
    if not isinstance(value, kind) or isinstance(value, bool):
        yield Problem(rule, path, f"must be {expected}, not {describe(value)}")
    elif isinstance(shape, StructureShape) and isinstance(value, dict):
        yield from _members(value, shape, rule, path)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _check(item, shape.member, rule, f"{path}[{index}]")
    elif isinstance(shape, StringShape) and isinstance(value, str) and shape.enum and value not in shape.enum:
        yield Problem(rule, path, f"must be {' or '.join(shape.enum)}, not {value!r}")


def _members(value: Mapping[str, object], shape: StructureShape, rule: str, path: str) -> Iterator[Problem]:
    yield from _unknown(value, list(shape.members), rule, path)
    for name in shape.required_members:
        if name not in value:
            yield Problem(rule, _join(path, name), "is missing")
    for name, member in shape.members.items():
        if name in value:
            yield from _check(value[name], member, rule, _join(path, name))


def _unknown(value: Mapping[str, object], known: list[str], rule: str, path: str) -> Iterator[Problem]:
    for name in value:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"this place takes {', '.join(known)}"
            yield Problem(rule, _join(path, str(name)), f"is not known; {hint}")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
