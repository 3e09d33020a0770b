"""The journal's index and the queues -> counts by age -> metrics -> report what is late -> explain lost messages.

It runs every minute. Its cost grows with what waits, never with what is finished or has failed. If time runs out, the
rest is left to the next minute, because each step records what it has done.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.gate import Gate, GateState
from replicator.core.outcomes.metrics import AGE, DESTINATION, REASON, RULE, SOURCE, STACK, Metric
from replicator.core.outcomes.notices import Notice, NoticeKind
from replicator.core.outcomes.outcome import Status
from replicator.core.outcomes.recovery import Door
from replicator.core.outcomes.threshold import Count, Depth, Pending, Route, Tally, unseen
from replicator.core.rules.matching import RuleSet
from replicator.core.versions.change import CREATES_ENTRY, Change, ChangeKind
from replicator.flows.change.conclude import Closing
from replicator.flows.change.record import Recorder
from replicator.flows.ports import CLAIM_MS, Log, Measures, Reported, SideBySide
from replicator.flows.watch.given_up import failures
from replicator.flows.watch.parked import Behind, ParkedServices, look_behind, send_for
from replicator.flows.watch.proofs import publish_proofs
from replicator.flows.watch.recovery import RecoveryWatch, publish_figures

TIME_TO_READ_MS = 25_000
TIME_TO_REPORT_MS = 42_000
"""Milliseconds from the start of a run; the function's timeout is 55 s."""
EVENTS_PER_REQUEST = 10
"""The most events that one PutEvents request accepts."""
RECHECKED_PER_RUN = 50
"""Overdue entries per run that are compared with what is settled."""


@dataclass(frozen=True, slots=True)
class Depths:
    """How many messages the stack's queues hold. backfill: that of existing objects, which counts for itself."""

    changes: Depth
    parts: Depth
    dead: Depth
    backfill: Depth


class Index(Protocol):
    """The journal's sparse index by age."""

    def shards(self, status: Status) -> list[Callable[[], Iterator[Pending]]]:
        """Return a function for each partition that yields its entries, oldest first, or raises Temporary."""


class Queues(Protocol):
    """The stack's queues."""

    def depths(self) -> Depths:
        """Return how many messages each holds. Raises Temporary."""

    def given_up(self) -> list[str]:
        """Return the bodies of a few messages that SQS moved to the dead-letter queue; they stay. Raises Temporary."""


class Gauges(Measures, Protocol):
    """Metrics of the monitor: measured values, beside results."""

    def add(self, metric: Metric, value: float, route: dict[str, str]) -> None:
        """Add one value."""


