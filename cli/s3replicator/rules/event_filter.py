"""The filters of a change queue's event source mapping: the writers whose echoes they drop, and more of them.

Pure, because Lambda can only replace all filters of a mapping: what is computed here decides what no function ever
sees. They are those of template.yaml; a test compares the two. Lambda developer guide, "Using event filtering with an
Amazon SQS event source"; API reference, `Filter`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LONGEST_PATTERN = 4096
"""Characters of one filter's pattern."""
_PREFIX = "AWS:"
"""What S3 puts before a role id and the session's name, which is the function's, in `userIdentity.principalId`."""
_UNKNOWN = {"principalId": [{"exists": False}]}
_OTHERS = (
    {"body": {"Records": {"userIdentity": _UNKNOWN}}},
    {"body": {"Records": {"eventName": [{"exists": True}], "userIdentity": _UNKNOWN}}},
    {"body": [{"exists": True}]},
)
"""Messages none or one of whose records names its writer, and those that are no JSON."""


class FilterFull(Exception):
    """The pattern would be longer than Lambda allows."""


def criteria(writers: Sequence[str]) -> dict[str, Any]:
    """Return the FilterCriteria that drop messages of these writers only. Raises FilterFull."""
    texts = [_text(each) for each in (_dropping(writers), *_OTHERS)]
    if max(map(len, texts)) > LONGEST_PATTERN:
        raise FilterFull
    return {"Filters": [{"Pattern": text} for text in texts]}


def writers_of(found: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the writers whose messages are dropped; None if these are not the filters that `criteria` makes."""
    try:
        first, *others = [json.loads(each["Pattern"]) for each in found["Filters"]]
        [rule] = first["body"]["Records"]["userIdentity"]["principalId"]
        writers = tuple(str(each).removeprefix(_PREFIX) for each in rule["anything-but"])
    except (KeyError, TypeError, ValueError):
        return None
    return writers if first == _dropping(writers) and others == list(_OTHERS) else None


def admit(known: Sequence[str], more: Iterable[str]) -> tuple[str, ...]:
    """Return the known writers and those of the others that are missing, in this order."""
    return tuple(dict.fromkeys((*known, *more)))


def _dropping(writers: Sequence[str]) -> dict[str, Any]:
    named = [f"{_PREFIX}{each}" for each in writers]
    return {"body": {"Records": {"userIdentity": {"principalId": [{"anything-but": named}]}}}}


def _text(pattern: Mapping[str, Any]) -> str:
    return json.dumps(pattern, separators=(",", ":"))
