"""What the journal, the queues and the rules show -> figures for each pair of buckets -> the destination's Region.

Separate from the monitor's counts, which stay in the stack's own Region: whoever asks whether to fail over asks when
that Region may be down. Trouble in one Region leaves the others, and the rest of the monitor's run, as they are: what
could not be published becomes stale, which is an answer too.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Protocol

from replicator.core.deciding.target import Target
from replicator.core.outcomes.backoff import OVERDUE_MS
from replicator.core.outcomes.metrics import Metric
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.outcomes.recovery import (
    NO_DOOR,
    NOWHERE,
    Buckets,
    Door,
    Failed,
    Figures,
    Known,
    Missing,
    Unexplained,
    cleared_until,
    missing_by_buckets,
    point_after,
)
from replicator.core.outcomes.rule_kinds import EVERY_MS, Home, RulesTo, count_rules
from replicator.core.outcomes.threshold import Depth, Pending, Tally
from replicator.core.rules.coverage import Record
from replicator.core.rules.matching import RuleSet
from replicator.flows.ports import Log, SideBySide

FAILED_PER_SHARD = 1000
"""Failed entries that one run reads of each partition of the index, so that its cost is bounded."""
TIME_TO_READ_RULES_MS = 12_000
"""After that no document is read: those of a thousand buckets take longer when a container begins. Later runs find them
in its memory, so each comes further than the one before."""
TIME_TO_PUBLISH_MS = 12_000
"""After that no request to another Region is begun: each may take 6 s, and the monitor has more to do."""


class FailedIndex(Protocol):
    """The journal's sparse index by age."""

    def shards(self, status: Status) -> list[Callable[[], Iterator[Pending]]]:
        """Return a function for each partition that yields its entries, oldest first, or raises Temporary."""


class Sources(Protocol):
    """The source buckets of the stack."""

    def buckets(self) -> tuple[str, ...]:
        """Return those that have rules. Raises Temporary."""


class CoverageStore(Protocol):
    """The records of what destinations had when their rules were stored."""

    def covered_since(self, source: str, destination: str) -> int | None:
        """Return a time before which nothing was written that the destination lacks; None if none is proven.

        Epoch milliseconds, 0 for the time of the bucket's creation.
        """

    def record_of(self, source: str) -> Record:
        """Return what is recorded about the destinations of a bucket; nothing if it cannot be read."""


class QueueAge(Protocol):
    """How long messages wait on the change queue."""

    def oldest_sent(self, now: int) -> int | None:
        """Return a time before which no message on the queue was sent; None if it is unknown. Epoch milliseconds."""


class Regions(Protocol):
    """Where figures are published."""

    def of(self, target: Target) -> str:
        """Return a bucket's Region. Raises Temporary or Permanent, and soon."""

    def publish(self, region: str, figures: Mapping[Buckets, Figures]) -> None:
        """Publish figures in a Region. Raises Temporary or Permanent, and soon."""