@dataclass(frozen=True, slots=True)
class MonitorServices:
    """What the monitor needs. threshold_ms: the stack's own, for rules that name none.

    claimant: a name for this run. published: routes whose metrics the last run published.
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
    parked: ParkedServices
    published: set[Route] = field(default_factory=set)
    recovery: RecoveryWatch | None = None


@dataclass(slots=True)
class _Reading:
    """What was read from one partition of the index, or from all."""

    tally: Tally
    late: list[Pending] = field(default_factory=list)
    overdue: list[Pending] = field(default_factory=list)


def monitor(services: MonitorServices) -> Tally:
    """Run once, and return what waits. Raises Temporary or Permanent."""
    started, closing = services.recorder.now(), Closing(services.recorder, services.gauges, services.log)
    depths = services.queues.depths()  # before the journal: what moves there meanwhile is seen in both, not in neither
    gates = list(services.parked.gates.all().values())
    behind = look_behind(gates, services.parked.parking, services.side_by_side, started)
    reading = _read(services, started)
    for each in behind:
        reading.tally.merge(each.tally)
        reading.late += each.late
    reading.late.sort(key=lambda pending: pending.late_at)
    _publish(services, reading.tally, depths)
    _publish_gates(services, gates)
    _publish_recovery(services, reading.tally, depths, _doors(gates, behind))
    try:
        send_for(behind, services.parked, depths.changes, started)
        _report_late(services, reading.late, started)
        _recheck(services, reading.overdue, started)
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
    if not whole.tally.complete:
        services.log.incomplete(
            f"more than {whole.tally.all.operations} versions wait: there was no time to count the rest"
        )
    return whole


def _read_shard(services: MonitorServices, shard: Callable[[], Iterator[Pending]], started: int) -> _Reading:
    reading = _Reading(Tally(started))
    for number, pending in enumerate(shard()):
        reading.tally.add(pending)
        if pending.must_be_reported(started, CLAIM_MS):
            reading.late.append(pending)
        if 0 < pending.due < started:
            reading.overdue.append(pending)
        if number % 1000 == 999 and services.recorder.now() - started > TIME_TO_READ_MS:
            reading.tally.complete = False
            break
    return reading


def _report_late(services: MonitorServices, late: Sequence[Pending], started: int) -> None:
    """Report each version once that missed its threshold: claim -> publish -> note that it was reported."""
    for start in range(0, len(late), EVENTS_PER_REQUEST):
        if services.recorder.now() - started > TIME_TO_REPORT_MS:
            services.log.incomplete(f"{len(late) - start} late versions will be reported in the next minute")
            return
        group = late[start : start + EVENTS_PER_REQUEST]
        claimed = services.side_by_side([partial(_claim, services, pending) for pending in group])
        mine = [pending for pending, own in zip(group, claimed, strict=True) if own]
        if mine:
            services.recorder.notices.publish([_missed(pending) for pending in mine])
            services.side_by_side([partial(_note_reported, services, pending) for pending in mine])
        for pending in mine:
            _count_missed(services, pending)


def _claim(services: MonitorServices, pending: Pending) -> bool:
    if _close_if_settled(services, pending):
        return False
    return services.recorder.journal.claim_missed(
        _pair(pending), pending.item_id, services.recorder.now(), services.claimant
    )


def _note_reported(services: MonitorServices, pending: Pending) -> None:
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


def _recheck(services: MonitorServices, overdue: Sequence[Pending], started: int) -> None:
    """Close entries that wait although their change is settled: RECHECKED_PER_RUN of them, others in the next run.

    Such an entry is left when two handlers received the same message, and the slower one failed after the other was
    done.
    """
    start = started // 60_000 * RECHECKED_PER_RUN % len(overdue) if overdue else 0
    chosen = [*overdue[start:], *overdue[:start]][:RECHECKED_PER_RUN]
    services.side_by_side([partial(_close_if_settled, services, pending) for pending in chosen])


def _close_if_settled(services: MonitorServices, pending: Pending) -> bool:
    if pending.aspect not in CREATES_ENTRY:
        return False  # the memory says nothing of later changes
    journal, pair = services.recorder.journal, _pair(pending)
    change = Change(ChangeKind.CREATED, pending.bucket, pending.key, pending.version_id)
    memory = journal.read(pair)
    if memory.has_settled(change):
        journal.close(pair, pending.item_id, memory.completed_at(change) or services.recorder.now())
        return True
    return False


def _publish(services: MonitorServices, tally: Tally, depths: Depths) -> None:
    """Publish the counts: those of the stack always, those of a rule while something waits and once after that."""
    stack = {STACK: services.stack}
    _gauge(services, tally.all, tally.now, stack)
    for age, operations in tally.ages().items():
        services.gauges.add(Metric.PENDING_BY_AGE, operations, {**stack, AGE: age})
    services.gauges.add(Metric.UNSEEN, unseen(tally, depths.changes), stack)
    services.gauges.add(Metric.BACKFILL, depths.backfill.all, stack)
    routes = {*tally.by_route, *services.published}
    for route in sorted(routes):
        _gauge(services, tally.by_route.get(route, Count()), tally.now, _route(*route))
    services.published.clear()
    services.published.update(tally.by_route)
    services.gauges.flush()


def _publish_gates(services: MonitorServices, gates: Sequence[Gate]) -> None:
    """Publish how many destinations are shut or opening, and how many deny everything."""
    stack = {STACK: services.stack}
    services.gauges.add(Metric.SHUT, sum(1 for gate in gates if gate.state is not GateState.OPEN), stack)
    services.gauges.add(Metric.DENIED, sum(1 for gate in gates if gate.denied), stack)


def _doors(gates: Sequence[Gate], behind: Sequence[Behind]) -> dict[str, Door]:
    """Return what the recovery points of each destination must know of its gate."""
    sampled = {each.gate.destination for each in behind if each.sample.share < 1}
    return {each.destination: Door(each.state, each.destination in sampled) for each in gates}


def _publish_recovery(services: MonitorServices, tally: Tally, depths: Depths, doors: dict[str, Door]) -> None:
    if services.recovery is not None:
        age = publish_figures(services.recovery, tally, depths.changes, depths.dead, doors)
        if age is not None:
            services.gauges.add(Metric.RECOVERY_AGE, age, {STACK: services.stack})
        for metric, count in services.recovery.rule_counts.items():
            services.gauges.add(metric, count, {STACK: services.stack})
        pairs, record_of = services.recovery.last, services.recovery.coverage.record_of
        publish_proofs(pairs, record_of, services.gauges.add, services.stack, tally.now)


def _gauge(services: MonitorServices, count: Count, now: int, route: dict[str, str]) -> None:
    services.gauges.add(Metric.PENDING, count.operations, route)
    services.gauges.add(Metric.BYTES_PENDING, count.bytes, route)
    services.gauges.add(Metric.OLDEST, count.age_seconds(now), route)
    services.gauges.add(Metric.PARKED, count.parked, route)


def _route(source: str, destination: str, rule_id: str) -> dict[str, str]:
    return {SOURCE: source, DESTINATION: destination, RULE: rule_id}


def _pair(pending: Pending) -> Pair:
    return Pair(pending.bucket, pending.destination, pending.key)
