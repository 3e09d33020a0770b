"""The FilterCriteria of an event source mapping: which messages a function does not receive.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from moto.events.models import EventPattern


def passes(criteria: Mapping[str, Any] | None, record: Mapping[str, Any]) -> bool:
    """Return whether a record matches one of the filters; without filters, every record does."""
    patterns = [json.loads(each["Pattern"]) for each in (criteria or {}).get("Filters", [])]
    return not patterns or any(_matches(pattern, record) for pattern in patterns)


def _matches(pattern: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Match a record. If the pattern looks into the body, the body is parsed; one that is not JSON never matches."""
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
    """Yield the node once per choice of one element from each list of objects, as EventBridge matches lists."""
    if isinstance(node, list) and node and all(isinstance(each, dict) for each in node):
        for each in node:
            yield from _alternatives(each)
    elif isinstance(node, dict):
        for values in itertools.product(*(list(_alternatives(value)) for value in node.values())):
            yield dict(zip(node, values, strict=True))
    else:
        yield node
