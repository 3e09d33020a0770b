"""The ports `Sources` and `CoverageStore` on the control bucket: who has rules, and what their destinations had then.

Separate from the rule store: only the monitor reads these, and a record that cannot be read makes no change wait. It
means that nothing is proven.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replicator.aws.asking import asking, expecting
from replicator.aws.errors import Side
from replicator.aws.rule_store import NO_DOCUMENT, PREFIX, SUFFIX
from replicator.core.outcomes.outcome import Permanent, Temporary
from replicator.core.rules.coverage import Record, read_record

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

COVERAGE_PREFIX = "coverage/"
KEEP_SECONDS = 50.0
"""Less than a minute: each run of the monitor reads a record once, and sees that rules were put or deleted."""


def coverage_key(bucket: str) -> str:
    """Return the control bucket's key of a source bucket's coverage."""
    return f"{COVERAGE_PREFIX}{bucket}{SUFFIX}"


@dataclass(slots=True)
class _Kept:
    record: Record = field(default_factory=dict)
    since: float = float("-inf")


class CoverageRecords:
    """What is recorded about each source bucket, at most `KEEP_SECONDS` old. Thread-safe."""

    def __init__(
        self,
        s3: "S3Client",
        control_bucket: str,
        *,
        created: str = "",
        defaults: tuple[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the bucket that the stack created, if any, the default rule as (source, destination), and a clock."""
        self._s3 = s3
        self._control_bucket = control_bucket
        self._created = created
        self._defaults = defaults
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def buckets(self) -> tuple[str, ...]:
        """Return the source buckets that have rules, the one with the default rule included. Raises Temporary."""
        with asking("ListObjectsV2", Side.RULES):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._control_bucket, Prefix=PREFIX)
            keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        named = {key[len(PREFIX) : -len(SUFFIX)] for key in keys if key.endswith(SUFFIX)}
        return tuple(sorted(named | ({self._defaults[0]} if self._defaults else set())))

    def record_of(self, source: str) -> Record:
        """Return what is recorded about the destinations of a bucket; nothing if it cannot be read."""
        return self._record(source)

    def covered_since(self, source: str, destination: str) -> int | None:
        """Return a time before which nothing was written that the destination lacks; None if none is proven.

        Epoch milliseconds. 0 for a bucket that the stack created, with its events and the default rule from the start.
        """
        recorded = self._record(source).get(destination)
        if recorded is None:
            return 0 if source == self._created and (source, destination) == self._defaults else None
        return recorded.since_ms if recorded.is_complete else None

    def _record(self, source: str) -> Record:
        with self._lock:
            kept = self._kept.setdefault(source, _Kept())
        if not 0 <= self._clock() - kept.since < KEEP_SECONDS:
            try:
                kept.record, kept.since = self._read(source), self._clock()
            except (Temporary, Permanent):
                return {}
        return kept.record

    def _read(self, source: str) -> Record:
        with expecting("GetObject", Side.RULES, NO_DOCUMENT):
            answer = self._s3.get_object(Bucket=self._control_bucket, Key=coverage_key(source))
            return read_record(answer["Body"].read())
        return {}
