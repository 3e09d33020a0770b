"""An event source mapping's FilterCriteria: which messages a function never gets to see.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from moto.events.models import EventPattern


def passes(criteria: Mapping[str, Any] | None, record: Mapping[str, Any]) -> bool:
    """Return whether a record of a queue matches one of the filters; without filters, every record does."""
    patterns = [json.loads(each["Pattern"]) for each in (criteria or {}).get("Filters", [])]
    return not patterns or any(_matches(pattern, record) for pattern in patterns)


def _matches(pattern: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Match with the body read as JSON when the pattern looks into it; a body that is no JSON then never matches."""
    if isinstance(pattern.get("body"), dict):
        try:
            record = {**record, "body": json.loads(record["body"])}
        except ValueError:
            return False
        if not isinstance(record["body"], dict):
            return False
    compiled = EventPattern(None, dict(pattern))
    return any(compiled.matches_event(each) for each in _alternatives(record))


def _alternatives(node: Any) -> Iterator[Any]:
    """Yield the node once per way to pick one element of every list of objects in it, as EventBridge looks at lists."""
    if isinstance(node, list) and node and all(isinstance(each, dict) for each in node):
        for each in node:
            yield from _alternatives(each)
    elif isinstance(node, dict):
        for values in itertools.product(*(list(_alternatives(value)) for value in node.values())):
            yield dict(zip(node, values, strict=True))
    else:
        yield node
