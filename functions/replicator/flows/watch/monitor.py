"""The journal's index and the queues -> counts by age -> late versions told, vanished messages explained -> metrics.

It runs every minute. What it costs grows with what waits, never with what is finished or has failed; and what it lacks
time for is left to the next minute, because each step notes what it has done.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.metrics import AGE, DESTINATION, REASON, RULE, SOURCE, STACK, Metric
from replicator.core.outcomes.notices import Notice, NoticeKind
from replicator.core.outcomes.outcome import Outcome, Status
from replicator.core.outcomes.threshold import Count, Depth, Pending, Place, Tally, unseen
from replicator.core.rules.matching import RuleSet
from replicator.core.versions.change import Change, ChangeKind
from replicator.flows.change.bookkeeping import Books
from replicator.flows.ports import CLAIM_MS, SideBySide, Told
from replicator.flows.watch.vanished import explain

TIME_TO_READ_MS = 25_000
TIME_TO_TELL_MS = 42_000
"""Both from the start of a run; the function's time-out is 55 s."""
TOLD_AT_ONCE = 10
"""As many events as one request to EventBridge takes."""
LOOKED_AT_AGAIN = 50
"""Overdue entries per run that are compared with what is settled."""


@dataclass(frozen=True, slots=True)
class Depths:
    """How much lies on the stack's three queues."""

    changes: Depth
    parts: Depth
    dead: Depth


class Index(Protocol):
    """The journal's sparse index by age."""

    def shards(self, status: Status) -> list[Callable[[], Iterator[Pending]]]:
        """Give one way to read for each partition, oldest first. Reading raises Temporary."""


class Queues(Protocol):
    """The stack's queues, to be counted."""

    def depths(self) -> Depths:
        """Count what lies on each. Raises Temporary."""

    def given_up(self) -> list[str]:
        """Look at a few dead letters, give those that SQS put there, and leave them all. Raises Temporary."""


class Gauges(Protocol):
    """Where measured values go."""

    def add(self, metric: Metric, value: float, place: dict[str, str]) -> None:
        """Add one value."""

    def record(self, source: str, outcome: Outcome) -> None:
        """Add one outcome."""

    def flush(self) -> None:
        """Publish what was added, at once."""


class Log(Protocol):
    """What people read when something is wrong."""

    def outcome(self, change: Change | None, outcome: Outcome) -> None:
        """Tell of one outcome."""

    def incomplete(self, what: str) -> None:
        """Tell what had to be left out."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What the monitor needs. `claimant`: a name of this very run; `reported`: places that the last run reported."""

    index: Index
    queues: Queues
    books: Books
    rules: Callable[[str], RuleSet]
    gauges: Gauges
    log: Log
    side_by_side: SideBySide
    stack: str
    claimant: str
    reported: set[Place] = field(default_factory=set)


@dataclass(slots=True)
class _Reading:
    """What one partition of the index came to."""

    tally: Tally
    late: list[Pending] = field(default_factory=list)
    overdue: list[Pending] = field(default_factory=list)


def monitor(watch: Watch) -> Tally:
    """Look once, and give what waits."""
    started = watch.books.now()
    reading = _read(watch, started)
    depths = watch.queues.depths()
    _report(watch, reading.tally, depths)
    try:
        _tell_late(watch, reading.late, started)
        _look_again(watch, reading.overdue, started)
        for body in watch.queues.given_up() if depths.dead.all else ():
            for change, outcome in explain(body, watch.rules, watch.books):
                watch.gauges.record(change.bucket, outcome)
                watch.log.outcome(change, outcome)
    finally:
        watch.gauges.flush()
    return reading.tally


def _read(watch: Watch, started: int) -> _Reading:
    shards = watch.index.shards(Status.PENDING)
    read = [partial(_read_shard, watch, shard, started) for shard in shards]
    readings = watch.side_by_side(read)
    whole = _Reading(Tally(started))
    for each in readings:
        whole.tally.merge(each.tally)
        whole.late += each.late
        whole.overdue += each.overdue
    whole.late.sort(key=lambda pending: pending.late_at)
    if not whole.tally.complete:
        watch.log.incomplete(f"more than {whole.tally.all.operations} versions wait: the rest was not counted in time")
    return whole


def _read_shard(watch: Watch, shard: Callable[[], Iterator[Pending]], started: int) -> _Reading:
    reading = _Reading(Tally(started))
    for number, pending in enumerate(shard()):
        reading.tally.add(pending)
        if pending.must_be_told(started, CLAIM_MS):
            reading.late.append(pending)
        if 0 < pending.due < started:
            reading.overdue.append(pending)
        if number % 1000 == 999 and watch.books.now() - started > TIME_TO_READ_MS:
            reading.tally.complete = False
            break
    return reading


