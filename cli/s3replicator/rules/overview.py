"""What kinds of rules a stack has, by Region and account of their destinations, and which buckets send no events.

Separate from `rules check`, which reads everything that rules depend on: an overview of a thousand buckets takes one
request for each document, each bucket's notifications, and each destination. Values in, counts out. The kinds are those
that S3 Storage Lens counts for S3's own rules.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from replicator.core.rules.matching import RuleSet
from replicator.core.rules.rule import Rule

from s3replicator.stack_facts import StackFacts


class Kind(StrEnum):
    """Kinds of enabled rules. A rule with a valid destination has a kind of Region and a kind of account."""

    SAME_REGION = "same_region"
    CROSS_REGION = "cross_region"
    UNKNOWN_REGION = "unknown_region"
    SAME_ACCOUNT = "same_account"
    CROSS_ACCOUNT = "cross_account"
    INVALID_DESTINATION = "invalid_destination"


@dataclass(frozen=True, slots=True)
class Place:
    """A destination as a HEAD shows it. exists: None if that cannot be read, region: None if it is not told."""

    exists: bool | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class BucketRules:
    """One source bucket's part of the overview.

    rules: None if they cannot be read or are not valid, which `problem` explains. attached: whether all its events
    arrive; None if that cannot be read. kinds: how many of its enabled rules are of each kind.
    """

    bucket: str
    rules: RuleSet | None = None
    attached: bool | None = None
    problem: str = ""
    kinds: Counter[Kind] = field(default_factory=Counter)

    @property
    def enabled(self) -> int:
        """Return how many of its rules are enabled."""
        return sum(rule.enabled for rule in self.rules.rules) if self.rules else 0

    @property
    def is_fine(self) -> bool:
        """Return whether its rules are valid, lead somewhere, and its events arrive, as far as can be read."""
        return self.rules is not None and self.attached is not False and not self.kinds[Kind.INVALID_DESTINATION]

    def document(self) -> dict[str, Any]:
        """Return it as JSON output has it."""
        return {
            "bucket": self.bucket,
            "rules": len(self.rules.rules) if self.rules else None,
            "enabled": self.enabled,
            **{kind.value: self.kinds[kind] for kind in Kind},
            "destinations": list(self.rules.destinations) if self.rules else [],
            "events_attached": self.attached,
            "problem": self.problem or None,
        }


def kinds_of(rules: Iterable[Rule], stack: StackFacts, places: Mapping[str, Place]) -> Counter[Kind]:
    """Count the enabled rules of a stack by kind. places: what is known of each destination bucket."""
    kinds: Counter[Kind] = Counter()
    for rule in rules:
        if rule.enabled:
            kinds.update(_kinds(rule, stack, places.get(rule.destination.bucket, Place())))
    return kinds


def counts(buckets: Iterable[BucketRules]) -> dict[str, int]:
    """Return the counts of a stack, by their names in JSON output."""
    buckets = tuple(buckets)
    kinds: Counter[Kind] = sum((each.kinds for each in buckets), Counter())
    return {
        "buckets": len(buckets),
        "rules": sum(len(each.rules.rules) for each in buckets if each.rules),
        "enabled": sum(each.enabled for each in buckets),
        **{kind.value: kinds[kind] for kind in Kind},
        "buckets_without_events": sum(each.attached is False for each in buckets),
        "buckets_without_valid_rules": sum(each.rules is None for each in buckets),
    }


def _kinds(rule: Rule, stack: StackFacts, place: Place) -> tuple[Kind, ...]:
    if place.exists is False or not stack.writes_to(rule.destination.bucket):
        return (Kind.INVALID_DESTINATION,)
    account = rule.destination.account or stack.source_account
    by_account = Kind.SAME_ACCOUNT if account == stack.source_account else Kind.CROSS_ACCOUNT
    if place.region is None:
        return Kind.UNKNOWN_REGION, by_account
    return Kind.SAME_REGION if place.region == stack.region else Kind.CROSS_REGION, by_account
