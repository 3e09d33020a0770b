"""Whether the names in a stack's parameters include a bucket, as IAM reads them.

Separate because whoever asks whether a stack may use a bucket, or as whom, must answer as its roles' policies do: an
asterisk stands for any number of characters, none included, and nothing else has a meaning.
IAM user guide, "IAM JSON policy elements: Resource", on wildcards.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

ANY = "*"


def includes(names: Iterable[str], bucket: str) -> bool:
    """Return whether one of these names is the bucket's, or a pattern that it matches."""
    return any(bucket == name or (ANY in name and bool(_compiled(name).fullmatch(bucket))) for name in names)


def is_pattern(name: str) -> bool:
    """Return whether a name stands for any number of buckets."""
    return ANY in name


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split(ANY))), re.DOTALL)
