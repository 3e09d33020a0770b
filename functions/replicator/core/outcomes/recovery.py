"""How far a destination has come: what the queue and the journal show -> figures with the recovery point.

The recovery point of a pair is a time: everything written to the source before it is at the destination. It may lag,
but must be true in every history. A change that is not there yet is in one of four places: S3 has not sent its event,
its message is on the change queue, the journal has it as pending or as failed. Each place bounds the recovery point.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from replicator.core.outcomes.gate import GateState
from replicator.core.outcomes.metrics import FIGURES, Metric
from replicator.core.outcomes.threshold import Count, Route

DELIVERY_MS = 60_000
"""How long S3 may take to deliver an event: usually seconds, "but can sometimes take a minute or longer".

https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
"""
COUNT_MS = 60_000
"""How long SQS may take to count a message ("at least 1 minute after the producers stop sending").

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
"""
GATES = tuple(GateState)
"""What the metric DestinationGate counts: 0 open, 1 opening, 2 shut."""
Buckets = tuple[str, str]
"""Source bucket and destination bucket."""


@dataclass(frozen=True, slots=True)
class Door:
    """What is known of a destination as a whole. estimated: what is parked for it was counted by a sample only."""

    gate: GateState = GateState.OPEN
    estimated: bool = False


NO_DOOR = Door()
NOWHERE = ""
"""The destination of changes that wait before theirs are known: any of their source's may lack them."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What the journal knows to be missing at one destination of one source bucket.

    operations, bytes: of changes that wait, parked ones included. failed: changes that failed for good. oldest: when
    the oldest of all these was written, epoch milliseconds; 0 if there are none.
    """

    operations: int = 0
    bytes: int = 0
    failed: int = 0
    oldest: int = 0
    parked: int = 0
    gate: GateState = GateState.OPEN

    def with_more(self, other: "Missing") -> "Missing":
        """Return it with what else is missing there."""
        return replace(
            self,
            operations=self.operations + other.operations,
            bytes=self.bytes + other.bytes,
            failed=self.failed + other.failed,
            oldest=min(self.oldest or other.oldest, other.oldest or self.oldest),
            parked=self.parked + other.parked,
        )


@dataclass(slots=True)
class Failed:
    """The failed changes of a pair of buckets: how many, and when the oldest was written (epoch milliseconds)."""

    operations: int = 0
    oldest: int = 0

    def add(self, first_seen: int) -> None:
        """Count one more."""
        self.operations += 1
        self.oldest = min(self.oldest or first_seen, first_seen)


def missing_by_buckets(by_route: Mapping[Route, Count], failed: Mapping[Buckets, Failed]) -> dict[Buckets, Missing]:
    """Return what is missing for each pair of buckets that misses something, whichever rule it is about."""
    waiting: dict[Buckets, Count] = {}
    for (source, destination, _), count in by_route.items():
        waiting.setdefault((source, destination), Count()).merge(count)
    return {
        buckets: _missing(waiting.get(buckets, Count()), failed.get(buckets, Failed()))
        for buckets in {*waiting, *failed}
    }


def _missing(waiting: Count, failed: Failed) -> Missing:
    oldest = min((each for each in (waiting.oldest, failed.oldest) if each), default=0)
    return Missing(waiting.operations, waiting.bytes, failed.operations, oldest, waiting.parked)


@dataclass(frozen=True, slots=True)
class Unexplained:
    """What has no entry in the journal that could be looked at: messages on the change queue, and dead letters."""

    messages: int = 0
    letters: int = 0

    def __bool__(self) -> bool:
        """Return whether there is anything."""
        return self.messages > 0 or self.letters > 0


def cleared_until(looked: int, unexplained: Unexplained, earlier: int | None, oldest_sent: int | None) -> int | None:
    """Return a time: what was sent to the change queue before it is done, or in the journal. None if none is known.

    All times are epoch milliseconds. looked: when the queues were looked at, which must be before the journal is read:
    a change that moves from the queue to the journal in between is then seen in both places, not in neither. earlier:
    the result of the last look. oldest_sent: no message on the queue is older; None if that is unknown. It says nothing
    of a message that has become a dead letter.
    """
    if not unexplained:
        return looked - COUNT_MS
    known = [each for each in (earlier, None if unexplained.letters else oldest_sent) if each is not None]
    return max(known, default=None)


def recovery_point(
    cleared: int | None, missing: Missing, horizon: int = 0, covered_since: int | None = None
) -> int | None:
    """Return the recovery point of a pair in whole epoch seconds; None if it is unknown.

    Epoch milliseconds: cleared is the result of `cleared_until`. horizon: the journal was read up to changes of this
    time only; 0 if it was read to its end. covered_since: nothing that was written before that is missing.
    """
    known = [*([] if cleared is None else [cleared - DELIVERY_MS]), *([covered_since] if covered_since else [])]
    if not known:
        return None
    bounds = [max(known), *(each - 1 for each in (missing.oldest, horizon) if each)]
    return min(bounds) // 1000


def point_after(earlier: "Figures | None", cleared: int | None, missing: Missing, known: "Known") -> int | None:
    """Return the recovery point of a pair in this run, after what the last run published; None if it is unknown.

    An entry that moves between two partitions of the journal while they are read may be seen in neither. The last run
    saw it, so the recovery point stays before the oldest that it saw. Of a sample, the oldest is not known: then the
    recovery point does not advance.
    """
    horizons = [each for each in (known.horizon, earlier.missing.oldest if earlier else 0) if each]
    covered = known.covered_since or 0
    if known.estimated:
        cleared, covered = None, max(covered, (earlier.recovery_point or 0) * 1000 if earlier else 0)
    return recovery_point(cleared, missing, min(horizons, default=0), covered or None)


@dataclass(frozen=True, slots=True)
class Known:
    """How far what was read can be relied on. horizon, covered_since: see `recovery_point`; estimated: see `Door`."""

    horizon: int = 0
    covered_since: int | None = None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """What the monitor publishes about a pair. looked, recovery_point: epoch seconds; None if it is unknown.

    unexplained: messages and dead letters that have no entry in the journal. unverified: the destination was never
    proven to have what was there before events were attached.
    """

    looked: int
    recovery_point: int | None
    missing: Missing = Missing()
    unexplained: int = 0
    unverified: bool = False

    @property
    def lost(self) -> int:
        """How many changes are known to be missing."""
        return self.missing.operations + self.missing.failed


_ALWAYS = tuple(FIGURES)[:4]


def values_of(figures: Figures) -> dict[Metric, float]:
    """Return the figures as values of metrics. Times are epoch seconds, which a double holds exactly."""
    missing = figures.missing
    always = missing.operations, missing.bytes, missing.failed, int(figures.unverified)
    if_any = {
        Metric.RECOVERY_POINT: figures.recovery_point or 0,
        Metric.OLDEST_MISSING: missing.oldest // 1000,
        Metric.PARKED: missing.parked,
        Metric.GATE: GATES.index(missing.gate),
        Metric.UNEXPLAINED: figures.unexplained,
    }
    return {**dict(zip(_ALWAYS, always, strict=True)), **{metric: value for metric, value in if_any.items() if value}}


def figures_of(looked: int, values: Mapping[Metric, float]) -> Figures | None:
    """Return the figures that were published at this time (epoch seconds); None if they are not complete.

    CloudWatch shows the metrics of one request one after the other, so the newest may lack some of theirs. Without a
    recovery point there must be a reason why it is unknown.
    """
    found = {metric: int(value) for metric, value in values.items()}
    known = Metric.RECOVERY_POINT in found or found.get(Metric.UNEXPLAINED, 0) > 0
    if not known or any(metric not in found for metric in _ALWAYS):
        return None
    missing = Missing(
        operations=found[Metric.PENDING],
        bytes=found[Metric.BYTES_PENDING],
        failed=found[Metric.FAILED_NOW],
        oldest=found.get(Metric.OLDEST_MISSING, 0) * 1000,
        parked=found.get(Metric.PARKED, 0),
        gate=GATES[found.get(Metric.GATE, 0)],
    )
    point = found.get(Metric.RECOVERY_POINT)
    return Figures(looked, point, missing, found.get(Metric.UNEXPLAINED, 0), found[Metric.UNVERIFIED] > 0)
