"""How policies write names: one value or a list of them, with `*` for any characters and `?` for one.

In an ARN, a wildcard of one of the first five parts never matches beyond that part.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any


def listed(value: Any) -> list[Any]:
    """Return what policies write as one thing or a list of them as a list."""
    return [] if value is None else value if isinstance(value, list) else [value]


def like(pattern: str, value: str) -> bool:
    """Return whether a value has the form of a pattern, regardless of what it is."""
    return pattern == "*" or _compiled(pattern).fullmatch(value) is not None


def arn_like(pattern: str, arn: str) -> bool:
    """Return whether an ARN matches a pattern, each of its six parts by itself. `*` alone matches everything."""
    patterns, parts = pattern.split(":", 5), arn.split(":", 5)
    return pattern == "*" or (len(patterns) == len(parts) and all(map(like, patterns, parts)))


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    wildcards = {"*": ".*", "?": "."}
    return re.compile("".join(wildcards.get(each) or re.escape(each) for each in pattern), re.DOTALL)
