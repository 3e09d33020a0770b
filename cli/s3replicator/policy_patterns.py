"""How policies write names: one value or a list of them, with `*` for any characters and `?` for one.

Separate because all policies that commands read need it: of buckets, keys, roles and queues. In an ARN, a wildcard in
one of the first five parts matches only within that part; other characters, brackets included, stand for themselves.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

import re
from functools import lru_cache


def as_list(value: object) -> list[object]:
    """Return what policies write as one thing, or as a list of them, as a list."""
    return [] if value is None else value if isinstance(value, list) else [value]


def like(pattern: str, value: str) -> bool:
    """Return whether a value has the form of a pattern."""
    return pattern == "*" or _compiled(pattern).fullmatch(value) is not None


def arn_like(pattern: str, arn: str) -> bool:
    """Return whether an ARN matches a pattern, each of its six parts by itself. `*` alone matches everything."""
    patterns, parts = pattern.split(":", 5), arn.split(":", 5)
    return pattern == "*" or (len(patterns) == len(parts) and all(map(like, patterns, parts)))


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    wildcards = {"*": ".*", "?": "."}
    return re.compile("".join(wildcards.get(each) or re.escape(each) for each in pattern), re.DOTALL)