@dataclass(slots=True)
class RecoveryWatch:
    """What publishing the figures needs. cleared, last: what the last run of this container found, if any.

    home: where the source buckets are. counted: when this container last counted rules by kind; rule_counts: what this
    run counted, nothing if it is not time for it.
    """

    index: FailedIndex
    sources: Sources
    rules: Callable[[str], RuleSet]
    coverage: CoverageStore
    queue_age: QueueAge
    regions: Regions
    log: Log
    side_by_side: SideBySide
    now: Callable[[], int]
    cleared: int | None = None
    last: dict[Buckets, Figures] = field(default_factory=dict)
    home: Home = field(default=Home("", ""))
    counted: int = -EVERY_MS
    rule_counts: dict[Metric, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Journal:
    """What the journal shows, read after the queues.

    explained: how many failures it had when the queues were read; each of them may have a dead letter. horizon: see
    `recovery_point`.
    """

    missing: Mapping[Buckets, Missing]
    explained: int
    horizon: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one run saw, for all pairs of buckets. looked: when it looked at the queues, epoch seconds."""

    looked: int
    unexplained: Unexplained
    journal: _Journal


@dataclass(frozen=True, slots=True)
class _Place:
    """A pair of buckets. covered_since: what `CoverageStore` says of it. rules: how many enabled ones lead there."""

    source: str
    target: Target
    covered_since: int | None
    rules: int

    @property
    def buckets(self) -> Buckets:
        return self.source, self.target.bucket


def publish_figures(
    watch: RecoveryWatch, tally: Tally, changes: Depth, dead: Depth, doors: Mapping[str, Door] | None = None
) -> float | None:
    """Publish the figures of every pair of buckets; return the age of the oldest recovery point in seconds, if any.

    The depths must have been read when the tally was begun, and before the journal; what is parked must be in the
    tally, and have been read before what is not: releasing moves it there. doors: of destinations that are not simply
    open. Raises nothing but unexpected errors: trouble is logged.
    """
    watch.rule_counts = {}
    try:
        journal = _read_journal(watch, tally)
        unexplained = Unexplained(changes.all, max(0, dead.all - journal.explained))
        oldest = watch.queue_age.oldest_sent(tally.now) if unexplained else None
        watch.cleared = cleared_until(tally.now, unexplained, watch.cleared, oldest)
        places, complete = _places(watch, watch.sources.buckets())
    except (Temporary, Permanent) as trouble:
        watch.log.incomplete(f"recovery points were not published: {trouble}")
        return None
    of = partial(_figures, watch, _Seen(tally.now // 1000, unexplained, journal))
    figures = {each: of(each, (doors or {}).get(each.target.bucket, NO_DOOR)) for each in places}
    watch.last = {place.buckets: each for place, each in figures.items()}
    regions = _publish(watch, figures)
    if complete and tally.now - watch.counted >= EVERY_MS:
        watch.rule_counts = count_rules(_rules_to(places, regions), watch.home)
        watch.counted = tally.now
    points = [each.recovery_point for each in figures.values() if each.recovery_point is not None]
    return tally.now / 1000 - min(points) if points and complete else None


def _figures(watch: RecoveryWatch, seen: _Seen, place: _Place, door: Door) -> Figures:
    journal = seen.journal
    nowhere = journal.missing.get((place.source, NOWHERE), Missing())
    missing = replace(journal.missing.get(place.buckets, Missing()).with_more(nowhere), gate=door.gate)
    known = Known(journal.horizon, place.covered_since, door.estimated)
    return Figures(
        looked=seen.looked,
        recovery_point=point_after(watch.last.get(place.buckets), watch.cleared, missing, known),
        missing=missing,
        unexplained=seen.unexplained.messages + seen.unexplained.letters,
        unverified=place.covered_since is None,
    )


def _read_journal(watch: RecoveryWatch, tally: Tally) -> _Journal:
    """Add the failed entries to what was counted."""
    shards = watch.index.shards(Status.FAILED)
    read = watch.side_by_side([partial(_read_shard, shard) for shard in shards])
    failed: dict[Buckets, Failed] = {}
    explained = 0
    for each in (each for entries in read for each in entries):
        failed.setdefault((each.bucket, each.destination), Failed()).add(each.first_seen)
        explained += each.due - OVERDUE_MS <= tally.now  # `due` is that long after the entry was written
    horizons = [entries[-1].first_seen for entries in read if len(entries) == FAILED_PER_SHARD]
    if not tally.complete:
        horizons.append(tally.all.oldest)
    return _Journal(missing_by_buckets(tally.by_route, failed), explained, min(horizons, default=0))


def _read_shard(shard: Callable[[], Iterator[Pending]]) -> list[Pending]:
    return list(islice(shard(), FAILED_PER_SHARD))


def _places(watch: RecoveryWatch, sources: Sequence[str]) -> tuple[list[_Place], bool]:
    """Return each source bucket with each of its destinations, without those whose rules cannot be read.

    And whether there was time for all of them.
    """
    until = watch.now() + TIME_TO_READ_RULES_MS
    found = watch.side_by_side([partial(_places_of, watch, source, until) for source in sources])
    if late := found.count(None):
        watch.log.incomplete(f"recovery points of {late} source buckets were not published: there was no time left")
    return [place for places in found for place in places or ()], not late


def _places_of(watch: RecoveryWatch, source: str, until: int) -> list[_Place] | None:
    """Return the places of one source bucket; None if it is too late to read its rules."""
    if watch.now() > until:
        return None
    try:
        targets = watch.rules(source).targets
    except (Temporary, Permanent) as trouble:
        watch.log.incomplete(f"recovery points of {source} were not published: {trouble}")
        return []
    return [
        _Place(source, Target(bucket, account), watch.coverage.covered_since(source, bucket), rules)
        for bucket, (account, rules) in targets.items()
    ]


def _rules_to(places: Iterable[_Place], regions: Mapping[Target, str | None]) -> Iterator[RulesTo]:
    return (RulesTo(each.rules, each.target.account, regions[each.target]) for each in places)


def _publish(watch: RecoveryWatch, figures: Mapping[_Place, Figures]) -> Mapping[Target, str | None]:
    """Find the Regions of all destinations side by side, then publish in all Regions side by side.

    Return the Regions: None for one that cannot be read, empty if there is no such bucket.
    """
    begun = watch.now()
    targets = list(dict.fromkeys(place.target for place in figures))
    found = watch.side_by_side([partial(_in_time, watch, begun, partial(_region, watch, each)) for each in targets])
    regions = dict(zip(targets, found, strict=True))
    by_region: dict[str, dict[Buckets, Figures]] = {}
    for place, each in figures.items():
        if region := regions[place.target]:
            by_region.setdefault(region, {})[place.buckets] = each
    publish = [partial(watch.regions.publish, region, each) for region, each in by_region.items()]
    watch.side_by_side([partial(_in_time, watch, begun, each) for each in publish])
    return regions


def _region(watch: RecoveryWatch, target: Target) -> str:
    """Return the Region of a bucket, empty if there is none of this name. Raises Temporary or Permanent."""
    try:
        return watch.regions.of(target)
    except Permanent as trouble:
        if trouble.reason is not Reason.DST_BUCKET_NOT_FOUND:
            raise
        watch.log.incomplete(f"a recovery point was not published: {trouble}")
        return ""


def _in_time(watch: RecoveryWatch, begun: int, request: Callable[[], str | None]) -> str | None:
    """Make a request, unless it is too late. Trouble is logged, and None returned."""
    if watch.now() - begun > TIME_TO_PUBLISH_MS:
        watch.log.incomplete("a recovery point was not published: there was no time left")
        return None
    try:
        return request()
    except (Temporary, Permanent) as trouble:
        watch.log.incomplete(f"a recovery point was not published: {trouble}")
        return None
