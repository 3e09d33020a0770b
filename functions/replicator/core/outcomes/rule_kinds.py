"""How many rules are of each kind: by the Region and the account of their destinations, and those that lead nowhere.

Separate from recovery points, which are of pairs of buckets: these are counts of rules, once a day. The kinds are those
that S3 Storage Lens counts for S3's own rules. Which buckets send no events is not among them: the monitor may not read
that, `s3replicator rules list` does.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from replicator.core.outcomes.metrics import Metric

EVERY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class RulesTo:
    """The enabled rules from one source bucket to one destination bucket.

    account: as the rules name it, empty if they do not. region: None if it cannot be read, empty if there is no such
    bucket.
    """

    rules: int
    account: str
    region: str | None


@dataclass(frozen=True, slots=True)
class Home:
    """Where the source buckets are: their Region and account."""

    region: str
    account: str


def count_rules(all_rules: Iterable[RulesTo], home: Home) -> dict[Metric, int]:
    """Count rules by kind. Every kind has a count, so that a metric falls to 0."""
    counts = Counter(
        {metric: 0 for metric in (*_BY_REGION.values(), *_BY_ACCOUNT.values(), Metric.RULES_INVALID)}  # noqa: C420
    )
    for each in all_rules:
        if each.region == "":
            counts[Metric.RULES_INVALID] += each.rules
            continue
        counts[_BY_ACCOUNT[each.account in ("", home.account)]] += each.rules
        if each.region is not None:
            counts[_BY_REGION[each.region == home.region]] += each.rules
    return dict(counts)


_BY_REGION = {True: Metric.RULES_SAME_REGION, False: Metric.RULES_CROSS_REGION}
_BY_ACCOUNT = {True: Metric.RULES_SAME_ACCOUNT, False: Metric.RULES_CROSS_ACCOUNT}
