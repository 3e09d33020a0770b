"""The coverage records -> when each destination was last proven complete, and what the last verification found.

Separate from the status of journal and queues: a caller who may not read the records still gets that one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from replicator.core.rules.coverage import Coverage, Record
from replicator.core.rules.matching import RuleSet


class Records(Protocol):
    """The control bucket."""

    def buckets(self) -> tuple[str, ...]:
        """Return the source buckets that have rules. Raises Temporary."""

    def record_of(self, source: str) -> Record:
        """Return what is recorded about the destinations of a bucket; nothing if it cannot be read."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A pair of buckets that has rules, and what is on record about it; None if nothing is."""

    source: str
    destination: str
    entry: Coverage | None


def read_proofs(records: Records, rules: Callable[[str], RuleSet], bucket: str = "") -> list[Proof]:
    """Return all pairs of buckets, or those of one source bucket. Raises Temporary or Permanent."""
    sources = [each for each in records.buckets() if bucket in ("", each)]
    return [
        Proof(source, destination, records.record_of(source).get(destination))
        for source in sources
        for destination in sorted({rule.destination.bucket for rule in rules(source).rules if rule.enabled})
    ]
