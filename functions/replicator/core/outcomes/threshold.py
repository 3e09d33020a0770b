"""What waits, counted by age: operations and bytes, since when, and how many are over their threshold.

Pure and streaming: the monitor passes in the entries of the journal's index one by one, up to millions of them.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from replicator.core.outcomes.outcome import Reason
from replicator.core.versions.change import Aspect, version_of

T = TypeVar("T")
MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Pending:
    """One version that waits for one destination, as the journal's index shows it. Times are epoch milliseconds.

    threshold_ms: how long it may take. due: by when its message must have come back, 0 if unknown. counted_against: it
    was counted as not within its threshold. claimed: when reporting that it missed its threshold was claimed, 0 if it
    was not. reported: that was done. parked: it has no message on a queue.
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
    reason: str = ""
    aspect: Aspect = Aspect.CONTENT
    counted_against: bool = False
    claimed: int = 0
    reported: bool = False
    parked: bool = False

    @property
    def version_id(self) -> str:
        """The id of the version that waits."""
        return version_of(self.item_id)

    @property
    def late_at(self) -> int:
        """When its threshold passes, epoch milliseconds."""
        return self.first_seen + self.threshold_ms

    def must_be_reported(self, now: int, claim_ms: int) -> bool:
        """Return whether its threshold has passed unreported, and no claim to report it is younger than `claim_ms`."""
        if now < self.late_at or self.reported:
            return False
        return not self.counted_against or 0 < self.claimed < now - claim_ms


class Age(StrEnum):
    """How long a version has waited. OVER_DAY is counted in addition to LATE, all others exclude each other."""

    UNDER_5 = "0-5 minutes"
    UNDER_10 = "5-10 minutes"
    UNDER_15 = "10-15 minutes"
    LATER = "over 15 minutes"
    LATE = "over the threshold"
    OVER_DAY = "over a day"


REPORTED_AGES = (Age.UNDER_5, Age.UNDER_10, Age.UNDER_15, Age.LATE, Age.OVER_DAY)
"""Always published, zeros included. LATER is published only if it is not 0: that takes a threshold above 15 minutes."""

Route = tuple[str, str, str]
"""Source bucket, destination bucket and rule."""


def ages_of(pending: Pending, now: int) -> tuple[Age, ...]:
    """Return the groups that an entry belongs to."""
    waited = max(0, now - pending.first_seen)  # S3's clock may be ahead of ours
    over_day = (Age.OVER_DAY,) if waited >= DAY_MS else ()
    if now >= pending.late_at:
        return (Age.LATE, *over_day)
    minutes = waited // MINUTE_MS
    return ((Age.UNDER_5, Age.UNDER_10, Age.UNDER_15)[minutes // 5] if minutes < 15 else Age.LATER, *over_day)


@dataclass(slots=True)
class Count:
    """Operations, their bytes, and when the oldest of them was first seen (epoch milliseconds, 0 if there is none).

    parked: how many of them are.
    """

    operations: int = 0
    bytes: int = 0
    oldest: int = 0
    parked: int = 0

    def add(self, pending: Pending) -> None:
        """Count one more entry."""
        self.operations += 1
        self.bytes += pending.size
        self.parked += pending.parked
        self.oldest = min(self.oldest or pending.first_seen, pending.first_seen)

    def merge(self, other: "Count") -> None:
        """Add the counts of another reader."""
        self.operations += other.operations
        self.bytes += other.bytes
        self.parked += other.parked
        self.oldest = min(self.oldest or other.oldest, other.oldest or self.oldest)

    def scaled(self, factor: float) -> "Count":
        """Return the counts of a sample as those of the whole. The oldest stays: it is at least as old."""
        return Count(
            round(self.operations * factor), round(self.bytes * factor), self.oldest, round(self.parked * factor)
        )

    def age_seconds(self, now: int) -> float:
        """Return the age of the oldest; 0 if nothing waits."""
        return max(0, now - self.oldest) / 1000 if self.oldest else 0.0


@dataclass(slots=True)
class Tally:
    """What waits, counted. complete: nothing was left out for lack of time.

    seen: hashes of the versions that have a message on the change queue, each once.
    """

    now: int
    all: Count = field(default_factory=Count)
    by_route: dict[Route, Count] = field(default_factory=dict)
    by_age: Counter[Age] = field(default_factory=Counter)
    by_reason: Counter[str] = field(default_factory=Counter)
    by_aspect: Counter[Aspect] = field(default_factory=Counter)
    complete: bool = True
    seen: set[int] = field(default_factory=set)

    def add(self, pending: Pending) -> None:
        """Count one more entry."""
        self.all.add(pending)
        route = (pending.bucket, pending.destination, pending.rule_id)
        self.by_route.setdefault(route, Count()).add(pending)
        self.by_age.update(ages_of(pending, self.now))
        self.by_reason[pending.reason] += 1
        self.by_aspect[pending.aspect] += 1
        if not pending.parked and pending.reason != Reason.PARTS_UNDER_WAY:  # those have no message on this queue
            self.seen.add(hash((pending.bucket, pending.key, pending.item_id)))

    def merge(self, other: "Tally") -> None:
        """Add the counts of another reader."""
        self.all.merge(other.all)
        for route, count in other.by_route.items():
            self.by_route.setdefault(route, Count()).merge(count)
        self.by_age.update(other.by_age)
        self.by_reason.update(other.by_reason)
        self.by_aspect.update(other.by_aspect)
        self.complete = self.complete and other.complete
        self.seen |= other.seen

    def scaled(self, factor: float) -> "Tally":
        """Return the counts of a sample as those of the whole. What was seen one by one stays as it is."""
        return Tally(
            self.now,
            self.all.scaled(factor),
            {route: count.scaled(factor) for route, count in self.by_route.items()},
            _scaled(self.by_age, factor),
            _scaled(self.by_reason, factor),
            _scaled(self.by_aspect, factor),
            self.complete,
            self.seen,
        )

    @property
    def late(self) -> int:
        """How many entries are over their threshold."""
        return self.by_age[Age.LATE]

    @property
    def versions(self) -> int:
        """How many versions wait on the change queue, each counted once, whatever the number of destinations."""
        return len(self.seen)

    def ages(self) -> Mapping[Age, int]:
        """Return the counts by age that are published."""
        later = {Age.LATER: self.by_age[Age.LATER]} if self.by_age[Age.LATER] else {}
        return {**{age: self.by_age[age] for age in REPORTED_AGES}, **later}


def _scaled(counts: "Counter[T]", factor: float) -> "Counter[T]":
    return Counter({name: round(number * factor) for name, number in counts.items()})


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages a queue holds: visible, in flight (received or hidden), and delayed."""

    visible: int = 0
    in_flight: int = 0
    delayed: int = 0

    @property
    def all(self) -> int:
        """How many messages there are in total."""
        return self.visible + self.in_flight + self.delayed


def unseen(tally: Tally, changes: Depth) -> int:
    """Return about how many changes wait on the change queue without an entry in the journal.

    SQS counts approximately, and a duplicate of an event is a message of its own.
    """
    return max(0, changes.all - tally.versions)
