"""What waits, counted by age: how many operations and bytes, since when, and how many are over their threshold.

Pure and streaming: the monitor hands in one entry of the journal's index after the other, a million of them if need be.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from replicator.core.outcomes.outcome import Reason
from replicator.core.versions.change import Aspect, version_of

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Pending:
    """One version that waits for one destination, as the journal's index shows it. Times are epoch milliseconds.

    `threshold_ms`: how long it may take, 0 if the stack's own threshold counts. `due`: by when its message must have
    come back, 0 if that is not known. `against`: it was counted as not within its threshold; `claimed`: when somebody
    claimed to tell so, 0 if nobody did; `told`: that was done.
    """

    bucket: str
    key: str
    item_id: str
    destination: str
    rule_id: str = ""
    size: int = 0
    first_seen: int = 0
    threshold_ms: int = 0
    due: int = 0
    attempts: int = 0
    reason: str = ""
    aspect: Aspect = Aspect.CONTENT
    against: bool = False
    claimed: int = 0
    told: bool = False

    @property
    def version_id(self) -> str:
        """Return the id of the version that waits."""
        return version_of(self.item_id)

    @property
    def late_at(self) -> int:
        """When its threshold passes."""
        return self.first_seen + self.threshold_ms

    def must_be_told(self, now: int, claim_ms: int) -> bool:
        """Return whether its threshold has passed and nobody has told so, or is about to."""
        if now < self.late_at or self.told:
            return False
        return not self.against or 0 < self.claimed < now - claim_ms


class Age(StrEnum):
    """How long a version has waited; within its threshold in minutes. What waited a day is over its threshold too."""

    UNDER_5 = "0-5 minutes"
    UNDER_10 = "5-10 minutes"
    UNDER_15 = "10-15 minutes"
    LATER = "over 15 minutes"
    LATE = "over the threshold"
    OVER_DAY = "over a day"


REPORTED_AGES = (Age.UNDER_5, Age.UNDER_10, Age.UNDER_15, Age.LATE, Age.OVER_DAY)
"""Always told, zeros included. LATER needs a threshold beyond S3's, and is told where there is one."""

Route = tuple[str, str, str]
"""Source bucket, destination bucket and rule."""


def ages_of(pending: Pending, now: int) -> tuple[Age, ...]:
    """Say which groups an entry belongs to."""
    waited = max(0, now - pending.first_seen)  # S3's clock may be ahead of ours
    over_day = (Age.OVER_DAY,) if waited >= DAY_MS else ()
    if now >= pending.late_at:
        return (Age.LATE, *over_day)
    minutes = waited // MINUTE_MS
    return ((Age.UNDER_5, Age.UNDER_10, Age.UNDER_15)[minutes // 5] if minutes < 15 else Age.LATER, *over_day)


@dataclass(slots=True)
class Count:
    """Operations, their bytes, and when the oldest of them was seen first (epoch milliseconds, 0 if there is none)."""

    operations: int = 0
    bytes: int = 0
    oldest: int = 0

    def add(self, pending: Pending) -> None:
        """Count one more."""
        self.operations += 1
        self.bytes += pending.size
        self.oldest = min(self.oldest or pending.first_seen, pending.first_seen)

    def merge(self, other: "Count") -> None:
        """Add what was counted elsewhere."""
        self.operations += other.operations
        self.bytes += other.bytes
        self.oldest = min(self.oldest or other.oldest, other.oldest or self.oldest)

    def age_seconds(self, now: int) -> float:
        """Return the age of the oldest; 0 if nothing waits."""
        return max(0, now - self.oldest) / 1000 if self.oldest else 0.0


@dataclass(slots=True)
class Tally:
    """What waits, counted. `complete`: nothing was left out for lack of time.

    `seen`: each version that a message on the change queue stands for, once.
    """

    now: int
    all: Count = field(default_factory=Count)
    by_route: dict[Route, Count] = field(default_factory=dict)
    by_age: Counter[Age] = field(default_factory=Counter)
    by_reason: Counter[str] = field(default_factory=Counter)
    complete: bool = True
    seen: set[int] = field(default_factory=set)

    def add(self, pending: Pending) -> None:
        """Count one more."""
        self.all.add(pending)
        route = (pending.bucket, pending.destination, pending.rule_id)
        self.by_route.setdefault(route, Count()).add(pending)
        self.by_age.update(ages_of(pending, self.now))
        self.by_reason[pending.reason] += 1
        if pending.reason != Reason.PARTS_UNDER_WAY:  # messages on the part queue carry those on
            self.seen.add(hash((pending.bucket, pending.key, pending.item_id)))

    def merge(self, other: "Tally") -> None:
        """Add what was counted elsewhere."""
        self.all.merge(other.all)
        for route, count in other.by_route.items():
            self.by_route.setdefault(route, Count()).merge(count)
        self.by_age.update(other.by_age)
        self.by_reason.update(other.by_reason)
        self.complete = self.complete and other.complete
        self.seen |= other.seen

    @property
    def late(self) -> int:
        """Count what is over its threshold."""
        return self.by_age[Age.LATE]

    @property
    def versions(self) -> int:
        """Count versions that wait on the change queue, each once, whatever the number of its destinations."""
        return len(self.seen)

    def ages(self) -> Mapping[Age, int]:
        """Return the counts by age that are to be told."""
        later = {Age.LATER: self.by_age[Age.LATER]} if self.by_age[Age.LATER] else {}
        return {**{age: self.by_age[age] for age in REPORTED_AGES}, **later}


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages a queue holds: to be received now, being worked on or hidden, and not yet to be received."""

    visible: int = 0
    in_flight: int = 0
    delayed: int = 0

    @property
    def all(self) -> int:
        """Count all of them."""
        return self.visible + self.in_flight + self.delayed


def unseen(tally: Tally, changes: Depth) -> int:
    """Say about how many changes wait on the queue without an entry that names them.

    SQS counts approximately, and a duplicate of a change's event is a message of its own.
    """
    return max(0, changes.all - tally.versions)