def _tell_late(watch: Watch, late: Sequence[Pending], started: int) -> None:
    """Tell of each version once that its threshold has passed: claim -> event -> note that it was told."""
    for start in range(0, len(late), TOLD_AT_ONCE):
        if watch.books.now() - started > TIME_TO_TELL_MS:
            watch.log.incomplete(f"{len(late) - start} late versions are told in the next minute")
            return
        group = late[start : start + TOLD_AT_ONCE]
        claimed = watch.side_by_side([partial(_claim, watch, pending) for pending in group])
        mine = [pending for pending, own in zip(group, claimed, strict=True) if own]
        if mine:
            watch.books.notices.publish([_missed(pending) for pending in mine])
            watch.side_by_side([partial(_note_told, watch, pending) for pending in mine])
        for pending in mine:
            _count_missed(watch, pending)


def _claim(watch: Watch, pending: Pending) -> bool:
    if _close_if_settled(watch, pending):
        return False
    return watch.books.journal.miss(_pair(pending), pending.item_id, watch.books.now(), watch.claimant)


def _note_told(watch: Watch, pending: Pending) -> None:
    watch.books.journal.tell(_pair(pending), pending.item_id, Told.MISSED)


def _missed(pending: Pending) -> Notice:
    return Notice(
        kind=NoticeKind.MISSED,
        bucket=pending.bucket,
        key=pending.key,
        version_id=pending.version_id,
        destination=pending.destination,
        rule_id=pending.rule_id,
        requested=pending.first_seen,
        threshold_ms=pending.threshold_ms,
        size=pending.size,
        marker=pending.marker,
    )


def _count_missed(watch: Watch, pending: Pending) -> None:
    place = {**_place(pending.bucket, pending.destination, pending.rule_id), STACK: watch.stack}
    watch.gauges.add(Metric.MISSED, 1, {**place, REASON: pending.reason})
    watch.gauges.add(Metric.WITHIN, 0, place)
    watch.gauges.add(Metric.BYTES_OUTSIDE, pending.size, place)


def _look_again(watch: Watch, overdue: Sequence[Pending], started: int) -> None:
    """Close what is settled although an entry says that it waits. A few each minute, others in the next one.

    So it ends when a message was in two hands, and the slower one failed after the other was done.
    """
    start = started // 60_000 * LOOKED_AT_AGAIN % len(overdue) if overdue else 0
    chosen = [*overdue[start:], *overdue[:start]][:LOOKED_AT_AGAIN]
    watch.side_by_side([partial(_close_if_settled, watch, pending) for pending in chosen])


def _close_if_settled(watch: Watch, pending: Pending) -> bool:
    journal, pair = watch.books.journal, _pair(pending)
    change = Change(ChangeKind.CREATED, pending.bucket, pending.key, pending.version_id)
    memory = journal.read(pair)
    if memory.has_settled(change):
        journal.close(pair, pending.item_id, memory.completed_at(change) or watch.books.now())
        return True
    return False


def _report(watch: Watch, tally: Tally, depths: Depths) -> None:
    """Publish the counts: for the stack always, for a rule while something waits and once more when nothing does."""
    stack = {STACK: watch.stack}
    _gauge(watch, tally.all, tally.now, stack)
    for age, operations in tally.ages().items():
        watch.gauges.add(Metric.PENDING_BY_AGE, operations, {**stack, AGE: age})
    watch.gauges.add(Metric.UNSEEN, unseen(tally, depths.changes), stack)
    places = {*tally.by_place, *watch.reported}
    for place in sorted(places):
        _gauge(watch, tally.by_place.get(place, Count()), tally.now, _place(*place))
    watch.reported.clear()
    watch.reported.update(tally.by_place)
    watch.gauges.flush()


def _gauge(watch: Watch, count: Count, now: int, place: dict[str, str]) -> None:
    watch.gauges.add(Metric.PENDING, count.operations, place)
    watch.gauges.add(Metric.BYTES_PENDING, count.bytes, place)
    watch.gauges.add(Metric.OLDEST, count.age_seconds(now), place)


def _place(source: str, destination: str, rule_id: str) -> dict[str, str]:
    return {SOURCE: source, DESTINATION: destination, RULE: rule_id}


def _pair(pending: Pending) -> Pair:
    return Pair(pending.bucket, pending.destination, pending.key)
