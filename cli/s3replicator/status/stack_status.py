"""Journal index and queues -> everything that is pending or has failed, and how many messages the queues hold.

It only reads. Separate from the status of an object, which asks the buckets too.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from replicator.core.outcomes.gate import Gate, GateState
from replicator.core.outcomes.outcome import Status
from replicator.core.outcomes.threshold import Count, Pending, Route, Tally
from replicator.core.versions.change import Aspect
from replicator.flows.ports import SideBySide
from replicator.flows.release import ParkedEntry, Parking
from replicator.flows.watch.monitor import Depths, Index, Queues
from replicator.flows.watch.parked import Gates, look_behind

from s3replicator.status.proofs import Proof


@dataclass(frozen=True, slots=True)
class StackStatus:
    """Everything that is pending or has failed, and how many messages the queues hold.

    failed_by_aspect: what failed, by what was changed. is_exact: nothing was counted by a sample. proofs: of each
    pair of buckets; None if they cannot be read.
    """

    depths: Depths
    pending: Tally
    failed: dict[Route, Count] = field(default_factory=dict)
    failed_by_aspect: Mapping[Aspect, int] = field(default_factory=dict)
    gates: Sequence[Gate] = ()
    is_exact: bool = True
    proofs: Sequence[Proof] | None = ()

    @property
    def troubled_gates(self) -> list[Gate]:
        """The gates that are not open, and those of destinations that deny everything."""
        return [gate for gate in self.gates if gate.state is not GateState.OPEN or gate.denied]

    @property
    def routes(self) -> list[Route]:
        """The (source, destination, rule) for which something is pending or has failed."""
        return sorted({*self.pending.by_route, *self.failed})

    @property
    def is_fine(self) -> bool:
        """Return whether nothing has failed and nothing is pending for longer than its threshold."""
        return not self.failed and not self.depths.dead.all and not self.pending.late


@dataclass(frozen=True, slots=True)
class JournalViews:
    """The journal's indexes and its gates."""

    index: Index
    gates: Gates
    parking: Parking


def read_stack_status(
    journal: JournalViews, queues: Queues, side_by_side: SideBySide, now: int, bucket: str = ""
) -> StackStatus:
    """Read the status of a stack, or of one of its source buckets. Raises Temporary. `now`: epoch milliseconds.

    What is parked is read before what waits on the queue: it may be sent there meanwhile.
    """
    index, pending, failed, aspects = journal.index, Tally(now), dict[Route, Count](), Counter[Aspect]()
    gates = list(journal.gates.all().values())
    parking = _OfBucket(journal.parking, bucket) if bucket else journal.parking
    behind = look_behind(gates, parking, side_by_side, now)
    for gate in behind:
        pending.merge(gate.tally)
    for each in _entries(index, Status.PENDING, bucket):
        pending.add(each)
    for each in _entries(index, Status.FAILED, bucket):
        failed.setdefault((each.bucket, each.destination, each.rule_id), Count()).add(each)
        aspects[each.aspect] += 1
    is_exact = all(each.sample.share == 1 for each in behind)
    return StackStatus(queues.depths(), pending, failed, aspects, gates, is_exact)


@dataclass(frozen=True, slots=True)
class _OfBucket:
    """What is parked of one source bucket."""

    parking: Parking
    bucket: str

    def entries(self, destination: str, partition: str, since: int, until: int) -> Iterator[ParkedEntry]:
        found = self.parking.entries(destination, partition, since, until)
        return (each for each in found if each.item[0].startswith(f"{self.bucket}/"))

    def note_released(self, entry: ParkedEntry, now: int) -> None:
        self.parking.note_released(entry, now)


def _entries(index: Index, status: Status, bucket: str) -> Iterator[Pending]:
    for shard in index.shards(status):
        yield from (each for each in shard() if bucket in {"", each.bucket})
