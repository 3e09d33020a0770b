"""Documents that are nearly right: JSON with something at one of its places missing, replaced, moved or repeated.

Mutations know the structure, because random text is refused at once and tests nothing behind the first check. How many
are tried: 60 of each kind, on CI so many that all kinds together are 10,000, with FUZZ_EXAMPLES any other number.
"""

import copy
import json
import os
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

KINDS = 6
ON_CI = -(-10_000 // KINDS)
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES") or (ON_CI if os.environ.get("CI") == "true" else 60))

fuzz = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])

HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 0.5, -0.0, 1e308, float("inf"), float("nan"),
    "", " ", "\x00", "\x1e", "\x7f", "\ud800", "\u202e", "é", "𝄞", "null", "0", "-1", "1e9", "9" * 30, "x" * 2000,
    "a+b", "a%20b", "a%2Bb", "%", "%zz", "%00", "%ff", "..", "/", "a/../b", "?versionId=x", "#", "@", "null@x",
    "east", "west", "nowhere", "arn:aws:s3:::east", "arn:aws:s3:::", "s3:TestEvent", "aws.s3", "Notification",
    "0000-01-01", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "2026-11-20T09:00:00+25:00", "2026-11-20T09:00:00",
    "0x0", "1x1", "1x0", "0x5368709120", "9999x1", "1x99999999999999", "1x5,", ",",
    [], {}, [[]], [None], {"": None}, {"key": "k"}, [{"s3": {}}],
)  # fmt: skip

Path = tuple[Any, ...]


def places(value: Any, path: Path = ()) -> list[Path]:
    """Return the path of everything inside a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, inner in items for place in places(inner, (*path, name)))]


@st.composite
def mutated(draw: st.DrawFn, documents: Sequence[Any], most: int = 3) -> Any:
    """Return one of the documents with up to so many mutations."""
    document = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(1, most))):
        document = draw(once_mutated(document))
    return document


@st.composite
def once_mutated(draw: st.DrawFn, document: Any) -> Any:
    """Return a document with one mutation."""
    path = draw(st.sampled_from(places(document)))
    how = draw(st.sampled_from(["replace", "replace", "drop", "repeat", "wrap", "rename", "move"]))
    if not path or how == "replace":
        return _put(document, path, copy.deepcopy(draw(st.sampled_from(HOSTILE))))
    parent = _at(document, path[:-1])
    value = parent[path[-1]]
    if how == "wrap":
        parent[path[-1]] = draw(st.sampled_from([[value], {"x": value}, str(value)]))
    elif how == "move":
        return _put(document, draw(st.sampled_from(places(document))), copy.deepcopy(value))
    elif isinstance(parent, list):
        parent[path[-1] : path[-1] + 1] = [] if how == "drop" else [value, copy.deepcopy(value)]
    else:
        del parent[path[-1]]
        if how != "drop":
            parent[path[-1].swapcase()] = value
    return document


@st.composite
def mutated_texts(draw: st.DrawFn, documents: Sequence[Any]) -> str:
    """Return one of the documents as JSON, mutated as a document, now and then as text too."""
    text = json.dumps(draw(mutated(documents)))
    if draw(st.integers(0, 9)):
        return text
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.sampled_from(["", '"', "}", "\\", "\x00", "é", "\\ud800", "0"])) + text[at + 1 :]


def _at(document: Any, path: Path) -> Any:
    for name in path:
        document = document[name]
    return document


def _put(document: Any, path: Path, value: Any) -> Any:
    """Put a value at a place; the place may be the whole document."""
    if not path:
        return value
    _at(document, path[:-1])[path[-1]] = value
    return document
