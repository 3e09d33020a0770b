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
from replicator.core.outcomes.outcome import Status
from replicator.core.outcomes.threshold import Count, Depth, Pending, Route, Tally, unseen
from replicator.core.rules.matching import RuleSet
from replicator.core.versions.change import Change, ChangeKind
from replicator.flows.change.conclude import Closing
from replicator.flows.change.record import Recorder
from replicator.flows.ports import CLAIM_MS, Log, Measures, Reported, SideBySide
from replicator.flows.watch.given_up import failures

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
        """Return one way to read for each partition, oldest first. Reading raises Temporary."""


class Queues(Protocol):
    """The stack's queues, to be counted."""

    def depths(self) -> Depths:
        """Count what lies on each. Raises Temporary."""

    def given_up(self) -> list[str]:
        """Look at a few dead letters, return those that SQS put there, and leave them all. Raises Temporary."""


class Gauges(Measures, Protocol):
    """Where measured values go, beside the results that everybody counts."""

    def add(self, metric: Metric, value: float, route: dict[str, str]) -> None:
        """Add one value."""


@dataclass(frozen=True, slots=True)
class MonitorServices:
    """What the monitor needs. `threshold_ms`: the stack's own, for rules that name none.

    `claimant`: a name of this very run; `reported`: routes that the last run reported.
    """

    index: Index
    queues: Queues
    recorder: Recorder
    rules: Callable[[str], RuleSet]
    gauges: Gauges
    log: Log
    side_by_side: SideBySide
    stack: str
    claimant: str
    threshold_ms: int
    reported: set[Route] = field(default_factory=set)


@dataclass(slots=True)
class _Reading:
    """What one partition of the index came to."""

    tally: Tally
    late: list[Pending] = field(default_factory=list)
    overdue: list[Pending] = field(default_factory=list)


def monitor(services: MonitorServices) -> Tally:
    """Look once, and return what waits."""
    started, closing = services.recorder.now(), Closing(services.recorder, services.gauges, services.log)
    reading = _read(services, started)
    depths = services.queues.depths()
    _report(services, reading.tally, depths)
    try:
        _tell_late(services, reading.late, started)
        _look_again(services, reading.overdue, started)
        for body in services.queues.given_up() if depths.dead.all else ():
            for failure in failures(body, services.rules, services.recorder.journal, services.threshold_ms):
                closing.count(closing.conclude([failure]))
    finally:
        services.gauges.flush()
    return reading.tally


def _read(services: MonitorServices, started: int) -> _Reading:
    shards = services.index.shards(Status.PENDING)
    read = [partial(_read_shard, services, shard, started) for shard in shards]
    readings = services.side_by_side(read)
    whole = _Reading(Tally(started))
    for each in readings:
        whole.tally.merge(each.tally)
        whole.late += each.late
        whole.overdue += each.overdue
    whole.late.sort(key=lambda pending: pending.late_at)
    if not whole.tally.complete:
        services.log.incomplete(
            f"more than {whole.tally.all.operations} versions wait: the rest was not counted in time"
        )
    return whole


def _read_shard(services: MonitorServices, shard: Callable[[], Iterator[Pending]], started: int) -> _Reading:
    reading = _Reading(Tally(started))
    for number, pending in enumerate(shard()):
        reading.tally.add(pending)
        if pending.must_be_told(started, CLAIM_MS):
            reading.late.append(pending)
        if 0 < pending.due < started:
            reading.overdue.append(pending)
        if number % 1000 == 999 and services.recorder.now() - started > TIME_TO_READ_MS:
            reading.tally.complete = False
            break
    return reading


def _tell_late(services: MonitorServices, late: Sequence[Pending], started: int) -> None:
    """Tell of each version once that its threshold has passed: claim -> event -> note that it was told."""
    for start in range(0, len(late), TOLD_AT_ONCE):
        if services.recorder.now() - started > TIME_TO_TELL_MS:
            services.log.incomplete(f"{len(late) - start} late versions are told in the next minute")
            return
        group = late[start : start + TOLD_AT_ONCE]
        claimed = services.side_by_side([partial(_claim, services, pending) for pending in group])
        mine = [pending for pending, own in zip(group, claimed, strict=True) if own]
        if mine:
            services.recorder.notices.publish([_missed(pending) for pending in mine])
            services.side_by_side([partial(_note_told, services, pending) for pending in mine])
        for pending in mine:
            _count_missed(services, pending)


def _claim(services: MonitorServices, pending: Pending) -> bool:
    if _close_if_settled(services, pending):
        return False
    return services.recorder.journal.claim_missed(
        _pair(pending), pending.item_id, services.recorder.now(), services.claimant
    )


def _note_told(services: MonitorServices, pending: Pending) -> None:
    services.recorder.journal.note_reported(_pair(pending), pending.item_id, Reported.MISSED)


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
        aspect=pending.aspect,
    )


def _count_missed(services: MonitorServices, pending: Pending) -> None:
    route = {**_route(pending.bucket, pending.destination, pending.rule_id), STACK: services.stack}
    services.gauges.add(Metric.MISSED, 1, {**route, REASON: pending.reason})
    services.gauges.add(Metric.WITHIN, 0, route)
    services.gauges.add(Metric.BYTES_OUTSIDE, pending.size, route)


def _look_again(services: MonitorServices, overdue: Sequence[Pending], started: int) -> None:
    """Close what is settled although an entry says that it waits. A few each minute, others in the next one.

    So it ends when a message was in two hands, and the slower one failed after the other was done.
    """
    start = started // 60_000 * LOOKED_AT_AGAIN % len(overdue) if overdue else 0
    chosen = [*overdue[start:], *overdue[:start]][:LOOKED_AT_AGAIN]
    services.side_by_side([partial(_close_if_settled, services, pending) for pending in chosen])


def _close_if_settled(services: MonitorServices, pending: Pending) -> bool:
    journal, pair = services.recorder.journal, _pair(pending)
    change = Change(ChangeKind.CREATED, pending.bucket, pending.key, pending.version_id)
    memory = journal.read(pair)
    if memory.has_settled(change):
        journal.close(pair, pending.item_id, memory.completed_at(change) or services.recorder.now())
        return True
    return False


def _report(services: MonitorServices, tally: Tally, depths: Depths) -> None:
    """Publish the counts: for the stack always, for a rule while something waits and once more when nothing does."""
    stack = {STACK: services.stack}
    _gauge(services, tally.all, tally.now, stack)
    for age, operations in tally.ages().items():
        services.gauges.add(Metric.PENDING_BY_AGE, operations, {**stack, AGE: age})
    services.gauges.add(Metric.UNSEEN, unseen(tally, depths.changes), stack)
    routes = {*tally.by_route, *services.reported}
    for route in sorted(routes):
        _gauge(services, tally.by_route.get(route, Count()), tally.now, _route(*route))
    services.reported.clear()
    services.reported.update(tally.by_route)
    services.gauges.flush()


def _gauge(services: MonitorServices, count: Count, now: int, route: dict[str, str]) -> None:
    services.gauges.add(Metric.PENDING, count.operations, route)
    services.gauges.add(Metric.BYTES_PENDING, count.bytes, route)
    services.gauges.add(Metric.OLDEST, count.age_seconds(now), route)


def _route(source: str, destination: str, rule_id: str) -> dict[str, str]:
    return {SOURCE: source, DESTINATION: destination, RULE: rule_id}


def _pair(pending: Pending) -> Pair:
    return Pair(pending.bucket, pending.destination, pending.key)
